//! SCRAM credentials of service accounts: a user name of one cluster, with a password that Firn makes.
//!
//! They live in the cell alone, beside the users that Kafka's tools make. Issuing one asks the account store whose it is and whether the
//! actor may, and then gives it to the cell by [`Catalog::put_credential`], which asks once more, in its own words. The audit row is
//! the cell's.

use std::sync::Arc;

use firn_runtime::Timestamp;
use firn_secrets::Secrets;
use firn_secrets::scram::{ITERATIONS, Mechanism, verifier};

use super::api_keys::check_expiry;
use super::{AccountError, Denied};
use crate::access::{Permission, Role, RoleSet, Scope};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::credentials::{COLUMNS, credential_at};
use crate::commands::{
    Actor, CommandError, Committed, CredentialId, Principal, PutCredential, RemoveCredential, User,
};
use crate::credential::{
    KafkaCredential, Proof, ScramName, SealedVerifier, generated_username, validate_username,
};
use crate::ids::{ClusterId, ScramCredentialId, ServiceAccountId};
use crate::sql::{Arg, Tx, TxError, args, optional_number_at, transaction};

/// The bytes of a fresh salt.
const SALT: usize = 24;
/// How often a credential is made anew because another one of its user came in between.
const ATTEMPTS: usize = 3;
/// Where the columns of [`COLUMNS`] end.
const LAST_USED: usize = 10;

/// A SCRAM credential, without what a password is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScramCredential {
    /// Its id.
    pub id: ScramCredentialId,
    /// Where it holds.
    pub cluster: ClusterId,
    /// Whose it is; `None` of a user that Kafka's tools made.
    pub service_account: Option<ServiceAccountId>,
    /// The user name that clients send.
    pub username: String,
    /// Whether Firn made the user name up: then it works without the cluster's host name.
    pub generated: bool,
    /// With which mechanisms it works.
    pub mechanisms: Vec<Mechanism>,
    /// What it may do beside what ACLs allow. A user that Kafka's tools made has a role only from before there were ACLs, until it is
    /// altered next.
    pub roles: RoleSet,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it does not hold.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// Issues a SCRAM credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewScramCredential {
    /// For which cluster.
    pub cluster: ClusterId,
    /// Whose it is to be.
    pub service_account: ServiceAccountId,
    /// The user name. One that the service account has there already gets a second password; `None`: Firn makes one up.
    pub username: Option<String>,
    /// From when on it does not hold.
    pub expires_at: Option<Timestamp>,
}

/// Which credentials of a cluster to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScramFilter {
    /// Those of a service account.
    pub service_account: Option<ServiceAccountId>,
    /// Those with this user name.
    pub username: Option<String>,
}

const KIND: &str = "scram_credential";
const WHAT: &str = "SCRAM credential";

fn shown(credential: &KafkaCredential, last_used_at: Option<Timestamp>) -> Option<ScramCredential> {
    let CredentialId::Scram(id) = credential.id else {
        return None;
    };
    let has = |mechanism: &Mechanism| credential.sealed_verifier(*mechanism).is_some();
    Some(ScramCredential {
        id,
        cluster: credential.cluster,
        service_account: credential.service_account,
        username: credential.username.to_string(),
        generated: credential.generated,
        mechanisms: Mechanism::ALL.into_iter().filter(has).collect(),
        roles: credential.user.roles,
        created_at: credential.created_at,
        expires_at: credential.expires_at,
        last_used_at,
    })
}

fn missing() -> AccountError {
    AccountError::NotFound { what: WHAT }
}

impl Catalog {
    /// Issues a SCRAM credential with this password, which is kept as verifiers only. The second one of a user name shares salts with
    /// the first; a third is refused.
    pub async fn create_scram_credential(
        &self,
        actor: &Actor,
        new: &NewScramCredential,
        password: &str,
        secrets: &Secrets,
        rehearsal: bool,
    ) -> Result<Committed<ScramCredential>, AccountError> {
        let allowed: Result<RoleSet, AccountError> =
            transaction!(self.store(), write, |tx| may_issue(&mut tx, actor, new).await);
        let roles = self
            .finish_scram(actor, new.cluster, "create_scram_credential", "", allowed)
            .await?;
        check_expiry(new.expires_at, self.env().now())?;
        let acting = Actor {
            principal: self.user_in_cluster(actor, new.cluster).await?,
            ..actor.clone()
        };
        let id = ScramCredentialId(self.env().random_u128());
        let made_up = generated_username(self.env().random_u128());
        let mut attempts = ATTEMPTS;
        let put = loop {
            attempts -= 1;
            let credential = self
                .new_credential((id, &made_up), new, roles, password, secrets)
                .await?;
            let command = PutCredential {
                credential,
                validate_only: rehearsal,
            };
            match self.put_credential(&acting, command).await {
                // Another one of the same user came first, and has salts of its own.
                Err(CommandError::UnacceptableCredential { .. }) if attempts > 0 => {}
                put => break put?,
            }
        };
        let mut sequence = put.sequence;
        if !rehearsal {
            sequence = self
                .settle_scram(&acting, new, CredentialId::Scram(id))
                .await?
                .max(sequence);
        }
        let value = shown(&put.value, None).ok_or_else(missing)?;
        Ok(Committed { value, sequence })
    }

