//! Clients that log in with certificates: Java and librdkafka against the real binary, what ACLs allow them, and the rotation of
//! authorities and of the server's certificate under load.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

#[path = "mtls/authority.rs"]
mod authority;
#[path = "mtls/mapping.rs"]
mod mapping;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use authority::Authority;
use serde_json::json;
use support::clients::{self, Client, Running};
use support::firn::{Firn, FirnOptions};
use support::rest::{Tenant, id};
use support::{records, tls, wait_for};

/// How long something may take that should be soon.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process with a tenant, and where the server's certificate is.
struct Scene {
    firn: Firn,
    tenant: Tenant,
    servers: Authority,
    certificate: PathBuf,
    key: PathBuf,
    trusted: PathBuf,
    resolver: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let options = FirnOptions::default();
        let at = |name: &str| options.scratch().join(name);
        let (certificate, key, resolver) = (at("server.pem"), at("server.key"), at("resolve.so"));
        let servers = Authority::new("servers");
        servers.server(&certificate, &key);
        let trusted = servers.file(&at("servers.pem"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mtls/resolve.c");
        let mut compiler = Command::new("cc");
        let compiled = compiler
            .args(["-shared", "-fPIC", "-o"])
            .args([&resolver, &source])
            .arg("-ldl")
            .status();
        assert!(compiled.unwrap().success());
        let firn = Firn::start(
            options
                .set("cell-domain", "kafka.test")
                .set("tls-cert", certificate.to_str().unwrap())
                .set("tls-key", key.to_str().unwrap()),
        );
        let tenant = Tenant::new(&firn.http, "certified", None);
        let slug = tenant.bootstrap.split('.').next().unwrap();
        let hosts = format!("127.0.0.1 {slug}.kafka.test\n127.0.0.1 {slug}-b0.kafka.test\n");
        fs::write(firn.options().scratch().join("hosts"), hosts).unwrap();
        Self {
            firn,
            tenant,
            servers,
            certificate,
            key,
            trusted,
            resolver,
        }
    }

    /// Gives the cluster a pool of these authorities; its path.
    fn pool(&self, authorities: &[&Authority]) -> String {
        let path = format!("/v1/clusters/{}/ca-pools", self.tenant.cluster);
        let certificates: Vec<_> = authorities.iter().map(|authority| &authority.pem).collect();
        let mapping = json!({ "source": "subject", "rules": "RULE:^.*CN=([^,]+).*$/$1/L" });
        let pool = json!({ "name": "clients", "certificates": certificates, "mapping": mapping });
        format!("{path}/{}", id(&self.tenant.make(&path, &pool)))
    }

    fn trust(&self, pool: &str, authorities: &[&Authority]) {
        let certificates: Vec<_> = authorities.iter().map(|authority| &authority.pem).collect();
        let change = json!({ "certificates": certificates });
        self.tenant.rest().patch(pool, "*", &change).expect(200);
    }

    /// Allows a principal to write and read a topic.
    fn allow(&self, name: &str, topic: &str) {
        let acls = format!("/v1/clusters/{}/acls", self.tenant.cluster);
        for (kind, resource, operation) in [
            ("topic", topic, "write"),
            ("topic", topic, "read"),
            ("group", "*", "read"),
        ] {
            let acl = json!({
                "resource_type": kind, "resource_name": resource, "principal": format!("User:{name}"),
                "operation": operation, "permission": "allow",
            });
            self.tenant.make(&acls, &acl);
        }
    }

    /// A client that shows this certificate.
    fn with(&self, client: Client, keystore: &Path) -> Client {
        let hosts = self.firn.options().scratch().join("hosts");
        client
            .env("FIRN_TEST_SECURITY", "ssl")
            .env("FIRN_TEST_CA_FILE", &self.trusted)
            .env("FIRN_TEST_KEYSTORE", keystore)
            .env(
                "JAVA_TOOL_OPTIONS",
                format!("-Djdk.net.hosts.file={}", hosts.display()),
            )
    }

    fn java(&self, keystore: &Path) -> Client {
        self.with(clients::java("Client"), keystore)
    }

    fn librdkafka(&self, keystore: &Path) -> Client {
        self.with(clients::python().arg("confluent"), keystore)
            .env("LD_PRELOAD", &self.resolver)
    }
}

#[test]
fn java_and_librdkafka_log_in_with_certificates_and_do_what_acls_allow_them() {
    let scene = Scene::new();
    let scratch = scene.firn.options().scratch().to_owned();
    let devices = Authority::new("devices");
    scene.pool(&[&devices]);
    let address = &scene.tenant.bootstrap;
    let soon = SystemTime::now() + Duration::from_secs(10 * 24 * 60 * 60);
    let alice = devices.client_until("Alice", &scratch, Some(soon));
    let sent = records::sample(100, 7, false);
    let input = scratch.join("input");
    fs::write(&input, &sent).unwrap();
    scene.tenant.topic("closed", records::PARTITIONS);
    for topic in ["java", "librdkafka"] {
        let client = match topic {
            "java" => Scene::java,
            _ => Scene::librdkafka,
        };
        scene.tenant.topic(topic, records::PARTITIONS);
        scene.allow("alice", topic);
        let produce = client(&scene, &alice).args(["produce", address, topic, "none"]);
        produce.input(&input).run();
        let read = client(&scene, &alice)
            .args(["consume", address, topic, "100"])
            .run();
        records::assert_same(&sent, &read, topic);
    }
    let one = scratch.join("one");
    fs::write(&one, records::sample(1, 7, false)).unwrap();
    let denied = scene.java(&alice).args(["produce", address, "closed", "none"]);
    let denied = denied.input(&one).spawn().finish(PATIENCE);
    assert!(
        !denied.success && denied.stderr.contains("TopicAuthorizationException"),
        "{denied}"
    );
    let stranger = Authority::new("strangers").client("Alice", &scratch);
    let refused = scene.java(&stranger).args(["consume", address, "java", "1"]);
    let refused = refused.spawn_until_closed().finish(PATIENCE);
    assert!(
        !refused.success && refused.stderr.contains("SslAuthenticationException"),
        "{refused}"
    );
    let told = wait_for(PATIENCE, || {
        let log = scene.firn.log();
        (log.contains("a client certificate was refused")
            && log.contains("no authority of the cluster issued")
            && log.contains("a client certificate expires soon"))
        .then_some(())
    });
    assert!(told.is_some(), "{}", scene.firn.log());
}

/// A producer and a consumer of one topic.
struct Stream {
    producer: Running,
    consumer: Running,
    acknowledged: PathBuf,
    read: PathBuf,
}

impl Stream {
    fn start(scene: &Scene, topic: &str, keystore: &Path) -> Self {
        scene.tenant.topic(topic, 2);
        scene.allow(topic, topic);
        let at = |name: &str| scene.firn.options().scratch().join(format!("{topic}-{name}"));
        let (acknowledged, read, address) = (at("acknowledged"), at("read"), &scene.tenant.bootstrap);
        let producer = scene.librdkafka(keystore).args(["numbers", address, topic, "2"]);
        let consumer = scene
            .java(keystore)
            .args(["group", address, topic, topic, "range"]);
        Self {
            producer: producer.output(&acknowledged).spawn_until_closed(),
            consumer: consumer.output(&read).spawn_until_closed(),
            acknowledged,
            read,
        }
    }

