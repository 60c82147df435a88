//! What a Fetch request is about: its partitions, by way of its session.

use std::collections::BTreeSet;
use std::sync::Arc;

use firn_catalog::ids::TopicId;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{FetchRequest, TopicName};

use crate::protocol::fetch::TOPIC_IDS_FROM;
use crate::serving::request::RequestContext;
use crate::serving::sessions::{FetchTarget, FetchTopicKey, Opened, SessionHeader};

/// The first version with sessions; before it every request is whole.
const SESSIONS_FROM: i16 = 7;
/// The epoch of a request outside of any session.
const NO_SESSION: i32 = -1;

/// Opens, continues or closes the request's session.
pub(super) fn open(context: &RequestContext, request: &FetchRequest) -> Result<Opened, ResponseError> {
    let by_id = context.version >= TOPIC_IDS_FROM;
    let key = |name: &TopicName, id: uuid::Uuid| match by_id {
        true => FetchTopicKey::Id(TopicId(id.as_u128())),
        false => FetchTopicKey::Name(Arc::from(name.as_str())),
    };
    let mut seen = BTreeSet::new();
    let mut named = Vec::new();
    for topic in &request.topics {
        let topic_key = key(&topic.topic, topic.topic_id);
        for partition in &topic.partitions {
            // Named twice is fetched once.
            if seen.insert((topic_key.clone(), partition.partition)) {
                named.push(FetchTarget {
                    topic: topic_key.clone(),
                    index: partition.partition,
                    offset: partition.fetch_offset,
                    leader_epoch: partition.current_leader_epoch,
                    last_epoch: partition.last_fetched_epoch,
                    max_bytes: partition.partition_max_bytes,
                });
            }
        }
    }
    let mut forgotten = Vec::new();
    for topic in &request.forgotten_topics_data {
        let topic_key = key(&topic.topic, topic.topic_id);
        forgotten.extend(topic.partitions.iter().map(|index| (topic_key.clone(), *index)));
    }
    let (id, epoch) = match context.version >= SESSIONS_FROM {
        true => (request.session_id, request.session_epoch),
        false => (0, NO_SESSION),
    };
    let header = SessionHeader { id, epoch, by_id };
    context
        .serving
        .sessions
        .open(&context.identity, header, named, &forgotten)
}
