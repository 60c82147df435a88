//! DescribeLogDirs 1-4: one virtual directory, with the real sizes of the partitions that this broker leads.
//!
//! Records live in an object store, whose total and usable bytes are unknown: -1.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use firn_catalog::acl::Operation;
use firn_catalog::image::ImageTopic;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use kafka_protocol::messages::{ApiKey, DescribeLogDirsRequest, DescribeLogDirsResponse, TopicName};

use super::text;
use crate::serving::request::RequestContext;

pub(crate) const API: ApiKey = ApiKey::DescribeLogDirs;
pub(crate) const VERSIONS: RangeInclusive<i16> = 1..=4;

/// The name of the directory.
const DIRECTORY: &str = "/firn";

pub(crate) async fn handle(
    context: Arc<RequestContext>,
    request: DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    let image = context.serving.image();
    let authorized = context.authorize_cluster(&image, Operation::Describe);
    if authorized.is_err() {
        let mut response = DescribeLogDirsResponse::default();
        if context.version >= 3 {
            response.error_code = ResponseError::ClusterAuthorizationFailed.code();
        }
        return response;
    }
    let topics = match request.topics {
        None => {
            let all = image.topics_of(context.cluster());
            all.map(|topic| tell(&context, topic, 0..topic.partitions.len()))
                .collect()
        }
        Some(asked) => {
            let mut wanted: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
            for topic in asked {
                wanted
                    .entry(topic.topic.to_string())
                    .or_default()
                    .extend(topic.partitions);
            }
            let known = wanted.iter().filter_map(|(name, partitions)| {
                let indexes = partitions.iter().filter_map(|index| usize::try_from(*index).ok());
                Some(tell(&context, context.topic_by_name(&image, name)?, indexes))
            });
            known.collect()
        }
    };
    let told = |topic: &DescribeLogDirsTopic| !topic.partitions.is_empty();
    let directory = DescribeLogDirsResult::default()
        .with_log_dir(text(DIRECTORY))
        .with_topics(Vec::into_iter(topics).filter(told).collect())
        .with_total_bytes(-1)
        .with_usable_bytes(-1);
    DescribeLogDirsResponse::default().with_results(vec![directory])
}

fn tell(
    context: &RequestContext,
    topic: &ImageTopic,
    indexes: impl Iterator<Item = usize>,
) -> DescribeLogDirsTopic {
    let partition = |index: usize| {
        let index = i32::try_from(index).ok()?;
        let id = firn_catalog::ids::PartitionId {
            topic: topic.id,
            index,
        };
        let sizes = context.serving.log.partition(id)?.sizes();
        // Records that are local and in objects are the same records.
        let bytes = i64::try_from(sizes.local.max(sizes.cold)).unwrap_or(i64::MAX);
        Some(
            DescribeLogDirsPartition::default()
                .with_partition_index(index)
                .with_partition_size(bytes),
        )
    };
    DescribeLogDirsTopic::default()
        .with_name(TopicName(text(&*topic.name)))
        .with_partitions(indexes.filter_map(partition).collect())
}
