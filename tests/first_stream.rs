//! A stranger signs up, makes a cluster and streams with a credential of its own, by REST calls and Kafka clients only.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::fs;
use std::time::Instant;

use serde_json::json;
use support::clients::{self, Client};
use support::firn::{Firn, FirnOptions, PATIENCE};
use support::records;
use support::rest::{self, Tenant};
use support::streaming::{Streaming, print_first};

#[test]
fn a_stranger_signs_up_and_streams_with_every_client_over_tls() {
    let firn = Firn::start(FirnOptions::default());
    let started = Instant::now();
    let authority = firn.ca_file();
    let streaming = Streaming::from_nothing(&firn.http, "stranger", None);
    let granted = started.elapsed();
    streaming.first_record(&authority);
    print_first("firn dev", started.elapsed());
    println!("of that by REST calls: {granted:.2?}");
    streaming.every_client(&authority);
}

#[test]
fn who_has_a_password_logs_in_again_and_finds_the_cluster() {
    let firn = Firn::start(FirnOptions::default());
    let streaming = Streaming::from_nothing(&firn.http, "returning", None);
    let again = firn.rest().log_in(&streaming.tenant.owner.email, rest::PASSWORD);
    let cluster = again
        .rest
        .get(&format!("/v1/clusters/{}", streaming.tenant.cluster))
        .expect(200)
        .json();
    assert_eq!(cluster["bootstrap"], streaming.tenant.bootstrap.as_str());
    let nobody = firn
        .rest()
        .get(&format!("/v1/clusters/{}", streaming.tenant.cluster));
    assert_eq!(nobody.status, 401);
}

/// Names that two tenants chose alike are told apart by the name of the cluster in the TLS handshake, which Java sends and checks.
#[test]
fn a_cluster_s_own_host_name_leads_to_it_and_to_the_users_named_there() {
    let firn = Firn::start(FirnOptions::default().arg("--cell-domain").arg("kafka.test"));
    let authority = firn.ca_file();
    let hosts = firn.options().scratch().join("hosts");
    let tenants = ["one", "two"].map(|name| Tenant::new(&firn.http, name, None));
    let mut lines = String::new();
    for tenant in &tenants {
        let slug = tenant.bootstrap.split('.').next().unwrap();
        assert!(tenant.bootstrap.starts_with(&format!("{slug}.kafka.test:")));
        lines.push_str(&format!(
            "127.0.0.1 {slug}.kafka.test\n127.0.0.1 {slug}-b0.kafka.test\n"
        ));
    }
    fs::write(&hosts, lines).unwrap();
    let users = tenants.each_ref().map(|tenant| {
        let topics = format!("/v1/clusters/{}/topics", tenant.cluster);
        let topic = json!({ "name": "named", "partitions": records::PARTITIONS });
        tenant.owner.rest.post(&topics, &topic).expect(201);
        let path = format!("/v1/clusters/{}/scram-credentials", tenant.cluster);
        let body = json!({ "service_account": tenant.service_account, "username": "alice" });
        let created = tenant.owner.rest.post(&path, &body).expect(201).json();
        assert_eq!(created["username"], "alice");
        rest::login(&created, &authority)
    });
    let java = |user: usize| -> Client {
        let hosts = format!("-Djdk.net.hosts.file={}", hosts.display());
        clients::java("Client")
            .env("JAVA_TOOL_OPTIONS", hosts)
            .security(&users[user])
    };
    for own in [0, 1] {
        let address = &tenants[own].bootstrap;
        let sent = records::sample(100, 7 + own as u64, false);
        let input = firn.options().scratch().join("input");
        fs::write(&input, &sent).unwrap();
        java(own)
            .args(["produce", address, "named", "none"])
            .input(&input)
            .run();
        let read = java(own).args(["consume", address, "named", "100"]).run();
        records::assert_same(&sent, &read, "java");
    }
    // The other tenant's alice is nobody here.
    let running = java(1)
        .args(["consume", &tenants[0].bootstrap, "named", "1"])
        .spawn_until_closed();
    let ended = running.finish(PATIENCE);
    assert!(!ended.success, "{ended}");
    assert!(ended.stderr.contains("SaslAuthenticationException"), "{ended}");
}
