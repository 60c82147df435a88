//! What a seed means: how much goes wrong, how often, and on what scale.

use std::time::Duration;

use firn_catalog::ids::PartitionId;
use firn_log::engine::LogSettings;

use crate::dice::Dice;
use crate::faults::Rates;
use crate::process::COORDINATED;

/// What a partition keeps.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// For how long.
    pub ms: Option<i64>,
    /// How many bytes.
    pub bytes: Option<u64>,
}

/// The plan of one run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its seed.
    pub seed: u64,
    /// Simulated time until everything is healed.
    pub length: Duration,
    /// Partitions of the topic that lives through the whole run.
    pub partitions: i32,
    /// Idempotent producers of each partition.
    pub idempotent_producers: u32,
    /// Plain producers of each partition.
    pub plain_producers: u32,
    /// What retention takes away from those partitions that it takes something from.
    pub retention: Option<Retention>,
    /// The longest life of a process, in ms.
    pub longest_life: u64,
    /// How many of 1000 processes do not die but fall silent and come back.
    pub zombies: u64,
    /// How long those stay silent at most, in ms.
    pub longest_silence: u64,
    /// The longest time that a client waits for an answer, in ms.
    pub patience: u64,
    /// The usual time of a store call, in ms.
    pub store_ms: u64,
    /// What goes wrong with the store.
    pub store: Rates,
    /// What goes wrong with the catalog.
    pub catalog: Rates,
    /// The log's settings.
    pub settings: LogSettings,
}

impl Plan {
    /// What a partition keeps; `None`: all. Partitions that do and that do not share objects.
    pub fn retention_of(&self, partition: PartitionId) -> Option<Retention> {
        if partition == COORDINATED {
            return None;
        }
        let number = partition.topic.0 + u128::from(partition.index.unsigned_abs());
        self.retention.filter(|_| number.is_multiple_of(2))
    }

    /// The plan of `seed`.
    pub fn of(seed: u64, dice: &Dice) -> Self {
        // One in four runs has crashes alone.
        let storm = if dice.chance(250) { 0 } else { dice.between(1, 4) };
        // In one of six runs nobody is idempotent, so that not even the newest object of a partition has to stay.
        let (idempotent, plain) = match dice.between(0, 11) {
            0 | 1 => (0, 2),
            number => (1 + u32::from(number.is_multiple_of(2)), u32::from(number > 6)),
        };
        Self {
            seed,
            length: dice.millis(8_000, 30_000),
            partitions: i32::try_from(dice.between(1, 3)).expect("at most 3"),
            idempotent_producers: idempotent,
            plain_producers: plain,
            retention: dice.chance(500).then(|| retention(dice)),
            longest_life: if dice.chance(400) {
                dice.between(500, 4_000)
            } else {
                dice.between(5_000, 20_000)
            },
            zombies: dice.between(0, 600),
            longest_silence: dice.between(1_000, 25_000),
            patience: dice.between(200, 8_000),
            store_ms: dice.between(3, 120),
            store: Rates {
                fails: 15 * storm,
                unanswered: 15 * storm,
                late: 8 * storm,
                duplicated: 8 * storm,
                own_conflict: 5 * storm,
                false_conflict: 3 * storm,
                slow: 10 * storm,
                latest: dice.between(100, 12_000),
                slowest: dice.between(500, 4_000),
            },
            catalog: Rates {
                fails: 10 * storm,
                unanswered: 10 * storm,
                late: 4 * storm,
                duplicated: 0,
                slow: 5 * storm,
                latest: dice.between(100, 3_000),
                slowest: dice.between(100, 2_000),
                ..Rates::default()
            },
            settings: settings(dice),
        }
    }
}

fn retention(dice: &Dice) -> Retention {
    let by_size = dice.chance(600);
    Retention {
        ms: (!by_size || dice.chance(300))
            .then(|| i64::try_from(dice.between(1_000, 15_000)).expect("a small number")),
        bytes: by_size.then(|| dice.between(0, 20_000)),
    }
}

/// Everything small, so that a short run sees every tier and every kind of background work.
fn settings(dice: &Dice) -> LogSettings {
    let mut settings = LogSettings {
        heartbeat_interval: Duration::from_millis(500),
        ..LogSettings::default()
    };
    settings.appender.linger = dice.millis(1, 20);
    settings.appender.max_slot_bytes = dice.between(500, 8_000);
    settings.appender.max_in_flight = usize::try_from(dice.between(1, 6)).expect("at most 6");
    settings.appender.max_pending_bytes = dice.between(5_000, 50_000);
    settings.images.memory = dice.between(0, 20_000);
    let cold = &mut settings.cold;
    cold.read.cache_bytes = dice.between(0, 100_000);
    cold.read.index_cache_bytes = dice.between(0, 20_000);
    cold.read.block_bytes = dice.between(300, 10_000);
    cold.read.readahead_bytes = dice.between(0, 20_000);
    cold.read.timeout = Duration::from_secs(5);
    cold.offload.bytes = dice.between(2_000, 30_000);
    cold.offload.slots = dice.between(5, 60);
    cold.offload.age = dice.millis(500, 5_000);
    cold.offload.object_bytes = dice.between(2_000, 30_000);
    cold.offload.segment_min_bytes = dice.between(1_000, 10_000);
    cold.offload.timeout = Duration::from_secs(5);
    cold.merge.fan_in = usize::try_from(dice.between(2, 5)).expect("at most 5");
    cold.merge.object_bytes = dice.between(5_000, 60_000);
    cold.merge.segment_min_bytes = dice.between(1_000, 20_000);
    cold.merge.interval = dice.millis(300, 3_000);
    // Longer than any read of a process that is not silent.
    cold.gc.grace = dice.millis(10_000, 30_000);
    cold.gc.abandoned_after = dice.millis(15_000, 30_000);
    cold.gc.interval = dice.millis(500, 5_000);
    settings
}
