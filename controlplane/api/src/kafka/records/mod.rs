//! Records of a topic: where partitions begin and end, what is in them, and appending to them. Reading shows what is committed.
//!
//! | module | what is in it |
//! |---|---|
//! | `codecs` | how batches are compressed, as streams |
//! | `batches` | the records of fetched batches, within bounds |
//! | `building` | a batch out of records, and the partition of a key |

mod batches;
mod building;
mod codecs;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use firn_catalog::ids::IncarnationId;
use firn_catalog::image::{Image, ImageTopic};
use futures::future::join_all;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{FetchRequest, ListOffsetsRequest, ProduceRequest, TopicName};

pub(crate) use self::batches::{Bounds, Content, FoundRecord, read};
pub(crate) use self::building::{NewRecord, batch, partition_of};
use super::exchange::Call;
use super::topics::{gone, internal, text};
use super::{Delegate, KafkaError, KafkaPool};

const LIST_OFFSETS: i16 = 9;
const FETCH: i16 = 12;
const PRODUCE: i16 = 9;
const READ_COMMITTED: i8 = 1;
/// How long a broker may take until records are durable, in ms.
const DURABLE_MS: i32 = 8_000;

/// Special timestamps of ListOffsets.
pub(crate) const LATEST: i64 = -1;
pub(crate) const EARLIEST: i64 = -2;
/// Kafka's error for what took too long: it may have been done, or not.
pub(crate) const NOT_KNOWN: i16 = 7;
/// Kafka's error for a broker that cannot be reached: nothing was sent to it.
const NOT_SENT: i16 = 8;
/// Kafka's error for an offset that is not there (any more).
pub(crate) const OFFSET_OUT_OF_RANGE: i16 = 1;

fn throttle(ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

/// What is asked of which topic, for whom.
#[derive(Clone, Copy)]
pub(crate) struct TopicAt<'a> {
    pub(crate) pool: &'a KafkaPool,
    pub(crate) delegate: &'a Delegate,
    pub(crate) image: &'a Image,
    pub(crate) topic: &'a ImageTopic,
}

/// How much is fetched at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Bytes of all partitions of one broker.
    pub(crate) most: i32,
    /// Bytes of one partition. The first one with records tells at least one batch, whatever its size.
    pub(crate) of_partition: i32,
    /// How long to wait if there are none, in ms.
    pub(crate) wait_ms: i32,
}

/// What a leader tells of a partition.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) partition: i32,
    /// Kafka's error; 0: none.
    pub(crate) error: i16,
    /// The end of what is committed.
    pub(crate) end: i64,
    /// Producers of transactions that were aborted, and the first offset of each.
    pub(crate) aborted: Vec<(i64, i64)>,
    /// Batches, of which the last may be incomplete.
    pub(crate) records: Bytes,
}

/// What leaders tell.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    pub(crate) chunks: Vec<Chunk>,
    /// How long the caller must wait until brokers tell it more.
    pub(crate) throttle: Duration,
}

/// Where an appended batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Appended {
    /// The offset of its first record.
    pub(crate) first: i64,
    /// When it was appended, where the topic keeps that instead of the records' own time.
    pub(crate) append_time: Option<i64>,
}

