//! The public keys that tokens are signed with (RFC 7517), and which of them may have signed a token.
//!
//! What is not for signatures, not known, too small or too large is left out rather than refused: providers publish keys for other
//! purposes beside those for tokens. A key verifies with the algorithms of its own kind only, and with the one that it names if it
//! names one: so a public key is never taken for a secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// How many keys of a set are kept.
const MOST_KEYS: usize = 32;
/// The longest id of a key, in bytes.
const MOST_KID: usize = 256;
/// The bytes of an RSA modulus: 2048 to 4096 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=512;
/// The most bytes of an RSA exponent.
const MOST_EXPONENT: usize = 4;
/// How many keys of one id are tried.
const MOST_ALIKE: usize = 4;

/// What a key is, and so what it may verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Kind {
    fn verifies(self, algorithm: Algorithm) -> bool {
        use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
        match self {
            Self::Rsa => matches!(algorithm, RS256 | RS384 | RS512 | PS256 | PS384 | PS512),
            Self::P256 => algorithm == ES256,
            Self::P384 => algorithm == ES384,
            Self::Ed25519 => algorithm == EdDSA,
        }
    }
}

/// The algorithms that count. All are asymmetric; `none` is none of them.
pub fn algorithm(name: &str) -> Option<Algorithm> {
    Some(match name {
        "RS256" => Algorithm::RS256,
        "RS384" => Algorithm::RS384,
        "RS512" => Algorithm::RS512,
        "PS256" => Algorithm::PS256,
        "PS384" => Algorithm::PS384,
        "PS512" => Algorithm::PS512,
        "ES256" => Algorithm::ES256,
        "ES384" => Algorithm::ES384,
        "EdDSA" => Algorithm::EdDSA,
        _ => return None,
    })
}

/// A key as a set has it.
#[derive(Deserialize)]
struct Raw {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// A key that verifies.
struct Key {
    id: Option<String>,
    kind: Kind,
    /// The only algorithm that it is for, if it names one.
    only: Option<Algorithm>,
    key: DecodingKey,
}

/// The keys that somebody signs tokens with.
pub struct KeySet(Vec<Key>);

/// No key of a set may have signed a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoKey {
    /// The token names a key that is not in the set; it may be newer.
    Unknown,
    /// The token names no key, and there are several.
    Unnamed,
    /// The key is of another kind than the token's algorithm.
    Unfit,
    /// The signature is not the key's.
    Signature,
}

impl KeySet {
    /// The keys in the `keys` of a set that can verify tokens.
    pub fn of(keys: Vec<Value>) -> Self {
        let raw = keys
            .into_iter()
            .filter_map(|key| serde_json::from_value(key).ok());
        Self(raw.filter_map(|raw| usable(&raw)).take(MOST_KEYS).collect())
    }

    /// Ed25519 keys with their ids, as base64url.
    pub fn of_ed25519<'a>(keys: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let key = |(id, public): (&str, &str)| {
            Some(Key {
                id: Some(id.to_owned()),
                kind: Kind::Ed25519,
                only: None,
                key: ed25519(public)?,
            })
        };
        Self(keys.filter_map(key).collect())
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the set has what a token names; one that names nothing needs nothing.
    pub fn has(&self, id: Option<&str>) -> bool {
        id.is_none() || self.0.iter().any(|key| key.id.as_deref() == id)
    }

    /// Whether one of the keys, which the token names if there are several, has signed this.
    pub fn verify(
        &self,
        (id, algorithm): (Option<&str>, Algorithm),
        message: &[u8],
        signature: &str,
    ) -> Result<(), NoKey> {
        if id.is_none() && self.0.len() > 1 {
            return Err(NoKey::Unnamed);
        }
        if !self.has(id) {
            return Err(NoKey::Unknown);
        }
        let fits = |key: &&Key| {
            let named = id.is_none() || key.id.as_deref() == id;
            let own = key.only.is_none_or(|only| only == algorithm);
            named && own && key.kind.verifies(algorithm)
        };
        let mut fitting = self.0.iter().filter(fits).take(MOST_ALIKE).peekable();
        if fitting.peek().is_none() {
            return Err(NoKey::Unfit);
        }
        let signed = |key: &Key| {
            matches!(
                jsonwebtoken::crypto::verify(signature, message, &key.key, algorithm),
                Ok(true)
            )
        };
        match fitting.any(signed) {
            true => Ok(()),
            false => Err(NoKey::Signature),
        }
    }
}

