//! A request of every API and version that is served, about a topic by name and by id.

pub mod acls;
pub mod groups;

use std::collections::BTreeSet;

use bytes::BytesMut;
use kafka_protocol::messages as m;
use kafka_protocol::messages::{
    alter_configs_request as alter, create_partitions_request as widen, create_topics_request as create,
    incremental_alter_configs_request as incremental,
};
use uuid::Uuid;

use super::client::{Client, batch, frame, produce, text, topic_name};

/// The APIs that a connection answers before it is somebody: no seam is asked, and no resource is named.
pub const OF_CONNECTIONS: [m::ApiKey; 2] = [m::ApiKey::SaslHandshake, m::ApiKey::SaslAuthenticate];

/// The correlation id of every sample.
pub const CORRELATION: i32 = 7;

/// A request frame.
pub struct Sample {
    pub key: m::ApiKey,
    pub version: i16,
    /// Whether lengths are compact and fields may be tagged.
    pub flexible: bool,
    pub frame: BytesMut,
}

/// What the requests are about.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub name: &'a str,
    pub id: Uuid,
    /// Where a version takes names and ids: by which.
    pub by_id: bool,
    /// How often each names its topic or resource; 0 makes these arrays empty.
    pub outer: usize,
    /// How often each names what it wants of each of them: partitions, configs, assignments.
    pub inner: usize,
}

impl<'a> Subject<'a> {
    /// A topic, named once.
    pub fn once(name: &'a str, id: Uuid) -> Self {
        Self {
            name,
            id,
            by_id: true,
            outer: 1,
            inner: 1,
        }
    }

    /// A topic, named so many times, with each thing in it as often.
    pub fn times(name: &'a str, id: Uuid, times: usize) -> Self {
        Self {
            outer: times,
            inner: times,
            ..Self::once(name, id)
        }
    }

    /// Whether a topic is named by its id in a version from which on that is possible.
    fn takes_id(&self, version: i16, from: i16) -> bool {
        self.by_id && version >= from
    }
}

/// Fails unless there is a sample of every API and version that this broker says it serves, and of no other.
pub async fn assert_complete(client: &mut Client) {
    let served = client.call(0, &m::ApiVersionsRequest::default()).await;
    let mut expected = BTreeSet::new();
    let of_connection = |key: i16| OF_CONNECTIONS.iter().any(|one| *one as i16 == key);
    for api in served.api_keys.iter().filter(|api| !of_connection(api.api_key)) {
        // Produce 0-2 are advertised and refused.
        let first = if api.api_key == 0 { 3 } else { api.min_version };
        expected.extend((first..=api.max_version).map(|version| (api.api_key, version)));
    }
    let samples = all(&Subject::once("t", Uuid::nil()));
    let sampled: BTreeSet<_> = samples
        .iter()
        .map(|sample| (sample.key as i16, sample.version))
        .collect();
    assert_eq!(sampled, expected);
    assert_eq!(samples.len(), sampled.len());
}

/// All of them.
pub fn all(subject: &Subject<'_>) -> Vec<Sample> {
    let mut samples = Vec::new();
    records(&mut samples, subject);
    positions(&mut samples, subject);
    topics(&mut samples, subject);
    configs(&mut samples, subject);
    descriptions(&mut samples, subject);
    users(&mut samples, subject);
    acls::of_acls(&mut samples, subject);
    quotas(&mut samples, subject);
    groups::of_members(&mut samples, subject);
    groups::of_offsets(&mut samples, subject);
    groups::of_administration(&mut samples, subject);
    samples
}

/// What connections answer themselves, with what an honest client would send first.
pub fn of_connections() -> Vec<Sample> {
    let mut samples = Vec::new();
    add(&mut samples, 0..=1, |_| {
        m::SaslHandshakeRequest::default().with_mechanism(text("SCRAM-SHA-256"))
    });
    add(&mut samples, 0..=2, |_| {
        let message = b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL".as_slice();
        m::SaslAuthenticateRequest::default().with_auth_bytes(message.into())
    });
    samples
}

fn quotas(samples: &mut Vec<Sample>, about: &Subject<'_>) {
    add(samples, 0..=1, |_| {
        let user = m::describe_client_quotas_request::ComponentData::default()
            .with_entity_type(text("user"))
            .with_match(Some(text(about.name)));
        m::DescribeClientQuotasRequest::default().with_components(vec![user; about.outer])
    });
    add(samples, 0..=1, |_| {
        let user = m::alter_client_quotas_request::EntityData::default()
            .with_entity_type(text("user"))
            .with_entity_name(Some(text(about.name)));
        let op = m::alter_client_quotas_request::OpData::default()
            .with_key(text("request_percentage"))
            .with_remove(true);
        let entry = m::alter_client_quotas_request::EntryData::default()
            .with_entity(vec![user])
            .with_ops(vec![op; about.inner]);
        m::AlterClientQuotasRequest::default().with_entries(vec![entry; about.outer])
    });
}

