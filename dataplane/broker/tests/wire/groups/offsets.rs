//! Committing offsets and looking them up.

use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{
    DeleteTopicsRequest, LeaveGroupRequest, OffsetDeleteRequest, OffsetFetchRequest,
};

use super::{asked, bench, commit, committed, fetched, group, offset, stable};
use crate::support::Setup;
use crate::support::client::{Client, text, topic_name};

#[tokio::test]
async fn what_cannot_be_committed_has_its_error_and_the_rest_is_committed() {
    let bench = bench().await;
    let mut client = bench.client().await;
    let long = text(&"x".repeat(4097));
    let longest = text(&"x".repeat(4096));
    for version in 2..=9 {
        let name = format!("g{version}");
        let partitions = vec![
            offset(0, 5),
            offset(3, 5),
            offset(1, 6).with_committed_metadata(Some(long.clone())),
            offset(-1, 5),
            offset(2, 7).with_committed_metadata(Some(longest.clone())),
        ];
        let mut request = commit(&name, "t", partitions);
        let absent = commit(&name, "absent", vec![offset(0, 5)]).topics.remove(0);
        request.topics.insert(0, absent);
        let response = client.call(version, &request).await;
        let told: Vec<Vec<_>> = response
            .topics
            .iter()
            .map(|topic| topic.partitions.iter().map(|p| p.error_code).collect())
            .collect();
        assert_eq!(told, [vec![3], vec![0, 3, 12, 3, 0]]);
        let offsets = fetched(&mut client, vec![asked(&name, None)]).await;
        let t = || "t".to_owned();
        assert_eq!(offsets, [(name, 0, vec![(t(), 0, 5, 0), (t(), 2, 7, 0)])]);
    }
    let nothing = commit("none", "absent", vec![offset(0, 5)]);
    assert_eq!(committed(&mut client, 8, &nothing).await, [3]);
    let null = offset(0, 1).with_committed_metadata(None);
    assert_eq!(
        committed(&mut client, 8, &commit("g", "t", vec![null])).await,
        [0]
    );
    bench.stop().await;
}

#[tokio::test]
async fn a_long_name_is_not_stored_with_very_many_offsets() {
    let bench = bench().await;
    let mut client = bench.client().await;
    let long = "x".repeat(32_767);
    for (times, code) in [(32, 0), (33, 28)] {
        let partitions = vec![offset(0, 5); times];
        let codes = committed(&mut client, 8, &commit(&long, "t", partitions)).await;
        assert_eq!(codes, vec![code; times]);
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_consumer_without_a_group_s_management_may_have_a_group_without_a_name() {
    let bench = bench().await;
    let mut client = bench.client().await;
    assert_eq!(
        committed(&mut client, 8, &commit("", "t", vec![offset(1, 3)])).await,
        [0]
    );
    let of_t: &[(&str, &[i32])] = &[("t", &[1])];
    let told = fetched(&mut client, vec![asked("", Some(of_t))]).await;
    assert_eq!(told, [(String::new(), 0, vec![("t".to_owned(), 1, 3, 0)])]);
    bench.stop().await;
}

#[tokio::test]
async fn several_groups_are_asked_at_once_and_each_is_answered_once() {
    let bench = bench().await;
    let mut client = bench.client().await;
    client.create_topic("u", 1).await;
    for (name, topic, at) in [("a", "t", 1), ("a", "u", 2), ("b", "t", 3)] {
        assert_eq!(client.commit(name, topic, at).await, 0);
    }
    let some: &[(&str, &[i32])] = &[("t", &[2, 0, 0]), ("nowhere", &[0]), ("t", &[0])];
    let groups = vec![asked("b", Some(some)), asked("a", None), asked("absent", None)];
    let told = |topic: &str, index, offset| (topic.to_owned(), index, offset, 0);
    assert_eq!(
        fetched(&mut client, groups).await,
        [
            ("a".to_owned(), 0, vec![told("t", 0, 1), told("u", 0, 2)]),
            ("absent".to_owned(), 0, vec![]),
            (
                "b".to_owned(),
                0,
                vec![told("nowhere", 0, -1), told("t", 0, 3), told("t", 2, -1)]
            ),
        ]
    );
    let of_u: &[(&str, &[i32])] = &[("u", &[0])];
    let of_t: &[(&str, &[i32])] = &[("t", &[0])];
    let both = fetched(&mut client, vec![asked("a", Some(of_u)), asked("a", Some(of_t))]).await;
    assert_eq!(
        both,
        [("a".to_owned(), 0, vec![told("t", 0, 1), told("u", 0, 2)])]
    );
    let all = fetched(&mut client, vec![asked("a", Some(of_u)), asked("a", None)]).await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].2.len(), 2);
    bench.stop().await;
}

#[tokio::test]
async fn offsets_of_a_deleted_topic_are_not_told() {
    let bench = bench().await;
    let mut client = bench.client().await;
    assert_eq!(client.commit("g", "t", 1).await, 0);
    let request = DeleteTopicsRequest::default()
        .with_topic_names(vec![topic_name("t")])
        .with_timeout_ms(10_000);
    assert_eq!(client.call(5, &request).await.responses[0].error_code, 0);
    client.create_topic("t", 1).await;
    assert_eq!(
        fetched(&mut client, vec![asked("g", None)]).await,
        [("g".to_owned(), 0, vec![])]
    );
    let of_t: &[(&str, &[i32])] = &[("t", &[0])];
    let told = fetched(&mut client, vec![asked("g", Some(of_t))]).await;
    assert_eq!(
        told[0].2,
        [("t".to_owned(), 0, -1, 0)],
        "another topic of that name"
    );
    bench.stop().await;
}

