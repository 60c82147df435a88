//! The authorizer is asked about every resource that a request names, not only about the first.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use firn_broker::Seams;
use firn_broker::seams::Authorizer;
use firn_catalog::acl::{Asked, Operation, ResourceName};
use firn_catalog::image::Image;
use kafka_protocol::messages as m;
use kafka_protocol::messages::{ApiKey, RequestHeader};
use kafka_protocol::protocol::{Decodable, Request};
use parking_lot::Mutex;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::support::client::{frame, text};
use crate::support::samples::groups::GROUP;
use crate::support::samples::{CORRELATION, Sample, Subject};
use crate::support::{Bench, Setup, samples};

/// An operation, and the topic or group to which it is to be done; `None` for the cluster.
type Question = (Operation, Option<String>);

/// Notes what it is asked. It allows what is asked of the cluster, or of the group whose offsets are meant, before any topic is
/// looked at, once [`Self::denies`], and denies all else, so that no request takes away what later ones are about.
#[derive(Default)]
struct Questions {
    asked: Mutex<Vec<Question>>,
    denies: Mutex<bool>,
}

impl Authorizer for Questions {
    fn allows(&self, _image: &Image, asked: &Asked<'_>) -> bool {
        let name = match asked.resource {
            ResourceName::Topic(name) => Some(name.to_owned()),
            ResourceName::Group(name) => Some(format!("group {name}")),
            _ => None,
        };
        let entry = match asked.resource {
            ResourceName::Cluster => asked.operation == Operation::DescribeConfigs,
            resource => resource == ResourceName::Group(GROUP),
        };
        self.asked.lock().push((asked.operation, name));
        entry || !*self.denies.lock()
    }
}

/// What a request must ask of each topic or group that it names; `None`: it names none, or one alone.
fn asks(key: ApiKey) -> Option<Operation> {
    match key {
        ApiKey::Produce => Some(Operation::Write),
        ApiKey::Fetch | ApiKey::DescribeProducers => Some(Operation::Read),
        // DescribeTopicPartitions names all that may be seen.
        ApiKey::ListOffsets
        | ApiKey::OffsetForLeaderEpoch
        | ApiKey::Metadata
        | ApiKey::DescribeTopicPartitions => Some(Operation::Describe),
        ApiKey::DeleteTopics | ApiKey::DeleteRecords => Some(Operation::Delete),
        ApiKey::CreateTopics => Some(Operation::Create),
        ApiKey::CreatePartitions => Some(Operation::Alter),
        ApiKey::DescribeConfigs => Some(Operation::DescribeConfigs),
        ApiKey::AlterConfigs | ApiKey::IncrementalAlterConfigs => Some(Operation::AlterConfigs),
        ApiKey::OffsetCommit | ApiKey::OffsetDelete => Some(Operation::Read),
        ApiKey::OffsetFetch | ApiKey::FindCoordinator | ApiKey::DescribeGroups => Some(Operation::Describe),
        ApiKey::DeleteGroups => Some(Operation::Delete),
        ApiKey::JoinGroup | ApiKey::SyncGroup | ApiKey::Heartbeat | ApiKey::LeaveGroup => None,
        ApiKey::ApiVersions
        | ApiKey::DescribeCluster
        | ApiKey::InitProducerId
        | ApiKey::ListConfigResources
        | ApiKey::DescribeLogDirs
        | ApiKey::DescribeClientQuotas
        | ApiKey::AlterClientQuotas
        | ApiKey::DescribeUserScramCredentials
        | ApiKey::AlterUserScramCredentials
        | ApiKey::DescribeAcls
        | ApiKey::CreateAcls
        | ApiKey::DeleteAcls
        | ApiKey::ListGroups => None,
        other => panic!("no test knows what {other:?} must ask"),
    }
}

fn decoded<R: Request + Decodable>(sample: &Sample) -> R {
    let mut frame = Bytes::copy_from_slice(&sample.frame[4..]);
    RequestHeader::decode(&mut frame, R::header_version(sample.version)).unwrap();
    let request = R::decode(&mut frame, sample.version).unwrap();
    assert_eq!(frame.remaining(), 0);
    request
}

