//! Consumer groups of real clients: members of every library in one group, every assignor, static members, and a broker
//! that stops, crashes and comes back beneath them.
//!
//! Each member prints what it is given, what it reads and what it has committed. At every moment no two members have
//! the same partition, nobody reads before what was committed when the group was last at rest, no member leaves out a
//! record, and no member's commits go back (`groups/group.rs`, `groups/member.rs`).
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

#[path = "groups/group.rs"]
mod group;
#[path = "groups/member.rs"]
mod member;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::time::{Duration, Instant};

use group::{Group, Owner, ends};
use member::Library;
use support::clients;
use support::firn::{Firn, FirnOptions};
use support::numbers::Producer;
use support::records::now_millis;
use support::server::{Server, create_topic};

const PARTITIONS: usize = 12;

/// The pause between two records of a partition.
const PAUSE: Duration = Duration::from_millis(40);

/// The members' session timeout, and time for the broker to act on it.
const SESSION: Duration = Duration::from_millis(7500);

/// A broker that waits for more members of a new group only as long as a test needs.
fn options() -> FirnOptions {
    FirnOptions::default().kafka_config("group.initial.rebalance.delay.ms", "500")
}

/// A broker with one topic, and a group that reads it.
struct Stage {
    server: Server,
    topic: String,
    group: Group,
}

impl Stage {
    fn start(name: &str, assignor: &'static str) -> Self {
        let server = Server::start(options());
        let topic = server.topic(name, PARTITIONS);
        let group = Group::new(&server.address, &server.scratch(""), &topic, PARTITIONS, assignor);
        Self { server, topic, group }
    }

    fn producer(&self) -> Producer {
        let scratch = self.server.scratch("");
        Producer::paced(&self.server.address, &scratch, &self.topic, PARTITIONS, PAUSE)
    }

    /// A member joins; the group comes to rest and goes on.
    fn join(&mut self, library: Library) -> usize {
        let member = self.group.join(library);
        self.group.come_to_rest();
        self.group.go_on();
        member
    }

    /// Produces one record with this value to each partition.
    fn produce_one_each(&self, value: &str) {
        let input = self.server.scratch("lines");
        let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
        let lines = (0..PARTITIONS).fold(String::new(), |mut lines, partition| {
            writeln!(lines, "{partition}\t{}\t-\t{hex}\t", now_millis()).unwrap();
            lines
        });
        fs::write(&input, lines).unwrap();
        clients::go()
            .args(["produce", &self.server.address, &self.topic, "none"])
            .input(&input)
            .run();
    }
}

#[test]
fn members_of_every_library_share_one_group() {
    let mut stage = Stage::start("every-library", "range");
    let producer = stage.producer();
    let others = Library::ALL
        .into_iter()
        .filter(|library| *library != Library::Confluent);
    let members: Vec<_> = others.map(|library| stage.join(library)).collect();
    let group = &mut stage.group;
    let fixed = group.join_static(Library::Confluent, "fixed");
    group.come_to_rest();
    group.go_on();

    // The leader leaves; the group goes on with another, of another library.
    group.leave(&members[..1]);
    group.come_to_rest();
    group.go_on();

    let fixed = restart_unnoticed(group, fixed, Library::Confluent, "fixed", &members[1..]);
    group.go_on();

    let python = members[2];
    group.kill(python);
    group.come_to_rest();
    group.go_on();

    let acknowledged = producer.finish();
    let ends = ends(&acknowledged);
    group.reach(&ends);
    // A static member does not leave: it goes with its session.
    group.kill(fixed);
    group.leave_all();
    group.assert_read(&acknowledged);
    assert_eq!(group.committed_at_broker(), ends);
    println!("{} records", ends.values().sum::<u64>());

    for library in Library::ALL {
        resumes_exactly(&mut stage, library);
    }
}

