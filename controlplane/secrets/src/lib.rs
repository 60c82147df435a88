//! What people, programs and processes prove themselves with, and how it is kept. No I/O, no clock.
//!
//! One [`MasterKey`] is the root of everything that must be read again or recomputed: each use has a key of its own, derived
//! with HKDF-SHA-256 and a label, so that a value made for one purpose is worth nothing for another. What need not be read
//! again is kept as a digest only: passwords of people with argon2id, random secrets with a keyed HMAC, SCRAM passwords as the
//! verifier of RFC 5802. Comparisons take the same time whatever they find.

pub mod api_key;
pub mod delegation;
mod master_key;
pub mod password;
pub mod scram;
mod sealing;
pub mod token;

pub use master_key::{InvalidMasterKey, MasterKey};
pub use sealing::Secrets;
