//! Pools of certificate authorities of a cluster: whose certificates it takes from Kafka clients. The cluster's lock guards them.

use serde_json::{Value, json};

use super::{Actor, CommandError, Committed, Operation, Resource};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::feed::Change;
use crate::ids::{CaPoolId, ClusterId};
use crate::sql::access::{TRUST_COLUMNS, ca_pool_at};
use crate::sql::{self, Audited, Tx, TxError, args, transaction};
use crate::trust::{CaPool, CaPoolBody, MAX_CA_POOLS, NameSource, PrincipalMapping};

const WHAT: &str = "CA pool";

/// Makes a pool of a cluster, or changes one. What is `None` stays as it is, and is empty in a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutCaPool {
    /// Of which cluster.
    pub cluster: ClusterId,
    /// Which one changes; `None`: a new one.
    pub id: Option<CaPoolId>,
    /// Its name.
    pub name: Option<String>,
    /// The authorities' certificates, in PEM.
    pub certificates: Option<Vec<String>>,
    /// Revocation lists, in PEM.
    pub revocation_lists: Option<Vec<String>>,
    /// How certificates become names; in a new one the whole subject is the name.
    pub mapping: Option<PrincipalMapping>,
    /// Refused if it is there in another version.
    pub expected: Option<i64>,
    /// Only say whether it would work.
    pub validate_only: bool,
}

/// Removes a pool of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveCaPool {
    /// Of which cluster.
    pub cluster: ClusterId,
    /// Which.
    pub id: CaPoolId,
    /// Refused if it is there in another version.
    pub expected: Option<i64>,
    /// Only say whether it would work.
    pub validate_only: bool,
}

impl PutCaPool {
    /// What the pool is to be, which was this before.
    fn applied_to(&self, before: Option<&CaPool>) -> (String, CaPoolBody) {
        let (name, body) = match before {
            Some(before) => (before.name.clone(), before.body.clone()),
            None => (
                String::new(),
                CaPoolBody {
                    certificates: Vec::new(),
                    revocation_lists: Vec::new(),
                    mapping: PrincipalMapping {
                        source: NameSource::Subject,
                        rules: "DEFAULT".to_owned(),
                    },
                },
            ),
        };
        let body = CaPoolBody {
            certificates: self.certificates.clone().unwrap_or(body.certificates),
            revocation_lists: self.revocation_lists.clone().unwrap_or(body.revocation_lists),
            mapping: self.mapping.clone().unwrap_or(body.mapping),
        };
        (self.name.clone().unwrap_or(name), body)
    }
}

impl Tx {
    /// The pools of a cluster, in the order of their ids.
    async fn ca_pools(&mut self, cluster: ClusterId) -> Result<Vec<CaPool>, TxError<CatalogError>> {
        let select = format!("SELECT {TRUST_COLUMNS} FROM cell_ca_pools WHERE cluster = $1 ORDER BY id");
        let rows = self.rows(&select, args![cluster]).await?;
        Ok(rows.iter().map(ca_pool_at).collect::<Result<_, _>>()?)
    }

    async fn write_ca_pool(&mut self, pool: &CaPool) -> Result<(), TxError<CatalogError>> {
        let upsert = "INSERT INTO cell_ca_pools (id, cluster, name, body, version, created_at) \
                      VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET \
                      name = excluded.name, body = excluded.body, version = excluded.version";
        let values = args![
            pool.id.to_string(),
            pool.cluster,
            pool.name.as_str(),
            sql::json(&pool.body),
            pool.version,
            pool.created_at,
        ];
        self.execute(upsert, values).await?;
        Ok(())
    }
}

/// What the audit trail shows of a pool: which certificates and lists, not their bytes.
fn told(pool: &CaPool) -> Value {
    let Ok(facts) = pool.body.facts() else {
        return json!({"name": pool.name});
    };
    let certificates = facts.certificates.iter();
    let lists = facts.revocation_lists.iter();
    json!({
        "name": pool.name,
        "certificates": certificates
            .map(|one| json!({"subject": one.subject, "serial": one.serial, "fingerprint": one.fingerprint}))
            .collect::<Vec<_>>(),
        "revocation_lists": lists
            .map(|one| json!({"issuer": one.issuer, "count": one.count, "this_update_ms": one.this_update}))
            .collect::<Vec<_>>(),
        "mapping": pool.body.mapping,
    })
}

/// The pool of that id, if it has the version that is expected.
fn find(there: &[CaPool], id: CaPoolId, expected: Option<i64>) -> Result<CaPool, CommandError> {
    let found = there.iter().find(|pool| pool.id == id);
    let found = found.ok_or(CommandError::UnknownTrust { what: WHAT })?;
    match expected {
        Some(expected) if expected != found.version => Err(CommandError::VersionMismatch {
            current: found.version,
        }),
        _ => Ok(found.clone()),
    }
}

