//! A topic whose head lives only in objects on S3, its middle in the sealed write-ahead log of a dead process, and its
//! tail in the living one's, whose end is in memory: read through in one go, and by time, also while all of it moves; in the end
//! retention takes what is old.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use support::clients::{go, kcat};
use support::firn::{Firn, FirnOptions};
use support::kafka_tools::{KafkaTools, Tool};
use support::s3::S3;
use support::s3_door::Door;
use support::server::create_topic;
use support::{records, wait_for};

const TOPIC: &str = "tiers";
const PATIENCE: Duration = Duration::from_secs(120);
/// Records of each part; each has about 1 KB.
const PART: u64 = 8_000;
/// What retention keeps once it is on: less than what is there.
const KEPT_BYTES: &str = "12000000";

/// What retention by time keeps: less than the age of a [`Reader`]'s records, which is an hour.
const KEPT_MS: &str = "1800000";

/// So many records, with their headers, are fewer bytes.
const SURELY_KEPT: u64 = 11_000;

/// The topic's one partition, or the part of it in which record `n` has offset `n`, and a time and a value that follow from it.
struct Reader {
    address: String,
    scratch: PathBuf,
    /// The time of offset 0, in ms, if it had one of these records.
    start: u64,
}

impl Reader {
    fn value(offset: u64) -> String {
        let mark = format!("{:016x}", offset.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        format!("{offset}:{}", mark.repeat(60))
    }

    fn produce(&self, offsets: std::ops::Range<u64>) {
        let input = self.scratch.join(format!("from-{}", offsets.start));
        let mut lines = String::new();
        for offset in offsets {
            let value = Self::value(offset);
            write!(lines, "0\t{}\t-\t", self.start + offset).unwrap();
            value
                .bytes()
                .for_each(|byte| write!(lines, "{byte:02x}").unwrap());
            lines.push_str("\t\n");
        }
        fs::write(&input, lines).unwrap();
        go().args(["produce", &self.address, TOPIC, "none"])
            .input(&input)
            .run();
        fs::remove_file(input).unwrap();
    }

    /// The offset that ListOffsets answers for `earliest`, `latest`, or a time in ms.
    fn offset(&self, time: &str) -> u64 {
        let said = go().args(["offsets", &self.address, TOPIC, time]).run();
        said.trim().split('\t').nth(1).unwrap().parse().unwrap()
    }

    /// Reads from `from` to `end`, and fails the test unless every record is there once, in order, unchanged.
    fn read_through(&self, from: u64, end: u64) {
        let said = kcat()
            .args(["-b", &self.address, "-t", TOPIC, "-p", "0", "-C", "-e", "-q"])
            .args(["-c", &(end - from).to_string()])
            .args(["-o", &from.to_string(), "-f", "%o\t%T\t%s\n"])
            .run();
        let mut next = from;
        for line in said.lines() {
            let expected = format!("{next}\t{}\t{}", self.start + next, Self::value(next));
            assert_eq!(line, expected, "read from {from}");
            next += 1;
        }
        assert_eq!(next, end, "read from {from}");
    }
}

/// A counter or gauge of `/metrics`, summed over the labels that contain `label`.
fn metric(firn: &Firn, name: &str, label: &str) -> f64 {
    let page = firn.get("/metrics").body;
    let samples = page
        .lines()
        .filter(|line| line.starts_with(name) && line.contains(label));
    samples
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum()
}

/// Bytes of records that the process has read from each of the tiers that the topic has.
fn read_by_tier(firn: &Firn) -> [(&'static str, f64); 4] {
    ["cold", "sealed_wal", "own_wal", "memory"]
        .map(|tier| (tier, metric(firn, "firn_log_read", &format!("tier=\"{tier}\""))))
}

fn latest_tiered(tools: &mut KafkaTools) -> String {
    tools.ok(Tool::GetOffsets, &format!("--topic {TOPIC} --time latest-tiered"))
}

/// Settles in objects at once, keeps little of anything locally but most of the last part in memory, and cleans up all
/// the time.
fn restless(door: &Door) -> FirnOptions {
    let mut options = S3::serve_at(&door.address, FirnOptions::default());
    for setting in [
        ["--offload-interval", "200ms"],
        ["--offload-bytes", "1MiB"],
        ["--segment-min-bytes", "64KiB"],
        ["--hot-memory-bytes", "6MiB"],
        ["--hot-disk-bytes", "1MiB"],
        ["--cold-cache-bytes", "2MiB"],
        ["--retention-check-interval", "200ms"],
        ["--gc-grace", "1s"],
    ] {
        options = options.arg(setting[0]).arg(setting[1]);
    }
    options
}

#[test]
fn a_topic_is_read_through_objects_sealed_log_and_own_log_while_they_move() {
    let s3 = S3::start();
    let door = Door::before(s3.address());
    let mut firn = Firn::start(restless(&door));
    let mut tools = KafkaTools::start(&firn.kafka);
    create_topic(&firn.kafka, TOPIC, 1, &[]);
    let reader = Reader {
        address: firn.kafka.clone(),
        scratch: firn.options().scratch().to_path_buf(),
        start: records::now_millis() - 3_600_000,
    };

    reader.produce(0..PART);
    let head = format!("{TOPIC}:0:{}", PART - 1);
    wait_for(PATIENCE, || {
        (latest_tiered(&mut tools).trim() == head).then_some(())
    })
    .expect("the head goes into objects");
    door.shut();
    reader.produce(PART..2 * PART);
    firn.kill9();
    firn.restart();
    reader.produce(2 * PART..3 * PART);
    wait_for(PATIENCE, || (door.refused() > 2).then_some(())).expect("the middle would be drained");
    assert_eq!(latest_tiered(&mut tools).trim(), head);

    let before = read_by_tier(&firn);
    reader.read_through(0, 3 * PART);
    for ((tier, before), (_, after)) in before.into_iter().zip(read_by_tier(&firn)) {
        assert!(after > before + 1e6, "{tier}: {after} after {before} bytes");
    }
    assert!(
        metric(&firn, "firn_cold_read", "") > 1e6,
        "the head comes from the store"
    );
    for offset in [0, PART / 2, PART - 1, PART, 2 * PART - 1, 2 * PART, 3 * PART - 1] {
        let time = reader.start + offset;
        assert_eq!(reader.offset(&time.to_string()), offset, "by time");
    }
    assert_eq!(latest_tiered(&mut tools).trim(), head, "nothing moved meanwhile");

    while_everything_moves(&firn, &mut tools, &reader, &door);
    firn.kill9();
    firn.restart();
    reader.read_through(reader.offset("earliest"), reader.offset("latest"));
    what_is_old_goes(&mut tools, &reader);
}

fn configure(tools: &mut KafkaTools, config: &str) {
    tools.ok(
        Tool::Configs,
        &format!("--alter --entity-type topics --entity-name {TOPIC} --add-config {config}"),
    );
}

/// Sets its flag when it goes, also while a failed assertion unwinds.
struct Finally<'a>(&'a AtomicBool);

impl Drop for Finally<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Drain, offload, retention, garbage collection and a producer, all at once, and a reader through it.
fn while_everything_moves(firn: &Firn, tools: &mut KafkaTools, reader: &Reader, door: &Door) {
    configure(tools, &format!("retention.bytes={KEPT_BYTES}"));
    let done = AtomicBool::new(false);
    let (reads, end) = std::thread::scope(|scope| {
        let producer = scope.spawn(|| {
            let mut next = 3 * PART;
            while !done.load(Ordering::SeqCst) {
                reader.produce(next..next + 500);
                next += 500;
                // Room for the reader, on two processors.
                sleep(Duration::from_millis(100));
            }
            next
        });
        let finally = Finally(&done);
        door.open();
        let mut reads = 0;
        let moved = wait_for(PATIENCE, || {
            let (earliest, latest) = (reader.offset("earliest"), reader.offset("latest"));
            // Retention may take away what lies before these while they are read.
            let from = latest - SURELY_KEPT;
            reader.read_through(from, latest);
            let time = (reader.start + from).to_string();
            assert_eq!(reader.offset(&time), from);
            reads += 1;
            let collected = metric(firn, "firn_cold_deleted_objects", "") > 0.0;
            (earliest > 2 * PART && collected && reads >= 10).then_some(())
        });
        drop(finally);
        let end = producer.join().unwrap();
        moved.expect("retention takes the middle too, and its objects are deleted");
        (reads, end)
    });
    println!("{reads} reads while {} records came", end - 3 * PART);
    assert_eq!(reader.offset("latest"), end);
}

/// Retention by time, which takes the records of an hour ago, and leaves those of now after them.
fn what_is_old_goes(tools: &mut KafkaTools, reader: &Reader) {
    /// More than what is offloaded together with records of now.
    const LEFT: u64 = 1_000;
    const YOUNG: u64 = 500;
    let old = reader.offset("latest");
    assert!(
        reader.offset("earliest") + SURELY_KEPT <= old,
        "retention by size leaves more than {LEFT} records"
    );
    let young = Reader {
        address: reader.address.clone(),
        scratch: reader.scratch.clone(),
        start: records::now_millis() - old,
    };
    young.produce(old..old + YOUNG);
    configure(tools, &format!("retention.ms={KEPT_MS}"));
    wait_for(PATIENCE, || {
        (reader.offset("earliest") + LEFT > old).then_some(())
    })
    .expect("records of an hour ago go");
    let last = format!("{TOPIC}:0:{}", old + YOUNG - 1);
    wait_for(PATIENCE, || (latest_tiered(tools).trim() == last).then_some(()))
        .expect("records of now go into objects too");
    let earliest = reader.offset("earliest");
    assert!(earliest <= old, "records of now are gone: {earliest} > {old}");
    young.read_through(old, old + YOUNG);
}
