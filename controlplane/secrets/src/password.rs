//! Passwords of people: argon2id with 19 MiB, two passes and one lane. A hash takes tens of milliseconds of a processor: call
//! this away from the threads that serve others.
//!
//! The memory that a hash works in is kept for the next one. Given back each time, it comes from glibc's heaps, where other
//! threads' small things settle in the gap at once: ten thousand logins grew a process by 4 GB that way.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use firn_runtime::Random;
use parking_lot::Mutex;

/// Bytes of a hash.
const HASH_BYTES: usize = 32;

/// Hashes passwords, in memory that it keeps: as much as was ever used at once.
#[derive(Default)]
pub struct Hasher {
    memory: Mutex<Vec<Vec<Block>>>,
}

impl Hasher {
    /// The PHC text that keeps this password.
    pub fn hash(&self, password: &str, random: &dyn Random) -> String {
        let mut salt = [0; 16];
        random.fill(&mut salt);
        let params = Params::new(19_456, 2, 1, None).expect("these are parameters that argon2 allows");
        let mut hash = [0; HASH_BYTES];
        self.work(password, &salt, Version::default(), &params, &mut hash)
            .expect("argon2 takes passwords of any length that fits into memory");
        let kept = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::default().into()),
            params: ParamsString::try_from(&params).expect("three numbers fit into a PHC text"),
            salt: Some(Salt::new(&salt).expect("a PHC text takes salts of 16 bytes")),
            hash: Some(Output::new(&hash).expect("a PHC text takes hashes of 32 bytes")),
        };
        kept.to_string()
    }

    /// Whether this is the password that `phc` keeps. A text that is no PHC text of argon2id keeps none.
    pub fn verify(&self, password: &str, phc: &str) -> bool {
        self.matches(password, phc).unwrap_or(false)
    }

    fn matches(&self, password: &str, phc: &str) -> Option<bool> {
        let kept = PasswordHash::new(phc).ok()?;
        if kept.algorithm != Algorithm::Argon2id.ident() {
            return None;
        }
        let version = Version::try_from(kept.version?).ok()?;
        let params = Params::try_from(&kept).ok()?;
        let expected = kept.hash?;
        let mut hash = vec![0; expected.len()];
        self.work(password, &kept.salt?, version, &params, &mut hash)
            .ok()?;
        // Outputs are compared in constant time.
        Some(Output::new(&hash).ok()? == expected)
    }

    fn work(
        &self,
        password: &str,
        salt: &[u8],
        version: Version,
        params: &Params,
        hash: &mut [u8],
    ) -> Result<(), argon2::Error> {
        let mut memory = self.memory.lock().pop().unwrap_or_default();
        memory.resize(params.block_count(), Block::default());
        let argon2 = Argon2::new(Algorithm::Argon2id, version, params.clone());
        let done = argon2.hash_password_into_with_memory(password.as_bytes(), salt, hash, &mut memory);
        self.memory.lock().push(memory);
        done
    }
}

/// A PHC text that keeps no known password and costs as much to verify as any: for people who do not exist.
pub fn dummy() -> &'static str {
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBmaXhlZCBzYWx0IQ$RdescudvJCsgt3ub+b+dWRWJTmaaJObG3u9KBdvT9pQ"
}

#[cfg(test)]
mod tests {
    use argon2::{PasswordHasher, PasswordVerifier};
    use firn_runtime::SystemRandom;

    use super::*;

    #[test]
    fn a_password_is_verified_against_its_own_hash() {
        let hasher = Hasher::default();
        let phc = hasher.hash("correct horse", &SystemRandom);
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(hasher.verify("correct horse", &phc));
        assert!(!hasher.verify("correct horsf", &phc));
        assert_ne!(phc, hasher.hash("correct horse", &SystemRandom), "salts differ");
        assert_eq!(hasher.memory.lock().len(), 1, "the same memory each time");
    }

    #[test]
    fn it_hashes_as_argon2_says() {
        let theirs: PasswordHash = Argon2::default()
            .hash_password_with_salt(b"correct horse", b"some fixed salt!")
            .unwrap();
        let theirs = theirs.to_string();
        let hasher = Hasher::default();
        assert!(hasher.verify("correct horse", &theirs));
        assert!(!hasher.verify("correct horsf", &theirs));
        let ours = hasher.hash("correct horse", &SystemRandom);
        assert!(
            Argon2::default()
                .verify_password(b"correct horse", ours.as_str())
                .is_ok()
        );
        let smaller = Params::new(64, 1, 1, Some(16)).unwrap();
        let other: PasswordHash = Argon2::from(smaller)
            .hash_password_with_salt(b"correct horse", b"some fixed salt!")
            .unwrap();
        assert!(
            hasher.verify("correct horse", &other.to_string()),
            "other costs, in the same memory"
        );
    }

    #[test]
    fn the_dummy_is_worked_through_and_verifies_nothing() {
        let dummy = PasswordHash::new(dummy()).unwrap();
        let hasher = Hasher::default();
        let real = hasher.hash("x", &SystemRandom);
        let real = PasswordHash::new(&real).unwrap();
        assert_eq!(dummy.params, real.params);
        assert_eq!(dummy.hash.unwrap().len(), real.hash.unwrap().len());
        assert_eq!(dummy.salt.unwrap().len(), real.salt.unwrap().len());
        assert!(!hasher.verify("", super::dummy()));
    }

    #[test]
    fn what_is_no_hash_verifies_nothing() {
        let of_argon2i = dummy().replace("argon2id", "argon2i");
        for phc in [
            "",
            "x",
            "$argon2id$",
            "$argon2id$v=19$m=19456,t=2,p=1$$",
            &of_argon2i,
        ] {
            assert!(!Hasher::default().verify("", phc));
        }
    }
}
