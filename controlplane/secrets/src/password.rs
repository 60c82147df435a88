//! Passwords of people: argon2id with 19 MiB, two passes and one lane. A hash takes tens of milliseconds of a processor: call
//! this away from the threads that serve others.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use firn_runtime::Random;

/// The PHC text that keeps this password.
pub fn hash(password: &str, random: &dyn Random) -> String {
    let mut salt = [0; 16];
    random.fill(&mut salt);
    let params = Params::new(19_456, 2, 1, None).expect("these are parameters that argon2 allows");
    let hash: PasswordHash = Argon2::from(params)
        .hash_password_with_salt(password.as_bytes(), &salt)
        .expect("argon2 takes passwords of any length that fits into memory");
    hash.to_string()
}

/// Whether this is the password that `phc` keeps. A text that is no PHC text keeps none.
pub fn verify(password: &str, phc: &str) -> bool {
    Argon2::default()
        .verify_password(password.as_bytes(), phc)
        .is_ok()
}

/// A PHC text that keeps no known password and costs as much to verify as any: for people who do not exist.
pub fn dummy() -> &'static str {
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBmaXhlZCBzYWx0IQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG3u9KBdvT9pQ"
}

#[cfg(test)]
mod tests {
    use firn_runtime::SystemRandom;

    use super::*;

    #[test]
    fn a_password_is_verified_against_its_own_hash() {
        let phc = hash("correct horse", &SystemRandom);
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(verify("correct horse", &phc));
        assert!(!verify("correct horsf", &phc));
        assert_ne!(phc, hash("correct horse", &SystemRandom), "salts differ");
    }

    #[test]
    fn the_dummy_is_worked_through_and_verifies_nothing() {
        let dummy = PasswordHash::new(dummy()).unwrap();
        let real = hash("x", &SystemRandom);
        let real = PasswordHash::new(&real).unwrap();
        assert_eq!(dummy.params, real.params);
        assert_eq!(dummy.hash.unwrap().len(), real.hash.unwrap().len());
        assert_eq!(dummy.salt.unwrap().len(), real.salt.unwrap().len());
        assert!(!verify("", super::dummy()));
    }

    #[test]
    fn what_is_no_hash_verifies_nothing() {
        for phc in ["", "x", "$argon2id$", "$argon2id$v=19$m=19456,t=2,p=1$$"] {
            assert!(!verify("", phc));
        }
    }
}
