//! The text of an API key: `firn_live_{id}_{random}_{crc}`.
//!
//! The id is 26 characters of base32, the random part 52 (256 bits), the last part the CRC-32 of all before it in eight
//! hexadecimal digits: so that a scanner of leaked secrets, and we, can tell a key from a text that only looks like one without
//! asking a database. A key is kept as `Secrets::digest("api-key", text)` of the whole text.

use std::fmt;

use firn_runtime::Random;
use zeroize::Zeroizing;

const PREFIX: &str = "firn_live_";
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const ID: usize = 26;
const RANDOM: usize = 52;
const CRC: usize = 8;
const LENGTH: usize = PREFIX.len() + ID + 1 + RANDOM + 1 + CRC;

/// The text of a key. It is shown once and wiped from memory when dropped.
pub struct ApiKeyText(Zeroizing<String>);

impl ApiKeyText {
    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKeyText(..)")
    }
}

/// What can be read off a well-formed key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed {
    /// The id that it was made with.
    pub id: u128,
}

/// The fewest different characters that the random part of a key has: of 256 random bits, fewer come once in 10^15 keys.
const FEWEST_DIGITS: usize = 12;

/// A new key with this id.
pub fn generate(id: u128, random: &dyn Random) -> ApiKeyText {
    let mut bytes = Zeroizing::new([0; RANDOM]);
    random.fill(&mut *bytes);
    let digits = bytes.iter().map(|byte| digit(u128::from(byte & 31)));
    assemble(id, &Zeroizing::new(digits.collect::<String>()))
}

/// The key with this id whose random part somebody else has made; `None` if it does not look random.
pub fn with_random(id: u128, random: &str) -> Option<ApiKeyText> {
    let known = random.len() == RANDOM && random.bytes().all(|digit| ALPHABET.contains(&digit));
    let different = ALPHABET
        .iter()
        .filter(|digit| random.as_bytes().contains(digit))
        .count();
    (known && different >= FEWEST_DIGITS).then(|| assemble(id, random))
}

fn assemble(id: u128, random: &str) -> ApiKeyText {
    let mut text = Zeroizing::new(String::with_capacity(LENGTH));
    text.push_str(PREFIX);
    for place in (0..ID).rev() {
        text.push(digit((id >> (5 * place)) & 31));
    }
    text.push('_');
    text.push_str(random);
    let crc = crc32fast::hash(text.as_bytes());
    text.push_str(&format!("_{crc:08x}"));
    ApiKeyText(text)
}

/// Whether a text was meant as a key, even if it is none: it may hold all that is secret of one.
pub fn resembles(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// What a text says, if it is a well-formed key with the right check sum. That says nothing of whether there is such a key.
pub fn parse(text: &str) -> Option<Parsed> {
    if text.len() != LENGTH || !text.is_ascii() {
        return None;
    }
    let (before, crc) = text.rsplit_once('_')?;
    let (id, random) = before.strip_prefix(PREFIX)?.split_once('_')?;
    if id.len() != ID || random.len() != RANDOM || crc.len() != CRC {
        return None;
    }
    random.bytes().try_for_each(|digit| value(digit).map(|_| ()))?;
    if crc != format!("{:08x}", crc32fast::hash(before.as_bytes())) {
        return None;
    }
    let mut number = 0_u128;
    for (place, digit) in id.bytes().enumerate() {
        let value = value(digit)?;
        // 26 characters hold 130 bits: the first one has only the three highest.
        if place == 0 && value > 7 {
            return None;
        }
        number = (number << 5) | value;
    }
    Some(Parsed { id: number })
}

fn digit(value: u128) -> char {
    char::from(ALPHABET[usize::try_from(value).expect("five bits")])
}

fn value(digit: u8) -> Option<u128> {
    let place = ALPHABET.iter().position(|known| *known == digit)?;
    u128::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use firn_runtime::SystemRandom;

    use super::*;

    struct Constant(u8);

    impl Random for Constant {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn a_key_is_written_as_it_always_was() {
        let text = generate(0x0123_4567_89ab_cdef_0011_2233_4455_6677, &Constant(31));
        assert_eq!(text.as_str(), KNOWN_KEY);
        assert_eq!(
            parse(KNOWN_KEY),
            Some(Parsed {
                id: 0x0123_4567_89ab_cdef_0011_2233_4455_6677
            })
        );
    }

    // The check sum is Python's zlib.crc32.
    const KNOWN_KEY: &str =
        "firn_live_abencwpcnlzxxqaejcgncfkztx_7777777777777777777777777777777777777777777777777777_eedd7d05";

    #[test]
    fn every_id_is_read_back() {
        for id in [0, 1, u128::MAX, u128::MAX >> 1, 1 << 127] {
            let text = generate(id, &SystemRandom);
            assert_eq!(parse(text.as_str()), Some(Parsed { id }));
            assert_ne!(text.as_str(), generate(id, &SystemRandom).as_str());
        }
    }

    #[test]
    fn a_random_part_from_elsewhere_makes_a_key_if_it_looks_random() {
        let made = generate(7, &SystemRandom);
        let random = &made.as_str()[PREFIX.len() + ID + 1..LENGTH - CRC - 1];
        let again = with_random(7, random).map(|key| key.as_str().to_owned());
        assert_eq!(again.as_deref(), Some(made.as_str()));
        let capital = random.to_uppercase();
        let long = format!("{random}a");
        for other in [
            "",
            &"7".repeat(RANDOM),
            &"abcdefghijk".repeat(5)[..RANDOM],
            &capital,
            &long,
            &random[1..],
        ] {
            assert!(with_random(7, other).is_none(), "{other}");
        }
    }

    #[test]
    fn a_typing_error_is_noticed() {
        let whole = generate(7, &SystemRandom);
        let whole = whole.as_str();
        for place in 0..whole.len() {
            for with in ["a", "b", "_", "0", "ä", ""] {
                let text = format!("{}{with}{}", &whole[..place], &whole[place + 1..]);
                assert!(text == whole || parse(&text).is_none(), "{text}");
            }
            assert!(parse(&whole[..place]).is_none());
        }
    }

    #[test]
    fn a_key_is_not_printed() {
        assert_eq!(format!("{:?}", generate(7, &SystemRandom)), "ApiKeyText(..)");
    }
}