/// Refuses a pool whose name another one has, or an authority of which another one has: a client's certificate names one pool.
fn beside(pool: &CaPool, there: &[CaPool]) -> Result<(), CommandError> {
    let own = pool.body.authority_keys();
    for other in there.iter().filter(|other| other.id != pool.id) {
        if other.name == pool.name {
            return Err(CommandError::TrustExists {
                what: "a CA pool of this name",
                name: pool.name.clone(),
            });
        }
        if !own.is_disjoint(&other.body.authority_keys()) {
            return Err(CommandError::TrustExists {
                what: "a CA pool with one of these authorities",
                name: other.name.clone(),
            });
        }
    }
    Ok(())
}

impl Catalog {
    /// Makes or changes a pool. `sequence` is `None` if it is as it was.
    pub async fn put_ca_pool(
        &self,
        actor: &Actor,
        command: PutCaPool,
    ) -> Result<Committed<CaPool>, CommandError> {
        let fresh = CaPoolId(self.env().random_u128());
        let outcome = transaction!(self.store(), write, |tx| self
            .put_ca_pool_in(&mut tx, actor, &command, fresh)
            .await);
        self.finish("put_ca_pool", outcome)
    }

    async fn put_ca_pool_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &PutCaPool,
        fresh: CaPoolId,
    ) -> Result<Committed<CaPool>, TxError<CommandError>> {
        self.authorize(actor, Operation::ManageTrust, &Resource::Cluster(command.cluster))?;
        tx.lock_cluster(command.cluster).await?;
        let there = tx.ca_pools(command.cluster).await?;
        let before = match command.id {
            Some(id) => Some(find(&there, id, command.expected)?),
            None => None,
        };
        let now = self.env().now();
        let (name, body) = command.applied_to(before.as_ref());
        CaPool::check_name(&name).map_err(CommandError::from)?;
        let new_from = command.certificates.as_ref().map(|_| now);
        let body = body.checked(new_from).map_err(CommandError::from)?;
        let pool = CaPool {
            id: command.id.unwrap_or(fresh),
            cluster: command.cluster,
            name,
            body,
            version: before.as_ref().map_or(1, |before| before.version + 1),
            created_at: before.as_ref().map_or(now, |before| before.created_at),
        };
        beside(&pool, &there)?;
        if before.is_none() {
            let count = i64::try_from(there.len()).unwrap_or(i64::MAX);
            super::topics::within("CA pools", count, 1, MAX_CA_POOLS)?;
        }
        if let Some(before) = &before
            && (&before.name, &before.body) == (&pool.name, &pool.body)
        {
            return Ok(unchanged(before.clone()));
        }
        if command.validate_only {
            return Ok(unchanged(pool));
        }
        tx.write_ca_pool(&pool).await?;
        let resource = pool.id.public();
        let audited = Audited {
            action: match before {
                Some(_) => "update_ca_pool",
                None => "create_ca_pool",
            },
            kind: "ca_pool",
            resource: &resource,
            detail: json!({"before": before.as_ref().map(told), "after": told(&pool)}),
        };
        let change = Change::CaPoolPut { pool: pool.clone() };
        let sequence = self.record(tx, actor, command.cluster, audited, change).await?;
        Ok(Committed {
            value: pool,
            sequence: Some(sequence),
        })
    }

    /// Removes a pool, whether its cluster serves or not; gives what it was.
    pub async fn remove_ca_pool(
        &self,
        actor: &Actor,
        command: RemoveCaPool,
    ) -> Result<Committed<CaPool>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| self
            .remove_ca_pool_in(&mut tx, actor, &command)
            .await);
        self.finish("remove_ca_pool", outcome)
    }

    async fn remove_ca_pool_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &RemoveCaPool,
    ) -> Result<Committed<CaPool>, TxError<CommandError>> {
        self.authorize(actor, Operation::ManageTrust, &Resource::Cluster(command.cluster))?;
        tx.lock_credentials(command.cluster).await?;
        let there = tx.ca_pools(command.cluster).await?;
        let found = find(&there, command.id, command.expected)?;
        if command.validate_only {
            return Ok(unchanged(found));
        }
        let delete = "DELETE FROM cell_ca_pools WHERE id = $1";
        tx.execute(delete, args![command.id.to_string()]).await?;
        let change = Change::CaPoolRemoved {
            cluster: command.cluster,
            id: command.id,
        };
        let resource = command.id.public();
        let audited = Audited {
            action: "delete_ca_pool",
            kind: "ca_pool",
            resource: &resource,
            detail: json!({"before": told(&found), "after": null}),
        };
        let sequence = self.record(tx, actor, command.cluster, audited, change).await?;
        Ok(Committed {
            value: found,
            sequence: Some(sequence),
        })
    }
}

fn unchanged(value: CaPool) -> Committed<CaPool> {
    Committed {
        value,
        sequence: None,
    }
}
