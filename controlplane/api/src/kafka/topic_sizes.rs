//! How large topics are: one request to each broker that leads some of their partitions, not one for each topic.
//!
//! A broker that is away hides the sizes of its topics and no others: a topic has a size once all its partitions have told theirs.

use std::collections::BTreeMap;
use std::sync::Arc;

use firn_catalog::entities::Address;
use firn_catalog::ids::{ClusterId, IncarnationId};
use firn_catalog::image::{Image, ImageTopic};
use futures::future::join_all;
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{DescribeLogDirsRequest, ListOffsetsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::connection::accepted;
use super::topics::{DESCRIBE_LOG_DIRS, EARLIEST, LATEST, LIST_OFFSETS};
use super::{Delegate, KafkaError, KafkaPool};

/// What all partitions of a topic take up together; `None` while not all of them are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TopicSize {
    /// Bytes of the records.
    pub(crate) bytes: Option<i64>,
    /// Offsets from the starts to the ends.
    pub(crate) records: Option<i64>,
}

/// A number of each partition, summed up by topic, and how many partitions have told it.
#[derive(Default)]
struct Sums(BTreeMap<Arc<str>, (i64, usize)>);

impl Sums {
    fn add(&mut self, topic: &str, number: i64) {
        if let Some(sum) = self.0.get_mut(topic) {
            *sum = (sum.0.saturating_add(number), sum.1 + 1);
        } else {
            self.0.insert(topic.into(), (number, 1));
        }
    }

    /// The sum over a topic that is told as a whole.
    fn whole(&self, topic: &ImageTopic) -> Option<i64> {
        let (sum, told) = self.0.get(&topic.name)?;
        (*told >= topic.partitions.len()).then_some((*sum).max(0))
    }
}

/// What one broker tells.
struct Told {
    /// Bytes by topic, one for each partition.
    bytes: Vec<(StrBytes, i64)>,
    /// Offsets by topic: the end's counts for it, the start's against it.
    offsets: Vec<(StrBytes, i64)>,
}

/// Partitions by topic.
type Led<'a> = BTreeMap<&'a Arc<str>, Vec<i32>>;

/// The bytes of all of a cluster's topics, by name.
pub(crate) async fn all_topic_sizes(
    pool: &KafkaPool,
    delegate: &Delegate,
    image: &Image,
    cluster: ClusterId,
) -> Result<BTreeMap<Arc<str>, TopicSize>, KafkaError> {
    let asked = image.brokers().map(|broker| async move {
        let address = broker.internal.as_ref()?;
        Some(log_dirs(pool, address, delegate, None).await)
    });
    let mut sums = Sums::default();
    for answer in join_all(asked).await.into_iter().flatten() {
        for (topic, bytes) in told(answer)?.unwrap_or_default() {
            sums.add(&topic, bytes);
        }
    }
    let topics = image.topics_of(cluster);
    let sized = topics.map(|topic| {
        let size = TopicSize {
            bytes: sums.whole(topic),
            records: None,
        };
        (Arc::clone(&topic.name), size)
    });
    Ok(sized.collect())
}

/// Bytes and records of these topics, by name.
pub(crate) async fn topic_sizes<'a>(
    pool: &KafkaPool,
    delegate: &Delegate,
    image: &Image,
    topics: impl Iterator<Item = &'a Arc<ImageTopic>>,
) -> Result<BTreeMap<Arc<str>, TopicSize>, KafkaError> {
    let topics: Vec<_> = topics.collect();
    let mut led: BTreeMap<IncarnationId, Led<'_>> = BTreeMap::new();
    for topic in &topics {
        for (index, leader) in (0_i32..).zip(topic.partitions.iter()) {
            let of_leader = led.entry(leader.owner).or_default();
            of_leader.entry(&topic.name).or_default().push(index);
        }
    }
    let asked = led.iter().map(|(owner, led)| async move {
        let address = image.broker(*owner)?.internal.as_ref()?;
        Some(ask(pool, address, delegate, led).await)
    });
    let (mut bytes, mut offsets) = (Sums::default(), Sums::default());
    for answer in join_all(asked).await.into_iter().flatten() {
        let Some(answer) = told(answer)? else { continue };
        for (topic, number) in answer.bytes {
            bytes.add(&topic, number);
        }
        for (topic, number) in answer.offsets {
            offsets.add(&topic, number);
        }
    }
    let sized = topics.into_iter().map(|topic| {
        let size = TopicSize {
            bytes: bytes.whole(topic),
            records: offsets.whole(topic),
        };
        (Arc::clone(&topic.name), size)
    });
    Ok(sized.collect())
}

