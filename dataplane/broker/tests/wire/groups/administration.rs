//! Finding, listing, describing and deleting groups.

use firn_catalog::ids::ClusterId;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, FindCoordinatorRequest, LeaveGroupRequest, ListGroupsRequest,
};

use super::{WANTS_T, asked, bench, fetched, group, join, stable};
use crate::support::Setup;
use crate::support::client::{Client, text};

async fn delete(client: &mut Client, version: i16, names: &[&str]) -> Vec<(String, i16)> {
    let names = names.iter().map(|name| group(name)).collect();
    let request = DeleteGroupsRequest::default().with_groups_names(names);
    let response = client.call(version, &request).await;
    let results = response.results.iter();
    results
        .map(|result| (result.group_id.to_string(), result.error_code))
        .collect()
}

/// (name, kind, state, type) of each group.
async fn listed(client: &mut Client, version: i16, states: &[&str], types: &[&str]) -> Vec<[String; 4]> {
    let names = |names: &[&str]| names.iter().map(|name| text(name)).collect();
    let request = ListGroupsRequest::default()
        .with_states_filter(names(states))
        .with_types_filter(names(types));
    let response = client.call(version, &request).await;
    assert_eq!(response.error_code, 0);
    let told = response.groups.iter().map(|group| {
        [
            &group.group_id.0,
            &group.protocol_type,
            &group.group_state,
            &group.group_type,
        ]
        .map(|text| text.to_string())
    });
    told.collect()
}

