//! Every request of Kafka's that changes a cluster leaves a row of its own.

use std::collections::BTreeSet;

use firn_catalog::audit::chain::Line;
use kafka_protocol::messages as m;
use kafka_protocol::messages::{
    ApiKey, alter_client_quotas_request as quotas, alter_configs_request as alter,
    create_acls_request as acls, create_partitions_request as widen, delete_acls_request as unbind,
    incremental_alter_configs_request as incremental,
};
use kafka_protocol::protocol::Request;
use serde_json::Value;

use super::{detail, trail};
use crate::support::Bench;
use crate::support::client::{Client, text, topic_name};

/// What is served that changes nothing but records, groups and connections.
const OTHERS: [ApiKey; 28] = [
    ApiKey::Produce,
    ApiKey::Fetch,
    ApiKey::ListOffsets,
    ApiKey::Metadata,
    ApiKey::OffsetCommit,
    ApiKey::OffsetFetch,
    ApiKey::FindCoordinator,
    ApiKey::JoinGroup,
    ApiKey::Heartbeat,
    ApiKey::LeaveGroup,
    ApiKey::SyncGroup,
    ApiKey::DescribeGroups,
    ApiKey::ListGroups,
    ApiKey::DeleteGroups,
    ApiKey::OffsetDelete,
    ApiKey::SaslHandshake,
    ApiKey::SaslAuthenticate,
    ApiKey::ApiVersions,
    ApiKey::DeleteRecords,
    ApiKey::InitProducerId,
    ApiKey::OffsetForLeaderEpoch,
    ApiKey::DescribeConfigs,
    ApiKey::DescribeCluster,
    ApiKey::DescribeProducers,
    ApiKey::DescribeTopicPartitions,
    ApiKey::DescribeLogDirs,
    ApiKey::DescribeUserScramCredentials,
    ApiKey::ListConfigResources,
];
/// What else only tells.
const TELLING: [ApiKey; 2] = [ApiKey::DescribeAcls, ApiKey::DescribeClientQuotas];

/// Asks, and takes the row that the request has left.
struct Asking<'a> {
    bench: &'a Bench,
    client: Client,
    seen: usize,
    covered: BTreeSet<i16>,
}

impl Asking<'_> {
    async fn ask<R: Request>(&mut self, version: i16, request: &R, action: &str) -> Line
    where
        R::Response: std::fmt::Debug,
    {
        let response = self.client.call(version, request).await;
        let mut rows = trail(self.bench).await;
        assert_eq!(rows.len(), self.seen + 1, "{action}: {response:?}");
        self.seen += 1;
        self.covered.insert(R::KEY);
        let row = rows.pop().unwrap();
        assert_eq!(
            (row.action.as_str(), row.decision.as_str()),
            (action, "allowed"),
            "{response:?}"
        );
        assert!(
            row.request_id.starts_with("kafka-") && !row.resource.is_empty(),
            "{row:?}"
        );
        let detail = detail(&row);
        assert!(
            detail.get("before").is_some() && detail.get("after").is_some(),
            "{row:?}"
        );
        row
    }
}

async fn topics(asking: &mut Asking<'_>) {
    let topic = m::create_topics_request::CreatableTopic::default()
        .with_name(topic_name("t"))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = m::CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000);
    asking.ask(7, &request, "create_topic").await;
    let topic = widen::CreatePartitionsTopic::default()
        .with_name(topic_name("t"))
        .with_count(2)
        .with_assignments(None);
    let request = m::CreatePartitionsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000);
    asking.ask(3, &request, "create_partitions").await;
    let config = alter::AlterableConfig::default()
        .with_name(text("retention.ms"))
        .with_value(Some(text("1000")));
    let resource = alter::AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(text("t"))
        .with_configs(vec![config]);
    let request = m::AlterConfigsRequest::default().with_resources(vec![resource]);
    asking.ask(2, &request, "alter_topic_configs").await;
    for (kind, name, key, action) in [
        (2, "t", "retention.ms", "alter_topic_configs"),
        (4, "", "log.retention.ms", "alter_cluster_configs"),
    ] {
        let config = incremental::AlterableConfig::default()
            .with_name(text(key))
            .with_value(Some(text("2000")));
        let resource = incremental::AlterConfigsResource::default()
            .with_resource_type(kind)
            .with_resource_name(text(name))
            .with_configs(vec![config]);
        let request = m::IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        let row = asking.ask(1, &request, action).await;
        assert_eq!(detail(&row)["after"][key], "2000");
    }
    let request = m::DeleteTopicsRequest::default()
        .with_topics(vec![
            m::delete_topics_request::DeleteTopicState::default().with_name(Some(topic_name("t"))),
        ])
        .with_timeout_ms(10_000);
    let row = asking.ask(6, &request, "delete_topic").await;
    assert_eq!(detail(&row)["after"], Value::Null);
}

async fn access(asking: &mut Asking<'_>) {
    let upsertion = m::alter_user_scram_credentials_request::ScramCredentialUpsertion::default()
        .with_name(text("alice"))
        .with_mechanism(1)
        .with_iterations(4_096)
        .with_salt(b"a salt".as_slice().into())
        .with_salted_password(vec![7; 32].into());
    let request = m::AlterUserScramCredentialsRequest::default().with_upsertions(vec![upsertion]);
    let row = asking.ask(0, &request, "put_credential").await;
    assert_eq!(detail(&row)["after"]["user_name"], "alice");
    let creation = acls::AclCreation::default()
        .with_resource_type(2)
        .with_resource_name(text("t"))
        .with_resource_pattern_type(3)
        .with_principal(text("User:alice"))
        .with_host(text("*"))
        .with_operation(3)
        .with_permission_type(3);
    let request = m::CreateAclsRequest::default().with_creations(vec![creation]);
    asking.ask(3, &request, "create_acls").await;
    let filter = unbind::DeleteAclsFilter::default()
        .with_resource_type_filter(1)
        .with_resource_name_filter(None)
        .with_pattern_type_filter(1)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(1)
        .with_permission_type(1);
    let request = m::DeleteAclsRequest::default().with_filters(vec![filter]);
    asking.ask(3, &request, "delete_acls").await;
    let entity = quotas::EntityData::default()
        .with_entity_type(text("user"))
        .with_entity_name(Some(text("alice")));
    let op = quotas::OpData::default()
        .with_key(text("producer_byte_rate"))
        .with_value(1_000_000.0);
    let entry = quotas::EntryData::default()
        .with_entity(vec![entity])
        .with_ops(vec![op]);
    let request = m::AlterClientQuotasRequest::default().with_entries(vec![entry]);
    asking.ask(1, &request, "alter_quotas").await;
}

#[tokio::test]
async fn every_request_that_changes_a_cluster_leaves_a_row_of_its_own() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    let versions = client.call(3, &m::ApiVersionsRequest::default()).await;
    let seen = trail(&bench).await.len();
    let mut asking = Asking {
        bench: &bench,
        client,
        seen,
        covered: BTreeSet::new(),
    };
    topics(&mut asking).await;
    access(&mut asking).await;
    let known: BTreeSet<i16> = OTHERS.iter().chain(&TELLING).map(|key| *key as i16).collect();
    let served: BTreeSet<i16> = versions.api_keys.iter().map(|api| api.api_key).collect();
    let unknown: Vec<_> = served
        .difference(&known)
        .filter(|key| !asking.covered.contains(key))
        .collect();
    assert!(
        unknown.is_empty(),
        "APIs of which this test knows nothing: {unknown:?}"
    );
    bench.stop().await;
}
