//! Requests of very many, very short entries: what each costs from the frame to the answer, measured. Alone in its process,
//! since the allocator that counts is the process's.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

#[path = "../hostile/counting.rs"]
#[allow(dead_code, reason = "each test binary uses its part")]
mod counting;
mod groups;
mod quotas;
#[path = "../support/mod.rs"]
mod support;

use bytes::{Bytes, BytesMut};
use firn_broker::MEMORY_PER_BYTE;
use kafka_protocol::messages as m;
use kafka_protocol::messages::{
    alter_configs_request as replace, create_partitions_request as partitions,
    create_topics_request as create, delete_records_request as delete, describe_configs_request as describe,
    describe_log_dirs_request as dirs, describe_producers_request as producers, fetch_request as fetch,
    incremental_alter_configs_request as alter, list_offsets_request as list,
    offset_for_leader_epoch_request as epochs, produce_request as produce,
};
use kafka_protocol::protocol::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use counting::{Counting, peak_from_here};
use support::client::{Client, frame, text, topic_name};
use support::{Bench, Setup};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ENTRIES: i32 = 20_000;
/// As many partitions as one request may make.
const ASSIGNMENTS: i32 = 10_000;
/// A topic that is there, with one partition; no other is.
const THERE: &str = "there";

struct Many {
    what: String,
    frame: BytesMut,
}

fn each<T>(entry: impl Fn(i32) -> T) -> Vec<T> {
    (0..ENTRIES).map(entry).collect()
}

fn name(number: i32) -> m::TopicName {
    topic_name(&format!("topic-{number:05}"))
}

fn many<R: Request>(all: &mut Vec<Many>, version: i16, request: &R) {
    all.push(Many {
        what: format!("API {} version {version}", R::KEY),
        frame: frame(1, version, request),
    });
}

fn of_partitions(all: &mut Vec<Many>) {
    for version in [4, 7, 12] {
        let partition = |index| fetch::FetchPartition::default().with_partition(index);
        let topic = fetch::FetchTopic::default().with_topic(topic_name("t"));
        let request = m::FetchRequest::default()
            .with_replica_id((-1).into())
            .with_session_epoch(0)
            .with_topics(vec![topic.with_partitions(each(partition))]);
        many(all, version, &request);
    }
    let partition = |index| list::ListOffsetsPartition::default().with_partition_index(index);
    let topic = list::ListOffsetsTopic::default().with_name(topic_name("t"));
    let topics = vec![topic.with_partitions(each(partition))];
    many(all, 1, &m::ListOffsetsRequest::default().with_topics(topics));
    let partition = |index| epochs::OffsetForLeaderPartition::default().with_partition(index);
    let topic = epochs::OffsetForLeaderTopic::default().with_topic(topic_name("t"));
    let topics = vec![topic.with_partitions(each(partition))];
    many(
        all,
        2,
        &m::OffsetForLeaderEpochRequest::default().with_topics(topics),
    );
    let partition = |index| delete::DeleteRecordsPartition::default().with_partition_index(index);
    let topic = delete::DeleteRecordsTopic::default().with_name(topic_name("t"));
    let topics = vec![topic.with_partitions(each(partition))];
    many(all, 0, &m::DeleteRecordsRequest::default().with_topics(topics));
    let topic = producers::TopicRequest::default().with_name(topic_name("t"));
    let topics = vec![topic.with_partition_indexes(each(|index| index))];
    many(
        all,
        0,
        &m::DescribeProducersRequest::default().with_topics(topics),
    );
}

