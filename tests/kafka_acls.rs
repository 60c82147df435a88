//! Apache Kafka's own `kafka-acls` against the cluster of `firn dev`, each answer asserted, and SCRAM users, whom `kafka-configs`
//! makes, that may do what it says and no more.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use support::clients::{self, Client, Security};
use support::firn::FirnOptions;
use support::kafka_tools::{KafkaTools, Tool};
use support::server::{Server, create_topic};

struct Bench {
    server: Server,
    tools: KafkaTools,
}

/// Bindings as `kafka-acls` prints them: resource type, name, pattern type, principal, host, operation, permission.
fn bindings(said: &str) -> BTreeSet<String> {
    fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
        let rest = line.split_once(&format!("{name}="))?.1;
        Some(rest.split([',', ')']).next().unwrap())
    }
    let mut resource = String::new();
    let mut bindings = BTreeSet::new();
    for line in said.lines() {
        if let Some(kind) = field(line, "resourceType") {
            let (name, pattern) = (field(line, "name").unwrap(), field(line, "patternType").unwrap());
            resource = format!("{kind} {name} {pattern}");
        } else if let Some(principal) = field(line, "principal") {
            let [host, operation, permission] =
                ["host", "operation", "permissionType"].map(|name| field(line, name).unwrap());
            bindings.insert(format!("{resource} {principal} {host} {operation} {permission}"));
        }
    }
    bindings
}

fn all(expected: &[&str]) -> BTreeSet<String> {
    expected.iter().map(|one| (*one).to_owned()).collect()
}

impl Bench {
    fn start() -> Self {
        let server = Server::start(FirnOptions::default());
        let tools = KafkaTools::start(&server.address);
        Self { server, tools }
    }

    /// What is printed for arguments that must be taken.
    fn acls(&mut self, args: &str) -> BTreeSet<String> {
        bindings(&self.tools.ok(Tool::Acls, args))
    }

    /// Makes a SCRAM user, who has no role.
    fn user(&mut self, name: &str) -> Security {
        let password = "password-of-a-test";
        let config = format!("SCRAM-SHA-256=[iterations=4096,password={password}]");
        let args = format!("--alter --entity-type users --entity-name {name} --add-config {config}");
        let said = self.tools.ok(Tool::Configs, &args);
        assert!(said.contains("Completed updating config for user"), "{said}");
        Security {
            mechanism: "SCRAM-SHA-256",
            username: name.to_owned(),
            password: password.to_owned(),
            authority: None,
        }
    }

    fn run(&self, client: Client, who: &Security) -> Output {
        client.security(who).into_command().output().unwrap()
    }

    fn produce(&self, input: &Path, who: &Security, topic: &str) -> Result<(), String> {
        let client = clients::java("Client").input(input);
        let client = client.args(["produce", &self.server.address, topic, "none"]);
        result(&self.run(client, who)).map(|_| ())
    }

    /// The first record of a topic.
    fn consume(&self, who: &Security, topic: &str) -> Result<String, String> {
        let client = clients::java("Client").args(["consume", &self.server.address, topic, "1"]);
        result(&self.run(client, who))
    }
}

