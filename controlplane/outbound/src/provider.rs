//! An identity provider's keys: where its metadata says they are, or at a URL that is given.

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::{KeySet, Outbound, OutboundError};

/// Why a provider's keys cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// The metadata cannot be read.
    #[error("its metadata cannot be read: {0}")]
    Metadata(OutboundError),
    /// The metadata is another issuer's.
    #[error("its metadata names another issuer")]
    Issuer,
    /// The keys cannot be read.
    #[error("its keys cannot be read: {0}")]
    Keys(OutboundError),
    /// A URL is none.
    #[error("one of its URLs is not valid")]
    Url,
    /// None of the keys can verify a token.
    #[error(
        "none of its keys is for signatures: RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519 is expected"
    )]
    NoKeys,
}

/// What is read of the metadata.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// What is read of a key set.
#[derive(Deserialize)]
struct Keys {
    keys: Vec<Value>,
}

impl Outbound {
    /// The keys of an issuer, at `jwks_url` or where the metadata at `metadata_url` says.
    pub async fn provider_keys(
        &self,
        issuer: &str,
        metadata_url: &str,
        jwks_url: Option<&str>,
    ) -> Result<KeySet, KeysError> {
        let url = |text: &str| text.parse::<Url>().map_err(|_| KeysError::Url);
        let place = match jwks_url {
            Some(place) => url(place)?,
            None => {
                let metadata = self.get_json::<Metadata>(&url(metadata_url)?).await;
                let metadata = metadata.map_err(KeysError::Metadata)?;
                if metadata.issuer != issuer {
                    return Err(KeysError::Issuer);
                }
                url(&metadata.jwks_uri)?
            }
        };
        let keys = self.get_json::<Keys>(&place).await.map_err(KeysError::Keys)?;
        let keys = KeySet::of(keys.keys);
        match keys.is_empty() {
            true => Err(KeysError::NoKeys),
            false => Ok(keys),
        }
    }
}
