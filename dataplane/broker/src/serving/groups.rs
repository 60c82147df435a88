//! What the handlers of groups share: asking a group, who asks, and the topics whose offsets are meant.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use firn_catalog::acl::Operation;
use firn_catalog::ids::PartitionId;
use firn_catalog::image::{Image, ImageTopic};
use firn_coordinator::api::{Answer, GroupError, MemberRef, Request};
use futures::StreamExt;
use futures::stream;
use kafka_protocol::ResponseError;
use kafka_protocol::protocol::StrBytes;

use super::request::RequestContext;
use super::topics::has_partition;
use crate::errors;

/// How many groups one request asks at a time.
const AT_A_TIME: usize = 16;

impl RequestContext {
    /// Checks that the caller may take part in a group, and that the group has a name: only offsets do without.
    pub(crate) fn member_of(&self, group: &str) -> Result<(), ResponseError> {
        self.authorize_group(&self.serving.image(), Operation::Read, group)
            .map_err(|_| ResponseError::GroupAuthorizationFailed)?;
        named(group)
    }

    /// Asks a group of the caller's cluster, and waits as long as it takes: for a rebalance, say. `take` takes out what an answer
    /// to this kind of request holds.
    pub(crate) async fn ask<T>(
        &self,
        group: &str,
        request: Request,
        take: impl FnOnce(Answer) -> Option<T>,
    ) -> Result<T, ResponseError> {
        let asked = self.serving.groups.ask(self.cluster(), group, request).await;
        let answer = asked.map_err(errors::of_unavailable)?;
        Ok(take(answer).expect("a group answers each kind of request with its own kind of answer"))
    }

    /// The topic whose offsets in a group are meant, if the caller may read it.
    pub(crate) fn consumed<'i>(
        &self,
        image: &'i Image,
        topic: &str,
    ) -> Result<&'i Arc<ImageTopic>, ResponseError> {
        self.authorize_topic(image, Operation::Read, topic)
            .map_err(|_| ResponseError::TopicAuthorizationFailed)?;
        self.topic_by_name(image, topic)
            .ok_or(ResponseError::UnknownTopicOrPartition)
    }
}

/// A partition of a topic whose offsets in a group are meant.
pub(crate) fn consumed_partition(topic: &ImageTopic, index: i32) -> Result<PartitionId, ResponseError> {
    match has_partition(topic, index) {
        true => Ok(PartitionId {
            topic: topic.id,
            index,
        }),
        false => Err(ResponseError::UnknownTopicOrPartition),
    }
}

/// Refuses a group without a name.
pub(crate) fn named(group: &str) -> Result<(), ResponseError> {
    match group.is_empty() {
        true => Err(errors::of_group(GroupError::InvalidGroup)),
        false => Ok(()),
    }
}

/// Asks of several groups, some of them at a time. What comes back is in the order of the groups.
pub(crate) async fn of_each<F: Future>(asked: impl ExactSizeIterator<Item = F>) -> Vec<F::Output> {
    let mut answers = Vec::with_capacity(asked.len());
    let mut coming = stream::iter(asked).buffered(AT_A_TIME);
    while let Some(answer) = coming.next().await {
        answers.push(answer);
    }
    answers
}

/// Each of these once, in the order in which they first come: an answer may be much longer than a question.
pub(crate) fn once<T: Ord + Clone>(mut asked: Vec<T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    asked.retain(|one| seen.insert(one.clone()));
    asked
}

/// Who a request is from, within a group.
pub(crate) fn member(id: &str, instance: Option<&StrBytes>) -> MemberRef {
    MemberRef {
        id: id.into(),
        instance: instance.map(|instance| instance.as_str().into()),
    }
}

/// What members tell each other, by the protocol's or the member's name. It is copied: a group keeps it for longer than
/// the frame that it came in should live.
pub(crate) fn kept<'a>(told: impl Iterator<Item = (&'a StrBytes, &'a Bytes)>) -> Vec<(Arc<str>, Bytes)> {
    told.map(|(name, bytes)| (name.as_str().into(), Bytes::copy_from_slice(bytes)))
        .collect()
}
