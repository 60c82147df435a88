//! Apache Kafka's own tools for consumer groups against the broker, each with its answers asserted.
//!
//! Everything asserted here is what the tools also say of Apache Kafka 4.3: `KAFKA_BOOTSTRAP=HOST:PORT` runs the same
//! tests against a broker of that version. Sentences are the server's own, so only the names of errors are compared.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

#[path = "group_tools/bench.rs"]
mod bench;

use std::fs;

use bench::{Bench, NEW_YEAR, Offsets, PATIENCE, table, unique};
use serde_json::{Value, json};
use support::kafka_tools::Tool;
use support::records;

const OFFSETS: [&str; 9] = [
    "GROUP",
    "TOPIC",
    "PARTITION",
    "CURRENT-OFFSET",
    "LOG-END-OFFSET",
    "LAG",
    "CONSUMER-ID",
    "HOST",
    "CLIENT-ID",
];

const STATE: [&str; 6] = [
    "GROUP",
    "COORDINATOR",
    "(ID)",
    "ASSIGNMENT-STRATEGY",
    "STATE",
    "#MEMBERS",
];

#[test]
fn kafka_consumer_groups_shows_a_group_with_a_member() {
    let mut bench = Bench::start();
    let (topic, group) = (bench.topic("running", 3), unique("running"));
    bench.produce(
        &topic,
        &[(0, NEW_YEAR, "a"), (0, NEW_YEAR, "b"), (2, NEW_YEAR, "c")],
    );
    let member = bench.member(&topic, &group, None, 3);

    let said = bench.groups(&format!("--describe --group {group}"));
    let rows = table(&said, &OFFSETS);
    let id = rows[0][6].to_owned();
    let uuid = id
        .strip_prefix("firn-test-go-")
        .unwrap_or_else(|| panic!("{said}"));
    assert_eq!(
        uuid.len(),
        36,
        "a member's id is its client's id and a UUID: {said}"
    );
    for (row, [partition, current, end, lag]) in
        rows.iter()
            .zip([["0", "2", "2", "0"], ["1", "-", "0", "-"], ["2", "1", "1", "0"]])
    {
        let expected = [
            group.as_str(),
            &topic,
            partition,
            current,
            end,
            lag,
            &id,
            "/127.0.0.1",
            "firn-test-go",
        ];
        assert_eq!(*row, expected, "{said}");
    }
    assert_eq!(rows.len(), 3, "{said}");

    let said = bench.groups(&format!("--describe --group {group} --members --verbose"));
    let header = "GROUP CONSUMER-ID HOST CLIENT-ID #PARTITIONS \
                  CURRENT-EPOCH CURRENT-ASSIGNMENT TARGET-EPOCH TARGET-ASSIGNMENT";
    let all = format!("{topic}:0,1,2");
    assert_eq!(
        table(&said, &header.split(' ').collect::<Vec<_>>()),
        [[
            group.as_str(),
            &id,
            "/127.0.0.1",
            "firn-test-go",
            "3",
            "-",
            &all,
            "-",
            "-"
        ]]
    );

    let said = bench.groups(&format!("--describe --group {group} --state"));
    let coordinator = bench.server.address.clone();
    let stable = [group.as_str(), &coordinator, "(0)", "range", "Stable", "1"];
    assert_eq!(table(&said, &STATE), [stable]);
    refuses_to_change_what_runs(&mut bench, &topic, &group);
    assert!(member.finish(PATIENCE).success);
    let said = bench.groups(&format!("--describe --group {group} --state"));
    let empty = [group.as_str(), &coordinator, "(0)", "-", "Empty", "0"];
    assert_eq!(table(&said, &STATE), [empty]);
}

