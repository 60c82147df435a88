//! A group of real clients, and what must hold whatever happens to its members.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::member::{Event, Library, Member};
use crate::support::clients;
use crate::support::numbers::{self, Acknowledged};
use crate::support::wait_for;

/// How long the group may take to come to rest, and records to come through. Generous: two cores may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Offsets by partition.
pub type Offsets = BTreeMap<usize, u64>;

/// Who has a partition, and since which of its acquisitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// As [`Group::join`] numbers members.
    pub member: usize,
    pub acquisition: usize,
}

/// A group whose members subscribe to one topic.
pub struct Group {
    address: String,
    scratch: PathBuf,
    topic: String,
    name: String,
    assignor: &'static str,
    partitions: usize,
    members: Vec<Member>,
    /// The value at each partition and offset that any member has read.
    read: BTreeMap<(usize, u64), String>,
    /// The highest offset that the broker has confirmed to any member.
    committed: Offsets,
    /// What was committed when the group was last at rest or without members, or stock was taken.
    floors: Offsets,
}

impl Group {
    /// A group without members yet.
    pub fn new(
        address: &str,
        scratch: &Path,
        topic: &str,
        partitions: usize,
        assignor: &'static str,
    ) -> Self {
        Self {
            address: address.into(),
            scratch: scratch.into(),
            topic: topic.into(),
            name: format!("group-of-{topic}"),
            assignor,
            partitions,
            members: Vec::new(),
            read: BTreeMap::new(),
            committed: Offsets::new(),
            floors: Offsets::new(),
        }
    }

    /// Starts a member; its number.
    pub fn join(&mut self, library: Library) -> usize {
        self.start(library, None)
    }

    /// Starts a static member; its number.
    pub fn join_static(&mut self, library: Library, instance: &str) -> usize {
        self.start(library, Some(instance))
    }

    fn start(&mut self, library: Library, instance: Option<&str>) -> usize {
        let number = self.members.len();
        let output = self.scratch.join(format!("{}-{number}-{library:?}", self.name));
        let mut args = vec![self.address.as_str(), &self.topic, &self.name, self.assignor];
        args.extend(instance);
        self.members.push(Member::start(library, &args, output));
        number
    }

    /// Tells members to leave, and waits until all of them have left.
    pub fn leave(&mut self, members: &[usize]) {
        members
            .iter()
            .for_each(|member| self.members[*member].tell_to_leave());
        for member in members {
            self.members[*member].wait_until_gone();
        }
        self.look();
        members
            .iter()
            .for_each(|member| self.members[*member].has_ended());
        if !self.members.iter().any(Member::is_member) {
            self.floors = self.committed.clone();
        }
    }

    /// Tells all members to leave, and waits until they have.
    pub fn leave_all(&mut self) {
        let all = 0..self.members.len();
        let members: Vec<_> = all.filter(|member| self.members[*member].is_member()).collect();
        self.leave(&members);
    }

    /// Kills a member's program.
    pub fn kill(&mut self, member: usize) {
        self.members[member].kill();
        self.look();
        self.members[member].has_ended();
    }

    /// Waits until every partition belongs to one member, and no member has a fair share and one more, or less.
    pub fn come_to_rest(&mut self) {
        self.wait_until("the group comes to rest", Self::is_at_rest);
        self.floors = self.committed.clone();
    }

    /// Notes what is committed by now, for [`Self::go_on`]. A member that had a partition before has said all that it read
    /// of it by the second look.
    pub fn take_stock(&mut self) {
        self.look();
        let committed = self.committed.clone();
        self.look();
        self.floors = committed;
    }

    /// Waits until commits have gone on in every partition since the group came to rest or stock was taken.
    pub fn go_on(&mut self) {
        self.wait_until("commits go on in every partition", |group| {
            (0..group.partitions)
                .all(|partition| group.committed.get(&partition) > group.floors.get(&partition))
        });
    }

    /// Waits until all of this is committed; fails the test if more is.
    pub fn reach(&mut self, ends: &Offsets) {
        self.wait_until("everything is read and committed", |group| {
            ends.iter()
                .all(|(partition, end)| group.committed.get(partition) >= Some(end))
        });
        assert_eq!(self.committed, *ends, "only what is there is committed");
    }

    /// Follows the members until this moment.
    pub fn follow_until(&mut self, end: Instant) {
        self.wait_until("time goes by", |_| Instant::now() >= end);
    }

    fn is_at_rest(&mut self) -> bool {
        let live: Vec<_> = self.members.iter().filter(|member| member.is_member()).collect();
        let fair = self.partitions / live.len()..=self.partitions.div_ceil(live.len());
        live.iter().all(|member| fair.contains(&member.holdings().len()))
            && self.owners().len() == self.partitions
            && self.held_twice().is_empty()
    }

