//! What a role must allow for each API, about a topic or a group that is there.

use firn_catalog::access::Permission;
use kafka_protocol::messages::ApiKey;

use crate::answers::Told;
use crate::support::samples::Sample;

/// The permission without which an API does nothing; `None`: everybody in the cluster may call it.
pub fn of(key: ApiKey) -> Option<Permission> {
    Some(match key {
        ApiKey::ApiVersions | ApiKey::DescribeCluster => return None,
        ApiKey::Produce | ApiKey::InitProducerId => Permission::WriteRecords,
        ApiKey::Fetch
        | ApiKey::DescribeProducers
        | ApiKey::JoinGroup
        | ApiKey::SyncGroup
        | ApiKey::Heartbeat
        | ApiKey::LeaveGroup
        | ApiKey::OffsetCommit => Permission::ReadRecords,
        ApiKey::ListOffsets
        | ApiKey::Metadata
        | ApiKey::OffsetForLeaderEpoch
        | ApiKey::DescribeTopicPartitions
        | ApiKey::ListConfigResources
        | ApiKey::DescribeConfigs
        | ApiKey::DescribeLogDirs
        | ApiKey::FindCoordinator
        | ApiKey::OffsetFetch
        | ApiKey::DescribeGroups
        | ApiKey::ListGroups
        | ApiKey::DescribeClientQuotas
        | ApiKey::DescribeUserScramCredentials
        | ApiKey::DescribeAcls => Permission::ViewCluster,
        ApiKey::CreateTopics
        | ApiKey::CreatePartitions
        | ApiKey::DeleteTopics
        | ApiKey::DeleteRecords
        | ApiKey::AlterConfigs
        | ApiKey::IncrementalAlterConfigs => Permission::ManageTopics,
        ApiKey::DeleteGroups | ApiKey::OffsetDelete => Permission::ManageGroups,
        ApiKey::AlterClientQuotas => Permission::ConfigureCluster,
        ApiKey::AlterUserScramCredentials | ApiKey::CreateAcls | ApiKey::DeleteAcls => {
            Permission::ManageCredentials
        }
        other => panic!("no test knows what {other:?} needs"),
    })
}

/// Whether a request that is allowed removes what the next ones are about.
pub fn takes_away(key: ApiKey) -> bool {
    matches!(key, ApiKey::DeleteTopics | ApiKey::DeleteGroups)
}

/// Whether an answer hides what there is from who may not see it, where the API has no error for that: an empty list.
pub fn hides(sample: &Sample, told: &[Told]) -> bool {
    let lists = match sample.key {
        ApiKey::Metadata | ApiKey::DescribeTopicPartitions | ApiKey::DescribeLogDirs | ApiKey::ListGroups => {
            true
        }
        // Version 0 lists what no topic is.
        ApiKey::ListConfigResources => sample.version > 0,
        _ => false,
    };
    lists && !told.iter().any(|(place, _)| !place.is_empty())
}
