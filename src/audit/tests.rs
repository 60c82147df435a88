//! Nothing is changed, dropped, moved or put in without being noticed.

use firn_catalog::audit::Trail;
use firn_catalog::audit::chain::{Chained, FIRST, Line};
use firn_catalog::audit::verifying::Head;
use firn_catalog::ids::{AuditId, ClusterId};

use super::*;

fn chain(cluster: u128, rows: i64) -> Vec<Line> {
    let mut previous = FIRST.to_owned();
    let mut lines = Vec::new();
    for position in 1..=rows {
        let detail = format!(r#"{{"after":{{"partitions":{position},"name":"é\n"}},"before":null}}"#);
        let id = AuditId(u128::try_from(position).expect("positive") << 70);
        let mut line: Line = serde_json::from_value(serde_json::json!({
            "trail": Trail::Cluster(ClusterId(cluster)).to_string(),
            "position": position,
            "id": id.public(),
            "at": Moment(Timestamp(1_795_881_693_000 + position)).to_string(),
            "principal": "User:alice",
            "credential": if position % 2 == 0 { Some("key_x") } else { None },
            "address": "192.0.2.1",
            "request_id": "kafka-1-2-3",
            "action": "create_topic",
            "resource_kind": "topic",
            "resource": format!("orders\u{1b}{position}"),
            "decision": if position % 3 == 0 { "denied" } else { "allowed" },
            "detail": null,
            "previous_hash": previous,
            "hash": "",
        }))
        .expect("a line");
        line.detail = serde_json::value::RawValue::from_string(detail).expect("JSON");
        line.hash = line.chained().expect("a row's texts").hash(&previous);
        previous.clone_from(&line.hash);
        lines.push(line);
    }
    lines
}

fn text(lines: &[Line]) -> String {
    lines.iter().map(|line| line.text() + "\n").collect()
}

fn look(text: &[u8], head: Option<Head>) -> Finding {
    lines(text, Verifier::new(head)).expect("memory can be read")
}

fn broken(text: &[u8]) -> (Option<u64>, Broken) {
    match look(text, None) {
        Finding::Broken(line, why) => (line, why),
        Finding::Holds(verified) => panic!("it holds: {verified:?}"),
    }
}

fn head(lines: &[Line], position: usize) -> Head {
    let line = &lines[position - 1];
    Head {
        trail: line.trail.clone(),
        position: line.position,
        hash: line.hash.clone(),
    }
}

#[test]
fn a_chain_holds_whole_and_from_any_row_on() {
    let lines = chain(1, 20);
    for from in [0, 1, 19] {
        match look(text(&lines[from..]).as_bytes(), None) {
            Finding::Holds(Some(verified)) => {
                assert_eq!(
                    (verified.first - 1, verified.last),
                    (i64::try_from(from).expect("small"), 20)
                );
                assert_eq!(verified.from_the_beginning, from == 0);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(look(b"", None), Finding::Holds(None));
    let whole = text(&lines);
    assert!(matches!(
        look(whole.trim_end().as_bytes(), None),
        Finding::Holds(Some(_))
    ));
}

#[test]
fn a_byte_that_is_flipped_anywhere_is_told_with_its_line() {
    let lines = chain(1, 3);
    let whole = text(&lines);
    let bytes = whole.as_bytes();
    for place in 0..bytes.len() {
        for bit in [0x01, 0x20, 0x80] {
            let mut other = bytes.to_vec();
            other[place] ^= bit;
            let of = 1 + bytes[..place].iter().filter(|byte| **byte == b'\n').count() as u64;
            if place + 1 == bytes.len() {
                // The end of the last line: it is longer by a byte then.
                assert_eq!(broken(&other).0, Some(of), "{place} {bit}");
                continue;
            }
            let (line, why) = broken(&other);
            assert_eq!(line, Some(of), "{place} {bit}: {why}");
        }
    }
}

#[test]
fn lines_that_are_dropped_swapped_doubled_or_put_in_are_told() {
    let lines = chain(1, 6);
    let texts: Vec<String> = lines.iter().map(|line| line.text() + "\n").collect();
    let joined = |order: &[usize]| {
        order
            .iter()
            .map(|place| texts[*place].as_str())
            .collect::<String>()
    };
    for (order, line) in [
        (vec![0, 1, 3, 4, 5], 3),
        (vec![0, 2, 1, 3, 4, 5], 2),
        (vec![0, 1, 1, 2, 3, 4, 5], 3),
        (vec![0, 5, 1, 2, 3, 4], 2),
    ] {
        let (at, why) = broken(joined(&order).as_bytes());
        assert_eq!(at, Some(line), "{order:?}: {why}");
        assert!(matches!(why, Broken::Position { .. }), "{order:?}: {why}");
    }
    let mut foreign = texts.clone();
    foreign[2] = chain(2, 6)[2].text() + "\n";
    assert!(matches!(
        broken(foreign.concat().as_bytes()),
        (Some(3), Broken::OtherTrail { .. })
    ));
    // One that is right by itself, but was not there.
    let mut invented = chain(1, 6);
    invented[2].resource = "other".to_owned();
    let hash = |line: &Line| {
        line.chained()
            .map(|row: Chained<'_>| row.hash(&line.previous_hash))
    };
    invented[2].hash = hash(&invented[2]).expect("a row's texts");
    let (line, why) = broken(text(&invented).as_bytes());
    assert!(
        matches!((line, &why), (Some(4), Broken::PreviousHash { .. })),
        "{line:?} {why}"
    );
    let spaced = text(&lines).replacen("\":", "\": ", 1);
    assert_eq!(broken(spaced.as_bytes()), (Some(1), Broken::Rewritten));
    let long = format!("{{\"trail\":\"{}", "a".repeat(MAX_LINE));
    assert_eq!(broken(long.as_bytes()), (Some(1), Broken::TooLong));
    assert!(matches!(broken(b"\n"), (Some(1), Broken::Unreadable(_))));
}

#[test]
fn a_kept_head_tells_what_was_cut_off_or_written_anew() {
    let lines = chain(1, 10);
    let whole = text(&lines);
    for position in [1, 5, 10] {
        let found = look(whole.as_bytes(), Some(head(&lines, position)));
        assert!(matches!(found, Finding::Holds(Some(_))), "{position}: {found:?}");
    }
    let cut = look(text(&lines[..7]).as_bytes(), Some(head(&lines, 8)));
    assert_eq!(cut, Finding::Broken(None, Broken::CutOff { head: 8, last: 7 }));
    let empty = look(b"", Some(head(&lines, 8)));
    assert_eq!(empty, Finding::Broken(None, Broken::CutOff { head: 8, last: 0 }));
    let later = look(text(&lines[5..]).as_bytes(), Some(head(&lines, 3)));
    assert_eq!(
        later,
        Finding::Broken(None, Broken::BeginsAfterHead { head: 3, first: 6 })
    );
    // What begins right after the head names its hash.
    let on = text(&lines[3..]);
    let found = look(on.as_bytes(), Some(head(&lines, 3)));
    assert!(matches!(found, Finding::Holds(Some(_))), "{found:?}");
    let other = Head {
        hash: "ab".repeat(32),
        ..head(&lines, 3)
    };
    let found = look(on.as_bytes(), Some(other));
    assert_eq!(found, Finding::Broken(Some(1), Broken::HeadHash { position: 3 }));
    let foreign = look(whole.as_bytes(), Some(head(&chain(2, 10), 3)));
    assert!(
        matches!(foreign, Finding::Broken(Some(1), Broken::HeadOfOther { .. })),
        "{foreign:?}"
    );
    let anew = Head {
        hash: "ab".repeat(32),
        ..head(&lines, 4)
    };
    let anew = look(whole.as_bytes(), Some(anew));
    assert_eq!(anew, Finding::Broken(Some(4), Broken::HeadHash { position: 4 }));
}
