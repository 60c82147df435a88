//! Many clients that do the same at once: a POST with one Idempotency-Key is done once, and no change is lost where each client
//! sends the ETag that it has read.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::connection::Connection;
use support::firn::{Firn, FirnOptions};
use support::http::{Answer, Request};
use support::postgres::Postgres;
use support::rest::{Rest, Tenant, id};
use support::tenant::text;

const CLIENTS: usize = 50;
/// How long a client goes on that is told to try again.
const PATIENCE: Duration = Duration::from_secs(60);

/// The answers of [`CLIENTS`] clients that begin at the same moment.
fn at_once(act: impl Fn(usize) -> Answer + Sync) -> Vec<Answer> {
    let start = Barrier::new(CLIENTS);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (start, act) = (&start, &act);
                scope.spawn(move || {
                    start.wait();
                    act(number)
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    })
}

/// Sends it until the first request with its key is no longer under way.
fn insist(address: &str, request: &Request) -> Answer {
    let (mut connection, start) = (Connection::to(address), Instant::now());
    loop {
        let answer = connection.send(request);
        let in_flight = answer.status == 409 && answer.json()["code"] == json!("idempotency_in_flight");
        if !in_flight || start.elapsed() > PATIENCE {
            return answer;
        }
        assert!(
            answer.header("retry-after").is_some(),
            "it says when to try again"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// Each client posts `body`; there must be one new item at `list`, and all answers are the first one's.
fn makes_one(firn: &Firn, caller: &Rest, path: &str, body: &Value, list: &str) {
    let count = || {
        caller.get(list).expect(200).json()["items"]
            .as_array()
            .unwrap()
            .len()
    };
    let before = count();
    let post = |body: &Value| {
        let request = caller.request("POST", path).json(body);
        request.header("idempotency-key", format!("raced {path}").replace(' ', "-"))
    };
    let start = Instant::now();
    let answers = at_once(|_| insist(&firn.http, &post(body)));
    println!("{CLIENTS} clients at POST {path}: {:.1?}", start.elapsed());
    let bodies: BTreeSet<_> = answers.iter().map(|answer| &answer.body).collect();
    let statuses: BTreeSet<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(
        bodies.len(),
        1,
        "{path}: all get the same answer, but {bodies:#?}"
    );
    assert!(
        statuses.len() == 1 && [201, 202].contains(&answers[0].status),
        "{path}: {statuses:?} {bodies:?}"
    );
    let first = answers
        .iter()
        .filter(|answer| answer.header("idempotency-replayed").is_none());
    assert_eq!(first.count(), 1, "{path}: one is the first");
    assert_eq!(count(), before + 1, "{path}: one was made");
    let refused = caller
        .send(&post(&json!({ "name": "something else" })))
        .expect(422);
    assert_eq!(refused.json()["code"], json!("idempotency_mismatch"), "{path}");
}

fn keys_are_raced(options: FirnOptions) {
    let firn = Firn::start(options);
    let tenant = Tenant::new(&firn.http, "racer", None);
    let program = firn
        .rest()
        .with_bearer(&tenant.key_of_role("racing", "admin").secret);
    let project = &tenant.project;
    for (who, caller) in [("owner", tenant.rest()), ("program", &program)] {
        let body = json!({ "project": project, "name": format!("of {who}") });
        for path in ["/v1/clusters", "/v1/service-accounts"] {
            makes_one(&firn, caller, path, &body, &format!("{path}?project={project}"));
        }
    }
    let account = tenant.another_account("with keys");
    let body = json!({ "service_account": account, "name": "raced" });
    let list = format!("/v1/api-keys?service_account={account}");
    makes_one(&firn, tenant.rest(), "/v1/api-keys", &body, &list);
}

#[test]
fn a_key_raced_by_fifty_clients_makes_one_thing() {
    keys_are_raced(FirnOptions::unlimited());
}

#[test]
fn a_key_raced_by_fifty_clients_makes_one_thing_on_postgresql() {
    let postgres = Postgres::start();
    keys_are_raced(FirnOptions::unlimited().set("catalog", postgres.url()));
}

/// Reads, changes and writes with the ETag until the write is taken.
fn append_letter(firn: &Firn, rest: &Rest, path: &str, number: usize) -> Answer {
    let (mut connection, start) = (Connection::to(&firn.http), Instant::now());
    loop {
        let read = connection.send(&rest.request("GET", path)).expect(200);
        let etag = read
            .header("etag")
            .expect("what can be changed has an ETag")
            .to_owned();
        let letter = char::from(b'A' + u8::try_from(number).unwrap());
        let longer = format!("{}{letter}", text(&read.json(), "/name"));
        let change = rest.request("PATCH", path).header("if-match", etag);
        let answer = connection.send(&change.json(&json!({ "name": longer })));
        if answer.status != 412 {
            return answer.success();
        }
        assert!(
            start.elapsed() < PATIENCE,
            "{path}: client {number} never gets its turn"
        );
    }
}

fn loses_no_update(firn: &Firn, tenant: &Tenant, path: &str) {
    let before = text(&tenant.see(path), "/name");
    let start = Instant::now();
    at_once(|number| append_letter(firn, tenant.rest(), path, number));
    println!("{CLIENTS} clients at PATCH {path}: {:.1?}", start.elapsed());
    let after = text(&tenant.see(path), "/name");
    let added = after
        .strip_prefix(&before)
        .expect("what was there first is still there");
    let letters: BTreeSet<_> = added.chars().collect();
    assert_eq!(
        (added.chars().count(), letters.len()),
        (CLIENTS, CLIENTS),
        "{path}: {added}"
    );
}

fn etags_are_raced(options: FirnOptions) {
    let firn = Firn::start(options);
    let tenant = Tenant::new(&firn.http, "editor", None);
    loses_no_update(&firn, &tenant, &format!("/v1/clusters/{}", tenant.cluster));
    loses_no_update(
        &firn,
        &tenant,
        &format!("/v1/service-accounts/{}", tenant.service_account),
    );
}

#[test]
fn fifty_clients_that_send_etags_lose_no_update() {
    etags_are_raced(FirnOptions::unlimited());
}

#[test]
fn fifty_clients_that_send_etags_lose_no_update_on_postgresql() {
    let postgres = Postgres::start();
    etags_are_raced(FirnOptions::unlimited().set("catalog", postgres.url()));
}

#[test]
fn a_change_names_the_version_that_it_changes() {
    let firn = Firn::start(FirnOptions::unlimited());
    let tenant = Tenant::new(&firn.http, "editor", None);
    let binding = tenant.bind(&tenant.service_account, "viewer", &tenant.cluster);
    let organization = format!("/v1/organizations/{}", tenant.organization);
    let names = ["second", "third", "fourth"].map(|name| json!({ "name": name }));
    let roles = ["operator", "developer", "admin"].map(|role| json!({ "role": role }));
    for (path, [second, third, fourth]) in [
        (organization.clone(), &names),
        (format!("{organization}/role-bindings/{binding}"), &roles),
        (format!("/v1/projects/{}", tenant.project), &names),
        (format!("/v1/clusters/{}", tenant.cluster), &names),
        (format!("/v1/service-accounts/{}", tenant.service_account), &names),
    ] {
        let rest = tenant.rest();
        let read = rest.get(&path).expect(200);
        let etag = read.header("etag").expect("an ETag").to_owned();
        let code = |answer: Answer| (answer.status, text(&answer.json(), "/code"));
        let missing = rest.send(&rest.request("PATCH", &path).json(second));
        assert_eq!(code(missing), (428, "precondition_required".into()), "{path}");
        let changed = rest.patch(&path, &etag, second).success();
        assert_ne!(changed.header("etag"), Some(etag.as_str()), "{path}");
        let stale = code(rest.patch(&path, &etag, third));
        assert_eq!(stale, (412, "version_mismatch".into()), "{path}");
        let (field, value) = second.as_object().unwrap().iter().next().unwrap();
        assert_eq!(&tenant.see(&path)[field], value, "{path}");
        rest.patch(&path, "*", fourth).success();
    }
    assert_eq!(id(&tenant.see(&organization)), tenant.organization);
}
