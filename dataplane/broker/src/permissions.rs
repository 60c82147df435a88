//! What each API asks before it does anything, as Apache Kafka 4.3 does: one table, which `docs/kafka-permissions.md` shows.
//!
//! A request passes all checks of its API that apply to it. A resource that is not there is asked about as one that is. What is left
//! out of an answer, and authorized operations, are no denials and leave no trace in the audit trail.

use firn_catalog::acl::Operation;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::ApiKey;

/// To what an operation is to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// The cluster as a whole.
    Cluster,
    /// Each topic that is meant.
    Topic,
    /// Some topic, whichever.
    AnyTopic,
    /// Each group that is meant.
    Group,
    /// The transactional id.
    TransactionalId,
}

/// What becomes of what is not allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is answered with this error, at its place.
    Error(ResponseError),
    /// It is left out of the answer.
    LeftOut,
}

/// One check.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Whose.
    pub api: ApiKey,
    /// What it is about; empty: every request.
    pub when: &'static str,
    /// One of these must be allowed. None: there is nothing to be allowed.
    pub any_of: &'static [(Operation, Resource)],
    /// What becomes of it otherwise.
    pub denied: Outcome,
}

const fn check(
    api: ApiKey,
    when: &'static str,
    any_of: &'static [(Operation, Resource)],
    denied: Outcome,
) -> Check {
    Check {
        api,
        when,
        any_of,
        denied,
    }
}

use ApiKey as Api;
use Operation as Op;
use Resource::{AnyTopic, Cluster, Group, Topic, TransactionalId};

const TOPIC: Outcome = Outcome::Error(ResponseError::TopicAuthorizationFailed);
const GROUP: Outcome = Outcome::Error(ResponseError::GroupAuthorizationFailed);
const CLUSTER: Outcome = Outcome::Error(ResponseError::ClusterAuthorizationFailed);
const TRANSACTIONAL_ID: Outcome = Outcome::Error(ResponseError::TransactionalIdAuthorizationFailed);
const LEFT_OUT: Outcome = Outcome::LeftOut;

