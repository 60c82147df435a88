//! Client quotas as Kafka's tools change and list them.

use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::describe_client_quotas_request::ComponentData;
use kafka_protocol::messages::{AlterClientQuotasRequest, DescribeClientQuotasRequest};

use crate::support::Bench;
use crate::support::client::{Client, text};

/// Parts of an entity: type and name, `None` for the default.
type Entity<'a> = &'a [(&'a str, Option<&'a str>)];

const ALICE: Entity<'_> = &[("user", Some("alice"))];
const ALICES_APP: Entity<'_> = &[("user", Some("alice")), ("client-id", Some("app"))];
const ALICES_CLIENTS: Entity<'_> = &[("user", Some("alice")), ("client-id", None)];
const USERS: Entity<'_> = &[("user", None)];
const APP: Entity<'_> = &[("client-id", Some("app"))];
const ADDRESSES: Entity<'_> = &[("ip", None)];
const ADDRESS: Entity<'_> = &[("ip", Some("10.0.0.1"))];

fn entry(entity: Entity<'_>, ops: &[(&str, Option<f64>)]) -> EntryData {
    let part = |(kind, name): &(&str, Option<&str>)| {
        EntityData::default()
            .with_entity_type(text(kind))
            .with_entity_name(name.map(text))
    };
    let op = |(key, value): &(&str, Option<f64>)| {
        OpData::default()
            .with_key(text(key))
            .with_value(value.unwrap_or_default())
            .with_remove(value.is_none())
    };
    EntryData::default()
        .with_entity(entity.iter().map(part).collect())
        .with_ops(ops.iter().map(op).collect())
}

/// Error and message of each entry.
async fn alter(client: &mut Client, entries: Vec<EntryData>) -> Vec<(i16, String)> {
    let request = AlterClientQuotasRequest::default().with_entries(entries);
    let told = client.call(1, &request).await.entries;
    told.iter()
        .map(|entry| {
            (
                entry.error_code,
                entry.error_message.as_deref().unwrap_or("").to_owned(),
            )
        })
        .collect()
}

/// A filter's component: type, number of the match, name.
type Component<'a> = (&'a str, i8, Option<&'a str>);

async fn ask(
    client: &mut Client,
    components: &[Component<'_>],
    strict: bool,
) -> Result<Vec<(String, String)>, i16> {
    let component = |(kind, matches, name): &Component<'_>| {
        ComponentData::default()
            .with_entity_type(text(kind))
            .with_match_type(*matches)
            .with_match(name.map(text))
    };
    let request = DescribeClientQuotasRequest::default()
        .with_components(components.iter().map(component).collect())
        .with_strict(strict);
    let told = client.call(1, &request).await;
    let Some(entries) = told.entries else {
        assert!(told.error_message.is_some());
        return Err(told.error_code);
    };
    assert_eq!((told.error_code, told.error_message), (0, None));
    let mut found: Vec<_> = entries
        .iter()
        .map(|entry| {
            let part = |part: &kafka_protocol::messages::describe_client_quotas_response::EntityData| {
                format!(
                    "{}={}",
                    &*part.entity_type,
                    part.entity_name.as_deref().unwrap_or("<default>")
                )
            };
            let parts: Vec<_> = entry.entity.iter().map(part).collect();
            let value = |value: &kafka_protocol::messages::describe_client_quotas_response::ValueData| {
                format!("{}={}", &*value.key, value.value)
            };
            let values: Vec<_> = entry.values.iter().map(value).collect();
            (parts.join(","), values.join(","))
        })
        .collect();
    found.sort();
    Ok(found)
}

fn entities(found: Result<Vec<(String, String)>, i16>) -> Vec<String> {
    found.unwrap().into_iter().map(|(entity, _)| entity).collect()
}

fn done(count: usize) -> Vec<(i16, String)> {
    vec![(0, String::new()); count]
}

