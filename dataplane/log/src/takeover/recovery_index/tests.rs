use super::*;
use crate::takeover::testing::{batch, front, partition};

const DEAD: IncarnationId = IncarnationId(0xfeed_beef);

fn golden() -> Bytes {
    let fronts = [
        front(
            DEAD,
            6,
            None,
            vec![
                batch(partition(5, 0), 1, 0, 0),
                batch(partition(7, 2), 4, 100, 104),
            ],
        ),
        front(DEAD, 7, Some(6), vec![batch(partition(7, 2), 4, 105, 105)]),
        front(DEAD, 8, Some(6), Vec::new()),
    ];
    RecoveryIndex::encode(DEAD, Slot(9), &fronts)
}

/// Puts the checksum right again after a change to `bytes`.
fn rechecked(mut bytes: Vec<u8>) -> Bytes {
    let crc = crc32c::crc32c(&bytes[CHECKED_FROM..]);
    bytes[12..CHECKED_FROM].copy_from_slice(&crc.to_be_bytes());
    bytes.into()
}

#[test]
fn the_golden_file_is_what_is_written() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/recovery-index-v1.bin");
    if std::env::var_os("FIRN_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, golden()).unwrap();
    }
    assert_eq!(std::fs::read(&path).unwrap(), golden());
}

#[test]
fn it_reads_back_with_runs_in_slot_order_by_partition() {
    let index = RecoveryIndex::decode(&golden()).unwrap();
    assert_eq!(
        (index.incarnation, index.fence, index.slots.len()),
        (DEAD, Slot(9), 3)
    );
    let runs = index.runs();
    let at: Vec<_> = runs[&partition(7, 2)]
        .iter()
        .map(|run| (run.slot.0, run.meta.first.0, run.meta.last.0))
        .collect();
    assert_eq!(at, [(6, 100, 104), (7, 105, 105)]);
    assert_eq!(runs.len(), 2);
}

#[test]
fn a_log_without_slots_has_an_index_too() {
    let index = RecoveryIndex::decode(&RecoveryIndex::encode(DEAD, Slot(5), &[])).unwrap();
    assert_eq!((index.fence, index.slots.len()), (Slot(5), 0));
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let bytes = golden();
    for bit in 0..bytes.len() * 8 {
        let mut damaged = bytes.to_vec();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert!(RecoveryIndex::decode(&damaged.into()).is_err(), "bit {bit}");
    }
    for cut in 0..bytes.len() {
        assert!(
            RecoveryIndex::decode(&bytes.slice(..cut)).is_err(),
            "cut at {cut}"
        );
    }
}

#[test]
fn a_newer_version_is_refused_by_number() {
    let mut bytes = golden().to_vec();
    bytes[11] = 2;
    assert_eq!(
        RecoveryIndex::decode(&bytes.into()),
        Err(IndexError::NewerFormat(2))
    );
}

#[test]
fn a_huge_range_of_slots_costs_no_memory() {
    for (first, fence) in [(6, u64::MAX), (0, 9), (9, 6)] {
        let mut bytes = golden().to_vec();
        bytes[32..40].copy_from_slice(&u64::to_be_bytes(first));
        bytes[40..48].copy_from_slice(&u64::to_be_bytes(fence));
        let answer = RecoveryIndex::decode(&rechecked(bytes));
        assert!(matches!(answer, Err(IndexError::Corrupt(_))), "{first}..{fence}");
    }
}

#[test]
fn bytes_behind_the_last_front_are_refused() {
    let mut bytes = golden().to_vec();
    bytes.push(0);
    assert!(RecoveryIndex::decode(&rechecked(bytes)).is_err());
}
