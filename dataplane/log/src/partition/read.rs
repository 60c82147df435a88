//! Read: from images of slots while they are there, from sealed write-ahead logs, from cold objects; in one go.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use firn_catalog::cell::LogCatalog;
use firn_catalog::ids::{IncarnationId, Offset};
use firn_runtime::Env;

use super::run::Run;
use super::{Isolation, Partition, PartitionOffsets, ReadError, ReadSlice};
use crate::batch::BatchHeader;
use crate::cold::{ColdError, ColdTier};
use crate::engine::images::SlotImages;
use crate::metrics::{self, Tier};
use crate::wal::{Appender, WalError};

/// What all partitions of one incarnation share.
pub(crate) struct Sources {
    pub own: IncarnationId,
    pub env: Env,
    pub images: Arc<SlotImages>,
    pub cold: Arc<ColdTier>,
    pub appender: Arc<Appender>,
    pub catalog: Arc<dyn LogCatalog>,
    /// Appends are refused: the offload is stuck, and the write-ahead log has grown as long as it may.
    pub refusing: Arc<AtomicBool>,
}

impl Partition {
    /// Reads whole batches from the one that contains `from`: at least one if there is any below the bound
    /// that `isolation` sets, else as many as fit into `max_bytes`. At the bound the answer is empty.
    pub async fn read(
        &self,
        from: Offset,
        max_bytes: usize,
        isolation: Isolation,
    ) -> Result<ReadSlice, ReadError> {
        let (offsets, runs) = {
            let state = self.state.lock();
            state.readable()?;
            let offsets = state.offsets();
            if from < offsets.log_start || from > offsets.log_end {
                let (log_start, log_end) = (offsets.log_start, offsets.log_end);
                return Err(ReadError::OutOfRange { log_start, log_end });
            }
            (
                offsets,
                state.runs_from(from, bound(&offsets, isolation), max_bytes),
            )
        };
        if from >= bound(&offsets, isolation) {
            return Ok(ReadSlice {
                batches: Vec::new(),
                bytes: 0,
                offsets,
                aborted: Vec::new(),
            });
        }
        let mut slice = Gathered::new(max_bytes);
        for run in &runs {
            let whole = match self.read_run(run, from).await {
                Ok(Some(batches)) => slice.take(batches),
                // Its slot has gone into cold objects in the meantime.
                Ok(None) => break,
                Err(_) if !slice.batches.is_empty() => break,
                Err(error) => return Err(error),
            };
            if !whole {
                break;
            }
        }
        if slice.batches.is_empty() {
            let cold = self.read_cold(from, max_bytes).await?;
            slice.take(below(bound(&offsets, isolation), cold));
        }
        Ok(ReadSlice {
            batches: slice.batches,
            bytes: slice.bytes,
            offsets,
            aborted: Vec::new(),
        })
    }

    /// The batches of a run whose last offset is at or after `from`; `None` if only cold objects have them.
    pub(super) async fn read_run(&self, run: &Run, from: Offset) -> Result<Option<Vec<Bytes>>, ReadError> {
        let images = &self.sources.images;
        if let Some(batches) = images.in_memory(run) {
            let wanted = batches.into_iter().filter(|batch| batch.meta.last >= from);
            return Ok(Some(tallied(
                Tier::Memory,
                wanted.map(|batch| batch.bytes).collect(),
            )));
        }
        if let Some(bytes) = images.from_hot_file(run).await {
            match run.batches(&bytes) {
                Ok(batches) => return Ok(Some(tallied(Tier::HotFile, from_offset(batches, from)))),
                Err(error) => tracing::warn!(%error, "a hot file is damaged; the store has the records"),
            }
        }
        let wal = if run.wal == self.sources.own {
            Tier::OwnWal
        } else {
            Tier::SealedWal
        };
        let error = match images.from_wal(run).await {
            Ok(Some(bytes)) => match run.batches(&bytes) {
                Ok(batches) => return Ok(Some(tallied(wal, from_offset(batches, from)))),
                Err(error) => ReadError::Stopped(error.to_string()),
            },
            Ok(None) => return Ok(None),
            Err(error) => wal_read_error(&error),
        };
        if self.state.lock().offsets().cold_end >= run.end {
            tracing::warn!(partition = %self.id, %error, "a slot cannot be read; cold objects have its records");
            return Ok(None);
        }
        Err(error)
    }

    pub(super) async fn read_cold(&self, from: Offset, max_bytes: usize) -> Result<Vec<Bytes>, ReadError> {
        let cold = &self.sources.cold;
        for last_try in [false, true] {
            let read = cold.read(self.id, from, max_bytes).await;
            let batches = read.map_err(|error| cold_read_error(&error))?.batches;
            if !batches.is_empty() {
                return Ok(tallied(Tier::Cold, batches));
            }
            if !last_try {
                // A successor may have drained the slots of this log: only the rows can tell.
                let known = cold.refresh().await;
                known.map_err(|error| cold_read_error(&error))?;
            }
        }
        let what = format!("no object and no slot of {} holds offset {from}", self.id);
        tracing::error!(partition = %self.id, %from, "ALARM: the log has a gap");
        Err(ReadError::Stopped(what))
    }
}

/// The batches of one read from `tier`, added to what is counted of it.
fn tallied(tier: Tier, batches: Vec<Bytes>) -> Vec<Bytes> {
    let bytes: usize = batches.iter().map(Bytes::len).sum();
    metrics::log_read(tier, bytes as u64);
    batches
}

/// One past the last offset that a reader may see.
pub(super) fn bound(offsets: &PartitionOffsets, isolation: Isolation) -> Offset {
    match isolation {
        Isolation::ReadUncommitted => offsets.high_watermark,
        Isolation::ReadCommitted => offsets.last_stable,
    }
}

/// Objects may have grown past the bound since it was looked up.
fn below(bound: Offset, mut batches: Vec<Bytes>) -> Vec<Bytes> {
    let visible = batches
        .iter()
        .take_while(|batch| BatchHeader::read(batch).is_some_and(|header| header.base_offset < bound.0));
    batches.truncate(visible.count());
    batches
}

fn from_offset(batches: Vec<(BatchHeader, Bytes)>, from: Offset) -> Vec<Bytes> {
    let wanted = batches
        .into_iter()
        .filter(|(header, _)| header.base_offset + i64::from(header.last_offset_delta) >= from.0);
    wanted.map(|(_, batch)| batch).collect()
}

fn wal_read_error(error: &WalError) -> ReadError {
    match error {
        WalError::Unavailable(_) | WalError::NoSpace(_) | WalError::OutOfReach(_) => {
            ReadError::Unavailable(error.to_string())
        }
        WalError::Corrupt(_) | WalError::Failed(_) => ReadError::Stopped(error.to_string()),
    }
}

pub(super) fn cold_read_error(error: &ColdError) -> ReadError {
    if error.is_retriable() {
        ReadError::Unavailable(error.to_string())
    } else {
        ReadError::Stopped(error.to_string())
    }
}

/// Batches up to a limit; the first is taken whatever its size (KIP-74).
struct Gathered {
    batches: Vec<Bytes>,
    bytes: usize,
    limit: usize,
}

impl Gathered {
    fn new(limit: usize) -> Self {
        Self {
            batches: Vec::new(),
            bytes: 0,
            limit,
        }
    }

    /// Takes as many as fit; whether all did.
    fn take(&mut self, batches: Vec<Bytes>) -> bool {
        for batch in batches {
            if !self.batches.is_empty() && self.bytes + batch.len() > self.limit {
                return false;
            }
            self.bytes += batch.len();
            self.batches.push(batch);
        }
        true
    }
}