fn users(samples: &mut Vec<Sample>, about: &Subject<'_>) {
    add(samples, 0..=0, |_| {
        let user =
            m::describe_user_scram_credentials_request::UserName::default().with_name(text(about.name));
        m::DescribeUserScramCredentialsRequest::default().with_users(Some(vec![user; about.outer]))
    });
    add(samples, 0..=0, |_| {
        let deletion = m::alter_user_scram_credentials_request::ScramCredentialDeletion::default()
            .with_name(text(about.name))
            .with_mechanism(1);
        m::AlterUserScramCredentialsRequest::default().with_deletions(vec![deletion; about.outer])
    });
}

fn add<R: kafka_protocol::protocol::Request>(
    samples: &mut Vec<Sample>,
    versions: std::ops::RangeInclusive<i16>,
    make: impl Fn(i16) -> R,
) {
    for version in versions {
        let key = m::ApiKey::try_from(R::KEY).unwrap();
        samples.push(Sample {
            key,
            version,
            flexible: R::header_version(version) >= 2,
            frame: frame(CORRELATION, version, &make(version)),
        });
    }
}

fn records(samples: &mut Vec<Sample>, about: &Subject<'_>) {
    add(samples, 3..=13, |version| {
        let mut request = produce(about.name, 0, batch(&["sample"]), -1);
        let mut topic = request.topic_data.remove(0);
        if version >= 13 {
            topic.name = topic_name("");
            topic.topic_id = about.id;
        }
        let partition = topic.partition_data.remove(0);
        topic.partition_data = vec![partition; about.inner];
        request.with_topic_data(vec![topic; about.outer])
    });
    add(samples, 4..=18, |version| {
        let partition = m::fetch_request::FetchPartition::default()
            .with_partition_max_bytes(1000)
            .with_current_leader_epoch(-1);
        let topic = m::fetch_request::FetchTopic::default().with_partitions(vec![partition; about.inner]);
        let topic = if version >= 13 {
            topic.with_topic_id(about.id)
        } else {
            topic.with_topic(topic_name(about.name))
        };
        m::FetchRequest::default()
            .with_replica_id((-1).into())
            .with_max_bytes(1000)
            .with_topics(vec![topic; about.outer])
            .with_session_epoch(-1)
    });
    add(samples, 0..=5, |_| {
        m::InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_producer_id((-1).into())
            .with_producer_epoch(-1)
    });
}

fn positions(samples: &mut Vec<Sample>, about: &Subject<'_>) {
    add(samples, 1..=10, |_| {
        let partition = m::list_offsets_request::ListOffsetsPartition::default()
            .with_timestamp(-1)
            .with_current_leader_epoch(-1);
        let topic = m::list_offsets_request::ListOffsetsTopic::default()
            .with_name(topic_name(about.name))
            .with_partitions(vec![partition; about.inner]);
        m::ListOffsetsRequest::default()
            .with_replica_id((-1).into())
            .with_topics(vec![topic; about.outer])
    });
    add(samples, 2..=4, |_| {
        let partition = m::offset_for_leader_epoch_request::OffsetForLeaderPartition::default();
        let topic = m::offset_for_leader_epoch_request::OffsetForLeaderTopic::default()
            .with_topic(topic_name(about.name))
            .with_partitions(vec![partition; about.inner]);
        m::OffsetForLeaderEpochRequest::default()
            .with_replica_id((-2).into())
            .with_topics(vec![topic; about.outer])
    });
    add(samples, 0..=2, |_| {
        let partition = m::delete_records_request::DeleteRecordsPartition::default();
        let topic = m::delete_records_request::DeleteRecordsTopic::default()
            .with_name(topic_name(about.name))
            .with_partitions(vec![partition; about.inner]);
        m::DeleteRecordsRequest::default().with_topics(vec![topic; about.outer])
    });
}