#[tokio::test]
async fn quotas_are_set_changed_listed_and_removed() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    let set = vec![
        entry(
            ALICE,
            &[
                ("producer_byte_rate", Some(1000.0)),
                ("request_percentage", Some(12.5)),
            ],
        ),
        entry(ALICES_CLIENTS, &[("consumer_byte_rate", Some(2000.0))]),
        entry(ADDRESS, &[("connection_creation_rate", Some(5.0))]),
    ];
    assert_eq!(alter(&mut client, set).await, done(3));
    // Answered once it is in force.
    let image = bench.images.image();
    let quotas = image.quotas(bench.cluster).unwrap();
    let applied = quotas.of("alice", "x", firn_catalog::quota::QuotaKey::ConsumerByteRate);
    assert_eq!(applied.unwrap().value, 2000.0);
    let pair = |entity: &str, values: &str| (entity.to_owned(), values.to_owned());
    assert_eq!(
        ask(&mut client, &[], false).await.unwrap(),
        [
            pair("ip=10.0.0.1", "connection_creation_rate=5"),
            pair("user=alice", "producer_byte_rate=1000,request_percentage=12.5"),
            pair("user=alice,client-id=<default>", "consumer_byte_rate=2000"),
        ]
    );
    let change = entry(
        ALICE,
        &[("producer_byte_rate", None), ("consumer_byte_rate", Some(7.0))],
    );
    let rehearsal = AlterClientQuotasRequest::default()
        .with_entries(vec![change.clone()])
        .with_validate_only(true);
    assert_eq!(client.call(0, &rehearsal).await.entries[0].error_code, 0);
    let alices = [("user", 0, Some("alice"))];
    let before = ask(&mut client, &alices, true).await.unwrap();
    assert_eq!(
        before,
        [pair(
            "user=alice",
            "producer_byte_rate=1000,request_percentage=12.5"
        )]
    );
    assert_eq!(alter(&mut client, vec![change]).await, done(1));
    let after = ask(&mut client, &alices, true).await.unwrap();
    assert_eq!(
        after,
        [pair("user=alice", "consumer_byte_rate=7,request_percentage=12.5")]
    );
    let gone = vec![
        entry(
            ALICE,
            &[("consumer_byte_rate", None), ("request_percentage", None)],
        ),
        entry(ALICES_CLIENTS, &[("consumer_byte_rate", None)]),
        entry(ADDRESS, &[("connection_creation_rate", None)]),
    ];
    assert_eq!(alter(&mut client, gone).await, done(3));
    assert_eq!(ask(&mut client, &[], false).await.unwrap(), []);
    bench.stop().await;
}

