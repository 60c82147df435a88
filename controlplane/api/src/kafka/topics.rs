//! What is asked about a topic.

use std::collections::BTreeMap;

use firn_catalog::entities::Address;
use firn_catalog::ids::IncarnationId;
use firn_catalog::image::{Image, ImageTopic};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use kafka_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{
    DescribeConfigsRequest, DescribeLogDirsRequest, ListOffsetsRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;

use super::connection::accepted;
use super::{Delegate, KafkaError, KafkaPool};

pub(super) const LIST_OFFSETS: i16 = 9;
pub(super) const DESCRIBE_LOG_DIRS: i16 = 4;
const DESCRIBE_CONFIGS: i16 = 4;
/// The type of resource of DescribeConfigs that is a topic.
const TOPIC: i8 = 2;

/// Special timestamps of ListOffsets.
pub(super) const LATEST: i64 = -1;
pub(super) const EARLIEST: i64 = -2;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;

/// What the leader says of a partition; `None` where it says nothing of it (any more).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PartitionState {
    /// The first offset that may be read.
    pub(crate) log_start: Option<i64>,
    /// The end of what may be read.
    pub(crate) high_watermark: Option<i64>,
    /// The first offset that is not in objects.
    pub(crate) local_start: Option<i64>,
    /// The end of what is in objects.
    pub(crate) tiered_end: Option<i64>,
    /// Bytes of its records.
    pub(crate) size_bytes: Option<i64>,
}

/// A config of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KafkaConfig {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
    /// What it would be without the topic's own value.
    pub(crate) default: Option<String>,
    /// Kafka's number of where the value comes from.
    pub(crate) source: i8,
    /// Kafka's number of its type.
    pub(crate) kind: i8,
    pub(crate) read_only: bool,
    pub(crate) documentation: Option<String>,
}

/// Kafka's number of the source of a topic's own value.
const OF_TOPIC: i8 = 1;

pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Where a broker is reached from within.
pub(super) fn internal(image: &Image, incarnation: IncarnationId) -> Option<Address> {
    image.broker(incarnation)?.internal.clone()
}

/// The states of these partitions, each as its leader tells it. A broker that does not answer fails all: half an answer would
/// pass for a whole one.
pub(crate) async fn partition_states(
    pool: &KafkaPool,
    delegate: &Delegate,
    image: &Image,
    topic: &ImageTopic,
    partitions: &[i32],
) -> Result<BTreeMap<i32, PartitionState>, KafkaError> {
    let mut led: BTreeMap<IncarnationId, Vec<i32>> = BTreeMap::new();
    for index in partitions {
        let place = usize::try_from(*index).ok();
        if let Some(leader) = place.and_then(|place| topic.partitions.get(place)) {
            led.entry(leader.owner).or_default().push(*index);
        }
    }
    let mut states: BTreeMap<i32, PartitionState> = BTreeMap::new();
    for (owner, partitions) in led {
        let broker = internal(image, owner).ok_or_else(gone)?;
        let asking = Asking {
            pool,
            broker,
            delegate,
        };
        asking.offsets(&topic.name, &partitions, &mut states).await?;
        asking.sizes(&topic.name, &partitions, &mut states).await?;
    }
    Ok(states)
}

pub(super) fn gone() -> KafkaError {
    KafkaError::Unreachable {
        address: Address {
            host: "unknown".to_owned(),
            port: 0,
        },
        cause: "the leader has told no address".to_owned(),
    }
}