impl TopicAt<'_> {
    /// The partitions by their leaders.
    fn led<T>(
        &self,
        partitions: impl IntoIterator<Item = (i32, T)>,
    ) -> Result<BTreeMap<IncarnationId, Vec<(i32, T)>>, KafkaError> {
        let mut led: BTreeMap<IncarnationId, Vec<_>> = BTreeMap::new();
        for (index, asked) in partitions {
            let place = usize::try_from(index).ok();
            let leader = place
                .and_then(|place| self.topic.partitions.get(place))
                .ok_or_else(gone)?;
            led.entry(leader.owner).or_default().push((index, asked));
        }
        Ok(led)
    }

    /// The first offset in each partition whose timestamp is at least this one, or what a special one asks for; `None`: there is none.
    pub(crate) async fn offsets(
        &self,
        partitions: &[i32],
        timestamp: i64,
    ) -> Result<BTreeMap<i32, Option<i64>>, KafkaError> {
        let led = self.led(partitions.iter().map(|index| (*index, ())))?;
        let asked = led
            .into_iter()
            .map(|(owner, partitions)| self.offsets_of(owner, partitions, timestamp));
        let mut offsets = BTreeMap::new();
        for told in join_all(asked).await {
            offsets.extend(told?);
        }
        match partitions.iter().all(|index| offsets.contains_key(index)) {
            true => Ok(offsets),
            false => Err(KafkaError::Nonsense("a partition is missing".to_owned())),
        }
    }

    async fn offsets_of(
        &self,
        owner: IncarnationId,
        partitions: Vec<(i32, ())>,
        timestamp: i64,
    ) -> Result<Vec<(i32, Option<i64>)>, KafkaError> {
        let broker = internal(self.image, owner).ok_or_else(gone)?;
        let asked = partitions.iter().map(|(index, ())| {
            ListOffsetsPartition::default()
                .with_partition_index(*index)
                .with_current_leader_epoch(-1)
                .with_timestamp(timestamp)
        });
        let asked = ListOffsetsTopic::default()
            .with_name(TopicName(text(&self.topic.name)))
            .with_partitions(asked.collect());
        let request = ListOffsetsRequest::default()
            .with_replica_id((-1).into())
            .with_isolation_level(READ_COMMITTED)
            .with_topics(vec![asked]);
        let response = self
            .pool
            .ask(&broker, self.delegate, LIST_OFFSETS, &request)
            .await?;
        let told = response.topics.into_iter().flat_map(|topic| topic.partitions);
        told.map(|told| match told.error_code {
            0 => Ok((
                told.partition_index,
                Some(told.offset).filter(|offset| *offset >= 0),
            )),
            code => Err(KafkaError::Refused(code)),
        })
        .collect()
    }

    /// What is in these partitions from these offsets on, of all brokers at once.
    pub(crate) async fn fetch(
        &self,
        wanted: impl IntoIterator<Item = (i32, i64)>,
        room: Room,
    ) -> Result<Fetched, KafkaError> {
        let asked = self
            .led(wanted)?
            .into_iter()
            .map(|(owner, wanted)| self.fetch_of(owner, wanted, room));
        let mut all = Fetched::default();
        for told in join_all(asked).await {
            let told = told?;
            all.throttle = all.throttle.max(told.throttle);
            all.chunks.extend(told.chunks);
        }
        Ok(all)
    }

    async fn fetch_of(
        &self,
        owner: IncarnationId,
        wanted: Vec<(i32, i64)>,
        room: Room,
    ) -> Result<Fetched, KafkaError> {
        let broker = internal(self.image, owner).ok_or_else(gone)?;
        let asked = wanted.iter().map(|(index, offset)| {
            FetchPartition::default()
                .with_partition(*index)
                .with_fetch_offset(*offset)
                .with_partition_max_bytes(room.of_partition)
        });
        let asked = FetchTopic::default()
            .with_topic(TopicName(text(&self.topic.name)))
            .with_partitions(asked.collect());
        let request = FetchRequest::default()
            .with_max_wait_ms(room.wait_ms)
            .with_min_bytes(1)
            .with_max_bytes(room.most)
            .with_isolation_level(READ_COMMITTED)
            .with_topics(vec![asked]);
        let response = self.pool.ask(&broker, self.delegate, FETCH, &request).await?;
        if response.error_code != 0 {
            return Err(KafkaError::Refused(response.error_code));
        }
        let throttle = throttle(response.throttle_time_ms);
        let told = response.responses.into_iter().flat_map(|topic| topic.partitions);
        let chunk = told.map(|told| Chunk {
            partition: told.partition_index,
            error: told.error_code,
            end: told.last_stable_offset,
            aborted: told
                .aborted_transactions
                .unwrap_or_default()
                .iter()
                .map(|aborted| (aborted.producer_id.0, aborted.first_offset))
                .collect(),
            records: told.records.unwrap_or_default(),
        });
        Ok(Fetched {
            chunks: chunk.collect(),
            throttle,
        })
    }

    /// Appends one batch to each of these partitions, and waits until they are durable. What became of each, or
    /// Kafka's error. Nothing is sent twice. How long its quota makes the caller wait is noted in the pool.
    pub(crate) async fn append(&self, batches: BTreeMap<i32, Bytes>) -> BTreeMap<i32, Result<Appended, i16>> {
        let mut led: BTreeMap<Option<IncarnationId>, Vec<(i32, Bytes)>> = BTreeMap::new();
        for (index, batch) in batches {
            let place = usize::try_from(index).ok();
            let leader = place.and_then(|place| self.topic.partitions.get(place));
            led.entry(leader.map(|leader| leader.owner))
                .or_default()
                .push((index, batch));
        }
        let asked = led.into_iter().map(|(owner, batches)| async move {
            let indices: Vec<i32> = batches.iter().map(|(index, _)| *index).collect();
            let told = match owner {
                Some(owner) => self.append_at(owner, batches).await,
                None => Err(gone()),
            };
            let told = told.unwrap_or_else(|error| {
                tracing::warn!(%error, "nothing is appended: the broker cannot be reached");
                indices.iter().map(|index| (*index, Err(NOT_SENT))).collect()
            });
            let of = move |index: i32| (index, told.get(&index).copied().unwrap_or(Err(NOT_KNOWN)));
            indices.into_iter().map(of)
        });
        join_all(asked).await.into_iter().flatten().collect()
    }

    async fn append_at(
        &self,
        owner: IncarnationId,
        batches: Vec<(i32, Bytes)>,
    ) -> Result<BTreeMap<i32, Result<Appended, i16>>, KafkaError> {
        let broker = internal(self.image, owner).ok_or_else(gone)?;
        let mut connection = self.pool.connect(&broker, self.delegate).await?;
        let partitions = batches.into_iter().map(|(index, batch)| {
            PartitionProduceData::default()
                .with_index(index)
                .with_records(Some(batch))
        });
        let topic = TopicProduceData::default()
            .with_name(TopicName(text(&self.topic.name)))
            .with_partition_data(partitions.collect());
        let request = ProduceRequest::default()
            .with_acks(-1)
            .with_timeout_ms(DURABLE_MS)
            .with_topic_data(vec![topic]);
        let call = Call {
            version: PRODUCE,
            request: &request,
        };
        let response = match connection.exchange(&call).await {
            Ok(response) => response,
            Err(error) => {
                // Those that nothing is told of are not known.
                tracing::warn!(%error, "whether records were appended is not known");
                return Ok(BTreeMap::new());
            }
        };
        self.pool.give(&broker, self.delegate, connection);
        self.pool
            .hold_back(self.delegate, throttle(response.throttle_time_ms));
        let told = response
            .responses
            .into_iter()
            .flat_map(|topic| topic.partition_responses);
        Ok(told
            .map(|told| {
                let appended = Appended {
                    first: told.base_offset,
                    append_time: Some(told.log_append_time_ms).filter(|time| *time >= 0),
                };
                let result = match told.error_code {
                    0 => Ok(appended),
                    code => Err(code),
                };
                (told.index, result)
            })
            .collect())
    }
}
