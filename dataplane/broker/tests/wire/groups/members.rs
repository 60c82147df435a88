//! Joining, assigning, staying and leaving.

use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic;
use kafka_protocol::messages::{JoinGroupRequest, LeaveGroupRequest, OffsetFetchRequest, SyncGroupRequest};
use kafka_protocol::protocol::StrBytes;

use super::{Member, bench, commit, committed, group, join, offset, stable};
use crate::support::client::{Client, text, topic_name};
use crate::support::{Bench, Setup};

/// Joins in this version, with the id that it gives first where it does.
async fn joined(client: &mut Client, version: i16, name: &str) -> Member {
    let mut request = join(name, "");
    if version >= 4 {
        let refused = client.call(version, &request).await;
        assert_eq!((refused.error_code, refused.generation_id), (79, -1));
        assert!(refused.member_id.starts_with("test-"), "{refused:?}");
        assert_eq!((&*refused.leader, refused.members.len()), ("", 0));
        let protocol = refused.protocol_name.as_deref();
        assert_eq!(protocol, (version < 7).then_some(""), "version {version}");
        request.member_id = refused.member_id;
    }
    let joined = client.call(version, &request).await;
    let protocol_type = joined.protocol_type.as_deref();
    assert_eq!(protocol_type, (version >= 7).then_some("consumer"));
    assert_eq!(joined.protocol_name.as_deref(), Some("range"));
    assert_eq!(joined.leader, joined.member_id);
    let members: Vec<_> = joined.members.iter().map(|member| &member.member_id).collect();
    assert_eq!(members, [&joined.member_id]);
    assert_eq!(joined.members[0].metadata, super::WANTS_T);
    assert!(!joined.skip_assignment);
    Member::of(name, &joined)
}

/// Commits and looks up; then leaves.
async fn commits_and_leaves(client: &mut Client, version: i16, member: &Member) {
    let epoch = if version >= 6 { 4 } else { -1 };
    let partition = offset(1, 42)
        .with_committed_leader_epoch(epoch)
        .with_committed_metadata(Some(text("note")));
    let request = member.commit("t", vec![partition]);
    assert_eq!(committed(client, version.clamp(2, 9), &request).await, [0]);
    let topic = OffsetFetchRequestTopic::default()
        .with_name(topic_name("t"))
        .with_partition_indexes(vec![0, 1]);
    let request = OffsetFetchRequest::default()
        .with_group_id(group(&member.group))
        .with_topics(Some(vec![topic]));
    let fetch_version = version.clamp(1, 7);
    let response = client.call(fetch_version, &request).await;
    assert_eq!(response.error_code, 0);
    let partitions = &response.topics[0].partitions;
    let told = partitions.iter().map(|p| {
        let metadata = p.metadata.as_deref().unwrap();
        (
            p.committed_offset,
            p.committed_leader_epoch,
            metadata,
            p.error_code,
        )
    });
    let epoch = if fetch_version >= 5 { epoch } else { -1 };
    assert_eq!(
        told.collect::<Vec<_>>(),
        [(-1, -1, "", 0), (42, epoch, "note", 0)]
    );
    let leave = LeaveGroupRequest::default().with_group_id(group(&member.group));
    let (leave, leave_version) = match version {
        ..3 => (leave.with_member_id(member.id.clone()), version),
        _ => {
            let member = MemberIdentity::default().with_member_id(member.id.clone());
            (leave.with_members(vec![member]), version.min(5))
        }
    };
    let left = client.call(leave_version, &leave).await;
    assert_eq!(left.error_code, 0);
    assert!(left.members.iter().all(|member| member.error_code == 0));
}

#[tokio::test]
async fn a_member_joins_is_assigned_commits_and_leaves_in_every_version() {
    let bench = bench().await;
    let mut client = bench.client().await;
    for version in 0..=9 {
        let member = joined(&mut client, version, &format!("g{version}")).await;
        let sync_version = version.min(5);
        let assignments = [(&member.id, "mine")];
        let synced = client
            .call(sync_version, &member.sync(sync_version, &assignments))
            .await;
        assert_eq!((synced.error_code, &synced.assignment[..]), (0, &b"mine"[..]));
        let told = (synced.protocol_type.as_deref(), synced.protocol_name.as_deref());
        let expected = (sync_version >= 5).then_some(("consumer", "range"));
        assert_eq!(told, expected.unzip());
        let beat = client.call(version.min(4), &member.heartbeat()).await;
        assert_eq!(beat.error_code, 0);
        commits_and_leaves(&mut client, version, &member).await;
        let beat = client.call(version.min(4), &member.heartbeat()).await;
        assert_eq!(beat.error_code, 25, "it has left");
    }
    bench.stop().await;
}

