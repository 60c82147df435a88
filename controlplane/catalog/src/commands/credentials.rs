//! Credentials of a cluster: issuing and revoking them, and the SCRAM users that Kafka's tools make.
//!
//! What comes here is sealed already ([`crate::credential`]). The cluster's lock guards its credentials.

use serde_json::Value;
use std::sync::Arc;

use firn_runtime::Timestamp;
use firn_secrets::scram::{ALLOWED_ITERATIONS, Mechanism};
use sqlx::any::AnyRow;

use super::{Actor, CommandError, Committed, CredentialId, Operation, User};
use crate::access::RoleSet;
use crate::audit::details::credential_detail;
use crate::audit::{changes, difference};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::credential::{
    KafkaCredential, LIVE_AT_ONCE, MAX_CREDENTIALS_PER_CLUSTER, Proof, SealedVerifier, id_from_stored,
    stored_id, validate_username,
};
use crate::feed::Change;
use crate::ids::{ClusterId, ScramCredentialId};
use crate::sql::{
    self, Audited, Tx, TxError, args, json_at, number_at, optional_id_at, optional_number_at, text_at,
    transaction,
};

/// The longest salt, in bytes.
const MOST_SALT: usize = 64;

/// Gives a cluster a credential, or puts it over the one of its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutCredential {
    /// It.
    pub credential: KafkaCredential,
    /// Only say whether it would work.
    pub validate_only: bool,
}

/// Revokes a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveCredential {
    /// Of which cluster.
    pub cluster: ClusterId,
    /// Which.
    pub id: CredentialId,
    /// Only say whether it would work.
    pub validate_only: bool,
}

/// Changes the passwords of a SCRAM user, all or none: who is made if there is none, and gone with the last password. As in Kafka
/// the user's open connections stay when a password changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterScramUser {
    /// In which cluster.
    pub cluster: ClusterId,
    /// The user's name.
    pub name: String,
    /// The mechanisms that get a password, with what checks it, sealed for this cluster, name and mechanism.
    pub upserts: Vec<(Mechanism, SealedVerifier)>,
    /// The mechanisms that lose theirs; each must have one.
    pub deletions: Vec<Mechanism>,
    /// Only say whether it would work.
    pub validate_only: bool,
}

impl AlterScramUser {
    /// Refuses what is wrong by itself.
    fn check(&self) -> Result<(), CommandError> {
        without_controls(&self.name)?;
        let upserted = self.upserts.iter().map(|(mechanism, _)| *mechanism);
        let mut named: Vec<Mechanism> = upserted.chain(self.deletions.iter().copied()).collect();
        let refuse = |reason: &str| {
            let reason = reason.to_owned();
            Err(CommandError::UnacceptableCredential { reason })
        };
        if named.is_empty() {
            return refuse("nothing is to change");
        }
        while let Some(mechanism) = named.pop() {
            if named.contains(&mechanism) {
                return refuse("a mechanism is named twice");
            }
        }
        self.upserts
            .iter()
            .try_for_each(|(_, verifier)| check_verifier(verifier))
    }
}

/// The columns that [`credential_at`] reads.
pub(crate) const COLUMNS: &str =
    "id, cluster, username, generated, service_account, user_name, roles, proof, created_at, expires_at";

/// The credential in a row of [`COLUMNS`].
pub(crate) fn credential_at(row: &AnyRow) -> Result<KafkaCredential, CatalogError> {
    let proof: Proof = json_at(row, 7)?;
    let id = id_from_stored(&text_at(row, 0)?, &proof);
    let id = id.map_err(|error| CatalogError::Corrupt(format!("a credential's id: {error}")))?;
    let cluster = sql::id_at(row, 1)?;
    Ok(KafkaCredential {
        id,
        cluster,
        username: text_at(row, 2)?.into(),
        generated: number_at::<i64>(row, 3)? != 0,
        service_account: optional_id_at(row, 4)?,
        user: Arc::new(User {
            cluster,
            name: text_at(row, 5)?.into(),
            roles: json_at(row, 6)?,
        }),
        proof,
        created_at: Timestamp(number_at(row, 8)?),
        expires_at: optional_number_at(row, 9)?.map(Timestamp),
    })
}

impl Tx {
    /// Locks the cluster's row, whether the cluster serves or not: what is revoked is revoked at any time.
    pub(crate) async fn lock_credentials(&mut self, cluster: ClusterId) -> Result<(), TxError<CommandError>> {
        let held = self.lock_cluster_row::<CommandError>(cluster).await?;
        held.ok_or(CommandError::UnknownCluster)?;
        Ok(())
    }

