//! What the log counts and times. Prometheus names follow from the names here; units are base units.

use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};
use opentelemetry::{KeyValue, global};

/// Bounds for latencies of devices and object stores, in seconds.
const LATENCY_BOUNDS: [f64; 14] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

struct Instruments {
    slots: Counter<u64>,
    slot_bytes: Counter<u64>,
    put_seconds: Histogram<f64>,
    sync_seconds: Histogram<f64>,
    in_flight: Gauge<u64>,
    pending_bytes: Gauge<u64>,
    stalls: Counter<u64>,
    refusing: Gauge<u64>,
}

fn meter() -> Meter {
    global::meter("firn-log")
}

fn instruments() -> &'static Instruments {
    static INSTRUMENTS: OnceLock<Instruments> = OnceLock::new();
    INSTRUMENTS.get_or_init(|| {
        let meter = meter();
        let latency = |name: &'static str, what: &'static str| {
            meter
                .f64_histogram(name)
                .with_unit("s")
                .with_description(what)
                .with_boundaries(LATENCY_BOUNDS.to_vec())
                .build()
        };
        Instruments {
            slots: meter
                .u64_counter("firn_wal_slots")
                .with_description("Registers written")
                .build(),
            slot_bytes: meter
                .u64_counter("firn_wal_slot_bytes")
                .with_unit("By")
                .with_description("Bytes of registers written")
                .build(),
            put_seconds: latency("firn_wal_put", "From the put of a register to its success"),
            sync_seconds: latency(
                "firn_wal_fdatasync",
                "Duration of fdatasync on the write-ahead log's files",
            ),
            in_flight: meter
                .u64_gauge("firn_wal_in_flight")
                .with_description("Slots that are frozen and do not count yet")
                .build(),
            pending_bytes: meter
                .u64_gauge("firn_wal_pending")
                .with_unit("By")
                .with_description("Record bytes that were pushed and do not count yet")
                .build(),
            stalls: meter
                .u64_counter("firn_wal_stalls")
                .with_description("Times that the write-ahead log ran out of space")
                .build(),
            refusing: meter
                .u64_gauge("firn_wal_refusing")
                .with_description(
                    "Alarm: 1 while appends are refused because the offload is stuck and the log full",
                )
                .build(),
        }
    })
}

/// A register of `bytes` was written by the log of kind `wal`, `took` after it was put.
pub fn slot_written(wal: &'static str, bytes: usize, took: Duration) {
    let kind = [KeyValue::new("wal", wal)];
    let instruments = instruments();
    instruments.slots.add(1, &kind);
    instruments.slot_bytes.add(bytes as u64, &kind);
    instruments.put_seconds.record(took.as_secs_f64(), &kind);
}

/// One fdatasync of the write-ahead log.
pub fn fdatasync(took: Duration) {
    instruments().sync_seconds.record(took.as_secs_f64(), &[]);
}

/// How much the appender has under way.
pub fn appender(in_flight: usize, pending_bytes: u64) {
    instruments().in_flight.record(in_flight as u64, &[]);
    instruments().pending_bytes.record(pending_bytes, &[]);
}

/// The write-ahead log has run out of space.
pub fn stalled() {
    instruments().stalls.add(1, &[]);
}

/// Appends are refused from now on, or no more.
pub fn appends_refused(refused: bool) {
    instruments().refusing.record(u64::from(refused), &[]);
}

/// Where the log finds the records of a read.
#[derive(Clone, Copy, Debug)]
pub enum Tier {
    /// A slot of this incarnation that is in memory.
    Memory,
    /// The hot file of a slot of this incarnation.
    HotFile,
    /// The write-ahead log of this incarnation.
    OwnWal,
    /// The sealed write-ahead log of another one.
    SealedWal,
    /// Cold objects, or their blocks in memory.
    Cold,
}

struct ReadInstruments {
    bytes: Counter<u64>,
    memory: [KeyValue; 1],
    hot_file: [KeyValue; 1],
    own_wal: [KeyValue; 1],
    sealed_wal: [KeyValue; 1],
    cold: [KeyValue; 1],
}

