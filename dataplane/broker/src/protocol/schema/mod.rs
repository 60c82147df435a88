//! The structure of every request that is decoded by the codecs: what [`super::guard`] walks.
//!
//! Tables, written from Kafka's message definitions. A test decodes requests that are generated from them with the
//! codecs, for every version: the two must read the same bytes.

mod acls;
mod admin;
mod client;
mod credentials;
#[cfg(test)]
pub(crate) mod generated;
mod groups;
mod quotas;

pub(crate) use acls::*;
pub(crate) use admin::*;
pub(crate) use client::*;
pub(crate) use credentials::*;
pub(crate) use groups::*;
pub(crate) use quotas::*;

/// The type of a field.
#[derive(Debug)]
pub(crate) enum Kind {
    /// So many bytes: a number, a boolean, a UUID.
    Fixed(usize),
    /// A string, or null.
    String,
    /// A byte array, or null.
    Bytes,
    /// An array of strings, each of which takes so much memory besides its decoded form.
    Strings(usize),
    /// An array of numbers of partitions, each of which takes so much memory besides its decoded form.
    Indexes(usize),
    /// An array of values of so many bytes.
    Fixeds(usize),
    /// An array of structures.
    Array(&'static Shape),
    /// A structure.
    Struct(&'static Shape),
    /// A byte that is 1 before a structure, and anything else for none.
    NullableStruct(&'static Shape),
}

/// A field and the versions that have it.
#[derive(Debug)]
pub(crate) struct Field {
    /// The first version.
    pub(crate) first: i16,
    /// The last version.
    pub(crate) last: i16,
    /// Its tag, if it is a tagged field.
    pub(crate) tag: Option<u32>,
    /// Its type.
    pub(crate) kind: Kind,
}

impl Field {
    pub(crate) fn is_in(&self, version: i16) -> bool {
        (self.first..=self.last).contains(&version)
    }
}

/// A structure.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Bytes of memory that its decoded form takes, besides what its arrays hold, and that it takes in the handler and
    /// in the answer.
    pub(crate) memory: usize,
    /// Its fields in order.
    pub(crate) fields: &'static [Field],
}

/// A request.
#[derive(Debug)]
pub(crate) struct Schema {
    /// The first version with compact lengths and tagged fields.
    pub(crate) flexible_from: i16,
    /// Its body.
    pub(crate) root: &'static Shape,
}

const fn all(kind: Kind) -> Field {
    between(0, i16::MAX, kind)
}

const fn since(first: i16, kind: Kind) -> Field {
    between(first, i16::MAX, kind)
}

const fn until(last: i16, kind: Kind) -> Field {
    between(0, last, kind)
}

const fn between(first: i16, last: i16, kind: Kind) -> Field {
    Field {
        first,
        last,
        tag: None,
        kind,
    }
}

const fn tagged(tag: u32, first: i16, kind: Kind) -> Field {
    Field {
        first,
        last: i16::MAX,
        tag: Some(tag),
        kind,
    }
}

const fn shape<T>(fields: &'static [Field]) -> Shape {
    Shape {
        memory: size_of::<T>(),
        fields,
    }
}

/// As [`shape`], of what takes so much memory in the handler and in the answer. The amounts are upper bounds for what the
/// shortest ones take; a test measures them.
const fn costly<T>(more: usize, fields: &'static [Field]) -> Shape {
    Shape {
        memory: size_of::<T>() + more,
        fields,
    }
}

const BOOL: Kind = Kind::Fixed(1);
const I8: Kind = Kind::Fixed(1);
const I16: Kind = Kind::Fixed(2);
const I32: Kind = Kind::Fixed(4);
const I64: Kind = Kind::Fixed(8);
const F64: Kind = Kind::Fixed(8);
const UUID: Kind = Kind::Fixed(16);
