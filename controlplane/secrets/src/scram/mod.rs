//! SCRAM (RFC 5802, RFC 7677): what is kept of a password, and the server's side of an exchange.

mod attributes;
mod decoy;
mod server;

use std::fmt;
use std::num::NonZeroU32;

use ring::{digest, hmac, pbkdf2};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use decoy::Decoy;
pub use server::{ClientFirst, Proven, Refused, Server};

/// The iterations that generated credentials are made with.
pub const ITERATIONS: u32 = 4096;

/// The iterations that are accepted from elsewhere. Fewer are too cheap to try through, more let one login cost its client
/// too much.
pub const ALLOWED_ITERATIONS: std::ops::RangeInclusive<u32> = 4096..=16384;

/// The hash that an exchange is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mechanism {
    /// SCRAM-SHA-256.
    #[serde(rename = "SCRAM-SHA-256")]
    Sha256,
    /// SCRAM-SHA-512.
    #[serde(rename = "SCRAM-SHA-512")]
    Sha512,
}

impl Mechanism {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// Its name in SASL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// The mechanism with this name in SASL.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name() == name)
    }

    /// How long its keys, proofs and signatures are.
    pub fn digest_length(self) -> usize {
        match self {
            Self::Sha256 => digest::SHA256_OUTPUT_LEN,
            Self::Sha512 => digest::SHA512_OUTPUT_LEN,
        }
    }

    fn hmac(self, key: &[u8], message: &[u8]) -> hmac::Tag {
        let algorithm = match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), message)
    }

    fn hash(self, bytes: &[u8]) -> digest::Digest {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, bytes)
    }

    fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }
}

/// What is kept of a password: enough to check a proof of it, too little to give one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verifier {
    /// The salt that the password was hashed with; told to whoever asks.
    #[serde(with = "base64_text")]
    pub salt: Vec<u8>,
    /// How often it was hashed; told to whoever asks.
    pub iterations: u32,
    /// The hash of the key that a client proves to have.
    #[serde(with = "base64_text")]
    pub stored_key: Vec<u8>,
    /// The key that the server proves to have.
    #[serde(with = "base64_text")]
    pub server_key: Vec<u8>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier(..)")
    }
}

/// The verifier of a password. Takes some milliseconds of a processor.
pub fn verifier(mechanism: Mechanism, password: &str, salt: &[u8], iterations: u32) -> Verifier {
    let mut salted = Zeroizing::new(vec![0; mechanism.digest_length()]);
    let rounds = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
    pbkdf2::derive(mechanism.pbkdf2(), rounds, salt, password.as_bytes(), &mut salted);
    from_salted_password(mechanism, &salted, salt, rounds.get())
}

/// The verifier of a password that somebody else has salted (KIP-554).
pub fn from_salted_password(mechanism: Mechanism, salted: &[u8], salt: &[u8], iterations: u32) -> Verifier {
    let client_key = mechanism.hmac(salted, b"Client Key");
    Verifier {
        salt: salt.to_vec(),
        iterations,
        stored_key: mechanism.hash(client_key.as_ref()).as_ref().to_vec(),
        server_key: mechanism.hmac(salted, b"Server Key").as_ref().to_vec(),
    }
}

mod base64_text {
    //! Bytes as base64 in JSON.

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
