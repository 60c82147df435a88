//! CRC32C of bytes that lie one behind the other, from the checksums of the parts.
//!
//! A checksum is the remainder of a polynomial over GF(2); bytes behind it multiply it by x^8 each. `x^(8·2^k)` is tabled
//! for every k, so that any number of bytes costs one multiplication per one bit of that number. `crc32c_combine` of the
//! crate squares matrices instead: for a batch it takes longer than reading the batch.

/// The divisor without x^32. Bit 31 is x^0, as in the checksums.
const DIVISOR: u32 = 0x82f6_3b78;
/// `x^(8·2^k)`: what 2^k bytes multiply by.
const BYTES: [u32; 64] = {
    let mut table = [1 << (31 - 8); 64];
    let mut k = 1;
    while k < 64 {
        table[k] = product(table[k - 1], table[k - 1]);
        k += 1;
    }
    table
};

const fn product(a: u32, mut b: u32) -> u32 {
    let mut sum = 0;
    let mut power = 0;
    while power < 32 {
        sum ^= b & (a >> (31 - power) & 1).wrapping_neg();
        b = (b >> 1) ^ (DIVISOR & (b & 1).wrapping_neg());
        power += 1;
    }
    sum
}

/// The checksum of bytes whose checksum is `first`, with `length` bytes behind them whose checksum is `second`.
pub(crate) fn joined(first: u32, second: u32, mut length: u64) -> u32 {
    let mut moved = first;
    while length > 0 {
        moved = product(moved, BYTES[length.trailing_zeros() as usize]);
        length &= length - 1;
    }
    moved ^ second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_give_the_checksum_of_the_whole() {
        let bytes: Vec<u8> = (0u32..200_000)
            .map(|i| i.wrapping_mul(i).to_be_bytes()[2])
            .collect();
        for end in [0, 1, 7, 8, 61, 4096, 65_597, bytes.len()] {
            for middle in [0, 1, 21, 4095, end / 2, end] {
                let middle = middle.min(end);
                let (first, second) = bytes[..end].split_at(middle);
                let (a, b) = (crc32c::crc32c(first), crc32c::crc32c(second));
                let whole = joined(a, b, second.len() as u64);
                assert_eq!(whole, crc32c::crc32c(&bytes[..end]), "{middle} of {end}");
            }
        }
    }

    #[test]
    fn lengths_beyond_any_memory_join_in_any_grouping() {
        let (a, b, c) = (0x1234_5678, 0x9abc_def0, 0x0f1e_2d3c);
        let (long, longer) = (u64::from(u32::MAX), (1 << 45) + 977);
        let left = joined(joined(a, b, long), c, longer);
        let right = joined(a, joined(b, c, longer), long + longer);
        assert_eq!(left, right);
    }
}
