//! What a provider says about itself, its keys, and the exchange of the code for an ID token.

use firn_outbound::Outbound;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::Deserialize;
use url::Url;

use super::OidcError;

/// What is read of a provider's discovery document (OpenID Connect Discovery 1.0).
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    jwks_uri: Url,
}

/// What is read of a token endpoint's answer.
#[derive(Deserialize)]
struct Exchanged {
    id_token: String,
}

/// What is read of a key set: what this version does not know is left out rather than refused.
#[derive(Deserialize)]
struct Keys {
    keys: Vec<serde_json::Value>,
}

/// A provider that can be asked.
pub(crate) struct Provider<'a> {
    outbound: &'a Outbound,
    document: Document,
}

impl<'a> Provider<'a> {
    /// Asks the issuer what it is.
    pub(crate) async fn discover(outbound: &'a Outbound, issuer: &str) -> Result<Self, OidcError> {
        let url = format!(
            "{}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        );
        let url = url
            .parse()
            .map_err(|_| OidcError::Provider("the issuer is no URL"))?;
        let document: Document = outbound.get_json(&url).await?;
        if document.issuer != issuer {
            return Err(OidcError::Provider("it names another issuer"));
        }
        let endpoints = [
            &document.authorization_endpoint,
            &document.token_endpoint,
            &document.jwks_uri,
        ];
        if !endpoints.into_iter().all(|url| outbound.permits(url)) {
            return Err(OidcError::Provider("one of its endpoints is not https"));
        }
        Ok(Self { outbound, document })
    }

    /// Where browsers log in.
    pub(crate) fn authorization_endpoint(&self) -> &Url {
        &self.document.authorization_endpoint
    }

    /// Exchanges the code for the ID token, as this client, with the proof that it began the login.
    pub(crate) async fn exchange(
        &self,
        (client_id, client_secret): (&str, &str),
        redirect_uri: &str,
        code: &str,
        verifier: &str,
    ) -> Result<String, OidcError> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("client_id", client_id),
            ("client_secret", client_secret),
            ("code_verifier", verifier),
        ];
        let exchanged: Exchanged = self
            .outbound
            .post_form(&self.document.token_endpoint, &form)
            .await?;
        Ok(exchanged.id_token)
    }

    /// The keys that it signs with.
    pub(crate) async fn keys(&self) -> Result<JwkSet, OidcError> {
        let keys: Keys = self.outbound.get_json(&self.document.jwks_uri).await?;
        let known = keys.keys.into_iter();
        let keys: Vec<Jwk> = known.filter_map(|key| serde_json::from_value(key).ok()).collect();
        Ok(JwkSet { keys })
    }
}
