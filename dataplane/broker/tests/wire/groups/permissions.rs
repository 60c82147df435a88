//! What those are told of groups who may do some things and not others.

use firn_catalog::acl::{Operation, ResourceName};
use kafka_protocol::messages::ApiKey;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::{asked, commit, committed, fetched, offset};
use crate::answers;
use crate::permissions::{Rule, bench};
use crate::support::samples::Subject;
use crate::support::{Bench, samples};

/// A broker that denies everything that has to do with groups.
pub async fn denying() -> Bench {
    let bench = bench(|_, resource| !matches!(resource, ResourceName::Group(_))).await;
    bench.coordinators().await;
    bench.client().await.create_topic("t", 3).await;
    bench
}

/// What a request must be allowed to do to the group that it is about.
fn needs(key: ApiKey) -> Option<Operation> {
    match key {
        ApiKey::JoinGroup
        | ApiKey::SyncGroup
        | ApiKey::Heartbeat
        | ApiKey::LeaveGroup
        | ApiKey::OffsetCommit => Some(Operation::Read),
        ApiKey::OffsetFetch | ApiKey::FindCoordinator | ApiKey::DescribeGroups => Some(Operation::Describe),
        ApiKey::OffsetDelete | ApiKey::DeleteGroups => Some(Operation::Delete),
        _ => None,
    }
}

#[tokio::test]
async fn each_request_needs_one_operation_on_its_group_and_no_other() {
    let rules: [(Operation, Rule); 3] = [
        (Operation::Read, |operation, resource| {
            operation == Operation::Read || !matches!(resource, ResourceName::Group(_))
        }),
        (Operation::Describe, |operation, resource| {
            operation == Operation::Describe || !matches!(resource, ResourceName::Group(_))
        }),
        (Operation::Delete, |operation, resource| {
            operation == Operation::Delete || !matches!(resource, ResourceName::Group(_))
        }),
    ];
    for (granted, rule) in rules {
        let bench = bench(rule).await;
        bench.coordinators().await;
        let mut client = bench.client().await;
        client.create_topic("t", 1).await;
        for sample in samples::all(&Subject::once("t", Uuid::nil())) {
            let Some(needed) = needs(sample.key) else { continue };
            client.stream.write_all(&sample.frame).await.unwrap();
            let told = answers::told(&sample, client.frame().await.unwrap());
            let what = format!("{:?} {} with {granted:?}: {told:?}", sample.key, sample.version);
            let denied = told.iter().any(|(_, code)| *code == 30);
            assert_eq!(denied, needed != granted, "{what}");
            let other = told.iter().any(|(_, code)| *code != 30 && *code != 0);
            assert!(!denied || !other, "{what}");
        }
        bench.stop().await;
    }
}

#[tokio::test]
async fn who_may_not_describe_the_cluster_sees_the_groups_that_it_may_describe() {
    let all: Rule = |_, _| true;
    let some: Rule = |operation, resource| match (operation, resource) {
        (Operation::Describe, ResourceName::Cluster) => false,
        (Operation::Describe, ResourceName::Group(name)) => name != "theirs",
        _ => true,
    };
    let cases: [(Rule, &[&str]); 2] = [(all, &["mine", "theirs"]), (some, &["mine"])];
    for (rule, expected) in cases {
        let bench = bench(rule).await;
        bench.coordinators().await;
        let mut client = bench.client().await;
        client.create_topic("t", 1).await;
        for name in ["mine", "theirs"] {
            assert_eq!(client.commit(name, "t", 1).await, 0);
        }
        let request = kafka_protocol::messages::ListGroupsRequest::default();
        let listed = client.call(4, &request).await.groups;
        let listed: Vec<_> = listed.iter().map(|group| &*group.group_id.0).collect();
        assert_eq!(listed, expected);
        bench.stop().await;
    }
}

#[tokio::test]
async fn offsets_of_topics_that_one_may_not_see_are_denied_or_left_out() {
    let bench = bench(|operation, resource| {
        let hidden = matches!(operation, Operation::Describe | Operation::Read);
        !(hidden && resource == ResourceName::Topic("hidden"))
    })
    .await;
    bench.coordinators().await;
    let mut client = bench.client().await;
    for topic in ["t", "hidden"] {
        client.create_topic(topic, 1).await;
    }
    assert_eq!(client.commit("g", "t", 5).await, 0);
    assert_eq!(
        committed(&mut client, 8, &commit("g", "hidden", vec![offset(0, 5)])).await,
        [29]
    );
    let both: &[(&str, &[i32])] = &[("hidden", &[0, 7]), ("t", &[0])];
    let told = fetched(&mut client, vec![asked("g", Some(both))]).await;
    let of = |topic: &str, index, offset, code| (topic.to_owned(), index, offset, code);
    assert_eq!(
        told[0].2,
        [of("hidden", 0, -1, 29), of("hidden", 7, -1, 29), of("t", 0, 5, 0)]
    );
    let told = fetched(&mut client, vec![asked("g", None)]).await;
    assert_eq!(told[0].2, [of("t", 0, 5, 0)]);
    bench.stop().await;
}
