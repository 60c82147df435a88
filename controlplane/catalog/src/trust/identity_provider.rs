//! Identity providers whose tokens a cluster trusts.

use firn_runtime::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{ClusterId, IdentityProviderId};

/// An identity provider of a cluster (RFC 7628, KIP-768).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityProvider {
    /// Its id.
    pub id: IdentityProviderId,
    /// Whose clients it knows.
    pub cluster: ClusterId,
    /// Its name, unique in the cluster.
    pub name: String,
    /// What it says.
    pub body: IdentityProviderBody,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What is expected of a provider's tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityProviderBody {
    /// The `iss` that tokens have, exactly; unique in the cluster.
    pub issuer: String,
    /// Where its keys are (RFC 7517); `None`: where its metadata says, below the issuer.
    pub jwks_url: Option<String>,
    /// Of these a token's `aud` must contain one. Never empty.
    pub audiences: Vec<String>,
    /// The claim that names the client.
    pub principal_claim: String,
    /// Rules over the claim, in the syntax of `ssl.principal.mapping.rules`; `DEFAULT` takes it as it is.
    pub mapping_rules: String,
    /// By how much the provider's clock may differ, in seconds.
    pub clock_skew_seconds: i64,
}
