//! A cluster as its caller may see it: where every route about topics begins.

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::access::Permission;
use firn_catalog::acl::{Asked, Operation, ResourceName};
use firn_catalog::audit::{Deed, Details};
use firn_catalog::commands::{Actor, Principal, User};
use firn_catalog::ids::{ClusterId, FeedSequence};
use firn_catalog::image::{Image, ImageTopic};

use crate::kafka::{Delegate, KafkaError};
use crate::rules::{Caller, Code, Problem};
use crate::state::Api;

/// How long is waited until this process sees what was written.
const SEEN_PATIENCE: Duration = Duration::from_secs(2);

/// Kafka's errors that say something about the topic or the caller.
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const TOPIC_AUTHORIZATION_FAILED: i16 = 29;
const CLUSTER_AUTHORIZATION_FAILED: i16 = 31;

/// A cluster, what is in it now, and who asks.
pub(in crate::routes) struct Place {
    pub(in crate::routes) cluster: ClusterId,
    pub(in crate::routes) image: Arc<Image>,
    /// The caller as a user of the cluster: whom commands ask about.
    pub(in crate::routes) actor: Actor,
    user: Arc<User>,
}

impl Place {
    /// The cluster, if the caller has a role in it, and one that allows what is needed. No role and no cluster are the same: 404.
    pub(in crate::routes) async fn find(
        api: &Api,
        caller: &Caller,
        cluster: ClusterId,
        needed: Permission,
    ) -> Result<Self, Problem> {
        let principal = api.catalog.user_in_cluster(&caller.actor(), cluster).await;
        let principal = principal.map_err(|error| Problem::from(error).untold())?;
        let Principal::User(user) = &principal else {
            return Err(Problem::missing("cluster"));
        };
        if !user.roles.allow(needed) {
            return Err(Problem::new(Code::Forbidden, "no role of yours allows this").untold());
        }
        let image = shown(api, cluster)
            .await
            .ok_or_else(|| Problem::missing("cluster"))?;
        let user = Arc::clone(user);
        let actor = Actor {
            principal,
            ..caller.actor()
        };
        Ok(Self {
            cluster,
            image,
            actor,
            user,
        })
    }

    /// Whether the caller may see a topic of that name: an ACL may deny what a role allows.
    pub(in crate::routes) fn may_see(&self, topic: &str) -> bool {
        self.may(Operation::Describe, topic)
    }

    /// Whether the caller may do this to a topic of that name.
    pub(in crate::routes) fn may(&self, operation: Operation, topic: &str) -> bool {
        self.allows(operation, ResourceName::Topic(topic))
    }

    /// Whether the caller may do this.
    pub(in crate::routes) fn allows(&self, operation: Operation, resource: ResourceName<'_>) -> bool {
        let asked = Asked {
            principal: &self.actor.principal,
            host: self.actor.address,
            operation,
            cluster: self.cluster,
            resource,
        };
        self.image.decide(&asked).allows()
    }

    /// The topic of that name. One that the caller may not see is not there.
    pub(in crate::routes) fn topic(&self, name: &str) -> Result<&Arc<ImageTopic>, Problem> {
        let topic = self.image.topic_by_name(self.cluster, name);
        let topic = topic.filter(|topic| self.may_see(&topic.name));
        topic.ok_or_else(|| Problem::missing("topic"))
    }

    /// Does something that brokers alone keep to a thing of this kind and name, after the trail was told of it; and tells it if it
    /// came to nothing.
    pub(in crate::routes) async fn done<T, E: std::fmt::Display>(
        &self,
        api: &Api,
        (kind, resource): (&'static str, &str),
        (action, details): (&'static str, Details),
        doing: impl Future<Output = Result<T, E>>,
    ) -> Result<Result<T, E>, Problem> {
        let tell = |action, details| {
            let deed = Deed {
                action,
                kind,
                resource,
                details,
            };
            api.catalog.record_deed(&self.actor, self.cluster, deed)
        };
        tell(action, details).await?;
        let done = doing.await;
        if let Err(error) = &done {
            let mut why = Details::new();
            why.insert("attempted".to_owned(), action.into());
            why.insert("error".to_owned(), error.to_string().into());
            if let Err(error) = tell("failed", why).await {
                tracing::warn!(%error, kind, "that a change came to nothing is not in the audit trail");
            }
        }
        Ok(done)
    }

    /// For whom brokers are asked.
    pub(in crate::routes) fn delegate(&self) -> Delegate {
        Delegate {
            user: Arc::clone(&self.user),
            request_id: self.actor.request_id.clone(),
            address: self.actor.address,
        }
    }
}

/// The image, with this cluster in it: one that has just been made may be on its way.
async fn shown(api: &Api, cluster: ClusterId) -> Option<Arc<Image>> {
    let mut changes = api.images.changes();
    let found = async {
        loop {
            changes.mark_unchanged();
            let image = api.images.image();
            if image.cluster(cluster).is_some() {
                return Some(image);
            }
            changes.changed().await.ok()?;
        }
    };
    tokio::time::timeout(SEEN_PATIENCE, found).await.ok().flatten()
}

/// Waits until this process's image shows what the feed says at `sequence`, so that who reads next sees it.
pub(in crate::routes) async fn seen(api: &Api, sequence: Option<FeedSequence>) {
    if let Some(sequence) = sequence {
        let seen = tokio::time::timeout(SEEN_PATIENCE, api.images.wait_for(sequence)).await;
        if seen.is_err() {
            tracing::debug!(%sequence, "the image is late");
        }
    }
}

impl From<KafkaError> for Problem {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::Unreachable { .. } => {
                tracing::warn!(%error, "a broker does not answer");
                Self::new(
                    Code::Unavailable,
                    "the broker that knows does not answer now; try again",
                )
                .retry_after(1)
            }
            KafkaError::Refused(UNKNOWN_TOPIC_OR_PARTITION) => Self::missing("topic"),
            KafkaError::Refused(TOPIC_AUTHORIZATION_FAILED | CLUSTER_AUTHORIZATION_FAILED) => {
                Self::new(Code::Forbidden, "no role of yours allows this").untold()
            }
            KafkaError::Refused(_) => {
                tracing::warn!(%error, "a broker refuses");
                Self::new(
                    Code::Unavailable,
                    "the broker that knows cannot answer now; try again",
                )
                .retry_after(1)
            }
            KafkaError::NoRoom => {
                let detail = "as many records are being read as there is room for; try again";
                Self::new(Code::RateLimited, detail).retry_after(1)
            }
            KafkaError::Nonsense(_) => {
                tracing::error!(%error, "a broker is not understood");
                Self::internal()
            }
        }
    }
}
