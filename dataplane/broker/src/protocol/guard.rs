//! The check before the decoders: a request never costs more memory than a small multiple of its own size.
//!
//! The codecs of `kafka-protocol` call `Vec::with_capacity` with the count that a request claims: seven bytes of
//! Metadata would ask for 309 GB and abort the process. The guard walks a request along its [`Schema`] first, without
//! allocating: every count and length must be covered by bytes that are there, and the memory that the decoded form,
//! the handler's work and the answer will take is added up and bounded. What an answer tells of things that exist (the
//! configs of a topic) is not counted: it is bounded by how many there are, since each is told once. It reads exactly what the codecs read: a tagged field that is known must fill its
//! size exactly, since the codecs do not look at that size.
//!
//! Rejected: a cap on counts (a legal request of a million entries is fine if it is long enough, one of a thousand
//! is not if it has ten bytes); a global memory budget (one connection could starve the others).

use super::Malformed;
use super::cursor::Cursor;
use super::schema::{Field, Kind, Schema, Shape};

#[cfg(test)]
mod tests;

/// Memory that any request may take, however short.
const FREE: usize = 64 * 1024;
/// How many bytes of memory a byte of request may take at its peak, with its answer, beyond what is free.
///
/// The smallest power of two that refuses nothing that clients send: a partition of a Fetch is sixteen bytes in a request
/// and a thousand in its answer's making. And it is small: a count of four bytes could claim 300 GB, while a KiB, which is
/// much for one request, may take as much as its connection's read buffer. Of long requests another bound takes care.
pub const MEMORY_PER_BYTE: usize = 64;
/// Memory that no request may exceed, however long.
const MOST: usize = 256 << 20;
/// Memory of a map that keeps unknown tagged fields: one tree node for up to this many.
const TAGS_PER_NODE: usize = 5;
const TAG_NODE: usize = 448;
/// Memory of a decoded string, besides the bytes that it shares with the request.
pub(crate) const STRING_MEMORY: usize = 32;

/// Checks the body of a request.
pub(crate) fn check(body: &[u8], schema: &Schema, version: i16) -> Result<(), Malformed> {
    let mut walk = Walk {
        cursor: Cursor::new(body),
        version,
        flexible: version >= schema.flexible_from,
        cost: 0,
        budget: budget(body.len()),
    };
    walk.shape(schema.root)
}

/// The memory that a request of this many bytes may take.
pub(crate) fn budget(size: usize) -> usize {
    MEMORY_PER_BYTE
        .saturating_mul(size)
        .saturating_add(FREE)
        .min(MOST)
}

struct Walk<'a> {
    cursor: Cursor<'a>,
    version: i16,
    flexible: bool,
    cost: usize,
    budget: usize,
}

impl Walk<'_> {
    fn spend(&mut self, memory: usize) -> Result<(), Malformed> {
        self.cost = self.cost.saturating_add(memory);
        if self.cost > self.budget {
            Err(Malformed::TooCostly)
        } else {
            Ok(())
        }
    }

    fn shape(&mut self, shape: &'static Shape) -> Result<(), Malformed> {
        for field in shape.fields {
            if field.tag.is_none() && field.is_in(self.version) {
                self.value(&field.kind)?;
            }
        }
        if self.flexible { self.tags(shape) } else { Ok(()) }
    }

    fn value(&mut self, kind: &Kind) -> Result<(), Malformed> {
        match kind {
            Kind::Fixed(size) => self.cursor.take(*size).map(drop),
            Kind::String => self.cursor.string(self.flexible).map(drop),
            Kind::Bytes => self.cursor.byte_range(self.flexible).map(drop),
            Kind::Strings(more) => self.elements(STRING_MEMORY + more, |walk| {
                walk.cursor.string(walk.flexible).map(drop)
            }),
            Kind::Indexes(more) => self.elements(4 + more, |walk| walk.cursor.take(4).map(drop)),
            Kind::Fixeds(size) => self.elements(*size, |walk| walk.cursor.take(*size).map(drop)),
            Kind::Array(shape) => self.elements(shape.memory, |walk| walk.shape(shape)),
            Kind::Struct(shape) => self.shape(shape),
            Kind::NullableStruct(shape) => match self.cursor.i8()? {
                1 => self.shape(shape),
                _ => Ok(()),
            },
        }
    }

    fn elements(
        &mut self,
        memory: usize,
        mut element: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let count = self.cursor.count(self.flexible)?.unwrap_or(0);
        self.spend(count.saturating_mul(memory))?;
        for _ in 0..count {
            element(self)?;
        }
        Ok(())
    }

    fn tags(&mut self, shape: &'static Shape) -> Result<(), Malformed> {
        let count = self.cursor.varint()? as usize;
        if count > self.cursor.remaining() {
            return Err(Malformed::Truncated);
        }
        self.spend(count.div_ceil(TAGS_PER_NODE).saturating_mul(TAG_NODE))?;
        for _ in 0..count {
            let tag = self.cursor.varint()?;
            let size = self.cursor.varint()? as usize;
            let end = self.cursor.position().saturating_add(size);
            match shape.fields.iter().find(|field| field.tag == Some(tag)) {
                Some(field) => self.known_tag(field, end)?,
                None => self.cursor.take(size).map(drop)?,
            }
        }
        Ok(())
    }

    fn known_tag(&mut self, field: &Field, end: usize) -> Result<(), Malformed> {
        if !field.is_in(self.version) {
            return Err(Malformed::BadTag);
        }
        self.value(&field.kind)?;
        if self.cursor.position() == end {
            Ok(())
        } else {
            Err(Malformed::BadTag)
        }
    }
}