fn usable(raw: &Raw) -> Option<Key> {
    let signs = raw.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
    let verifies = raw
        .key_ops
        .as_ref()
        .is_none_or(|operations| operations.iter().any(|operation| operation == "verify"));
    let short = raw.kid.as_ref().is_none_or(|kid| kid.len() <= MOST_KID);
    if !signs || !verifies || !short {
        return None;
    }
    let (kind, key) = match (raw.kty.as_str(), raw.crv.as_deref()) {
        ("RSA", _) => (Kind::Rsa, rsa(raw)?),
        ("EC", Some("P-256")) => (Kind::P256, elliptic(raw, 32)?),
        ("EC", Some("P-384")) => (Kind::P384, elliptic(raw, 48)?),
        ("OKP", Some("Ed25519")) => (Kind::Ed25519, ed25519(raw.x.as_deref()?)?),
        _ => return None,
    };
    let only = match &raw.alg {
        // A key for something else is for nothing here.
        Some(name) => Some(algorithm(name).filter(|only| kind.verifies(*only))?),
        None => None,
    };
    Some(Key {
        id: raw.kid.clone(),
        kind,
        only,
        key,
    })
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

fn rsa(raw: &Raw) -> Option<DecodingKey> {
    let (modulus, exponent) = (bytes(raw.n.as_deref()?)?, bytes(raw.e.as_deref()?)?);
    let leading = modulus.iter().take_while(|byte| **byte == 0).count();
    let modulus = modulus.get(leading..).filter(|n| MODULUS.contains(&n.len()))?;
    let odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
    (odd && exponent.len() <= MOST_EXPONENT).then(|| DecodingKey::from_rsa_raw_components(modulus, &exponent))
}

fn elliptic(raw: &Raw, size: usize) -> Option<DecodingKey> {
    let (x, y) = (raw.x.as_deref()?, raw.y.as_deref()?);
    let fits = |text: &str| bytes(text).is_some_and(|bytes| bytes.len() == size);
    match fits(x) && fits(y) {
        true => DecodingKey::from_ec_components(x, y).ok(),
        false => None,
    }
}

fn ed25519(public: &str) -> Option<DecodingKey> {
    let public = bytes(public).filter(|public| public.len() == 32)?;
    Some(DecodingKey::from_ed_der(&public))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ed(kid: &str) -> Value {
        let x = URL_SAFE_NO_PAD.encode([7_u8; 32]);
        json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x})
    }

    fn with(mut key: Value, member: &str, value: Value) -> Value {
        key[member] = value;
        key
    }

    #[test]
    fn keys_for_anything_but_signatures_are_left_out() {
        let modulus = |size: usize| URL_SAFE_NO_PAD.encode(vec![0xff_u8; size]);
        let of_size = |size| json!({"kty": "RSA", "n": modulus(size), "e": "AQAB"});
        let good = [
            ed("a"),
            with(ed("a"), "use", json!("sig")),
            with(ed("a"), "alg", json!("EdDSA")),
            with(ed("a"), "key_ops", json!(["verify"])),
            of_size(256),
            of_size(512),
            with(of_size(256), "alg", json!("PS256")),
        ];
        for key in good {
            assert!(!KeySet::of(vec![key.clone()]).is_empty(), "{key}");
        }
        let bad = [
            json!({"kty": "oct", "k": "c2VjcmV0"}),
            json!("text"),
            with(ed("a"), "use", json!("enc")),
            with(ed("a"), "alg", json!("HS256")),
            with(ed("a"), "alg", json!("RS256")),
            with(ed("a"), "key_ops", json!(["encrypt"])),
            with(ed("a"), "crv", json!("Ed448")),
            with(ed("a"), "x", json!("AAAA")),
            ed(&"k".repeat(257)),
            of_size(128),
            of_size(1024),
            with(of_size(256), "e", json!("AAEAAQABAAE")),
            with(of_size(256), "e", json!("AAAC")),
        ];
        for key in bad {
            assert!(KeySet::of(vec![key.clone()]).is_empty(), "{key}");
        }
        assert_eq!(KeySet::of(vec![ed("a"); 100]).0.len(), MOST_KEYS);
    }

    #[test]
    fn a_token_must_name_its_key_where_there_are_several_and_its_algorithm_must_be_the_key_s() {
        let verify = |keys: Vec<Value>, id, algorithm| KeySet::of(keys).verify((id, algorithm), b"", "");
        let two = || vec![ed("a"), ed("b")];
        assert_eq!(verify(two(), None, Algorithm::EdDSA), Err(NoKey::Unnamed));
        assert_eq!(verify(two(), Some("c"), Algorithm::EdDSA), Err(NoKey::Unknown));
        assert_eq!(verify(two(), Some("a"), Algorithm::RS256), Err(NoKey::Unfit));
        assert_eq!(verify(two(), Some("a"), Algorithm::HS256), Err(NoKey::Unfit));
        assert_eq!(verify(two(), Some("a"), Algorithm::EdDSA), Err(NoKey::Signature));
        assert_eq!(
            verify(vec![ed("a")], None, Algorithm::EdDSA),
            Err(NoKey::Signature)
        );
        for name in ["none", "None", "HS256", "HS512", "ES256K", ""] {
            assert_eq!(algorithm(name), None, "{name}");
        }
    }
}