    fn wait_until(&mut self, what: &str, mut condition: impl FnMut(&mut Self) -> bool) {
        let done = wait_for(PATIENCE, || {
            self.look();
            condition(self).then_some(())
        });
        if done.is_none() {
            let live = self.members.iter().filter(|member| member.is_member());
            let states: Vec<_> = live.map(Member::to_string).collect();
            panic!(
                "{what}: not within {PATIENCE:?}; committed {:?}, at rest {:?}\n{}",
                self.committed,
                self.floors,
                states.join("\n")
            );
        }
    }

    /// Reads what the members have printed. A partition that a member is given was given up by the one before, which has
    /// said so by then: what is held twice on a first look and still on the second was never given up.
    fn look(&mut self) {
        self.take_news();
        let twice = self.held_twice();
        if !twice.is_empty() {
            self.take_news();
            let still: Vec<_> = self.held_twice().intersection(&twice).cloned().collect();
            let who: Vec<_> = self.members.iter().map(Member::to_string).collect();
            assert!(
                still.is_empty(),
                "partitions of two members: {still:?}\n{}",
                who.join("\n")
            );
        }
    }

    fn take_news(&mut self) {
        for number in 0..self.members.len() {
            for event in self.members[number].news() {
                self.note(number, event);
            }
            self.members[number].assert_running();
        }
    }

    fn note(&mut self, member: usize, event: Event) {
        match event {
            Event::Record {
                partition,
                offset,
                value,
            } => {
                let floor = self.floors.get(&partition).copied().unwrap_or(0);
                assert!(
                    offset >= floor,
                    "{} read offset {offset} of partition {partition}, but {floor} was committed",
                    self.members[member]
                );
                let before = self
                    .read
                    .entry((partition, offset))
                    .or_insert_with(|| value.clone());
                assert_eq!(
                    *before, value,
                    "partition {partition} offset {offset} is one record"
                );
            }
            Event::Committed { partition, offset } => {
                let highest = self.committed.entry(partition).or_default();
                *highest = offset.max(*highest);
            }
            Event::Assigned(_) | Event::Gone(_) => {}
        }
    }

    fn held(&self) -> BTreeMap<usize, Vec<Owner>> {
        let mut held: BTreeMap<usize, Vec<Owner>> = BTreeMap::new();
        for (number, member) in self.members.iter().enumerate() {
            for (partition, holding) in member.holdings().iter().filter(|_| member.is_member()) {
                held.entry(*partition).or_default().push(Owner {
                    member: number,
                    acquisition: holding.acquisition,
                });
            }
        }
        held
    }

    fn held_twice(&self) -> BTreeSet<(usize, Vec<Owner>)> {
        let held = self.held().into_iter();
        held.filter(|(_, owners)| owners.len() > 1).collect()
    }

    /// Who has each partition that anybody has.
    pub fn owners(&self) -> BTreeMap<usize, Owner> {
        let held = self.held().into_iter();
        held.map(|(partition, owners)| (partition, owners[0])).collect()
    }

    /// What a member has.
    pub fn partitions_of(&self, member: usize) -> BTreeSet<usize> {
        self.members[member].holdings().keys().copied().collect()
    }

    /// How often a member was given partitions or gave some up.
    pub fn rebalances_of(&self, member: usize) -> usize {
        self.members[member].rebalances()
    }

    /// What anybody has read.
    pub fn read(&self) -> &BTreeMap<(usize, u64), String> {
        &self.read
    }

    /// Fails the test unless each of these records was read, unchanged.
    pub fn assert_read(&self, acknowledged: &Acknowledged) {
        for (partition, numbers) in acknowledged {
            for (number, offset) in numbers {
                assert_eq!(
                    self.read.get(&(*partition, *offset)),
                    Some(&numbers::value(*partition, *number)),
                    "partition {partition} offset {offset}"
                );
            }
        }
    }

    /// What the broker says is committed.
    pub fn committed_at_broker(&self) -> Offsets {
        let said = clients::go()
            .args(["committed", &self.address, &self.topic, &self.name])
            .run();
        let lines = said.lines().map(|line| line.split_once('\t').unwrap());
        lines
            .map(|(partition, offset)| (partition.parse().unwrap(), offset.parse().unwrap()))
            .collect()
    }
}

/// The end of each partition of a log that holds only this.
pub fn ends(acknowledged: &Acknowledged) -> Offsets {
    let partitions = acknowledged.iter();
    partitions
        .map(|(partition, numbers)| {
            let end = numbers.values().max().map_or(0, |offset| offset + 1);
            (*partition, end)
        })
        .collect()
}
