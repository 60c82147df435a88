//! What expressions match, what they refuse, and that nothing makes them fail.

use bytes::Bytes;
use firn_runtime::{Random, SeededRandom};

use super::*;

const VALUE: &str = r#"{"id":7,"total":12.5,"ok":true,"who":{"name":"Ada","tags":["a","b"]},"none":null,"big":9007199254740993}"#;

fn headers() -> Vec<(Bytes, Option<Bytes>)> {
    vec![
        ("source".into(), Some("web".into())),
        ("source".into(), Some("app".into())),
        ("empty".into(), None),
    ]
}

fn matches(text: &str) -> bool {
    let headers = headers();
    let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    filter.matches(&Subject {
        key: Some(br#"{"k":1}"#),
        value: Some(VALUE.as_bytes()),
        headers: &headers,
        partition: 3,
        offset: 1_000,
        timestamp: 1_700_000_000_000,
    })
}

#[track_caller]
fn refused(text: &str) -> FilterError {
    Filter::parse(text).expect_err(text)
}

#[test]
fn fields_of_a_record_compare() {
    for text in [
        "partition == 3 && offset >= 1000 && offset < 1001",
        "partition in [1, 2, 3]",
        r#"key.startsWith("{") && value.endsWith("}")"#,
        r#"value.contains("\"Ada\"")"#,
        "json.id == 7 && json.id != 8 && json.total > 12 && json.total <= 12.5",
        "json.total == 12.5 && json.id == 7.0 && json.id < 7.5 && json.id > 6.5",
        r#"json.who.name == "Ada" && json["who"]["tags"][1] == "b""#,
        r#"json.who.tags == ["a", "b"] && "a" in json.who.tags && size(json.who.tags) == 2"#,
        "json.ok",
        "!(json.id == 8)",
        "json.none == null && has(json.none) && !has(json.absent)",
        "keyjson.k == 1",
        r#"headers["source"] == "app" && headers.source == "app" && "source" in headers && headers["empty"] == null"#,
        r#"timestamp >= timestamp("2023-11-14T22:13:20Z") && timestamp < timestamp("2024-01-01T00:00:00+01:00")"#,
        r#"json.who.name.matches(r"^A\w+$") && !value.matches("(?i)xyz")"#,
        "size > 100 && size(value) > 100",
        "json.big == 9007199254740993 && json.big != 9007199254740992",
        "-1 < json.id",
    ] {
        assert!(matches(text), "{text}");
    }
}

#[test]
fn what_is_missing_or_of_another_kind_matches_nothing_unless_the_other_side_decides() {
    for text in [
        "json.absent == 1",
        "json.absent != 1",
        "!(json.absent == 1)",
        r#"json.id < "8""#,
        r#"key.contains(partition) || json.x"#,
        "json.who > 1",
        "json.id.deeper == 1",
        "json.who.tags[7] == 1",
        "json.who.tags[-1] == 1",
        r#"headers["absent"] == "x""#,
        "json.id",
        "partition == \"3\"",
    ] {
        assert!(!matches(text), "{text}");
    }
    assert!(matches("json.absent == 1 || json.id == 7"));
    assert!(matches("json.id == 7 || json.absent == 1"));
    assert!(!matches("json.absent == 1 && json.id == 7"));
    assert!(matches("!(json.absent == 1 && json.id == 8)"));
    let tombstone = Subject::default();
    let holds = |text: &str| Filter::parse(text).unwrap().matches(&tombstone);
    assert!(holds("value == null && key == null && size == 0"));
    assert!(!holds(r#"value.contains("a")"#) && !holds("json.a == 1"));
}

#[test]
fn a_text_that_is_no_expression_is_told_where_and_what_was_expected() {
    let error = refused("json.a = 1");
    assert_eq!(error.position, 8);
    assert!(error.expected.contains("=="), "{error}");
    for (text, position, word) in [
        ("", 1, "field"),
        ("json.a ==", 10, "value"),
        ("jsn.a == 1", 1, "no field"),
        ("json.a == 1 1", 13, "operator"),
        ("(json.a == 1", 13, ")"),
        ("json.a == \"x", 11, "quote"),
        ("json.a & json.b", 8, "&&"),
        ("json.a == 1 == 2", 13, "chain"),
        ("json.a + 1 == 2", 8, "calculate"),
        ("key.size()", 5, "contains"),
        ("key.matches(\"(\")", 13, "regular"),
        ("key.matches(value)", 13, "pattern"),
        ("timestamp > timestamp(\"yesterday\")", 23, "moment"),
        ("exists(json.a)", 1, "function"),
        ("has(json)", 1, "within"),
        ("key", 1, "condition"),
        ("\"a\\q\" == key", 4, "escapes"),
        ("99999999999999999999 == 1", 1, "64 bits"),
        ("1e999 == 1", 1, "64 bits"),
    ] {
        let error = refused(text);
        assert_eq!(error.position, position, "{text}: {error}");
        assert!(error.expected.contains(word), "{text}: {error}");
    }
}

#[test]
fn length_depth_and_patterns_are_bounded() {
    refused(&format!("key == \"{}\"", "x".repeat(MAX_LENGTH)));
    refused(&format!("{}true{}", "(".repeat(900), ")".repeat(900)));
    refused(&"!".repeat(1_900));
    refused(&format!("json{} == 1", ".a".repeat(900)));
    refused(&format!("json{} == 1", "[0".repeat(900)));
    refused(&format!("1 in [{}1]", "1,".repeat(900)));
    let error = refused(r#"value.matches("(\\w{100}){100}")"#);
    assert!(error.expected.contains("large"), "{error}");
    refused(&format!(
        "value.matches(\"{}a{}\")",
        "(".repeat(400),
        ")".repeat(400)
    ));
    // Bytes are counted: what is escaped in a request's head has several of each letter.
    let error = refused(&format!("key == \"{}\"", "ü".repeat(1_000)));
    assert!(
        error.expected.contains("bytes") && error.position < 1_010,
        "{error}"
    );
    // As long as may be, flat.
    let long = vec!["json.id == 8"; 120].join("||");
    assert!(!matches(&long) && matches(&format!("{long}||true")));
}

/// Deterministic numbers below `bound`.
fn below(random: &SeededRandom, bound: usize) -> usize {
    let mut bytes = [0; 8];
    random.fill(&mut bytes);
    usize::try_from(u64::from_le_bytes(bytes) % bound as u64).unwrap()
}

/// What texts are put together from.
const PIECES: [&str; 42] = [
    "json",
    "key",
    "value",
    "keyjson",
    "headers",
    "partition",
    "offset",
    "timestamp",
    "size",
    "has",
    "in",
    "true",
    "null",
    "(",
    ")",
    "[",
    "]",
    ".",
    ",",
    "==",
    "!=",
    "<",
    ">=",
    "&&",
    "||",
    "!",
    "-",
    "1",
    "2.5",
    "1e5",
    "\"a\"",
    "'b'",
    "r\"c\"",
    ".contains(",
    ".matches(",
    "\"\\u0041\"",
    " ",
    "é",
    "\u{0}",
    "\\",
    "=",
    "\"2026-01-01T00:00:00Z\"",
];
/// What records hold.
const VALUES: [&[u8]; 8] = [
    b"",
    b"\xff\xfe",
    b"null",
    b"[1,[2,{\"a\":3}]]",
    b"{\"a\":{\"b\":[1]}}",
    b"1e400",
    b"\"text\"",
    b"{",
];

#[test]
fn no_text_and_no_record_makes_it_fail() {
    let random = SeededRandom::new(8);
    let headers = headers();
    let mut read = 0;
    for _ in 0..60_000 {
        let text: String = (0..1 + below(&random, 9))
            .map(|_| PIECES[below(&random, PIECES.len())])
            .collect();
        let Ok(filter) = Filter::parse(&text) else {
            continue;
        };
        read += 1;
        for value in VALUES {
            let subject = Subject {
                key: Some(value),
                value: (!value.is_empty()).then_some(value),
                headers: &headers,
                partition: i32::MAX,
                offset: i64::MIN,
                timestamp: i64::MAX,
            };
            // Twice the same.
            assert_eq!(filter.matches(&subject), filter.matches(&subject), "{text}");
        }
    }
    assert!(read > 100, "only {read} of them were expressions");
}

#[test]
fn a_value_is_read_as_text_once_however_often_it_is_named() {
    // Each reading of this would allocate three times its size.
    let value = vec![0xff; 1 << 20];
    let subject = Subject {
        value: Some(&value),
        ..Subject::default()
    };
    let many = vec!["value"; 100].join(",");
    let filter = Filter::parse(&format!("size([{many}]) == 100 && [{many}] == [{many}]"));
    assert!(filter.unwrap().matches(&subject));
}

#[test]
fn patterns_see_the_beginning_of_long_texts_and_only_so_many_of_one_record() {
    let mut value = vec![b'0'; 1 << 20];
    value.push(b'x');
    let subject = Subject {
        value: Some(&value),
        ..Subject::default()
    };
    let matches = |text: &str| Filter::parse(text).unwrap().matches(&subject);
    assert!(matches(r#"value.matches("^0+") && value.endsWith("x")"#));
    assert!(!matches(r#"value.matches("x")"#));
    // Four see all that they may; the fifth, and all that follow, have no answer.
    let four = [r#"value.matches("x")"#; 4].join("||");
    assert!(matches(&format!(r#"{four}||value.startsWith("0")"#)));
    assert!(!matches(&format!(r#"{four}||value.matches("0")"#)));
    let long = vec![r#"value.contains("y")"#; 63].join("||");
    assert!(long.len() < MAX_LENGTH && !matches(&long));
}

#[test]
fn json_that_is_nested_too_deep_is_none() {
    let deep = "[".repeat(100_000);
    let subject = Subject {
        value: Some(deep.as_bytes()),
        ..Subject::default()
    };
    assert!(!Filter::parse("json == 1").unwrap().matches(&subject));
}
