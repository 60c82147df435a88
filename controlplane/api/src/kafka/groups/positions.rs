//! Where partitions begin and end, and how old what comes at an offset is; and which offset comes at a time.

use std::collections::BTreeMap;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use firn_catalog::entities::Address;
use firn_catalog::ids::{IncarnationId, PartitionId};
use firn_catalog::image::ImageTopic;
use firn_catalog::lag::positions::{
    AskedPosition, INTERNAL_POSITIONS, MOST_POSITIONS, Position, decode_told, encode_asked,
};
use futures::future::join_all;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{ListOffsetsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::super::connection::accepted;
use super::super::exchange::{Exchange, begin_internal, end, of_internal};
use super::super::topics::LIST_OFFSETS;
use super::{Asking, KafkaError};

/// What leaders say, by partition and offset. What is missing no leader has told.
#[derive(Debug, Default)]
pub(crate) struct Positions(BTreeMap<(PartitionId, i64), Position>);

impl Positions {
    /// What is known of a partition, for somebody at that offset (-1: at none).
    pub(crate) fn at(&self, partition: PartitionId, offset: i64) -> Option<Position> {
        self.0.get(&(partition, offset)).copied()
    }
}

/// Asks the leaders, all at once. One that is away does not hide what the others know.
pub(crate) async fn positions(asking: Asking<'_>, asked: &[AskedPosition]) -> Positions {
    let mut led: BTreeMap<IncarnationId, Vec<AskedPosition>> = BTreeMap::new();
    for asked in asked {
        if let Some(leads) = asking.image.leadership(asked.partition) {
            led.entry(leads.owner).or_default().push(*asked);
        }
    }
    for asked in led.values_mut() {
        asked.sort_by_key(|asked| (asked.partition, asked.offset));
        asked.dedup();
    }
    let told = led.into_iter().filter_map(|(owner, asked)| {
        let address = asking.image.broker(owner)?.internal.clone()?;
        Some(of_leader(asking, address, asked))
    });
    Positions(join_all(told).await.into_iter().flatten().collect())
}

async fn of_leader(
    asking: Asking<'_>,
    address: Address,
    asked: Vec<AskedPosition>,
) -> Vec<((PartitionId, i64), Position)> {
    let mut all = Vec::with_capacity(asked.len());
    for part in asked.chunks(MOST_POSITIONS) {
        let told = asking
            .pool
            .exchange(&address, asking.delegate, &PositionsOf(part))
            .await;
        match told {
            Ok(told) => {
                let known = part.iter().zip(told).filter_map(|(asked, position)| {
                    let key = (asked.partition, asked.offset);
                    position.map(|position| (key, position))
                });
                all.extend(known);
            }
            Err(error) => {
                tracing::debug!(%error, %address, "a leader does not tell where its partitions end");
                return all;
            }
        }
    }
    all
}

struct PositionsOf<'a>(&'a [AskedPosition]);

impl Exchange for PositionsOf<'_> {
    type Answer = Vec<Option<Position>>;

    fn encode(&self, correlation: i32) -> Result<BytesMut, KafkaError> {
        let mut frame = begin_internal(correlation)?;
        frame.put_u8(INTERNAL_POSITIONS);
        frame.extend_from_slice(&encode_asked(self.0));
        end(frame)
    }

    fn decode(&self, answer: Bytes, correlation: i32) -> Result<Self::Answer, KafkaError> {
        let body = of_internal(answer, correlation)?;
        let told = decode_told(body.chunk(), self.0.len());
        told.ok_or_else(|| KafkaError::Nonsense("an answer about other partitions".to_owned()))
    }
}

/// The first offsets whose records are not older than `time_ms`, by partition; `None`: there is no such record. All leaders have to answer.
pub(crate) async fn times(
    asking: Asking<'_>,
    topic: &ImageTopic,
    partitions: &[i32],
    time_ms: i64,
) -> Result<BTreeMap<i32, Option<i64>>, KafkaError> {
    let mut led: BTreeMap<IncarnationId, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for index in partitions {
        let place = usize::try_from(*index).ok();
        if let Some(leader) = place.and_then(|place| topic.partitions.get(place)) {
            let asked = ListOffsetsPartition::default()
                .with_partition_index(*index)
                .with_current_leader_epoch(-1)
                .with_timestamp(time_ms);
            led.entry(leader.owner).or_default().push(asked);
        }
    }
    let mut found = BTreeMap::new();
    for (owner, partitions) in led {
        let address = asking
            .image
            .broker(owner)
            .and_then(|broker| broker.internal.clone());
        let address = address.ok_or(KafkaError::Refused(super::COORDINATOR_NOT_AVAILABLE))?;
        let asked = ListOffsetsTopic::default()
            .with_name(TopicName(StrBytes::from_string(topic.name.to_string())))
            .with_partitions(partitions);
        let request = ListOffsetsRequest::default()
            .with_replica_id((-1).into())
            .with_topics(vec![asked]);
        let response = asking
            .pool
            .ask(&address, asking.delegate, LIST_OFFSETS, &request)
            .await?;
        for told in response.topics.into_iter().flat_map(|topic| topic.partitions) {
            accepted(told.error_code)?;
            found.insert(told.partition_index, (told.offset >= 0).then_some(told.offset));
        }
    }
    Ok(found)
}
