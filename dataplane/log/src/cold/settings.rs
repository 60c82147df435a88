//! Sizes, times and budgets of the cold tier.

use std::time::Duration;

/// All settings of the cold tier. The defaults suit one machine with a few GB of memory.
#[derive(Clone, Debug, Default)]
pub struct ColdSettings {
    /// Reading.
    pub read: ReadSettings,
    /// Checkpoints and drains.
    pub offload: OffloadSettings,
    /// Merging small objects.
    pub merge: MergeSettings,
    /// Garbage collection.
    pub gc: GcSettings,
}

/// What reads of cold records may cost.
#[derive(Clone, Debug)]
pub struct ReadSettings {
    /// Bytes of records kept in memory for other readers and for readahead.
    pub cache_bytes: u64,
    /// Bytes of object indexes kept in memory.
    pub index_cache_bytes: u64,
    /// About how many bytes one range GET asks for.
    pub block_bytes: u64,
    /// How far ahead of a sequential reader blocks are fetched, in bytes.
    pub readahead_bytes: u64,
    /// Bytes of range GETs under way at a time.
    pub inflight_bytes: u64,
    /// Bytes per second of range GETs, all readers together.
    pub bytes_per_second: u64,
    /// How many object indexes are read at a time when the tier opens.
    pub open_concurrency: usize,
    /// How often a GET is tried before its reader is told to try again.
    pub attempts: u32,
    /// The pause before the second try; it doubles each time, up to 5 s.
    pub retry_pause: Duration,
    /// How long one GET may take.
    pub timeout: Duration,
}

impl Default for ReadSettings {
    fn default() -> Self {
        Self {
            cache_bytes: 64 << 20,
            index_cache_bytes: 16 << 20,
            block_bytes: 1 << 20,
            readahead_bytes: 4 << 20,
            inflight_bytes: 32 << 20,
            bytes_per_second: 1 << 30,
            open_concurrency: 16,
            attempts: 6,
            retry_pause: Duration::from_millis(50),
            timeout: Duration::from_secs(30),
        }
    }
}

/// When and how slots are offloaded.
#[derive(Clone, Debug)]
pub struct OffloadSettings {
    /// Offload once this many bytes are only in the write-ahead log.
    pub bytes: u64,
    /// Offload once this many slots are only in the write-ahead log: takeover reads each one's index.
    pub slots: u64,
    /// Offload once the oldest slot is this old.
    pub age: Duration,
    /// Record bytes that gather in memory before objects are built of them; as many again are being uploaded.
    pub object_bytes: u64,
    /// A partition with this many bytes among them gets an object of its own.
    pub segment_min_bytes: u64,
    /// How long one upload may take before it is tried again.
    pub timeout: Duration,
}

impl Default for OffloadSettings {
    fn default() -> Self {
        Self {
            bytes: 256 << 20,
            slots: 4096,
            age: Duration::from_secs(600),
            object_bytes: 8 << 20,
            segment_min_bytes: 4 << 20,
            timeout: Duration::from_secs(120),
        }
    }
}

/// When and how objects are merged.
#[derive(Clone, Debug)]
pub struct MergeSettings {
    /// How many objects of about one size (within a factor of four) are merged into one.
    pub fan_in: usize,
    /// Objects of at least this many bytes are left as they are; no merge reads more than twice as many.
    pub object_bytes: u64,
    /// A partition with this many bytes in a merge gets an object of its own.
    pub segment_min_bytes: u64,
    /// Bytes per second that merging reads.
    pub bytes_per_second: u64,
    /// How often it is looked whether there is something to merge.
    pub interval: Duration,
}

impl Default for MergeSettings {
    fn default() -> Self {
        Self {
            fan_in: 8,
            object_bytes: 8 << 20,
            segment_min_bytes: 4 << 20,
            bytes_per_second: 32 << 20,
            interval: Duration::from_secs(60),
        }
    }
}

/// When objects are deleted.
#[derive(Clone, Debug)]
pub struct GcSettings {
    /// How long a marked object stays: longer than the longest read, and than the age of the oldest backup of the
    /// catalog that may ever be restored.
    pub grace: Duration,
    /// How long after its registration an object that was never named is taken for abandoned.
    pub abandoned_after: Duration,
    /// How often retention and garbage collection run.
    pub interval: Duration,
    /// How many objects are deleted at a time.
    pub concurrency: usize,
}

impl Default for GcSettings {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(3600),
            abandoned_after: Duration::from_secs(3600),
            interval: Duration::from_secs(60),
            concurrency: 8,
        }
    }
}