/// All configs of a topic, in the order of their names. Any broker can tell them.
pub(crate) async fn describe_configs(
    pool: &KafkaPool,
    delegate: &Delegate,
    image: &Image,
    topic: &str,
) -> Result<Vec<KafkaConfig>, KafkaError> {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text(topic))
        .with_configuration_keys(None);
    let request = DescribeConfigsRequest::default()
        .with_resources(vec![resource])
        .with_include_synonyms(true)
        .with_include_documentation(true);
    let mut last = gone();
    for broker in image.brokers() {
        let Some(address) = &broker.internal else { continue };
        match pool.ask(address, delegate, DESCRIBE_CONFIGS, &request).await {
            Ok(response) => {
                let result = response.results.into_iter().next();
                let result = result.ok_or_else(|| KafkaError::Nonsense("no result".to_owned()))?;
                accepted(result.error_code)?;
                let mut configs: Vec<_> = result.configs.iter().map(config).collect();
                configs.sort_by(|a, b| a.name.cmp(&b.name));
                return Ok(configs);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn config(told: &DescribeConfigsResourceResult) -> KafkaConfig {
    let behind = told.synonyms.iter().find(|synonym| synonym.source != OF_TOPIC);
    let default = match told.config_source {
        OF_TOPIC => behind.and_then(|synonym| {
            let value = synonym.value.as_ref()?;
            Some(in_unit_of(&told.name, &synonym.name, value))
        }),
        _ => told.value.as_ref().map(ToString::to_string),
    };
    KafkaConfig {
        default,
        name: told.name.to_string(),
        value: told.value.as_ref().map(ToString::to_string),
        source: told.config_source,
        kind: told.config_type,
        read_only: told.read_only,
        documentation: told.documentation.as_ref().map(ToString::to_string),
    }
}

/// The value of a broker's config as the topic's would say it: where a topic counts in ms, brokers may in minutes or hours.
fn in_unit_of(key: &str, synonym: &str, value: &str) -> String {
    let factor = match synonym.rsplit('.').next() {
        Some("hours") if key.ends_with(".ms") => 3_600_000,
        Some("minutes") if key.ends_with(".ms") => 60_000,
        _ => return value.to_owned(),
    };
    // Negative ones mean: without a limit.
    match value.parse::<i64>() {
        Ok(number) if number > 0 => number.saturating_mul(factor).to_string(),
        _ => value.to_owned(),
    }
}

/// Who is asked, and for whom.
struct Asking<'a> {
    pool: &'a KafkaPool,
    broker: Address,
    delegate: &'a Delegate,
}

impl Asking<'_> {
    async fn offsets(
        &self,
        topic: &str,
        partitions: &[i32],
        states: &mut BTreeMap<i32, PartitionState>,
    ) -> Result<(), KafkaError> {
        // A partition may stand in a request only once.
        for which in [EARLIEST, LATEST, EARLIEST_LOCAL, LATEST_TIERED] {
            let asked = partitions.iter().map(|index| {
                ListOffsetsPartition::default()
                    .with_partition_index(*index)
                    .with_current_leader_epoch(-1)
                    .with_timestamp(which)
            });
            let asked = ListOffsetsTopic::default()
                .with_name(TopicName(text(topic)))
                .with_partitions(asked.collect());
            let request = ListOffsetsRequest::default()
                .with_replica_id((-1).into())
                .with_topics(vec![asked]);
            let response = self
                .pool
                .ask(&self.broker, self.delegate, LIST_OFFSETS, &request)
                .await?;
            let told = response.topics.into_iter().flat_map(|topic| topic.partitions);
            for told in told.filter(|told| told.error_code == 0) {
                let state = states.entry(told.partition_index).or_default();
                match which {
                    EARLIEST => state.log_start = Some(told.offset),
                    LATEST => state.high_watermark = Some(told.offset),
                    EARLIEST_LOCAL => state.local_start = Some(told.offset),
                    // The last offset that is in objects; -1: none is.
                    _ => state.tiered_end = (told.offset >= 0).then_some(told.offset + 1),
                }
            }
        }
        Ok(())
    }

    async fn sizes(
        &self,
        topic: &str,
        partitions: &[i32],
        states: &mut BTreeMap<i32, PartitionState>,
    ) -> Result<(), KafkaError> {
        let asked = DescribableLogDirTopic::default()
            .with_topic(TopicName(text(topic)))
            .with_partitions(partitions.to_vec());
        let request = DescribeLogDirsRequest::default().with_topics(Some(vec![asked]));
        let response = self
            .pool
            .ask(&self.broker, self.delegate, DESCRIBE_LOG_DIRS, &request)
            .await?;
        accepted(response.error_code)?;
        let directories = response
            .results
            .into_iter()
            .flat_map(|directory| directory.topics);
        for told in directories.flat_map(|topic| topic.partitions) {
            let state = states.entry(told.partition_index).or_default();
            state.size_bytes = Some(state.size_bytes.unwrap_or(0) + told.partition_size);
        }
        Ok(())
    }
}
