//! What a client shows, against what an image has.
//!
//! Who does not exist costs the same work as who does: a key that is not there is compared with a digest, and a SCRAM user
//! that is not there has verifiers that are opened.

use std::net::IpAddr;
use std::sync::Arc;

use firn_catalog::access::{Permission, Role, RoleSet};
use firn_catalog::commands::User;
use firn_catalog::credential::{
    KafkaCredential, LIVE_AT_ONCE, Proof, ScramName, SealedVerifier, is_generated_username,
};
use firn_catalog::entities::ClusterState;
use firn_catalog::ids::ClusterId;
use firn_catalog::image::Image;
use firn_catalog::trust::{AdmittedClient, IdentityProvider};
use firn_runtime::{Random, Timestamp};
use firn_secrets::delegation::Delegation;
use firn_secrets::scram::{self, ClientFirst, Decoy, Server, Verifier};
use firn_secrets::{Secrets, api_key};

use super::kerberos::Kerberos;
use super::mechanism::Mechanism;
use super::server_name::Named;
use super::tokens::Tokens;

/// Why a client is refused. For the log only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) &'static str);

impl From<scram::Refused> for Refused {
    fn from(refused: scram::Refused) -> Self {
        Self(refused.0)
    }
}

/// Who a client has shown to be.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    /// Who, and in which cluster.
    pub(crate) user: Arc<User>,
    /// By what.
    pub(crate) shown: Shown,
    /// Until when.
    pub(crate) expires_at: Option<Timestamp>,
}

/// By what a client has shown who it is.
#[derive(Clone, Debug)]
pub(crate) enum Shown {
    /// A credential of a cluster.
    Credential(Arc<KafkaCredential>, Mechanism),
    /// A certificate, which let this client in.
    Certificate(Arc<AdmittedClient>),
    /// A token of this provider.
    Token(Arc<IdentityProvider>),
    /// A ticket of the realm whose service this broker is.
    Ticket,
    /// A delegation, and the request that it is for.
    Delegation {
        /// The REST request's id.
        request_id: Arc<str>,
        /// Where it came from, if that is known.
        address: Option<IpAddr>,
        /// The cluster's state.
        state: ClusterState,
    },
}

/// What brokers know that clients do not.
pub(crate) struct Keys {
    pub(crate) secrets: Secrets,
    /// A verifier of nobody, which is opened where there is none to open.
    nobody: SealedVerifier,
}

const NOBODY: ScramName<'_> = ScramName {
    cluster: ClusterId(0),
    username: "",
};

impl Keys {
    pub(crate) fn new(secrets: Secrets, random: &dyn Random) -> Self {
        let verifier = Verifier {
            salt: vec![0; 24],
            iterations: scram::ITERATIONS,
            stored_key: vec![0; 64],
            server_key: vec![0; 64],
        };
        let nobody = SealedVerifier::seal(&verifier, NOBODY, scram::Mechanism::Sha512, &secrets, random);
        Self { secrets, nobody }
    }
}

/// What a client is compared with.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) image: &'a Image,
    pub(crate) keys: &'a Keys,
    pub(crate) random: &'a dyn Random,
    pub(crate) now: Timestamp,
    /// The label in the connection's server name, and what it says.
    pub(crate) slug: Option<&'a str>,
    /// The keys that tokens are signed with.
    pub(crate) tokens: &'a Tokens,
    /// By what tickets are accepted, if any are.
    pub(crate) kerberos: Option<&'a Kerberos>,
    /// The cluster that the connection is in if nobody asks who it is.
    pub(crate) anonymous: Option<ClusterId>,
}

/// A SCRAM exchange that waits for the proof.
pub(crate) struct Proving {
    mechanism: scram::Mechanism,
    server: Server,
    candidates: Vec<Arc<KafkaCredential>>,
}

