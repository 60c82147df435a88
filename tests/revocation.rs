//! Credentials that end while their clients stream: open connections are closed within a second, nobody logs in with them any more,
//! and the second credential of a rotation goes on.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

#[path = "revocation/streams.rs"]
mod streams;

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use streams::{Streams, closed_within};
use support::clients::{self, Security};
use support::firn::{Firn, FirnOptions, PATIENCE};
use support::rest::{Tenant, id, login};
use support::tenant::{moment, text};
use support::wire::Wire;
use support::{numbers, wait_for};

const TOPIC: &str = "under-load";
/// How long a credential may go on working. The aim is one second, and how long it took is printed; the machine is busy with the
/// load, and what does not end a credential does not do so later either.
const MOST: Duration = Duration::from_secs(10);

struct Scene {
    firn: Firn,
    tenant: Tenant,
}

impl Scene {
    fn new() -> Self {
        let firn = Firn::start(FirnOptions::default());
        let tenant = Tenant::new(&firn.http, "revoker", None);
        tenant.topic(TOPIC, 4);
        Self { firn, tenant }
    }

    fn security(&self, created: &Value) -> Security {
        login(created, &self.firn.ca_file())
    }

    fn revoke(&self, path: &str) {
        self.tenant.rest().delete(path, "*").success();
    }

    fn log_in(&self, security: &Security) -> Result<Wire, String> {
        Wire::log_in(&self.tenant.bootstrap, security)
    }
}

#[test]
fn a_revoked_api_key_loses_its_connections_and_the_second_one_goes_on() {
    let scene = Scene::new();
    let [first, second] = [scene.tenant.api_key(), scene.tenant.api_key()];
    let [old, new] = [&first, &second].map(|key| scene.security(key));
    let address = &scene.tenant.bootstrap;
    let doomed = Streams::start(address, &old, TOPIC, 4);
    let others = Streams::start(address, &new, TOPIC, 2);
    let program = scene.firn.rest().with_bearer(&text(&first, "/secret"));
    let token = text(
        &program.post("/v1/tokens", &json!({})).success().json(),
        "/access_token",
    );
    let token = scene.firn.rest().with_bearer(&token);
    token.get("/v1/me").expect(403);
    let before = others.sent();
    let start = Instant::now();
    scene.revoke(&format!("/v1/api-keys/{}", id(&first)));
    let answered = start.elapsed();
    println!("an API key: the revocation was answered after {answered:.2?}");
    closed_within("an API key", doomed, start, MOST);
    let refused = scene.log_in(&old).err();
    assert_eq!(refused.as_deref(), Some("error 58"), "SASL_AUTHENTICATION_FAILED");
    program.get("/v1/organizations").expect(401);
    token.get("/v1/organizations").expect(401);
    scene.log_in(&new).unwrap().produce(TOPIC, b"after the rotation");
    let after = wait_for(MOST, || (others.sent() > before + 10).then_some(()));
    assert!(after.is_some(), "the second key goes on");
    others.stop();
}

#[test]
fn a_revoked_scram_credential_ends_a_real_producer_and_the_second_password_goes_on() {
    let scene = Scene::new();
    let path = format!("/v1/clusters/{}/scram-credentials", scene.tenant.cluster);
    let first = scene.tenant.scram();
    let again = json!({ "service_account": scene.tenant.service_account, "username": first["username"] });
    let second = scene.tenant.make(&path, &again);
    assert_eq!(first["username"], second["username"]);
    let start_client = |created: &Value, mechanism| {
        let security = Security {
            mechanism,
            ..scene.security(created)
        };
        let producer = clients::python().arg("confluent").security(&security);
        let producer = producer.args(["numbers", &scene.tenant.bootstrap, TOPIC, "4"]);
        producer.spawn_until_closed()
    };
    let doomed = start_client(&first, "SCRAM-SHA-512");
    let other = start_client(&second, "SCRAM-SHA-256");
    for producer in [&doomed, &other] {
        let streams = wait_for(PATIENCE, || (producer.lines() > 100).then_some(()));
        assert!(streams.is_some(), "it does not stream: {}", producer.errors());
    }
    assert_eq!(doomed.errors(), "", "it streams until its credential is revoked");
    let (there, start) = (other.lines(), Instant::now());
    scene.revoke(&format!("{path}/{}", id(&first)));
    let noticed = wait_for(MOST, || (!doomed.errors().is_empty()).then(|| start.elapsed()));
    println!("a SCRAM credential: librdkafka has noticed after {noticed:.2?}");
    assert!(
        noticed.is_some(),
        "librdkafka streams on with a revoked credential"
    );
    let refused = wait_for(numbers::LAST_ANSWERS, || {
        doomed.errors().contains("uthentication").then_some(())
    });
    assert!(refused.is_some(), "librdkafka logs in again: {}", doomed.errors());
    assert_eq!(other.errors(), "", "the second password goes on");
    let finished = other.finish(numbers::LAST_ANSWERS);
    assert!(finished.success, "{finished}");
    assert!(finished.stdout().lines().count() > there, "it went on");
}

