//! The networks from which Kafka clients of a cluster may come.

use ipnet::IpNet;
use serde_json::json;

use super::{Actor, CommandError, Committed, Operation, Resource};
use crate::audit::difference;
use crate::catalog::Catalog;
use crate::feed::Change;
use crate::ids::ClusterId;
use crate::networks;
use crate::sql::{self, Audited, Tx, TxError, args, transaction};

/// Says from where the Kafka clients of a cluster may come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterClusterNetworks {
    /// Which cluster.
    pub cluster: ClusterId,
    /// All networks, as [`networks::parse`] gives them; none: from anywhere.
    pub networks: Vec<IpNet>,
    /// The version of the list that the actor read; `None`: whatever it is.
    pub expected: Option<i64>,
    /// Only say whether it would work.
    pub validate_only: bool,
}

impl Catalog {
    /// Says from where the Kafka clients of a cluster may come: live connections from elsewhere are closed. `sequence` is `None` if
    /// it was so already.
    pub async fn alter_cluster_networks(
        &self,
        actor: &Actor,
        command: AlterClusterNetworks,
    ) -> Result<Committed<Vec<IpNet>>, CommandError> {
        let outcome = transaction!(self.store(), write, |tx| {
            self.alter_cluster_networks_in(&mut tx, actor, &command).await
        });
        self.finish("alter_cluster_networks", outcome)
    }

    async fn alter_cluster_networks_in(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        command: &AlterClusterNetworks,
    ) -> Result<Committed<Vec<IpNet>>, TxError<CommandError>> {
        let id = command.cluster;
        self.authorize(actor, Operation::ManageTrust, &Resource::Cluster(id))?;
        let before = tx.lock_cluster(id).await?.networks;
        let current = networks::version(&before);
        if command.expected.is_some_and(|expected| expected != current) {
            return Err(CommandError::VersionMismatch { current }.into());
        }
        let mut committed = Committed {
            value: command.networks.clone(),
            sequence: None,
        };
        if command.validate_only || before == command.networks {
            return Ok(committed);
        }
        let update = "UPDATE cell_clusters SET networks = $2 WHERE id = $1";
        tx.execute(update, args![id, sql::json(&command.networks)])
            .await?;
        let audited = Audited {
            action: "alter_cluster_networks",
            kind: "cluster",
            resource: &id.public(),
            detail: difference(
                json!({ "networks": before }),
                json!({ "networks": command.networks }),
            ),
        };
        let change = Change::ClusterNetworksChanged {
            cluster: id,
            networks: command.networks.clone(),
        };
        committed.sequence = Some(self.record(tx, actor, id, audited, change).await?);
        Ok(committed)
    }
}
