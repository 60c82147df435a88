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
    /// The id of the key that it is signed with, if the key was kept beside it and the signature is right.
    pub signed_by: Option<String>,
}

/// What is kept: the whole answer of `GET .../audit/head`.
#[derive(Deserialize)]
struct Answer {
    token: String,
    key: Key,
}

#[derive(Deserialize)]
struct Key {
    kid: String,
    x: String,
}

/// Reads what somebody has kept: the answer of `GET .../audit/head`, whose signature is checked by the key in it, or the token alone,
/// whose signature is not. `Err` says what is wrong.
pub fn read_audit_head(text: &str) -> Result<KeptHead, String> {
    let text = text.trim();
    if text.len() > MAX_TEXT {
        return Err("it is too long".to_owned());
    }
    if !text.starts_with('{') {
        return Ok(kept(unsigned_claims(text)?, None));
    }
    let answer: Answer =
        serde_json::from_str(text).map_err(|error| format!("it is no answer of .../audit/head: {error}"))?;
    let public = URL_SAFE_NO_PAD.decode(&answer.key.x).ok();
    let public = public
        .filter(|public| public.len() == 32)
        .ok_or("the key in it is no Ed25519 key")?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.validate_exp = false;
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["iss", "aud", "sub"]);
    let key = DecodingKey::from_ed_der(&public);
    let token = decode::<Claims>(&answer.token, &key, &validation);
    let token = token.map_err(|error| format!("the signature of the token does not hold: {error}"))?;
    let right = token.header.typ.as_deref() == Some(TYPE)
        && token.header.kid.as_deref() == Some(answer.key.kid.as_str());
    match right {
        true => Ok(kept(token.claims, Some(answer.key.kid))),
        false => Err("the token is of another sort, or of another key".to_owned()),
    }
}

fn kept(claims: Claims, signed_by: Option<String>) -> KeptHead {
    KeptHead {
        head: Head {
            trail: claims.sub,
            position: claims.position,
            hash: claims.hash,
        },
        at: claims.iat,
        issuer: claims.iss,
        signed_by,
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
