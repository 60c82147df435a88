//! ListOffsets by time: the first record at or after a timestamp, and the record with the largest one. And the other way round, about
//! when a record was written.

use bytes::Bytes;
use firn_catalog::ids::{LeaderEpoch, Offset};

use super::read::{bound, cold_read_error};
use super::run::Run;
use super::{Isolation, Partition, PartitionOffsets, ReadError, TimedOffset};
use crate::batch::{self, BatchHeader};

/// How much is read to look into one batch; at least one batch comes whatever its size.
const ONE_BATCH: usize = 1;

/// What the search knows when it starts.
struct Plan {
    offsets: PartitionOffsets,
    end: Offset,
    /// Runs past the cold end.
    runs: Vec<Run>,
}

impl Partition {
    /// The first record, in offset order, whose timestamp is at least `at_least` ms.
    pub async fn offset_for_time(
        &self,
        at_least: i64,
        isolation: Isolation,
    ) -> Result<Option<TimedOffset>, ReadError> {
        let plan = self.plan_search(isolation)?;
        let (log_start, cold_end) = (plan.offsets.log_start, plan.offsets.cold_end);
        if let Some(found) = self.search_cold(at_least, log_start, cold_end).await? {
            return Ok(Some(found));
        }
        let matches = |timestamp: i64| timestamp >= at_least;
        for run in plan.runs.iter().filter(|run| matches(run.max_timestamp)) {
            let found = match self.read_run(run, log_start).await? {
                Some(batches) => first_matching(&batches, log_start, matches)?,
                // Its slot has gone into cold objects in the meantime.
                None => {
                    let from = run.first.max(log_start);
                    // Says so if they do not have it.
                    self.read_cold(from, ONE_BATCH).await?;
                    self.search_cold(at_least, from, run.end).await?
                }
            };
            if let Some(found) = found {
                return Ok(Some(found).filter(|found| found.offset < plan.end));
            }
        }
        Ok(None)
    }

    /// The first record from `from` on whose timestamp is at least `at_least` ms, in cold objects that hold the log at
    /// least up to `until`.
    async fn search_cold(
        &self,
        at_least: i64,
        mut from: Offset,
        until: Offset,
    ) -> Result<Option<TimedOffset>, ReadError> {
        let begin = from;
        while from < until {
            let found = self.sources.cold.find_timestamp(self.id, at_least, from).await;
            let Some(start) = found.map_err(|error| cold_read_error(&error))? else {
                break;
            };
            let batches = self.read_cold(start.max(from), ONE_BATCH).await?;
            if let Some(found) = first_matching(&batches, begin, |timestamp| timestamp >= at_least)? {
                return Ok(Some(found));
            }
            from = end_of(&batches).ok_or_else(|| unreadable("a cold batch has no header"))?;
        }
        Ok(None)
    }

    /// The first record that has the largest timestamp of all (KIP-734); `None` if there is no record.
    pub async fn offset_of_max_timestamp(
        &self,
        isolation: Isolation,
    ) -> Result<Option<TimedOffset>, ReadError> {
        let plan = self.plan_search(isolation)?;
        if plan.offsets.log_start >= plan.end {
            return Ok(None);
        }
        let newest_run = plan.runs.iter().map(|run| run.max_timestamp).max();
        let newest_cold = self
            .sources
            .cold
            .max_timestamp(self.id, plan.offsets.log_start)
            .await;
        let newest_cold = newest_cold.map_err(|error| cold_read_error(&error))?;
        match newest_run.max(newest_cold) {
            // Records without timestamps carry -1.
            Some(newest) if newest >= 0 => self.last_at_most(newest, isolation).await,
            _ => Ok(None),
        }
    }

    /// The first record with the largest timestamp, which is at most `newest`. It is smaller only where the record
    /// that had `newest` is below the log start, inside a batch that is not.
    async fn last_at_most(
        &self,
        newest: i64,
        isolation: Isolation,
    ) -> Result<Option<TimedOffset>, ReadError> {
        let mut best = self.offset_for_time(newest, isolation).await?;
        // Some record is at or after every time below `found`, none is at or after `none`.
        let (mut found, mut none) = (0, newest);
        while best.is_none_or(|best| best.timestamp < newest) && found < none {
            let middle = found + (none - found) / 2;
            match self.offset_for_time(middle, isolation).await? {
                Some(record) => {
                    found = record.timestamp.saturating_add(1);
                    best = Some(record);
                }
                None => none = middle,
            }
        }
        Ok(best)
    }

    /// About when the record at `offset` was written, by timestamps, in ms; of an offset below the log start, the first record. By what is
    /// known of runs and extents: no record is read. `None`: there is no such record, or it is not known.
    pub fn time_near(&self, offset: Offset) -> Option<i64> {
        let (offset, of_run) = {
            let state = self.state.lock();
            state.readable().ok()?;
            let offset = offset.max(state.log_start);
            if offset >= state.high_watermark {
                return None;
            }
            let place = state.runs.partition_point(|run| run.end <= offset);
            let run = state.runs.get(place).filter(|run| run.first <= offset);
            (offset, run.map(|run| run.max_timestamp))
        };
        let time = of_run.or_else(|| self.sources.cold.time_near(self.id, offset))?;
        (time >= 0).then_some(time)
    }

    fn plan_search(&self, isolation: Isolation) -> Result<Plan, ReadError> {
        let state = self.state.lock();
        state.readable()?;
        let offsets = state.offsets();
        let end = bound(&offsets, isolation);
        let past_cold = state
            .runs
            .iter()
            .filter(|run| run.end > offsets.cold_end.max(offsets.log_start) && run.first < end);
        Ok(Plan {
            offsets,
            end,
            runs: past_cold.cloned().collect(),
        })
    }
}

fn unreadable(what: &str) -> ReadError {
    ReadError::Stopped(what.to_owned())
}

fn end_of(batches: &[Bytes]) -> Option<Offset> {
    let header = BatchHeader::read(batches.last()?)?;
    Some(Offset(
        header.base_offset + i64::from(header.last_offset_delta) + 1,
    ))
}

/// The first record at or after `log_start` whose timestamp matches.
fn first_matching(
    batches: &[Bytes],
    log_start: Offset,
    matches: impl Fn(i64) -> bool,
) -> Result<Option<TimedOffset>, ReadError> {
    for batch in batches {
        let header = BatchHeader::read(batch).ok_or_else(|| unreadable("a batch has no header"))?;
        if !matches(header.max_timestamp) {
            continue;
        }
        let wanted = |delta: i32, timestamp: i64| {
            header.base_offset + i64::from(delta) >= log_start.0 && matches(timestamp)
        };
        let found = match batch::find_record(batch, wanted) {
            Ok(Some((delta, timestamp))) => Some((header.base_offset + i64::from(delta), timestamp)),
            Ok(None) => None,
            // Compressed records are taken as they come: what its producer garbled, its header stands for.
            Err(_) => Some((header.base_offset.max(log_start.0), header.max_timestamp)),
        };
        if let Some((offset, timestamp)) = found {
            return Ok(Some(TimedOffset {
                offset: Offset(offset),
                timestamp,
                leader_epoch: LeaderEpoch(header.partition_leader_epoch),
            }));
        }
    }
    Ok(None)
}
