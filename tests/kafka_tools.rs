//! Apache Kafka's own command-line tools against the broker, each with its answers asserted.
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

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use support::clients;
use support::firn::{FirnOptions, PATIENCE};
use support::kafka_tools::{KafkaTools, Tool};
use support::server::{Server, create_topic};
use support::{records, wait_for};

struct Bench {
    server: Server,
    tools: KafkaTools,
}

impl Bench {
    fn start() -> Self {
        let server = Server::start(FirnOptions::default());
        let tools = KafkaTools::start(&server.address);
        Self { server, tools }
    }

    /// Produces record lines of an empty value with these partitions and timestamps.
    fn produce(&self, topic: &str, records: &[(usize, u64)]) {
        let input = self.server.scratch("lines");
        let lines: Vec<_> = records
            .iter()
            .map(|(partition, time)| format!("{partition}\t{time}\t-\t00\t\n"))
            .collect();
        fs::write(&input, lines.concat()).unwrap();
        clients::go()
            .args(["produce", &self.server.address, topic, "none"])
            .input(&input)
            .run();
    }

    /// Asserts what `kafka-get-offsets` prints: `TOPIC:PARTITION:OFFSET` lines.
    fn offsets(&mut self, topic: &str, time: &str, expected: &[(usize, u64)]) {
        let said = self
            .tools
            .ok(Tool::GetOffsets, &format!("--topic {topic} --time {time}"));
        let expected: Vec<_> = expected
            .iter()
            .map(|(partition, offset)| format!("{topic}:{partition}:{offset}"))
            .collect();
        assert_eq!(said.lines().collect::<Vec<_>>(), expected, "--time {time}");
    }

    /// The configs that `kafka-configs --describe` shows, with what is said after their values.
    fn configs(&mut self, entity: &str) -> BTreeMap<String, String> {
        let said = self.tools.ok(Tool::Configs, &format!("{entity} --describe"));
        let pairs = said
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.split_once('='));
        pairs.map(|(key, value)| (key.into(), value.into())).collect()
    }
}

#[test]
fn kafka_topics_creates_lists_describes_grows_and_deletes() {
    let mut bench = Bench::start();
    let topic = format!("tools-{}", std::process::id());
    let tools = &mut bench.tools;
    let create = format!("--create --topic {topic} --partitions 3 --config retention.ms=60000");
    assert_eq!(
        tools.ok(Tool::Topics, &create),
        format!("Created topic {topic}.\n")
    );
    assert!(tools.ok(Tool::Topics, "--list").lines().any(|line| line == topic));
    assert!(
        tools
            .refused(Tool::Topics, &create)
            .contains("TopicExistsException")
    );
    assert_eq!(tools.ok(Tool::Topics, &format!("{create} --if-not-exists")), "");

    let described = tools.ok(Tool::Topics, &format!("--describe --topic {topic}"));
    let head = described.lines().next().unwrap();
    for part in ["PartitionCount: 3", "ReplicationFactor: 1", "retention.ms=60000"] {
        assert!(head.contains(part), "{part} in {head}");
    }
    let id = head
        .split("TopicId: ")
        .nth(1)
        .unwrap()
        .split('\t')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(id.len(), 22, "a topic id of 128 bits in base64: {id}");
    assert_partitions(&described, 3);

    assert_eq!(
        tools.ok(Tool::Topics, &format!("--alter --topic {topic} --partitions 5")),
        ""
    );
    let described = tools.ok(Tool::Topics, &format!("--describe --topic {topic}"));
    assert!(described.contains(&format!("TopicId: {id}")), "the id stays");
    assert_partitions(&described, 5);
    let shrunk = tools.refused(Tool::Topics, &format!("--alter --topic {topic} --partitions 2"));
    assert!(shrunk.contains("InvalidPartitionsException"), "{shrunk}");

    assert_eq!(tools.ok(Tool::Topics, &format!("--delete --topic {topic}")), "");
    assert!(!tools.ok(Tool::Topics, "--list").lines().any(|line| line == topic));
    tools.ok(Tool::Topics, &create);
    let again = tools.ok(Tool::Topics, &format!("--describe --topic {topic}"));
    assert!(
        !again.contains(&format!("TopicId: {id}")),
        "a topic of the same name has another id"
    );
}