/// Records of `bytes` were read from `tier`.
pub fn log_read(tier: Tier, bytes: u64) {
    static INSTRUMENTS: OnceLock<ReadInstruments> = OnceLock::new();
    let reads = INSTRUMENTS.get_or_init(|| {
        let tier = |name: &'static str| [KeyValue::new("tier", name)];
        ReadInstruments {
            bytes: meter()
                .u64_counter("firn_log_read")
                .with_unit("By")
                .with_description("Bytes of records read, by where the log found them")
                .build(),
            memory: tier("memory"),
            hot_file: tier("hot_file"),
            own_wal: tier("own_wal"),
            sealed_wal: tier("sealed_wal"),
            cold: tier("cold"),
        }
    });
    let attributes = match tier {
        Tier::Memory => &reads.memory,
        Tier::HotFile => &reads.hot_file,
        Tier::OwnWal => &reads.own_wal,
        Tier::SealedWal => &reads.sealed_wal,
        Tier::Cold => &reads.cold,
    };
    reads.bytes.add(bytes, attributes);
}

struct ColdInstruments {
    bytes_read: Counter<u64>,
    bytes_written: Counter<u64>,
    cache_hits: Counter<u64>,
    damaged_reads: Counter<u64>,
    lost_objects: Counter<u64>,
    offloaded_bytes: Counter<u64>,
    merged_objects: Counter<u64>,
    deleted_objects: Counter<u64>,
    objects: Gauge<u64>,
}

fn cold() -> &'static ColdInstruments {
    static INSTRUMENTS: OnceLock<ColdInstruments> = OnceLock::new();
    INSTRUMENTS.get_or_init(|| {
        let meter = meter();
        let counter =
            |name: &'static str, what: &'static str| meter.u64_counter(name).with_description(what).build();
        let bytes = |name: &'static str, what: &'static str| {
            meter
                .u64_counter(name)
                .with_unit("By")
                .with_description(what)
                .build()
        };
        ColdInstruments {
            bytes_read: bytes("firn_cold_read", "Bytes read from cold objects"),
            bytes_written: bytes("firn_cold_written", "Bytes of cold objects uploaded"),
            cache_hits: counter("firn_cold_cache_hits", "Blocks of cold records found in memory"),
            damaged_reads: counter(
                "firn_cold_damaged_reads",
                "Reads whose bytes failed their checksum",
            ),
            lost_objects: counter(
                "firn_cold_lost_objects",
                "Alarms: live objects that are gone or damaged",
            ),
            offloaded_bytes: bytes(
                "firn_cold_offloaded",
                "Bytes of objects that checkpoints and drains made live",
            ),
            merged_objects: counter(
                "firn_cold_merged_objects",
                "Objects that were merged into larger ones",
            ),
            deleted_objects: counter(
                "firn_cold_deleted_objects",
                "Objects that garbage collection deleted",
            ),
            objects: meter
                .u64_gauge("firn_cold_objects")
                .with_description("Live cold objects")
                .build(),
        }
    })
}

/// A range of a cold object was read from the store.
pub fn cold_bytes_read(bytes: u64) {
    cold().bytes_read.add(bytes, &[]);
}

/// A cold object was uploaded.
pub fn cold_bytes_written(bytes: u64) {
    cold().bytes_written.add(bytes, &[]);
}

/// A block of cold records was found in memory.
pub fn cold_cache_hit() {
    cold().cache_hits.add(1, &[]);
}

/// A range of a cold object failed its checksum.
pub fn cold_read_damaged() {
    cold().damaged_reads.add(1, &[]);
}

/// An alarm: an object that the catalog names is gone or damaged.
pub fn cold_object_lost() {
    cold().lost_objects.add(1, &[]);
}

/// A checkpoint or drain has made objects of `bytes` live.
pub fn cold_offloaded(bytes: u64) {
    cold().offloaded_bytes.add(bytes, &[]);
}

/// A merge has taken the place of `objects` objects.
pub fn cold_merged(objects: u64) {
    cold().merged_objects.add(objects, &[]);
}

/// Garbage collection has deleted `objects` objects.
pub fn cold_deleted(objects: u64) {
    cold().deleted_objects.add(objects, &[]);
}

/// How many cold objects are live.
pub fn cold_objects(objects: u64) {
    cold().objects.record(objects, &[]);
}
