//! What the table of permissions says of special requests: each is sent with the bindings for all else that it asks, without and with
//! the one that is meant, and with one that denies.

use bytes::BytesMut;
use firn_broker::permissions::{CHECKS, Check, Resource};
use firn_catalog::acl::{Acl, Operation};
use firn_log::batch::BatchBuilder;
use kafka_protocol::messages as m;
use kafka_protocol::messages::ApiKey;

use super::user::{Bound, allow, denies};
use crate::support::client::{Client, produce, text, topic_name};
use crate::support::{Bench, Setup};

const GROUP: &str = "g";
pub(super) const TRANSACTIONAL_ID: &str = "tx";

/// What is left to the matrix: what every sample is about.
pub(super) const ORDINARY: [&str; 8] = [
    "",
    "named topics",
    "of topics",
    "by name",
    "without a transactional id",
    "from version 3",
    "up to version 2",
    "configs in the answer",
];

/// Whether a sentence says that nobody is authorized: transactions are refused to everybody, but not in these words.
fn is_denial(message: Option<&kafka_protocol::protocol::StrBytes>) -> bool {
    message.is_some_and(|message| message.starts_with("not authorized; see aud_"))
}

pub(super) fn name(resource: Resource) -> &'static str {
    match resource {
        Resource::Cluster => "",
        Resource::Topic | Resource::AnyTopic => "t",
        Resource::Group => GROUP,
        Resource::TransactionalId => TRANSACTIONAL_ID,
    }
}

/// What else a request asks that is about what a check is about.
pub(super) fn besides(check: &Check, new: &str) -> Vec<Acl> {
    let on = |operation, resource| vec![allow(operation, resource, name(resource))];
    match (check.api, check.when) {
        (ApiKey::Produce, _) => on(Operation::Write, Resource::Topic),
        (ApiKey::Fetch, _) => on(Operation::Read, Resource::Topic),
        (ApiKey::Metadata, "topics that are to be created") => {
            vec![allow(Operation::Describe, Resource::Topic, new)]
        }
        (ApiKey::OffsetFetch, _) => on(Operation::Describe, Resource::Group),
        _ => Vec::new(),
    }
}

fn configs_of(kind: i8, name: &str) -> m::describe_configs_request::DescribeConfigsResource {
    m::describe_configs_request::DescribeConfigsResource::default()
        .with_resource_type(kind)
        .with_resource_name(text(name))
        .with_configuration_keys(None)
}

/// The number of a kind of config resource, and a name of such.
fn config_resource(when: &str) -> (i8, &'static str) {
    match when {
        "of brokers" => (4, ""),
        "of groups" => (32, GROUP),
        other => panic!("no test knows configs {other}"),
    }
}

async fn metadata(client: &mut Client, topics: Option<&[&str]>) -> m::MetadataResponse {
    let named =
        |name: &&str| m::metadata_request::MetadataRequestTopic::default().with_name(Some(topic_name(name)));
    let request = m::MetadataRequest::default()
        .with_topics(topics.map(|names| names.iter().map(named).collect()))
        .with_allow_auto_topic_creation(true)
        .with_include_cluster_authorized_operations(true);
    client.call(9, &request).await
}

/// The same of requests about configs.
async fn configs_allowed(client: &mut Client, check: &Check) -> bool {
    match (check.api, check.when) {
        (ApiKey::DescribeConfigs, when) => {
            let (kind, name) = config_resource(when);
            let request = m::DescribeConfigsRequest::default().with_resources(vec![configs_of(kind, name)]);
            let code = client.call(4, &request).await.results[0].error_code;
            assert!([0, 42, 30, 31].contains(&code), "{code}");
            code == 0 || code == 42
        }
        (ApiKey::AlterConfigs, when) => {
            let (kind, name) = config_resource(when);
            let resource = m::alter_configs_request::AlterConfigsResource::default()
                .with_resource_type(kind)
                .with_resource_name(text(name));
            let request = m::AlterConfigsRequest::default().with_resources(vec![resource]);
            let request = request.with_validate_only(true);
            let code = client.call(2, &request).await.responses[0].error_code;
            assert!([0, 40, 42, 30, 31].contains(&code), "{code}");
            ![30, 31].contains(&code)
        }
        (ApiKey::IncrementalAlterConfigs, when) => {
            let (kind, name) = config_resource(when);
            let resource = m::incremental_alter_configs_request::AlterConfigsResource::default()
                .with_resource_type(kind)
                .with_resource_name(text(name));
            let request = m::IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
            let request = request.with_validate_only(true);
            let code = client.call(1, &request).await.responses[0].error_code;
            assert!([0, 42, 30, 31].contains(&code), "{code}");
            code == 0 || code == 42
        }
        (api, when) => panic!("no test knows {api:?} {when}"),
    }
}

