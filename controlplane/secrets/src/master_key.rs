//! The key that all others are derived from.

use std::fmt;

use firn_runtime::Random;
use zeroize::Zeroizing;

/// The root of every derived key: 32 random bytes, wiped from memory when dropped.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// A text that is not a master key. It does not say which text: that could be a key with a typing error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 64 hexadecimal digits")]
pub struct InvalidMasterKey;

impl MasterKey {
    /// A new random one.
    pub fn generate(random: &dyn Random) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        random.fill(&mut *key);
        Self(key)
    }

    /// Reads 64 hexadecimal digits; white space around them does not matter, since keys come from files.
    pub fn from_text(text: &str) -> Result<Self, InvalidMasterKey> {
        let mut key = Zeroizing::new([0; 32]);
        hex::decode_to_slice(text.trim(), &mut *key).map_err(|_| InvalidMasterKey)?;
        Ok(Self(key))
    }

    /// The 64 hexadecimal digits that [`MasterKey::from_text`] reads.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(*self.0))
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use firn_runtime::SystemRandom;

    use super::*;

    #[test]
    fn the_text_of_a_key_gives_it_back() {
        let key = MasterKey::generate(&SystemRandom);
        let read = MasterKey::from_text(&format!("{}\n", *key.to_text())).unwrap();
        assert_eq!(key.bytes(), read.bytes());
        assert_ne!(key.bytes(), MasterKey::generate(&SystemRandom).bytes());
    }

    #[test]
    fn other_texts_are_refused_and_not_repeated() {
        for text in ["", "00", &"0".repeat(63), &"g".repeat(64), &"0".repeat(66)] {
            assert_eq!(MasterKey::from_text(text).unwrap_err(), InvalidMasterKey);
        }
        assert_eq!(
            format!("{:?}", MasterKey::from_text(&"7".repeat(64)).unwrap()),
            "MasterKey(..)"
        );
    }
}
