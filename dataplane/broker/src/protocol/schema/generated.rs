//! Requests generated from the tables: well-formed ones, and where their counts and lengths are. For tests.

use bytes::{BufMut, BytesMut};
use rand::rngs::StdRng;
use rand::{Rng, RngExt};

use super::{Field, Kind, Schema, Shape};
use crate::protocol::writing::{Writer, varint};

/// A request's body, and the places of its counts and lengths.
pub(crate) struct Generated {
    pub(crate) body: BytesMut,
    /// Where each length begins, and whether it is a varint, of two bytes, or of four.
    pub(crate) lengths: Vec<(usize, Width)>,
}

/// How a length is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Varint,
    Two,
    Four,
}

/// A random well-formed request. `empty`: all arrays and strings are.
pub(crate) fn request(schema: &Schema, version: i16, random: &mut StdRng, empty: bool) -> Generated {
    let flexible = version >= schema.flexible_from;
    let mut generator = Generator {
        out: Generated {
            body: BytesMut::new(),
            lengths: Vec::new(),
        },
        version,
        flexible,
        empty,
        random,
    };
    generator.shape(schema.root);
    generator.out
}

struct Generator<'a> {
    out: Generated,
    version: i16,
    flexible: bool,
    empty: bool,
    random: &'a mut StdRng,
}

impl Generator<'_> {
    fn shape(&mut self, shape: &Shape) {
        for field in shape.fields {
            if field.tag.is_none() && field.is_in(self.version) {
                self.value(&field.kind);
            }
        }
        if self.flexible {
            self.tags(shape);
        }
    }

    fn tags(&mut self, shape: &Shape) {
        let mut written = Vec::new();
        for field in shape.fields {
            if let Field { tag: Some(tag), .. } = field
                && field.is_in(self.version)
                && self.random.random_bool(0.5)
            {
                written.push((*tag, &field.kind));
            }
        }
        let unknown = !self.empty && self.random.random_bool(0.2);
        varint(
            &mut self.out.body,
            u32::try_from(written.len() + usize::from(unknown)).unwrap(),
        );
        for (tag, kind) in written {
            let (outer, places) = (
                std::mem::take(&mut self.out.body),
                std::mem::take(&mut self.out.lengths),
            );
            self.value(kind);
            let value = std::mem::replace(&mut self.out.body, outer);
            self.out.lengths = places;
            varint(&mut self.out.body, tag);
            self.out.lengths.push((self.out.body.len(), Width::Varint));
            varint(&mut self.out.body, u32::try_from(value.len()).unwrap());
            self.out.body.put_slice(&value);
        }
        if unknown {
            varint(&mut self.out.body, 77);
            self.out.lengths.push((self.out.body.len(), Width::Varint));
            self.out.body.put_slice(&[3, 1, 2, 3]);
        }
    }

    fn value(&mut self, kind: &Kind) {
        match kind {
            Kind::Fixed(size) => self.fixed(*size),
            Kind::String => self.string(),
            Kind::Bytes => self.bytes(),
            Kind::Strings(_) => self.array(Self::string),
            Kind::Indexes(_) => self.array(|generator| generator.fixed(4)),
            Kind::Fixeds(size) => self.array(|generator| generator.fixed(*size)),
            Kind::Array(shape) => self.array(|generator| generator.shape(shape)),
            Kind::Struct(shape) => self.shape(shape),
            Kind::NullableStruct(shape) => {
                let present = !self.empty && self.random.random_bool(0.5);
                self.out.body.put_i8(if present { 1 } else { -1 });
                if present {
                    self.shape(shape);
                }
            }
        }
    }

    fn fixed(&mut self, size: usize) {
        let mut bytes = vec![0; size];
        self.random.fill_bytes(&mut bytes);
        // Small numbers are the likelier ones to mean something.
        if self.random.random_bool(0.7) {
            bytes[..size - 1].fill(0);
            bytes[size - 1] &= 3;
        }
        self.out.body.put_slice(&bytes);
    }

    fn string(&mut self) {
        let length = if self.empty {
            0
        } else {
            self.random.random_range(0..12)
        };
        let text: String = (0..length)
            .map(|_| char::from(self.random.random_range(b'a'..=b'e')))
            .collect();
        let width = if self.flexible { Width::Varint } else { Width::Two };
        self.out.lengths.push((self.out.body.len(), width));
        Writer {
            out: &mut self.out.body,
            flexible: self.flexible,
        }
        .string(Some(&text));
    }

    fn bytes(&mut self) {
        let length = if self.empty {
            0
        } else {
            self.random.random_range(0..12)
        };
        let width = if self.flexible { Width::Varint } else { Width::Four };
        self.out.lengths.push((self.out.body.len(), width));
        Writer {
            out: &mut self.out.body,
            flexible: self.flexible,
        }
        .byte_length(length);
        let mut bytes = vec![0; length];
        self.random.fill_bytes(&mut bytes);
        self.out.body.put_slice(&bytes);
    }

    fn array(&mut self, mut element: impl FnMut(&mut Self)) {
        let count = if self.empty {
            0
        } else {
            self.random.random_range(0..4)
        };
        let width = if self.flexible { Width::Varint } else { Width::Four };
        self.out.lengths.push((self.out.body.len(), width));
        Writer {
            out: &mut self.out.body,
            flexible: self.flexible,
        }
        .count(count);
        for _ in 0..count {
            element(self);
        }
    }
}
