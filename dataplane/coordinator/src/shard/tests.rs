//! The classic protocol, case by case.

mod bounds;
mod offsets;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_catalog::ids::{ClusterId, PartitionId, TopicId};
use firn_runtime::Timestamp;

use super::{Output, Shard, Token};
use crate::api::{
    Answer, Commit, GroupError, GroupKey, GroupState, Join, Joined, MemberRef, NewOffset, NotJoined, Request,
    Sync,
};
use crate::record::Record;
use crate::settings::GroupSettings;

const SESSION: i64 = 10_000;
const REBALANCE: i64 = 60_000;

/// A shard, its records, the time, and what was answered.
struct World {
    shard: Shard,
    records: Vec<Record>,
    now: i64,
    tokens: u64,
    answers: Vec<(Token, Answer)>,
}

impl World {
    fn new() -> Self {
        Self::with(GroupSettings {
            initial_delay: Duration::ZERO,
            max_members: 3,
            ..GroupSettings::default()
        })
    }

    fn with(settings: GroupSettings) -> Self {
        Self {
            shard: Shard::new(settings, Arc::default()),
            records: Vec::new(),
            now: 1_000_000,
            tokens: 0,
            answers: Vec::new(),
        }
    }

    fn keep(&mut self, output: Output) {
        self.records.extend(output.records);
        self.answers.extend(output.answers);
    }

    fn ask(&mut self, request: Request) -> Token {
        let token = Token(self.tokens);
        self.tokens += 1;
        let output = self.shard.step(token, key(), request, Timestamp(self.now));
        self.keep(output);
        token
    }

    fn answer(&mut self, token: Token) -> Option<Answer> {
        let at = self.answers.iter().position(|(of, _)| *of == token)?;
        Some(self.answers.swap_remove(at).1)
    }

    fn now(&mut self, request: Request) -> Answer {
        let token = self.ask(request);
        self.answer(token).expect("it is answered at once")
    }

    fn pass(&mut self, millis: i64) {
        self.now += millis;
        let output = self.shard.tick(Timestamp(self.now));
        self.keep(output);
    }

    /// Another process reads the records.
    fn crash(&mut self) {
        let mut shard = Shard::new(self.shard.settings.clone(), Arc::clone(&self.shard.all));
        for record in &self.records {
            shard.replay(record).unwrap();
        }
        shard.resume(Timestamp(self.now));
        self.shard = shard;
    }

    fn joined(&mut self, token: Token) -> Joined {
        match self.answer(token) {
            Some(Answer::Join(Ok(joined))) => joined,
            other => panic!("{other:?}"),
        }
    }

    fn join_refused(&mut self, request: Request) -> NotJoined {
        match self.now(request) {
            Answer::Join(Err(refused)) => refused,
            other => panic!("{other:?}"),
        }
    }

    fn state(&mut self) -> GroupState {
        match self.now(Request::Describe) {
            Answer::Describe(Ok(description)) => description.state,
            other => panic!("{other:?}"),
        }
    }

    /// A stable group of one dynamic member.
    fn stable(&mut self) -> Joined {
        let token = self.ask(join("", None));
        let joined = self.joined(token);
        let synced = self.now(sync(&joined, &[(&joined.member, "a")]));
        assert!(matches!(synced, Answer::Sync(Ok(_))), "{synced:?}");
        joined
    }
}

fn key() -> GroupKey {
    GroupKey {
        cluster: ClusterId(1),
        name: "g".into(),
    }
}

fn member(id: &str, instance: Option<&str>) -> MemberRef {
    MemberRef {
        id: id.into(),
        instance: instance.map(Into::into),
    }
}

fn a_join(id: &str, instance: Option<&str>) -> Join {
    static UNIQUE: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    Join {
        member: member(id, instance),
        client_id: "c".into(),
        client_host: "/127.0.0.1".into(),
        session_timeout: Duration::from_millis(SESSION as u64),
        rebalance_timeout: Duration::from_millis(REBALANCE as u64),
        protocol_type: "consumer".into(),
        protocols: vec![("range".into(), Bytes::from_static(b"\0\0\0\0\0\x01\0\x01t"))],
        known_id_required: false,
        may_skip_assignment: false,
        unique: UNIQUE.fetch_add(1, std::sync::atomic::Ordering::Relaxed).into(),
    }
}

fn join(id: &str, instance: Option<&str>) -> Request {
    Request::Join(Box::new(a_join(id, instance)))
}