#[tokio::test]
async fn two_members_get_what_the_leader_assigns() {
    let bench = bench().await;
    let (mut first, mut second) = (bench.client().await, bench.client().await);
    let leader = stable(&mut first, "g").await;
    let waiting = second.send(3, &join("g", "")).await;
    assert!(second.is_quiet().await, "the first member has to join again");
    assert_eq!(first.call(4, &leader.heartbeat()).await.error_code, 27);
    let again = first.call(3, &join("g", &leader.id)).await;
    let other = second.receive::<JoinGroupRequest>(3, waiting).await;
    assert_eq!((again.generation_id, other.generation_id), (2, 2));
    assert_eq!((&again.leader, &other.leader), (&leader.id, &leader.id));
    assert_eq!((again.members.len(), other.members.len()), (2, 0));
    let (leader, follower) = (Member::of("g", &again), Member::of("g", &other));
    let waiting = second.send(5, &follower.sync(5, &[])).await;
    assert!(second.is_quiet().await, "the leader has not assigned");
    let assignments = [(&leader.id, "one"), (&follower.id, "two")];
    let of_leader = first.call(5, &leader.sync(5, &assignments)).await;
    let of_follower = second.receive::<SyncGroupRequest>(5, waiting).await;
    assert_eq!((of_leader.error_code, of_follower.error_code), (0, 0));
    assert_eq!(
        (&of_leader.assignment[..], &of_follower.assignment[..]),
        (&b"one"[..], &b"two"[..])
    );
    bench.stop().await;
}

#[tokio::test]
async fn a_new_member_without_a_static_id_joins_with_the_id_that_it_is_given() {
    let bench = bench().await;
    let mut client = bench.client().await;
    let refused = client.call(4, &join("g", "")).await;
    assert_eq!(refused.error_code, 79);
    let with_static_id = join("of-statics", "").with_group_instance_id(Some(text("i")));
    assert_eq!(client.call(5, &with_static_id).await.error_code, 0);
    assert_eq!(client.call(3, &join("of-old-clients", "")).await.error_code, 0);
    let invented = client.call(4, &join("g", "invented")).await;
    assert_eq!((invented.error_code, &*invented.member_id), (25, "invented"));
    bench.stop().await;
}

#[tokio::test]
async fn sessions_and_protocols_that_cannot_be_are_refused() {
    let bench = bench().await;
    let mut client = bench.client().await;
    let usual = || join("g", "");
    for (request, error) in [
        (usual().with_session_timeout_ms(5_999), 26),
        (usual().with_session_timeout_ms(1_800_001), 26),
        (usual().with_session_timeout_ms(-1), 26),
        (usual().with_rebalance_timeout_ms(-1), 26),
        (usual().with_protocols(Vec::new()), 23),
        (usual().with_protocol_type(text("")), 23),
        (usual().with_group_id(group("")), 24),
        (usual().with_group_id(group("")).with_session_timeout_ms(-1), 24),
    ] {
        let refused = client.call(9, &request.clone().with_member_id(text("m"))).await;
        assert_eq!(
            (refused.error_code, &*refused.member_id),
            (error, "m"),
            "{request:?}"
        );
        assert_eq!((refused.protocol_name, refused.protocol_type), (None, None));
    }
    let member = stable(&mut client, "g").await;
    let no_protocol = member.sync(5, &[]).with_protocol_name(None);
    assert_eq!(client.call(5, &no_protocol).await.error_code, 23);
    let another = member.sync(5, &[]).with_protocol_name(Some(text("sticky")));
    assert_eq!(client.call(5, &another).await.error_code, 23);
    let other_kind = usual().with_protocol_type(text("connect"));
    assert_eq!(client.call(3, &other_kind).await.error_code, 23);
    bench.stop().await;
}

