//! Members that come, go, die, dawdle and come back, in random order, against what must hold for any of it.
//!
//! - No two members of one generation have the same partition.
//! - A commit of an earlier generation than the newest is never taken.
//! - Nobody waits for a generation longer than the largest rebalance timeout.
//! - Once nothing changes any more, the group is stable, with exactly those who are alive.
//! - What was committed stays, whatever crashes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use firn_catalog::ids::{ClusterId, PartitionId, TopicId};
use firn_coordinator::api::{
    Answer, Commit, GroupError, GroupKey, GroupState, Join, Joined, MemberRef, NewOffset, Request, Sync,
};
use firn_coordinator::record::{Key, Record, StoredGroup};
use firn_coordinator::{GroupSettings, Output, Shard, Token};
use firn_runtime::{Random, SeededRandom, Timestamp};

const PARTITIONS: u8 = 6;
const SESSION: i64 = 10_000;
const REBALANCE: i64 = 20_000;
const STEP: i64 = 1_000;
/// How late a deadline may be noticed.
const TICK: i64 = 100;

/// What a client is at.
#[derive(Clone, Debug, PartialEq)]
enum At {
    /// Not in the group, and not about to be.
    Away,
    /// Wants to join.
    Out,
    Joining(Token, i64),
    Joined(Joined),
    Syncing(Token, Joined),
    In(Joined),
}

#[derive(Clone, Debug)]
struct Client {
    instance: Option<Arc<str>>,
    id: Arc<str>,
    at: At,
    /// A dead one sends nothing, whatever it is at.
    alive: bool,
}

struct World {
    seed: u64,
    random: SeededRandom,
    shard: Shard,
    records: Vec<Record>,
    now: i64,
    next: u64,
    clients: Vec<Client>,
    newest: i32,
    /// Who has each partition, by generation.
    owners: BTreeMap<(i32, u8), Arc<str>>,
    committed: Option<i64>,
}

fn key() -> GroupKey {
    GroupKey {
        cluster: ClusterId(1),
        name: "g".into(),
    }
}

