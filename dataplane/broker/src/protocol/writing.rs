//! Writing Kafka's primitive types, compact or not.

use bytes::{BufMut, BytesMut};

/// Writes the fields of one version of a message.
pub(crate) struct Writer<'a> {
    pub(crate) out: &'a mut BytesMut,
    /// Whether lengths are compact and structures end with tagged fields.
    pub(crate) flexible: bool,
}

impl Writer<'_> {
    /// The number of elements of an array.
    pub(crate) fn count(&mut self, count: usize) {
        self.length(Some(count), true);
    }

    /// A null array.
    pub(crate) fn null_array(&mut self) {
        self.length(None, true);
    }

    /// The length of a byte array that follows.
    pub(crate) fn byte_length(&mut self, length: usize) {
        self.length(Some(length), true);
    }

    /// A string, or null.
    pub(crate) fn string(&mut self, text: Option<&str>) {
        let text = text.map(clipped);
        self.length(text.map(str::len), false);
        self.out.put_slice(text.unwrap_or_default().as_bytes());
    }

    /// The end of a structure without tagged fields.
    pub(crate) fn no_tags(&mut self) {
        if self.flexible {
            self.out.put_u8(0);
        }
    }

    fn length(&mut self, length: Option<usize>, wide: bool) {
        const BOUNDED: &str = "arrays, strings and record sets are bounded far below 2 GiB";
        if self.flexible {
            let plus_one = length.map_or(0, |length| u32::try_from(length + 1).expect(BOUNDED));
            varint(self.out, plus_one);
        } else if wide {
            self.out
                .put_i32(length.map_or(-1, |length| i32::try_from(length).expect(BOUNDED)));
        } else {
            self.out
                .put_i16(length.map_or(-1, |length| i16::try_from(length).expect(BOUNDED)));
        }
    }
}

/// A text that a classic string can hold: at most 32,767 bytes.
pub(crate) fn clipped(text: &str) -> &str {
    let longest = usize::from(i16::MAX.unsigned_abs());
    &text[..text.floor_char_boundary(longest)]
}

/// An unsigned varint.
pub(crate) fn varint(out: &mut BytesMut, mut value: u32) {
    while value >= 0x80 {
        out.put_u8((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

#[cfg(test)]
mod tests {
    use super::super::cursor::Cursor;
    use super::*;

    #[test]
    fn a_varint_reads_back() {
        for value in [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, u32::MAX] {
            let mut out = BytesMut::new();
            varint(&mut out, value);
            assert_eq!(Cursor::new(&out).varint(), Ok(value));
        }
    }
}