/// Filters, whether they are strict, and what they find.
const FILTERS: &[(&[Component<'_>], bool, &[&str])] = &[
    (
        &[],
        false,
        &[
            "client-id=app",
            "ip=10.0.0.1",
            "ip=<default>",
            "user=<default>",
            "user=alice",
            "user=alice,client-id=<default>",
            "user=alice,client-id=app",
        ],
    ),
    (&[], true, &[]),
    (
        &[("user", 0, Some("alice"))],
        false,
        &[
            "user=alice",
            "user=alice,client-id=<default>",
            "user=alice,client-id=app",
        ],
    ),
    (&[("user", 0, Some("alice"))], true, &["user=alice"]),
    (&[("user", 0, Some("bob"))], false, &[]),
    (&[("user", 1, None)], false, &["user=<default>"]),
    (
        &[("user", 2, None)],
        false,
        &[
            "user=<default>",
            "user=alice",
            "user=alice,client-id=<default>",
            "user=alice,client-id=app",
        ],
    ),
    (&[("user", 2, None)], true, &["user=<default>", "user=alice"]),
    (
        &[("client-id", 0, Some("app"))],
        false,
        &["client-id=app", "user=alice,client-id=app"],
    ),
    (&[("client-id", 0, Some("app"))], true, &["client-id=app"]),
    (
        &[("client-id", 1, None), ("user", 0, Some("alice"))],
        true,
        &["user=alice,client-id=<default>"],
    ),
    (
        &[("client-id", 2, None), ("user", 2, None)],
        false,
        &["user=alice,client-id=<default>", "user=alice,client-id=app"],
    ),
    (&[("ip", 2, None)], true, &["ip=10.0.0.1", "ip=<default>"]),
    (&[("ip", 0, Some("10.0.0.1"))], false, &["ip=10.0.0.1"]),
    (&[("ip", 0, Some("::ffff:10.0.0.1"))], false, &["ip=10.0.0.1"]),
    (&[("ip", 0, Some("localhost"))], false, &[]),
    (&[("ip", 1, None)], false, &["ip=<default>"]),
];

/// What is no filter, and with which error it is refused.
const NO_FILTERS: &[(&[Component<'_>], i16)] = &[
    (&[("group", 2, None)], 35),
    (&[("", 2, None)], 35),
    (&[("user", 2, None), ("user", 1, None)], 42),
    (&[("user", 2, None), ("ip", 2, None)], 42),
    (&[("user", 3, None)], 42),
    (&[("user", -1, None)], 42),
    (&[("user", 0, None)], 42),
    (&[("user", 1, Some("alice"))], 42),
    (&[("user", 2, Some("alice"))], 42),
];

#[tokio::test]
async fn a_filter_takes_what_kafkas_takes() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    let rate = |entity| entry(entity, &[("request_percentage", Some(1.0))]);
    let connections = |entity| entry(entity, &[("connection_creation_rate", Some(1.0))]);
    let mut set: Vec<_> = [ALICE, ALICES_APP, ALICES_CLIENTS, USERS, APP].map(rate).into();
    set.extend([ADDRESSES, ADDRESS].map(connections));
    assert_eq!(alter(&mut client, set).await, done(7));
    for (components, strict, expected) in FILTERS {
        let found = entities(ask(&mut client, components, *strict).await);
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{components:?} strict={strict}");
    }
    for (components, error) in NO_FILTERS {
        assert_eq!(
            ask(&mut client, components, false).await,
            Err(*error),
            "{components:?}"
        );
    }
    bench.stop().await;
}

/// What is no quota, and what is said of it.
fn no_quotas() -> Vec<(EntryData, &'static str)> {
    let rate = [("request_percentage", Some(1.0))];
    let nothing: Entity<'_> = &[];
    vec![
        (entry(nothing, &rate), "no part"),
        (entry(&[("group", Some("g"))], &rate), "'group'"),
        (
            entry(&[("user", Some("a")), ("user", Some("b"))], &rate),
            "two parts user",
        ),
        (
            entry(&[("user", Some("a")), ("ip", Some("10.0.0.1"))], &rate),
            "no other part",
        ),
        (entry(&[("user", Some(""))], &rate), "empty"),
        (entry(&[("user", Some("a\n"))], &rate), "control character"),
        (entry(&[("user", Some(&"x".repeat(256)))], &rate), "255 bytes"),
        (
            entry(
                &[("ip", Some("localhost"))],
                &[("connection_creation_rate", Some(1.0))],
            ),
            "not an address",
        ),
        (
            entry(
                &[("user", Some("a"))],
                &[("leader.replication.throttled.rate", Some(1.0))],
            ),
            "'leader.replication",
        ),
        (
            entry(&[("user", Some("b"))], &[("connection_creation_rate", Some(1.0))]),
            "connection_creation_rate",
        ),
        (entry(ADDRESSES, &rate), "request_percentage"),
        (
            entry(&[("user", Some("c"))], &[("producer_byte_rate", Some(0.0))]),
            "producer_byte_rate",
        ),
        (
            entry(&[("user", Some("d"))], &[("producer_byte_rate", Some(1.5))]),
            "whole number",
        ),
        (
            entry(&[("user", Some("e"))], &[("request_percentage", Some(f64::NAN))]),
            "request_percentage",
        ),
        (
            entry(
                &[("user", Some("f"))],
                &[("request_percentage", Some(1.0)), ("request_percentage", None)],
            ),
            "twice",
        ),
        (entry(APP, &rate), "twice"),
        (entry(APP, &rate), "twice"),
    ]
}

#[tokio::test]
async fn what_is_no_quota_is_refused_by_name_and_the_others_are_set() {
    let bench = Bench::start().await;
    let mut client = bench.client().await;
    let rate = [("request_percentage", Some(1.0))];
    let bad = no_quotas();
    let mut entries = vec![entry(ALICE, &rate)];
    entries.extend(bad.iter().map(|(entry, _)| entry.clone()));
    let told = alter(&mut client, entries).await;
    assert_eq!(told[0], (0, String::new()));
    for ((entry, says), (error, message)) in bad.iter().zip(&told[1..]) {
        assert_eq!(*error, 42, "{entry:?}: {message}");
        assert!(message.contains(says), "{entry:?}: {message}");
    }
    assert_eq!(entities(ask(&mut client, &[], false).await), ["user=alice"]);
    let many: Vec<_> = (0..501)
        .map(|number| entry(&[("user", Some(&format!("user-{number}")))], &rate))
        .collect();
    let told = alter(&mut client, many).await;
    assert!(told.iter().all(|(error, _)| *error == 42) && told.len() == 501);
    assert_eq!(entities(ask(&mut client, &[], false).await), ["user=alice"]);
    bench.stop().await;
}
