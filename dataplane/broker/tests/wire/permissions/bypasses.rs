//! Ways around a binding that do not lead there: an old topic id, a session that holds a topic, a wait that began before, a connection
//! that was let in before, and what is created because somebody asked for it.

use firn_broker::permissions::Resource;
use firn_catalog::acl::{Acl, Operation, PatternType};
use kafka_protocol::messages as m;
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::user::{Bound, allow, denies};
use crate::answers;
use crate::support::client::{Client, batch, produced, text, topic_name};
use crate::support::samples::{self, Subject};
use crate::support::{Bench, Setup};

async fn bench() -> (Bench, Bound, Client, Client) {
    let bench = Bench::with(Setup {
        named: true,
        ..Setup::default()
    })
    .await;
    let bound = Bound::new(&bench).await;
    let (mut admin, client) = (bound.admin(&bench).await, bound.client(&bench).await);
    admin.create_topic("t", 1).await;
    assert_eq!(admin.produce("t", 0, batch(&["a"])).await, (0, 0));
    (bench, bound, admin, client)
}

fn read(topic: &str) -> Acl {
    allow(Operation::Read, Resource::Topic, topic)
}

fn id_of(bench: &Bench, bound: &Bound, topic: &str) -> Uuid {
    let image = bench.images.image();
    let topic = image.topic_by_name(bound.cluster(), topic);
    Uuid::from_u128(topic.expect("it is there").id.0)
}

/// A request for partition 0 of topics, by their ids.
fn fetch(topics: &[Uuid], offset: i64, session: (i32, i32)) -> m::FetchRequest {
    let partition = m::fetch_request::FetchPartition::default()
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1000)
        .with_current_leader_epoch(-1);
    let topic = |id: &Uuid| {
        m::fetch_request::FetchTopic::default()
            .with_topic_id(*id)
            .with_partitions(vec![partition.clone()])
    };
    m::FetchRequest::default()
        .with_replica_id((-1).into())
        .with_max_bytes(100_000)
        .with_session_id(session.0)
        .with_session_epoch(session.1)
        .with_topics(topics.iter().map(topic).collect())
}

/// Error and number of bytes of each partition that is told.
fn fetched(answer: &m::FetchResponse) -> Vec<(i16, usize)> {
    let partitions = answer.responses.iter().flat_map(|topic| &topic.partitions);
    partitions
        .map(|told| {
            (
                told.error_code,
                told.records.as_ref().map_or(0, bytes::Bytes::len),
            )
        })
        .collect()
}

#[tokio::test]
async fn a_binding_is_for_a_name_and_an_old_id_leads_nowhere() {
    let (bench, bound, mut admin, mut client) = bench().await;
    bound.bind(&bench, &[read("t")]).await;
    let old = id_of(&bench, &bound, "t");
    let answer = client.call(13, &fetch(&[old], 0, (0, -1))).await;
    assert!(matches!(fetched(&answer)[..], [(0, 1..)]));
    let topic = DeleteTopicState::default().with_name(Some(topic_name("t")));
    let request = m::DeleteTopicsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(10_000);
    assert_eq!(admin.call(6, &request).await.responses[0].error_code, 0);
    admin.create_topic("t", 1).await;
    let new = id_of(&bench, &bound, "t");
    assert_ne!(old, new);
    let answer = client.call(13, &fetch(&[old], 0, (0, -1))).await;
    assert_eq!(fetched(&answer), [(100, 0)]);
    let answer = client.call(13, &fetch(&[new], 0, (0, -1))).await;
    assert_eq!(fetched(&answer), [(0, 0)]);
    bound.bind(&bench, &[read("other")]).await;
    let answer = client.call(13, &fetch(&[new], 0, (0, -1))).await;
    assert_eq!(fetched(&answer), [(29, 0)]);
    bench.stop().await;
}