fn assert_partitions(described: &str, count: usize) {
    let partitions: Vec<_> = described.lines().skip(1).collect();
    assert_eq!(partitions.len(), count, "{described}");
    for (index, line) in partitions.iter().enumerate() {
        let expected = format!("Partition: {index}\tLeader: 0\tReplicas: 0\tIsr: 0");
        assert!(line.contains(&expected), "{expected} in {line}");
    }
}

#[test]
fn kafka_topics_refuses_what_cannot_be() {
    let mut bench = Bench::start();
    let tools = &mut bench.tools;
    for (args, expected) in [
        ("--create --topic bad,name", "InvalidTopicException"),
        ("--create --topic a --partitions 0", "must be greater than 0"),
        (
            "--create --topic a --config no.such=1",
            "Unknown topic config name: no.such",
        ),
        (
            "--create --topic a --config retention.bytes=-5",
            "InvalidConfigurationException",
        ),
        ("--describe --topic absent", "does not exist as expected"),
        (
            "--alter --topic absent --partitions 2",
            "does not exist as expected",
        ),
        ("--delete --topic absent", "does not exist as expected"),
    ] {
        let said = tools.refused(Tool::Topics, args);
        assert!(said.contains(expected), "{args}: {said}");
    }
    for args in [
        "--alter --topic absent --partitions 2 --if-exists",
        "--delete --topic absent --if-exists",
    ] {
        assert_eq!(tools.ok(Tool::Topics, args), "", "{args}");
    }
}

#[test]
fn kafka_configs_describes_and_alters_topics() {
    let mut bench = Bench::start();
    let topic = bench.server.topic("configs", 1);
    let entity = format!("--topic {topic}");
    assert_eq!(bench.configs(&entity), BTreeMap::new(), "nothing is set yet");
    let all = bench.configs(&format!("{entity} --all"));
    for (key, value) in [
        (
            "cleanup.policy",
            "delete sensitive=false synonyms={DEFAULT_CONFIG:log.cleanup.policy=delete}",
        ),
        (
            "max.message.bytes",
            "1048588 sensitive=false synonyms={DEFAULT_CONFIG:message.max.bytes=1048588}",
        ),
        (
            "compression.type",
            "producer sensitive=false synonyms={DEFAULT_CONFIG:compression.type=producer}",
        ),
    ] {
        assert_eq!(all.get(key).map(String::as_str), Some(value), "{key}");
    }
    assert!(
        all["retention.ms"].starts_with("604800000 "),
        "{}",
        all["retention.ms"]
    );
    assert!(all["message.timestamp.type"].starts_with("CreateTime "));

    let alter = format!("{entity} --alter --add-config max.message.bytes=2000,retention.ms=1000");
    let said = bench.tools.ok(Tool::Configs, &alter);
    assert_eq!(said, format!("Completed updating config for topic {topic}.\n"));
    let set = bench.configs(&entity);
    assert_eq!(
        set.keys().collect::<Vec<_>>(),
        ["max.message.bytes", "retention.ms"]
    );
    let expected = "2000 sensitive=false \
                    synonyms={DYNAMIC_TOPIC_CONFIG:max.message.bytes=2000, DEFAULT_CONFIG:message.max.bytes=1048588}";
    assert_eq!(set["max.message.bytes"], expected);

    bench.tools.ok(
        Tool::Configs,
        &format!("{entity} --alter --delete-config retention.ms"),
    );
    assert_eq!(
        bench.configs(&entity).keys().collect::<Vec<_>>(),
        ["max.message.bytes"]
    );
    for wrong in ["cleanup.policy=nonsense", "retention.ms=soon", "no.such=1"] {
        let said = bench
            .tools
            .refused(Tool::Configs, &format!("{entity} --alter --add-config {wrong}"));
        assert!(said.contains("InvalidConfigurationException"), "{wrong}: {said}");
    }
    assert_eq!(
        bench.configs(&entity).keys().collect::<Vec<_>>(),
        ["max.message.bytes"]
    );
}

