use bytes::{Bytes, BytesMut};
use firn_catalog::ids::{LeaderEpoch, Offset, PartitionId, TopicId};
use firn_runtime::{Random, SeededRandom, Timestamp};

use super::validate::seal_checksum;
use super::*;

const NOW: Timestamp = Timestamp(1_764_000_000_000);

fn three(codec: Compression) -> BytesMut {
    BatchBuilder::new()
        .compression(codec)
        .record(NOW.0, Some(b"a"), Some(b"first"))
        .record(NOW.0 + 5, Some(b""), None)
        .record_with_headers(
            NOW.0 - 7,
            None,
            Some(&[b'x'; 300]),
            &[(b"h", Some(b"v")), (b"n", None)],
        )
        .build()
}

fn check(batch: BytesMut, rules: &BatchRules) -> Result<ValidBatch, BatchError> {
    validate(batch, rules, NOW)
}

fn error(batch: BytesMut) -> BatchError {
    check(batch, &BatchRules::default()).unwrap_err()
}

/// Changes bytes of a batch and makes its checksum right again.
fn tamper(mut batch: BytesMut, at: usize, bytes: &[u8]) -> BytesMut {
    batch[at..at + bytes.len()].copy_from_slice(bytes);
    seal_checksum(&mut batch);
    batch
}

#[test]
fn a_good_batch_passes_unchanged_and_uncopied() {
    for codec in Compression::ALL {
        let batch = three(codec);
        let (before, address) = (batch.clone().freeze(), batch.as_ptr());
        let valid = check(batch, &BatchRules::default()).unwrap();
        assert_eq!(
            (valid.bytes.as_ptr(), &valid.bytes[..]),
            (address, &before[..]),
            "{codec:?}"
        );
        assert_eq!(
            (valid.header.count, valid.producer, valid.transactional),
            (3, None, false)
        );
    }
}

#[test]
fn records_read_back_in_every_codec() {
    for codec in Compression::ALL {
        let read: Vec<_> = records(&three(codec).freeze())
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(read.len(), 3, "{codec:?}");
        assert_eq!(
            (read[0].key.as_deref(), read[0].value.as_deref()),
            (Some(&b"a"[..]), Some(&b"first"[..]))
        );
        assert_eq!(
            (read[1].key.as_deref(), read[1].value.as_deref()),
            (Some(&b""[..]), None)
        );
        assert_eq!((read[2].offset_delta, read[2].timestamp), (2, NOW.0 - 7));
        assert_eq!(read[2].headers[1], (Bytes::from_static(b"n"), None));
    }
}

#[test]
fn a_lookup_by_time_finds_the_first_match_in_every_codec() {
    for codec in Compression::ALL {
        let batch = three(codec);
        let after = |least: i64| find_record(&batch, |_, time| time >= least).unwrap();
        assert_eq!(after(NOW.0 + 1), Some((1, NOW.0 + 5)), "{codec:?}");
        assert_eq!(after(NOW.0 + 6), None);
    }
}

#[test]
fn what_is_not_exactly_one_batch_is_refused() {
    let whole = three(Compression::None);
    let mut two = whole.clone();
    two.extend_from_slice(&whole);
    let short = BytesMut::from(&whole[..whole.len() - 1]);
    for batch in [BytesMut::new(), two, short, BytesMut::from(&whole[..40])] {
        assert_eq!(error(batch), BatchError::NotOneBatch);
    }
    assert_eq!(error(tamper(whole, 16, &[1])), BatchError::Magic(1));
}

#[test]
fn checks_answer_in_kafkas_order() {
    // Each batch has the fault named and every fault that is checked later.
    let mut batch = three(Compression::None);
    batch[57..61].copy_from_slice(&9i32.to_be_bytes());
    let small = BatchRules {
        max_bytes: 10,
        ..BatchRules::default()
    };
    let size = batch.len();
    assert_eq!(
        check(batch.clone(), &small).unwrap_err(),
        BatchError::TooLarge { size, max: 10 }
    );
    assert_eq!(error(batch.clone()), BatchError::Checksum);
    batch[7] = 1;
    assert_eq!(
        check(batch.clone(), &small).unwrap_err(),
        BatchError::BaseOffset(1)
    );
    batch[7] = 0;
    seal_checksum(&mut batch);
    assert!(matches!(error(batch), BatchError::Malformed(_)));
}

#[test]
fn header_fields_that_contradict_each_other_are_refused() {
    let batch = three(Compression::None);
    for (at, bytes) in [
        (57, &0i32.to_be_bytes()[..]),    // no records
        (57, &4i32.to_be_bytes()),        // count against last offset
        (23, &i32::MAX.to_be_bytes()),    // last offset without a count
        (21, &(1i16 << 5).to_be_bytes()), // control
        (21, &(1i16 << 4).to_be_bytes()), // transactional without producer
        (21, &7i16.to_be_bytes()),        // unknown codec
        (43, &5i64.to_be_bytes()),        // producer without sequence
    ] {
        assert!(
            matches!(error(tamper(batch.clone(), at, bytes)), BatchError::Malformed(_)),
            "{at}: {bytes:?}"
        );
    }
}