    fn records(&self) -> usize {
        let read = fs::read_to_string(&self.read).unwrap_or_default();
        read.lines().filter(|line| line.starts_with("record ")).count()
    }

    /// Waits until a thousand more records have come through.
    fn goes_on(&mut self) {
        let before = self.records();
        let more = wait_for(PATIENCE, || (self.records() > before + 1_000).then_some(()));
        let (producer, consumer) = (self.producer.errors(), self.consumer.errors());
        assert!(more.is_some(), "it does not go on: {producer}\n{consumer}");
        assert!(
            self.producer.is_running() && self.consumer.is_running(),
            "{producer}\n{consumer}"
        );
    }

    /// Ends: nothing that was sent has failed, and all of it was read.
    fn finish(mut self) {
        self.producer.close_input();
        let ended = wait_for(PATIENCE, || (!self.producer.is_running()).then_some(()));
        assert!(ended.is_some(), "the producer does not end");
        let sent = fs::read_to_string(&self.acknowledged).unwrap().lines().count();
        let all = wait_for(PATIENCE, || (self.records() >= sent).then_some(()));
        assert!(all.is_some(), "{} of {sent} records were read", self.records());
        for ended in [self.producer.finish(PATIENCE), self.consumer.finish(PATIENCE)] {
            assert!(ended.success, "{ended}");
            for failure in [
                "AuthenticationException",
                "AuthorizationException",
                "SSL handshake failed",
            ] {
                assert!(!ended.stderr.contains(failure), "{ended}");
            }
        }
    }
}

#[test]
fn authorities_and_the_server_s_certificate_rotate_under_load_and_no_good_client_fails() {
    let scene = Scene::new();
    let scratch = scene.firn.options().scratch().to_owned();
    // As a rotation has it: the same name, another key.
    let (old, new) = (Authority::new("devices"), Authority::new("devices"));
    let pool = scene.pool(&[&old]);
    let of_old = old.client("before", &scratch);
    let mut before = Stream::start(&scene, "before", &of_old);
    before.goes_on();

    scene.trust(&pool, &[&old, &new]);
    let mut after = Stream::start(&scene, "after", &new.client("after", &scratch));
    before.goes_on();
    after.goes_on();

    let config = tls::trusting(&scene.trusted);
    let shown = || tls::shown(&tls::connect(&config, &scene.firn.kafka, "localhost").unwrap());
    let first = shown();
    scene.servers.server(&scene.certificate, &scene.key);
    let replaced = wait_for(PATIENCE, || (shown() != first).then_some(()));
    assert!(replaced.is_some(), "{}", scene.firn.log());
    before.goes_on();
    after.goes_on();

    before.finish();
    scene.trust(&pool, &[&new]);
    after.goes_on();
    let late = scene
        .java(&of_old)
        .args(["consume", &scene.tenant.bootstrap, "before", "1"]);
    let late = late.spawn_until_closed().finish(PATIENCE);
    assert!(
        !late.success && late.stderr.contains("SslAuthenticationException"),
        "{late}"
    );
    after.goes_on();
    after.finish();
}