/// All checks, in the order of APIs.
pub static CHECKS: &[Check] = &[
    check(
        Api::Produce,
        "in a transaction",
        &[(Op::Write, TransactionalId)],
        TRANSACTIONAL_ID,
    ),
    check(Api::Produce, "", &[(Op::Write, Topic)], TOPIC),
    check(Api::Fetch, "as a replica", &[(Op::ClusterAction, Cluster)], TOPIC),
    check(Api::Fetch, "", &[(Op::Read, Topic)], TOPIC),
    check(Api::ListOffsets, "", &[(Op::Describe, Topic)], TOPIC),
    check(Api::Metadata, "named topics", &[(Op::Describe, Topic)], TOPIC),
    check(Api::Metadata, "all topics", &[(Op::Describe, Topic)], LEFT_OUT),
    check(
        Api::Metadata,
        "topics that are to be created",
        &[(Op::Create, Cluster), (Op::Create, Topic)],
        TOPIC,
    ),
    check(
        Api::Metadata,
        "authorized operations of the cluster",
        &[(Op::Describe, Cluster)],
        LEFT_OUT,
    ),
    check(Api::OffsetCommit, "", &[(Op::Read, Group)], GROUP),
    check(Api::OffsetCommit, "", &[(Op::Read, Topic)], TOPIC),
    check(Api::OffsetFetch, "", &[(Op::Describe, Group)], GROUP),
    check(Api::OffsetFetch, "named topics", &[(Op::Describe, Topic)], TOPIC),
    check(Api::OffsetFetch, "all topics", &[(Op::Describe, Topic)], LEFT_OUT),
    check(Api::FindCoordinator, "of groups", &[(Op::Describe, Group)], GROUP),
    check(
        Api::FindCoordinator,
        "of transactional ids",
        &[(Op::Describe, TransactionalId)],
        TRANSACTIONAL_ID,
    ),
    check(Api::JoinGroup, "", &[(Op::Read, Group)], GROUP),
    check(Api::Heartbeat, "", &[(Op::Read, Group)], GROUP),
    check(Api::LeaveGroup, "", &[(Op::Read, Group)], GROUP),
    check(Api::SyncGroup, "", &[(Op::Read, Group)], GROUP),
    check(Api::DescribeGroups, "", &[(Op::Describe, Group)], GROUP),
    check(
        Api::ListGroups,
        "",
        &[(Op::Describe, Cluster), (Op::Describe, Group)],
        LEFT_OUT,
    ),
    check(Api::SaslHandshake, "", &[], LEFT_OUT),
    check(Api::ApiVersions, "", &[], LEFT_OUT),
    check(
        Api::CreateTopics,
        "",
        &[(Op::Create, Cluster), (Op::Create, Topic)],
        TOPIC,
    ),
    check(
        Api::CreateTopics,
        "configs in the answer",
        &[(Op::DescribeConfigs, Topic)],
        LEFT_OUT,
    ),
    check(
        Api::DeleteTopics,
        "by name",
        &[(Op::Delete, Cluster), (Op::Describe, Topic)],
        TOPIC,
    ),
    check(
        Api::DeleteTopics,
        "",
        &[(Op::Delete, Cluster), (Op::Delete, Topic)],
        TOPIC,
    ),
    check(Api::DeleteRecords, "", &[(Op::Delete, Topic)], TOPIC),
    check(
        Api::InitProducerId,
        "with a transactional id",
        &[(Op::Write, TransactionalId)],
        TRANSACTIONAL_ID,
    ),
    check(
        Api::InitProducerId,
        "without a transactional id",
        &[(Op::Write, AnyTopic), (Op::IdempotentWrite, Cluster)],
        CLUSTER,
    ),
    check(
        Api::OffsetForLeaderEpoch,
        "",
        &[(Op::ClusterAction, Cluster), (Op::Describe, Topic)],
        TOPIC,
    ),
    check(Api::DescribeAcls, "", &[(Op::Describe, Cluster)], CLUSTER),
    check(Api::CreateAcls, "", &[(Op::Alter, Cluster)], CLUSTER),
    check(Api::DeleteAcls, "", &[(Op::Alter, Cluster)], CLUSTER),
    check(
        Api::DescribeConfigs,
        "of topics",
        &[(Op::DescribeConfigs, Topic)],
        TOPIC,
    ),
    check(
        Api::DescribeConfigs,
        "of brokers",
        &[(Op::DescribeConfigs, Cluster)],
        CLUSTER,
    ),
    check(
        Api::DescribeConfigs,
        "of groups",
        &[(Op::DescribeConfigs, Group)],
        GROUP,
    ),
    check(
        Api::AlterConfigs,
        "of topics",
        &[(Op::AlterConfigs, Topic)],
        TOPIC,
    ),
    check(
        Api::AlterConfigs,
        "of brokers",
        &[(Op::AlterConfigs, Cluster)],
        CLUSTER,
    ),
    check(
        Api::AlterConfigs,
        "of groups",
        &[(Op::AlterConfigs, Group)],
        GROUP,
    ),
    check(
        Api::DescribeLogDirs,
        "up to version 2",
        &[(Op::Describe, Cluster)],
        LEFT_OUT,
    ),
    check(
        Api::DescribeLogDirs,
        "from version 3",
        &[(Op::Describe, Cluster)],
        CLUSTER,
    ),
    check(Api::SaslAuthenticate, "", &[], LEFT_OUT),
    check(Api::CreatePartitions, "", &[(Op::Alter, Topic)], TOPIC),
    check(Api::DeleteGroups, "", &[(Op::Delete, Group)], GROUP),
    check(
        Api::IncrementalAlterConfigs,
        "of topics",
        &[(Op::AlterConfigs, Topic)],
        TOPIC,
    ),
    check(
        Api::IncrementalAlterConfigs,
        "of brokers",
        &[(Op::AlterConfigs, Cluster)],
        CLUSTER,
    ),
    check(
        Api::IncrementalAlterConfigs,
        "of groups",
        &[(Op::AlterConfigs, Group)],
        GROUP,
    ),
    check(Api::OffsetDelete, "", &[(Op::Delete, Group)], GROUP),
    check(Api::OffsetDelete, "", &[(Op::Read, Topic)], TOPIC),
    check(
        Api::DescribeClientQuotas,
        "",
        &[(Op::DescribeConfigs, Cluster)],
        CLUSTER,
    ),
    check(
        Api::AlterClientQuotas,
        "",
        &[(Op::AlterConfigs, Cluster)],
        CLUSTER,
    ),
    check(
        Api::DescribeUserScramCredentials,
        "",
        &[(Op::Describe, Cluster)],
        CLUSTER,
    ),
    check(
        Api::AlterUserScramCredentials,
        "",
        &[(Op::Alter, Cluster)],
        CLUSTER,
    ),
    check(Api::DescribeCluster, "", &[], LEFT_OUT),
    check(
        Api::DescribeCluster,
        "authorized operations of the cluster",
        &[(Op::Describe, Cluster)],
        LEFT_OUT,
    ),
    check(Api::DescribeProducers, "", &[(Op::Read, Topic)], TOPIC),
    check(
        Api::ListConfigResources,
        "",
        &[(Op::DescribeConfigs, Cluster)],
        CLUSTER,
    ),
    check(
        Api::DescribeTopicPartitions,
        "named topics",
        &[(Op::Describe, Topic)],
        TOPIC,
    ),
    check(
        Api::DescribeTopicPartitions,
        "all topics",
        &[(Op::Describe, Topic)],
        LEFT_OUT,
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::handlers::TABLE;

    fn words(resource: Resource) -> &'static str {
        match resource {
            Cluster => "the cluster",
            Topic => "the topic",
            AnyTopic => "any topic",
            Group => "the group",
            TransactionalId => "the transactional id",
        }
    }

    fn table() -> String {
        let mut page = "| API | about | needs | else |\n|---|---|---|---|\n".to_owned();
        for check in CHECKS {
            let needs: Vec<_> = check
                .any_of
                .iter()
                .map(|(operation, resource)| format!("{operation:?} on {}", words(*resource)))
                .collect();
            let needs = match needs.is_empty() {
                true => "nothing".to_owned(),
                false => needs.join(", or "),
            };
            let denied = match (check.denied, check.any_of) {
                (_, []) => String::new(),
                (Outcome::LeftOut, _) => "left out".to_owned(),
                (Outcome::Error(error), _) => format!("{} {error:?}", error.code()),
            };
            let (key, api) = (check.api as i16, check.api);
            writeln!(page, "| {key} {api:?} | {} | {needs} | {denied} |", check.when).unwrap();
        }
        page
    }

    #[test]
    fn every_served_api_has_its_checks_in_order() {
        let checked: BTreeSet<_> = CHECKS.iter().map(|check| check.api as i16).collect();
        let served: BTreeSet<_> = TABLE.iter().map(|api| api.key as i16).collect();
        assert_eq!(checked, served);
        assert!(CHECKS.is_sorted_by_key(|check| check.api as i16));
    }

    #[test]
    fn the_page_shows_the_table() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let shown = fs::read_to_string(root.join("docs/kafka-permissions.md")).unwrap();
        let table = table();
        assert!(
            shown.ends_with(&table),
            "docs/kafka-permissions.md must end so:\n{table}"
        );
    }
}
