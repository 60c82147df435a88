//! Whom a cluster trusts to say who its clients are: certificate authorities (mTLS) and identity providers (OAUTHBEARER).

mod authority;
mod ca_pool;
mod certificate;
mod client_trust;
mod distinguished_name;
mod identity_provider;
pub mod java_pattern;
mod principal_mapper;

pub use ca_pool::{
    CaPool, CaPoolBody, CaPoolFacts, InvalidCaPool, MAX_CA_CERTIFICATES, MAX_CA_POOL_BYTES, MAX_CA_POOL_NAME,
    MAX_CA_POOLS, NameSource, PrincipalMapping,
};
pub use certificate::{CertificateFacts, MAX_PEM, RevocationListFacts};
pub use client_trust::{AdmittedClient, CertificateRefused, ClientTrust, MAX_CHAIN};
pub use identity_provider::{IdentityProvider, IdentityProviderBody, MAX_URL};
pub use principal_mapper::{InvalidRules, PrincipalMapper};