pub(super) fn in_a_transaction() -> BytesMut {
    let batch = BatchBuilder::new().transactional().producer(1, 0, 0);
    batch.record(1_000, None, Some(b"a")).build()
}

pub(super) fn fetch_of_a_replica() -> m::FetchRequest {
    let partition = m::fetch_request::FetchPartition::default()
        .with_partition_max_bytes(1000)
        .with_current_leader_epoch(-1);
    let topic = m::fetch_request::FetchTopic::default()
        .with_topic(topic_name("t"))
        .with_partitions(vec![partition]);
    m::FetchRequest::default()
        .with_replica_id(1.into())
        .with_session_epoch(-1)
        .with_max_bytes(1000)
        .with_topics(vec![topic])
}

/// Sends the request that a check is about; whether it is allowed.
pub(super) async fn allowed(client: &mut Client, check: &Check, new: &str) -> bool {
    match (check.api, check.when) {
        (ApiKey::Produce, _) => {
            let request = produce("t", 0, in_a_transaction(), -1);
            let request = request.with_transactional_id(Some(text(TRANSACTIONAL_ID).into()));
            let answer = client.call(9, &request).await;
            let told = &answer.responses[0].partition_responses[0];
            assert_eq!(told.error_code, 53);
            !is_denial(told.error_message.as_ref())
        }
        (ApiKey::Fetch, _) => {
            let request = fetch_of_a_replica();
            client.call(12, &request).await.responses[0].partitions[0].error_code == 0
        }
        (ApiKey::Metadata, "all topics") => !metadata(client, None).await.topics.is_empty(),
        (ApiKey::Metadata, "topics that are to be created") => {
            let code = metadata(client, Some(&[new])).await.topics[0].error_code;
            assert!([0, 3, 29].contains(&code), "{code}");
            code != 29
        }
        (ApiKey::Metadata, _) => metadata(client, Some(&[])).await.cluster_authorized_operations != 0,
        (ApiKey::DescribeCluster, _) => {
            let request = m::DescribeClusterRequest::default()
                .with_include_cluster_authorized_operations(true)
                .with_endpoint_type(1);
            client.call(1, &request).await.cluster_authorized_operations != 0
        }
        (ApiKey::OffsetFetch, _) => {
            let group = m::offset_fetch_request::OffsetFetchRequestGroup::default()
                .with_group_id(text(GROUP).into())
                .with_topics(None);
            let request = m::OffsetFetchRequest::default().with_groups(vec![group]);
            let answer = client.call(8, &request).await;
            assert_eq!(answer.groups[0].error_code, 0);
            !answer.groups[0].topics.is_empty()
        }
        (ApiKey::FindCoordinator, "of groups") => {
            let request = m::FindCoordinatorRequest::default().with_coordinator_keys(vec![text(GROUP)]);
            client.call(4, &request).await.coordinators[0].error_code != 30
        }
        (ApiKey::FindCoordinator, _) => {
            let request = m::FindCoordinatorRequest::default()
                .with_key_type(1)
                .with_coordinator_keys(vec![text(TRANSACTIONAL_ID)]);
            let answer = client.call(4, &request).await;
            assert_eq!(answer.coordinators[0].error_code, 53);
            !is_denial(answer.coordinators[0].error_message.as_ref())
        }
        (ApiKey::DescribeConfigs | ApiKey::AlterConfigs | ApiKey::IncrementalAlterConfigs, _) => {
            configs_allowed(client, check).await
        }
        (ApiKey::DescribeTopicPartitions, _) => {
            let request = m::DescribeTopicPartitionsRequest::default().with_response_partition_limit(10);
            !client.call(0, &request).await.topics.is_empty()
        }
        (api, when) => panic!("no test knows {api:?} {when}"),
    }
}

