//! A shard's task: loading, deadlines, expiry, writing anew.
//!
//! Loading is bounded by what there is to know, not by history: once the records since the last time have several times its size,
//! all of it is written once more behind them, and what lies before is deleted. A crash in between leaves more records than are
//! needed, of which the last of each key counts as ever. Rejected: compaction of the partition, which rewrites cold objects of a few
//! bytes; a snapshot object, which would be a second format with a life of its own.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use firn_runtime::Timestamp;
use tokio::time::Instant;
use tracing::{debug, error};

use super::coordinator::{Shared, Unavailable};
use super::loading::load;
use super::shard::ServedShard;

/// How long after a failure it is tried again, at first and at most.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How many times the size of what there is to know its history may have.
const MOST_GROWTH: usize = 4;
/// Bytes that are written anew at a time, between which the shard goes on serving.
const CHUNK: usize = 256 << 10;

/// Keeps a shard until it is aborted.
pub(super) async fn keep(shared: Arc<Shared>, shard: Arc<ServedShard>) {
    let mut keeper = Keeper {
        shared,
        shard,
        size: 0,
        expire_at: Instant::now(),
    };
    let mut pause = PAUSE;
    loop {
        if keeper.shard.is_loading() && !keeper.load().await {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            continue;
        }
        pause = PAUSE;
        match keeper.round().await {
            Ok(next) => keeper.sleep(next).await,
            Err(Unavailable::Loading | Unavailable::NotAvailable) => tokio::time::sleep(PAUSE).await,
            // It is closed: this task is about to be aborted.
            Err(Unavailable::NotCoordinator) => std::future::pending().await,
        }
    }
}

struct Keeper {
    shared: Arc<Shared>,
    shard: Arc<ServedShard>,
    /// Bytes of all that there was to know when it was last written anew.
    size: usize,
    expire_at: Instant,
}

impl Keeper {
    async fn load(&mut self) -> bool {
        let partition = &self.shard.partition;
        match load(partition, &self.shared.settings, &self.shared.counts).await {
            Ok((shard, bytes)) => {
                debug!(partition = %partition.id(), bytes, "a shard of groups is loaded");
                self.size = shard.size();
                self.shard.loaded(shard, bytes);
                self.expire_at = Instant::now() + self.shared.settings.retention_check;
                true
            }
            Err(why) => {
                error!(partition = %partition.id(), %why, "ALARM: groups cannot be loaded; trying again");
                false
            }
        }
    }

    async fn round(&mut self) -> Result<Option<Timestamp>, Unavailable> {
        let next = self.shard.tick()?;
        if Instant::now() >= self.expire_at {
            let metadata = &self.shared.metadata;
            self.shard.expire(|topic| metadata.topic_name(topic))?;
            self.expire_at = Instant::now() + self.shared.settings.retention_check;
        }
        let bound = MOST_GROWTH.saturating_mul(self.size);
        if self.shard.grown() > bound.max(self.shared.rewrite_from) {
            self.write_anew().await?;
        }
        Ok(next)
    }

    async fn sleep(&self, next: Option<Timestamp>) {
        let until = next.map_or(self.expire_at, |next| {
            self.expire_at.min(self.shared.clock.instant(next))
        });
        tokio::select! {
            biased;
            () = self.shard.changed.notified() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }

    /// Waits for `work`; deadlines of groups do not wait for it.
    async fn beside_deadlines<T>(&self, work: impl Future<Output = T>) -> Result<T, Unavailable> {
        let mut work = pin!(work);
        loop {
            let next = self.shard.tick()?;
            let until = next.map_or_else(
                || Instant::now() + LONGEST_PAUSE,
                |next| self.shared.clock.instant(next),
            );
            tokio::select! {
                biased;
                done = &mut work => return Ok(done),
                () = self.shard.changed.notified() => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
    }

    /// Writes all that there is to know behind what was written so far, and deletes that.
    async fn write_anew(&mut self) -> Result<(), Unavailable> {
        let begin = self.shard.begin_anew()?;
        let (mut after, mut last) = (None, None);
        loop {
            // As producers do, it waits while too much is not durable yet.
            self.beside_deadlines(self.shared.log.room()).await?;
            let (written, slot) = self.shard.write_anew(after.as_ref(), CHUNK)?;
            last = slot.or(last);
            if written.is_none() {
                break;
            }
            after = written;
            // Requests have their turn.
            tokio::task::yield_now().await;
        }
        self.size = self.shard.grown();
        if let Some(slot) = last {
            let durable = self.beside_deadlines(self.shared.log.wait(slot)).await?;
            durable.map_err(|_| Unavailable::NotAvailable)?;
        }
        let deleted = self.beside_deadlines(self.shard.partition.delete_records(begin));
        if let Err(error) = deleted.await? {
            debug!(partition = %self.shard.partition.id(), %error, "old records of groups stay for now");
        }
        Ok(())
    }
}
