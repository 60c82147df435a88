//! Identity providers of a cluster: whose tokens it takes from Kafka clients. The cluster's lock guards them.

use serde_json::{Value, json};

use super::{Actor, CommandError, Committed, Operation, Resource};
use crate::catalog::Catalog;
use crate::cell::CatalogError;
use crate::feed::Change;
use crate::ids::{ClusterId, IdentityProviderId};
use crate::sql::access::{TRUST_COLUMNS, identity_provider_at};
use crate::sql::{self, Audited, Tx, TxError, args, transaction};
use crate::trust::{IdentityProvider, IdentityProviderBody};

/// How many identity providers one cluster may have.
pub const MAX_IDENTITY_PROVIDERS: i64 = 10;

const WHAT: &str = "identity provider";

/// Makes an identity provider of a cluster, or changes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutIdentityProvider {
    /// Of which cluster.
    pub cluster: ClusterId,
    /// Which one changes; `None`: a new one.
    pub id: Option<IdentityProviderId>,
    /// Its name.
    pub name: String,
    /// What it says.
    pub body: IdentityProviderBody,
    /// Refused if it is there in another version.
    pub expected: Option<i64>,
    /// Only say whether it would work.
    pub validate_only: bool,
}

/// Removes an identity provider of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveIdentityProvider {
    /// Of which cluster.
    pub cluster: ClusterId,
    /// Which.
    pub id: IdentityProviderId,
    /// Refused if it is there in another version.
    pub expected: Option<i64>,
    /// Only say whether it would work.
    pub validate_only: bool,
}

impl Tx {
    /// The identity providers of a cluster, in the order of their ids.
    async fn identity_providers(
        &mut self,
        cluster: ClusterId,
    ) -> Result<Vec<IdentityProvider>, TxError<CatalogError>> {
        let select =
            format!("SELECT {TRUST_COLUMNS} FROM cell_identity_providers WHERE cluster = $1 ORDER BY id");
        let rows = self.rows(&select, args![cluster]).await?;
        Ok(rows.iter().map(identity_provider_at).collect::<Result<_, _>>()?)
    }

    async fn write_identity_provider(
        &mut self,
        provider: &IdentityProvider,
    ) -> Result<(), TxError<CatalogError>> {
        let upsert = "INSERT INTO cell_identity_providers (id, cluster, name, body, version, created_at) \
                      VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET \
                      name = excluded.name, body = excluded.body, version = excluded.version";
        let values = args![
            provider.id.to_string(),
            provider.cluster,
            provider.name.as_str(),
            sql::json(&provider.body),
            provider.version,
            provider.created_at,
        ];
        self.execute(upsert, values).await?;
        Ok(())
    }
}

/// What the audit trail shows of a provider.
fn told(provider: &IdentityProvider) -> Value {
    json!({"name": provider.name, "body": provider.body})
}

/// The provider of that id, if it has the version that is expected.
fn find(
    there: &[IdentityProvider],
    id: IdentityProviderId,
    expected: Option<i64>,
) -> Result<IdentityProvider, CommandError> {
    let found = there.iter().find(|provider| provider.id == id);
    let found = found.ok_or(CommandError::UnknownTrust { what: WHAT })?;
    match expected {
        Some(expected) if expected != found.version => Err(CommandError::VersionMismatch {
            current: found.version,
        }),
        _ => Ok(found.clone()),
    }
}

/// Refuses a provider whose name or issuer another one has.
fn beside(provider: &IdentityProvider, there: &[IdentityProvider]) -> Result<(), CommandError> {
    let mut others = there.iter().filter(|other| other.id != provider.id);
    let taken = |what, name: &str| {
        let name = name.to_owned();
        Err(CommandError::TrustExists { what, name })
    };
    match others.find(|other| other.name == provider.name || other.body.issuer == provider.body.issuer) {
        None => Ok(()),
        Some(other) if other.name == provider.name => {
            taken("an identity provider of this name", &provider.name)
        }
        Some(_) => taken("an identity provider with this issuer", &provider.body.issuer),
    }
}

