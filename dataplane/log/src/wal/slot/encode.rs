//! From the batches of a bulk to the bytes of a slot, without copying a batch.

use bytes::{BufMut, Bytes, BytesMut};
use firn_catalog::ids::{IncarnationId, Slot};
use firn_runtime::Timestamp;

use super::index::{self, GROUP_SIZE};
use super::{CHECKSUM_AT, FORMAT_VERSION, HEADER_SIZE, SLOT_MAGIC, checksum};
use crate::batch::BatchMeta;
use crate::wal::{CountedBatch, CountedSlot, PendingBatch};

/// The most bytes that a batch adds to a slot beyond its own: an entry, and a group if it is alone in its partition.
pub fn encoded_overhead(meta: &BatchMeta) -> usize {
    GROUP_SIZE + index::entry_size(meta)
}

/// Freezes `batches` into a slot: the pieces to put (the front, then each batch), and the slot as its sink will see
/// it. Batches of one partition keep their order.
///
/// # Panics
/// If the front is larger than 4 GiB, which takes more than 50 million batches.
pub fn encode(
    incarnation: IncarnationId,
    slot: Slot,
    durable_through: Option<Slot>,
    appended_at: Timestamp,
    mut batches: Vec<PendingBatch>,
) -> (Vec<Bytes>, CountedSlot) {
    batches.sort_by_key(|batch| batch.meta.partition);
    let front = encode_front(incarnation, slot, durable_through, appended_at, &batches);
    let data_start = front.len() as u64;
    let mut pieces = Vec::with_capacity(1 + batches.len());
    pieces.push(front);
    pieces.extend(batches.iter().map(|batch| batch.bytes.clone()));
    let mut next = data_start;
    let counted = batches.into_iter().map(|PendingBatch { meta, bytes }| {
        let position = next;
        next += bytes.len() as u64;
        CountedBatch {
            meta,
            position,
            bytes,
        }
    });
    let batches = counted.collect();
    (
        pieces,
        CountedSlot {
            slot,
            data_start,
            batches,
        },
    )
}

/// Header and index of a slot with `batches`, which are sorted by partition.
fn encode_front(
    incarnation: IncarnationId,
    slot: Slot,
    durable_through: Option<Slot>,
    appended_at: Timestamp,
    batches: &[PendingBatch],
) -> Bytes {
    let number = |n: usize| u32::try_from(n).expect("a bulk is bounded far below 4 GiB of index");
    let same_partition = |a: &PendingBatch, b: &PendingBatch| a.meta.partition == b.meta.partition;
    let groups: Vec<&[PendingBatch]> = batches.chunk_by(same_partition).collect();
    let entries: usize = batches.iter().map(|batch| index::entry_size(&batch.meta)).sum();
    let index_length = groups.len() * GROUP_SIZE + entries;
    let data_length: u64 = batches.iter().map(|batch| batch.bytes.len() as u64).sum();
    let data_checksum = batches
        .iter()
        .fold(0, |sum, batch| crc32c::crc32c_append(sum, &batch.bytes));

    let mut front = BytesMut::with_capacity(HEADER_SIZE + index_length);
    front.put_slice(&SLOT_MAGIC);
    front.put_u32(FORMAT_VERSION);
    front.put_u32(0);
    front.put_u128(incarnation.0);
    front.put_u64(slot.0);
    front.put_u64(durable_through.map_or(0, |through| through.0 + 1));
    front.put_i64(appended_at.0);
    front.put_u32(number(index_length));
    front.put_u32(number(batches.len()));
    front.put_u64(data_length);
    front.put_u32(data_checksum);
    front.put_u32(number(groups.len()));
    for group in groups {
        index::put_group(&mut front, group[0].meta.partition, number(group.len()));
        for batch in group {
            let truthful = batch.meta.length as usize == batch.bytes.len();
            debug_assert!(truthful, "the index must say how long a batch is");
            index::put_entry(&mut front, &batch.meta);
        }
    }
    let sum = checksum(&front);
    front[CHECKSUM_AT].copy_from_slice(&sum.to_be_bytes());
    front.freeze()
}