#[test]
fn an_uncompressed_batch_whose_records_do_not_add_up_is_refused() {
    let mut batch = three(Compression::None);
    batch[57..61].copy_from_slice(&2i32.to_be_bytes());
    let two_counted = tamper(batch, 23, &1i32.to_be_bytes());
    assert_eq!(
        error(two_counted),
        BatchError::Malformed("bytes after the last record")
    );
    let first_length = tamper(three(Compression::None), BatchHeader::SIZE, &[0x7e]);
    assert!(matches!(error(first_length), BatchError::Malformed(_)));
}

#[test]
fn a_compacted_topic_names_each_record_without_a_key() {
    let rules = BatchRules {
        compacted: true,
        ..BatchRules::default()
    };
    for codec in Compression::ALL {
        let Err(BatchError::NullKeys(errors)) = check(three(codec), &rules) else {
            panic!("{codec:?}")
        };
        assert_eq!(errors.iter().map(|error| error.index).collect::<Vec<_>>(), [2]);
    }
}

#[test]
fn timestamps_out_of_range_are_named_in_every_codec() {
    let past = BatchRules {
        before_max_ms: 5,
        ..BatchRules::default()
    };
    let future = BatchRules {
        after_max_ms: 4,
        ..BatchRules::default()
    };
    for codec in Compression::ALL {
        for (rules, index) in [(past, 2), (future, 1)] {
            let Err(BatchError::Timestamps(errors)) = check(three(codec), &rules) else {
                panic!("{codec:?}")
            };
            assert_eq!(
                errors.iter().map(|error| error.index).collect::<Vec<_>>(),
                [index]
            );
        }
        let broker = BatchRules {
            timestamp_type: TimestampType::LogAppendTime,
            ..past
        };
        assert!(check(three(codec), &broker).is_ok());
    }
}

#[test]
fn a_producer_may_not_set_the_append_time() {
    assert_eq!(
        error(tamper(three(Compression::None), 21, &8i16.to_be_bytes())),
        BatchError::ProducerSetAppendTime
    );
}

#[test]
fn a_wrong_largest_timestamp_is_set_right() {
    let wrong = tamper(three(Compression::None), 35, &NOW.0.to_be_bytes());
    let valid = check(wrong, &BatchRules::default()).unwrap();
    assert_eq!(valid.header.max_timestamp, NOW.0 + 5);
    assert!(check(valid.bytes, &BatchRules::default()).is_ok());
}

#[test]
fn log_append_time_replaces_all_timestamps_and_the_checksum_fits() {
    let mut valid = check(three(Compression::Zstd), &BatchRules::default()).unwrap();
    stamp_log_append_time(&mut valid, Timestamp(NOW.0 + 99));
    patch(&mut valid.bytes, Offset(1000), LeaderEpoch(4));
    let header = BatchHeader::read(&valid.bytes).unwrap();
    assert_eq!(header.crc, crc32c::crc32c(&valid.bytes[21..]));
    assert_eq!(
        (
            header.base_offset,
            header.partition_leader_epoch,
            header.max_timestamp
        ),
        (1000, 4, NOW.0 + 99)
    );
    let times: Vec<_> = records(&valid.bytes.freeze())
        .unwrap()
        .map(|record| record.unwrap().timestamp)
        .collect();
    assert_eq!(times, [NOW.0 + 99; 3]);
}

