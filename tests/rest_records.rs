//! Records through REST: what real clients produce is read, filtered beyond any page and followed, and what REST produces real clients consume.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

#[path = "rest_records/bounds.rs"]
mod bounds;
mod support;

use std::fmt::Write as _;
use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use support::clients::{Client, Security, kcat};
use support::firn::{Firn, FirnOptions, PATIENCE};
use support::rest::{self, Tenant};
use support::wait_for;

/// A tenant, and how kcat logs in to its cluster.
struct World {
    firn: Firn,
    tenant: Tenant,
    security: Security,
}

impl World {
    fn new(name: &str) -> Self {
        let firn = Firn::start(FirnOptions::unlimited());
        let tenant = Tenant::new(&firn.http, name, None);
        let security = rest::login(&tenant.api_key(), &firn.ca_file());
        Self {
            firn,
            tenant,
            security,
        }
    }

    fn kcat(&self) -> Client {
        let Security {
            mechanism,
            username,
            password,
            authority,
        } = &self.security;
        let authority = authority.as_ref().unwrap().display();
        kcat().args([
            "-b",
            &self.tenant.bootstrap,
            "-X",
            "security.protocol=SASL_SSL",
            "-X",
            &format!("sasl.mechanisms={mechanism}"),
            "-X",
            &format!("sasl.username={username}"),
            "-X",
            &format!("sasl.password={password}"),
            "-X",
            &format!("ssl.ca.location={authority}"),
        ])
    }

    /// Produces lines of a key, a tab and a value.
    fn produce(&self, topic: &str, lines: &str, more: &[&str]) {
        let input = self.firn.options().scratch().join("lines");
        fs::write(&input, lines).unwrap();
        let client = self.kcat().args(["-P", "-t", topic, "-K", "\t"]).args(more);
        client.arg("-l").arg(&input).run();
    }

    /// How many Fetch requests brokers have answered.
    fn fetches(&self) -> f64 {
        let page = self.firn.get("/metrics").body;
        let of_fetch = |line: &&str| line.starts_with("firn_broker_requests") && line.contains("\"Fetch\"");
        let counted = page.lines().filter(of_fetch);
        counted
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    fn path(&self, topic: &str) -> String {
        format!("/v1/clusters/{}/topics/{topic}/records", self.tenant.cluster)
    }

    /// A page; its cursor is the last query parameter.
    fn page(&self, topic: &str, query: &str) -> Value {
        self.tenant.see(&format!("{}?{query}", self.path(topic)))
    }

    /// All pages until the end: items, records scanned, and how many pages.
    fn all(&self, topic: &str, query: &str) -> (Vec<Value>, u64, usize) {
        let (mut items, mut scanned, mut pages) = (Vec::new(), 0, 0);
        let mut cursor = String::new();
        loop {
            let page = self.page(topic, &format!("{query}{cursor}"));
            items.extend(page["items"].as_array().unwrap().clone());
            scanned += page["scanned_records"].as_u64().unwrap();
            pages += 1;
            assert!(pages < 1_000, "it does not come to an end: {page}");
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return (items, scanned, pages),
            }
        }
    }
}

fn text(item: &Value, field: &str) -> String {
    let bytes = STANDARD.decode(item[field].as_str().unwrap()).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// What a query parameter needs.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        write!(escaped, "%{byte:02X}").unwrap();
        escaped
    })
}

/// 400 records of a codec's, numbered on.
fn json_lines(codec: &str, number: usize) -> String {
    let line = |n: usize| {
        let all = number * 400 + n;
        format!("k{n}\t{{\"codec\":\"{codec}\",\"n\":{all},\"pad\":\"{n:0>200}\"}}\n")
    };
    (0..400).map(line).collect()
}

#[test]
fn what_kcat_produces_in_every_codec_is_read_filtered_beyond_pages_and_found_alone() {
    let world = World::new("records");
    world.tenant.topic("orders", 3);
    let codecs = ["none", "gzip", "snappy", "lz4", "zstd"];
    for (number, codec) in (0..).zip(codecs) {
        world.produce(
            "orders",
            &json_lines(codec, number),
            &["-z", codec, "-H", "source=kcat"],
        );
    }

    let (items, scanned, pages) = world.all("orders", "start=earliest&page_size=200");
    assert_eq!((items.len(), scanned), (2_000, 2_000));
    assert!(pages >= 10, "{pages}");
    for partition in 0..3 {
        let offsets: Vec<_> = items
            .iter()
            .filter(|item| item["partition"] == partition)
            .map(|item| item["offset"].as_u64().unwrap())
            .collect();
        assert!(
            offsets.iter().copied().eq(0..offsets.len() as u64),
            "partition {partition}"
        );
    }
    for codec in codecs {
        let of = items.iter().filter(|item| item["compression"] == codec);
        assert_eq!(of.count(), 400, "{codec}");
    }
    assert_eq!(
        items[0]["headers"],
        json!([{ "key": "source", "value": STANDARD.encode("kcat") }])
    );

    // One in two thousand, far behind the first page.
    let filter = escaped(
        r#"json.n == 1777 && json.codec == "zstd" && headers["source"] == "kcat" && key.startsWith("k")"#,
    );
    let (found, scanned, _) = world.all("orders", &format!("start=earliest&page_size=1&filter={filter}"));
    assert_eq!((found.len(), scanned), (1, 2_000));
    assert_eq!(text(&found[0], "key"), "k177");
    let alone = world.tenant.see(&format!(
        "/v1/clusters/{}/topics/orders/partitions/{}/records/{}",
        world.tenant.cluster, found[0]["partition"], found[0]["offset"]
    ));
    assert_eq!(alone, found[0]);
    let missing = format!(
        "/v1/clusters/{}/topics/orders/partitions/0/records/999999",
        world.tenant.cluster
    );
    world.tenant.rest().get(&missing).expect(404);

    ranges(&world, &items);
    refusals(&world);
}

