//! A secret in all the forms in which it could be written down.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// A secret, and what its bytes look like.
pub struct Secret {
    what: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Secret {
    /// A text.
    pub fn new(what: &str, text: &str) -> Self {
        assert!(text.len() >= 8, "{what} is too short to be looked for");
        let mut forms = Vec::new();
        encode(&mut forms, text.as_bytes());
        Self {
            what: what.to_owned(),
            forms,
        }
    }

    /// A text that stands for these bytes.
    pub fn of_bytes(what: &str, text: &str, bytes: &[u8]) -> Self {
        let mut secret = Self::new(what, text);
        encode(&mut secret.forms, bytes);
        secret
    }

    /// A token: random bytes in base64url, perhaps behind an id and a dot.
    pub fn token(what: &str, text: &str) -> Self {
        let random = text.rsplit('.').next().unwrap();
        match URL_SAFE_NO_PAD.decode(random) {
            Ok(bytes) if bytes.len() >= 16 => {
                let mut secret = Self::of_bytes(what, text, &bytes);
                encode(&mut secret.forms, random.as_bytes());
                secret
            }
            _ => Self::new(what, text),
        }
    }

    /// An API key: its random part alone is as secret as the whole.
    pub fn api_key(what: &str, text: &str) -> Self {
        let mut secret = Self::new(what, text);
        let random = text.split('_').max_by_key(|part| part.len()).unwrap();
        encode(&mut secret.forms, random.as_bytes());
        secret
    }

    /// In which forms it is in there.
    pub fn found(&self, place: &str, bytes: &[u8]) -> Vec<String> {
        let found = self.forms.iter().filter(|(_, form)| contains(bytes, form));
        found
            .map(|(how, _)| format!("{} is in {place}, as {how}", self.what))
            .collect()
    }
}

/// All the forms of these bytes.
fn encode(forms: &mut Vec<(&'static str, Vec<u8>)>, bytes: &[u8]) {
    forms.push(("it is", bytes.to_vec()));
    forms.push(("hex", hex::encode(bytes).into_bytes()));
    forms.push(("capital hex", hex::encode_upper(bytes).into_bytes()));
    // Inside of something longer the characters depend on where it begins; those at its ends on what is beside it.
    for before in 0..3 {
        let mut padded = vec![0; before];
        padded.extend_from_slice(bytes);
        let last = padded.len() * 8 / 6;
        let first = (before * 8).div_ceil(6);
        for (how, text) in [
            ("base64", STANDARD.encode(&padded)),
            ("base64url", URL_SAFE_NO_PAD.encode(&padded)),
        ] {
            forms.push((how, text.as_bytes()[first..last].to_vec()));
        }
    }
}

/// Whether these bytes are in there.
pub fn contains(bytes: &[u8], sought: &[u8]) -> bool {
    let Some(first) = sought.first() else {
        return false;
    };
    let mut rest = bytes;
    while let Some(place) = rest.iter().position(|byte| byte == first) {
        rest = &rest[place..];
        if rest.starts_with(sought) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

#[test]
fn a_secret_is_found_in_each_of_its_forms() {
    let secret = Secret::token("a token", "ses_x.q83vEjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWeJo");
    let random = URL_SAFE_NO_PAD
        .decode("q83vEjRWeJq83vASNFZ4mrze8BI0VniavN7wEjRWeJo")
        .unwrap();
    for before in 0..4 {
        let mut text = vec![b'x'; before];
        text.extend_from_slice(&random);
        text.extend_from_slice(b"more");
        for written in [
            STANDARD.encode(&text),
            URL_SAFE_NO_PAD.encode(&text),
            hex::encode(&text),
            hex::encode_upper(&text),
        ] {
            assert!(
                !secret.found("a text", written.as_bytes()).is_empty(),
                "{written}"
            );
        }
    }
    assert!(secret.found("a text", b"nothing of the kind").is_empty());
    let key = Secret::api_key("a key", "firn_live_id_randomrandomrandom_00000000");
    assert!(!key.found("a text", b"see randomrandomrandom").is_empty());
}
