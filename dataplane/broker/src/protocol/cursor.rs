//! Reading Kafka's primitive types off bytes that nobody vouches for.

use super::Malformed;

/// The longest string, in bytes, compact or not: Kafka takes a longer one for malformed.
pub(crate) const LONGEST_STRING: usize = 32_767;

/// A position in a request's bytes. Nothing is allocated; every length is checked against what is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        if count > self.remaining() {
            return Err(Malformed::Truncated);
        }
        let taken = &self.bytes[self.position..self.position + count];
        self.position += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut value = [0; N];
        value.copy_from_slice(self.take(N)?);
        Ok(value)
    }

    pub(crate) fn i8(&mut self) -> Result<i8, Malformed> {
        Ok(i8::from_be_bytes(self.array()?))
    }

    pub(crate) fn i16(&mut self) -> Result<i16, Malformed> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Malformed> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    pub(crate) fn u128(&mut self) -> Result<u128, Malformed> {
        Ok(u128::from_be_bytes(self.array()?))
    }

    /// An unsigned varint of at most 32 bits. Overlong ones are refused, so that no two readers can disagree
    /// about where it ends.
    pub(crate) fn varint(&mut self) -> Result<u32, Malformed> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            if shift == 28 && byte > 0x0f {
                return Err(Malformed::Overlong);
            }
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed::Overlong)
    }

    /// A length or count: `None` for null. Compact ones are varints of the length plus one.
    fn length(&mut self, compact: bool, wide: bool) -> Result<Option<usize>, Malformed> {
        if compact {
            let plus_one = self.varint()?;
            return Ok(plus_one.checked_sub(1).map(|length| length as usize));
        }
        let length = if wide { self.i32()? } else { i32::from(self.i16()?) };
        match length {
            -1 => Ok(None),
            length => usize::try_from(length)
                .map(Some)
                .map_err(|_| Malformed::NegativeLength),
        }
    }

    /// The number of elements of an array. Each element takes at least a byte, so more than what is left is refused.
    pub(crate) fn count(&mut self, compact: bool) -> Result<Option<usize>, Malformed> {
        let count = self.length(compact, true)?;
        if count.unwrap_or(0) > self.remaining() {
            return Err(Malformed::Truncated);
        }
        Ok(count)
    }

    /// The bytes of a string.
    pub(crate) fn string(&mut self, compact: bool) -> Result<Option<&'a [u8]>, Malformed> {
        match self.length(compact, false)? {
            Some(length) if length > LONGEST_STRING => Err(Malformed::LongString),
            length => length.map(|length| self.take(length)).transpose(),
        }
    }

    /// A string that is text.
    pub(crate) fn text(&mut self, compact: bool) -> Result<Option<&'a str>, Malformed> {
        let bytes = self.string(compact)?;
        bytes
            .map(|bytes| std::str::from_utf8(bytes).map_err(|_| Malformed::NotText))
            .transpose()
    }

    /// A byte array; where it lies.
    pub(crate) fn byte_range(&mut self, compact: bool) -> Result<Option<std::ops::Range<usize>>, Malformed> {
        let Some(length) = self.length(compact, true)? else {
            return Ok(None);
        };
        let start = self.position;
        self.take(length)?;
        Ok(Some(start..start + length))
    }

    /// Passes over tagged fields whose meaning does not matter here; returns how many there were.
    pub(crate) fn skip_tags(&mut self) -> Result<usize, Malformed> {
        let count = self.varint()? as usize;
        for _ in 0..count {
            self.varint()?;
            let size = self.varint()? as usize;
            self.take(size)?;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlong_varint_is_refused() {
        assert_eq!(
            Cursor::new(&[0xff, 0xff, 0xff, 0xff, 0x0f]).varint(),
            Ok(u32::MAX)
        );
        for bytes in [
            &[0xff, 0xff, 0xff, 0xff, 0x1f][..],
            &[0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
        ] {
            assert_eq!(Cursor::new(bytes).varint(), Err(Malformed::Overlong));
        }
        assert_eq!(Cursor::new(&[0x80]).varint(), Err(Malformed::Truncated));
    }

    #[test]
    fn a_string_is_as_long_as_a_classic_one_can_be_and_no_longer() {
        let of = |length: u32| {
            let mut bytes = bytes::BytesMut::new();
            crate::protocol::writing::varint(&mut bytes, length + 1);
            bytes.resize(bytes.len() + 100_000, b'x');
            Cursor::new(&bytes).string(true).map(|text| text.map(<[u8]>::len))
        };
        assert_eq!(of(32_767), Ok(Some(32_767)));
        assert_eq!(of(32_768), Err(Malformed::LongString));
    }

    #[test]
    fn a_count_beyond_the_bytes_is_refused() {
        assert_eq!(
            Cursor::new(&[0x7f, 0xff, 0xff, 0xff, 0]).count(false),
            Err(Malformed::Truncated)
        );
        assert_eq!(
            Cursor::new(&[0xff, 0xff, 0xff, 0xfe]).count(false),
            Err(Malformed::NegativeLength)
        );
        assert_eq!(Cursor::new(&[0xff, 0xff, 0xff, 0xff]).count(false), Ok(None));
    }
}