#[test]
fn kafka_configs_describes_brokers() {
    let mut bench = Bench::start();
    assert_eq!(
        bench.configs("--broker 0"),
        BTreeMap::new(),
        "nothing is set dynamically"
    );
    let all = bench.configs("--broker 0 --all");
    for (key, value) in [
        ("auto.create.topics.enable", "true "),
        ("message.max.bytes", "1048588 "),
        ("log.retention.hours", "168 "),
        ("log.cleanup.policy", "delete "),
        ("transaction.max.timeout.ms", "900000 "),
        ("socket.request.max.bytes", "104857600 "),
        ("group.initial.rebalance.delay.ms", ""),
        ("num.partitions", ""),
    ] {
        assert!(
            all.get(key).is_some_and(|shown| shown.starts_with(value)),
            "{key}: {:?}",
            all.get(key)
        );
    }
}

#[test]
fn kafka_get_offsets_answers_every_form_of_time() {
    let mut bench = Bench::start();
    let topic = bench.server.topic("offsets", 2);
    let time = records::now_millis() - 60_000;
    bench.offsets(&topic, "latest", &[(0, 0), (1, 0)]);
    bench.offsets(&topic, "earliest", &[(0, 0), (1, 0)]);
    // One batch for each record, so that every timestamp is findable: the third is out of order.
    for record in [(0, time), (0, time + 30), (0, time + 20), (1, time + 10)] {
        bench.produce(&topic, &[record]);
    }
    for latest in ["latest", "-1"] {
        bench.offsets(&topic, latest, &[(0, 3), (1, 1)]);
    }
    for earliest in ["earliest", "-2", "earliest-local", "-4"] {
        bench.offsets(&topic, earliest, &[(0, 0), (1, 0)]);
    }
    for newest in ["max-timestamp", "-3"] {
        bench.offsets(&topic, newest, &[(0, 1), (1, 0)]);
    }
    bench.offsets(&topic, &time.to_string(), &[(0, 0), (1, 0)]);
    bench.offsets(&topic, &(time + 1).to_string(), &[(0, 1), (1, 0)]);
    bench.offsets(&topic, &(time + 11).to_string(), &[(0, 1)]);
    bench.offsets(&topic, &(time + 31).to_string(), &[]);
    let one = bench
        .tools
        .ok(Tool::GetOffsets, &format!("--topic-partitions {topic}:1"));
    assert_eq!(one, format!("{topic}:1:1\n"));
    let absent = bench.tools.refused(Tool::GetOffsets, "--topic absent");
    assert!(
        absent.contains("Could not match any topic-partitions"),
        "{absent}"
    );
}

#[test]
fn kafka_delete_records_moves_the_start_of_a_partition() {
    let mut bench = Bench::start();
    let topic = bench.server.topic("delete", 2);
    let now = records::now_millis();
    bench.produce(&topic, &[(0, now), (0, now), (0, now), (1, now)]);
    let said = delete_records(&mut bench, &topic, &[(0, 2), (1, -1)]);
    assert!(
        said.contains(&format!("partition: {topic}-0\tlow_watermark: 2")),
        "{said}"
    );
    assert!(
        said.contains(&format!("partition: {topic}-1\tlow_watermark: 1")),
        "-1 is the high watermark: {said}"
    );
    bench.offsets(&topic, "earliest", &[(0, 2), (1, 1)]);
    bench.offsets(&topic, "latest", &[(0, 3), (1, 1)]);
    let said = delete_records(&mut bench, &topic, &[(0, 1)]);
    assert!(
        said.contains(&format!("partition: {topic}-0\tlow_watermark: 2")),
        "it never goes back: {said}"
    );
    let said = delete_records(&mut bench, &topic, &[(0, 4)]);
    assert!(said.contains("OffsetOutOfRangeException"), "{said}");
    bench.offsets(&topic, "earliest", &[(0, 2), (1, 1)]);

    let compacted = format!("compacted-{}", std::process::id());
    create_topic(&bench.server.address, &compacted, 1, &["cleanup.policy=compact"]);
    let said = delete_records(&mut bench, &compacted, &[(0, 0)]);
    assert!(said.contains("PolicyViolationException"), "{said}");
}

