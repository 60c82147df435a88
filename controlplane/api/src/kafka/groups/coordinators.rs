//! Which groups there are, and who coordinates one.

use std::time::Duration;

use firn_catalog::entities::Address;
use firn_catalog::image::ImageBroker;
use futures::future::join_all;
use kafka_protocol::messages::{FindCoordinatorRequest, ListGroupsRequest};
use kafka_protocol::protocol::StrBytes;

use super::super::connection::accepted;
use super::{Asking, COORDINATOR_NOT_AVAILABLE, KafkaError, has_moved};

const LIST_GROUPS: i16 = 5;
const FIND_COORDINATOR: i16 = 6;
/// How often a coordinator is looked for, and how long is waited in between: a group that has just moved is read again first.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(150);

/// Who coordinates a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coordinated {
    /// The broker's node.
    pub(crate) node: i32,
    /// Where it is asked.
    pub(crate) address: Address,
}

/// A group in a list.
#[derive(Clone, Debug)]
pub(crate) struct ListedGroup {
    pub(crate) name: String,
    pub(crate) state: String,
    pub(crate) protocol_type: String,
    pub(crate) coordinator: Coordinated,
}

/// What the brokers tell.
#[derive(Debug, Default)]
pub(crate) struct GroupsTold {
    /// The groups, in the order of their names.
    pub(crate) groups: Vec<ListedGroup>,
    /// The nodes that did not answer: the groups that they coordinate are missing.
    pub(crate) silent: Vec<i32>,
}

fn coordinated(broker: &ImageBroker) -> Option<Coordinated> {
    Some(Coordinated {
        node: broker.node.0,
        address: broker.internal.clone()?,
    })
}

/// The groups of the cluster that are the caller's to see, in one of these states, or in any. All brokers are asked at once.
pub(crate) async fn list(asking: Asking<'_>, states: &[&str]) -> GroupsTold {
    let request = ListGroupsRequest::default().with_states_filter(
        states
            .iter()
            .map(|state| StrBytes::from_string((*state).to_owned()))
            .collect(),
    );
    let asked = asking.image.brokers().map(|broker| {
        let request = &request;
        async move { (broker.node.0, of_broker(asking, broker, request).await) }
    });
    let mut told = GroupsTold::default();
    for (node, groups) in join_all(asked).await {
        match groups {
            Ok(groups) => told.groups.extend(groups),
            Err(error) => {
                tracing::debug!(%error, node, "a broker does not tell which groups it coordinates");
                told.silent.push(node);
            }
        }
    }
    told.groups.sort_by(|a, b| a.name.cmp(&b.name));
    // A group that moves may be told by both.
    told.groups.dedup_by(|a, b| a.name == b.name);
    told
}

async fn of_broker(
    asking: Asking<'_>,
    broker: &ImageBroker,
    request: &ListGroupsRequest,
) -> Result<Vec<ListedGroup>, KafkaError> {
    let coordinator = coordinated(broker).ok_or(KafkaError::Refused(COORDINATOR_NOT_AVAILABLE))?;
    let Asking { pool, delegate, .. } = asking;
    let response = pool
        .ask(&coordinator.address, delegate, LIST_GROUPS, request)
        .await?;
    accepted(response.error_code)?;
    let listed = response.groups.into_iter().map(|group| ListedGroup {
        name: group.group_id.to_string(),
        state: group.group_state.to_string(),
        protocol_type: group.protocol_type.to_string(),
        coordinator: coordinator.clone(),
    });
    Ok(listed.collect())
}

/// Who coordinates a group, as one of the brokers knows it.
pub(crate) async fn coordinator(asking: Asking<'_>, group: &str) -> Result<Coordinated, KafkaError> {
    let request = FindCoordinatorRequest::default()
        .with_coordinator_keys(vec![StrBytes::from_string(group.to_owned())]);
    let mut last = KafkaError::Refused(COORDINATOR_NOT_AVAILABLE);
    for broker in asking.image.brokers() {
        let Some(asked) = coordinated(broker) else {
            continue;
        };
        let Asking { pool, delegate, .. } = asking;
        match pool
            .ask(&asked.address, delegate, FIND_COORDINATOR, &request)
            .await
        {
            Ok(response) => {
                let found = response.coordinators.into_iter().next();
                let found = found.ok_or_else(|| KafkaError::Nonsense("no coordinator".to_owned()))?;
                accepted(found.error_code)?;
                let mut brokers = asking.image.brokers();
                let broker = brokers.find(|broker| broker.node.0 == found.node_id.0);
                return broker
                    .and_then(|broker| coordinated(broker))
                    .ok_or(KafkaError::Refused(COORDINATOR_NOT_AVAILABLE));
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Asks a group's coordinator; another one, or once more, if the group has just moved.
pub(super) async fn ask<T, F>(
    asking: Asking<'_>,
    group: &str,
    ask: impl Fn(Coordinated) -> F,
) -> Result<T, KafkaError>
where
    F: Future<Output = Result<T, KafkaError>>,
{
    let mut tries = 1;
    loop {
        let asked = match coordinator(asking, group).await {
            Ok(coordinator) => ask(coordinator).await,
            Err(error) => Err(error),
        };
        match asked {
            Err(error) if has_moved(&error) && tries < TRIES => {
                tokio::time::sleep(PAUSE * tries).await;
                tries += 1;
            }
            answer => return answer,
        }
    }
}