    /// The credentials of a SCRAM user, the oldest first.
    pub(crate) async fn scram_credentials_of(
        &mut self,
        cluster: ClusterId,
        username: &str,
    ) -> Result<Vec<KafkaCredential>, TxError<CatalogError>> {
        let select = format!(
            "SELECT {COLUMNS} FROM cell_credentials \
             WHERE cluster = $1 AND username = $2 AND kind = 'scram' ORDER BY created_at, id"
        );
        let rows = self.rows(&select, args![cluster, username]).await?;
        Ok(rows.iter().map(credential_at).collect::<Result<_, _>>()?)
    }

    /// The credential of that id.
    pub(crate) async fn find_credential(
        &mut self,
        cluster: ClusterId,
        id: CredentialId,
    ) -> Result<Option<KafkaCredential>, TxError<CatalogError>> {
        let select = format!("SELECT {COLUMNS} FROM cell_credentials WHERE cluster = $1 AND id = $2");
        let row = self.row(&select, args![cluster, stored_id(id)]).await?;
        // An id of another kind that has the same digits is not it.
        Ok(row
            .as_ref()
            .map(credential_at)
            .transpose()?
            .filter(|found| found.id == id))
    }

    /// Writes the row of a credential, new or changed.
    async fn write_credential(&mut self, credential: &KafkaCredential) -> Result<(), TxError<CatalogError>> {
        let kind = match &credential.proof {
            Proof::ApiKey { .. } => "api_key",
            Proof::Scram { .. } => "scram",
        };
        let upsert = "INSERT INTO cell_credentials (id, kind, cluster, username, generated, service_account, \
                      user_name, roles, proof, created_at, expires_at) \
                      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
                      ON CONFLICT (id) DO UPDATE SET roles = excluded.roles, proof = excluded.proof, \
                      expires_at = excluded.expires_at";
        let values = args![
            stored_id(credential.id),
            kind,
            credential.cluster,
            credential.username.as_ref(),
            i64::from(credential.generated),
            credential.service_account.map(|id| id.to_string()),
            credential.user.name.as_ref(),
            sql::json(&credential.user.roles),
            sql::json(&credential.proof),
            credential.created_at,
            credential.expires_at.map(|at| at.0),
        ];
        self.execute(upsert, values).await?;
        Ok(())
    }

    async fn delete_credential_row(&mut self, id: CredentialId) -> Result<(), TxError<CatalogError>> {
        let delete = "DELETE FROM cell_credentials WHERE id = $1";
        self.execute(delete, args![stored_id(id)]).await?;
        Ok(())
    }

    /// Refuses a credential too many, and a generated user name that another cluster has.
    async fn require_room(&mut self, credential: &KafkaCredential) -> Result<(), TxError<CommandError>> {
        let count = "SELECT COUNT(*) FROM cell_credentials WHERE cluster = $1";
        let row = self.row(count, args![credential.cluster]).await?;
        let there: i64 = row
            .as_ref()
            .map(|row| number_at(row, 0))
            .transpose()?
            .unwrap_or(0);
        super::topics::within("credentials", there, 1, MAX_CREDENTIALS_PER_CLUSTER)?;
        if credential.generated {
            let elsewhere =
                "SELECT id FROM cell_credentials WHERE username = $1 AND generated = 1 AND cluster <> $2";
            let values = args![credential.username.as_ref(), credential.cluster];
            if self.row(elsewhere, values).await?.is_some() {
                let reason = "another cluster has this generated name".to_owned();
                return Err(CommandError::InvalidUserName { reason }.into());
            }
        }
        Ok(())
    }
}

/// Refuses what cannot be a second credential beside those that are there.
fn beside(credential: &KafkaCredential, others: &[KafkaCredential]) -> Result<(), CommandError> {
    if let Some(other) = others
        .iter()
        .find(|o| o.service_account != credential.service_account)
    {
        return Err(taken(other));
    }
    if others.len() >= LIVE_AT_ONCE {
        return Err(CommandError::LimitExceeded {
            which: "live credentials of one user name",
            limit: i64::try_from(LIVE_AT_ONCE).unwrap_or(i64::MAX),
        });
    }
    for mechanism in Mechanism::ALL {
        let own = credential.sealed_verifier(mechanism);
        for other in others.iter().filter_map(|other| other.sealed_verifier(mechanism)) {
            if own.is_some_and(|own| !own.shares_salt_with(other)) {
                let reason = "salt and iterations differ from those of the user's other password".to_owned();
                return Err(CommandError::UnacceptableCredential { reason });
            }
        }
    }
    Ok(())
}

