//! One file for each API that is served, with its versions on top. [`TABLE`] is what there is: ApiVersions answers from
//! it and requests are dispatched by it.

mod alter_client_quotas;
pub(crate) mod alter_configs;
mod alter_user_scram_credentials;
pub(crate) mod api_versions;
mod create_acls;
mod create_partitions;
mod create_topics;
mod delete_acls;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_acls;
mod describe_client_quotas;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_producers;
mod describe_topic_partitions;
mod describe_user_scram_credentials;
mod fetch;
mod find_coordinator;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_config_resources;
mod list_groups;
mod list_offsets;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod produce;
mod sync_group;

use kafka_protocol::messages as m;

use crate::protocol::{fetch as fetch_wire, produce as produce_wire, schema, writing};
use crate::serving::dispatch::{Api, Call, coded};

/// A response that tells the throttle time.
pub(crate) trait Throttled {
    /// Sets it, in ms.
    fn set_throttle(&mut self, ms: i32);
}

macro_rules! throttled {
    ($($response:ident),* $(,)?) => {$(
        impl Throttled for m::$response {
            fn set_throttle(&mut self, ms: i32) {
                self.throttle_time_ms = ms;
            }
        }
    )*};
}

throttled! {
    AlterConfigsResponse, ApiVersionsResponse, CreatePartitionsResponse, CreateTopicsResponse,
    DeleteGroupsResponse, DeleteRecordsResponse, DeleteTopicsResponse, DescribeClusterResponse,
    DescribeConfigsResponse, DescribeGroupsResponse, DescribeLogDirsResponse, DescribeProducersResponse,
    DescribeTopicPartitionsResponse, FindCoordinatorResponse, HeartbeatResponse,
    IncrementalAlterConfigsResponse, InitProducerIdResponse, JoinGroupResponse, LeaveGroupResponse,
    AlterUserScramCredentialsResponse, DescribeUserScramCredentialsResponse,
    AlterClientQuotasResponse, DescribeClientQuotasResponse,
    ListConfigResourcesResponse, ListGroupsResponse, ListOffsetsResponse, MetadataResponse,
    OffsetCommitResponse, OffsetDeleteResponse, OffsetFetchResponse, OffsetForLeaderEpochResponse,
    SyncGroupResponse, DescribeAclsResponse, CreateAclsResponse, DeleteAclsResponse,
}

macro_rules! coded {
    ($module:ident, $request:ident, $response:ident, $schema:ident) => {
        Api {
            key: $module::API,
            versions: $module::VERSIONS,
            advertised_from: *$module::VERSIONS.start(),
            flexible_from: schema::$schema.flexible_from,
            schema: Some(&schema::$schema),
            call: Call::Coded(|context, body| {
                Box::pin(coded::<m::$request, m::$response, _>(
                    context,
                    body,
                    $module::handle,
                ))
            }),
        }
    };
}