/// Kills a static member and starts it again within its session: it gets what it had, and the others do not notice.
fn restart_unnoticed(
    group: &mut Group,
    member: usize,
    library: Library,
    instance: &str,
    others: &[usize],
) -> usize {
    let had = group.partitions_of(member);
    let before: Vec<_> = others.iter().map(|other| group.rebalances_of(*other)).collect();
    group.kill(member);
    let again = group.join_static(library, instance);
    group.come_to_rest();
    assert_eq!(group.partitions_of(again), had, "{library:?} gets what it had");
    let after: Vec<_> = others.iter().map(|other| group.rebalances_of(*other)).collect();
    assert_eq!(
        before, after,
        "the others do not notice that {library:?} was away"
    );
    again
}

/// A member that starts when all others are gone reads what was not committed yet, and only that.
fn resumes_exactly(stage: &mut Stage, library: Library) {
    let committed = stage.group.committed_at_broker();
    let before = stage.group.read().len();
    let value = format!("for-{library:?}");
    stage.produce_one_each(&value);
    let member = stage.group.join(library);
    let next: BTreeMap<_, _> = committed
        .iter()
        .map(|(partition, end)| (*partition, end + 1))
        .collect();
    stage.group.reach(&next);
    stage.group.leave(&[member]);
    let read = stage.group.read();
    assert_eq!(
        read.len(),
        before + PARTITIONS,
        "{library:?} reads one record each"
    );
    for (partition, offset) in committed {
        assert_eq!(read.get(&(partition, offset)), Some(&value), "{library:?}");
    }
}

/// Two members, a third, and one that leaves: who had what at each rest.
fn assign(library: Library, assignor: &'static str) -> [BTreeMap<usize, Owner>; 3] {
    let mut stage = Stage::start(&format!("{assignor}-{library:?}"), assignor);
    let group = &mut stage.group;
    let members = [group.join(library), group.join(library)];
    group.come_to_rest();
    let two = group.owners();
    group.join(library);
    group.come_to_rest();
    let three = group.owners();
    group.leave(&members[..1]);
    group.come_to_rest();
    let fewer = group.owners();
    group.leave_all();
    [two, three, fewer]
}

/// Partitions that are the same member's as before.
fn stay(before: &BTreeMap<usize, Owner>, after: &BTreeMap<usize, Owner>) -> BTreeSet<usize> {
    let kept = after
        .iter()
        .filter(|(partition, owner)| before[partition].member == owner.member);
    kept.map(|(partition, _)| *partition).collect()
}

/// With a sticky assignor only partitions move that have to, and a member that has them remembers.
fn assigns_stickily(library: Library, assignor: &'static str) {
    let [two, three, fewer] = assign(library, assignor);
    for (before, after) in [(&two, &three), (&three, &fewer)] {
        let kept = stay(before, after);
        assert_eq!(
            kept.len(),
            PARTITIONS * 2 / 3,
            "{library:?}: {before:?} {after:?}"
        );
        if assignor == "cooperative-sticky" {
            for partition in kept {
                assert_eq!(
                    before[&partition], after[&partition],
                    "{library:?}: partition {partition} stays and is not taken away for a while"
                );
            }
        }
    }
}

#[test]
fn range_assigns_with_franz_go() {
    assign(Library::FranzGo, "range");
}

#[test]
fn roundrobin_assigns_with_kafkajs() {
    assign(Library::Kafkajs, "roundrobin");
}

#[test]
fn roundrobin_assigns_with_librdkafka() {
    assign(Library::Confluent, "roundrobin");
}

#[test]
fn sticky_assigns_with_kafka_python() {
    assigns_stickily(Library::KafkaPython, "sticky");
}

#[test]
fn sticky_assigns_with_aiokafka() {
    assigns_stickily(Library::Aiokafka, "sticky");
}

#[test]
fn cooperative_sticky_assigns_with_java() {
    assigns_stickily(Library::Java, "cooperative-sticky");
}

#[test]
fn cooperative_sticky_assigns_with_librdkafka() {
    assigns_stickily(Library::Confluent, "cooperative-sticky");
}

