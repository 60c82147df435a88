//! What an operator may set of a log.

use std::time::Duration;

use super::images::ImageBudget;
use crate::cold::ColdSettings;
use crate::wal::{AppenderSettings, HOT_DISK_BYTES};

/// Sizes, times and budgets of one broker's log.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// When bulks freeze, how many slots are in flight, how much may be pending.
    pub appender: AppenderSettings,
    /// What slot images may cost.
    pub images: ImageBudget,
    /// Objects, caches, offload, merge, retention, garbage collection.
    pub cold: ColdSettings,
    /// Record bytes that may be in the write-ahead log alone, each slot counting for 16 KiB more; beyond it producers
    /// wait for the offload.
    pub max_unsettled_bytes: u64,
    /// How often the incarnation tells the catalog that it is alive.
    pub heartbeat_interval: Duration,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            appender: AppenderSettings::default(),
            images: ImageBudget {
                memory: 16 << 20,
                disk: HOT_DISK_BYTES,
            },
            cold: ColdSettings::default(),
            max_unsettled_bytes: 4 << 30,
            heartbeat_interval: Duration::from_secs(2),
        }
    }
}