fn refuses_to_change_what_runs(bench: &mut Bench, topic: &str, group: &str) {
    let before = bench.committed(topic, group);
    assert_eq!(before, Offsets::from([(0, 2), (2, 1)]));
    let said = bench.groups(&format!(
        "--reset-offsets --group {group} --all-topics --to-earliest --execute"
    ));
    assert!(said.contains("the current state is Stable"), "{said}");
    let said = bench.groups(&format!("--delete-offsets --group {group} --topic {topic}"));
    assert!(
        said.contains("Encountered some partition-level error"),
        "the group reads the topic: {said}"
    );
    let rows = table(&said, &["TOPIC", "PARTITION", "STATUS"]);
    assert_eq!(rows.len(), 3, "{said}");
    assert!(rows.iter().all(|row| row[2] == "Error:"), "{said}");
    let said = bench.groups(&format!("--delete --group {group}"));
    assert!(said.contains("GroupNotEmptyException"), "{said}");
    assert_eq!(bench.committed(topic, group), before, "nothing has changed");
}

#[test]
fn kafka_consumer_groups_shows_static_members() {
    let mut bench = Bench::start();
    let (topic, group) = (bench.topic("static", 1), unique("static"));
    bench.produce(&topic, &[(0, NEW_YEAR, "a")]);
    let _member = bench.member(&topic, &group, Some("the-one"), 1);
    let said = bench.groups(&format!("--describe --group {group} --members"));
    let header = "GROUP CONSUMER-ID GROUP-INSTANCE-ID HOST CLIENT-ID #PARTITIONS";
    let rows = table(&said, &header.split(' ').collect::<Vec<_>>());
    assert_eq!(rows.len(), 1, "{said}");
    let uuid = rows[0][1].strip_prefix("the-one-").map(str::len);
    assert_eq!(
        uuid,
        Some(36),
        "a static member's id is its instance's and a UUID: {said}"
    );
    assert_eq!(rows[0][2..], ["the-one", "/127.0.0.1", "firn-test-go", "1"]);
}

#[test]
fn kafka_consumer_groups_lists_groups_by_state_and_type() {
    let mut bench = Bench::start();
    let topic = bench.topic("listed", 1);
    let (running, empty) = (unique("listed-running"), unique("listed-empty"));
    bench.produce(&topic, &[(0, NEW_YEAR, "a")]);
    let _member = bench.member(&topic, &running, None, 1);
    bench.reset(&empty, &format!("--topic {topic} --to-latest --execute"));

    let said = bench.groups("--list");
    let listed: Vec<_> = said.lines().collect();
    assert!(
        listed.contains(&running.as_str()) && listed.contains(&empty.as_str()),
        "{said}"
    );
    for (args, header, expected) in [
        (
            "--state",
            "GROUP STATE",
            vec![vec![&*empty, "Empty"], vec![&*running, "Stable"]],
        ),
        ("--state stable", "GROUP STATE", vec![vec![&*running, "Stable"]]),
        ("--state empty", "GROUP STATE", vec![vec![&*empty, "Empty"]]),
        ("--state PreparingRebalance", "GROUP STATE", vec![]),
        (
            "--type",
            "GROUP TYPE",
            vec![vec![&*empty, "Classic"], vec![&*running, "Classic"]],
        ),
        ("--type consumer", "GROUP TYPE", vec![]),
        (
            "--type classic --state empty",
            "GROUP TYPE STATE",
            vec![vec![&*empty, "Classic", "Empty"]],
        ),
    ] {
        let said = bench.groups(&format!("--list {args}"));
        let rows = table(&said, &header.split(' ').collect::<Vec<_>>());
        // A broker that outlives the test has groups of other tests too.
        let mut ours: Vec<_> = rows
            .into_iter()
            .filter(|row| row[0] == running || row[0] == empty)
            .collect();
        ours.sort();
        assert_eq!(ours, expected, "{args}: {said}");
    }
    let said = bench.groups(&format!("--describe --group {}", unique("absent")));
    assert!(said.contains("GroupIdNotFoundException"), "{said}");
}

