//! A token taken apart (RFC 7515, RFC 7519), without believing it yet.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firn_catalog::ids::ApiKeyId;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use crate::authentication::credentials::Refused;

/// The longest token that is looked at, in bytes.
const MOST: usize = 16 * 1024;
/// Whom Firn's own tokens are for.
const FIRN: &str = "firn";

const MALFORMED: Refused = Refused("the token is malformed");

/// A token, taken apart.
pub(super) struct Jwt<'a> {
    message: &'a str,
    signature: &'a str,
    algorithm: Algorithm,
    kid: Option<String>,
    claims: Map<String, Value>,
}

impl<'a> Jwt<'a> {
    /// Takes apart what is signed with an algorithm that counts, and not for another purpose than to be shown.
    pub(super) fn read(token: &'a str) -> Result<Self, Refused> {
        if token.len() > MOST {
            return Err(Refused("the token is too large"));
        }
        let (message, signature) = token.rsplit_once('.').ok_or(MALFORMED)?;
        let (header, claims) = message.split_once('.').ok_or(MALFORMED)?;
        let header = object(header)?;
        let Some(algorithm) = header.get("alg").and_then(Value::as_str) else {
            return Err(MALFORMED);
        };
        let algorithm = firn_outbound::algorithm(algorithm).ok_or(Refused(
            "the token is signed with an algorithm that does not count",
        ))?;
        if header.contains_key("crit") {
            return Err(Refused("the token needs what this service does not know"));
        }
        let kid = match header.get("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone()),
            Some(_) => return Err(MALFORMED),
        };
        if header.get("typ").is_some_and(|kind| !is_access(kind)) {
            return Err(Refused("the token is of a kind that is for something else"));
        }
        Ok(Self {
            message,
            signature,
            algorithm,
            kid,
            claims: object(claims)?,
        })
    }

    /// What is signed.
    pub(super) fn message(&self) -> &[u8] {
        self.message.as_bytes()
    }

    /// The signature, as base64url.
    pub(super) fn signature(&self) -> &str {
        self.signature
    }

    /// With what it says to be signed.
    pub(super) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key that it names.
    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// A claim.
    pub(super) fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// A claim that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.claim(name)?.as_str()
    }

    /// The API key that a token of Firn's own was traded for; `None`: it does not say to be one.
    pub(super) fn firn_key(&self) -> Option<ApiKeyId> {
        let own = self.text("aud") == Some(FIRN);
        own.then(|| ApiKeyId::from_public(self.text("key")?).ok())?
    }
}

/// Kinds of tokens that show who a client is: `JWT`, and access tokens (RFC 9068), also those that a vendor calls its own.
fn is_access(kind: &Value) -> bool {
    let Some(kind) = kind.as_str() else { return false };
    let kind = kind.to_ascii_lowercase();
    kind == "jwt" || kind.ends_with("at+jwt")
}

fn object(part: &str) -> Result<Map<String, Value>, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| MALFORMED)?;
    serde_json::from_slice(&bytes).map_err(|_| MALFORMED)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(header: &Value, claims: &Value) -> Result<Option<String>, Refused> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!("{}.{}.c2ln", part(header), part(claims));
        Jwt::read(&token).map(|jwt| jwt.firn_key().map(ApiKeyId::public))
    }

    #[test]
    fn tokens_that_are_for_something_else_are_refused() {
        let claims = json!({});
        for good in [
            json!({"alg": "RS256"}),
            json!({"alg": "EdDSA", "kid": "a", "typ": "JWT", "jku": "https://evil.example"}),
            json!({"alg": "ES256", "typ": "at+jwt"}),
            json!({"alg": "PS512", "typ": "application/okta-internal-at+jwt"}),
        ] {
            assert!(read(&good, &claims).is_ok(), "{good}");
        }
        for bad in [
            json!({}),
            json!({"alg": "none"}),
            json!({"alg": "HS256"}),
            json!({"alg": 5}),
            json!({"alg": "RS256", "crit": ["exp"]}),
            json!({"alg": "RS256", "crit": null}),
            json!({"alg": "RS256", "kid": 5}),
            json!({"alg": "RS256", "typ": "logout+jwt"}),
            json!({"alg": "RS256", "typ": "JOSE"}),
            json!([]),
        ] {
            assert!(read(&bad, &claims).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_tokens_for_firn_itself_with_a_key_say_to_be_its_own() {
        let header = json!({"alg": "EdDSA"});
        let key = ApiKeyId(7).public();
        let own = read(&header, &json!({"aud": "firn", "key": key})).unwrap();
        assert_eq!(own, Some(key.clone()));
        for other in [
            json!({"aud": ["firn"], "key": key}),
            json!({"aud": "kafka", "key": key}),
            json!({"aud": "firn"}),
            json!({"aud": "firn", "key": "x"}),
        ] {
            assert_eq!(read(&header, &other).unwrap(), None, "{other}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let huge = format!("{}.e30.e30", "a".repeat(MOST));
        for text in [
            "",
            "a",
            "a.b",
            "..",
            "e30..",
            ".e30.",
            "e30.e30.e30.e30",
            "!.!.!",
            &huge,
        ] {
            assert!(Jwt::read(text).is_err(), "{text:.20}");
        }
    }
}