impl Known<'_> {
    /// The message of PLAIN: `[authzid] NUL user NUL key`.
    pub(crate) fn plain(&self, message: &[u8]) -> Result<Login, Refused> {
        let text = std::str::from_utf8(message).map_err(|_| Refused("the message is not UTF-8"))?;
        let mut parts = text.split('\0');
        let (Some(authzid), Some(user), Some(key), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Refused("the message is malformed"));
        };
        if !authzid.is_empty() && authzid != user {
            return Err(Refused("the authorization identity is somebody else"));
        }
        let found =
            api_key::parse(key).and_then(|parsed| self.image.api_key(firn_catalog::ids::ApiKeyId(parsed.id)));
        let kept = found.and_then(|credential| match &credential.proof {
            Proof::ApiKey { digest } => Some(digest.as_str()),
            Proof::Scram { .. } => None,
        });
        let nothing = "0".repeat(64);
        let right = self
            .keys
            .secrets
            .verify_digest("api-key", key.as_bytes(), kept.unwrap_or(&nothing));
        let credential = found.ok_or(Refused("there is no such key"))?;
        if !right {
            return Err(Refused("the key is wrong"));
        }
        if *credential.username != *user {
            return Err(Refused("the user name is not the key's id"));
        }
        self.login(credential, Mechanism::Plain)
    }

    /// The first message of SCRAM, and what is answered.
    pub(crate) fn scram(
        &self,
        mechanism: scram::Mechanism,
        message: &[u8],
    ) -> Result<(Proving, String), Refused> {
        let first = ClientFirst::parse(message)?;
        let generated = is_generated_username(first.user());
        let candidates: Vec<_> = match Named::of(self.slug, self.image) {
            // The server name is compared once the proof is there: else a salt would tell where the user is.
            _ if generated => self.candidates(None, first.user(), mechanism),
            Named::Nobody => Vec::new(),
            Named::No => self.candidates(self.anonymous, first.user(), mechanism),
            Named::Cluster(cluster) => self.candidates(Some(cluster.id), first.user(), mechanism),
        };
        let secrets = &self.keys.secrets;
        let mut opened: Vec<_> = candidates
            .iter()
            .map(|credential| (Some(credential), credential.verifier(mechanism, secrets)))
            .collect();
        while opened.len() < LIVE_AT_ONCE {
            opened.push((
                None,
                self.keys.nobody.open(NOBODY, scram::Mechanism::Sha512, secrets),
            ));
        }
        let (candidates, verifiers): (Vec<_>, Vec<_>) = opened
            .iter()
            .filter_map(|(credential, verifier)| Some((Arc::clone((*credential)?), verifier.as_ref()?)))
            .unzip();
        // What a salt depends on here, the salts of users depend on, too.
        let decoy = match generated {
            true => Decoy::generated(secrets, mechanism, first.user()),
            false => Decoy::chosen(secrets, mechanism, self.slug.unwrap_or(""), first.user()),
        };
        let (server, answer) = Server::start(mechanism, &first, &verifiers, &decoy, self.random);
        let proving = Proving {
            mechanism,
            server,
            candidates,
        };
        Ok((proving, answer))
    }

    /// The last message of SCRAM, and what is answered.
    pub(crate) fn proof(&self, proving: Proving, message: &[u8]) -> Result<(Login, String), Refused> {
        let proven = proving.server.finish(message)?;
        let shown = proving.candidates.get(proven.verifier).map(|shown| shown.id);
        // Revoked meanwhile is revoked.
        let credential = shown.and_then(|id| self.image.credential(id));
        let credential = credential.ok_or(Refused("the credential is gone"))?;
        let login = self.login(credential, Mechanism::Scram(proving.mechanism))?;
        Ok((login, proven.message))
    }

    /// What the control plane has signed.
    pub(crate) fn delegation(&self, message: &[u8]) -> Result<Login, Refused> {
        let text = std::str::from_utf8(message).map_err(|_| Refused("the message is not UTF-8"))?;
        let delegation = Delegation::verify(text, &self.keys.secrets, self.now.0)
            .ok_or(Refused("the delegation has expired, or is not one"))?;
        let cluster = ClusterId(delegation.cluster);
        let state = self.image.cluster(cluster).map(|cluster| cluster.state);
        let roles = delegation.roles.iter().map(|role| role.parse::<Role>());
        let roles: RoleSet = roles
            .collect::<Result<_, _>>()
            .map_err(|_| Refused("the delegation names an unknown role"))?;
        let state = state.ok_or(Refused("the delegation is for a cluster that is not there"))?;
        let roles = match state {
            ClusterState::Active => roles,
            // What is in a cluster that serves nothing can be looked at, and no more.
            ClusterState::Suspended | ClusterState::Deleting => match roles.allow(Permission::ViewCluster) {
                true => RoleSet::NONE.with(Role::Viewer),
                false => RoleSet::NONE,
            },
        };
        Ok(Login {
            user: Arc::new(User {
                cluster,
                name: delegation.user.into(),
                roles,
            }),
            shown: Shown::Delegation {
                request_id: delegation.request_id.into(),
                address: delegation.address,
                state,
            },
            expires_at: Some(Timestamp(delegation.expires_at_ms)),
        })
    }

    fn candidates(
        &self,
        cluster: Option<ClusterId>,
        user: &str,
        mechanism: scram::Mechanism,
    ) -> Vec<Arc<KafkaCredential>> {
        let user = self.image.scram_user(cluster, user).live(self.now);
        user.filter(|one| one.sealed_verifier(mechanism).is_some())
            .take(LIVE_AT_ONCE)
            .map(Arc::clone)
            .collect()
    }

    /// Lets in who has shown this credential, if it holds here and now.
    pub(super) fn login(
        &self,
        credential: &Arc<KafkaCredential>,
        mechanism: Mechanism,
    ) -> Result<Login, Refused> {
        if !mechanism.is_one_of(credential) {
            return Err(Refused("the credential cannot be shown in this way"));
        }
        if !credential.is_live(self.now) {
            return Err(Refused("the credential has expired"));
        }
        match Named::of(self.slug, self.image) {
            Named::No => {}
            Named::Cluster(cluster) if cluster.id == credential.cluster => {}
            Named::Cluster(_) | Named::Nobody => {
                return Err(Refused("the server name is not that of the credential's cluster"));
            }
        }
        let cluster = self.image.cluster(credential.cluster);
        if cluster.is_none_or(|cluster| cluster.state != ClusterState::Active) {
            return Err(Refused("the cluster is not active"));
        }
        Ok(Login {
            user: Arc::clone(&credential.user),
            shown: Shown::Credential(Arc::clone(credential), mechanism),
            expires_at: credential.expires_at,
        })
    }
}