#[tokio::test]
async fn a_fetch_session_does_not_keep_what_was_revoked() {
    let (bench, bound, mut admin, mut client) = bench().await;
    admin.create_topic("u", 1).await;
    assert_eq!(admin.produce("u", 0, batch(&["b"])).await, (0, 0));
    bound.bind(&bench, &[read("t"), read("u")]).await;
    let ids = ["t", "u"].map(|topic| id_of(&bench, &bound, topic));
    let opened = client.call(13, &fetch(&ids, 0, (0, 0))).await;
    assert!(matches!(fetched(&opened)[..], [(0, 1..), (0, 1..)]));
    bound.bind(&bench, &[read("u")]).await;
    let next = client.call(13, &fetch(&[], 0, (opened.session_id, 1))).await;
    let told = next
        .responses
        .iter()
        .find(|topic| topic.topic_id == ids[0])
        .unwrap();
    assert_eq!(told.partitions[0].error_code, 29);
    assert!(
        told.partitions[0]
            .records
            .as_ref()
            .is_none_or(bytes::Bytes::is_empty)
    );
    bound
        .bind(&bench, &[read("t"), read("u"), denies(read("t"))])
        .await;
    let next = client.call(13, &fetch(&[], 0, (opened.session_id, 2))).await;
    let told = next
        .responses
        .iter()
        .find(|topic| topic.topic_id == ids[0])
        .unwrap();
    assert_eq!(told.partitions[0].error_code, 29);
    bench.stop().await;
}

#[tokio::test]
async fn a_wait_that_began_before_reads_nothing_after_the_binding_is_gone() {
    let (bench, bound, mut admin, mut client) = bench().await;
    bound.bind(&bench, &[read("t")]).await;
    let id = id_of(&bench, &bound, "t");
    let waiting = fetch(&[id], 1, (0, -1))
        .with_min_bytes(1)
        .with_max_wait_ms(60_000);
    let correlation = client.send(13, &waiting).await;
    assert!(client.is_quiet().await, "there is nothing to read yet");
    bound.bind(&bench, &[]).await;
    assert_eq!(admin.produce("t", 0, batch(&["secret"])).await, (0, 1));
    let answer = client.receive::<m::FetchRequest>(13, correlation).await;
    assert_eq!(fetched(&answer), [(29, 0)]);
    // Records that were read while it was allowed, and fewer than were waited for, are not told either.
    bound.bind(&bench, &[read("t")]).await;
    let waiting = fetch(&[id], 0, (0, -1)).with_min_bytes(500).with_max_wait_ms(600);
    let correlation = client.send(13, &waiting).await;
    assert!(client.is_quiet().await, "there is less than it waits for");
    bound.bind(&bench, &[]).await;
    let answer = client.receive::<m::FetchRequest>(13, correlation).await;
    assert_eq!(fetched(&answer), [(29, 0)]);
    bench.stop().await;
}

#[tokio::test]
async fn a_live_connection_may_what_bindings_say_now() {
    let (bench, bound, _, mut client) = bench().await;
    let write = allow(Operation::Write, Resource::Topic, "t");
    for (acls, code) in [
        (vec![write.clone()], 0),
        (vec![], 29),
        (vec![write.clone()], 0),
        (vec![write.clone(), denies(write)], 29),
    ] {
        bound.bind(&bench, &acls).await;
        assert_eq!(client.produce("t", 0, batch(&["b"])).await.0, code);
    }
    let request = crate::support::client::produce("t", 0, batch(&["c"]), -1);
    let answer = client.call(9, &request).await;
    assert_eq!(produced(&answer).0, 29);
    let message = &answer.responses[0].partition_responses[0].error_message;
    let message = message.as_ref().expect("a sentence");
    assert!(message.starts_with("not authorized; see aud_"), "{message:?}");
    bench.stop().await;
}

