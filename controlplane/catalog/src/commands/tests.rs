//! What each command asks the authorizer, and in which order.

use std::sync::Arc;

use firn_runtime::Env;
use parking_lot::Mutex;

use super::*;
use crate::catalog::Catalog;
use crate::cell::{LogCatalog, WalLocation};
use crate::ids::{ClusterId, IncarnationId, NodeId};
use crate::image::Image;
use crate::topic_config::{ConfigAlteration, ConfigMap};

/// Allows all but what is refused, and keeps what it was asked.
#[derive(Default)]
struct Recording {
    asked: Mutex<Vec<(Operation, Resource)>>,
    refused: Mutex<Option<Operation>>,
}

impl Authorizer for Recording {
    fn allows(&self, _: &Actor, _: Option<&Image>, operation: Operation, resource: &Resource) -> bool {
        self.asked.lock().push((operation, resource.clone()));
        *self.refused.lock() != Some(operation)
    }
}

struct Judged {
    catalog: Arc<Catalog>,
    judge: Arc<Recording>,
    actor: Actor,
    cluster: ClusterId,
    _folder: tempfile::TempDir,
}

impl Judged {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("catalog.db").display());
        let judge = Arc::new(Recording::default());
        let catalog = Catalog::open_for(&url, Env::system(), judge.clone())
            .await
            .unwrap();
        let cluster = catalog.ensure_dev().await.unwrap().cluster;
        let (id, now) = (IncarnationId(1), firn_runtime::Timestamp(1));
        catalog
            .open_incarnation(id, NodeId(0), WalLocation::Object, now)
            .await
            .unwrap();
        let actor = Actor::process(Principal::Dev { cluster }, "test");
        Self {
            catalog,
            judge,
            actor,
            cluster,
            _folder: folder,
        }
    }

    async fn create(&self) -> Result<(), CommandError> {
        let command = CreateTopic {
            cluster: self.cluster,
            name: "t".to_owned(),
            partitions: 1,
            configs: ConfigMap::new(),
            validate_only: false,
        };
        self.catalog.create_topic(&self.actor, command).await.map(|_| ())
    }

    async fn widen(&self) -> Result<(), CommandError> {
        let command = CreatePartitions {
            cluster: self.cluster,
            topic: TopicRef::Name("t".to_owned()),
            total: 2,
            validate_only: false,
        };
        self.catalog
            .create_partitions(&self.actor, command)
            .await
            .map(|_| ())
    }

    async fn alter_topic(&self) -> Result<(), CommandError> {
        let command = AlterTopicConfigs {
            cluster: self.cluster,
            topic: TopicRef::Name("t".to_owned()),
            alteration: ConfigAlteration::Replace(vec![]),
            validate_only: false,
        };
        self.catalog
            .alter_topic_configs(&self.actor, command)
            .await
            .map(|_| ())
    }

    async fn alter_cluster(&self) -> Result<(), CommandError> {
        let command = AlterClusterConfigs {
            cluster: self.cluster,
            alteration: ConfigAlteration::Replace(vec![]),
            validate_only: false,
        };
        self.catalog
            .alter_cluster_configs(&self.actor, command)
            .await
            .map(|_| ())
    }

    async fn delete(&self) -> Result<(), CommandError> {
        let command = DeleteTopic {
            cluster: self.cluster,
            topic: TopicRef::Name("t".to_owned()),
        };
        self.catalog.delete_topic(&self.actor, command).await.map(|_| ())
    }

    fn of_topic(&self, operation: Operation) -> (Operation, Resource) {
        let resource = Resource::Topic {
            cluster: self.cluster,
            name: "t".to_owned(),
        };
        (operation, resource)
    }

    fn of_cluster(&self, operation: Operation) -> (Operation, Resource) {
        (operation, Resource::Cluster(self.cluster))
    }

    fn asked(&self) -> Vec<(Operation, Resource)> {
        std::mem::take(&mut *self.judge.asked.lock())
    }
}

#[tokio::test]
async fn a_command_on_a_topic_asks_for_the_use_of_the_cluster_and_then_for_the_topic() {
    let judged = Judged::open().await;
    judged.create().await.unwrap();
    assert_eq!(judged.asked(), [judged.of_topic(Operation::CreateTopic)]);
    let using = judged.of_cluster(Operation::UseCluster);
    judged.widen().await.unwrap();
    let topic = judged.of_topic(Operation::AlterTopic);
    assert_eq!(judged.asked(), [using.clone(), topic]);
    judged.alter_topic().await.unwrap();
    let topic = judged.of_topic(Operation::AlterConfigs);
    assert_eq!(judged.asked(), [using.clone(), topic]);
    judged.delete().await.unwrap();
    let topic = judged.of_topic(Operation::DeleteTopic);
    assert_eq!(judged.asked(), [using, topic]);
    judged.alter_cluster().await.unwrap();
    assert_eq!(judged.asked(), [judged.of_cluster(Operation::AlterConfigs)]);
}

#[tokio::test]
async fn who_may_not_use_the_cluster_is_not_told_whether_a_topic_exists() {
    let judged = Judged::open().await;
    *judged.judge.refused.lock() = Some(Operation::UseCluster);
    // There is no topic: without the question first, the answer would be that.
    for refused in [
        judged.widen().await,
        judged.alter_topic().await,
        judged.delete().await,
    ] {
        assert_eq!(refused, Err(CommandError::NotAuthorized));
    }
}

#[tokio::test]
async fn a_refusal_of_its_own_operation_stops_each_command() {
    let judged = Judged::open().await;
    let refuse = |operation| *judged.judge.refused.lock() = operation;
    refuse(Some(Operation::CreateTopic));
    assert_eq!(judged.create().await, Err(CommandError::NotAuthorized));
    refuse(None);
    judged.create().await.unwrap();
    refuse(Some(Operation::AlterTopic));
    assert_eq!(judged.widen().await, Err(CommandError::NotAuthorized));
    refuse(Some(Operation::AlterConfigs));
    assert_eq!(judged.alter_topic().await, Err(CommandError::NotAuthorized));
    assert_eq!(judged.alter_cluster().await, Err(CommandError::NotAuthorized));
    refuse(Some(Operation::DeleteTopic));
    assert_eq!(judged.delete().await, Err(CommandError::NotAuthorized));
    refuse(None);
    judged.delete().await.unwrap();
}
