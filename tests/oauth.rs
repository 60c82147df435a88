//! Tokens of an identity provider, as Java's client and librdkafka get them themselves, over TLS under the cluster's own name.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use support::clients::{self, Client, Security};
use support::firn::{Firn, FirnOptions, PATIENCE};
use support::identity_provider::{AUDIENCE, Behaviour, IdentityProvider};
use support::rest::{Tenant, id};
use support::{records, wait_for};

/// A cluster with a host name, which trusts a provider.
struct World {
    firn: Firn,
    provider: IdentityProvider,
    tenant: Tenant,
    hosts: PathBuf,
    resolver: PathBuf,
    authority: PathBuf,
}

impl World {
    fn new() -> Self {
        let firn = Firn::start(FirnOptions::default().arg("--cell-domain").arg("kafka.test"));
        let tenant = Tenant::new(&firn.http, "tokens", None);
        let slug = tenant.bootstrap.split('.').next().unwrap();
        let hosts = firn.options().scratch().join("hosts");
        let names = format!("127.0.0.1 {slug}.kafka.test\n127.0.0.1 {slug}-b0.kafka.test\n");
        fs::write(&hosts, names).unwrap();
        let resolver = clients::resolver(firn.options().scratch());
        let authority = firn.ca_file();
        let provider = IdentityProvider::start();
        let world = Self {
            firn,
            provider,
            tenant,
            hosts,
            resolver,
            authority,
        };
        world
            .tenant
            .make(&world.path("identity-providers"), &world.trusted());
        world
    }

    fn path(&self, what: &str) -> String {
        format!("/v1/clusters/{}/{what}", self.tenant.cluster)
    }

    fn trusted(&self) -> Value {
        json!({"name": "provider", "issuer": self.provider.issuer(), "audiences": [AUDIENCE], "clock_skew_seconds": 5})
    }

    fn allow(&self, client: &str, kind: &str, name: &str) {
        let acl = json!({
            "resource_type": kind, "resource_name": name, "principal": format!("User:{client}"), "operation": "all",
            "permission": "allow",
        });
        self.tenant.make(&self.path("acls"), &acl);
    }

    fn java(&self, client: &str, tokens: &str) -> Client {
        let allowed = ["urls", "files"].map(|what| {
            let place = tokens.trim_start_matches("file://");
            format!("-Dorg.apache.kafka.sasl.oauthbearer.allowed.{what}={place}")
        });
        let options = format!(
            "-Djdk.net.hosts.file={} {}",
            self.hosts.display(),
            allowed.join(" ")
        );
        let allowed_file = tokens
            .starts_with("file:")
            .then(|| format!(" -Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={tokens}"));
        let options = options + &allowed_file.unwrap_or_default();
        self.with(clients::java("Client"), client, tokens)
            .env("JAVA_TOOL_OPTIONS", options)
    }

    fn librdkafka(&self, client: &str, tokens: &str) -> Client {
        self.with(clients::python().arg("confluent"), client, tokens)
            .env("LD_PRELOAD", &self.resolver)
    }

    fn with(&self, program: Client, client: &str, tokens: &str) -> Client {
        let security = Security {
            mechanism: "OAUTHBEARER",
            username: client.to_owned(),
            password: "a secret".to_owned(),
            authority: Some(self.authority.clone()),
        };
        program.security(&security).env("FIRN_TEST_TOKEN_URL", tokens)
    }

    /// Both write to a topic, and read what was written.
    fn stream_with_both(&self, topic: &str, client: &str, tokens: &str) {
        let address = &self.tenant.bootstrap;
        let input = self.firn.options().scratch().join("input");
        let (first, second) = (records::sample(50, 1, false), records::sample(50, 2, false));
        for (program, sent) in [
            (self.java(client, tokens), &first),
            (self.librdkafka(client, tokens), &second),
        ] {
            fs::write(&input, sent).unwrap();
            program
                .args(["produce", address, topic, "none"])
                .input(&input)
                .run();
        }
        for program in [self.java(client, tokens), self.librdkafka(client, tokens)] {
            let read = program.args(["consume", address, topic, "100"]).run();
            assert_eq!(read.lines().count(), 100);
        }
    }
}

#[test]
fn java_and_librdkafka_get_tokens_themselves_and_may_what_acls_say() {
    let world = World::new();
    for topic in ["open", "closed"] {
        world.tenant.topic(topic, records::PARTITIONS);
    }
    world.allow("app", "topic", "open");
    // librdkafka's consumer asks for a coordinator even where partitions are assigned to it.
    world.allow("app", "group", "unused");
    let tokens = world.provider.token_url();
    world.stream_with_both("open", "app", &tokens);
    assert!(world.provider.issued("app") >= 4, "each client asked for itself");
    let address = &world.tenant.bootstrap;
    for (client, topic) in [("app", "closed"), ("stranger", "open")] {
        let refused = world.java(client, &tokens).args(["consume", address, topic, "1"]);
        let ended = refused.spawn_until_closed().finish(PATIENCE);
        assert!(
            !ended.success && ended.stderr.contains("TopicAuthorizationException"),
            "{ended}"
        );
    }
}