fn topics(samples: &mut Vec<Sample>, about: &Subject<'_>) {
    add(samples, 0..=13, |version| {
        let topic = m::metadata_request::MetadataRequestTopic::default();
        let topic = match about.takes_id(version, 12) {
            true => topic.with_name(None).with_topic_id(about.id),
            false => topic.with_name(Some(topic_name(about.name))),
        };
        m::MetadataRequest::default()
            .with_topics(Some(vec![topic; about.outer]))
            .with_allow_auto_topic_creation(version < 4)
    });
    add(samples, 2..=7, |_| {
        let config = create::CreatableTopicConfig::default()
            .with_name(text("retention.ms"))
            .with_value(Some(text("1")));
        let topic = create::CreatableTopic::default()
            .with_name(topic_name(about.name))
            .with_num_partitions(1)
            .with_replication_factor(1)
            .with_configs(vec![config; about.inner]);
        m::CreateTopicsRequest::default()
            .with_topics(vec![topic; about.outer])
            .with_validate_only(true)
    });
    add(samples, 0..=3, |_| {
        let assignment = widen::CreatePartitionsAssignment::default().with_broker_ids(vec![0.into()]);
        let topic = widen::CreatePartitionsTopic::default()
            .with_name(topic_name(about.name))
            .with_count(2)
            .with_assignments(Some(vec![assignment; about.inner]));
        m::CreatePartitionsRequest::default()
            .with_topics(vec![topic; about.outer])
            .with_validate_only(true)
    });
    add(samples, 1..=6, |version| {
        if version < 6 {
            let names = vec![topic_name(about.name); about.outer];
            return m::DeleteTopicsRequest::default()
                .with_topic_names(names)
                .with_timeout_ms(10_000);
        }
        let topic = m::delete_topics_request::DeleteTopicState::default();
        let topic = match about.takes_id(version, 6) {
            true => topic.with_name(None).with_topic_id(about.id),
            false => topic.with_name(Some(topic_name(about.name))),
        };
        m::DeleteTopicsRequest::default()
            .with_topics(vec![topic; about.outer])
            .with_timeout_ms(10_000)
    });
}

fn configs(samples: &mut Vec<Sample>, about: &Subject<'_>) {
    add(samples, 1..=4, |_| {
        let resource = m::describe_configs_request::DescribeConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text(about.name))
            .with_configuration_keys(Some(vec![text("retention.ms"); about.inner]));
        m::DescribeConfigsRequest::default().with_resources(vec![resource; about.outer])
    });
    add(samples, 0..=2, |_| {
        let config = alter::AlterableConfig::default()
            .with_name(text("retention.ms"))
            .with_value(Some(text("1")));
        let resource = alter::AlterConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text(about.name))
            .with_configs(vec![config; about.inner]);
        m::AlterConfigsRequest::default()
            .with_resources(vec![resource; about.outer])
            .with_validate_only(true)
    });
    add(samples, 0..=1, |_| {
        let config = incremental::AlterableConfig::default()
            .with_name(text("retention.ms"))
            .with_value(Some(text("1")));
        let resource = incremental::AlterConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(text(about.name))
            .with_configs(vec![config; about.inner]);
        m::IncrementalAlterConfigsRequest::default()
            .with_resources(vec![resource; about.outer])
            .with_validate_only(true)
    });
    add(samples, 0..=1, |version| {
        let kinds = if version == 0 {
            Vec::new()
        } else {
            vec![2; about.outer]
        };
        m::ListConfigResourcesRequest::default().with_resource_types(kinds)
    });
}

fn descriptions(samples: &mut Vec<Sample>, about: &Subject<'_>) {
    add(samples, 0..=4, |version| match version {
        0..3 => m::ApiVersionsRequest::default(),
        _ => m::ApiVersionsRequest::default()
            .with_client_software_name(text("test"))
            .with_client_software_version(text("1")),
    });
    add(samples, 0..=2, |_| m::DescribeClusterRequest::default());
    add(samples, 1..=4, |_| {
        let topic = m::describe_log_dirs_request::DescribableLogDirTopic::default()
            .with_topic(topic_name(about.name))
            .with_partitions(vec![0; about.inner]);
        m::DescribeLogDirsRequest::default().with_topics(Some(vec![topic; about.outer]))
    });
    add(samples, 0..=0, |_| {
        let topic = m::describe_producers_request::TopicRequest::default()
            .with_name(topic_name(about.name))
            .with_partition_indexes(vec![0; about.inner]);
        m::DescribeProducersRequest::default().with_topics(vec![topic; about.outer])
    });
    add(samples, 0..=0, |_| {
        let topic =
            m::describe_topic_partitions_request::TopicRequest::default().with_name(topic_name(about.name));
        m::DescribeTopicPartitionsRequest::default()
            .with_topics(vec![topic; about.outer])
            .with_response_partition_limit(100)
    });
}