#[test]
fn an_expired_api_key_loses_its_connections_its_tokens_and_its_logins() {
    let scene = Scene::new();
    // Long enough for all that has to be done before, on a machine that is busy.
    let life = Duration::from_secs(20);
    let ends = SystemTime::now() + life;
    let start = Instant::now();
    let body = json!({
        "service_account": scene.tenant.service_account,
        "cluster": scene.tenant.cluster,
        "name": "short",
        "expires_at": moment(ends),
    });
    let key = scene.tenant.make("/v1/api-keys", &body);
    let security = scene.security(&key);
    let program = scene.firn.rest().with_bearer(&text(&key, "/secret"));
    let token = text(
        &program.post("/v1/tokens", &json!({})).success().json(),
        "/access_token",
    );
    let token = scene.firn.rest().with_bearer(&token);
    for caller in [&program, &token] {
        caller.get("/v1/organizations").expect(200);
    }
    let streams = Streams::start(&scene.tenant.bootstrap, &security, TOPIC, 2);
    assert!(start.elapsed() < life, "this machine is too slow for this test");
    thread::sleep(life.saturating_sub(start.elapsed()));
    closed_within("an expired API key", streams, start + life, MOST);
    assert_eq!(scene.log_in(&security).err().as_deref(), Some("error 58"));
    for caller in [&program, &token] {
        caller.get("/v1/organizations").expect(401);
    }
}

#[test]
fn an_expired_session_is_over() {
    let mut scene = Scene::new();
    scene.tenant.rest().get("/v1/me").expect(200);
    assert!(scene.firn.terminate().success());
    let catalog = scene.firn.options().data_dir().join("catalog.db");
    let expire = "import sqlite3, sys\n\
        catalog = sqlite3.connect(sys.argv[1])\n\
        changed = catalog.execute('UPDATE account_sessions SET expires_at = 1').rowcount\n\
        catalog.commit()\n\
        sys.exit(changed != 1)";
    let status = Command::new("python3")
        .arg("-c")
        .arg(expire)
        .arg(&catalog)
        .status();
    assert!(status.unwrap().success(), "there is one session");
    scene.firn.restart();
    let answer = scene.tenant.rest().get("/v1/me").expect(401);
    assert_eq!(answer.json()["code"], json!("unauthenticated"));
}

#[test]
fn a_suspended_cluster_closes_its_connections_and_lets_in_again_once_it_is_resumed() {
    let scene = Scene::new();
    let security = scene.security(&scene.tenant.api_key());
    let neighbour = scene.tenant.another_cluster("neighbour");
    let neighbour = Tenant {
        cluster: id(&neighbour),
        bootstrap: text(&neighbour, "/bootstrap"),
        ..scene.tenant.clone()
    };
    neighbour.topic(TOPIC, 1);
    let beside = scene.security(&neighbour.api_key());
    let beside = Streams::start(&neighbour.bootstrap, &beside, TOPIC, 1);
    let streams = Streams::start(&scene.tenant.bootstrap, &security, TOPIC, 4);
    let cluster = format!("/v1/clusters/{}", scene.tenant.cluster);
    let change = |what: &str| {
        let changed = scene.tenant.rest().post(&format!("{cluster}/{what}"), &json!({}));
        changed.success();
    };
    let (before, start) = (beside.sent(), Instant::now());
    change("suspend");
    closed_within("a suspended cluster", streams, start, MOST);
    assert!(
        scene.log_in(&security).is_err(),
        "a suspended cluster lets nobody in"
    );
    let after = wait_for(MOST, || (beside.sent() > before + 10).then_some(()));
    assert!(after.is_some(), "the cluster beside it goes on");
    beside.stop();
    change("resume");
    let resumed = wait_for(MOST, || scene.log_in(&security).ok());
    resumed
        .expect("a resumed cluster lets in")
        .produce(TOPIC, b"resumed");
}