/// Produce, which is decoded by hand: partitions and topics without a batch, and batches that are none.
fn of_batches(all: &mut Vec<Many>) {
    let with = |topics| {
        m::ProduceRequest::default()
            .with_acks(-1)
            .with_timeout_ms(1000)
            .with_topic_data(topics)
    };
    let id = |number| uuid::Uuid::from_u128(u128::try_from(number).unwrap());
    for version in [3, 8, 9, 12, 13] {
        for records in [None, Some(Bytes::new()), Some(Bytes::from_static(b"no batch"))] {
            let partition = |index| {
                produce::PartitionProduceData::default()
                    .with_index(index)
                    .with_records(records.clone())
            };
            let topic = |number: i32| match version {
                13 => produce::TopicProduceData::default().with_topic_id(id(number)),
                _ => produce::TopicProduceData::default().with_name(name(number)),
            };
            let wide = topic(1).with_partition_data(each(partition));
            many(all, version, &with(vec![wide]));
            let topic = |number| topic(number).with_partition_data(vec![partition(0)]);
            many(all, version, &with(each(topic)));
        }
    }
}

/// Assignments of partitions, and brokers within them.
fn of_assignments(all: &mut Vec<Many>) {
    let assigned = |assignments| {
        let topic = create::CreatableTopic::default()
            .with_name(topic_name("new"))
            .with_num_partitions(-1)
            .with_replication_factor(-1)
            .with_assignments(assignments);
        m::CreateTopicsRequest::default()
            .with_topics(vec![topic])
            .with_validate_only(true)
    };
    let assignment = |index| {
        create::CreatableReplicaAssignment::default()
            .with_partition_index(index)
            .with_broker_ids(vec![0.into()])
    };
    let everywhere = || each(m::BrokerId);
    for version in [2, 5, 7] {
        many(
            all,
            version,
            &assigned((0..ASSIGNMENTS).map(assignment).collect()),
        );
        many(all, version, &assigned(each(assignment)));
        many(
            all,
            version,
            &assigned(vec![assignment(0).with_broker_ids(everywhere())]),
        );
    }
    let assigned = |assignments: Vec<partitions::CreatePartitionsAssignment>| {
        let topic = partitions::CreatePartitionsTopic::default()
            .with_name(topic_name(THERE))
            .with_count(1 + i32::try_from(assignments.len()).unwrap())
            .with_assignments(Some(assignments));
        m::CreatePartitionsRequest::default()
            .with_topics(vec![topic])
            .with_validate_only(true)
    };
    let assignment = |_| partitions::CreatePartitionsAssignment::default().with_broker_ids(vec![0.into()]);
    for version in [0, 2, 3] {
        many(
            all,
            version,
            &assigned((0..ASSIGNMENTS).map(assignment).collect()),
        );
        many(all, version, &assigned(each(assignment)));
        many(
            all,
            version,
            &assigned(vec![assignment(0).with_broker_ids(everywhere())]),
        );
    }
}

/// What is told of directories and of resources with configs.
fn of_descriptions(all: &mut Vec<Many>) {
    for version in [1, 2, 4] {
        let topic = dirs::DescribableLogDirTopic::default()
            .with_topic(topic_name(THERE))
            .with_partitions(each(|index| index));
        let request = m::DescribeLogDirsRequest::default().with_topics(Some(vec![topic]));
        many(all, version, &request);
        let topic = |number| {
            dirs::DescribableLogDirTopic::default()
                .with_topic(name(number))
                .with_partitions(vec![0])
        };
        let request = m::DescribeLogDirsRequest::default().with_topics(Some(each(topic)));
        many(all, version, &request);
    }
    for kinds in [each(|_| 2), each(|number| i8::try_from(number % 128).unwrap())] {
        let request = m::ListConfigResourcesRequest::default().with_resource_types(kinds);
        many(all, 1, &request);
    }
}

