//! What is sealed, digested or signed under one key and purpose means nothing under another.

use firn_runtime::SystemRandom;

use super::*;

fn secrets(digit: &str) -> Secrets {
    Secrets::new(&MasterKey::from_text(&digit.repeat(64)).unwrap())
}

/// Every text that differs from `text` in one character, and every one that is shorter.
fn tampered(text: &str) -> impl Iterator<Item = String> {
    let changed = (0..text.len()).flat_map(move |place| {
        ['A', 'B', '.', '='].into_iter().filter_map(move |with| {
            let mut characters: Vec<char> = text.chars().collect();
            (characters[place] != with).then(|| {
                characters[place] = with;
                characters.into_iter().collect()
            })
        })
    });
    changed.chain((0..text.len()).map(move |end| text[..end].to_owned()))
}

#[test]
fn a_sealed_value_opens_under_its_key_and_purpose_only() {
    let sealed = secrets("1").seal("login provider", b"the client secret", &SystemRandom);
    let open = |digit: &str, purpose: &str| secrets(digit).open(purpose, &sealed);
    assert_eq!(&**open("1", "login provider").unwrap(), b"the client secret");
    assert!(open("1", "signing key").is_none());
    assert!(open("2", "login provider").is_none());
}

#[test]
fn no_changed_or_shortened_seal_opens() {
    let secrets = secrets("1");
    let sealed = secrets.seal("x", b"plain", &SystemRandom);
    for text in tampered(&sealed) {
        assert!(secrets.open("x", &text).is_none(), "{text} opened");
    }
}

#[test]
fn the_same_value_never_seals_alike_and_an_empty_one_seals() {
    let secrets = secrets("1");
    let seal = || secrets.seal("x", b"", &SystemRandom);
    assert_ne!(seal(), seal());
    assert_eq!(secrets.open("x", &seal()).unwrap().len(), 0);
}

#[test]
fn digests_are_known_and_depend_on_key_and_purpose() {
    // Computed with Python's hmac and hashlib: HKDF-SHA-256 with the salt `firn secrets 1` and the label `digest/api-key`.
    let digest = secrets("0").digest("api-key", b"firn_live_x");
    assert_eq!(digest, KNOWN_DIGEST);
    assert_ne!(digest, secrets("0").digest("session", b"firn_live_x"));
    assert_ne!(digest, secrets("1").digest("api-key", b"firn_live_x"));
    assert!(secrets("0").verify_digest("api-key", b"firn_live_x", &digest));
    assert!(!secrets("0").verify_digest("api-key", b"firn_live_y", &digest));
    for text in ["", "zz", &digest[..62], &"0".repeat(64)] {
        assert!(!secrets("0").verify_digest("api-key", b"firn_live_x", text));
    }
}

const KNOWN_DIGEST: &str = "70da2dffba91e82c287f6c21557ea87e0b9b97f1d078ed8339e3372f2934fc52";

#[test]
fn a_cursor_is_taken_back_unchanged_only() {
    let secrets_of_all = secrets("1");
    let cursor = secrets_of_all.sign("cursor", br#"{"after":"a"}"#);
    assert_eq!(
        secrets_of_all.unsign("cursor", &cursor).unwrap(),
        br#"{"after":"a"}"#
    );
    assert!(secrets_of_all.unsign("csrf", &cursor).is_none());
    assert!(secrets("2").unsign("cursor", &cursor).is_none());
    for text in tampered(&cursor) {
        assert!(
            secrets_of_all.unsign("cursor", &text).is_none(),
            "{text} was taken"
        );
    }
}

#[test]
fn nothing_of_a_key_is_printed() {
    assert_eq!(format!("{:?}", secrets("1")), "Secrets(..)");
}
