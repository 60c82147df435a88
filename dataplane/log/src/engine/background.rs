//! The loops of a log: heartbeat, drain of predecessors, offload, housekeeping. Each works from what it finds, without
//! input, so that normal work and recovery take one path.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use firn_catalog::cell::{CatalogError, IncarnationState};
use firn_catalog::ids::{IncarnationId, Slot};
use tokio::time::{Instant, sleep, timeout};

use super::Log;
use super::offload::{OwnSlots, SealedSlots};
use super::recovered::Inherited;
use crate::cold::offload::{OffloadError, SlotSource, due};
use crate::takeover;
use crate::wal::Halt;
use crate::wal::slot::Register;

/// How often it is looked whether an offload is due.
const SETTLE_INTERVAL: Duration = Duration::from_millis(250);
/// The pause after an offload that did not come to its end.
const SETTLE_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause while trying again cannot help by itself.
const LONGEST_SETTLE_PAUSE: Duration = Duration::from_secs(60);
/// How often it is looked whether slots of drained logs are left, if they may be.
const FREE_INTERVAL: Duration = Duration::from_secs(60);
/// How often partitions are tidied.
const TIDY_INTERVAL: Duration = Duration::from_secs(60);
/// How many heartbeats a lease lasts.
const LEASE_HEARTBEATS: u32 = 5;

pub(super) fn start(log: &Arc<Log>) {
    log.spawn("watch", watch_appender(Arc::clone(log)));
    log.spawn("heartbeat", heartbeat(Arc::clone(log)));
    log.spawn("offload", settle(Arc::clone(log)));
    log.spawn("tidy", tidy(Arc::clone(log)));
    log.spawn("free", free_what_was_drained(Arc::clone(log)));
    log.spawn("retention", retain(Arc::clone(log)));
    let (cold, own) = (Arc::clone(&log.sources.cold), log.own);
    log.spawn("merge", async move { cold.run_merges(own).await });
    let cold = Arc::clone(&log.sources.cold);
    log.spawn("garbage collection", async move {
        cold.run_garbage_collection().await;
    });
}