fn of_topics(all: &mut Vec<Many>) {
    for version in [1, 9, 12] {
        let topic =
            |number| m::metadata_request::MetadataRequestTopic::default().with_name(Some(name(number)));
        let request = m::MetadataRequest::default().with_topics(Some(each(topic)));
        many(all, version, &request);
    }
    let topic =
        |number| m::describe_topic_partitions_request::TopicRequest::default().with_name(name(number));
    let request = m::DescribeTopicPartitionsRequest::default().with_topics(each(topic));
    many(all, 0, &request);
    many(
        all,
        1,
        &m::DeleteTopicsRequest::default().with_topic_names(each(name)),
    );
    let topic = |number| m::delete_topics_request::DeleteTopicState::default().with_name(Some(name(number)));
    many(
        all,
        6,
        &m::DeleteTopicsRequest::default().with_topics(each(topic)),
    );
    let topic = |number| create::CreatableTopic::default().with_name(name(number));
    many(
        all,
        2,
        &m::CreateTopicsRequest::default().with_topics(each(topic)),
    );
    let topic = |number| partitions::CreatePartitionsTopic::default().with_name(name(number));
    let request = m::CreatePartitionsRequest::default().with_topics(each(topic));
    many(all, 0, &request);
}

fn of_users(all: &mut Vec<Many>) {
    let user = |number| {
        m::describe_user_scram_credentials_request::UserName::default().with_name(text(&name(number)))
    };
    let request = m::DescribeUserScramCredentialsRequest::default().with_users(Some(each(user)));
    many(all, 0, &request);
    let deletion = |number| {
        m::alter_user_scram_credentials_request::ScramCredentialDeletion::default()
            .with_name(text(&name(number)))
            .with_mechanism(1)
    };
    let request = m::AlterUserScramCredentialsRequest::default().with_deletions(each(deletion));
    many(all, 0, &request);
    // Refused for their iterations, each of them.
    let upsertion = |number| {
        m::alter_user_scram_credentials_request::ScramCredentialUpsertion::default()
            .with_name(text(&name(number)))
            .with_mechanism(1)
    };
    let request = m::AlterUserScramCredentialsRequest::default().with_upsertions(each(upsertion));
    many(all, 0, &request);
}

fn of_acls(all: &mut Vec<Many>) {
    // Refused for their numbers, or since they are too many.
    for number in [0, 2] {
        let creation = |_| {
            m::create_acls_request::AclCreation::default()
                .with_resource_type(number)
                .with_resource_name(text("t"))
                .with_principal(text("User:a"))
                .with_host(text("*"))
        };
        let request = m::CreateAclsRequest::default().with_creations(each(creation));
        many(all, 1, &request);
        let filter = |_| {
            m::delete_acls_request::DeleteAclsFilter::default()
                .with_resource_type_filter(number)
                .with_resource_name_filter(Some(text("t")))
                .with_pattern_type_filter(1)
                .with_principal_filter(Some(text("User:a")))
                .with_host_filter(Some(text("*")))
                .with_operation(1)
                .with_permission_type(1)
        };
        let request = m::DeleteAclsRequest::default().with_filters(each(filter));
        many(all, 1, &request);
    }
}

fn of_configs(all: &mut Vec<Many>) {
    let resource = |number| {
        describe::DescribeConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text(&name(number)))
            .with_configuration_keys(None)
    };
    let request = m::DescribeConfigsRequest::default().with_resources(each(resource));
    many(all, 1, &request);
    let resource = |number| {
        alter::AlterConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text(&name(number)))
    };
    let request = m::IncrementalAlterConfigsRequest::default().with_resources(each(resource));
    many(all, 0, &request);
    let config = |number| alter::AlterableConfig::default().with_name(text(&name(number)));
    let resource = alter::AlterConfigsResource::default().with_resource_type(2);
    let resources = vec![resource.with_configs(each(config))];
    let request = m::IncrementalAlterConfigsRequest::default().with_resources(resources);
    many(all, 0, &request);
}