#[test]
fn cooperative_sticky_assigns_with_franz_go() {
    assigns_stickily(Library::FranzGo, "cooperative-sticky");
}

/// Two static members and one that is not: each static one is killed and restarted, and nobody else notices, not even
/// once the sessions of the killed ones would have timed out.
fn static_members_restart(leader: Library, follower: Library) {
    let mut stage = Stage::start(&format!("static-{leader:?}"), "range");
    let producer = stage.producer();
    let group = &mut stage.group;
    let first = group.join_static(leader, "leader");
    group.come_to_rest();
    let second = group.join_static(follower, "follower");
    let third = group.join(Library::FranzGo);
    group.come_to_rest();
    group.go_on();
    let first = restart_unnoticed(group, first, leader, "leader", &[second, third]);
    group.go_on();
    let second = restart_unnoticed(group, second, follower, "follower", &[first, third]);
    let killed = Instant::now();
    group.go_on();
    let owners = group.owners();
    let counts = [first, second, third].map(|member| group.rebalances_of(member));
    group.follow_until(killed + SESSION);
    assert_eq!(group.owners(), owners, "nothing moves later either");
    assert_eq!(
        [first, second, third].map(|member| group.rebalances_of(member)),
        counts
    );
    let acknowledged = producer.finish();
    group.reach(&ends(&acknowledged));
    group.leave_all();
    group.assert_read(&acknowledged);
}

#[test]
fn static_members_restart_unnoticed_where_java_leads() {
    static_members_restart(Library::Java, Library::Confluent);
}

#[test]
fn static_members_restart_unnoticed_where_librdkafka_leads() {
    static_members_restart(Library::Confluent, Library::Java);
}

/// Members of these libraries read what is produced all the time, while the broker stops and crashes beneath them and is
/// started again each time. Fails the test unless every partition goes on, no record is lost, and nothing is read again
/// that was committed. Returns how often each member took part in a rebalance before and after.
fn goes_on_over_restarts(libraries: &[Library]) -> [Vec<usize>; 2] {
    let mut firn = Firn::start(options());
    let scratch = firn.options().scratch().to_path_buf();
    create_topic(&firn.kafka, "restarts", PARTITIONS, &[]);
    let mut group = Group::new(&firn.kafka, &scratch, "restarts", PARTITIONS, "range");
    let producer = Producer::paced(&firn.kafka, &scratch, "restarts", PARTITIONS, PAUSE);
    let members: Vec<_> = libraries.iter().map(|library| group.join(*library)).collect();
    group.come_to_rest();
    group.go_on();
    let rebalances = |group: &Group| {
        members
            .iter()
            .map(|member| group.rebalances_of(*member))
            .collect()
    };
    let before = rebalances(&group);

    let mut over = |stop: fn(&mut Firn)| {
        stop(&mut firn);
        // Nothing is confirmed from here on: what goes on went on after the restart.
        group.take_stock();
        firn.restart();
        group.go_on();
        group.come_to_rest();
    };
    over(|firn| assert!(firn.terminate().success()));
    over(Firn::kill9);

    let acknowledged = producer.finish();
    let ends = ends(&acknowledged);
    group.reach(&ends);
    let after = rebalances(&group);
    group.leave_all();
    group.assert_read(&acknowledged);
    assert_eq!(group.committed_at_broker(), ends);
    [before, after]
}

#[test]
fn a_group_goes_on_over_a_restart_and_a_crash_of_the_broker() {
    // Some of them take themselves for lost with their connections, and join again.
    goes_on_over_restarts(&Library::ALL);
}

/// The broker is back within the members' sessions.
#[test]
fn a_restart_and_a_crash_of_the_broker_do_not_rebalance_a_group() {
    let [before, after] = goes_on_over_restarts(&[Library::Java, Library::Confluent, Library::FranzGo]);
    assert_eq!(
        before, after,
        "the broker still knows the members and what they have"
    );
}