impl Catalog {
    /// The identity provider of that id as the store has it now, for one who may change it.
    pub async fn identity_provider(
        &self,
        actor: &Actor,
        cluster: ClusterId,
        id: IdentityProviderId,
    ) -> Result<IdentityProvider, CommandError> {
        self.authorize(actor, Operation::ManageTrust, &Resource::Cluster(cluster))?;
        transaction!(self.store(), snapshot, |tx| async {
            let there = tx.identity_providers(cluster).await?;
            Ok::<_, TxError<CommandError>>(find(&there, id, None)?)
        }
        .await)
    }

    /// Makes or changes an identity provider. `sequence` is `None` if it is as it was.
    pub async fn put_identity_provider(
        &self,
        actor: &Actor,
        command: PutIdentityProvider,
    ) -> Result<Committed<IdentityProvider>, CommandError> {
        let fresh = IdentityProviderId(self.env().random_u128());
        let outcome = transaction!(self.store(), write, |tx| self
            .put_identity_provider_in(&mut tx, actor, &command, fresh)
            .await);
        self.finish("put_identity_provider", outcome)
    }

    async fn put_identity_provider_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &PutIdentityProvider,
        fresh: IdentityProviderId,
    ) -> Result<Committed<IdentityProvider>, TxError<CommandError>> {
        self.authorize(actor, Operation::ManageTrust, &Resource::Cluster(command.cluster))?;
        tx.lock_cluster(command.cluster).await?;
        let there = tx.identity_providers(command.cluster).await?;
        let before = match command.id {
            Some(id) => Some(find(&there, id, command.expected)?),
            None => None,
        };
        let provider = IdentityProvider {
            id: command.id.unwrap_or(fresh),
            cluster: command.cluster,
            name: command.name.clone(),
            body: command.body.clone(),
            version: before.as_ref().map_or(1, |before| before.version + 1),
            created_at: before
                .as_ref()
                .map_or_else(|| self.env().now(), |before| before.created_at),
        };
        provider.check()?;
        beside(&provider, &there)?;
        if before.is_none() {
            let count = i64::try_from(there.len()).unwrap_or(i64::MAX);
            super::topics::within("identity providers", count, 1, MAX_IDENTITY_PROVIDERS)?;
        }
        if let Some(before) = &before
            && (&before.name, &before.body) == (&provider.name, &provider.body)
        {
            return Ok(unchanged(before.clone()));
        }
        if command.validate_only {
            return Ok(unchanged(provider));
        }
        tx.write_identity_provider(&provider).await?;
        let action = match before {
            Some(_) => "update_identity_provider",
            None => "create_identity_provider",
        };
        let change = Change::IdentityProviderPut {
            provider: provider.clone(),
        };
        let resource = provider.id.public();
        let audited = Audited {
            action,
            kind: "identity_provider",
            resource: &resource,
            detail: json!({"before": before.as_ref().map(told), "after": told(&provider)}),
        };
        let sequence = self.record(tx, actor, command.cluster, audited, change).await?;
        Ok(Committed {
            value: provider,
            sequence: Some(sequence),
        })
    }

    /// Removes an identity provider, whether its cluster serves or not; gives what it was.
    pub async fn remove_identity_provider(
        &self,
        actor: &Actor,
        command: RemoveIdentityProvider,
    ) -> Result<Committed<IdentityProvider>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| self
            .remove_identity_provider_in(&mut tx, actor, &command)
            .await);
        self.finish("remove_identity_provider", outcome)
    }

    async fn remove_identity_provider_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &RemoveIdentityProvider,
    ) -> Result<Committed<IdentityProvider>, TxError<CommandError>> {
        self.authorize(actor, Operation::ManageTrust, &Resource::Cluster(command.cluster))?;
        tx.lock_credentials(command.cluster).await?;
        let there = tx.identity_providers(command.cluster).await?;
        let found = find(&there, command.id, command.expected)?;
        if command.validate_only {
            return Ok(unchanged(found));
        }
        let delete = "DELETE FROM cell_identity_providers WHERE id = $1";
        tx.execute(delete, args![command.id.to_string()]).await?;
        let change = Change::IdentityProviderRemoved {
            cluster: command.cluster,
            id: command.id,
        };
        let resource = command.id.public();
        let audited = Audited {
            action: "delete_identity_provider",
            kind: "identity_provider",
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

fn unchanged(value: IdentityProvider) -> Committed<IdentityProvider> {
    Committed {
        value,
        sequence: None,
    }
}