/// Every API that is served, in the order of keys.
pub(crate) static TABLE: &[Api] = &[
    Api {
        key: produce::API,
        versions: produce::VERSIONS,
        advertised_from: produce::ADVERTISED_FROM,
        flexible_from: produce_wire::FLEXIBLE_FROM,
        schema: None,
        call: Call::Produce(produce::start),
    },
    Api {
        key: fetch::API,
        versions: fetch::VERSIONS,
        advertised_from: *fetch::VERSIONS.start(),
        flexible_from: fetch_wire::FLEXIBLE_FROM,
        schema: Some(&schema::FETCH),
        call: Call::Coded(|context, body| Box::pin(fetch::answer(context, body))),
    },
    coded!(
        list_offsets,
        ListOffsetsRequest,
        ListOffsetsResponse,
        LIST_OFFSETS
    ),
    coded!(metadata, MetadataRequest, MetadataResponse, METADATA),
    coded!(
        offset_commit,
        OffsetCommitRequest,
        OffsetCommitResponse,
        OFFSET_COMMIT
    ),
    coded!(
        offset_fetch,
        OffsetFetchRequest,
        OffsetFetchResponse,
        OFFSET_FETCH
    ),
    coded!(
        find_coordinator,
        FindCoordinatorRequest,
        FindCoordinatorResponse,
        FIND_COORDINATOR
    ),
    coded!(join_group, JoinGroupRequest, JoinGroupResponse, JOIN_GROUP),
    coded!(heartbeat, HeartbeatRequest, HeartbeatResponse, HEARTBEAT),
    coded!(leave_group, LeaveGroupRequest, LeaveGroupResponse, LEAVE_GROUP),
    coded!(sync_group, SyncGroupRequest, SyncGroupResponse, SYNC_GROUP),
    coded!(
        describe_groups,
        DescribeGroupsRequest,
        DescribeGroupsResponse,
        DESCRIBE_GROUPS
    ),
    coded!(list_groups, ListGroupsRequest, ListGroupsResponse, LIST_GROUPS),
    Api {
        key: m::ApiKey::SaslHandshake,
        versions: 0..=1,
        advertised_from: 0,
        flexible_from: schema::SASL_HANDSHAKE.flexible_from,
        schema: Some(&schema::SASL_HANDSHAKE),
        call: Call::Login,
    },
    coded!(
        api_versions,
        ApiVersionsRequest,
        ApiVersionsResponse,
        API_VERSIONS
    ),
    coded!(
        create_topics,
        CreateTopicsRequest,
        CreateTopicsResponse,
        CREATE_TOPICS
    ),
    coded!(
        delete_topics,
        DeleteTopicsRequest,
        DeleteTopicsResponse,
        DELETE_TOPICS
    ),
    coded!(
        delete_records,
        DeleteRecordsRequest,
        DeleteRecordsResponse,
        DELETE_RECORDS
    ),
    coded!(
        init_producer_id,
        InitProducerIdRequest,
        InitProducerIdResponse,
        INIT_PRODUCER_ID
    ),
    coded!(
        offset_for_leader_epoch,
        OffsetForLeaderEpochRequest,
        OffsetForLeaderEpochResponse,
        OFFSET_FOR_LEADER_EPOCH
    ),
    coded!(
        describe_acls,
        DescribeAclsRequest,
        DescribeAclsResponse,
        DESCRIBE_ACLS
    ),
    coded!(create_acls, CreateAclsRequest, CreateAclsResponse, CREATE_ACLS),
    coded!(delete_acls, DeleteAclsRequest, DeleteAclsResponse, DELETE_ACLS),
    coded!(
        describe_configs,
        DescribeConfigsRequest,
        DescribeConfigsResponse,
        DESCRIBE_CONFIGS
    ),
    coded!(
        alter_configs,
        AlterConfigsRequest,
        AlterConfigsResponse,
        ALTER_CONFIGS
    ),
    coded!(
        describe_log_dirs,
        DescribeLogDirsRequest,
        DescribeLogDirsResponse,
        DESCRIBE_LOG_DIRS
    ),
    Api {
        key: m::ApiKey::SaslAuthenticate,
        versions: 0..=2,
        advertised_from: 0,
        flexible_from: schema::SASL_AUTHENTICATE.flexible_from,
        schema: Some(&schema::SASL_AUTHENTICATE),
        call: Call::Login,
    },
    coded!(
        create_partitions,
        CreatePartitionsRequest,
        CreatePartitionsResponse,
        CREATE_PARTITIONS
    ),
    coded!(
        delete_groups,
        DeleteGroupsRequest,
        DeleteGroupsResponse,
        DELETE_GROUPS
    ),
    coded!(
        incremental_alter_configs,
        IncrementalAlterConfigsRequest,
        IncrementalAlterConfigsResponse,
        INCREMENTAL_ALTER_CONFIGS
    ),
    coded!(
        offset_delete,
        OffsetDeleteRequest,
        OffsetDeleteResponse,
        OFFSET_DELETE
    ),
    coded!(
        describe_client_quotas,
        DescribeClientQuotasRequest,
        DescribeClientQuotasResponse,
        DESCRIBE_CLIENT_QUOTAS
    ),
    coded!(
        alter_client_quotas,
        AlterClientQuotasRequest,
        AlterClientQuotasResponse,
        ALTER_CLIENT_QUOTAS
    ),
    coded!(
        describe_user_scram_credentials,
        DescribeUserScramCredentialsRequest,
        DescribeUserScramCredentialsResponse,
        DESCRIBE_USER_SCRAM_CREDENTIALS
    ),
    coded!(
        alter_user_scram_credentials,
        AlterUserScramCredentialsRequest,
        AlterUserScramCredentialsResponse,
        ALTER_USER_SCRAM_CREDENTIALS
    ),
    coded!(
        describe_cluster,
        DescribeClusterRequest,
        DescribeClusterResponse,
        DESCRIBE_CLUSTER
    ),
    coded!(
        describe_producers,
        DescribeProducersRequest,
        DescribeProducersResponse,
        DESCRIBE_PRODUCERS
    ),
    coded!(
        list_config_resources,
        ListConfigResourcesRequest,
        ListConfigResourcesResponse,
        LIST_CONFIG_RESOURCES
    ),
    coded!(
        describe_topic_partitions,
        DescribeTopicPartitionsRequest,
        DescribeTopicPartitionsResponse,
        DESCRIBE_TOPIC_PARTITIONS
    ),
];

/// A text as the codecs want it, cut where a classic string ends: they refuse to write a longer one.
pub(crate) fn text(text: impl Into<String>) -> kafka_protocol::protocol::StrBytes {
    let mut text = text.into();
    text.truncate(writing::clipped(&text).len());
    kafka_protocol::protocol::StrBytes::from_string(text)
}

/// An id as the codecs want it.
fn uuid(id: firn_catalog::ids::TopicId) -> uuid::Uuid {
    uuid::Uuid::from_u128(id.0)
}