#[tokio::test]
async fn special_requests_need_what_the_table_says_besides() {
    let bench = Bench::with(Setup {
        named: true,
        ..Setup::default()
    })
    .await;
    let bound = Bound::new(&bench).await;
    let mut admin = bound.admin(&bench).await;
    bench.coordinators_by(&mut admin).await;
    admin.create_topic("t", 1).await;
    assert_eq!(admin.commit(GROUP, "t", 0).await, 0);
    let mut client = bound.client(&bench).await;
    let special = |check: &&Check| {
        let initializes = check.api == ApiKey::InitProducerId;
        !ORDINARY.contains(&check.when) && !initializes && !check.any_of.is_empty()
    };
    for check in CHECKS.iter().filter(special) {
        for (operation, resource) in check.any_of {
            let what = format!("{:?} {}: {operation:?} {resource:?}", check.api, check.when);
            let creates = check.when == "topics that are to be created";
            // Another one each time: who may create it has it created.
            let new = format!("new-{resource:?}");
            let named = if creates { new.as_str() } else { name(*resource) };
            let mut acls = besides(check, &new);
            bound.bind(&bench, &acls).await;
            assert!(!allowed(&mut client, check, &new).await, "without {what}");
            acls.push(allow(*operation, *resource, named));
            bound.bind(&bench, &acls).await;
            assert!(allowed(&mut client, check, &new).await, "with {what}");
            acls.push(denies(allow(*operation, *resource, named)));
            bound.bind(&bench, &acls).await;
            if creates {
                // It exists by now, or soon.
                continue;
            }
            assert!(
                !allowed(&mut client, check, &new).await,
                "with a denial of {what}"
            );
        }
    }
    bench.stop().await;
}

/// Transactions are not served: to whoever may use the id the answer is the same as to whoever may not.
#[tokio::test]
async fn a_transactional_id_is_refused_to_everybody() {
    let bench = Bench::with(Setup {
        named: true,
        ..Setup::default()
    })
    .await;
    let bound = Bound::new(&bench).await;
    let mut client = bound.client(&bench).await;
    let request = m::InitProducerIdRequest::default()
        .with_transactional_id(Some(text(TRANSACTIONAL_ID).into()))
        .with_producer_id((-1).into())
        .with_producer_epoch(-1);
    let id = Resource::TransactionalId;
    for acls in [vec![], vec![allow(Operation::Write, id, TRANSACTIONAL_ID)]] {
        bound.bind(&bench, &acls).await;
        assert_eq!(client.call(4, &request).await.error_code, 53);
    }
    bench.stop().await;
}

#[tokio::test]
async fn who_creates_a_topic_is_told_its_configs_only_if_it_may_see_them() {
    let bench = Bench::with(Setup {
        named: true,
        ..Setup::default()
    })
    .await;
    let bound = Bound::new(&bench).await;
    let mut client = bound.client(&bench).await;
    let create = allow(Operation::Create, Resource::Topic, "t");
    let see = allow(Operation::DescribeConfigs, Resource::Topic, "t");
    for (acls, code) in [(vec![create.clone()], 29), (vec![create, see], 0)] {
        bound.bind(&bench, &acls).await;
        let topic = m::create_topics_request::CreatableTopic::default()
            .with_name(topic_name("t"))
            .with_num_partitions(1)
            .with_replication_factor(1);
        let request = m::CreateTopicsRequest::default()
            .with_topics(vec![topic])
            .with_validate_only(true);
        let told = &client.call(7, &request).await.topics[0];
        assert_eq!((told.error_code, told.topic_config_error_code), (0, code));
        let configs = told.configs.as_ref().map_or(0, Vec::len);
        assert_eq!(configs > 0, code == 0);
        assert_eq!(told.num_partitions, if code == 0 { 1 } else { -1 });
    }
    bench.stop().await;
}
