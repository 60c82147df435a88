//! ListOffsets 1-10: offsets by time, and the special ones.
//!
//! -1 high watermark (last stable offset if only committed records are wanted), -2 log start, -3 the largest timestamp
//! (from 7), -4 the first offset that is not only in objects (from 8), -5 the last offset that is in objects (from 9).
//! No match is answered -1 and -1.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::Operation;
use firn_catalog::image::Image;
use firn_log::partition::{Isolation, Partition, TimedOffset};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{ApiKey, ListOffsetsRequest, ListOffsetsResponse};

use crate::errors;
use crate::serving::request::RequestContext;
use crate::serving::topics::check_epoch;

pub(crate) const API: ApiKey = ApiKey::ListOffsets;
pub(crate) const VERSIONS: RangeInclusive<i16> = 1..=10;

/// The first version that tells leader epochs.
const EPOCHS_FROM: i16 = 4;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;

/// An offset, its timestamp and its leader epoch; -1 where there is none.
struct Found {
    offset: i64,
    timestamp: i64,
    epoch: i32,
}

impl Found {
    const NOTHING: Self = Self {
        offset: -1,
        timestamp: -1,
        epoch: -1,
    };

    fn at(partition: &Partition, offset: firn_catalog::ids::Offset) -> Self {
        let epoch = partition.epoch_at(offset).unwrap_or(partition.leader_epoch());
        Self {
            offset: offset.0,
            timestamp: -1,
            epoch: epoch.0,
        }
    }

    fn timed(found: Option<TimedOffset>) -> Self {
        found.map_or(Self::NOTHING, |found| Self {
            offset: found.offset.0,
            timestamp: found.timestamp,
            epoch: found.leader_epoch.0,
        })
    }
}

pub(crate) async fn handle(context: Arc<RequestContext>, request: ListOffsetsRequest) -> ListOffsetsResponse {
    let image = context.serving.image();
    let isolation = if request.isolation_level == 1 {
        Isolation::ReadCommitted
    } else {
        Isolation::ReadUncommitted
    };
    let duplicates = Duplicates::of(&request.topics);
    let mut topics = Vec::with_capacity(request.topics.len());
    for (place, topic) in request.topics.into_iter().enumerate() {
        let seen = context.authorize_topic(&image, Operation::Describe, &topic.name);
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for asked in &topic.partitions {
            let found = if seen.is_err() {
                Err(ResponseError::TopicAuthorizationFailed)
            } else if duplicates.has(place, asked.partition_index) {
                Err(ResponseError::InvalidRequest)
            } else {
                find(&context, &image, &topic.name, asked, isolation).await
            };
            partitions.push(answer(&context, asked.partition_index, found));
        }
        topics.push(
            ListOffsetsTopicResponse::default()
                .with_name(topic.name)
                .with_partitions(partitions),
        );
    }
    ListOffsetsResponse::default().with_topics(topics)
}

/// Partitions that the request names more than once: refused, each time. Names are neither copied nor compared for each
/// partition: a name may be long, and its partitions many.
struct Duplicates {
    /// For each topic of the request, the place of the first one with its name.
    first: Vec<usize>,
    /// Place of the topic, and partition.
    twice: BTreeSet<(usize, i32)>,
}

impl Duplicates {
    fn of(topics: &[ListOffsetsTopic]) -> Self {
        let mut places = BTreeMap::new();
        let mut seen = BTreeSet::new();
        let mut duplicates = Self {
            first: Vec::with_capacity(topics.len()),
            twice: BTreeSet::new(),
        };
        for (place, topic) in topics.iter().enumerate() {
            let first = *places.entry(topic.name.as_str()).or_insert(place);
            duplicates.first.push(first);
            for partition in &topic.partitions {
                if !seen.insert((first, partition.partition_index)) {
                    duplicates.twice.insert((first, partition.partition_index));
                }
            }
        }
        duplicates
    }

    /// Whether the partition of the topic at that place is among them.
    fn has(&self, place: usize, index: i32) -> bool {
        self.twice.contains(&(self.first[place], index))
    }
}

fn answer(
    context: &RequestContext,
    index: i32,
    found: Result<Found, ResponseError>,
) -> ListOffsetsPartitionResponse {
    let error = found.as_ref().err().map_or(errors::NONE, ResponseError::code);
    let found = found.unwrap_or(Found::NOTHING);
    let answer = ListOffsetsPartitionResponse::default()
        .with_partition_index(index)
        .with_error_code(error)
        .with_timestamp(found.timestamp)
        .with_offset(found.offset);
    if context.version >= EPOCHS_FROM {
        answer.with_leader_epoch(found.epoch)
    } else {
        answer
    }
}

async fn find(
    context: &RequestContext,
    image: &Image,
    name: &str,
    asked: &ListOffsetsPartition,
    isolation: Isolation,
) -> Result<Found, ResponseError> {
    let topic = context
        .topic_by_name(image, name)
        .ok_or(ResponseError::UnknownTopicOrPartition)?;
    let partition = context
        .partition(image, topic, asked.partition_index)
        .map_err(|not| not.error)?;
    check_epoch(&partition, asked.current_leader_epoch)?;
    let unsupported = |from: i16| context.version < from;
    let offsets = partition.offsets();
    match asked.timestamp {
        LATEST => {
            let end = match isolation {
                Isolation::ReadUncommitted => offsets.high_watermark,
                Isolation::ReadCommitted => offsets.last_stable,
            };
            Ok(Found {
                offset: end.0,
                timestamp: -1,
                epoch: offsets.leader_epoch.0,
            })
        }
        EARLIEST => Ok(Found::at(&partition, offsets.log_start)),
        MAX_TIMESTAMP if !unsupported(7) => {
            let found = partition.offset_of_max_timestamp(isolation).await;
            found.map(Found::timed).map_err(|error| errors::of_read(&error))
        }
        EARLIEST_LOCAL if !unsupported(8) => {
            Ok(Found::at(&partition, offsets.cold_end.max(offsets.log_start)))
        }
        LATEST_TIERED if !unsupported(9) => Ok(match offsets.cold_end > offsets.log_start {
            true => Found::at(&partition, offsets.cold_end.plus(-1)),
            false => Found::NOTHING,
        }),
        time if time >= 0 => {
            let found = partition.offset_for_time(time, isolation).await;
            found.map(Found::timed).map_err(|error| errors::of_read(&error))
        }
        _ => Err(ResponseError::UnsupportedVersion),
    }
}