/// A request with the entries of both.
fn joined(first: &Sample, second: &Sample) -> Vec<u8> {
    macro_rules! join {
        ($request:ident, $($entries:ident),+) => {{
            let (mut both, more) = (decoded::<m::$request>(first), decoded::<m::$request>(second));
            $(both.$entries.extend(more.$entries);)+
            frame(CORRELATION, first.version, &both).to_vec()
        }};
    }
    /// The brokers besides, by number and all of them.
    macro_rules! join_resources {
        ($request:ident) => {{
            let (mut both, more) = (decoded::<m::$request>(first), decoded::<m::$request>(second));
            for name in ["0", ""] {
                let broker = more.resources[0].clone();
                both.resources
                    .push(broker.with_resource_type(4).with_resource_name(text(name)));
            }
            both.resources.extend(more.resources);
            frame(CORRELATION, first.version, &both).to_vec()
        }};
    }
    match first.key {
        ApiKey::Produce => join!(ProduceRequest, topic_data),
        ApiKey::Fetch => join!(FetchRequest, topics),
        ApiKey::ListOffsets => join!(ListOffsetsRequest, topics),
        ApiKey::OffsetForLeaderEpoch => join!(OffsetForLeaderEpochRequest, topics),
        ApiKey::DeleteRecords => join!(DeleteRecordsRequest, topics),
        ApiKey::DescribeProducers => join!(DescribeProducersRequest, topics),
        ApiKey::DescribeTopicPartitions => join!(DescribeTopicPartitionsRequest, topics),
        ApiKey::CreateTopics => join!(CreateTopicsRequest, topics),
        ApiKey::CreatePartitions => join!(CreatePartitionsRequest, topics),
        ApiKey::DeleteTopics => join!(DeleteTopicsRequest, topics, topic_names),
        ApiKey::Metadata => {
            let (mut both, more) = (
                decoded::<m::MetadataRequest>(first),
                decoded::<m::MetadataRequest>(second),
            );
            both.topics.as_mut().unwrap().extend(more.topics.unwrap());
            frame(CORRELATION, first.version, &both).to_vec()
        }
        ApiKey::OffsetCommit => join!(OffsetCommitRequest, topics),
        ApiKey::OffsetDelete => join!(OffsetDeleteRequest, topics),
        ApiKey::OffsetFetch => {
            let (mut both, more) = (
                decoded::<m::OffsetFetchRequest>(first),
                decoded::<m::OffsetFetchRequest>(second),
            );
            both.topics.as_mut().unwrap().extend(more.topics.unwrap());
            both.groups.extend(more.groups);
            frame(CORRELATION, first.version, &both).to_vec()
        }
        ApiKey::FindCoordinator => join!(FindCoordinatorRequest, coordinator_keys),
        ApiKey::DescribeGroups => join!(DescribeGroupsRequest, groups),
        ApiKey::DeleteGroups => join!(DeleteGroupsRequest, groups_names),
        ApiKey::DescribeConfigs => join_resources!(DescribeConfigsRequest),
        ApiKey::AlterConfigs => join_resources!(AlterConfigsRequest),
        ApiKey::IncrementalAlterConfigs => join_resources!(IncrementalAlterConfigsRequest),
        _ => first.frame.to_vec(),
    }
}

async fn bench() -> (Bench, Arc<Questions>, [Uuid; 2]) {
    let questions = Arc::new(Questions::default());
    let seams = Seams {
        authorizer: questions.clone(),
        ..Seams::default()
    };
    let bench = Bench::with(Setup {
        seams,
        ..Setup::default()
    })
    .await;
    let mut client = bench.client().await;
    for name in ["a", "b"] {
        client.create_topic(name, 1).await;
    }
    *questions.denies.lock() = true;
    let ids = ["a", "b"].map(|name| Uuid::from_u128(bench.topic(name).0));
    (bench, questions, ids)
}

#[tokio::test]
async fn each_of_two_resources_is_asked_about() {
    let (bench, questions, ids) = bench().await;
    let mut client = bench.client().await;
    for by_id in [false, true] {
        let samples = [("a", ids[0]), ("b", ids[1])].map(|(name, id)| {
            samples::all(&Subject {
                by_id,
                ..Subject::once(name, id)
            })
        });
        for (first, second) in samples[0].iter().zip(&samples[1]) {
            questions.asked.lock().clear();
            client.stream.write_all(&joined(first, second)).await.unwrap();
            client.frame().await.unwrap();
            let asked = std::mem::take(&mut *questions.asked.lock());
            let what = format!("{:?} {} by_id={by_id}: {asked:?}", first.key, first.version);
            let (key, version) = (first.key, first.version);
            let operation = match (key, version) {
                // It names one group.
                (ApiKey::FindCoordinator, ..4) => None,
                _ => asks(key),
            };
            let Some(operation) = operation else { continue };
            let of_groups = [
                ApiKey::FindCoordinator,
                ApiKey::DescribeGroups,
                ApiKey::DeleteGroups,
            ];
            let kind = if of_groups.contains(&key) { "group " } else { "" };
            let names: BTreeSet<_> = asked.iter().filter(|(of, _)| *of == operation).collect();
            for name in ["a", "b"] {
                assert!(
                    names.contains(&(operation, Some(format!("{kind}{name}")))),
                    "{what}"
                );
            }
            if matches!(
                key,
                ApiKey::DescribeConfigs | ApiKey::AlterConfigs | ApiKey::IncrementalAlterConfigs
            ) {
                let of_brokers = asked.iter().filter(|question| **question == (operation, None));
                assert_eq!(of_brokers.count(), 2, "{what}");
            }
        }
    }
    bench.stop().await;
}