/// The code of OffsetDelete, and those of the partitions.
async fn forget(client: &mut Client, name: &str, partitions: &[(&str, i32)]) -> (i16, Vec<i16>) {
    let topic = |(topic, index): &(&str, i32)| {
        let partition = OffsetDeleteRequestPartition::default().with_partition_index(*index);
        OffsetDeleteRequestTopic::default()
            .with_name(topic_name(topic))
            .with_partitions(vec![partition])
    };
    let request = OffsetDeleteRequest::default()
        .with_group_id(group(name))
        .with_topics(partitions.iter().map(topic).collect());
    let response = client.call(0, &request).await;
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    (response.error_code, partitions.map(|p| p.error_code).collect())
}

#[tokio::test]
async fn offsets_are_forgotten_unless_the_group_subscribes_to_their_topic() {
    let bench = bench().await;
    let mut client = bench.client().await;
    client.create_topic("u", 1).await;
    let member = stable(&mut client, "g").await;
    for topic in ["t", "u"] {
        let request = member.commit(topic, vec![offset(0, 5)]);
        assert_eq!(committed(&mut client, 7, &request).await, [0]);
    }
    let all = [("t", 0), ("u", 0), ("u", 1), ("absent", 0)];
    assert_eq!(forget(&mut client, "g", &all).await, (0, vec![86, 0, 3, 3]));
    let left = |offsets: &[(&str, i64)]| {
        let told = |(topic, offset): &(&str, i64)| ((*topic).to_owned(), 0, *offset, 0);
        vec![("g".to_owned(), 0, offsets.iter().map(told).collect::<Vec<_>>())]
    };
    assert_eq!(
        fetched(&mut client, vec![asked("g", None)]).await,
        left(&[("t", 5)])
    );
    let leave = LeaveGroupRequest::default()
        .with_group_id(group("g"))
        .with_member_id(member.id);
    assert_eq!(client.call(1, &leave).await.error_code, 0);
    assert_eq!(forget(&mut client, "g", &[("t", 0)]).await, (0, vec![0]));
    assert_eq!(fetched(&mut client, vec![asked("g", None)]).await, left(&[]));
    assert_eq!(forget(&mut client, "absent", &[("t", 0)]).await, (69, vec![]));
    assert_eq!(forget(&mut client, "", &[("t", 0)]).await, (24, vec![]));
    bench.stop().await;
}

#[tokio::test]
async fn the_first_version_tells_a_group_s_error_for_each_partition() {
    let bench = super::permissions::denying().await;
    let mut client = bench.client().await;
    let topic = OffsetFetchRequestTopic::default()
        .with_name(topic_name("t"))
        .with_partition_indexes(vec![1, 0, 1]);
    let request = OffsetFetchRequest::default()
        .with_group_id(group("g"))
        .with_topics(Some(vec![topic]));
    let response = client.call(1, &request).await;
    let told = response.topics[0].partitions.iter();
    let told: Vec<_> = told
        .map(|p| (p.partition_index, p.committed_offset, p.error_code))
        .collect();
    assert_eq!(told, [(0, -1, 30), (1, -1, 30)]);
    for version in 2..8 {
        let response = client.call(version, &request).await;
        assert_eq!((response.error_code, response.topics.len()), (30, 0));
    }
    bench.stop().await;
}

#[tokio::test]
async fn groups_and_offsets_outlive_the_broker() {
    let bench = bench().await;
    let member = stable(&mut bench.client().await, "g").await;
    let request = member.commit("t", vec![offset(2, 9)]);
    assert_eq!(committed(&mut bench.client().await, 7, &request).await, [0]);
    let bench = bench.restarted_with(Setup::default()).await;
    bench.coordinators().await;
    let mut client = bench.client().await;
    assert_eq!(client.call(3, &member.heartbeat()).await.error_code, 0);
    let told = fetched(&mut client, vec![asked("g", None)]).await;
    assert_eq!(told[0].2, [("t".to_owned(), 2, 9, 0)]);
    let synced = client.call(3, &member.sync(3, &[])).await;
    assert_eq!(&synced.assignment[..], b"mine");
    bench.stop().await;
}

#[tokio::test]
async fn a_commit_of_more_than_a_batch_holds_is_there_after_a_restart() {
    let bench = bench().await;
    let mut client = bench.client().await;
    let long = text(&"x".repeat(4096));
    let at = |number: i64| {
        let partition = i32::try_from(number % 3).unwrap();
        offset(partition, number).with_committed_metadata(Some(long.clone()))
    };
    let request = commit("g", "t", (0..600).map(at).collect());
    assert_eq!(committed(&mut client, 8, &request).await, [0; 600]);
    drop(client);
    let bench = bench.restarted().await;
    bench.coordinators().await;
    let mut client = bench.client().await;
    let offsets = fetched(&mut client, vec![asked("g", None)]).await;
    let of = |partition: i32| ("t".to_owned(), partition, 597 + i64::from(partition), 0);
    assert_eq!(offsets, [("g".to_owned(), 0, vec![of(0), of(1), of(2)])]);
    bench.stop().await;
}