#[test]
fn every_codec_is_compressed_anew_into_every_other() {
    for from in Compression::ALL {
        for to in Compression::ALL {
            let rules = BatchRules {
                compression: Some((to, None)),
                ..BatchRules::default()
            };
            let valid = check(three(from), &rules).unwrap();
            assert_eq!(valid.header.compression(), Some(to));
            let again = check(valid.bytes, &BatchRules::default()).unwrap();
            let read: Vec<_> = records(&again.bytes.freeze())
                .unwrap()
                .map(Result::unwrap)
                .collect();
            assert_eq!(
                read,
                records(&three(from).freeze())
                    .unwrap()
                    .map(Result::unwrap)
                    .collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn a_decompression_bomb_is_refused_within_its_bound() {
    let zeros = vec![0u8; 4 << 20];
    for codec in [
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ] {
        let bomb = BatchBuilder::new()
            .compression(codec)
            .record(NOW.0, Some(b"k"), Some(&zeros))
            .build();
        let rules = BatchRules {
            compacted: true,
            max_decompressed_bytes: 1 << 20,
            ..BatchRules::default()
        };
        let refused = check(bomb.clone(), &rules).unwrap_err();
        assert_eq!(
            refused,
            BatchError::DecompressesTooLarge { limit: 1 << 20 },
            "{codec:?}"
        );
        assert!(matches!(
            records_within(&bomb.freeze(), 1 << 20),
            Err(RecordsError::TooLarge { .. })
        ));
    }
}

#[test]
fn batches_share_a_budget_and_one_that_is_over_it_stays_for_another_try() {
    let zeros = vec![0u8; 1 << 20];
    let rules = BatchRules {
        compacted: true,
        ..BatchRules::default()
    };
    for codec in Compression::ALL {
        let compressed = codec != Compression::None;
        let batch = BatchBuilder::new()
            .compression(codec)
            .record(NOW.0, Some(b"k"), Some(&zeros[..1_000_000]))
            .build();
        let mut budget = WorkBudget {
            decompressed: 1_500_000,
            recompressed: 0,
        };
        let mut check = |batch: &mut BytesMut| validate_within(batch, &rules, NOW, &mut budget);
        assert!(check(&mut batch.clone()).is_ok(), "{codec:?}");
        let mut second = batch.clone();
        let refused = check(&mut second).err();
        assert_eq!(refused, compressed.then_some(BatchError::OverBudget), "{codec:?}");
        if compressed {
            assert_eq!(second, batch);
            let mut larger = WorkBudget::default();
            assert!(validate_within(&mut second, &rules, NOW, &mut larger).is_ok());
        }
    }
}

#[test]
fn compressing_anew_has_a_budget_of_its_own() {
    let value = vec![0u8; 100_000];
    for from in [Compression::None, Compression::Gzip] {
        let batch = BatchBuilder::new()
            .compression(from)
            .record(NOW.0, Some(b"k"), Some(&value))
            .build();
        let rules = BatchRules {
            compression: Some((Compression::Lz4, None)),
            ..BatchRules::default()
        };
        let mut budget = WorkBudget {
            decompressed: 0,
            recompressed: 150_000,
        };
        let mut check = || validate_within(&mut batch.clone(), &rules, NOW, &mut budget);
        assert!(check().is_ok());
        assert_eq!(check().unwrap_err(), BatchError::OverBudget);
    }
}

#[test]
fn recompression_does_not_exceed_what_the_topic_takes() {
    let zeros = vec![0u8; 4 << 20];
    let batch = BatchBuilder::new()
        .compression(Compression::Zstd)
        .record(NOW.0, None, Some(&zeros))
        .build();
    let rules = BatchRules {
        compression: Some((Compression::None, None)),
        ..BatchRules::default()
    };
    assert!(matches!(check(batch, &rules), Err(BatchError::TooLarge { .. })));
}

#[test]
fn a_marker_reads_back_and_a_client_cannot_send_one() {
    for commit in [true, false] {
        let marker = Marker {
            commit,
            coordinator_epoch: 12,
        };
        let batch = BatchBuilder::marker(77, 3, marker, NOW.0);
        assert!(matches!(error(batch.clone()), BatchError::Malformed(_)));
        let batch = batch.freeze();
        assert_eq!(read_marker(&batch), Ok(Some(marker)));
        let partition = PartitionId {
            topic: TopicId(1),
            index: 0,
        };
        let meta = BatchMeta::of(partition, &BatchHeader::read(&batch).unwrap(), Some(marker));
        assert!(meta.transactional && meta.producer.unwrap().id == 77);
        assert_eq!(meta.length as usize, batch.len());
    }
}

#[test]
fn sequence_numbers_wrap_to_zero() {
    let batch = BatchBuilder::new()
        .producer(1, 0, i32::MAX)
        .record(1, None, None)
        .record(1, None, None)
        .build();
    let stamp = check(batch, &BatchRules::default()).unwrap().producer.unwrap();
    assert_eq!((stamp.first_sequence, stamp.last_sequence), (i32::MAX, 0));
}

#[test]
fn random_damage_never_panics_and_random_payloads_are_refused_or_true() {
    let random = SeededRandom::new(23);
    let rules = BatchRules {
        compacted: true,
        max_decompressed_bytes: 1 << 20,
        ..BatchRules::default()
    };
    for round in 0..30_000usize {
        let mut batch = three(Compression::ALL[round % 5]);
        let mut draw = [0u8; 24];
        random.fill(&mut draw);
        for hit in draw.chunks(3).take(1 + round % 8) {
            let at = BatchHeader::SIZE - 8
                + usize::from(u16::from_be_bytes([hit[0], hit[1]])) % (batch.len() - 53);
            batch[at] = hit[2];
        }
        if round % 3 == 0 {
            batch.truncate(BatchHeader::SIZE + usize::from(draw[0]) % (batch.len() - BatchHeader::SIZE));
            let length = i32::try_from(batch.len() - 12).unwrap();
            batch[8..12].copy_from_slice(&length.to_be_bytes());
        }
        seal_checksum(&mut batch);
        let _ = check(batch.clone(), &rules);
        let _ = find_record(&batch, |_, _| false);
        if let Ok(records) = records_within(&batch.freeze(), 1 << 20) {
            let _ = records.take(100_000).count();
        }
    }
}
