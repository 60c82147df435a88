//! API keys: what a service account shows itself with to the REST API, and to Kafka in one cluster.
//!
//! The store has a keyed digest of a key, which the issuer made. A key that names a cluster works there as SASL/PLAIN too: its
//! credential in the cell has the same id. The account store says what shall be and goes first, both ways: so a key that was revoked
//! stays revoked whatever crashes, and [`Catalog::reconcile_credentials`] brings to the cell what it does not have yet.

mod bringing;

use std::fmt;

use firn_runtime::Timestamp;
use serde_json::json as detail;
use sqlx::any::AnyRow;

use super::AccountError;
use super::service_accounts::{MAX_NAME, check_text};
use crate::access::{Permission, Scope};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::commands::{Actor, Committed};
use crate::credential::LIVE_AT_ONCE;
use crate::ids::{ApiKeyId, ClusterId, OrganizationId, ProjectId, ServiceAccountId};
use crate::sql::{
    Tx, TxError, args, id_at, number_at, optional_id_at, optional_number_at, text_at, transaction,
};

/// How many API keys of one service account for the same cluster, or for none, may be active at once.
pub const ACTIVE_KEYS: i64 = LIVE_AT_ONCE as i64;

/// An API key, without what it is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, which is also the user name of SASL/PLAIN.
    pub id: ApiKeyId,
    /// Whose it is.
    pub service_account: ServiceAccountId,
    /// The cluster in which Kafka clients may use it.
    pub cluster: Option<ClusterId>,
    /// Its name, in its owner's words.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it does not hold.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// The keyed digest of a whole API key. Its debug form says nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyDigest(pub String);

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(..)")
    }
}

/// Issues an API key. Its id is part of its text, so the issuer makes both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApiKey {
    /// Its id: random, and never used before.
    pub id: ApiKeyId,
    /// Whose it is to be.
    pub service_account: ServiceAccountId,
    /// The cluster in which Kafka clients may use it.
    pub cluster: Option<ClusterId>,
    /// Its name.
    pub name: String,
    /// What it is checked against.
    pub digest: KeyDigest,
    /// From when on it does not hold.
    pub expires_at: Option<Timestamp>,
}

/// What a request with an API key is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInForce {
    /// The key.
    pub key: ApiKey,
    /// What its text must match.
    pub digest: KeyDigest,
    /// The organization that its service account is of.
    pub organization: OrganizationId,
}

/// Which keys to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysOf {
    /// All of a project.
    Project(ProjectId),
    /// Those of one service account.
    ServiceAccount(ServiceAccountId),
}

const KIND: &str = "api_key";
const WHAT: &str = "API key";
const COLUMNS: &str = "k.id, k.service_account, k.cluster, k.name, k.created_at, k.expires_at, k.last_used_at, k.digest, k.revoked_at";

fn key_at(row: &AnyRow) -> Result<ApiKey, CatalogError> {
    Ok(ApiKey {
        id: id_at(row, 0)?,
        service_account: id_at(row, 1)?,
        cluster: optional_id_at(row, 2)?,
        name: text_at(row, 3)?,
        created_at: Timestamp(number_at(row, 4)?),
        expires_at: optional_number_at(row, 5)?.map(Timestamp),
        last_used_at: optional_number_at(row, 6)?.map(Timestamp),
    })
}