/// A user name that somebody else has.
fn taken(owner: &KafkaCredential) -> CommandError {
    let name = owner.username.to_string();
    match owner.service_account {
        Some(account) => CommandError::OwnedByServiceAccount { name, account },
        None => CommandError::UserExists { name },
    }
}

/// Refuses a name that a database may not even be asked for.
fn without_controls(name: &str) -> Result<(), CommandError> {
    match name.chars().any(char::is_control) {
        true => Err(CommandError::InvalidUserName {
            reason: "it contains a control character".to_owned(),
        }),
        false => Ok(()),
    }
}

fn check_verifier(verifier: &SealedVerifier) -> Result<(), CommandError> {
    let refuse = |reason: String| Err(CommandError::UnacceptableCredential { reason });
    if !ALLOWED_ITERATIONS.contains(&verifier.iterations) {
        return refuse(format!(
            "iterations must be from {} to {}, not {}",
            ALLOWED_ITERATIONS.start(),
            ALLOWED_ITERATIONS.end(),
            verifier.iterations
        ));
    }
    if verifier.salt.is_empty() || verifier.salt.len() > MOST_SALT {
        return refuse(format!("the salt must have 1 to {MOST_SALT} bytes"));
    }
    Ok(())
}

/// The verifier's place in a proof.
fn place(proof: &mut Proof, mechanism: Mechanism) -> Option<&mut Option<SealedVerifier>> {
    match (proof, mechanism) {
        (Proof::ApiKey { .. }, _) => None,
        (Proof::Scram { sha256, .. }, Mechanism::Sha256) => Some(sha256),
        (Proof::Scram { sha512, .. }, Mechanism::Sha512) => Some(sha512),
    }
}

fn nothing<T>(value: T) -> Committed<T> {
    Committed {
        value,
        sequence: None,
    }
}