fn sync(joined: &Joined, assignments: &[(&str, &'static str)]) -> Request {
    let assignment =
        |(id, bytes): &(&str, &'static str)| (Arc::from(*id), Bytes::from_static(bytes.as_bytes()));
    Request::Sync(Sync {
        member: member(&joined.member, None),
        generation: joined.generation,
        protocol_type: Some("consumer".into()),
        protocol: Some("range".into()),
        assignments: assignments.iter().map(assignment).collect(),
    })
}

fn heartbeat(joined: &Joined) -> Request {
    Request::Heartbeat {
        member: member(&joined.member, None),
        generation: joined.generation,
    }
}

fn partition(index: i32) -> PartitionId {
    PartitionId {
        topic: TopicId(9),
        index,
    }
}

fn commit(id: &str, generation: i32, offset: i64) -> Request {
    Request::Commit(Commit {
        member: member(id, None),
        generation,
        retention: None,
        offsets: vec![(
            partition(0),
            NewOffset {
                offset,
                leader_epoch: 2,
                metadata: "note".into(),
            },
        )],
    })
}

#[test]
fn two_members_get_what_the_leader_assigns() {
    let mut world = World::new();
    let first = world.stable();
    assert_eq!(first.leader, first.member);
    let second = world.ask(join("", None));
    assert_eq!(world.answer(second), None, "the first has to join again");
    let beat = world.now(heartbeat(&first));
    assert_eq!(beat, Answer::Heartbeat(Err(GroupError::RebalanceInProgress)));
    let again = world.ask(join(&first.member, None));
    let (leader, follower) = (world.joined(again), world.joined(second));
    assert_eq!((leader.generation, follower.generation), (2, 2));
    assert_eq!((leader.members.len(), follower.members.len()), (2, 0));
    let waiting = world.ask(sync(&follower, &[]));
    assert_eq!(world.answer(waiting), None, "the leader has not assigned");
    assert_eq!(world.state(), GroupState::CompletingRebalance);
    let assigned = [(&*leader.member, "x"), (&*follower.member, "y")];
    let Answer::Sync(Ok(of_leader)) = world.now(sync(&leader, &assigned)) else {
        panic!("the leader is answered");
    };
    assert_eq!(of_leader.assignment, "x");
    assert!(matches!(world.answer(waiting), Some(Answer::Sync(Ok(synced))) if synced.assignment == "y"));
    assert_eq!(world.state(), GroupState::Stable);
    world.crash();
    assert_eq!(world.state(), GroupState::Stable);
    assert_eq!(world.now(heartbeat(&follower)), Answer::Heartbeat(Ok(())));
    let Answer::Sync(Ok(again)) = world.now(sync(&follower, &[])) else {
        panic!("a stable group tells the assignment");
    };
    assert_eq!(again.assignment, "y");
}

#[test]
fn a_new_dynamic_member_joins_with_the_id_that_it_is_given() {
    let mut world = World::new();
    let mut asking = a_join("", None);
    asking.known_id_required = true;
    let refused = world.join_refused(Request::Join(Box::new(asking)));
    assert_eq!(refused.error, GroupError::MemberIdRequired);
    assert!(refused.member.starts_with("c-"), "{refused:?}");
    let token = world.ask(join(&refused.member, None));
    assert_eq!(world.joined(token).member, refused.member);
    let stranger = world.join_refused(join("nobody", None));
    assert_eq!(stranger.error, GroupError::UnknownMember);
}

#[test]
fn an_id_that_is_not_used_holds_a_rebalance_up_for_a_session_only() {
    let mut world = World::new();
    let first = world.stable();
    let mut asking = a_join("", None);
    asking.known_id_required = true;
    world.join_refused(Request::Join(Box::new(asking)));
    let again = world.ask(join(&first.member, None));
    assert_eq!(world.answer(again), None);
    world.pass(SESSION);
    assert_eq!(world.joined(again).generation, 2);
}

#[test]
fn who_is_silent_is_out_and_the_others_go_on() {
    let mut world = World::new();
    let first = world.stable();
    world.pass(SESSION - 1);
    assert_eq!(world.now(heartbeat(&first)), Answer::Heartbeat(Ok(())));
    world.pass(SESSION - 1);
    assert_eq!(world.state(), GroupState::Stable);
    world.pass(1);
    assert_eq!(world.state(), GroupState::Empty);
    let beat = world.now(heartbeat(&first));
    assert_eq!(beat, Answer::Heartbeat(Err(GroupError::UnknownMember)));
    world.crash();
    assert_eq!(world.state(), GroupState::Empty, "that is stored");
}

#[test]
fn a_rebalance_waits_for_members_no_longer_than_they_asked_for() {
    let mut world = World::new();
    let first = world.stable();
    let second = world.ask(join("", None));
    for _ in 0..6 {
        world.pass(REBALANCE / 6 - 1);
        // It is alive, but does not join.
        world.now(heartbeat(&first));
        assert_eq!(world.answer(second), None);
    }
    world.pass(6);
    let alone = world.joined(second);
    assert_eq!((alone.generation, alone.members.len()), (2, 1));
    assert_eq!(alone.leader, alone.member);
}

#[test]
fn who_does_not_ask_for_its_assignment_is_out() {
    let mut world = World::new();
    let first = world.stable();
    let second = world.ask(join("", None));
    let again = world.ask(join(&first.member, None));
    let (leader, follower) = (world.joined(again), world.joined(second));
    let waiting = world.ask(sync(&follower, &[]));
    for _ in 0..7 {
        world.pass(REBALANCE / 7);
        world.now(heartbeat(&leader));
    }
    world.pass(REBALANCE / 7);
    assert_eq!(
        world.answer(waiting),
        Some(Answer::Sync(Err(GroupError::RebalanceInProgress)))
    );
    let beat = world.now(heartbeat(&leader));
    assert_eq!(beat, Answer::Heartbeat(Err(GroupError::UnknownMember)));
}

#[test]
fn a_static_member_that_starts_again_takes_its_place_without_a_rebalance() {
    let mut world = World::new();
    let token = world.ask(join("", Some("one")));
    let joined = world.joined(token);
    world.now(sync(&joined, &[(&joined.member, "a")]));
    let token = world.ask(join("", Some("one")));
    let again = world.joined(token);
    assert_eq!(again.generation, joined.generation);
    assert_ne!(again.member, joined.member);
    assert_eq!(again.leader, joined.member, "it must not think that it leads");
    let former = Request::Heartbeat {
        member: member(&joined.member, Some("one")),
        generation: 1,
    };
    assert_eq!(
        world.now(former),
        Answer::Heartbeat(Err(GroupError::FencedInstance))
    );
    world.crash();
    let Answer::Sync(Ok(synced)) = world.now(sync(&again, &[])) else {
        panic!("it gets what it had");
    };
    assert_eq!(synced.assignment, "a");
    let mut skipping = a_join("", Some("one"));
    skipping.may_skip_assignment = true;
    let token = world.ask(Request::Join(Box::new(skipping)));
    let third = world.joined(token);
    assert!(third.skip_assignment && third.leader == third.member && third.members.len() == 1);
    let left = world.now(Request::Leave(vec![
        member("", Some("one")),
        member("", Some("two")),
    ]));
    assert_eq!(
        left,
        Answer::Leave(Ok(vec![Ok(()), Err(GroupError::UnknownMember)]))
    );
    assert_eq!(world.state(), GroupState::Empty);
}

#[test]
fn a_new_group_waits_for_company_again_while_it_comes() {
    let mut world = World::with(GroupSettings::default());
    let first = world.ask(join("", None));
    world.pass(2_999);
    let second = world.ask(join("", None));
    world.pass(1);
    assert_eq!(world.answer(first), None, "somebody came: it waits once more");
    world.pass(2_999);
    assert_eq!(world.answer(first), None);
    world.pass(1);
    assert_eq!(world.joined(first).generation, 1);
    assert_eq!(world.joined(second).generation, 1);
}

#[test]
fn bounds_and_protocols_are_checked() {
    let mut world = World::new();
    let mut short = a_join("", None);
    short.session_timeout = Duration::from_secs(1);
    let refused = world.join_refused(Request::Join(Box::new(short)));
    assert_eq!(refused.error, GroupError::InvalidSessionTimeout);
    world.stable();
    let mut other = a_join("", None);
    other.protocols = vec![("sticky".into(), Bytes::new())];
    let refused = world.join_refused(Request::Join(Box::new(other)));
    assert_eq!(refused.error, GroupError::InconsistentProtocol);
    let mut connect = a_join("", None);
    connect.protocol_type = "connect".into();
    let refused = world.join_refused(Request::Join(Box::new(connect)));
    assert_eq!(refused.error, GroupError::InconsistentProtocol);
    let waiting: Vec<_> = (0..3).map(|_| world.ask(join("", None))).collect();
    assert!(waiting.iter().all(|token| world.answer(*token).is_none()));
    let refused = world.join_refused(join("", None));
    assert_eq!(refused.error, GroupError::GroupFull, "three wait");
}

#[test]
fn the_protocol_that_most_like_best_of_those_that_all_have_is_taken() {
    let mut world = World::new();
    let with = |names: &[&'static str]| {
        let mut join = a_join("", None);
        join.protocols = names.iter().map(|name| ((*name).into(), Bytes::new())).collect();
        Request::Join(Box::new(join))
    };
    let token = world.ask(with(&["x", "b", "a"]));
    let first = world.joined(token);
    assert_eq!(&*first.protocol, "x");
    let others = [world.ask(with(&["a", "b"])), world.ask(with(&["a", "b"]))];
    let mut again = a_join(&first.member, None);
    again.protocols = ["x", "b", "a"].map(|name| (name.into(), Bytes::new())).into();
    let again = world.ask(Request::Join(Box::new(again)));
    assert_eq!(&*world.joined(again).protocol, "a");
    assert_eq!(&*world.joined(others[0]).protocol, "a");
}