fn delete_records(bench: &mut Bench, topic: &str, before: &[(usize, i64)]) -> String {
    let file = bench.server.scratch("offsets.json");
    let partitions: Vec<Value> = before
        .iter()
        .map(|(partition, offset)| json!({"topic": topic, "partition": partition, "offset": offset}))
        .collect();
    fs::write(&file, json!({"version": 1, "partitions": partitions}).to_string()).unwrap();
    bench.tools.ok(
        Tool::DeleteRecords,
        &format!("--offset-json-file {}", file.display()),
    )
}

#[test]
fn kafka_log_dirs_tells_the_real_size_of_each_partition() {
    let mut bench = Bench::start();
    let topic = bench.server.topic("sizes", 2);
    let input = bench.server.scratch("input");
    let value = "ab".repeat(100_000);
    fs::write(&input, format!("1\t{}\t-\t{value}\t\n", records::now_millis())).unwrap();
    clients::go()
        .args(["produce", &bench.server.address, &topic, "none"])
        .input(&input)
        .run();
    let sizes = wait_for(PATIENCE, || {
        let sizes = sizes(&mut bench, &topic);
        (sizes[&format!("{topic}-1")] > 0).then_some(sizes)
    });
    let sizes = sizes.expect("the size of what was produced shows");
    assert_eq!(sizes[&format!("{topic}-0")], 0);
    assert!(
        (100_000..101_000).contains(&sizes[&format!("{topic}-1")]),
        "{sizes:?}"
    );
}

fn sizes(bench: &mut Bench, topic: &str) -> BTreeMap<String, u64> {
    let said = bench
        .tools
        .ok(Tool::LogDirs, &format!("--describe --topic-list {topic}"));
    let json: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    let directories = json["brokers"][0]["logDirs"].as_array().unwrap();
    assert_eq!(directories.len(), 1, "one virtual directory: {said}");
    assert_eq!(directories[0]["error"], Value::Null);
    let partitions = directories[0]["partitions"].as_array().unwrap();
    partitions
        .iter()
        .map(|entry| {
            assert_eq!(
                (&entry["offsetLag"], &entry["isFuture"]),
                (&json!(0), &json!(false))
            );
            (
                entry["partition"].as_str().unwrap().into(),
                entry["size"].as_u64().unwrap(),
            )
        })
        .collect()
}

