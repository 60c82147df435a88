//! What an ID token must be to be believed (OpenID Connect Core 1.0, 3.1.3.7).

use firn_runtime::Timestamp;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::OidcError;

/// How far the provider's clock may be off, in seconds.
const LEEWAY_S: i64 = 60;
/// The longest subject that is kept, in bytes (the specification allows 255).
const MAX_SUBJECT: usize = 255;
/// The algorithms that count. All are asymmetric: a token that is signed with the client's secret, or not at all, is none.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];

/// What a token is compared with.
pub(crate) struct Expected<'a> {
    /// The issuer, as the organization has set it.
    pub(crate) issuer: &'a str,
    /// The client that the token must be for.
    pub(crate) client_id: &'a str,
    /// The login that the token must be for.
    pub(crate) nonce: &'a str,
    /// The current time.
    pub(crate) now: Timestamp,
}

/// One audience or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Raw {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    nbf: Option<i64>,
    iat: i64,
    nonce: Option<String>,
    email: Option<String>,
    email_verified: Option<serde_json::Value>,
    name: Option<String>,
}

/// Whom a token that is believed is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    pub(crate) subject: String,
    pub(crate) email: Option<String>,
    pub(crate) email_verified: bool,
    pub(crate) name: Option<String>,
}

impl Claims {
    /// The claims of a token that one of the keys has signed and that is what is expected.
    pub(crate) fn read(token: &str, keys: &JwkSet, expected: &Expected<'_>) -> Result<Self, OidcError> {
        let refuse = |reason| Err(OidcError::IdToken(reason));
        let Ok(header) = decode_header(token) else {
            return refuse("it is not a signed token");
        };
        if !ALGORITHMS.contains(&header.alg) {
            return refuse("it is signed with an algorithm that does not count");
        }
        let Some(raw) = verified(token, keys, header.kid.as_deref(), header.alg) else {
            return refuse("no key of the provider has signed it");
        };
        let now = expected.now.0.div_euclid(1_000);
        if raw.iss != expected.issuer {
            return refuse("it is from another issuer");
        }
        let several = match &raw.aud {
            Audience::One(one) => std::slice::from_ref(one),
            Audience::Several(several) => several,
        };
        if !several.iter().any(|audience| audience == expected.client_id) {
            return refuse("it is for another client");
        }
        let party = raw.azp.as_deref();
        if party.map_or(several.len() > 1, |party| party != expected.client_id) {
            return refuse("it was given to another client");
        }
        if raw.exp.saturating_add(LEEWAY_S) <= now {
            return refuse("it has expired");
        }
        if raw.iat.max(raw.nbf.unwrap_or(i64::MIN)).saturating_sub(LEEWAY_S) > now {
            return refuse("it is from the future");
        }
        if raw.nonce.as_deref() != Some(expected.nonce) {
            return refuse("it is for another login");
        }
        if raw.sub.is_empty() || raw.sub.len() > MAX_SUBJECT {
            return refuse("its subject is empty or too long");
        }
        if raw.sub.chars().any(char::is_control) {
            return refuse("its subject has control characters");
        }
        Ok(Self {
            subject: raw.sub,
            email: raw.email,
            email_verified: matches!(raw.email_verified, Some(serde_json::Value::Bool(true))),
            name: raw.name,
        })
    }
}

/// What a token says that one of the keys has signed. Only keys that fit are tried: those with the token's key id, or, if it names
/// none, all of them.
fn verified(token: &str, keys: &JwkSet, kid: Option<&str>, algorithm: Algorithm) -> Option<Raw> {
    let mut validation = Validation::new(algorithm);
    // Checked above, against the clock of this service and with the reason.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let fits = |key: &&Jwk| {
        let named = kid.is_none() || key.common.key_id.as_deref() == kid;
        let signs = !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption));
        named && signs
    };
    keys.keys.iter().filter(fits).find_map(|key| {
        let key = DecodingKey::from_jwk(key).ok()?;
        Some(decode::<Raw>(token, &key, &validation).ok()?.claims)
    })
}
