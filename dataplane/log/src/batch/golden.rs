//! Batches as they are stored, one for each codec, and a marker: what was written once stays readable.

use bytes::Bytes;
use firn_runtime::Timestamp;

use super::*;

const NOW: Timestamp = Timestamp(1_764_000_000_000);

fn folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn name(codec: Compression) -> String {
    format!("batch-{}-v2.bin", codec.name())
}

/// The file of that name; `FIRN_WRITE_GOLDEN=1` writes it first.
fn golden(name: &str, bytes: &[u8]) -> Bytes {
    let path = folder().join(name);
    if std::env::var_os("FIRN_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, bytes).unwrap();
    }
    std::fs::read(&path).unwrap().into()
}

fn batch(codec: Compression) -> Bytes {
    let long = b"firn ".repeat(40);
    let batch = BatchBuilder::new()
        .compression(codec)
        .producer(77, 5, 9)
        .record(1_764_000_000_000, Some(b"a"), Some(b"first"))
        .record(1_764_000_000_005, Some(b""), None)
        .record_with_headers(
            1_763_999_999_993,
            None,
            Some(&long),
            &[(b"h", Some(b"v")), (b"n", None)],
        );
    batch.build().freeze()
}

fn read(batch: &Bytes) -> Vec<RecordView> {
    records(batch).unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_batch_of_each_codec_reads_back() {
    let plain = read(&batch(Compression::None));
    assert_eq!(plain.len(), 3);
    for codec in Compression::ALL {
        let stored = golden(&name(codec), &batch(codec));
        assert_eq!(read(&stored), plain, "{codec:?}");
        let header = BatchHeader::read(&stored).unwrap();
        assert_eq!(header.compression(), Some(codec));
        assert_eq!(
            (
                header.producer_id,
                header.producer_epoch,
                header.base_sequence,
                header.count
            ),
            (77, 5, 9, 3)
        );
        let valid = validate(stored[..].into(), &BatchRules::default(), NOW);
        assert_eq!(valid.unwrap().bytes, stored, "{codec:?}");
    }
}

/// All but the compressed bytes, which belong to the codecs' libraries, is what is written.
#[test]
fn headers_and_plain_records_are_what_is_written() {
    assert_eq!(
        golden(&name(Compression::None), &batch(Compression::None)),
        batch(Compression::None)
    );
    for codec in Compression::ALL {
        let (stored, written) = (golden(&name(codec), &batch(codec)), batch(codec));
        // Between them: the length and the checksum.
        for range in [0..8, 12..17, 21..61] {
            assert_eq!(stored[range.clone()], written[range], "{codec:?}");
        }
    }
}

#[test]
fn a_marker_is_what_is_written_and_reads_back() {
    let marker = Marker {
        commit: true,
        coordinator_epoch: 9,
    };
    let written = BatchBuilder::marker(77, 5, marker, 1_764_000_000_000).freeze();
    let stored = golden("batch-marker-v2.bin", &written);
    assert_eq!(stored, written);
    assert_eq!(read_marker(&stored).unwrap(), Some(marker));
}
