//! What a Fetch request is about: its partitions, by way of its session.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use firn_catalog::ids::TopicId;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{FetchRequest, TopicName};
use uuid::Uuid;

use crate::protocol::fetch::TOPIC_IDS_FROM;
use crate::serving::request::RequestContext;
use crate::serving::sessions::{FetchTarget, FetchTopicKey, Opened, SessionHeader};

/// The first version with sessions; before it every request is whole.
const SESSIONS_FROM: i16 = 7;
/// The epoch of a request outside of any session.
const NO_SESSION: i32 = -1;

/// The topics of a request, each once however often it is named. A name is copied and compared once for each time it is
/// written, and not for each of its partitions: a name may be long, and its partitions many.
struct Topics<'r> {
    by_id: bool,
    keys: Vec<FetchTopicKey>,
    names: BTreeMap<&'r str, usize>,
    ids: BTreeMap<Uuid, usize>,
}

impl<'r> Topics<'r> {
    fn new(by_id: bool) -> Self {
        Self {
            by_id,
            keys: Vec::new(),
            names: BTreeMap::new(),
            ids: BTreeMap::new(),
        }
    }

    /// Which of the topics it is, and its key.
    fn key(&mut self, name: &'r TopicName, id: Uuid) -> (usize, FetchTopicKey) {
        let next = self.keys.len();
        let place = match self.by_id {
            true => *self.ids.entry(id).or_insert(next),
            false => *self.names.entry(name.as_str()).or_insert(next),
        };
        if place == next {
            self.keys.push(match self.by_id {
                true => FetchTopicKey::Id(TopicId(id.as_u128())),
                false => FetchTopicKey::Name(Arc::from(name.as_str())),
            });
        }
        (place, self.keys[place].clone())
    }
}

/// Whether the request goes on with a session.
pub(super) fn continues(context: &RequestContext, request: &FetchRequest) -> bool {
    context.version >= SESSIONS_FROM && request.session_epoch > 0
}

/// Opens, continues or closes the request's session.
pub(super) fn open(context: &RequestContext, request: &FetchRequest) -> Result<Opened, ResponseError> {
    let by_id = context.version >= TOPIC_IDS_FROM;
    let mut topics = Topics::new(by_id);
    let mut seen = BTreeSet::new();
    let mut named = Vec::new();
    for topic in &request.topics {
        let (place, topic_key) = topics.key(&topic.topic, topic.topic_id);
        for partition in &topic.partitions {
            // Named twice is fetched once.
            if seen.insert((place, partition.partition)) {
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
        let (_, topic_key) = topics.key(&topic.topic, topic.topic_id);
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