#[test]
fn clients_stream_on_while_their_tokens_expire() {
    let world = World::new();
    world.provider.set_life(6);
    world.tenant.topic("numbers", 2);
    for client in ["writer", "reader"] {
        world.allow(client, "topic", "numbers");
    }
    world.allow("reader", "group", "readers");
    let (address, tokens) = (&world.tenant.bootstrap, world.provider.token_url());
    let acknowledged = world.firn.options().scratch().join("acknowledged");
    let writes = world
        .librdkafka("writer", &tokens)
        .args(["numbers", address, "numbers", "2"]);
    let mut writes = writes.output(&acknowledged).spawn_until_closed();
    let reads =
        world
            .java("reader", &tokens)
            .args(["group", address, "numbers", "readers", "cooperative-sticky"]);
    let read = world.firn.options().scratch().join("read");
    let mut reads = reads.output(&read).spawn_until_closed();
    let reading = || {
        let read = fs::read_to_string(&read).unwrap_or_default();
        read.lines().any(|line| line.starts_with("record "))
    };
    let renewed = wait_for(PATIENCE, || {
        assert!(writes.is_running() && reads.is_running());
        let both = ["writer", "reader"]
            .iter()
            .all(|client| world.provider.issued(client) >= 4);
        (both && reading()).then_some(())
    });
    renewed.expect("both got new tokens, and one reads what the other writes");
    let wrote = writes.finish(PATIENCE);
    assert!(wrote.success, "{wrote}");
    let read = reads.finish(PATIENCE);
    assert!(
        read.success && !read.stderr.contains("SaslAuthenticationException"),
        "{read}"
    );
    let count = fs::read_to_string(&acknowledged).unwrap().lines().count();
    let all = world
        .java("reader", &tokens)
        .args(["consume", address, "numbers", &count.to_string()])
        .run();
    for (partition, records) in records::consumed(&all) {
        for (number, record) in records.iter().enumerate() {
            let value = record.content.split('\t').nth(2).unwrap();
            let sent = hex::encode(support::numbers::value(partition, number));
            assert_eq!(value, sent, "none is lost or twice");
        }
    }
}

#[test]
fn a_token_that_firn_gave_for_an_api_key_works_with_both() {
    let world = World::new();
    world.tenant.topic("own", records::PARTITIONS);
    let key = world.tenant.api_key();
    let secret = key["secret"].as_str().unwrap();
    let given = world
        .firn
        .rest()
        .with_bearer(secret)
        .post("/v1/tokens", &json!({}));
    let token = given.expect(200).json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let file = world.firn.options().scratch().join("token");
    fs::write(&file, token).unwrap();
    world.stream_with_both("own", "unused", &format!("file://{}", file.display()));
}

#[test]
fn a_provider_is_changed_and_removed_by_rest_and_its_keys_are_looked_at_first() {
    let world = World::new();
    let (rest, path) = (&world.tenant.owner.rest, world.path("identity-providers"));
    let listed = world.tenant.see(&path);
    let one = format!("{path}/{}", id(&listed["items"][0]));
    let told = world.tenant.see(&one);
    assert_eq!(
        (&told["principal_claim"], &told["mapping_rules"]),
        (&json!("sub"), &json!("DEFAULT"))
    );
    let again = rest.post(&path, &world.trusted()).expect(409).json();
    assert_eq!(again["code"], "already_exists");
    let other = IdentityProvider::start();
    let body = |change: Value| {
        let mut body = json!({"name": "other", "issuer": other.issuer(), "audiences": [AUDIENCE]});
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        body
    };
    for (pointer, change) in [
        ("/issuer", json!({"issuer": "https://10.0.0.1"})),
        ("/issuer", json!({"issuer": "http://login.example.com"})),
        ("/issuer", json!({"issuer": format!("{}/", other.issuer())})),
        ("/jwks_url", json!({"jwks_url": "https://169.254.169.254/latest"})),
        ("/jwks_url", json!({"jwks_url": other.token_url()})),
        ("/audiences", json!({"audiences": []})),
        ("/mapping_rules", json!({"mapping_rules": "RULE:x"})),
        ("/clock_skew_seconds", json!({"clock_skew_seconds": 301})),
    ] {
        let refused = rest.post(&path, &body(change)).expect(422).json();
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    for behaviour in [
        Behaviour::Away,
        Behaviour::Garbage,
        Behaviour::Endless,
        Behaviour::AnotherIssuer,
    ] {
        other.behave(behaviour);
        let rehearsed = format!("{path}?dry_run=true");
        rest.post(&rehearsed, &body(json!({}))).expect(422);
    }
    other.behave(Behaviour::Well);
    rest.post(&format!("{path}?dry_run=true"), &body(json!({})))
        .expect(201);
    assert_eq!(world.tenant.see(&path)["items"].as_array().unwrap().len(), 1);
    rest.patch(&one, "\"7\"", &json!({"name": "renamed"})).expect(412);
    let renamed = rest
        .patch(&one, "\"1\"", &json!({"name": "renamed"}))
        .expect(200)
        .json();
    assert_eq!(renamed["name"], "renamed");
    rest.delete(&one, "\"2\"").expect(204);
    rest.get(&one).expect(404);
}