/// Starts, ends, partitions and how much is shown.
fn ranges(world: &World, all: &[Value]) {
    let in_zero = all.iter().filter(|item| item["partition"] == 0).count();
    let (items, ..) = world.all("orders", "partitions=0&start=offset:10&end=offset:15");
    let offsets: Vec<_> = items
        .iter()
        .map(|item| item["offset"].as_u64().unwrap())
        .collect();
    assert_eq!(offsets, [10, 11, 12, 13, 14]);
    let (newest, ..) = world.all("orders", "partitions=0&start=last:7");
    assert_eq!(newest.len(), 7);
    assert_eq!(newest[6]["offset"].as_u64().unwrap(), in_zero as u64 - 1);
    assert_eq!(world.all("orders", "start=last:30").0.len(), 30);
    assert!(world.all("orders", "start=latest").0.is_empty());
    assert!(
        world
            .all("orders", "start=time:2100-01-01T00:00:00Z")
            .0
            .is_empty()
    );
    assert_eq!(
        world
            .all("orders", "start=time:2001-01-01T00:00:00Z&page_size=200")
            .0
            .len(),
        2_000
    );
    assert!(
        world
            .all("orders", "start=earliest&end=time:2001-01-01T00:00:00Z")
            .0
            .is_empty()
    );
    let cut = world.page("orders", "partitions=0&start=offset:0&page_size=1&max_bytes=5");
    let item = &cut["items"][0];
    assert_eq!(
        (text(item, "value").as_str(), &item["truncated"]),
        ("{\"cod", &json!(true))
    );
    assert!(item["value_bytes"].as_u64().unwrap() > 200);
    let progress = cut["progress"][0].clone();
    assert_eq!(progress, json!({ "partition": 0, "position": 1, "end": in_zero }));
    // A page begins where the one before says, whatever comes meanwhile; of other filters the cursor is nothing.
    let cursor = cut["next_cursor"].as_str().unwrap();
    let other = format!(
        "{}?partitions=0&start=offset:1&cursor={cursor}",
        world.path("orders")
    );
    world.tenant.rest().get(&other).expect(400);
}

fn refusals(world: &World) {
    for (query, word) in [
        ("partitions=3", "partitions"),
        ("start=yesterday", "start"),
        ("end=latest", "end"),
        ("follow=true&end=offset:1", "follow"),
        ("wait=21", "wait"),
        ("page_size=201", "page_size"),
        ("max_bytes=9999999", "max_bytes"),
        ("filter=json.a%20%3D%201", "position 8"),
    ] {
        let answer = world
            .tenant
            .rest()
            .get(&format!("{}?{query}", world.path("orders")));
        let problem = answer.expect(400).json();
        assert!(
            problem["detail"].as_str().unwrap().contains(word),
            "{query}: {problem}"
        );
    }
    let viewer = world.tenant.key_of_role("looker", "viewer");
    let rest = world.tenant.rest().with_bearer(&viewer.secret);
    let denied = rest.get(&world.path("orders")).expect(403).json();
    assert!(denied["denial"].as_str().unwrap().starts_with("aud_"), "{denied}");
    let denied = rest
        .post(&world.path("orders"), &json!({ "records": [{}] }))
        .expect(403);
    assert!(denied.json()["denial"].is_string());
    world.tenant.rest().get(&world.path("nothing")).expect(404);
}