#[tokio::test]
async fn groups_are_listed_by_states_and_types() {
    let bench = bench().await;
    let mut client = bench.client().await;
    stable(&mut client, "managed").await;
    assert_eq!(client.commit("simple", "t", 1).await, 0);
    let of = |told: [&str; 4]| told.map(str::to_owned);
    for version in 0..=5 {
        let state = |state| if version >= 4 { state } else { "" };
        let kind = if version >= 5 { "classic" } else { "" };
        let managed = of(["managed", "consumer", state("Stable"), kind]);
        let simple = of(["simple", "", state("Empty"), kind]);
        let both = vec![managed.clone(), simple.clone()];
        assert_eq!(listed(&mut client, version, &[], &[]).await, both);
        if version < 4 {
            continue;
        }
        for (states, expected) in [
            (&["stable"][..], vec![managed.clone()]),
            (&["Dead", "EMPTY", "no such state"], vec![simple.clone()]),
            (&["no such state"], vec![]),
            (&["Empty", "Stable"], both.clone()),
        ] {
            assert_eq!(
                listed(&mut client, version, states, &[]).await,
                expected,
                "{states:?}"
            );
        }
        if version >= 5 {
            assert_eq!(listed(&mut client, 5, &[], &["Classic", "share"]).await, both);
            assert_eq!(
                listed(&mut client, 5, &[], &["consumer"]).await,
                Vec::<[String; 4]>::new()
            );
        }
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_group_is_described_with_what_its_members_said_and_got() {
    let bench = bench().await;
    let mut client = bench.client().await;
    let member = stable(&mut client, "g").await;
    for version in 0..=6 {
        let request = DescribeGroupsRequest::default()
            .with_groups(vec![group("g"), group("absent"), group("g")])
            .with_include_authorized_operations(version >= 3);
        let groups = client.call(version, &request).await.groups;
        assert_eq!(groups.len(), 2, "each once");
        let told = &groups[0];
        assert_eq!((told.error_code, &*told.group_id.0), (0, "g"));
        let words = [&told.group_state, &told.protocol_type, &told.protocol_data];
        assert_eq!(words.map(|word| &**word), ["Stable", "consumer", "range"]);
        // Read, delete, describe, describe configs, alter configs.
        let operations = if version >= 3 { 0b1101_0100_1000 } else { i32::MIN };
        assert_eq!(told.authorized_operations, operations);
        let [known] = &told.members[..] else {
            panic!("{told:?}");
        };
        assert_eq!(known.member_id, member.id);
        assert_eq!((&*known.client_id, &*known.client_host), ("test", "/127.0.0.1"));
        assert_eq!(
            (&known.member_metadata[..], &known.member_assignment[..]),
            (WANTS_T, &b"mine"[..])
        );
        let absent = &groups[1];
        let error = if version >= 6 { 69 } else { 0 };
        assert_eq!((absent.error_code, &*absent.group_state), (error, "Dead"));
        assert_eq!(absent.error_message.is_some(), version >= 6);
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_group_without_members_is_deleted_with_its_offsets() {
    let bench = bench().await;
    let mut client = bench.client().await;
    for version in 0..=2 {
        let member = stable(&mut client, "g").await;
        let request = member.commit("t", vec![super::offset(0, 1)]);
        assert_eq!(super::committed(&mut client, 7, &request).await, [0]);
        assert_eq!(client.commit("simple", "t", 1).await, 0);
        let told = |told: [(&str, i16); 3]| told.map(|(name, code)| (name.to_owned(), code));
        assert_eq!(
            delete(&mut client, version, &["g", "simple", "absent", "g"]).await,
            told([("g", 68), ("simple", 0), ("absent", 69)])
        );
        let leave = LeaveGroupRequest::default()
            .with_group_id(group("g"))
            .with_member_id(member.id);
        assert_eq!(client.call(1, &leave).await.error_code, 0);
        assert_eq!(delete(&mut client, version, &["g"]).await, [("g".to_owned(), 0)]);
        assert_eq!(delete(&mut client, version, &["g"]).await, [("g".to_owned(), 69)]);
        assert_eq!(fetched(&mut client, vec![asked("g", None)]).await[0].2, []);
        assert_eq!(listed(&mut client, 0, &[], &[]).await, Vec::<[String; 4]>::new());
    }
    bench.stop().await;
}

#[tokio::test]
async fn the_coordinator_of_groups_is_found_and_others_are_not() {
    let bench = bench().await;
    let mut client = bench.client().await;
    let port = i32::from(bench.broker.local_address().port());
    let here = (0, 0, "127.0.0.1".to_owned(), port);
    let nowhere = |code: i16| (code, -1, String::new(), -1);
    for version in 0..=3 {
        let kinds: &[(i8, _)] = match version {
            0 => &[(0, here.clone())],
            _ => &[
                (0, here.clone()),
                (1, nowhere(53)),
                (2, nowhere(42)),
                (9, nowhere(42)),
            ],
        };
        for (kind, expected) in kinds {
            let request = FindCoordinatorRequest::default()
                .with_key(text("g"))
                .with_key_type(*kind);
            let found = client.call(version, &request).await;
            let told = (
                found.error_code,
                found.node_id.0,
                found.host.to_string(),
                found.port,
            );
            assert_eq!(told, *expected, "version {version}");
        }
    }
    for version in 4..=6 {
        for (kind, expected) in [
            (0, here.clone()),
            (1, nowhere(53)),
            (2, nowhere(42)),
            (9, nowhere(42)),
        ] {
            let keys = ["b", "a", "b", ""].map(text);
            let request = FindCoordinatorRequest::default()
                .with_key_type(kind)
                .with_coordinator_keys(keys.to_vec());
            let found = client.call(version, &request).await.coordinators;
            let keys: Vec<_> = found.iter().map(|found| &*found.key).collect();
            assert_eq!(keys, ["b", "a", ""], "each once");
            for found in &found {
                let told = (
                    found.error_code,
                    found.node_id.0,
                    found.host.to_string(),
                    found.port,
                );
                assert_eq!(told, expected, "version {version}");
                assert_eq!(found.error_message.is_some(), found.error_code != 0);
            }
        }
    }
    bench.stop().await;
}

#[tokio::test]
async fn another_cluster_s_group_of_the_same_name_is_another_group() {
    let bench = bench().await;
    let member = stable(&mut bench.client().await, "g").await;
    assert_eq!(bench.client().await.commit("simple", "t", 7).await, 0);
    let bench = bench
        .restarted_with(Setup {
            kafka: vec![super::AT_ONCE],
            cluster: Some(ClusterId(99)),
            ..Setup::default()
        })
        .await;
    bench.coordinators().await;
    let mut client = bench.client().await;
    assert_eq!(listed(&mut client, 5, &[], &[]).await, Vec::<[String; 4]>::new());
    assert_eq!(client.call(3, &member.heartbeat()).await.error_code, 25);
    assert_eq!(fetched(&mut client, vec![asked("simple", None)]).await[0].2, []);
    let absent = ["g", "simple"].map(|name| (name.to_owned(), 69));
    assert_eq!(delete(&mut client, 2, &["g", "simple"]).await, absent);
    let request = DescribeGroupsRequest::default().with_groups(vec![group("g")]);
    assert_eq!(&*client.call(0, &request).await.groups[0].group_state, "Dead");
    let joined = client.call(3, &join("g", "")).await;
    assert_eq!(
        (joined.error_code, joined.members.len()),
        (0, 1),
        "nobody else is in it"
    );
    let bench = bench.restarted().await;
    bench.coordinators().await;
    let mut client = bench.client().await;
    assert_eq!(client.call(3, &member.heartbeat()).await.error_code, 0);
    let told = fetched(&mut client, vec![asked("simple", None)]).await;
    assert_eq!(told[0].2, [("t".to_owned(), 0, 7, 0)]);
    bench.stop().await;
}
