//! Identity providers whose tokens a cluster trusts.

use firn_runtime::Timestamp;
use serde::{Deserialize, Serialize};

use super::PrincipalMapper;
use crate::commands::CommandError;
use crate::ids::{ClusterId, IdentityProviderId};

/// The longest URL, in bytes.
pub const MAX_URL: usize = 500;
/// The most audiences of one provider.
const MAX_AUDIENCES: usize = 10;
/// The longest audience, in bytes.
const MAX_AUDIENCE: usize = 255;
/// The longest name, and the longest name of a claim, in bytes.
const MAX_NAME: usize = 100;
/// The largest difference of clocks, in seconds.
const MAX_SKEW: i64 = 300;

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

impl IdentityProviderBody {
    /// Where its metadata is (OpenID Connect Discovery 1.0; RFC 8414 has the same members).
    pub fn metadata_url(&self) -> String {
        format!(
            "{}/.well-known/openid-configuration",
            self.issuer.trim_end_matches('/')
        )
    }

    /// Refuses what is wrong by itself. Whether the URLs may be asked is for whoever asks them.
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        bounded("/issuer", &self.issuer, MAX_URL)?;
        if let Some(url) = &self.jwks_url {
            bounded("/jwks_url", url, MAX_URL)?;
        }
        if self.audiences.is_empty() || self.audiences.len() > MAX_AUDIENCES {
            return invalid("/audiences", format!("there must be 1 to {MAX_AUDIENCES}"));
        }
        for audience in &self.audiences {
            bounded("/audiences", audience, MAX_AUDIENCE)?;
        }
        bounded("/principal_claim", &self.principal_claim, MAX_NAME)?;
        if let Err(error) = PrincipalMapper::compile(&self.mapping_rules) {
            return invalid("/mapping_rules", error.to_string());
        }
        match (0..=MAX_SKEW).contains(&self.clock_skew_seconds) {
            true => Ok(()),
            false => invalid("/clock_skew_seconds", format!("it must be from 0 to {MAX_SKEW}")),
        }
    }
}

impl IdentityProvider {
    /// Refuses what is wrong by itself.
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        bounded("/name", &self.name, MAX_NAME)?;
        self.body.check()
    }
}

fn invalid(pointer: &'static str, reason: String) -> Result<(), CommandError> {
    Err(CommandError::InvalidTrust { pointer, reason })
}

fn bounded(pointer: &'static str, text: &str, most: usize) -> Result<(), CommandError> {
    match (1..=most).contains(&text.len()) && !text.chars().any(char::is_control) {
        true => Ok(()),
        false => invalid(
            pointer,
            format!("it must have 1 to {most} bytes, none of them of a control character"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> IdentityProviderBody {
        IdentityProviderBody {
            issuer: "https://login.example.com/realm/".to_owned(),
            jwks_url: None,
            audiences: vec!["kafka".to_owned()],
            principal_claim: "sub".to_owned(),
            mapping_rules: "DEFAULT".to_owned(),
            clock_skew_seconds: 30,
        }
    }

    #[test]
    fn what_is_wrong_by_itself_is_told_where_it_stands() {
        assert_eq!(good().check(), Ok(()));
        type Change = fn(&mut IdentityProviderBody);
        let changes: [(&str, Change); 9] = [
            ("/issuer", |body| body.issuer.clear()),
            ("/issuer", |body| body.issuer = "x".repeat(MAX_URL + 1)),
            ("/jwks_url", |body| body.jwks_url = Some("https://\n".to_owned())),
            ("/audiences", |body| body.audiences.clear()),
            ("/audiences", |body| body.audiences = vec!["a".to_owned(); 11]),
            ("/audiences", |body| body.audiences.push(String::new())),
            ("/principal_claim", |body| body.principal_claim.clear()),
            ("/mapping_rules", |body| body.mapping_rules = "RULE:".to_owned()),
            ("/clock_skew_seconds", |body| body.clock_skew_seconds = 301),
        ];
        for (expected, change) in changes {
            let mut body = good();
            change(&mut body);
            match body.check() {
                Err(CommandError::InvalidTrust { pointer, .. }) => assert_eq!(pointer, expected),
                other => panic!("{expected}: {other:?}"),
            }
        }
    }

    #[test]
    fn metadata_is_below_the_issuer() {
        let expected = "https://login.example.com/realm/.well-known/openid-configuration";
        assert_eq!(good().metadata_url(), expected);
    }
}
