//! Reading a shard out of its partition.

use std::sync::Arc;
use std::time::Duration;

use firn_catalog::ids::Offset;
use firn_coordinator::record::{Record, Unreadable};
use firn_coordinator::{GroupCounts, GroupSettings, Shard};
use firn_log::batch::{BatchHeader, RecordsError, records};
use firn_log::partition::{Isolation, Partition, ReadError};

/// Bytes of one read.
const READ: usize = 4 << 20;
/// How long to wait until what was appended before counts.
const PAUSE: Duration = Duration::from_millis(5);

/// Why a shard could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    /// The log does not give its records.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A batch is damaged.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// A record is not one of this version of Firn.
    #[error(transparent)]
    Record(#[from] Unreadable),
    /// A record has no key.
    #[error("a coordinator record without a key")]
    NoKey,
}

/// The shard as its records say, and how many bytes they have.
pub(super) async fn load(
    partition: &Partition,
    settings: &GroupSettings,
    counts: &Arc<GroupCounts>,
) -> Result<(Shard, usize), LoadError> {
    let mut shard = Shard::new(settings.clone(), Arc::clone(counts));
    let mut from = partition.offsets().log_start;
    let mut bytes = 0;
    loop {
        let slice = partition.read(from, READ, Isolation::ReadUncommitted).await?;
        if slice.batches.is_empty() {
            if from >= slice.offsets.log_end {
                return Ok((shard, bytes));
            }
            // What was appended before this shard was dropped does not count yet.
            tokio::time::sleep(PAUSE).await;
        }
        for batch in &slice.batches {
            for record in records(batch)? {
                let record = record?;
                let record = Record {
                    key: record.key.ok_or(LoadError::NoKey)?,
                    value: record.value,
                };
                bytes += record.size();
                shard.replay(&record)?;
            }
            if let Some(header) = BatchHeader::read(batch) {
                from = Offset(header.base_offset).plus(i64::from(header.last_offset_delta) + 1);
            }
        }
    }
}
