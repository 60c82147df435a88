//! Frames that no client sends: they kill nothing, leak no connection, and cost no more memory than they have bytes,
//! times a small number.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

#[path = "../support/mod.rs"]
mod support;

mod counting;

use std::time::Duration;

use firn_broker::{Limits, MEMORY_PER_BYTE};
use kafka_protocol::messages::ApiVersionsRequest;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use uuid::Uuid;

use counting::{Counting, held, peak_from_here};
use support::client::PATIENCE;
use support::samples::{Sample, Subject};
use support::{Bench, Setup, samples};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Held by the test that counts: what the other one allocates meanwhile would count too.
static ALONE: Mutex<()> = Mutex::const_new(());

const SEED: u64 = 20_261_124;
/// How many malformed frames each version of each API gets, made from a short request and from a long one.
const SHORT: usize = 100;
const LONG: usize = 10;
/// How often a long request names its topic, and as often each thing in it.
const TIMES: usize = 40;
/// What a frame may cost at its peak, with its answer, besides [`MEMORY_PER_BYTE`] for each of its bytes: a connection
/// with its task and buffers on both sides, and what the log and the catalog do meanwhile.
const MOST_PER_FRAME: usize = 256 << 10;
/// What may be held after all of them that was not held before: pools and caches that are full now.
const MOST_AFTER: usize = 8 << 20;

/// Overwrites some bytes of a well-formed frame with what lengths and counts should not be.
fn spoil(frame: &mut [u8], random: &mut StdRng) {
    const EVIL: [&[u8]; 8] = [
        &[0x7f, 0xff, 0xff, 0xff],
        &[0xff, 0xff, 0xff, 0xff],
        &[0x80, 0, 0, 0],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0xff, 0xff, 0xff, 0xff, 0x7f],
        &[0x7f, 0xff],
        &[0xff],
        &[0, 0x10, 0, 0],
    ];
    let place = random.random_range(8..frame.len());
    let evil = EVIL[random.random_range(0..EVIL.len())];
    for (byte, evil) in frame[place..].iter_mut().zip(evil) {
        *byte = *evil;
    }
}

fn malformed(random: &mut StdRng, sample: &Sample) -> Vec<u8> {
    let mut frame = sample.frame.to_vec();
    match random.random_range(0..10) {
        0 => {
            let cut = random.random_range(4..frame.len());
            frame.truncate(cut);
            let length = i32::try_from(cut - 4).unwrap();
            frame[..4].copy_from_slice(&length.to_be_bytes());
        }
        1 => {
            let end = frame.len();
            random.fill_bytes(&mut frame[12..end]);
        }
        2 => random.fill_bytes(&mut frame[..8]),
        _ => (0..random.random_range(1..4)).for_each(|_| spoil(&mut frame, random)),
    }
    frame
}

/// Sends a frame and closes the sending side; what comes back does not matter, but the end must come.
async fn send(address: std::net::SocketAddr, frame: &[u8]) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(frame).await;
    let _ = stream.shutdown().await;
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer));
    assert!(ended.await.is_ok(), "the broker hangs on {frame:?}");
}

#[tokio::test]
async fn malformed_frames_kill_nothing_and_memory_returns() {
    let _alone = ALONE.lock().await;
    let bench = Bench::with(Setup {
        kafka: vec![("auto.create.topics.enable", "false")],
        ..Setup::default()
    })
    .await;
    let address = bench.broker.local_address();
    bench.client().await.create_topic("t", 1).await;
    let id = Uuid::from_u128(bench.topic("t").0);
    samples::assert_complete(&mut bench.client().await).await;
    let mut short = samples::all(&Subject::times("t", id, 2));
    short.extend(samples::of_connections());
    // About a topic that is not there: what it would append stays in memory, which is no cost of the request.
    let long = samples::all(&Subject::times("zz", Uuid::nil(), TIMES));
    let mut random = StdRng::seed_from_u64(SEED);
    for sample in short.iter().chain(&long) {
        send(address, &malformed(&mut random, sample)).await;
    }
    let before = held();
    let mut sent = 0;
    for (samples, rounds) in [(&short, SHORT), (&long, LONG)] {
        for sample in samples
            .iter()
            .flat_map(|sample| std::iter::repeat_n(sample, rounds))
        {
            let frame = malformed(&mut random, sample);
            let peak = peak_from_here();
            send(address, &frame).await;
            let (cost, most) = (peak(), MEMORY_PER_BYTE * frame.len() + MOST_PER_FRAME);
            assert!(
                cost < most,
                "frame {sent}, {:?} {} with {} bytes, cost {cost} bytes: {:?}",
                sample.key,
                sample.version,
                frame.len(),
                &frame[..frame.len().min(200)]
            );
            sent += 1;
        }
    }
    assert!(sent >= 10_000, "only {sent} frames");
    bench.connections(0).await;
    let after = held();
    assert!(
        after < before + MOST_AFTER,
        "{before} bytes were held before, {after} after"
    );
    bench.client().await.call(0, &ApiVersionsRequest::default()).await;
    bench.stop().await;
}

#[tokio::test]
async fn a_claimed_size_costs_nothing_before_its_bytes_come() {
    let _alone = ALONE.lock().await;
    let limits = Limits {
        stall: Duration::from_millis(500),
        ..Limits::default()
    };
    let bench = Bench::with(Setup {
        limits,
        ..Setup::default()
    })
    .await;
    let peak = peak_from_here();
    let mut open = Vec::new();
    for _ in 0..50 {
        let mut client = bench.client().await;
        let mut start = [0; 104];
        start[..4].copy_from_slice(&(99 * 1024 * 1024i32).to_be_bytes());
        client.stream.write_all(&start).await.unwrap();
        open.push(client);
    }
    // It closes them because the rest of what it has read of each does not come.
    for client in &mut open {
        assert!(client.is_closed().await);
    }
    let cost = peak();
    assert!(cost < 50 * 200_000, "{cost} bytes for 50 claims");
    bench.stop().await;
}
