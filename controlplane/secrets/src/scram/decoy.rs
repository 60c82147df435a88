//! What a client is told whose user does not exist: a salt and iterations like those of users who do, the same whenever it
//! asks.
//!
//! Users that Firn makes have 24 random bytes and the usual iterations. Those that others make with Kafka's tools look as
//! the tool has it: Kafka's own takes a random number of 130 bits, written in base 36, and its documentation has an example
//! with 8192 iterations; librdkafka takes 64 random bytes.

use super::{ITERATIONS, Mechanism};
use crate::Secrets;

/// The iterations that the example in Kafka's documentation has.
const ITERATIONS_OF_EXAMPLE: u32 = 8192;
/// Bytes of the salts that Firn makes.
const OWN_SALT: usize = 24;
/// Bytes of a number of 130 bits.
const KAFKA_NUMBER: usize = 17;

/// A salt and iterations of nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoy {
    /// The salt.
    pub salt: Vec<u8>,
    /// How often the password would be hashed.
    pub iterations: u32,
}

impl Decoy {
    /// For a name of the form that Firn makes up. It does not depend on where the client looks for the user: such a name
    /// means the same everywhere.
    pub fn generated(secrets: &Secrets, mechanism: Mechanism, user: &str) -> Self {
        Self {
            salt: salt(secrets, &["generated", mechanism.name(), user], OWN_SALT),
            iterations: ITERATIONS,
        }
    }

    /// For any other name, looked for in `place`. Both mechanisms of a user are as the same tool makes them.
    pub fn chosen(secrets: &Secrets, mechanism: Mechanism, place: &str, user: &str) -> Self {
        let tool = salt(secrets, &["tool", place, user], 2);
        let [tool, example] = [tool[0], tool[1]].map(|byte| byte % 8);
        let salt = |length| salt(secrets, &["chosen", mechanism.name(), place, user], length);
        let salt = match tool {
            0..4 => {
                let mut number = salt(KAFKA_NUMBER);
                number[0] &= 3;
                base_36(number)
            }
            4..7 => salt(OWN_SALT),
            _ => salt(64),
        };
        let as_in_example = tool < 4 && example < 2;
        Self {
            salt,
            iterations: if as_in_example {
                ITERATIONS_OF_EXAMPLE
            } else {
                ITERATIONS
            },
        }
    }
}

/// Bytes that look random, and are the same for the same name: its parts have no NUL.
fn salt(secrets: &Secrets, name: &[&str], length: usize) -> Vec<u8> {
    let name = name.join("\0");
    let block = |index: u8| secrets.pseudorandom("scram", &[name.as_bytes(), &[0, index]].concat());
    (0..).flat_map(block).take(length).collect()
}

/// A number, most significant byte first, in digits and small letters.
fn base_36(mut number: Vec<u8>) -> Vec<u8> {
    let mut digits = Vec::new();
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0_u16;
        for byte in &mut number {
            let part = rest * 256 + u16::from(*byte);
            // Less than 256, since the rest was less than 36.
            *byte = (part / 36).to_le_bytes()[0];
            rest = part % 36;
        }
        digits.push(b"0123456789abcdefghijklmnopqrstuvwxyz"[usize::from(rest)]);
    }
    digits.reverse();
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MasterKey;

    fn secrets(digit: &str) -> Secrets {
        Secrets::new(&MasterKey::from_text(&digit.repeat(64)).unwrap())
    }

    #[test]
    fn a_decoy_is_the_same_for_the_same_name_and_differs_between_names_mechanisms_and_keys() {
        let of = |digit: &str, mechanism, place: &str, user: &str| {
            Decoy::chosen(&secrets(digit), mechanism, place, user)
        };
        let decoy = of("1", Mechanism::Sha256, "shop", "alice");
        assert_eq!(decoy, of("1", Mechanism::Sha256, "shop", "alice"));
        for other in [
            of("2", Mechanism::Sha256, "shop", "alice"),
            of("1", Mechanism::Sha512, "shop", "alice"),
            of("1", Mechanism::Sha256, "other", "alice"),
            of("1", Mechanism::Sha256, "shop", "bob"),
        ] {
            assert_ne!(decoy.salt, other.salt);
        }
        let generated = Decoy::generated(&secrets("1"), Mechanism::Sha256, "usr_a");
        assert_eq!((generated.salt.len(), generated.iterations), (24, 4096));
    }

    #[test]
    fn chosen_names_look_like_those_that_tools_make() {
        let secrets = secrets("1");
        let (mut kafka, mut own, mut librdkafka, mut example) = (0, 0, 0, 0);
        for number in 0..1000 {
            let [one, two] = Mechanism::ALL
                .map(|mechanism| Decoy::chosen(&secrets, mechanism, "shop", &format!("user{number}")));
            assert_eq!(one.iterations, two.iterations);
            let is_base_36 = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_lowercase();
            if one.salt.iter().all(is_base_36) {
                assert!((22..=26).contains(&one.salt.len()));
                assert!(two.salt.iter().all(is_base_36), "of the same tool");
                kafka += 1;
            } else if one.salt.len() == 24 {
                own += 1;
            } else {
                assert_eq!((one.salt.len(), one.iterations), (64, 4096));
                librdkafka += 1;
            }
            example += usize::from(one.iterations == 8192);
        }
        assert!(kafka > 400 && own > 250 && librdkafka > 60 && (60..250).contains(&example));
    }

    #[test]
    fn numbers_are_written_in_base_36() {
        assert_eq!(base_36(vec![0, 35]), b"z");
        assert_eq!(base_36(vec![1, 0]), b"74");
        let mut most = vec![0xff; KAFKA_NUMBER];
        most[0] = 3;
        // Computed with Python.
        assert_eq!(base_36(most), MOST);
    }

    const MOST: &[u8] = b"1omfro7zwmumr3umxudzyj6scf";
}