#[test]
fn kafka_consumer_groups_resets_offsets_by_every_method() {
    let mut bench = Bench::start();
    let (topic, group) = (bench.topic("reset", 2), unique("reset"));
    let minute = 60_000;
    // One batch for each record, so that every timestamp is findable.
    for record in [
        (0, NEW_YEAR, "a"),
        (0, NEW_YEAR + minute, "b"),
        (0, NEW_YEAR + 2 * minute, "c"),
        (0, NEW_YEAR + 3 * minute, "d"),
        (0, records::now_millis(), "e"),
        (1, NEW_YEAR + minute, "f"),
    ] {
        bench.produce(&topic, &[record]);
    }
    delete_records_before(&mut bench, &topic, 0, 1);
    let file = bench.server.scratch("plan.csv");
    fs::write(&file, format!("{topic},0,4\n{topic},1,1\n")).unwrap();
    let from_file = format!("--from-file {}", file.display());
    let scope = format!("--topic {topic}");

    let mut before = Offsets::new();
    for (scope, method, expected) in [
        (&*scope, "--to-latest", [5, 1]),
        ("--all-topics", "--shift-by -2", [3, 0]),
        (&*scope, "--to-current", [3, 0]),
        (&*scope, "--shift-by 1", [4, 1]),
        (&*scope, "--to-offset 2", [2, 1]),
        (&*scope, "--to-datetime 2025-01-01T00:02:30.000", [3, 1]),
        (&*scope, "--by-duration P1D", [4, 1]),
        ("--all-topics", "--to-earliest", [1, 0]),
        ("", &*from_file, [4, 1]),
    ] {
        let expected: Offsets = expected.into_iter().enumerate().collect();
        let args = format!("{scope} {method}");
        assert_eq!(
            bench.reset(&group, &format!("{args} --dry-run")),
            expected,
            "{args}"
        );
        assert_eq!(
            bench.committed(&topic, &group),
            before,
            "{args}: a dry run changes nothing"
        );
        assert_eq!(
            bench.reset(&group, &format!("{args} --execute")),
            expected,
            "{args}"
        );
        assert_eq!(bench.committed(&topic, &group), expected, "{args}");
        before = expected;
    }
    shows_lag(&mut bench, &topic, &group);
    let one = bench.reset(&group, &format!("--topic {topic}:1 --to-earliest --execute"));
    assert_eq!(one, Offsets::from([(1, 0)]));
    assert_eq!(
        bench.committed(&topic, &group),
        Offsets::from([(0, 4), (1, 0)]),
        "of one partition"
    );
}

/// What an empty group with the offsets 4 of 5 and 1 of 1 looks like.
fn shows_lag(bench: &mut Bench, topic: &str, group: &str) {
    let said = bench
        .tools
        .run(Tool::ConsumerGroups, &format!("--describe --group {group}"));
    assert!(said.err.contains("has no active members"), "{said:?}");
    assert_eq!(
        table(&said.out, &OFFSETS),
        [
            [group, topic, "0", "4", "5", "1", "-", "-", "-"],
            [group, topic, "1", "1", "1", "0", "-", "-", "-"]
        ]
    );
}

fn delete_records_before(bench: &mut Bench, topic: &str, partition: usize, offset: u64) {
    let file = bench.server.scratch("offsets.json");
    let partitions: Vec<Value> = vec![json!({"topic": topic, "partition": partition, "offset": offset})];
    fs::write(&file, json!({"version": 1, "partitions": partitions}).to_string()).unwrap();
    let said = bench.tools.ok(
        Tool::DeleteRecords,
        &format!("--offset-json-file {}", file.display()),
    );
    assert!(said.contains(&format!("low_watermark: {offset}")), "{said}");
}