/// Configs of a topic that is to be created, and of one that is there.
fn of_named_configs(all: &mut Vec<Many>) {
    for version in [2, 5, 7] {
        let config = |number| create::CreatableTopicConfig::default().with_name(text(&name(number)));
        let valued = |number| config(number).with_value(Some(text("1")));
        for configs in [each(config), each(valued)] {
            let topic = create::CreatableTopic::default()
                .with_name(topic_name("new"))
                .with_num_partitions(1)
                .with_replication_factor(1)
                .with_configs(configs);
            let request = m::CreateTopicsRequest::default().with_topics(vec![topic]);
            many(all, version, &request);
        }
    }
    for version in [0, 1, 2] {
        let config = |number| replace::AlterableConfig::default().with_name(text(&name(number)));
        let valued = |number| config(number).with_value(Some(text("1")));
        let resource = |name: &str| {
            replace::AlterConfigsResource::default()
                .with_resource_type(2)
                .with_resource_name(text(name))
        };
        for configs in [each(config), each(valued)] {
            let resources = vec![resource(THERE).with_configs(configs)];
            let request = m::AlterConfigsRequest::default().with_resources(resources);
            many(all, version, &request);
        }
        let resources = each(|number| resource(&name(number)));
        let request = m::AlterConfigsRequest::default().with_resources(resources);
        many(all, version, &request);
    }
}

/// Long names with many partitions, each of them twice.
fn of_long_names(all: &mut Vec<Many>) {
    let long = || topic_name(&"x".repeat(32_000));
    let partition = |index| list::ListOffsetsPartition::default().with_partition_index(index / 2);
    let topic = list::ListOffsetsTopic::default().with_name(long());
    let topics = vec![topic.with_partitions(each(partition))];
    many(all, 1, &m::ListOffsetsRequest::default().with_topics(topics));
    let partition = |index| fetch::FetchPartition::default().with_partition(index / 2);
    let topic = fetch::FetchTopic::default().with_topic(long());
    let request = m::FetchRequest::default()
        .with_replica_id((-1).into())
        .with_session_epoch(0)
        .with_topics(vec![topic.with_partitions(each(partition))]);
    many(all, 7, &request);
}

/// Sends a frame and reads the answer without keeping it.
async fn exchange(client: &mut Client, many: &Many) {
    client.stream.write_all(&many.frame).await.unwrap();
    let answered = client.stream.read_i32().await;
    let size = answered.unwrap_or_else(|_| panic!("{} closes the connection", many.what));
    let mut left = usize::try_from(size).unwrap();
    let mut buffer = [0; 4096];
    while left > 0 {
        let most = left.min(buffer.len());
        left -= client.stream.read(&mut buffer[..most]).await.unwrap();
    }
}

#[tokio::test]
async fn no_request_of_many_short_entries_costs_many_times_its_size() {
    let bench = Bench::with(Setup {
        kafka: vec![
            ("auto.create.topics.enable", "false"),
            ("group.initial.rebalance.delay.ms", "0"),
        ],
        ..Setup::default()
    })
    .await;
    bench.client().await.create_topic(THERE, 1).await;
    let mut all = Vec::new();
    of_partitions(&mut all);
    of_batches(&mut all);
    of_topics(&mut all);
    of_assignments(&mut all);
    of_configs(&mut all);
    of_users(&mut all);
    quotas::of_quotas(&mut all);
    of_acls(&mut all);
    of_named_configs(&mut all);
    of_descriptions(&mut all);
    of_long_names(&mut all);
    bench.coordinators().await;
    groups::of_members(&mut all, &mut bench.client().await).await;
    groups::of_offsets(&mut all, &mut bench.client().await).await;
    groups::of_forgotten_offsets(&mut all);
    groups::of_administration(&mut all);
    for many in &all {
        let mut client = bench.client().await;
        let peak = peak_from_here();
        exchange(&mut client, many).await;
        let (cost, size) = (peak(), many.frame.len());
        assert!(
            cost < MEMORY_PER_BYTE * size,
            "{}: {size} bytes cost {cost}",
            many.what
        );
    }
    bench.stop().await;
}
