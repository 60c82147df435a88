//! `kafka-configs` on users, client ids and addresses: quotas and SCRAM credentials, with its answers asserted.
//!
//! Everything asserted here is what the tool also says of Apache Kafka 4.3: `KAFKA_BOOTSTRAP=HOST:PORT` runs the same tests against a
//! broker of that version.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use support::firn::FirnOptions;
use support::kafka_tools::{KafkaTools, Tool};
use support::server::Server;

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

    fn alter(&mut self, entity: &str, change: &str) {
        self.tools
            .ok(Tool::Configs, &format!("{entity} --alter {change}"));
    }

    /// What is said of entities, in the order of the lines; the configs of one in the order of their names.
    fn described(&mut self, entity: &str) -> Vec<String> {
        let said = self.tools.ok(Tool::Configs, &format!("{entity} --describe"));
        let mut lines: Vec<_> = said
            .lines()
            .map(|line| match line.split_once(" are ") {
                Some((whose, configs)) => {
                    let mut configs: Vec<_> = configs.split(", ").collect();
                    configs.sort_unstable();
                    format!("{whose} are {}", configs.join(", "))
                }
                None => line.to_owned(),
            })
            .collect();
        lines.sort();
        lines
    }
}

/// Entity, quotas, and what is said of it.
const ENTITIES: [(&str, &str, &str); 8] = [
    (
        "--entity-type users --entity-name alice",
        "producer_byte_rate=1024,consumer_byte_rate=2048",
        "Quota configs for user-principal 'alice' are consumer_byte_rate=2048.0, producer_byte_rate=1024.0",
    ),
    (
        "--entity-type users --entity-default",
        "controller_mutation_rate=12.5",
        "Quota configs for the default user-principal are controller_mutation_rate=12.5",
    ),
    (
        "--entity-type clients --entity-name app",
        "request_percentage=150.5",
        "Quota configs for client-id 'app' are request_percentage=150.5",
    ),
    (
        "--entity-type clients --entity-default",
        "request_percentage=500",
        "Quota configs for the default client-id are request_percentage=500.0",
    ),
    (
        "--entity-type users --entity-name alice --entity-type clients --entity-name app",
        "producer_byte_rate=10000",
        "Quota configs for user-principal 'alice', client-id 'app' are producer_byte_rate=10000.0",
    ),
    (
        "--entity-type users --entity-default --entity-type clients --entity-default",
        "producer_byte_rate=20000",
        "Quota configs for the default user-principal, the default client-id are producer_byte_rate=20000.0",
    ),
    (
        "--entity-type ips --entity-name 10.0.0.1",
        "connection_creation_rate=5",
        "Quota configs for ip '10.0.0.1' are connection_creation_rate=5.0",
    ),
    (
        "--entity-type ips --entity-default",
        "connection_creation_rate=1000",
        "Quota configs for the default ip are connection_creation_rate=1000.0",
    ),
];

#[test]
fn kafka_configs_sets_describes_and_removes_quotas() {
    let mut bench = Bench::start();
    for (entity, quotas, said) in ENTITIES {
        assert_eq!(bench.described(entity), [""; 0], "{entity}");
        bench.alter(entity, &format!("--add-config {quotas}"));
        assert_eq!(bench.described(entity), [said], "{entity}");
    }
    let sayings = |which: &[usize]| {
        let mut sayings: Vec<_> = which.iter().map(|place| ENTITIES[*place].2.to_owned()).collect();
        sayings.sort();
        sayings
    };
    assert_eq!(bench.described("--entity-type users"), sayings(&[0, 1]));
    assert_eq!(bench.described("--entity-type clients"), sayings(&[2, 3]));
    assert_eq!(
        bench.described("--entity-type users --entity-type clients"),
        sayings(&[4, 5])
    );
    assert_eq!(bench.described("--entity-type ips"), sayings(&[6, 7]));

    let alice = ENTITIES[0].0;
    bench.alter(
        alice,
        "--add-config producer_byte_rate=4096 --delete-config consumer_byte_rate",
    );
    let changed = "Quota configs for user-principal 'alice' are producer_byte_rate=4096.0";
    assert_eq!(bench.described(alice), [changed]);
    let twice = bench.tools.refused(
        Tool::Configs,
        &format!("{alice} --alter --delete-config consumer_byte_rate"),
    );
    assert!(twice.contains("consumer_byte_rate"), "{twice}");
    if bench.server.is_firn() {
        for (entity, config) in [
            (alice, "producer_byte_rate=0"),
            (alice, "request_percentage=-1"),
            (
                "--entity-type ips --entity-name 10.0.0.1",
                "connection_creation_rate=0",
            ),
        ] {
            let said = bench
                .tools
                .refused(Tool::Configs, &format!("{entity} --alter --add-config {config}"));
            assert!(said.contains("InvalidRequestException"), "{config}: {said}");
        }
    }
    bench.alter(alice, "--delete-config producer_byte_rate");
    for (entity, quotas, _) in &ENTITIES[1..] {
        let keys: Vec<_> = quotas
            .split(',')
            .filter_map(|quota| quota.split('=').next())
            .collect();
        bench.alter(entity, &format!("--delete-config {}", keys.join(",")));
    }
    for kind in [
        "--entity-type users",
        "--entity-type clients",
        "--entity-type users --entity-type clients",
        "--entity-type ips",
    ] {
        assert_eq!(bench.described(kind), [""; 0], "{kind}");
    }
}

#[test]
fn kafka_configs_shows_a_users_quotas_beside_its_scram_credentials() {
    let mut bench = Bench::start();
    let entity = "--entity-type users --entity-name carol";
    bench.alter(
        entity,
        "--add-config SCRAM-SHA-256=[iterations=4096,password=a-long-secret]",
    );
    let scram = "SCRAM credential configs for user-principal 'carol' are SCRAM-SHA-256=iterations=4096";
    assert_eq!(bench.described(entity), [scram]);
    bench.alter(entity, "--add-config request_percentage=300");
    let quotas = "Quota configs for user-principal 'carol' are request_percentage=300.0";
    assert_eq!(bench.described(entity), [quotas, scram]);
    bench.alter(entity, "--delete-config SCRAM-SHA-256");
    assert_eq!(bench.described(entity), [quotas]);
    bench.alter(entity, "--delete-config request_percentage");
    assert_eq!(bench.described(entity), [""; 0]);
}