#[tokio::test]
async fn nothing_is_created_for_who_may_not_create_it() {
    let (bench, bound, mut admin, mut client) = bench().await;
    let see = Acl {
        pattern_type: PatternType::Prefixed,
        ..allow(Operation::Describe, Resource::Topic, "pre")
    };
    let create = Acl {
        operation: Operation::Create,
        resource_name: "prefix".to_owned(),
        ..see.clone()
    };
    bound.bind(&bench, &[see, create]).await;
    let ask = |name| {
        let topic = m::metadata_request::MetadataRequestTopic::default().with_name(Some(topic_name(name)));
        m::MetadataRequest::default()
            .with_topics(Some(vec![topic]))
            .with_allow_auto_topic_creation(true)
    };
    for (name, code) in [("other", 29), ("preview", 29), ("prefix-1", 3)] {
        let answer = client.call(9, &ask(name)).await;
        assert_eq!(answer.topics[0].error_code, code, "{name}");
    }
    let made = async {
        while client.call(9, &ask("prefix-1")).await.topics[0].error_code != 0 {
            tokio::task::yield_now().await;
        }
    };
    let made = tokio::time::timeout(crate::support::client::PATIENCE, made).await;
    assert!(made.is_ok(), "it may be created, and is");
    let all = m::MetadataRequest::default().with_topics(None);
    let names: Vec<_> = admin.call(9, &all).await.topics;
    let names: Vec<_> = names.iter().map(|topic| topic.name.clone().unwrap()).collect();
    assert_eq!(names, [topic_name("prefix-1"), topic_name("t")]);
    bench.stop().await;
}

#[tokio::test]
async fn a_list_tells_no_name_that_one_may_not_see() {
    let (bench, bound, mut admin, mut client) = bench().await;
    for name in ["a", "z"] {
        admin.create_topic(name, 1).await;
    }
    let see = |topic| allow(Operation::Describe, Resource::Topic, topic);
    bound.bind(&bench, &[see("a"), see("z")]).await;
    let request = m::DescribeTopicPartitionsRequest::default().with_response_partition_limit(1);
    let answer = client.call(0, &request).await;
    let cursor = answer.next_cursor.expect("there is more");
    assert_eq!(
        (answer.topics[0].name.clone(), cursor.topic_name),
        (Some(topic_name("a")), topic_name("z")),
        "what lies between is not told"
    );
    let listed = client.call(1, &m::ListConfigResourcesRequest::default()).await;
    assert_eq!(listed.error_code, 31);
    let group = m::offset_fetch_request::OffsetFetchRequestGroup::default()
        .with_group_id(text("g").into())
        .with_topics(None);
    let request = m::OffsetFetchRequest::default().with_groups(vec![group]);
    assert_eq!(client.call(8, &request).await.groups[0].error_code, 30);
    bench.stop().await;
}

/// What is told, with the name of what it is about left out.
fn without_names(told: Vec<answers::Told>, name: &str) -> Vec<answers::Told> {
    let nameless = |(place, code): answers::Told| (place.replace(name, "it"), code);
    told.into_iter().map(nameless).collect()
}

#[tokio::test]
async fn what_one_may_not_see_is_answered_as_what_is_not_there() {
    let (bench, bound, mut admin, mut client) = bench().await;
    for (group, topic) in [("there", "there"), ("g", "there")] {
        if bench
            .images
            .image()
            .topic_by_name(bound.cluster(), topic)
            .is_none()
        {
            admin.create_topic(topic, 1).await;
        }
        assert_eq!(admin.commit(group, topic, 0).await, 0);
    }
    bound.bind(&bench, &[]).await;
    let mut there = Vec::new();
    for name in ["there", "never"] {
        let subject = Subject {
            by_id: false,
            ..Subject::once(name, Uuid::from_u128(7))
        };
        for (place, sample) in samples::all(&subject).into_iter().enumerate() {
            client.stream.write_all(&sample.frame).await.unwrap();
            let told = answers::told(&sample, client.frame().await.expect("an answer"));
            let told = without_names(told, name);
            match name {
                "there" => there.push((sample.key, sample.version, told)),
                _ if there[place].2 != told => {
                    panic!(
                        "{:?} {}: {:?} or {told:?}",
                        sample.key, sample.version, there[place].2
                    )
                }
                _ => {}
            }
        }
    }
    bench.stop().await;
}
