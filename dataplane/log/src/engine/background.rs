//! The loops of a log: heartbeat, drain of predecessors, offload, housekeeping. Each works from what it finds, without
//! input, so that normal work and recovery take one path.

use std::sync::Arc;

use firn_catalog::cell::CatalogError;
use firn_catalog::ids::Slot;
use tokio::time::{Instant, sleep};

use super::Log;
use crate::wal::Halt;
use crate::wal::slot::Register;

/// How many heartbeats a lease lasts.
const LEASE_HEARTBEATS: u32 = 5;

pub(super) fn start(log: &Arc<Log>) {
    log.spawn(watch_appender(Arc::clone(log)));
    log.spawn(heartbeat(Arc::clone(log)));
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
        match log.catalog.heartbeat(log.own, log.env.now()).await {
            Ok(()) => confirmed = Instant::now(),
            Err(CatalogError::NotOpen(_)) => {
                log.halt(Halt::Fenced);
                return;
            }
            Err(error) => {
                tracing::warn!(%error, "the catalog does not answer; live partitions are served on")
            }
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