/// What is told; of a broker that does not answer, nothing.
fn told<T>(answer: Result<T, KafkaError>) -> Result<Option<T>, KafkaError> {
    match answer {
        Ok(told) => Ok(Some(told)),
        Err(error @ KafkaError::Unreachable { .. }) => {
            tracing::warn!(%error, "a broker does not tell how large its topics are");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn ask(
    pool: &KafkaPool,
    broker: &Address,
    delegate: &Delegate,
    led: &Led<'_>,
) -> Result<Told, KafkaError> {
    let bytes = log_dirs(pool, broker, delegate, Some(led)).await?;
    let starts = offsets(pool, broker, delegate, led, EARLIEST).await?;
    let ends = offsets(pool, broker, delegate, led, LATEST).await?;
    let mut between = Vec::with_capacity(ends.len());
    for (place, (topic, end)) in ends {
        if let Some((_, start)) = starts.get(&place) {
            between.push((topic, end.saturating_sub(*start).max(0)));
        }
    }
    Ok(Told {
        bytes,
        offsets: between,
    })
}

/// The size of each partition that the broker leads: of these, or of all.
async fn log_dirs(
    pool: &KafkaPool,
    broker: &Address,
    delegate: &Delegate,
    led: Option<&Led<'_>>,
) -> Result<Vec<(StrBytes, i64)>, KafkaError> {
    let topics = led.map(|led| {
        let asked = led.iter().map(|(name, partitions)| {
            DescribableLogDirTopic::default()
                .with_topic(named(name))
                .with_partitions(partitions.clone())
        });
        asked.collect()
    });
    let request = DescribeLogDirsRequest::default().with_topics(topics);
    let response = pool.ask(broker, delegate, DESCRIBE_LOG_DIRS, &request).await?;
    accepted(response.error_code)?;
    let topics = response
        .results
        .into_iter()
        .flat_map(|directory| directory.topics);
    let sizes = topics.flat_map(|topic| {
        let name = topic.name.0;
        let partitions = topic.partitions.into_iter();
        partitions.map(move |told| (name.clone(), told.partition_size))
    });
    Ok(sizes.collect())
}

/// One offset of each partition, by the places of its topic and of itself in the answer, which are those of the request.
async fn offsets(
    pool: &KafkaPool,
    broker: &Address,
    delegate: &Delegate,
    led: &Led<'_>,
    which: i64,
) -> Result<BTreeMap<(usize, i32), (StrBytes, i64)>, KafkaError> {
    let topics = led.iter().map(|(name, partitions)| {
        let asked = partitions.iter().map(|index| {
            ListOffsetsPartition::default()
                .with_partition_index(*index)
                .with_current_leader_epoch(-1)
                .with_timestamp(which)
        });
        ListOffsetsTopic::default()
            .with_name(named(name))
            .with_partitions(asked.collect())
    });
    let request = ListOffsetsRequest::default()
        .with_replica_id((-1).into())
        .with_topics(topics.collect());
    let response = pool.ask(broker, delegate, LIST_OFFSETS, &request).await?;
    let mut found = BTreeMap::new();
    for (place, topic) in response.topics.into_iter().enumerate() {
        for told in topic.partitions.iter().filter(|told| told.error_code == 0) {
            let of = (topic.name.0.clone(), told.offset);
            found.insert((place, told.partition_index), of);
        }
    }
    Ok(found)
}

fn named(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}
