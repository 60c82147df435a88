//! The counters of all principals, and the rows that are to be written.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use firn_catalog::ids::{ClusterId, IncarnationId, OrganizationId};
use firn_catalog::usage::{Amounts, LATEST_MINUTES, UsageRow};

use super::counters::{Counters, Counts};

/// The most rows that wait to be written: about 100 MB.
const MOST_ROWS: usize = 500_000;

/// What a cluster has on this broker at the end of a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holding {
    pub(super) organization: OrganizationId,
    pub(super) partitions: i64,
    pub(super) bytes: i64,
}

/// A principal that has connections, or had some in this minute.
struct Open {
    organization: OrganizationId,
    counters: Arc<Counters>,
    /// Its counts when the minute began.
    before: Counts,
}

/// Minute, cluster, principal.
type Key = (i64, ClusterId, Arc<str>);

/// What was counted in a minute.
struct Row {
    organization: OrganizationId,
    amounts: Amounts,
    /// Whether it says more than what is written.
    due: bool,
}

pub(super) struct Book {
    minute: i64,
    open: BTreeMap<(ClusterId, Arc<str>), Open>,
    /// Of the minute that runs, and earlier ones that are not written yet.
    rows: BTreeMap<Key, Row>,
    most_rows: usize,
}

impl Book {
    pub(super) fn new(minute: i64) -> Self {
        Self {
            minute,
            open: BTreeMap::new(),
            rows: BTreeMap::new(),
            most_rows: MOST_ROWS,
        }
    }

    /// The minute that runs. It never goes back, whatever the clock does.
    pub(super) fn minute(&self) -> i64 {
        self.minute
    }

    /// The counters of a principal.
    pub(super) fn counters(
        &mut self,
        organization: OrganizationId,
        cluster: ClusterId,
        principal: &str,
    ) -> Arc<Counters> {
        let entry = self.open.entry((cluster, Arc::from(principal)));
        let open = entry.or_insert_with(|| Open {
            organization,
            counters: Arc::default(),
            before: Counts::default(),
        });
        Arc::clone(&open.counters)
    }

    /// Puts what was counted into the rows of the minute that runs, and begins the next one if it is `minute` now. `holdings` is
    /// what clusters have at the end of the minute. How many rows had to be dropped.
    pub(super) fn look(&mut self, minute: i64, holdings: &BTreeMap<ClusterId, Holding>) -> usize {
        let ends = minute > self.minute;
        let Self {
            open,
            rows,
            minute: running,
            ..
        } = self;
        open.retain(|(cluster, principal), open| {
            let now = open.counters.counts();
            let key = (*running, *cluster, Arc::clone(principal));
            put(
                rows,
                key,
                open.organization,
                used(open.before, now, open.counters.peak()),
            );
            if ends {
                open.before = now;
                open.counters.restart_peak();
            }
            // Nobody else has them: there is no connection, and none can come while the book is locked.
            !ends || Arc::strong_count(&open.counters) > 1
        });
        if !ends {
            return 0;
        }
        for (cluster, holding) in holdings {
            let amounts = Amounts {
                storage_byte_minutes: holding.bytes,
                partition_minutes: holding.partitions,
                ..Amounts::default()
            };
            let key = (self.minute, *cluster, Arc::from(""));
            put(&mut self.rows, key, holding.organization, amounts);
        }
        self.minute = minute;
        self.rows.retain(|_, row| row.due);
        self.drop_oldest()
    }

    /// Drops rows that are too old to be written, and the oldest ones of too many.
    fn drop_oldest(&mut self) -> usize {
        let mut dropped = 0;
        while let Some(oldest) = self.rows.first_entry() {
            let too_old = oldest.key().0 < self.minute - LATEST_MINUTES;
            if !too_old && self.rows.len() <= self.most_rows {
                break;
            }
            self.rows.pop_first();
            dropped += 1;
        }
        dropped
    }

    /// The rows that say more than what is written, the oldest first.
    pub(super) fn due(&self, incarnation: IncarnationId) -> Vec<UsageRow> {
        let due = self.rows.iter().filter(|(_, row)| row.due);
        due.map(|((minute, cluster, principal), row)| UsageRow {
            organization: row.organization,
            cluster: *cluster,
            principal: principal.to_string(),
            minute: *minute,
            incarnation,
            amounts: row.amounts,
        })
        .collect()
    }

    /// These rows are written. Those of minutes that have ended are done.
    pub(super) fn written(&mut self, rows: &[UsageRow]) {
        for written in rows {
            let key = (
                written.minute,
                written.cluster,
                Arc::from(written.principal.as_str()),
            );
            if let Entry::Occupied(mut row) = self.rows.entry(key)
                && row.get().amounts == written.amounts
            {
                row.get_mut().due = false;
                if written.minute < self.minute {
                    row.remove();
                }
            }
        }
    }
}

fn put(rows: &mut BTreeMap<Key, Row>, key: Key, organization: OrganizationId, amounts: Amounts) {
    if amounts.is_zero() {
        return;
    }
    match rows.entry(key) {
        Entry::Vacant(place) => {
            place.insert(Row {
                organization,
                amounts,
                due: true,
            });
        }
        Entry::Occupied(mut row) if row.get().amounts != amounts => {
            row.get_mut().amounts = amounts;
            row.get_mut().due = true;
        }
        Entry::Occupied(_) => {}
    }
}

fn used(before: Counts, now: Counts, connections_peak: i64) -> Amounts {
    Amounts {
        bytes_in: now.bytes_in - before.bytes_in,
        bytes_out: now.bytes_out - before.bytes_out,
        produced_bytes: now.produced_bytes - before.produced_bytes,
        fetched_bytes: now.fetched_bytes - before.fetched_bytes,
        requests: now.requests - before.requests,
        connections_peak,
        ..Amounts::default()
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
