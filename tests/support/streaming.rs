//! A stream of a tenant's own, by its own credentials: the first record as fast as a client starts, then every client.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::clients::{self, Client, Security};
use super::mail_server::MailServer;
use super::records::{self, PARTITIONS};
use super::rest::{self, Tenant};

const RECORDS: usize = 1_000;

/// A tenant with credentials of each kind.
pub struct Streaming {
    /// The tenant.
    pub tenant: Tenant,
    /// What the API said of its API key.
    pub api_key: Value,
    /// What the API said of its SCRAM credential.
    pub scram: Value,
}

impl Streaming {
    /// From nothing: signup, address, login, cluster, service account, SCRAM credential and API key, by REST calls only.
    pub fn from_nothing(http: &str, name: &str, mail: Option<&MailServer>) -> Self {
        let tenant = Tenant::new(http, name, mail);
        Self {
            api_key: tenant.api_key(),
            scram: tenant.scram(),
            tenant,
        }
    }

    /// How a client logs in with this mechanism.
    pub fn security(&self, mechanism: &'static str, authority: &Path) -> Security {
        let created = match mechanism {
            "PLAIN" => &self.api_key,
            _ => &self.scram,
        };
        Security {
            mechanism,
            ..rest::login(created, authority)
        }
    }

    /// Sends one record to a topic that is not there yet and reads it back, with the client that starts fastest.
    pub fn first_record(&self, authority: &Path) {
        let security = self.security("SCRAM-SHA-256", authority);
        let client = || kcat(&self.tenant.bootstrap, &security).args(["-t", "first-record"]);
        let scratch = tempfile::tempdir().unwrap();
        let input = scratch.path().join("input");
        fs::write(&input, "hello\n").unwrap();
        client().args(["-P", "-l"]).arg(&input).run();
        let output = client().args(["-C", "-o", "beginning", "-c", "1", "-q"]).run();
        assert_eq!(output, "hello\n");
    }

    /// Every client produces, idempotently where it can, and consumes.
    pub fn every_client(&self, authority: &Path) {
        let confluent = || clients::python().arg("confluent");
        let kafka_python = || clients::python().arg("kafka-python");
        self.round_trip("java", || clients::java("Client"), "SCRAM-SHA-512", authority);
        self.round_trip("librdkafka", confluent, "SCRAM-SHA-256", authority);
        self.round_trip("franz-go", clients::go, "PLAIN", authority);
        self.round_trip("kafka-python", kafka_python, "SCRAM-SHA-256", authority);
        self.round_trip("kafkajs", clients::node, "SCRAM-SHA-512", authority);
    }

    /// One client produces to a topic of its own, and consumes from it.
    pub fn round_trip(
        &self,
        name: &str,
        client: impl Fn() -> Client,
        mechanism: &'static str,
        authority: &Path,
    ) {
        let started = Instant::now();
        let address = &self.tenant.bootstrap;
        let security = self.security(mechanism, authority);
        let topic = format!("stream-{name}-{}", records::now_millis());
        clients::go()
            .security(&self.security("SCRAM-SHA-512", authority))
            .args(["create", address, &topic, &PARTITIONS.to_string()])
            .run();
        let lines = records::sample(RECORDS, 7, false);
        let scratch = tempfile::tempdir().unwrap();
        let input = scratch.path().join("input");
        fs::write(&input, &lines).unwrap();
        client()
            .security(&security)
            .args(["produce", address, &topic, "none"])
            .input(&input)
            .run();
        let output = client()
            .security(&security)
            .args(["consume", address, &topic, &RECORDS.to_string()])
            .run();
        records::assert_same(&lines, &output, name);
        println!("{name} with {mechanism}: {:.1?}", started.elapsed());
    }
}

/// kcat (librdkafka), logged in.
pub fn kcat(bootstrap: &str, security: &Security) -> Client {
    let protocol = match security.authority {
        Some(_) => "sasl_ssl",
        None => "sasl_plaintext",
    };
    let client = clients::kcat()
        .args(["-b", bootstrap])
        .args(["-X", &format!("security.protocol={protocol}")])
        .args(["-X", &format!("sasl.mechanisms={}", security.mechanism)])
        .args(["-X", &format!("sasl.username={}", security.username)])
        .args(["-X", &format!("sasl.password={}", security.password)])
        .args(["-X", "topic.metadata.refresh.fast.interval.ms=10"])
        .args(["-X", "allow.auto.create.topics=true"]);
    match &security.authority {
        Some(authority) => client.args(["-X", &format!("ssl.ca.location={}", authority.display())]),
        None => client,
    }
}

/// Prints how long a first stream took, and what it should take.
pub fn print_first(what: &str, took: Duration) {
    println!("{what}: from the first call to the first consumed record {took:.2?} (aim: less than 2 s)");
}