impl Catalog {
    /// Gives a cluster a credential. `sequence` is `None` if it has this very one already.
    pub async fn put_credential(
        &self,
        actor: &Actor,
        command: PutCredential,
    ) -> Result<Committed<KafkaCredential>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            let cluster = command.credential.cluster;
            self.authorize_by_rows(&mut tx, actor, Operation::AlterCredentials, cluster)
                .await?;
            tx.lock_cluster(command.credential.cluster).await?;
            self.put_credential_in(&mut tx, actor, &command.credential, command.validate_only)
                .await
        }
        .await);
        self.finish("put_credential", outcome)
    }

    /// Gives a cluster whose row is locked a credential that the actor may give.
    pub(crate) async fn put_credential_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        credential: &KafkaCredential,
        validate_only: bool,
    ) -> Result<Committed<KafkaCredential>, TxError<CommandError>> {
        let there = tx.find_credential(credential.cluster, credential.id).await?;
        if there.as_ref() == Some(credential) {
            return Ok(nothing(credential.clone()));
        }
        if there.is_none() {
            tx.require_room(credential).await?;
        }
        if matches!(credential.proof, Proof::Scram { .. }) {
            if !credential.generated {
                let valid = validate_username(&credential.username);
                valid.map_err(|reason| CommandError::InvalidUserName { reason })?;
            }
            let mut others = tx
                .scram_credentials_of(credential.cluster, &credential.username)
                .await?;
            others.retain(|other| other.id != credential.id);
            let now = self.env().now();
            let (live, over): (Vec<_>, Vec<_>) = others.into_iter().partition(|other| other.is_live(now));
            beside(credential, &live)?;
            if !validate_only {
                for expired in over {
                    self.remove_credential_in(tx, actor, &expired).await?;
                }
            }
        }
        if validate_only {
            return Ok(nothing(credential.clone()));
        }
        let before = there.as_ref().map_or(Value::Null, credential_detail);
        let mut detail = changes(&before, &credential_detail(credential));
        if there.is_some_and(|there| there.proof != credential.proof) {
            detail["proof"] = "changed".into();
        }
        tx.write_credential(credential).await?;
        let change = Change::CredentialPut {
            credential: credential.clone(),
        };
        let audited = Audited {
            action: "put_credential",
            kind: "credential",
            resource: &credential.id.to_string(),
            detail,
        };
        let sequence = self
            .record(tx, actor, credential.cluster, audited, change)
            .await?;
        Ok(Committed {
            value: credential.clone(),
            sequence: Some(sequence),
        })
    }

    /// Revokes a credential; gives what it was.
    pub async fn remove_credential(
        &self,
        actor: &Actor,
        command: RemoveCredential,
    ) -> Result<Committed<KafkaCredential>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| async {
            self.authorize_by_rows(&mut tx, actor, Operation::AlterCredentials, command.cluster)
                .await?;
            tx.lock_credentials(command.cluster).await?;
            let found = tx.find_credential(command.cluster, command.id).await?;
            let found = found.ok_or(CommandError::UnknownCredential)?;
            if command.validate_only {
                return Ok(nothing(found));
            }
            self.remove_credential_in(&mut tx, actor, &found).await
        }
        .await);
        self.finish("remove_credential", outcome)
    }

    /// Revokes a credential of a cluster whose row is locked.
    pub(crate) async fn remove_credential_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        credential: &KafkaCredential,
    ) -> Result<Committed<KafkaCredential>, TxError<CommandError>> {
        tx.delete_credential_row(credential.id).await?;
        let change = Change::CredentialRemoved { id: credential.id };
        let audited = Audited {
            action: "remove_credential",
            kind: "credential",
            resource: &credential.id.to_string(),
            detail: difference(credential_detail(credential), Value::Null),
        };
        let sequence = self
            .record(tx, actor, credential.cluster, audited, change)
            .await?;
        Ok(Committed {
            value: credential.clone(),
            sequence: Some(sequence),
        })
    }

    /// Changes the passwords of a SCRAM user; gives what is left of it. Users that belong to a service account are left alone.
    pub async fn alter_scram_user(
        &self,
        actor: &Actor,
        command: AlterScramUser,
    ) -> Result<Committed<KafkaCredential>, CommandError> {
        let fresh = CredentialId::Scram(ScramCredentialId(self.env().random_u128()));
        let outcome = transaction!(self.store(), write, |tx| self
            .alter_scram_user_in(&mut tx, actor, &command, fresh)
            .await);
        self.finish("alter_scram_user", outcome)
    }

    async fn alter_scram_user_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &AlterScramUser,
        fresh: CredentialId,
    ) -> Result<Committed<KafkaCredential>, TxError<CommandError>> {
        self.authorize_by_rows(tx, actor, Operation::AlterCredentials, command.cluster)
            .await?;
        command.check()?;
        if command.upserts.is_empty() {
            tx.lock_credentials(command.cluster).await?;
        } else {
            tx.lock_cluster(command.cluster).await?;
        }
        let there = tx.scram_credentials_of(command.cluster, &command.name).await?;
        if let Some(owned) = there.iter().find(|one| one.service_account.is_some()) {
            return Err(taken(owned).into());
        }
        let user = there.into_iter().next();
        let mut credential = user.unwrap_or_else(|| self.new_user(fresh, command));
        if !credential.user.roles.is_empty() {
            // From before there were ACLs. It keeps its role until somebody alters it, so that no running client is cut off.
            let mut user = credential.user.as_ref().clone();
            user.roles = RoleSet::NONE;
            credential.user = Arc::new(user);
        }
        for mechanism in &command.deletions {
            let verifier = place(&mut credential.proof, *mechanism);
            if verifier.and_then(Option::take).is_none() {
                return Err(CommandError::UnknownCredential.into());
            }
        }
        for (mechanism, verifier) in &command.upserts {
            if let Some(place) = place(&mut credential.proof, *mechanism) {
                *place = Some(verifier.clone());
            }
        }
        let has = |mechanism| credential.sealed_verifier(mechanism).is_some();
        match (Mechanism::ALL.into_iter().any(has), command.validate_only) {
            (true, validate_only) => {
                self.put_credential_in(tx, actor, &credential, validate_only)
                    .await
            }
            (false, true) => Ok(nothing(credential)),
            (false, false) => self.remove_credential_in(tx, actor, &credential).await,
        }
    }

    /// A user that Kafka's tools make: only ACLs let it do anything.
    fn new_user(&self, id: CredentialId, command: &AlterScramUser) -> KafkaCredential {
        let name: Arc<str> = command.name.as_str().into();
        KafkaCredential {
            id,
            cluster: command.cluster,
            username: Arc::clone(&name),
            generated: false,
            service_account: None,
            user: Arc::new(User {
                cluster: command.cluster,
                name,
                roles: RoleSet::NONE,
            }),
            proof: Proof::Scram {
                sha256: None,
                sha512: None,
            },
            created_at: self.env().now(),
            expires_at: None,
        }
    }
}