fn settings() -> GroupSettings {
    GroupSettings {
        initial_delay: Duration::from_secs(3),
        ..GroupSettings::default()
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let client = |number: usize| Client {
            instance: number
                .is_multiple_of(3)
                .then(|| format!("static-{number}").into()),
            id: "".into(),
            at: At::Away,
            alive: true,
        };
        Self {
            seed,
            random: SeededRandom::new(seed),
            shard: Shard::new(settings(), Arc::default()),
            records: Vec::new(),
            now: 1_000_000,
            next: 0,
            clients: (0..6).map(client).collect(),
            newest: 0,
            owners: BTreeMap::new(),
            committed: None,
        }
    }

    fn draw(&self, below: u64) -> u64 {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        u64::from_be_bytes(bytes) % below
    }

    fn ask(&mut self, request: Request) -> Token {
        let token = Token(self.next);
        self.next += 1;
        let output = self.shard.step(token, key(), request, Timestamp(self.now));
        self.keep(output);
        token
    }

    /// An answer that comes at once, and is nobody's else to take.
    fn ask_now(&mut self, request: Request) -> Answer {
        let token = Token(self.next);
        self.next += 1;
        let mut output = self.shard.step(token, key(), request, Timestamp(self.now));
        let at = output.answers.iter().position(|(of, _)| *of == token).unwrap();
        let (_, answer) = output.answers.swap_remove(at);
        self.keep(output);
        answer
    }

    fn keep(&mut self, output: Output) {
        self.records.extend(output.records);
        for (token, answer) in output.answers {
            self.answered(token, answer);
        }
    }

    fn answered(&mut self, token: Token, answer: Answer) {
        let waits = |client: &Client| match &client.at {
            At::Joining(of, _) | At::Syncing(of, _) => *of == token,
            _ => false,
        };
        let waiting = self.clients.iter().position(waits);
        match answer {
            Answer::Join(Ok(joined)) => {
                self.newest = self.newest.max(joined.generation);
                if let Some(client) = waiting {
                    self.waited(client);
                    self.clients[client].id = Arc::clone(&joined.member);
                    self.clients[client].at = At::Joined(joined);
                }
            }
            Answer::Join(Err(refused)) => {
                if let Some(client) = waiting {
                    self.waited(client);
                    self.clients[client].id = match refused.error {
                        GroupError::MemberIdRequired => refused.member,
                        _ => "".into(),
                    };
                    self.clients[client].at = At::Out;
                }
            }
            Answer::Sync(Ok(synced)) => {
                if let Some(client) = waiting
                    && let At::Syncing(_, joined) = self.clients[client].at.clone()
                {
                    self.owns(&joined, &synced.assignment);
                    self.clients[client].at = At::In(joined);
                }
            }
            Answer::Sync(Err(error)) => self.refused(waiting, error),
            other => panic!("seed {}: {other:?} belongs to nobody", self.seed),
        }
    }

    fn waited(&self, client: usize) {
        if let At::Joining(_, since) = self.clients[client].at {
            let waited = self.now - since;
            assert!(
                waited <= REBALANCE + STEP,
                "seed {}: {waited} ms are more than the largest rebalance timeout",
                self.seed
            );
        }
    }

    fn owns(&mut self, joined: &Joined, assignment: &Bytes) {
        for partition in assignment {
            let owner = self
                .owners
                .entry((joined.generation, *partition))
                .or_insert_with(|| Arc::clone(&joined.member));
            let is_static = |id: &str| id.starts_with("static-");
            // A static member that was replaced hands its partitions to its next self.
            let same = *owner == joined.member || (is_static(owner) && is_static(&joined.member));
            assert!(
                same,
                "seed {}: {owner} and {} own {partition} in {}",
                self.seed, joined.member, joined.generation
            );
        }
    }

    fn refused(&mut self, client: Option<usize>, error: GroupError) {
        let Some(client) = client else { return };
        let client = &mut self.clients[client];
        if matches!(error, GroupError::UnknownMember | GroupError::FencedInstance) {
            client.id = "".into();
        }
        client.at = At::Out;
    }

    fn member(&self, client: usize) -> MemberRef {
        MemberRef {
            id: Arc::clone(&self.clients[client].id),
            instance: self.clients[client].instance.clone(),
        }
    }

    fn join(&mut self, client: usize) {
        let member = self.member(client);
        let request = Request::Join(Box::new(Join {
            known_id_required: member.instance.is_none(),
            member,
            client_id: "c".into(),
            client_host: "/127.0.0.1".into(),
            session_timeout: Duration::from_millis(SESSION as u64),
            rebalance_timeout: Duration::from_millis(REBALANCE as u64),
            protocol_type: "consumer".into(),
            protocols: vec![("range".into(), Bytes::from_static(b"\0\0\0\0\0\x01\0\x01t"))],
            may_skip_assignment: false,
            unique: u128::from(self.next),
        }));
        self.clients[client].at = At::Joining(Token(self.next), self.now);
        self.ask(request);
    }

    fn sync(&mut self, client: usize, joined: Joined) {
        let members = joined.members.len();
        let part = |place: usize| {
            let owned = (0..PARTITIONS).filter(|partition| usize::from(*partition) % members == place);
            owned.collect::<Vec<u8>>().into()
        };
        let request = Request::Sync(Sync {
            member: self.member(client),
            generation: joined.generation,
            protocol_type: None,
            protocol: None,
            assignments: joined
                .members
                .iter()
                .enumerate()
                .map(|(place, member)| (Arc::clone(&member.id), part(place)))
                .collect(),
        });
        self.clients[client].at = At::Syncing(Token(self.next), joined);
        self.ask(request);
    }

    fn heartbeat(&mut self, client: usize, joined: &Joined) {
        let request = Request::Heartbeat {
            member: self.member(client),
            generation: joined.generation,
        };
        match self.ask_now(request) {
            Answer::Heartbeat(Ok(())) => {}
            Answer::Heartbeat(Err(error)) => self.refused(Some(client), error),
            other => panic!("{other:?}"),
        }
    }

    fn commit(&mut self, client: usize, joined: &Joined) {
        let offset = self.now;
        let request = Request::Commit(Commit {
            member: self.member(client),
            generation: joined.generation,
            retention: None,
            offsets: vec![(
                PartitionId {
                    topic: TopicId(1),
                    index: 0,
                },
                NewOffset {
                    offset,
                    leader_epoch: -1,
                    metadata: "".into(),
                },
            )],
        });
        match self.ask_now(request) {
            Answer::Commit(Ok(_)) => {
                assert_eq!(
                    joined.generation, self.newest,
                    "seed {}: a commit of an old generation",
                    self.seed
                );
                self.committed = Some(offset);
            }
            Answer::Commit(Err(error)) => self.refused(Some(client), error),
            other => panic!("{other:?}"),
        }
    }

    fn check_committed(&mut self) {
        let Answer::Offsets(offsets) = self.ask_now(Request::Offsets(None)) else {
            panic!("offsets are told");
        };
        let told = offsets.first().map(|(_, offset)| offset.offset);
        assert_eq!(told, self.committed, "seed {}", self.seed);
    }

    /// Another process reads the records; whoever waited asks again.
    fn crash(&mut self) {
        let (snapshot, _) = self.shard.snapshot(None, usize::MAX);
        // Either all that was written, or what was written anew of it.
        let records = if self.draw(2) == 0 {
            &self.records
        } else {
            &snapshot
        };
        let mut shard = Shard::new(settings(), Arc::default());
        records.iter().for_each(|record| shard.replay(record).unwrap());
        shard.resume(Timestamp(self.now));
        self.shard = shard;
        // A generation that was never stable is forgotten, and its number is given again.
        self.newest = snapshot.iter().find_map(stored_generation).unwrap_or(0);
        self.owners.clear();
        for client in &mut self.clients {
            if matches!(client.at, At::Joining(..) | At::Syncing(..)) {
                client.at = At::Out;
            }
        }
        self.check_committed();
    }

    fn pass(&mut self, millis: i64) {
        let until = self.now + millis;
        while self.now < until {
            self.now = until.min(self.now + TICK);
            let output = self.shard.tick(Timestamp(self.now));
            self.keep(output);
        }
    }

    /// What a client that is alive does next.
    fn proceed(&mut self, client: usize) {
        match self.clients[client].at.clone() {
            At::Away | At::Joining(..) | At::Syncing(..) => {}
            At::Out => self.join(client),
            At::Joined(joined) => self.sync(client, joined),
            At::In(joined) => self.heartbeat(client, &joined),
        }
    }

    fn act(&mut self) {
        let client = usize::try_from(self.draw(self.clients.len() as u64)).unwrap();
        match self.draw(24) {
            0 | 1 if self.clients[client].at == At::Away => self.clients[client].at = At::Out,
            2 => self.clients[client].alive = false,
            3 => self.restart(client),
            4 => {
                let member = self.member(client);
                if self.clients[client].alive && !member.id.is_empty() {
                    self.clients[client].at = At::Away;
                    self.ask_now(Request::Leave(vec![member]));
                    self.clients[client].id = "".into();
                }
            }
            5 => self.pass(i64::try_from(self.draw(8_000)).unwrap()),
            6 if self.draw(6) == 0 => self.crash(),
            7..=9 => {
                if let At::In(joined) | At::Joined(joined) = self.clients[client].at.clone()
                    && self.clients[client].alive
                {
                    self.commit(client, &joined);
                }
            }
            _ if self.clients[client].alive => self.proceed(client),
            _ => {}
        }
        self.pass(i64::try_from(self.draw(300)).unwrap());
    }

    /// The client's process starts again, and knows nothing but its static id.
    fn restart(&mut self, client: usize) {
        let client = &mut self.clients[client];
        client.alive = true;
        client.id = "".into();
        client.at = At::Out;
    }

    /// Nothing changes any more: those who are alive go on until the group is stable.
    fn settle(&mut self) {
        for client in &mut self.clients {
            if client.at == At::Away {
                client.alive = false;
            }
        }
        for _ in 0..(2 * (SESSION + REBALANCE) + 30_000) / STEP {
            for client in 0..self.clients.len() {
                if self.clients[client].alive {
                    self.proceed(client);
                }
            }
            self.pass(STEP);
        }
        let alive: BTreeSet<Arc<str>> = self
            .clients
            .iter()
            .filter(|client| client.alive)
            .map(|client| Arc::clone(&client.id))
            .collect();
        let (state, members) = match self.ask_now(Request::Describe) {
            Answer::Describe(Ok(description)) => (
                description.state,
                description.members.into_iter().map(|member| member.id).collect(),
            ),
            Answer::Describe(Err(GroupError::GroupNotFound)) => (GroupState::Empty, BTreeSet::new()),
            other => panic!("{other:?}"),
        };
        let expected = if alive.is_empty() {
            GroupState::Empty
        } else {
            GroupState::Stable
        };
        assert_eq!((state, &members), (expected, &alive), "seed {}", self.seed);
        self.check_committed();
    }
}

/// The generation that a record tells of, if it is about a group.
fn stored_generation(record: &Record) -> Option<i32> {
    let is_group = matches!(Key::decode(&record.key), Ok(Key::Group(_)));
    let value = record.value.as_ref().filter(|_| is_group)?;
    Some(StoredGroup::decode(value).unwrap().generation)
}

#[test]
fn whatever_members_do_the_group_stays_sound_and_settles() {
    for seed in 0..3_000 {
        let mut world = World::new(seed);
        for _ in 0..400 {
            world.act();
        }
        world.settle();
    }
}