/// Raises log starts as topics ask for, and gives up objects that nobody needs.
async fn retain(log: Arc<Log>) {
    loop {
        sleep(log.settings.cold.gc.interval).await;
        let subjects: Vec<_> = log
            .partitions
            .all()
            .iter()
            .map(|partition| partition.retention())
            .collect();
        match log.sources.cold.retain(log.own, &subjects).await {
            Ok(retained) => {
                for change in retained.log_starts {
                    if let Some(partition) = log.partition(change.partition) {
                        partition.raise_log_start(change.log_start);
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "retention did not come to its end; it starts over"),
        }
    }
}

/// Deletes slots of drained logs that are still there: this process, or one before it, could not or did not come to it.
async fn free_what_was_drained(log: Arc<Log>) {
    loop {
        if log.slots_left.swap(false, Ordering::SeqCst) {
            let freed = match log.catalog.incarnations().await {
                Ok(rows) => takeover::free_what_is_left(&*log.wal, &rows)
                    .await
                    .map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = freed {
                tracing::warn!(
                    error,
                    "slots of drained logs could not be deleted; trying again later"
                );
                log.slots_left.store(true, Ordering::SeqCst);
            }
        }
        sleep(FREE_INTERVAL).await;
    }
}

/// What came of one step of [`settle`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It came to its end.
    Done,
    /// It is not yet time, or something did not answer.
    Later,
    /// It cannot come to its end before somebody helps, or records that are damaged are deleted.
    Stuck,
}

impl Step {
    fn of(result: Result<Self, OffloadError>) -> Self {
        match result {
            Ok(step) => step,
            Err(error) => {
                tracing::warn!(%error, "records stay in the write-ahead log for now");
                if error.is_retriable() {
                    Self::Later
                } else {
                    Self::Stuck
                }
            }
        }
    }
}

/// The pauses between steps: ever longer ones while nothing helps, since each step may read and store a lot for nothing.
struct Pauses(Duration);

impl Pauses {
    async fn after(&mut self, step: Step) {
        match step {
            Step::Done => self.0 = SETTLE_PAUSE,
            Step::Later => sleep(SETTLE_PAUSE).await,
            Step::Stuck => {
                sleep(self.0).await;
                self.0 = LONGEST_SETTLE_PAUSE.min(self.0 * 2);
            }
        }
    }
}

/// Drains what was inherited, in the order of the seals, and only then offloads the own log: an offset may enter cold objects
/// only after all before it.
async fn settle(log: Arc<Log>) {
    let mut pauses = Pauses(SETTLE_PAUSE);
    while let Some(inherited) = log.recovered.next_to_drain() {
        let step = Step::of(drain(&log, inherited).await);
        log.partitions.stuck(step == Step::Stuck);
        pauses.after(step).await;
    }
    loop {
        sleep(SETTLE_INTERVAL).await;
        let settings = &log.settings.cold.offload;
        let mut goes_on = true;
        while goes_on && due(settings, &log.partitions.backlog(), log.env.now()) {
            let step = Step::of(offload(&log).await);
            log.partitions.stuck(step == Step::Stuck);
            goes_on = step == Step::Done;
            pauses.after(step).await;
        }
    }
}

/// Drains a sealed log. One that holds records of partitions that another incarnation leads is left to that one, who also
/// seals this incarnation: their rows are not known here, so their records would be taken for those of deleted topics.
/// What was sealed later has to wait for it.
async fn drain(log: &Arc<Log>, inherited: Arc<Inherited>) -> Result<Step, OffloadError> {
    let foreign = log.recovered.foreign(&inherited);
    if !foreign.is_empty() && !log.catalog.existing_partitions(foreign).await?.is_empty() {
        return Ok(Step::Later);
    }
    if let Err(error) = takeover::free_behind_fence(&*log.wal, &inherited.row).await {
        tracing::warn!(%error, "what was in flight when a log was fenced could not be deleted; its drain tries again");
    }
    let dead = inherited.row.id;
    let slots = inherited.row.offloaded..inherited.index.fence;
    let source = SealedSlots { log, inherited };
    match log.sources.cold.drain(log.own, dead, slots, &source).await {
        Ok(done) => {
            tracing::info!(%dead, objects = done.objects, bytes = done.bytes, "the log of an earlier life is in objects");
        }
        // A life between the dead one and this one may have drained it while it was taken over itself.
        Err(error) if !was_drained(log, dead).await? => return Err(error),
        Err(_) => {
            log.sources.cold.refresh().await?;
            source.free(Slot(0)).await;
        }
    }
    // Nobody may open a partition on the strength of what was just moved.
    let _no_opening = log.opening.write().await;
    log.recovered.drained(dead);
    for partition in log.partitions.all() {
        let end = log.sources.cold.bounds(partition.id()).map(|(_, end)| end);
        partition.drained(dead, end.unwrap_or_default());
    }
    Ok(Step::Done)
}

async fn was_drained(log: &Log, dead: IncarnationId) -> Result<bool, CatalogError> {
    let rows = log.catalog.incarnations().await?;
    Ok(rows
        .iter()
        .any(|row| row.id == dead && row.state == IncarnationState::Drained))
}

/// Offloads the slots that count. A stopped partition holds the slots that name it, and all after them.
async fn offload(log: &Arc<Log>) -> Result<Step, OffloadError> {
    // A part of a long backlog at a time: what is offloaded is free at the end of a pass.
    let slots = log.partitions.oldest_unsettled(log.settings.cold.offload.bytes);
    let from = slots.start;
    let done = log
        .sources
        .cold
        .checkpoint(log.own, slots, &OwnSlots(log))
        .await?;
    for (id, end) in &done.ends {
        if let Some(partition) = log.partition(*id) {
            partition.offloaded(*end);
        }
    }
    for (id, error) in &done.stopped {
        if let Some(partition) = log.partition(*id) {
            partition.stop(error.to_string());
        }
    }
    log.partitions.settle(done.offloaded);
    tracing::debug!(through = %done.offloaded, objects = done.objects, bytes = done.bytes, "offloaded");
    Ok(if done.offloaded > from {
        Step::Done
    } else {
        Step::Stuck
    })
}

/// Forgets silent producers and what has no image any more.
async fn tidy(log: Arc<Log>) {
    loop {
        sleep(TIDY_INTERVAL).await;
        let now = log.env.now();
        for partition in log.partitions.all() {
            partition.tidy(now);
        }
    }
}

/// A halt of the appender is a halt of the log.
async fn watch_appender(log: Arc<Log>) {
    let mut halted = log.sources.appender.halted();
    let why = halted
        .wait_for(Option::is_some)
        .await
        .ok()
        .and_then(|why| why.clone());
    if let Some(why) = why {
        log.halt(why);
    }
}

/// Tells the catalog that this incarnation is alive. When the catalog says that a successor has sealed it, or neither the catalog nor a
/// slot has confirmed it for a lease and the next slot holds a fence, the log halts: an idle broker that was fenced is
/// stale for about that long at most.
async fn heartbeat(log: Arc<Log>) {
    let interval = log.settings.heartbeat_interval;
    let lease = interval * LEASE_HEARTBEATS;
    let mut confirmed = Instant::now();
    let mut seen = log.sources.appender.durable_through();
    loop {
        sleep(interval).await;
        // A database that hangs must not keep this loop from looking for a fence.
        let beat = timeout(lease / 2, log.catalog.heartbeat(log.own, log.env.now()));
        match beat.await {
            Ok(Ok(())) => confirmed = Instant::now(),
            Ok(Err(CatalogError::NotOpen(_))) => {
                log.halt(Halt::Fenced);
                return;
            }
            Ok(Err(error)) => {
                tracing::warn!(%error, "the catalog does not answer; live partitions are served on");
            }
            Err(_) => tracing::warn!("the catalog hangs; live partitions are served on"),
        }
        let durable = log.sources.appender.durable_through();
        if durable != seen {
            (seen, confirmed) = (durable, Instant::now());
        }
        if confirmed.elapsed() >= lease && fenced(&log).await {
            log.halt(Halt::Fenced);
            return;
        }
    }
}

/// Whether a successor's fence is in the first slot that does not count.
async fn fenced(log: &Log) -> bool {
    let next = log.sources.appender.durable_through().map_or(Slot(0), Slot::next);
    match log.wal.get_front(log.own, next).await {
        Ok(Some(front)) => matches!(Register::parse_front(&front), Ok(Register::Fence(_))),
        Ok(None) | Err(_) => false,
    }
}
