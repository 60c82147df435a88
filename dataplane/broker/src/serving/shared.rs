//! What all connections of a broker share.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use firn_catalog::Catalog;
use firn_catalog::entities::Address;
use firn_catalog::ids::{ClusterId, FeedSequence, NodeId};
use firn_catalog::image::{Image, ImageFollower};
use firn_catalog::topic_config::{BrokerDefaults, ConfigMap, KafkaSettings};
use firn_log::engine::Log;
use firn_runtime::Env;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::fair_share::FairShares;
use super::login::Logins;
use super::response_room::ResponseRoom;
use super::sessions::FetchSessions;
use super::storage_limits::StorageLimits;
use crate::clients::Clients;
use crate::denials::Denials;
use crate::groups::Groups;
use crate::quotas::Ledger;
use crate::reporting::InForce;
use crate::seams::{Authorizer, Meter, Quotas};

/// How long the answer to a change waits for the other brokers to apply it. One that is so slow is taken off by its lease.
const EVERYWHERE: Duration = Duration::from_secs(2);

/// Shared by all connections.
pub(crate) struct Serving {
    pub(crate) env: Env,
    pub(crate) log: Arc<Log>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) images: Arc<ImageFollower>,
    /// Up to where in the feed this broker serves what it says.
    pub(crate) in_force: InForce,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) quotas: Arc<dyn Quotas>,
    /// What the broker itself keeps of quotas.
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) meter: Arc<dyn Meter>,
    /// Who is connected, and how much they do.
    pub(crate) clients: Arc<Clients>,
    /// What was denied, on its way to the audit trails.
    pub(crate) denials: Arc<Denials>,
    pub(crate) sessions: FetchSessions,
    pub(crate) groups: Arc<Groups>,
    pub(crate) node: NodeId,
    pub(crate) advertised: Address,
    pub(crate) kafka: KafkaSettings,
    /// How clients become somebody.
    pub(crate) logins: Logins,
    /// The cluster of anonymous connections from loopback; `None`: there are none.
    pub(crate) anonymous: Option<ClusterId>,
    pub(crate) shutdown: CancellationToken,
    /// Turns of requests whose validation takes long: each keeps a core busy, and a thread that files are read on, too.
    pub(crate) heavy_validation: Arc<Semaphore>,
    /// What each cluster has on its way into the log.
    pub(crate) fair_shares: Arc<FairShares>,
    /// Clusters that take no more records.
    pub(crate) storage_limits: Arc<StorageLimits>,
    /// Room for large Fetch responses.
    pub(crate) response_room: ResponseRoom,
    /// Names that are being created because somebody asked for them.
    pub(crate) creating: Mutex<BTreeSet<(ClusterId, String)>>,
}

impl Serving {
    /// The image as of now.
    pub(crate) fn image(&self) -> Arc<Image> {
        self.images.image()
    }

    /// Waits until this broker serves what the feed says at `sequence`, but no longer than `patience`. Whether it
    /// does.
    pub(crate) async fn reconciled(&self, sequence: Option<FeedSequence>, patience: Duration) -> bool {
        let Some(sequence) = sequence else { return true };
        self.in_force.clone().reaches(sequence, patience).await
    }

    /// Waits until every live broker serves what the feed says at `sequence`, but no longer than [`EVERYWHERE`].
    pub(crate) async fn in_force_everywhere(&self, sequence: Option<FeedSequence>) {
        if let Some(sequence) = sequence {
            self.catalog.applied_everywhere(sequence, EVERYWHERE).await;
        }
    }

    /// Calls `use_defaults` with what stands behind a cluster's topic configs.
    pub(crate) fn with_defaults<T>(
        &self,
        image: &Image,
        cluster: ClusterId,
        use_defaults: impl FnOnce(BrokerDefaults<'_>) -> T,
    ) -> T {
        let none = ConfigMap::new();
        let cluster = image.cluster(cluster).map_or(&none, |cluster| &cluster.configs);
        use_defaults(BrokerDefaults {
            cluster,
            settings: &self.kafka,
        })
    }
}
