//! The ends of audit trails, signed: a JWT that is for nothing else, and never over.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firn_catalog::audit::verifying::Head;
use firn_catalog::audit::{AuditHead, Trail};
use firn_runtime::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use super::{Tokens, issuer, seconds};
use crate::rules::Problem;
use crate::state::Api;

/// Whom these tokens are for: nobody who would let somebody in for them.
const AUDIENCE: &str = "firn-audit";
/// What sort of token it is (RFC 8725, 3.11).
const TYPE: &str = "firn-audit-head+jwt";
/// The longest text that is looked at.
const MAX_TEXT: usize = 64 * 1024;

/// What a token says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    aud: String,
    /// The trail's public id.
    sub: String,
    /// Seconds since the Unix epoch.
    iat: i64,
    position: i64,
    hash: String,
}

/// A signed end, and the key that signed it.
pub(crate) struct SignedHead {
    pub(crate) token: String,
    pub(crate) key_id: String,
    pub(crate) public: String,
}

impl Tokens {
    /// Signs where a trail ended at a moment.
    pub(crate) async fn sign_audit_head(
        &self,
        api: &Api,
        trail: Trail,
        head: &AuditHead,
        at: Timestamp,
    ) -> Result<SignedHead, Problem> {
        let ring = self.ring(api).await?;
        let (key, signs) = ring.signer(at).ok_or_else(|| {
            tracing::error!("no key signs the ends of audit trails");
            Problem::internal()
        })?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(key.id.clone());
        header.typ = Some(TYPE.to_owned());
        let claims = Claims {
            iss: issuer(api),
            aud: AUDIENCE.to_owned(),
            sub: trail.to_string(),
            iat: seconds(at),
            position: head.position,
            hash: head.hash.clone(),
        };
        let token = encode(&header, &claims, signs).map_err(|_| {
            tracing::error!(key = %key.id, "a key does not sign the ends of audit trails");
            Problem::internal()
        })?;
        Ok(SignedHead {
            token,
            key_id: key.id.clone(),
            public: key.public.clone(),
        })
    }
}

/// An end that somebody has kept.
#[derive(Debug, PartialEq, Eq)]
pub struct KeptHead {
    /// Where the trail ended.
    pub head: Head,
    /// Seconds since the Unix epoch when it did.
    pub at: i64,
    /// Which service says so.
    pub issuer: String,
    /// The id of the key that it is signed with, if the key was kept beside it or is published, and the signature is right.
    pub signed_by: Option<String>,
    /// Whether the key is one that the service publishes. If not, the head itself brings it.
    pub published: bool,
}

/// What is kept: the whole answer of `GET .../audit/head`.
#[derive(Deserialize)]
struct Answer {
    token: String,
    key: Key,
}

#[derive(Clone, Deserialize)]
struct Key {
    kid: String,
    x: String,
}

/// Keys that a service publishes: what `GET /v1/jwks.json` answered.
#[derive(Deserialize)]
pub struct PublishedKeys {
    keys: Vec<Key>,
}

impl PublishedKeys {
    /// Reads them. `Err` says what is wrong.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.len() > MAX_TEXT {
            return Err("it is too long".to_owned());
        }
        serde_json::from_str(text).map_err(|error| format!("it is no answer of /v1/jwks.json: {error}"))
    }

    fn find(&self, kid: &str) -> Result<&Key, String> {
        let found = self.keys.iter().find(|key| key.kid == kid);
        found.ok_or_else(|| format!("key {kid}, which signed the head, is not among the published ones"))
    }
}

/// Reads what somebody has kept: the answer of `GET .../audit/head`, or its token alone. The signature is checked by the service's
/// published keys, if they are given; a key in the answer must be the same. Without them an answer is checked by the key that it brings
/// itself, which says little, and a token is not checked. `Err` says what is wrong.
pub fn read_audit_head(text: &str, published: Option<&PublishedKeys>) -> Result<KeptHead, String> {
    let text = text.trim();
    if text.len() > MAX_TEXT {
        return Err("it is too long".to_owned());
    }
    let answer: Option<Answer> = match text.starts_with('{') {
        false => None,
        true => Some(
            serde_json::from_str(text)
                .map_err(|error| format!("it is no answer of .../audit/head: {error}"))?,
        ),
    };
    let (token, brought) = match answer {
        Some(answer) => (answer.token, Some(answer.key)),
        None => (text.to_owned(), None),
    };
    let key = match (published, brought) {
        (None, None) => return Ok(kept(unsigned_claims(&token)?, None, false)),
        (None, Some(brought)) => brought,
        (Some(published), brought) => {
            let header = jsonwebtoken::decode_header(&token).map_err(|_| "it is no token")?;
            let key = published.find(header.kid.as_deref().unwrap_or_default())?.clone();
            if brought.is_some_and(|brought| brought.x != key.x) {
                return Err(format!("key {} is another one than the published one", key.kid));
            }
            key
        }
    };
    let claims = signed_claims(&token, &key)?;
    Ok(kept(claims, Some(key.kid), published.is_some()))
}

/// What a token says, if this key has signed it.
fn signed_claims(token: &str, key: &Key) -> Result<Claims, String> {
    let public = URL_SAFE_NO_PAD.decode(&key.x).ok();
    let public = public
        .filter(|public| public.len() == 32)
        .ok_or("its key is no Ed25519 key")?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["iss", "aud", "sub"]);
    let decoding = DecodingKey::from_ed_der(&public);
    let token = decode::<Claims>(token, &decoding, &validation);
    let token = token.map_err(|error| format!("the signature of the token does not hold: {error}"))?;
    let right =
        token.header.typ.as_deref() == Some(TYPE) && token.header.kid.as_deref() == Some(key.kid.as_str());
    match right {
        true => Ok(token.claims),
        false => Err("the token is of another sort, or of another key".to_owned()),
    }
}

fn kept(claims: Claims, signed_by: Option<String>, published: bool) -> KeptHead {
    KeptHead {
        head: Head {
            trail: claims.sub,
            position: claims.position,
            hash: claims.hash,
        },
        at: claims.iat,
        issuer: claims.iss,
        signed_by,
        published,
    }
}

fn unsigned_claims(token: &str) -> Result<Claims, String> {
    let mut parts = token.split('.');
    let (Some(_), Some(body), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("it is no token".to_owned());
    };
    let body = URL_SAFE_NO_PAD
        .decode(body)
        .map_err(|_| "it is no token".to_owned())?;
    let claims: Claims =
        serde_json::from_slice(&body).map_err(|error| format!("it is no end of an audit trail: {error}"))?;
    match claims.aud == AUDIENCE {
        true => Ok(claims),
        false => Err("it is no end of an audit trail".to_owned()),
    }
}