    /// Looks again, after the cell has a credential: what changed in the account store meanwhile may have missed it.
    async fn settle_scram(
        &self,
        actor: &Actor,
        new: &NewScramCredential,
        id: CredentialId,
    ) -> Result<Option<crate::ids::FeedSequence>, AccountError> {
        let account: Result<_, AccountError> = transaction!(self.store(), snapshot, |tx| tx
            .find_service_account(new.service_account)
            .await);
        if account?.is_none() {
            self.drop_from_cell(actor, new.cluster, id).await?;
            return Err(AccountError::NotFound {
                what: "service account",
            });
        }
        self.refresh_service_account(new.service_account).await
    }

    /// The credential that the cell is to have.
    async fn new_credential(
        &self,
        (id, made_up): (ScramCredentialId, &str),
        new: &NewScramCredential,
        roles: RoleSet,
        password: &str,
        secrets: &Secrets,
    ) -> Result<KafkaCredential, AccountError> {
        let username = new.username.as_deref().unwrap_or(made_up);
        if username.chars().any(char::is_control) {
            return Err(AccountError::Invalid {
                pointer: "/username",
                reason: "it contains a control character".to_owned(),
            });
        }
        let of_user: Result<Vec<KafkaCredential>, CatalogError> =
            transaction!(self.store(), snapshot, |tx| tx
                .scram_credentials_of(new.cluster, username)
                .await);
        let now = self.env().now();
        let mut of_user = of_user?;
        of_user.retain(|one| one.service_account == Some(new.service_account) && one.is_live(now));
        let generated = new.username.is_none() || of_user.iter().any(|one| one.generated);
        if !generated {
            let valid = validate_username(username);
            valid.map_err(|reason| AccountError::Invalid {
                pointer: "/username",
                reason,
            })?;
        }
        let name = ScramName {
            cluster: new.cluster,
            username,
        };
        let sealed = |mechanism: Mechanism| {
            let other = of_user.iter().find_map(|one| one.sealed_verifier(mechanism));
            let (salt, iterations) = match other {
                Some(other) => (other.salt.clone(), other.iterations),
                None => (self.fresh_salt(), ITERATIONS),
            };
            let verifier = verifier(mechanism, password, &salt, iterations);
            SealedVerifier::seal(&verifier, name, mechanism, secrets, self.env().random.as_ref())
        };
        let account = new.service_account;
        Ok(KafkaCredential {
            id: CredentialId::Scram(id),
            cluster: new.cluster,
            username: username.into(),
            generated,
            service_account: Some(account),
            user: Arc::new(User {
                cluster: new.cluster,
                name: account.public().into(),
                roles,
            }),
            proof: Proof::Scram {
                sha256: Some(sealed(Mechanism::Sha256)),
                sha512: Some(sealed(Mechanism::Sha512)),
            },
            created_at: now,
            expires_at: new.expires_at,
        })
    }

    fn fresh_salt(&self) -> Vec<u8> {
        let mut salt = vec![0; SALT];
        self.env().random.fill(&mut salt);
        salt
    }

    /// A SCRAM credential of a cluster that the actor may see.
    pub async fn scram_credential(
        &self,
        actor: &Actor,
        cluster: ClusterId,
        id: ScramCredentialId,
    ) -> Result<ScramCredential, AccountError> {
        transaction!(self.store(), snapshot, |tx| async {
            tx.require(actor, Scope::Cluster(cluster), Permission::ViewCluster)
                .await?;
            let found = list_in(&mut tx, cluster, " AND id = $2", args![id]).await?;
            found.into_iter().next().ok_or_else(|| TxError::from(missing()))
        }
        .await)
    }