/// The codes of a heartbeat, a SyncGroup and a commit.
async fn codes(client: &mut Client, member: &Member) -> [i16; 3] {
    let beat = client.call(3, &member.heartbeat()).await;
    let synced = client.call(3, &member.sync(3, &[])).await;
    let request = member.commit("t", vec![offset(0, 1)]);
    [
        beat.error_code,
        synced.error_code,
        committed(client, 7, &request).await[0],
    ]
}

#[tokio::test]
async fn who_is_no_member_or_of_another_generation_is_told_so() {
    let bench = bench().await;
    let mut client = bench.client().await;
    let member = stable(&mut client, "g").await;
    assert_eq!(codes(&mut client, &member).await, [0, 0, 0]);
    let late = Member {
        generation: member.generation + 1,
        ..member.clone()
    };
    assert_eq!(codes(&mut client, &late).await, [22, 22, 22]);
    let stranger = Member {
        id: text("stranger"),
        ..member.clone()
    };
    assert_eq!(codes(&mut client, &stranger).await, [25, 25, 25]);
    let elsewhere = Member {
        group: "elsewhere".to_owned(),
        ..member.clone()
    };
    assert_eq!(codes(&mut client, &elsewhere).await, [25, 25, 22]);
    // A consumer without a group's management does not commit into a group that has members.
    let simple = commit("g", "t", vec![offset(0, 1)]);
    assert_eq!(committed(&mut client, 7, &simple).await, [25]);
    let leave = |members: &[&StrBytes]| {
        let identity = |id: &&StrBytes| MemberIdentity::default().with_member_id((*id).clone());
        LeaveGroupRequest::default()
            .with_group_id(group("g"))
            .with_members(members.iter().map(identity).collect())
    };
    let left = client
        .call(5, &leave(&[&stranger.id, &member.id, &member.id]))
        .await;
    let told: Vec<_> = left.members.iter().map(|member| member.error_code).collect();
    assert_eq!((left.error_code, told), (0, vec![25, 0, 25]));
    bench.stop().await;
}

#[tokio::test]
async fn a_static_member_that_starts_again_fences_its_former_self() {
    let bench = bench().await;
    let mut client = bench.client().await;
    let instance = Some(text("i"));
    let request = join("g", "").with_group_instance_id(instance.clone());
    let first = Member {
        instance: instance.clone(),
        ..Member::of("g", &client.call(5, &request).await)
    };
    let synced = client.call(3, &first.sync(3, &[(&first.id, "mine")])).await;
    assert_eq!(synced.error_code, 0);
    let again = Member {
        instance: instance.clone(),
        ..Member::of("g", &client.call(5, &request).await)
    };
    assert_ne!(again.id, first.id);
    assert_eq!(again.generation, first.generation, "nothing else has changed");
    assert_eq!(codes(&mut client, &first).await, [82, 82, 82]);
    assert_eq!(codes(&mut client, &again).await, [0, 0, 0]);
    let synced = client.call(3, &again.sync(3, &[])).await;
    assert_eq!(&synced.assignment[..], b"mine");
    // An administrator takes it out by its static id.
    let identity = MemberIdentity::default().with_group_instance_id(instance);
    let leave = LeaveGroupRequest::default()
        .with_group_id(group("g"))
        .with_members(vec![identity]);
    let left = client.call(3, &leave).await;
    assert_eq!((left.error_code, left.members[0].error_code), (0, 0));
    assert_eq!(left.members[0].group_instance_id.as_deref(), Some("i"));
    assert_eq!(codes(&mut client, &again).await[0], 25);
    bench.stop().await;
}

#[tokio::test]
async fn a_broker_that_shuts_down_does_not_wait_for_members() {
    let bench = Bench::with(Setup {
        kafka: vec![("group.initial.rebalance.delay.ms", "600000")],
        ..Setup::default()
    })
    .await;
    bench.coordinators().await;
    let mut client = bench.client().await;
    let waiting = client.send(3, &join("g", "")).await;
    assert!(client.is_quiet().await, "the group waits for more members");
    let answer = client.receive::<JoinGroupRequest>(3, waiting);
    let (answer, ()) = tokio::join!(answer, bench.broker.shutdown());
    assert_eq!((answer.error_code, answer.generation_id), (16, -1));
    bench.log.shutdown().await;
}
