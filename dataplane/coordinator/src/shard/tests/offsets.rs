//! Offsets, deleting, expiry, snapshots.

use super::*;
use crate::shard::GroupCounts;

#[test]
fn commits_are_fenced_by_generation_and_outlive_a_crash() {
    let mut world = World::new();
    let ok = Answer::Commit(Ok(vec![Ok(())]));
    let anonymous = world.now(commit("", -1, 1));
    assert_eq!(anonymous, ok, "a consumer without members");
    let joined = world.stable();
    let refused = |world: &mut World, id: &str, generation| match world.now(commit(id, generation, 7)) {
        Answer::Commit(Err(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&mut world, "", -1), GroupError::UnknownMember);
    assert_eq!(
        refused(&mut world, &joined.member, 0),
        GroupError::IllegalGeneration
    );
    assert_eq!(world.now(commit(&joined.member, 1, 8)), ok);
    let again = world.ask(join(&joined.member, None));
    let joined = world.joined(again);
    assert_eq!(
        refused(&mut world, &joined.member, 2),
        GroupError::RebalanceInProgress
    );
    world.crash();
    let Answer::Offsets(offsets) = world.now(Request::Offsets(None)) else {
        panic!("offsets are told");
    };
    let told: Vec<_> = offsets
        .iter()
        .map(|(partition, offset)| {
            (
                partition.index,
                offset.offset,
                offset.leader_epoch,
                &*offset.metadata,
            )
        })
        .collect();
    assert_eq!(told, [(0, 8, 2, "note")]);
    let known = world.now(Request::Offsets(Some(vec![partition(1), partition(0)])));
    assert!(matches!(known, Answer::Offsets(known) if known.len() == 1));
}

#[test]
fn long_metadata_is_refused_alone() {
    let mut world = World::new();
    let offset = |metadata: String| NewOffset {
        offset: 1,
        leader_epoch: -1,
        metadata: metadata.into(),
    };
    let both = Request::Commit(Commit {
        member: member("", None),
        generation: -1,
        retention: None,
        offsets: vec![
            (partition(0), offset("x".repeat(4097))),
            (partition(1), offset("x".repeat(4096))),
        ],
    });
    let expected = Answer::Commit(Ok(vec![Err(GroupError::MetadataTooLarge), Ok(())]));
    assert_eq!(world.now(both), expected);
}

#[test]
fn a_group_is_deleted_when_it_is_empty_and_offsets_when_nobody_subscribes() {
    let mut world = World::new();
    assert_eq!(
        world.now(Request::Delete),
        Answer::Delete(Err(GroupError::GroupNotFound))
    );
    let joined = world.stable();
    world.now(commit(&joined.member, 1, 8));
    assert_eq!(
        world.now(Request::Delete),
        Answer::Delete(Err(GroupError::NonEmptyGroup))
    );
    let delete = || Request::DeleteOffsets {
        partitions: vec![(partition(0), "t".into()), (partition(0), "u".into())],
    };
    let expected = Answer::DeleteOffsets(Ok(vec![Err(GroupError::Subscribed), Ok(())]));
    assert_eq!(world.now(delete()), expected);
    world.now(Request::Leave(vec![member(&joined.member, None)]));
    assert_eq!(world.now(Request::Delete), Answer::Delete(Ok(())));
    world.crash();
    assert_eq!(
        world.now(Request::Describe),
        Answer::Describe(Err(GroupError::GroupNotFound))
    );
    assert!(world.shard.counts.is_empty());
}

#[test]
fn a_cluster_has_so_many_groups_and_no_more_in_all_shards_together() {
    let settings = GroupSettings {
        max_groups: 2,
        ..GroupSettings::default()
    };
    let all = Arc::<GroupCounts>::default();
    let mut shards = [0, 1].map(|_| Shard::new(settings.clone(), Arc::clone(&all)));
    let mut commits = |shard: usize, cluster: u128, name: &str| {
        let key = GroupKey {
            cluster: ClusterId(cluster),
            name: name.into(),
        };
        let output = shards[shard].step(Token(0), key, commit("", -1, 1), Timestamp(1));
        output.answers[0].1.clone()
    };
    let ok = Answer::Commit(Ok(vec![Ok(())]));
    assert_eq!(commits(0, 1, "a"), ok);
    assert_eq!(commits(1, 1, "b"), ok);
    let full = Answer::Commit(Err(GroupError::TooManyGroups));
    assert_eq!(commits(0, 1, "c"), full);
    assert_eq!(commits(0, 1, "a"), ok, "it is there already");
    assert_eq!(commits(0, 2, "c"), ok, "another cluster");
    assert_eq!(all.of(ClusterId(1)), 2);
    shards[0].limit_groups(1);
    let key = GroupKey {
        cluster: ClusterId(2),
        name: "d".into(),
    };
    let output = shards[0].step(Token(0), key, commit("", -1, 1), Timestamp(1));
    assert_eq!(output.answers[0].1, full, "the limit is lower now");
    drop(shards);
    assert_eq!(all.of(ClusterId(1)), 0);
}

#[test]
fn offsets_go_after_their_retention_and_the_group_with_them() {
    const WEEK: i64 = 7 * 24 * 3_600_000;
    let mut world = World::new();
    let joined = world.stable();
    world.now(commit(&joined.member, 1, 8));
    let topic = |id: TopicId| (id == TopicId(9)).then(|| Arc::from("t"));
    let expire = |world: &mut World, at: i64| {
        let output = world.shard.expire(Timestamp(at), topic);
        let count = output.records.len();
        world.keep(output);
        count
    };
    let now = world.now;
    assert_eq!(
        expire(&mut world, now + 2 * WEEK),
        0,
        "the group subscribes to it"
    );
    world.now += 1_000;
    world.now(Request::Leave(vec![member(&joined.member, None)]));
    assert_eq!(expire(&mut world, now + WEEK + 999), 0);
    assert_eq!(
        expire(&mut world, now + WEEK + 1_000),
        2,
        "the offset and the group"
    );
    world.crash();
    assert_eq!(
        world.now(Request::Describe),
        Answer::Describe(Err(GroupError::GroupNotFound))
    );
}

#[test]
fn a_snapshot_says_all_that_the_records_say() {
    let mut world = World::new();
    let joined = world.stable();
    for offset in 0..50 {
        world.now(commit(&joined.member, 1, offset));
    }
    // A rebalance under way is not part of it.
    world.ask(join("", None));
    let (records, end) = world.shard.snapshot(None, usize::MAX);
    assert_eq!((records.len(), end), (2, None));
    world.records = records;
    world.crash();
    assert_eq!(world.state(), GroupState::Stable);
    assert_eq!(world.now(heartbeat(&joined)), Answer::Heartbeat(Ok(())));
    let (first, after) = world.shard.snapshot(None, 1);
    assert_eq!((first.len(), after.as_ref()), (2, Some(&key())));
    assert_eq!(world.shard.snapshot(after.as_ref(), 1), (Vec::new(), None));
}

#[test]
fn what_is_committed_is_told_group_by_group_a_little_at_a_time() {
    let mut world = World::new();
    for (group, partitions) in [("a", 2), ("b", 0), ("c", 1)] {
        let key = GroupKey {
            cluster: ClusterId(7),
            name: group.into(),
        };
        let offset = |index| {
            let metadata = "".into();
            let new = NewOffset {
                offset: i64::from(index) + 5,
                leader_epoch: -1,
                metadata,
            };
            (partition(index), new)
        };
        let request = match partitions {
            0 => join("", None),
            _ => Request::Commit(Commit {
                member: member("", None),
                generation: -1,
                retention: None,
                offsets: (0..partitions).map(offset).collect(),
            }),
        };
        let output = world.shard.step(Token(9), key, request, Timestamp(world.now));
        world.keep(output);
    }
    let mut after = None;
    let mut told = Vec::new();
    for _ in 0..4 {
        let (committed, last) = world.shard.committed(after.as_ref(), 2);
        told.push(
            committed
                .iter()
                .map(|of| (of.group.name.to_string(), of.offsets.len()))
                .collect::<Vec<_>>(),
        );
        after = last;
        if after.is_none() {
            break;
        }
    }
    let is = |group: &str, offsets| vec![(group.to_owned(), offsets)];
    assert_eq!(told[0], is("a", 2));
    assert_eq!(
        told[1..].concat(),
        is("c", 1),
        "a group without offsets is passed over"
    );
    let (all, last) = world.shard.committed(None, 100);
    assert_eq!((all.len(), last), (2, None));
    assert_eq!(all[0].offsets, [(partition(0), 5), (partition(1), 6)]);
}