/// What a client printed, or the error that ended it.
fn result(output: &Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

#[test]
fn kafka_acls_adds_lists_and_removes_bindings_of_every_kind() {
    let mut bench = Bench::start();
    assert_eq!(bench.acls("--list"), all(&[]));
    let added =
        bench.acls("--add --allow-principal User:alice --operation Read --operation Write --topic orders");
    let orders = all(&[
        "TOPIC orders LITERAL User:alice * READ ALLOW",
        "TOPIC orders LITERAL User:alice * WRITE ALLOW",
    ]);
    assert_eq!(added, orders);
    assert_eq!(bench.acls("--list --topic orders"), orders);
    let again = bench.tools.ok(
        Tool::Acls,
        "--add --allow-principal User:alice --operation Read --topic orders",
    );
    assert!(again.trim_end().ends_with("already exists."), "{again}");
    assert_eq!(bench.acls("--list --topic orders"), orders);
    bench.acls(
        "--add --allow-principal User:bob --allow-host 10.0.0.7 --operation Describe \
         --group app- --resource-pattern-type prefixed",
    );
    bench.acls("--add --deny-principal User:* --operation All --topic *");
    bench.acls("--add --allow-principal User:carol --operation Alter --cluster");
    bench.acls("--add --allow-principal User:dave --operation Write --transactional-id tx");
    bench.acls("--add --allow-principal User:dave --operation DescribeTokens --user-principal User:erin");
    let everything = all(&[
        "TOPIC orders LITERAL User:alice * READ ALLOW",
        "TOPIC orders LITERAL User:alice * WRITE ALLOW",
        "GROUP app- PREFIXED User:bob 10.0.0.7 DESCRIBE ALLOW",
        "TOPIC * LITERAL User:* * ALL DENY",
        "CLUSTER kafka-cluster LITERAL User:carol * ALTER ALLOW",
        "TRANSACTIONAL_ID tx LITERAL User:dave * WRITE ALLOW",
        "USER User:erin LITERAL User:dave * DESCRIBE_TOKENS ALLOW",
    ]);
    assert_eq!(bench.acls("--list"), everything);
    // Any pattern of that name, which is not any that matches it.
    let any = bench.acls("--list --topic orders --resource-pattern-type any");
    assert_eq!(any, orders);
    assert_eq!(
        bench.acls("--list --user-principal User:erin --resource-pattern-type match"),
        all(&["USER User:erin LITERAL User:dave * DESCRIBE_TOKENS ALLOW"])
    );
    let mut matching = orders;
    matching.insert("TOPIC * LITERAL User:* * ALL DENY".to_owned());
    assert_eq!(
        bench.acls("--list --topic orders --resource-pattern-type match"),
        matching
    );
    assert_eq!(
        bench.acls("--list --group app-7 --resource-pattern-type match"),
        all(&["GROUP app- PREFIXED User:bob 10.0.0.7 DESCRIBE ALLOW"])
    );
    bench.acls("--remove --force --allow-principal User:alice --operation Read --topic orders");
    assert_eq!(
        bench.acls("--list --topic orders"),
        all(&["TOPIC orders LITERAL User:alice * WRITE ALLOW"])
    );
    bench.acls("--remove --force --topic * --resource-pattern-type literal");
    bench.acls("--remove --force --group app-1 --resource-pattern-type match");
    bench.acls("--remove --force --topic orders");
    bench.acls("--remove --force --user-principal User:erin");
    assert_eq!(
        bench.acls("--list"),
        all(&[
            "CLUSTER kafka-cluster LITERAL User:carol * ALTER ALLOW",
            "TRANSACTIONAL_ID tx LITERAL User:dave * WRITE ALLOW",
        ])
    );
}

#[test]
fn kafka_acls_is_told_what_cannot_be() {
    let mut bench = Bench::start();
    for (args, expected) in [
        (
            "--allow-principal alice --operation Read --topic t",
            "expected a string in format principalType:principalName but got alice",
        ),
        (
            "--allow-principal Group:a --operation Read --topic t",
            "InvalidRequestException",
        ),
        (
            "--allow-principal User:a --allow-host nowhere --operation Read --topic t",
            "InvalidRequestException",
        ),
        (
            "--allow-principal User:a --operation Create --group g",
            "ResourceType GROUP only supports operations",
        ),
        (
            "--allow-principal User:a --operation Read --topic t --resource-pattern-type match",
            "is not valid when adding acls",
        ),
        (
            "--allow-principal User:a --operation Describe --delegation-token t",
            "InvalidRequestException",
        ),
    ] {
        let said = bench.tools.run(Tool::Acls, &format!("--add {args}"));
        let said = said.out + &said.err;
        assert!(said.contains(expected), "{args}: {said}");
        assert_eq!(bench.acls("--list"), all(&[]), "{args}");
    }
}

#[test]
fn a_user_of_kafkas_tools_may_what_kafka_acls_says_and_no_more() {
    let mut bench = Bench::start();
    create_topic(&bench.server.address, "orders", 1, &[]);
    let input = bench.server.scratch("lines");
    fs::write(&input, "0\t1000\t-\t6f6e65\t\n").unwrap();
    let (alice, bob) = (bench.user("alice"), bench.user("bob"));
    let refused = bench.produce(&input, &alice, "orders").unwrap_err();
    assert!(refused.contains("TopicAuthorizationException"), "{refused}");
    let added = bench.acls("--add --allow-principal User:alice --producer --topic orders");
    let producer = ["WRITE", "DESCRIBE", "CREATE"];
    let producer = producer.map(|operation| format!("TOPIC orders LITERAL User:alice * {operation} ALLOW"));
    assert_eq!(added, BTreeSet::from(producer));
    bench.produce(&input, &alice, "orders").unwrap();
    let refused = bench.consume(&bob, "orders").unwrap_err();
    assert!(refused.contains("TopicAuthorizationException"), "{refused}");
    let added = bench.acls("--add --allow-principal User:bob --consumer --topic orders --group readers");
    assert_eq!(
        added,
        all(&[
            "TOPIC orders LITERAL User:bob * READ ALLOW",
            "TOPIC orders LITERAL User:bob * DESCRIBE ALLOW",
            "GROUP readers LITERAL User:bob * READ ALLOW",
        ])
    );
    bench.consume(&alice, "orders").unwrap_err();
    let read = bench.consume(&bob, "orders").unwrap();
    assert!(read.contains("6f6e65"), "{read}");
    let refused = bench.produce(&input, &bob, "orders").unwrap_err();
    assert!(refused.contains("ClusterAuthorizationException"), "{refused}");
    bench.acls("--remove --force --allow-principal User:alice --producer --topic orders");
    let refused = bench.produce(&input, &alice, "orders").unwrap_err();
    assert!(refused.contains("TopicAuthorizationException"), "{refused}");
    // A prefix lets many in; what denies takes from it, from one address too.
    let prefixed =
        "--allow-principal User:alice --operation All --topic ord --resource-pattern-type prefixed";
    bench.acls(&format!("--add {prefixed}"));
    bench.produce(&input, &alice, "orders").unwrap();
    for (host, expected) in [("10.0.0.7", true), ("127.0.0.1", false)] {
        bench.acls(&format!(
            "--add --deny-principal User:alice --deny-host {host} --operation Write --topic orders"
        ));
        let produced = bench.produce(&input, &alice, "orders");
        assert_eq!(produced.is_ok(), expected, "{host}: {produced:?}");
    }
    bench.acls(
        "--remove --force --deny-principal User:alice --deny-host 127.0.0.1 --operation Write --topic orders",
    );
    bench.produce(&input, &alice, "orders").unwrap();
    bench.acls(&format!("--remove --force {prefixed}"));
    bench.produce(&input, &alice, "orders").unwrap_err();
}
