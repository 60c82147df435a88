//! Sealing a dead incarnation's log: claim, fence, read the indexes, complete.
//!
//! Every step may be repeated, so a sealer that dies half way leaves nothing to undo: the next one finds `Sealing`
//! and does the same again, adopting a fence that is there. Calls that were not answered are made again with the same
//! arguments; after a while the sealer gives up and its caller may start over.

use bytes::Bytes;
use firn_catalog::cell::{CatalogError, Incarnation, IncarnationState, LogCatalog, ObjectKind, WalLocation};
use firn_catalog::ids::{IncarnationId, NodeId, ObjectId, Slot};
use firn_runtime::Env;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::{ObjectStore, ObjectStoreExt};

use super::insist::insist;
use super::{IndexError, RecoveryIndex, object_path};
use crate::wal::slot::{Fence, FormatError, Register, SlotFront, front_length};
use crate::wal::{PutOutcome, WalError, WriteAheadLog};

/// How many fronts are read at a time. Also how far past the first empty slot one looks for a slot that vouches for it.
const WINDOW: usize = 32;
/// What is wrong with a slot that is missing.
const GONE: &str = "it is gone, though a later slot says that it was durable";
/// How many whole slots are read at a time.
const WHOLE_SLOTS: usize = 4;

/// What became of a call to [`seal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealOutcome {
    /// This call sealed the log: the caller owns its partitions now.
    Sealed {
        /// The dead incarnation's row, sealed.
        row: Incarnation,
        /// What its log holds.
        index: RecoveryIndex,
    },
    /// Another sealer was faster, and what it did counts: go by the row.
    Already(Incarnation),
}

/// Why a takeover did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TakeoverError {
    /// Start over, unless it is `NotOpen`: then a successor has sealed the sealer itself, which must stop.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// Start over if it is `Unavailable` or `NoSpace`; the others need a person.
    #[error(transparent)]
    Wal(#[from] WalError),
    /// Start over: the object store did not take the recovery index.
    #[error("the object store did not take a recovery index: {0}")]
    Store(String),
    /// See [`IndexError`].
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A slot is missing or is not what was written although it was durable once. Needs a person: going on would lose
    /// acknowledged records.
    #[error("the write-ahead log of incarnation {dead} is damaged at slot {slot}: {reason}")]
    Damaged {
        /// Whose log.
        dead: IncarnationId,
        /// Which slot.
        slot: Slot,
        /// What is wrong with it.
        reason: String,
    },
    /// The log is in another place than this process's own.
    #[error(
        "node {node} kept its write-ahead log {at} in its earlier life {dead}, and would keep it {here} now: \
         what the earlier one holds would be out of reach. Nothing was changed; start with the same `wal` \
         setting as before"
    )]
    OutOfReach {
        /// Whose log.
        dead: IncarnationId,
        /// Whose life that was.
        node: NodeId,
        /// Where the log is.
        at: WalLocation,
        /// What is within reach.
        here: WalLocation,
    },
}

impl TakeoverError {
    /// Whether it says that a successor has taken over from the sealer itself, which must end.
    pub fn is_fenced(&self) -> bool {
        matches!(self, Self::Catalog(error) if error.is_fenced())
    }
}

/// Seals the log of `dead` and makes `me` the owner of its partitions. Whoever calls it and whenever, no acknowledged
/// record is lost; what `dead` has not yet acknowledged, it never will from the fence on.
pub async fn seal(
    env: &Env,
    catalog: &dyn LogCatalog,
    wal: &dyn WriteAheadLog,
    store: &dyn ObjectStore,
    me: IncarnationId,
    dead: IncarnationId,
) -> Result<SealOutcome, TakeoverError> {
    let sealer = Sealer {
        env,
        catalog,
        wal,
        store,
        me,
        dead,
    };
    match sealer.run().await {
        Ok(outcome) => Ok(outcome),
        // Another sealer may have come to the end, and a drain have deleted slots under our reads: only a row
        // that still waits for its seal makes an alarm of it.
        Err(error) => match sealer.row().await? {
            Some(row) if row.state > IncarnationState::Sealing => Ok(SealOutcome::Already(row)),
            Some(_) | None => Err(error),
        },
    }
}

