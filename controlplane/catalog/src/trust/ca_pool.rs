//! Certificate authorities whose clients a cluster trusts.

use firn_runtime::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{CaPoolId, ClusterId};

/// Certificate authorities of a cluster, which share rules and a name. Old and new ones overlap in one pool while clients change over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaPool {
    /// Its id.
    pub id: CaPoolId,
    /// Whose clients they are.
    pub cluster: ClusterId,
    /// Its name, unique in the cluster.
    pub name: String,
    /// What it says.
    pub body: CaPoolBody,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a pool says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaPoolBody {
    /// The authorities' certificates, in PEM, one each.
    pub certificates: Vec<String>,
    /// Revocation lists in PEM, each signed by one of the authorities.
    pub revocation_lists: Vec<String>,
    /// How a client's certificate becomes a name, in the syntax of Kafka's `ssl.principal.mapping.rules`, and of what.
    pub mapping: PrincipalMapping,
}

/// How a client's certificate becomes the name after `User:`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrincipalMapping {
    /// What of the certificate the rules are applied to.
    pub source: NameSource,
    /// Kafka's rules; `DEFAULT` takes the source as it is.
    pub rules: String,
}

/// What of a certificate names the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameSource {
    /// The subject's distinguished name, as RFC 2253 writes it.
    Subject,
    /// The first DNS name among the alternative names.
    SanDns,
    /// The first e-mail address among the alternative names.
    SanEmail,
    /// The first URI among the alternative names, as SPIFFE has them.
    SanUri,
}
