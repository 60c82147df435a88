//! One-time and session tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firn_runtime::Random;
use zeroize::Zeroizing;

/// 256 random bits as 43 characters of base64url.
pub fn generate(random: &dyn Random) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 32]);
    random.fill(&mut *bytes);
    Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes))
}

#[cfg(test)]
mod tests {
    use firn_runtime::SystemRandom;

    use super::*;

    #[test]
    fn tokens_have_43_safe_characters_and_differ() {
        let token = generate(&SystemRandom);
        assert_eq!(token.len(), 43);
        assert!(
            token
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
        assert_ne!(token, generate(&SystemRandom));
    }
}