    /// The SCRAM credentials of a cluster, in the order of their ids, from the one after `after` on, at most `most`.
    pub async fn scram_credentials(
        &self,
        actor: &Actor,
        cluster: ClusterId,
        filter: &ScramFilter,
        after: Option<ScramCredentialId>,
        most: usize,
    ) -> Result<Vec<ScramCredential>, AccountError> {
        let also =
            " AND id > $2 AND ($3 = '' OR service_account = $3) AND ($4 = '' OR username = $4) LIMIT $5";
        let also = also.replace("LIMIT", "ORDER BY id LIMIT");
        let after = after.map_or(String::new(), |id| id.to_string());
        let account = filter.service_account.map_or(String::new(), |id| id.to_string());
        let username = filter.username.clone().unwrap_or_default();
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        transaction!(self.store(), snapshot, |tx| async {
            tx.require(actor, Scope::Cluster(cluster), Permission::ViewCluster)
                .await?;
            let values = args![after.as_str(), account.as_str(), username.as_str(), most];
            list_in(&mut tx, cluster, &also, values).await
        }
        .await)
    }

    /// Revokes a SCRAM credential: of a service account, or all that a user of Kafka's tools has.
    pub async fn revoke_scram_credential(
        &self,
        actor: &Actor,
        cluster: ClusterId,
        id: ScramCredentialId,
        rehearsal: bool,
    ) -> Result<Committed<ScramCredential>, AccountError> {
        let allowed: Result<_, AccountError> = transaction!(self.store(), snapshot, |tx| tx
            .require(actor, Scope::Cluster(cluster), Permission::ManageCredentials)
            .await);
        let public = id.public();
        self.finish_scram(actor, cluster, "revoke_scram_credential", &public, allowed)
            .await?;
        let acting = Actor {
            principal: self.user_in_cluster(actor, cluster).await?,
            ..actor.clone()
        };
        let command = RemoveCredential {
            cluster,
            id: CredentialId::Scram(id),
            validate_only: rehearsal,
        };
        let removed = match self.remove_credential(&acting, command).await {
            Err(CommandError::UnknownCredential) => return Err(missing()),
            removed => removed?,
        };
        let value = shown(&removed.value, None).ok_or_else(missing)?;
        Ok(Committed {
            value,
            sequence: removed.sequence,
        })
    }

    async fn finish_scram<T>(
        &self,
        actor: &Actor,
        cluster: ClusterId,
        action: &'static str,
        resource: &str,
        outcome: Result<T, AccountError>,
    ) -> Result<T, AccountError> {
        let denied = Denied {
            scope: Scope::Cluster(cluster),
            action,
            kind: KIND,
            resource,
        };
        self.finish_account(actor, denied, outcome).await
    }
}

/// Whether the actor may issue it; the roles that its holder then has.
async fn may_issue(
    tx: &mut Tx,
    actor: &Actor,
    new: &NewScramCredential,
) -> Result<RoleSet, TxError<AccountError>> {
    let scope = Scope::Cluster(new.cluster);
    tx.require(actor, scope, Permission::ManageCredentials).await?;
    let missing = || AccountError::NotFound {
        what: "service account",
    };
    let account = tx
        .find_service_account(new.service_account)
        .await?
        .ok_or_else(missing)?;
    if !tx.is_in_project(new.cluster, account.project).await? {
        return Err(missing().into());
    }
    let principal = Principal::ServiceAccount(account.id);
    let roles = tx.roles_of(&principal, scope).await?;
    if roles.iter().any(|role| role == Role::Owner) {
        tx.require(actor, scope, Permission::ManageOwners).await?;
    }
    // Until the cell has the credential and its roles have been looked at again.
    tx.note_roles_changed(&account.id.to_string()).await?;
    Ok(roles)
}

async fn list_in(
    tx: &mut Tx,
    cluster: ClusterId,
    also: &str,
    values: Vec<Arg>,
) -> Result<Vec<ScramCredential>, TxError<AccountError>> {
    let select = format!(
        "SELECT {COLUMNS}, last_used_at FROM cell_credentials WHERE cluster = $1 AND kind = 'scram'{also}"
    );
    let mut all = args![cluster];
    all.extend(values);
    let mut found = Vec::new();
    for row in tx.rows(&select, all).await? {
        let last_used_at = optional_number_at(&row, LAST_USED)?.map(Timestamp);
        found.extend(shown(&credential_at(&row)?, last_used_at));
    }
    Ok(found)
}