#[test]
fn what_rest_produces_kcat_consumes_where_it_would_have_put_it_itself_and_a_tail_sees_it_come() {
    let world = World::new("produced");
    world.tenant.topic("events", 4);
    let tail = world.page("events", "start=latest&follow=true");
    let cursor = tail["next_cursor"].as_str().unwrap().to_owned();

    let record = |n| {
        json!({
            "key": { "text": format!("key-{n}") },
            "value": { "json": { "n": n, "big": 12_345_678_901_234_567_890_u64 } },
            "headers": [{ "key": "h", "value": { "base64": STANDARD.encode([0, 255]) } }, { "key": "h", "value": null }],
        })
    };
    let records: Vec<Value> = (0..20).map(record).collect();
    let body = json!({ "records": records });
    let dry = world
        .tenant
        .rest()
        .post(&format!("{}?dry_run=true", world.path("events")), &body);
    assert!(dry.expect(201).json()["items"][0]["offset"].is_null());
    let path = format!(
        "{}?start=latest&follow=true&wait=20&cursor={cursor}",
        world.path("events")
    );
    let before = world.fetches();
    let waiting = std::thread::spawn({
        let rest = world.tenant.rest().clone();
        move || rest.get(&path).expect(200).json()
    });
    // Its second question is one that waits.
    let waits = || (world.fetches() >= before + 2.0).then_some(());
    wait_for(PATIENCE, waits).expect("the tail asks again and again");
    let produced = world
        .tenant
        .rest()
        .post(&world.path("events"), &body)
        .expect(201)
        .json();
    assert_eq!(produced["items"].as_array().unwrap().len(), 20);
    let seen = waiting.join().unwrap();
    assert!(!seen["items"].as_array().unwrap().is_empty(), "{seen}");
    assert!(seen["next_cursor"].is_string());

    // The same keys by the client's own partitioner.
    let lines: String = (0..20).map(|n| format!("key-{n}\tkcat\n")).collect();
    world.produce("events", &lines, &["-X", "topic.partitioner=murmur2_random"]);
    consumed_where_they_belong(&world);
    audited(&world, 20);
    not_produced(&world);
}

/// Each key is in one partition, whoever produced it.
fn consumed_where_they_belong(world: &World) {
    let consumed = world
        .kcat()
        .args([
            "-C",
            "-t",
            "events",
            "-o",
            "beginning",
            "-e",
            "-q",
            "-f",
            "%k %p %s\n",
        ])
        .run();
    let place = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let key = words.next().unwrap().to_owned();
        (
            key,
            words.next().unwrap().to_owned(),
            words.next().unwrap().to_owned(),
        )
    };
    let consumed: Vec<_> = consumed.lines().map(place).collect();
    assert_eq!(consumed.len(), 40);
    for (key, partition, value) in &consumed {
        let same = consumed.iter().filter(|(other, ..)| other == key);
        assert!(
            same.clone().count() == 2 && same.clone().all(|(_, other, _)| other == partition),
            "{key}"
        );
        assert!(
            value == "kcat" || value.contains("12345678901234567890"),
            "{value}"
        );
    }
}

/// One row, which says how many and where to, and nothing of what they are.
fn audited(world: &World, count: usize) {
    let trail = world.tenant.see(&format!(
        "/v1/clusters/{}/audit?action=produce",
        world.tenant.cluster
    ));
    let rows = trail["items"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{trail}");
    assert_eq!(
        (&rows[0]["resource"], &rows[0]["detail"]["records"]),
        (&json!("events"), &json!(count))
    );
    assert!(!trail.to_string().contains("key-1"));
}

/// What is wrong with any record is told, and nothing is appended.
fn not_produced(world: &World) {
    let end = || world.page("events", "start=latest")["progress"].clone();
    let before = end();
    for (record, pointer) in [
        (json!({ "partition": 4 }), "/records/1/partition"),
        (json!({ "key": { "base64": "?" } }), "/records/1/key/base64"),
        (json!({ "timestamp": "yesterday" }), "/records/1/timestamp"),
        (
            json!({ "headers": [{ "key": "h", "value": { "base64": "=" } }] }),
            "/records/1/headers/0/value/base64",
        ),
        (json!({ "value": { "xml": "a" } }), "/records/1/value"),
    ] {
        let body = json!({ "records": [{ "value": { "text": "good" } }, record] });
        let problem = world
            .tenant
            .rest()
            .post(&world.path("events"), &body)
            .expect(422)
            .json();
        assert!(
            problem["errors"][0]["pointer"]
                .as_str()
                .unwrap()
                .starts_with(pointer),
            "{problem}"
        );
    }
    world
        .tenant
        .rest()
        .post(&world.path("events"), &json!({ "records": [] }))
        .expect(422);
    let limit = json!({ "configs": { "max.message.bytes": "1000" } });
    let topic = format!("/v1/clusters/{}/topics/events", world.tenant.cluster);
    world.tenant.rest().patch(&topic, "*", &limit).success();
    let large = json!({ "records": [{ "value": { "text": "x".repeat(5_000) } }] });
    let problem = world
        .tenant
        .rest()
        .post(&world.path("events"), &large)
        .expect(422)
        .json();
    assert_eq!(problem["errors"][0]["pointer"], "/records/0", "{problem}");
    let failed = format!("/v1/clusters/{}/audit?action=failed", world.tenant.cluster);
    let failed = world.tenant.see(&failed);
    assert_eq!(failed["items"][0]["detail"]["attempted"], "produce", "{failed}");
    assert_eq!(end(), before);
}
