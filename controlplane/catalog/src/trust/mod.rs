//! Whom a cluster trusts to say who its clients are: certificate authorities (mTLS) and identity providers (OAUTHBEARER).

mod ca_pool;
mod identity_provider;

pub use ca_pool::{CaPool, CaPoolBody, NameSource, PrincipalMapping};
pub use identity_provider::{IdentityProvider, IdentityProviderBody};