#[test]
fn kafka_broker_api_versions_knows_every_api_that_is_served() {
    let mut bench = Bench::start();
    let said = bench.tools.ok(Tool::BrokerApiVersions, "");
    let head = said.lines().next().unwrap();
    assert!(
        head.starts_with(&format!("{} (id: 0 rack: null", bench.server.address)),
        "{head}"
    );
    let listed: BTreeMap<&str, &str> = said
        .lines()
        .filter_map(|line| line.strip_prefix('\t')?.trim_end_matches(',').split_once(": "))
        .collect();
    let served: BTreeMap<_, _> = listed
        .into_iter()
        .filter(|(_, versions)| *versions != "UNSUPPORTED")
        .collect();
    let expected = BTreeMap::from([
        ("Produce(0)", "0 to 13 [usable: 13]"),
        ("Fetch(1)", "4 to 18 [usable: 18]"),
        ("ListOffsets(2)", "1 to 10 [usable: 10]"),
        ("Metadata(3)", "0 to 13 [usable: 13]"),
        ("OffsetCommit(8)", "2 to 9 [usable: 9]"),
        ("OffsetFetch(9)", "1 to 9 [usable: 9]"),
        ("FindCoordinator(10)", "0 to 6 [usable: 6]"),
        ("JoinGroup(11)", "0 to 9 [usable: 9]"),
        ("Heartbeat(12)", "0 to 4 [usable: 4]"),
        ("LeaveGroup(13)", "0 to 5 [usable: 5]"),
        ("SyncGroup(14)", "0 to 5 [usable: 5]"),
        ("DescribeGroups(15)", "0 to 6 [usable: 6]"),
        ("ListGroups(16)", "0 to 5 [usable: 5]"),
        ("SaslHandshake(17)", "0 to 1 [usable: 1]"),
        ("ApiVersions(18)", "0 to 4 [usable: 4]"),
        ("CreateTopics(19)", "2 to 7 [usable: 7]"),
        ("DeleteTopics(20)", "1 to 6 [usable: 6]"),
        ("DeleteRecords(21)", "0 to 2 [usable: 2]"),
        ("InitProducerId(22)", "0 to 5 [usable: 5]"),
        ("OffsetForLeaderEpoch(23)", "2 to 4 [usable: 4]"),
        ("DescribeAcls(29)", "1 to 3 [usable: 3]"),
        ("CreateAcls(30)", "1 to 3 [usable: 3]"),
        ("DeleteAcls(31)", "1 to 3 [usable: 3]"),
        ("DescribeConfigs(32)", "1 to 4 [usable: 4]"),
        ("AlterConfigs(33)", "0 to 2 [usable: 2]"),
        ("DescribeLogDirs(35)", "1 to 4 [usable: 4]"),
        ("SaslAuthenticate(36)", "0 to 2 [usable: 2]"),
        ("CreatePartitions(37)", "0 to 3 [usable: 3]"),
        ("DeleteGroups(42)", "0 to 2 [usable: 2]"),
        ("OffsetDelete(47)", "0 [usable: 0]"),
        ("IncrementalAlterConfigs(44)", "0 to 1 [usable: 1]"),
        ("DescribeClientQuotas(48)", "0 to 1 [usable: 1]"),
        ("AlterClientQuotas(49)", "0 to 1 [usable: 1]"),
        ("DescribeUserScramCredentials(50)", "0 [usable: 0]"),
        ("AlterUserScramCredentials(51)", "0 [usable: 0]"),
        ("DescribeCluster(60)", "0 to 2 [usable: 2]"),
        ("DescribeProducers(61)", "0 [usable: 0]"),
        ("ListConfigResources(74)", "0 to 1 [usable: 1]"),
        ("DescribeTopicPartitions(75)", "0 [usable: 0]"),
    ]);
    if bench.server.is_firn() {
        assert_eq!(served, expected, "{said}");
    } else {
        // Apache Kafka serves more APIs, and of two of these another version.
        for api in expected.keys() {
            assert!(served.contains_key(api), "{api} in {said}");
        }
    }
}

#[test]
fn kafka_cluster_shows_the_id_and_the_endpoint() {
    let mut bench = Bench::start();
    let said = bench.tools.ok(Tool::Cluster, "cluster-id");
    let id = said
        .strip_prefix("Cluster ID: ")
        .unwrap_or_else(|| panic!("{said}"))
        .trim();
    assert_eq!(id.len(), 22, "128 bits in base64: {id}");
    assert_eq!(bench.tools.ok(Tool::Cluster, "cluster-id"), said, "it stays");
    let said = bench.tools.ok(Tool::Cluster, "list-endpoints");
    let rows: Vec<Vec<_>> = said
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let (host, port) = bench.server.address.split_once(':').unwrap();
    assert_eq!(rows.len(), 2, "{said}");
    assert_eq!(rows[1], ["0", host, port, "null", "unfenced", "broker"]);
}