/// Checks when a credential is to expire.
pub(super) fn check_expiry(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), AccountError> {
    match expires_at {
        Some(at) if at <= now => Err(AccountError::Invalid {
            pointer: "/expires_at",
            reason: "it must be in the future".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// A key's row, with what only the store knows.
struct Row {
    key: ApiKey,
    digest: KeyDigest,
    revoked: bool,
}

fn row_at(row: &AnyRow) -> Result<Row, CatalogError> {
    Ok(Row {
        key: key_at(row)?,
        digest: KeyDigest(text_at(row, 7)?),
        revoked: optional_number_at(row, 8)?.is_some(),
    })
}

impl Tx {
    /// The key and its organization, if a role of the actor's allows this in its project. A revoked one is not there.
    async fn require_key(
        &mut self,
        actor: &Actor,
        id: ApiKeyId,
        permission: Permission,
    ) -> Result<(ApiKey, OrganizationId), TxError<AccountError>> {
        let select =
            format!("SELECT {COLUMNS} FROM account_api_keys k WHERE k.id = $1 AND k.revoked_at IS NULL");
        let row = self.row(&select, args![id]).await?;
        let key = row.as_ref().map(key_at).transpose()?;
        let missing = || AccountError::NotFound { what: WHAT };
        // Absent ones ask like foreign ones, of a service account that is none.
        let account = key
            .as_ref()
            .map_or(ServiceAccountId(id.0), |key| key.service_account);
        match self.require_service_account(actor, account, permission).await {
            Ok((_, organization)) => Ok((key.ok_or_else(missing)?, organization)),
            Err(TxError::Refused(AccountError::NotFound { .. })) => Err(missing().into()),
            Err(error) => Err(error),
        }
    }

    /// Refuses a third active key for the same cluster, or for none.
    async fn require_room_for_key(
        &mut self,
        new: &NewApiKey,
        now: Timestamp,
    ) -> Result<(), TxError<AccountError>> {
        let count = "SELECT COUNT(*) FROM account_api_keys WHERE service_account = $1 AND COALESCE(cluster, '') = $2 \
                     AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)";
        let cluster = new.cluster.map_or(String::new(), |id| id.to_string());
        let row = self.row(count, args![new.service_account, cluster, now]).await?;
        let there: i64 = row
            .as_ref()
            .map(|row| number_at(row, 0))
            .transpose()?
            .unwrap_or(0);
        if there < ACTIVE_KEYS {
            return Ok(());
        }
        Err(AccountError::LimitExceeded {
            which: "active API keys of a service account for the same cluster",
            limit: ACTIVE_KEYS,
        }
        .into())
    }
}

impl Catalog {
    /// Issues an API key. `sequence` is where brokers learn of it, if it is for a cluster.
    pub async fn create_api_key(
        &self,
        actor: &Actor,
        new: NewApiKey,
        rehearsal: bool,
    ) -> Result<Committed<ApiKey>, AccountError> {
        let now = self.env().now();
        let checked = check_text("/name", &new.name, 0, MAX_NAME).and(check_expiry(new.expires_at, now));
        let outcome = match checked {
            Ok(()) => transaction!(self.store(), write, |tx| {
                create_in(&mut tx, actor, &new, now, rehearsal).await
            }),
            Err(error) => Err(error),
        };
        let account = new.service_account;
        let key = self
            .finish_of_account(actor, account, "create_api_key", outcome)
            .await?;
        let sequence = match rehearsal {
            true => None,
            false => self.bring_key(actor, key.id).await?,
        };
        Ok(Committed { value: key, sequence })
    }

    /// An API key that the actor may see.
    pub async fn api_key(&self, actor: &Actor, id: ApiKeyId) -> Result<ApiKey, AccountError> {
        let found: Result<_, AccountError> = transaction!(self.store(), snapshot, |tx| tx
            .require_key(actor, id, Permission::ViewCluster)
            .await);
        Ok(found?.0)
    }

    /// API keys that are not revoked, in the order of their ids, from the one after `after` on, at most `most`.
    pub async fn api_keys(
        &self,
        actor: &Actor,
        of: KeysOf,
        cluster: Option<ClusterId>,
        after: Option<ApiKeyId>,
        most: usize,
    ) -> Result<Vec<ApiKey>, AccountError> {
        transaction!(self.store(), snapshot, |tx| list_in(
            &mut tx, actor, of, cluster, after, most
        )
        .await)
    }

    /// Revokes an API key. `sequence` is where brokers learn of it, if it was for a cluster. What it signed stops with it.
    pub async fn revoke_api_key(
        &self,
        actor: &Actor,
        id: ApiKeyId,
        rehearsal: bool,
    ) -> Result<Committed<ApiKey>, AccountError> {
        let outcome = transaction!(self.store(), write, |tx| revoke_in(&mut tx, actor, id, rehearsal)
            .await);
        let account = self.account_of_key(id).await?;
        let key = self
            .finish_of_account(actor, account, "revoke_api_key", outcome)
            .await?;
        let sequence = match rehearsal {
            true => None,
            false => self.bring_key(actor, id).await?,
        };
        Ok(Committed { value: key, sequence })
    }

    /// What requests with this key are checked against; `None` of one that never was, was revoked or has expired.
    pub async fn api_key_in_force(&self, id: ApiKeyId) -> Result<Option<KeyInForce>, CatalogError> {
        let now = self.env().now();
        transaction!(self.store(), snapshot, |tx| in_force_in(&mut tx, id, now).await)
    }

    /// Whose a key is; of one that is not there, nobody's.
    async fn account_of_key(&self, id: ApiKeyId) -> Result<ServiceAccountId, AccountError> {
        let select = "SELECT service_account FROM account_api_keys WHERE id = $1";
        let found: Result<Option<ServiceAccountId>, AccountError> =
            transaction!(self.store(), snapshot, |tx| async {
                let row = tx.row(select, args![id]).await?;
                Ok::<_, TxError<AccountError>>(row.as_ref().map(|row| id_at(row, 0)).transpose()?)
            }
            .await);
        Ok(found?.unwrap_or(ServiceAccountId(id.0)))
    }
}

async fn create_in(
    tx: &mut Tx,
    actor: &Actor,
    new: &NewApiKey,
    now: Timestamp,
    rehearsal: bool,
) -> Result<ApiKey, TxError<AccountError>> {
    tx.lock_service_account(new.service_account).await?;
    let (account, organization) = tx
        .require_service_account(actor, new.service_account, Permission::ManageCredentials)
        .await?;
    tx.require_power_over(actor, account.id).await?;
    if let Some(cluster) = new.cluster
        && !tx.is_in_project(cluster, account.project).await?
    {
        return Err(AccountError::NotFound { what: "cluster" }.into());
    }
    tx.require_room_for_key(new, now).await?;
    let key = ApiKey {
        id: new.id,
        service_account: account.id,
        cluster: new.cluster,
        name: new.name.clone(),
        created_at: now,
        expires_at: new.expires_at,
        last_used_at: None,
    };
    let insert = "INSERT INTO account_api_keys (id, service_account, cluster, name, digest, created_at, expires_at, \
                  applied) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let values = args![
        key.id,
        key.service_account,
        key.cluster.map(|id| id.to_string()),
        key.name.as_str(),
        new.digest.0.as_str(),
        key.created_at,
        key.expires_at.map(|at| at.0),
        i64::from(key.cluster.is_none()),
    ];
    tx.execute(insert, values).await?;
    let told = detail!({
        "name": key.name,
        "service_account": key.service_account.public(),
        "cluster": key.cluster.map(ClusterId::public),
        "expires_at": key.expires_at.map(|at| at.0),
    });
    tx.account_audit(
        actor,
        organization,
        "create_api_key",
        KIND,
        &key.id.public(),
        &told,
    )
    .await?;
    if rehearsal {
        tx.rehearse();
    }
    Ok(key)
}

async fn list_in(
    tx: &mut Tx,
    actor: &Actor,
    of: KeysOf,
    cluster: Option<ClusterId>,
    after: Option<ApiKeyId>,
    most: usize,
) -> Result<Vec<ApiKey>, TxError<AccountError>> {
    let (column, value) = match of {
        KeysOf::Project(id) => {
            tx.require(actor, Scope::Project(id), Permission::ViewCluster)
                .await?;
            ("s.project", id.to_string())
        }
        KeysOf::ServiceAccount(id) => {
            tx.require_service_account(actor, id, Permission::ViewCluster)
                .await?;
            ("s.id", id.to_string())
        }
    };
    let select = format!(
        "SELECT {COLUMNS} FROM account_api_keys k JOIN account_service_accounts s ON s.id = k.service_account \
         WHERE {column} = $1 AND k.id > $2 AND k.revoked_at IS NULL AND ($3 = '' OR k.cluster = $3) \
         ORDER BY k.id LIMIT $4"
    );
    let after = after.map_or(String::new(), |id| id.to_string());
    let cluster = cluster.map_or(String::new(), |id| id.to_string());
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let rows = tx.rows(&select, args![value, after, cluster, most]).await?;
    Ok(rows.iter().map(key_at).collect::<Result<_, _>>()?)
}

async fn revoke_in(
    tx: &mut Tx,
    actor: &Actor,
    id: ApiKeyId,
    rehearsal: bool,
) -> Result<ApiKey, TxError<AccountError>> {
    let (key, organization) = tx.require_key(actor, id, Permission::ManageCredentials).await?;
    let revoke = "UPDATE account_api_keys SET digest = '', revoked_at = $2, applied = 0 WHERE id = $1";
    let now = tx.env().now();
    tx.execute(revoke, args![id, now]).await?;
    let told = detail!({ "name": key.name, "service_account": key.service_account.public() });
    tx.account_audit(actor, organization, "revoke_api_key", KIND, &id.public(), &told)
        .await?;
    if rehearsal {
        tx.rehearse();
    }
    Ok(key)
}

async fn in_force_in(
    tx: &mut Tx,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<Option<KeyInForce>, TxError<CatalogError>> {
    let select = format!(
        "SELECT {COLUMNS}, p.organization FROM account_api_keys k \
         JOIN account_service_accounts s ON s.id = k.service_account JOIN account_projects p ON p.id = s.project \
         WHERE k.id = $1 AND k.revoked_at IS NULL AND s.deleted_at IS NULL \
         AND (k.expires_at IS NULL OR k.expires_at > $2)"
    );
    let Some(row) = tx.row(&select, args![id, now]).await? else {
        return Ok(None);
    };
    let Row { key, digest, .. } = row_at(&row)?;
    Ok(Some(KeyInForce {
        key,
        digest,
        organization: id_at(&row, 9)?,
    }))
}