struct Sealer<'a> {
    env: &'a Env,
    catalog: &'a dyn LogCatalog,
    wal: &'a dyn WriteAheadLog,
    store: &'a dyn ObjectStore,
    me: IncarnationId,
    dead: IncarnationId,
}

impl Sealer<'_> {
    async fn run(&self) -> Result<SealOutcome, TakeoverError> {
        let claimed = insist(|| self.catalog.claim_seal(self.me, self.dead)).await?;
        let (fence, fronts) = self.fence(claimed.offloaded).await?;
        let object = RecoveryIndex::encode(self.dead, fence, &fronts);
        let index = RecoveryIndex::decode(&object)?;
        let id = self.store_index(object).await?;
        insist(|| self.catalog.complete_seal(self.me, self.dead, fence, id, self.me)).await?;
        match self.row().await? {
            Some(row) if row.recovery_index == Some(id) => Ok(SealOutcome::Sealed { row, index }),
            Some(row) => Ok(SealOutcome::Already(row)),
            None => Err(CatalogError::WrongState {
                id: self.dead,
                state: None,
            }
            .into()),
        }
    }

    /// The dead incarnation's row as it is now.
    async fn row(&self) -> Result<Option<Incarnation>, TakeoverError> {
        let rows = insist(|| self.catalog.incarnations()).await?;
        Ok(rows.into_iter().find(|row| row.id == self.dead))
    }

    /// Makes sure that there is a fence in the first empty slot from `from` on; returns its slot and the fronts before it.
    async fn fence(&self, from: Slot) -> Result<(Slot, Vec<Bytes>), TakeoverError> {
        let mut before = Fronts::new(self.dead, from);
        loop {
            let window = self.read_fronts(before.next()).await?;
            let Some(empty) = before.take(&window)? else {
                continue;
            };
            let fence = match empty {
                FirstOther::Fence(slot) => slot,
                FirstOther::Missing(slot) => {
                    // The fronts were not read at one moment: the slot may have been put, and vouched for, in between.
                    match insist(|| self.wal.get_front(self.dead, slot)).await? {
                        Some(_) => continue,
                        None => return Err(self.damaged(slot, GONE)),
                    }
                }
                FirstOther::Empty(slot) => {
                    let fence = Fence {
                        sealer: self.me,
                        dead: self.dead,
                        slot,
                    };
                    let bytes = fence.encode();
                    match insist(|| self.wal.put_if_absent(self.dead, slot, vec![bytes.clone()])).await? {
                        PutOutcome::Written => slot,
                        // Data that was on its way, another sealer's fence, or ours from a try that was not answered.
                        PutOutcome::Exists => continue,
                    }
                }
            };
            self.verify_tail(before.vouched_end(), fence).await?;
            return Ok((fence, before.fronts));
        }
    }

    /// The fronts of the slots from `from` on, as far as one window goes.
    async fn read_fronts(&self, from: Slot) -> Result<Vec<Option<Bytes>>, TakeoverError> {
        let fronts = stream::iter(from.0..from.0 + WINDOW as u64)
            .map(|slot| insist(move || self.wal.get_front(self.dead, Slot(slot))))
            .buffered(WINDOW)
            .try_collect()
            .await?;
        Ok(fronts)
    }

    /// Checks every byte of the slots that no later one vouches for.
    async fn verify_tail(&self, from: Slot, fence: Slot) -> Result<(), TakeoverError> {
        stream::iter(from.0..fence.0)
            .map(|slot| async move {
                let slot = Slot(slot);
                let whole = insist(|| self.wal.get(self.dead, slot)).await?;
                let whole = whole.ok_or_else(|| self.damaged(slot, "it is gone"))?;
                Register::verify_whole(&whole).map_err(|error| self.damaged(slot, error.to_string()))?;
                Ok(())
            })
            .buffered(WHOLE_SLOTS)
            .try_collect()
            .await
    }

    /// Uploads the recovery index under a new name, registered first.
    async fn store_index(&self, object: Bytes) -> Result<ObjectId, TakeoverError> {
        let id = ObjectId(self.env.random_u128());
        let now = self.env.now();
        insist(|| {
            self.catalog
                .register_object(self.me, id, ObjectKind::RecoveryIndex, now)
        })
        .await?;
        let path = object_path(id);
        // The name is this attempt's own: putting the same bytes twice harms nobody.
        insist(|| self.store.put(&path, object.clone().into()))
            .await
            .map_err(|error| TakeoverError::Store(error.to_string()))?;
        Ok(id)
    }

    fn damaged(&self, slot: Slot, reason: impl Into<String>) -> TakeoverError {
        damaged(self.dead, slot, reason)
    }
}