#[test]
fn kafka_consumer_groups_deletes_offsets_and_groups() {
    let mut bench = Bench::start();
    let (topic, group) = (bench.topic("deleted", 3), unique("deleted"));
    bench.reset(&group, &format!("--topic {topic} --to-latest --execute"));
    assert_eq!(
        bench.committed(&topic, &group),
        Offsets::from([(0, 0), (1, 0), (2, 0)])
    );

    let said = bench.groups(&format!("--delete-offsets --group {group} --topic {topic}:1"));
    assert!(
        said.contains(&format!(
            "Request succeeded for deleting offsets from group {group}."
        )),
        "{said}"
    );
    assert_eq!(
        table(&said, &["TOPIC", "PARTITION", "STATUS"]),
        [[&*topic, "1", "Successful"]]
    );
    assert_eq!(
        bench.committed(&topic, &group),
        Offsets::from([(0, 0), (2, 0)]),
        "of one partition"
    );

    let said = bench.groups(&format!("--delete --group {group}"));
    let done = format!("Deletion of requested consumer groups ('{group}') was successful.");
    assert!(said.contains(&done), "{said}");
    assert!(!bench.groups("--list").lines().any(|line| line == group));
    assert_eq!(bench.committed(&topic, &group), Offsets::new());
    let said = bench.groups(&format!("--delete --group {group}"));
    assert!(
        said.contains("GroupIdNotFoundException"),
        "it is gone already: {said}"
    );
    let said = bench.groups(&format!("--delete-offsets --group {group} --topic {topic}"));
    assert!(said.contains("Error:"), "{said}");

    let group = unique("deleted-whole");
    bench.reset(&group, &format!("--topic {topic} --to-latest --execute"));
    let said = bench.groups(&format!("--delete-offsets --group {group} --topic {topic}"));
    let all = ["0", "1", "2"].map(|partition| [&*topic, partition, "Successful"]);
    assert_eq!(table(&said, &["TOPIC", "PARTITION", "STATUS"]), all);
    assert_eq!(
        bench.committed(&topic, &group),
        Offsets::new(),
        "of the whole topic"
    );
}

#[test]
fn kafka_verifiable_consumer_reads_a_thousand_records() {
    let mut bench = Bench::start();
    let (topic, group) = (bench.topic("verifiable", 3), unique("verifiable"));
    let records: Vec<_> = (0..1000)
        .map(|number| (number % 3, NEW_YEAR, "any value"))
        .collect();
    bench.produce(&topic, &records);
    let args = format!("--topic {topic} --group-id {group} --max-messages 1000");
    let said = bench.tools.ok(Tool::VerifiableConsumer, &args);
    let events: Vec<Value> = said
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let named = |name: &str| {
        events
            .iter()
            .filter(|event| event["name"] == name)
            .collect::<Vec<_>>()
    };
    let partitions: Vec<_> = (0..3)
        .map(|partition| json!({"topic": topic, "partition": partition}))
        .collect();
    for name in ["partitions_assigned", "partitions_revoked"] {
        let all: Vec<_> = named(name)
            .iter()
            .flat_map(|event| event["partitions"].as_array().unwrap().clone())
            .collect();
        assert_eq!(all.len(), 3, "{name}: {said}");
        assert!(partitions.iter().all(|each| all.contains(each)), "{name}: {said}");
    }
    let read: u64 = named("records_consumed")
        .iter()
        .map(|event| event["count"].as_u64().unwrap())
        .sum();
    assert_eq!(read, 1000, "{said}");
    let commits = named("offsets_committed");
    assert!(!commits.is_empty(), "{said}");
    assert!(commits.iter().all(|event| event["success"] == true), "{said}");
    assert_eq!(
        bench.committed(&topic, &group),
        Offsets::from([(0, 334), (1, 333), (2, 333)])
    );
}

#[test]
fn kafka_console_consumer_goes_on_where_its_group_was() {
    let mut bench = Bench::start();
    let (topic, group) = (bench.topic("console", 1), unique("console"));
    let values = ["one", "two", "three", "four", "five"].map(|value| (0, NEW_YEAR, value));
    bench.produce(&topic, &values);
    let args = format!("--topic {topic} --group {group} --from-beginning --max-messages");
    let first = bench.tools.ok(Tool::ConsoleConsumer, &format!("{args} 3"));
    assert_eq!(first, "one\ntwo\nthree\n");
    assert_eq!(
        bench.committed(&topic, &group),
        Offsets::from([(0, 3)]),
        "it commits what it has shown as it leaves"
    );
    let second = bench.tools.ok(Tool::ConsoleConsumer, &format!("{args} 2"));
    assert_eq!(second, "four\nfive\n");
    assert_eq!(bench.committed(&topic, &group), Offsets::from([(0, 5)]));
}
