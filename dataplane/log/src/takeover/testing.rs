//! Builders for the tests of takeover.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use async_trait::async_trait;
use bytes::Bytes;
use firn_catalog::cell::WalLocation;
use firn_catalog::ids::{IncarnationId, LeaderEpoch, Offset, PartitionId, Slot, TopicId};
use firn_runtime::Timestamp;
use parking_lot::Mutex;

use crate::batch::BatchMeta;
use crate::wal::slot::{Register, encode};
use crate::wal::{PendingBatch, PutOutcome, WalError, WriteAheadLog};

pub(super) fn partition(topic: u128, index: i32) -> PartitionId {
    PartitionId {
        topic: TopicId(topic),
        index,
    }
}

/// A plain batch of 100 bytes.
pub(super) fn batch(partition: PartitionId, epoch: i32, first: i64, last: i64) -> BatchMeta {
    BatchMeta {
        partition,
        leader_epoch: LeaderEpoch(epoch),
        first: Offset(first),
        last: Offset(last),
        length: 100,
        base_timestamp: 1000 + first,
        max_timestamp: 1000 + last,
        producer: None,
        transactional: false,
        marker: None,
    }
}

/// A whole slot, as its writer puts it.
pub(super) fn slot(
    incarnation: IncarnationId,
    slot: u64,
    durable_through: Option<u64>,
    batches: Vec<BatchMeta>,
) -> Vec<Bytes> {
    let batches = batches
        .into_iter()
        .map(|meta| PendingBatch {
            bytes: vec![0x5a; meta.length as usize].into(),
            meta,
        })
        .collect();
    let at = Timestamp(1_700_000_000_000);
    encode(incarnation, Slot(slot), durable_through.map(Slot), at, batches).0
}

/// Header and index of a slot.
pub(super) fn front(
    incarnation: IncarnationId,
    number: u64,
    durable_through: Option<u64>,
    batches: Vec<BatchMeta>,
) -> Bytes {
    slot(incarnation, number, durable_through, batches).remove(0)
}

/// What happens to a [`MemoryWal`] right before its next put.
type BeforePut = Box<dyn FnOnce(&MemoryWal) + Send>;

/// Registers in memory.
#[derive(Default)]
pub(super) struct MemoryWal {
    pub(super) registers: Mutex<BTreeMap<(IncarnationId, Slot), Bytes>>,
    /// Runs once, before the next put.
    pub(super) before_put: Mutex<Option<BeforePut>>,
    /// Puts that take effect but are answered `Unavailable`.
    pub(super) unanswered_puts: AtomicU32,
    /// Deletions that succeed before all others fail; `None`: all succeed.
    pub(super) deletions_left: Mutex<Option<u32>>,
    /// How many ranges were asked for.
    pub(super) looks: AtomicU32,
    /// Whether it says that it is a local one.
    pub(super) local: bool,
}

impl MemoryWal {
    /// Writes a slot as its owner would.
    pub(super) fn write(
        &self,
        whose: IncarnationId,
        number: u64,
        through: Option<u64>,
        batches: Vec<BatchMeta>,
    ) {
        let bytes = slot(whose, number, through, batches).concat();
        self.registers.lock().insert((whose, Slot(number)), bytes.into());
    }

    /// Flips a bit of a register.
    pub(super) fn flip(&self, whose: IncarnationId, slot: u64, byte: usize) {
        let mut registers = self.registers.lock();
        let register = registers.get_mut(&(whose, Slot(slot))).unwrap();
        let mut damaged = register.to_vec();
        damaged[byte] ^= 1;
        *register = damaged.into();
    }

    /// What a register holds.
    pub(super) fn register(&self, whose: IncarnationId, slot: u64) -> Option<Register> {
        let bytes = self.registers.lock().get(&(whose, Slot(slot))).cloned();
        bytes.map(|bytes| Register::verify_whole(&bytes).unwrap())
    }
}

#[async_trait]
impl WriteAheadLog for MemoryWal {
    fn location(&self) -> WalLocation {
        WalLocation::Object
    }

    async fn put_if_absent(
        &self,
        incarnation: IncarnationId,
        slot: Slot,
        pieces: Vec<Bytes>,
    ) -> Result<PutOutcome, WalError> {
        let before = self.before_put.lock().take();
        if let Some(before) = before {
            before(self);
        }
        let mut registers = self.registers.lock();
        if registers.contains_key(&(incarnation, slot)) {
            return Ok(PutOutcome::Exists);
        }
        registers.insert((incarnation, slot), pieces.concat().into());
        let unanswered = &self.unanswered_puts;
        match unanswered.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)) {
            Ok(_) => Err(WalError::Unavailable("no answer".into())),
            Err(_) => Ok(PutOutcome::Written),
        }
    }

    async fn get(&self, incarnation: IncarnationId, slot: Slot) -> Result<Option<Bytes>, WalError> {
        Ok(self.registers.lock().get(&(incarnation, slot)).cloned())
    }

    async fn get_front(&self, incarnation: IncarnationId, slot: Slot) -> Result<Option<Bytes>, WalError> {
        self.get(incarnation, slot).await
    }

    async fn get_range(
        &self,
        incarnation: IncarnationId,
        slot: Slot,
        range: Range<u64>,
    ) -> Result<Option<Bytes>, WalError> {
        self.looks.fetch_add(1, Relaxed);
        let whole = self.get(incarnation, slot).await?;
        Ok(whole.map(|bytes| bytes.slice(range.start as usize..range.end as usize)))
    }

    async fn delete(&self, incarnation: IncarnationId, slots: Range<Slot>) -> Result<(), WalError> {
        if let Some(left) = &mut *self.deletions_left.lock() {
            let less = left.checked_sub(1);
            *left = less.ok_or_else(|| WalError::Unavailable("no answer".into()))?;
        }
        self.registers
            .lock()
            .retain(|(whose, slot), _| *whose != incarnation || !slots.contains(slot));
        Ok(())
    }

    fn is_local(&self) -> bool {
        self.local
    }
}