fn damaged(dead: IncarnationId, slot: Slot, reason: impl Into<String>) -> TakeoverError {
    TakeoverError::Damaged {
        dead,
        slot,
        reason: reason.into(),
    }
}

/// What comes after the last slot that counts.
enum FirstOther {
    /// Nothing.
    Empty(Slot),
    /// Nothing, though a later slot says that it was durable.
    Missing(Slot),
    Fence(Slot),
}

/// The fronts that were found, from the trim point on without a hole.
struct Fronts {
    dead: IncarnationId,
    from: Slot,
    fronts: Vec<Bytes>,
    /// Every slot below this one was durable when a later one was written.
    vouched_end: Slot,
}

impl Fronts {
    fn new(dead: IncarnationId, from: Slot) -> Self {
        Self {
            dead,
            from,
            fronts: Vec::new(),
            vouched_end: from,
        }
    }

    fn next(&self) -> Slot {
        Slot(self.from.0 + self.fronts.len() as u64)
    }

    fn vouched_end(&self) -> Slot {
        self.vouched_end
    }

    /// Takes slots in order up to the first that is empty or a fence; `None` if there was none.
    fn take(&mut self, window: &[Option<Bytes>]) -> Result<Option<FirstOther>, TakeoverError> {
        for (at, found) in window.iter().enumerate() {
            let slot = self.next();
            let Some(bytes) = found else {
                let vouched = self.is_vouched_for(slot, &window[at + 1..]);
                return Ok(Some(if vouched {
                    FirstOther::Missing(slot)
                } else {
                    FirstOther::Empty(slot)
                }));
            };
            match self.parse(slot, bytes)? {
                Register::Fence(_) => return Ok(Some(FirstOther::Fence(slot))),
                Register::Slot(front) => self.push(bytes, &front)?,
            }
        }
        Ok(None)
    }

    fn push(&mut self, bytes: &Bytes, front: &SlotFront) -> Result<(), TakeoverError> {
        let length =
            front_length(bytes).map_err(|error| damaged(self.dead, front.slot, error.to_string()))?;
        let length =
            usize::try_from(length).map_err(|error| damaged(self.dead, front.slot, error.to_string()))?;
        if let Some(through) = front.durable_through {
            self.vouched_end = self.vouched_end.max(through.next());
        }
        self.fronts.push(bytes.slice(..length));
        Ok(())
    }

    fn parse(&self, slot: Slot, bytes: &Bytes) -> Result<Register, TakeoverError> {
        let register = Register::parse_front(bytes).map_err(|error| match error {
            // A name for what a person must do: everything else is damage.
            FormatError::NewerVersion { .. } => TakeoverError::Wal(WalError::Corrupt(error.to_string())),
            error => damaged(self.dead, slot, error.to_string()),
        })?;
        if register.is_at(self.dead, slot) {
            Ok(register)
        } else {
            Err(damaged(self.dead, slot, "it holds another slot's bytes"))
        }
    }

    /// A writer puts several slots at a time, so slots may follow an empty one; they do not count. But if one of them says
    /// that the empty one was durable, it is lost.
    fn is_vouched_for(&self, empty: Slot, later: &[Option<Bytes>]) -> bool {
        let vouches = |bytes: &Bytes| match Register::parse_front(bytes) {
            Ok(Register::Slot(front)) => front.durable_through >= Some(empty),
            // What lies behind the end of the log need not make sense.
            Ok(Register::Fence(_)) | Err(_) => false,
        };
        self.vouched_end > empty || later.iter().flatten().any(vouches)
    }
}

#[cfg(test)]
mod tests;
