//! The paths of which the instructions are counted: fixed requests to a real broker, one at a time. They go over a connection
//! in memory, because how a socket cuts what passes through it differs from run to run.

use std::path::Path;

use bytes::Bytes;
use firn_broker::Broker;
use kafka_protocol::protocol::Request;
use tokio::runtime::{Builder, Runtime};

use crate::broker;
use crate::client::{frame, parse};
use crate::requests::{
    CREATE_TOPICS, FETCH, METADATA, PRODUCE, are_created, begin_session, continue_session, create, fetch,
    fetched_bytes, is_appended, metadata, produce, told_partitions,
};
use crate::wire::Client;

/// How many requests of a path are counted.
pub const TIMES: usize = 64;
/// How many go before, so that buffers and pools have their sizes.
const BEFORE: usize = 16;

const CORRELATION: i32 = 1;
/// How much of an answer is kept: its length alone, or all.
const LENGTH: usize = 4;
const WHOLE: usize = 4 << 20;

/// Records of a large batch, and of a small one.
const LARGE: usize = 64;
const SMALL: usize = 4;

/// Runs all paths, one after the other, and returns their names. Valgrind counts what happens within [`counted`].
pub fn run(folder: &Path) -> Vec<&'static str> {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let broker = runtime.block_on(broker::start(folder));
    let client = runtime.block_on(prepared(&broker));
    let mut paths = Paths {
        runtime: &runtime,
        client,
        names: Vec::new(),
    };
    paths.produce("produce-64k", "large", 1, LARGE);
    paths.produce("produce-4k", "small", 1, SMALL);
    paths.produce("produce-4k-10-partitions", "ten", 10, SMALL);
    paths.fetch("fetch-1m-of-64k", "fetched-large");
    paths.fetch("fetch-1m-of-4k", "fetched-small");
    paths.fetch_session("fetch-session-100-with-records", 0);
    paths.fetch_session("fetch-session-100-idle", SMALL);
    paths.metadata("metadata-1000-partitions", "wide", 1000);
    paths.names
}

/// A connection in memory, and topics with records. From here on no time passes, so that no background work is due.
async fn prepared(broker: &Broker) -> Client {
    let client = Client::default();
    broker.serve(client.server(), broker.local_address());
    let topics = [
        ("large", 1),
        ("small", 1),
        ("ten", 10),
        ("fetched-large", 1),
        ("fetched-small", 1),
        ("fetched-hundred", 100),
        ("wide", 1000),
    ];
    let created = call(&client, CREATE_TOPICS, &create(&topics)).await;
    assert!(are_created(&created), "{created:?}");
    tokio::time::pause();
    let produced = [
        (16, produce("fetched-large", 1, LARGE)),
        (256, produce("fetched-small", 1, SMALL)),
        (1, produce("fetched-hundred", 100, SMALL)),
    ];
    for (times, request) in produced {
        for _ in 0..times {
            assert!(is_appended(&call(&client, PRODUCE, &request).await));
        }
    }
    client
}

async fn call<R: Request>(client: &Client, version: i16, request: &R) -> R::Response {
    let answer = client
        .exchange(frame(CORRELATION, version, request).freeze(), WHOLE)
        .await;
    parse::<R>(Bytes::from(answer).slice(4..), version, CORRELATION)
}

/// Valgrind knows it by its name: it counts while this runs, and writes the sum down when this returns.
#[inline(never)]
fn counted(request: &mut dyn FnMut()) {
    for _ in 0..TIMES {
        request();
    }
}

struct Paths<'a> {
    runtime: &'a Runtime,
    client: Client,
    names: Vec<&'static str>,
}

impl Paths<'_> {
    fn call<R: Request>(&self, version: i16, request: &R) -> R::Response {
        self.runtime.block_on(call(&self.client, version, request))
    }

    /// Sends the requests, each after the answer to the one before. Only the last [`TIMES`] are counted.
    fn count(&mut self, name: &'static str, requests: &[Bytes]) {
        assert_eq!(requests.len(), BEFORE + TIMES);
        let mut requests = requests.iter();
        let mut next = || {
            let request = requests.next().unwrap().clone();
            self.runtime.block_on(self.client.exchange(request, LENGTH));
        };
        for _ in 0..BEFORE {
            next();
        }
        counted(&mut next);
        self.names.push(name);
    }

    fn repeat<R: Request>(&mut self, name: &'static str, version: i16, request: &R) {
        self.count(
            name,
            &vec![frame(CORRELATION, version, request).freeze(); BEFORE + TIMES],
        );
    }

    fn produce(&mut self, name: &'static str, topic: &str, partitions: i32, records: usize) {
        let request = produce(topic, partitions, records);
        assert!(is_appended(&self.call(PRODUCE, &request)), "{name}");
        self.repeat(name, PRODUCE, &request);
    }

    fn fetch(&mut self, name: &'static str, topic: &str) {
        let request = fetch(topic);
        let bytes = fetched_bytes(&self.call(FETCH, &request));
        assert!(bytes.is_some_and(|bytes| bytes > 900_000), "{name}: {bytes:?}");
        self.repeat(name, FETCH, &request);
    }

    /// A session of all of the hundred partitions, each from this offset.
    fn fetch_session(&mut self, name: &'static str, offset: usize) {
        let begin = begin_session("fetched-hundred", 100, i64::try_from(offset).unwrap());
        let id = self.call(FETCH, &begin).session_id;
        let bytes = fetched_bytes(&self.call(FETCH, &continue_session(id, 1)));
        let as_told = if offset == 0 {
            bytes > Some(400_000)
        } else {
            bytes == Some(0)
        };
        assert!(as_told, "{name}: {bytes:?}");
        let requests: Vec<_> = (2..)
            .take(BEFORE + TIMES)
            .map(|epoch| frame(CORRELATION, FETCH, &continue_session(id, epoch)).freeze())
            .collect();
        self.count(name, &requests);
    }

    fn metadata(&mut self, name: &'static str, topic: &str, partitions: usize) {
        let request = metadata(topic);
        assert_eq!(
            told_partitions(&self.call(METADATA, &request)),
            partitions,
            "{name}"
        );
        self.repeat(name, METADATA, &request);
    }
}
