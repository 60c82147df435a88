//! Folding a change of the feed into an image.

use std::sync::Arc;

use super::{Image, ImageBroker, ImageTopic, Leadership};
use crate::audit::topic::is_audit_topic;
use crate::cell::CatalogError;
use crate::credential::KafkaCredential;
use crate::entities::{Address, Cluster, FIRST_EPOCH, Topic};
use crate::feed::{Assignment, Change, FeedEntry};
use crate::ids::{ClusterId, FeedSequence, IncarnationId, TopicId};

impl Image {
    /// An empty image at a place in the feed.
    pub(crate) fn at(sequence: FeedSequence) -> Self {
        Self {
            sequence,
            logins_changed: sequence,
            ..Self::default()
        }
    }

    /// Folds the next entry in. An entry that does not fit this image says that the feed is damaged.
    pub fn fold(&mut self, entry: &FeedEntry) -> Result<(), CatalogError> {
        if entry.change.is_about_logins() {
            self.logins_changed = entry.sequence;
        }
        match &entry.change {
            Change::ClusterCreated { cluster } => self.put_cluster(cluster.clone()),
            Change::ClusterChanged { cluster } => {
                self.known_cluster(cluster.id)?;
                self.put_cluster(cluster.clone());
            }
            Change::ClusterRemoved { cluster } => self.remove_cluster(*cluster)?,
            Change::ClusterConfigsChanged { cluster, configs } => {
                let mut changed = self.known_cluster(*cluster)?.as_ref().clone();
                changed.configs.clone_from(configs);
                self.put_cluster(changed);
            }
            Change::TopicCreated { topic, owners } => self.put_topic(new_topic(topic, owners)),
            Change::TopicConfigsChanged { topic, configs } => {
                let mut changed = self.known_topic(*topic)?.as_ref().clone();
                changed.configs = Arc::new(configs.clone());
                self.put_topic(changed);
            }
            Change::PartitionsAdded { topic, owners } => {
                let mut changed = self.known_topic(*topic)?.as_ref().clone();
                Arc::make_mut(&mut changed.partitions).extend(first_leaders(owners));
                self.put_topic(changed);
            }
            Change::TopicDeleted { topic } => self.remove_topic(*topic)?,
            Change::IncarnationOpened { id, node } => {
                self.put_broker(ImageBroker {
                    id: *id,
                    node: *node,
                    address: None,
                    internal: None,
                });
            }
            Change::IncarnationAdvertised {
                id,
                address,
                internal,
            } => {
                self.advertise(*id, address, internal.as_ref());
            }
            Change::IncarnationClosed { id, .. } => {
                self.brokers.remove_mut(id);
            }
            Change::OwnershipMoved { from, to } => self.move_ownership(*from, *to),
            Change::CredentialPut { credential } => self.put_credential(credential.clone()),
            Change::CredentialRemoved { id } => self.credentials.remove(*id),
            Change::AclsChanged { .. }
            | Change::QuotasChanged { .. }
            | Change::CaPoolPut { .. }
            | Change::CaPoolRemoved { .. }
            | Change::IdentityProviderPut { .. }
            | Change::IdentityProviderRemoved { .. } => self.fold_access(&entry.change),
            Change::ClusterNetworksChanged { cluster, networks } => {
                let mut changed = self.known_cluster(*cluster)?.as_ref().clone();
                changed.networks.clone_from(networks);
                self.put_cluster(changed);
            }
        }
        self.sequence = entry.sequence;
        Ok(())
    }

    fn known_cluster(&self, id: ClusterId) -> Result<&Arc<Cluster>, CatalogError> {
        let unknown =
            || CatalogError::Corrupt(format!("the feed changes cluster {id}, which it never created"));
        self.clusters.get(&id).ok_or_else(unknown)
    }

    fn known_topic(&self, id: TopicId) -> Result<&Arc<ImageTopic>, CatalogError> {
        let unknown =
            || CatalogError::Corrupt(format!("the feed changes topic {id}, which it never created"));
        self.topics.get(&id).ok_or_else(unknown)
    }

    pub(crate) fn put_cluster(&mut self, cluster: Cluster) {
        self.slugs.insert_mut(cluster.slug.clone(), cluster.id);
        self.clusters.insert_mut(cluster.id, Arc::new(cluster));
    }

    fn remove_cluster(&mut self, id: ClusterId) -> Result<(), CatalogError> {
        let slug = self.known_cluster(id)?.slug.clone();
        let topics: Vec<TopicId> = self.topics_of(id).map(|topic| topic.id).collect();
        for topic in topics {
            self.topics.remove_mut(&topic);
        }
        self.names.remove_mut(&id);
        self.slugs.remove_mut(&slug);
        self.clusters.remove_mut(&id);
        self.credentials.remove_cluster(id);
        self.access.remove_mut(&id);
        Ok(())
    }

    pub(crate) fn put_broker(&mut self, broker: ImageBroker) {
        self.brokers.insert_mut(broker.id, Arc::new(broker));
    }

    /// Says where a broker is that is still open.
    fn advertise(&mut self, id: IncarnationId, address: &Address, internal: Option<&Address>) {
        if let Some(broker) = self.brokers.get(&id) {
            let broker = ImageBroker {
                address: Some(address.clone()),
                internal: internal.cloned(),
                ..broker.as_ref().clone()
            };
            self.put_broker(broker);
        }
    }

    pub(crate) fn put_credential(&mut self, credential: KafkaCredential) {
        self.credentials.put(credential);
    }

    pub(crate) fn put_topic(&mut self, mut topic: ImageTopic) {
        topic.audit = is_audit_topic(&topic.name, &topic.configs, topic.partitions.len());
        let topic = Arc::new(topic);
        let mut names = self.names.get(&topic.cluster).cloned().unwrap_or_default();
        names.insert_mut(Arc::clone(&topic.name), Arc::clone(&topic));
        self.names.insert_mut(topic.cluster, names);
        self.topics.insert_mut(topic.id, topic);
    }

    fn remove_topic(&mut self, id: TopicId) -> Result<(), CatalogError> {
        let topic = Arc::clone(self.known_topic(id)?);
        self.topics.remove_mut(&id);
        if let Some(mut names) = self.names.get(&topic.cluster).cloned() {
            names.remove_mut(&topic.name);
            self.names.insert_mut(topic.cluster, names);
        }
        Ok(())
    }

    fn move_ownership(&mut self, from: IncarnationId, to: IncarnationId) {
        let owned = |topic: &&Arc<ImageTopic>| topic.partitions.iter().any(|leader| leader.owner == from);
        let moved: Vec<_> = self.topics.values().filter(owned).cloned().collect();
        for topic in moved {
            let mut changed = topic.as_ref().clone();
            for leader in Arc::make_mut(&mut changed.partitions)
                .iter_mut()
                .filter(|l| l.owner == from)
            {
                *leader = Leadership {
                    owner: to,
                    epoch: leader.epoch.next(),
                };
            }
            self.put_topic(changed);
        }
    }
}

fn first_leaders(owners: &Assignment) -> impl Iterator<Item = Leadership> + '_ {
    owners.iter().map(|owner| Leadership {
        owner,
        epoch: FIRST_EPOCH,
    })
}

fn new_topic(topic: &Topic, owners: &Assignment) -> ImageTopic {
    ImageTopic {
        id: topic.id,
        cluster: topic.cluster,
        name: topic.name.as_str().into(),
        configs: Arc::new(topic.configs.clone()),
        created_at: topic.created_at,
        partitions: Arc::new(first_leaders(owners).collect()),
        audit: false,
    }
}
