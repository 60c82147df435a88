//! Every route of the API, from the description that a running process serves, against every caller: what is another
//! organization's looks exactly as what does not exist, nobody and whoever is no longer let in gets 401, a small role gets 403, and
//! owners get what they ask for. A route without a row in `isolation/rows.rs` fails.
//!
//! Everything that the first organization has is called by a canary's name, which is looked for in every byte that the second gets.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

#[path = "isolation/audited.rs"]
mod audited;
#[path = "isolation/probe.rs"]
mod probe;
#[path = "isolation/rows.rs"]
mod rows;
#[path = "isolation/things.rs"]
mod things;
#[path = "isolation/timing.rs"]
mod timing;

use std::collections::BTreeSet;

use probe::Probe;
use rows::{Access, ROWS, Row};
use serde_json::json;
use support::firn::{Firn, FirnOptions};
use support::rest::{PASSWORD, Rest, Tenant};
use support::tenant::text;
use things::Things;

/// What all names of the first organization hold.
const CANARY: &str = "canary7q4x";

/// Two organizations of one process, each with one of everything.
struct World {
    firn: Firn,
    first: Tenant,
    second: Tenant,
    own_of_first: Things,
    own_of_second: Things,
}

impl World {
    fn new() -> Self {
        let firn = Firn::start(FirnOptions::unlimited());
        let first = Tenant::new(&firn.http, CANARY, None);
        let second = Tenant::new(&firn.http, "neighbour", None);
        Self {
            own_of_first: Things::one_of_everything(&first, CANARY),
            own_of_second: Things::one_of_everything(&second, "neighbour"),
            firn,
            first,
            second,
        }
    }

    fn probe(&self, caller: &Rest) -> Probe {
        Probe::new(&self.firn.http, caller.clone())
    }

    fn bearer(&self, secret: &str) -> Rest {
        self.firn.rest().with_bearer(secret)
    }
}

fn rows(access: Access) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(move |row| row.access == access)
}

#[test]
fn every_route_has_a_row() {
    let firn = Firn::start(FirnOptions::default());
    let document = firn.get("/v1/openapi.json").expect(200).json();
    let mut served = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            served.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let rows: BTreeSet<_> = ROWS.iter().map(|row| row.operation.to_owned()).collect();
    assert_eq!(rows.len(), ROWS.len(), "a route has two rows");
    let without: Vec<_> = served.difference(&rows).collect();
    let unserved: Vec<_> = rows.difference(&served).collect();
    assert!(
        without.is_empty() && unserved.is_empty(),
        "routes without a row: {without:#?}\nrows without a route: {unserved:#?}"
    );
}

#[test]
fn what_is_foreign_looks_as_what_is_absent_and_shows_nothing() {
    let world = World::new();
    let admin = world.bearer(&world.second.key_of_role("prober", "admin").secret);
    let mut wrong = Vec::new();
    for caller in [world.second.rest(), &admin] {
        let mut probe = world.probe(caller);
        for row in ROWS {
            probe.ask(row, &world.own_of_second);
        }
        for row in rows(Access::Inside) {
            wrong.extend(differences(&mut probe, row, &world));
        }
        let seen = probe.seen(CANARY);
        assert!(
            seen.is_empty(),
            "the canary is in what another organization got: {seen:#?}"
        );
        println!("{} answers compared and searched", probe.answers());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let mut own = world.probe(world.first.rest());
    for row in rows(Access::Inside) {
        own.ask(row, &world.own_of_first);
    }
    assert!(
        own.seen(CANARY).len() > 10,
        "the canary is nowhere, so looking for it proves nothing"
    );
}

/// Asks for everything that is foreign, and for a foreign thing inside an own one, beside what is absent.
fn differences(probe: &mut Probe, row: &Row, world: &World) -> Vec<String> {
    let absent = world.own_of_first.absent();
    let names = row.names();
    let mut pairs = Vec::new();
    if !names.is_empty() {
        pairs.push((world.own_of_first.clone(), absent.clone()));
    }
    for inner in names.into_iter().skip(1) {
        let with = |things: &Things| world.own_of_second.with(inner, things.id(inner));
        pairs.push((with(&world.own_of_first), with(&absent)));
    }
    let mut wrong = Vec::new();
    for (foreign, absent) in &pairs {
        wrong.extend(probe.difference(row, foreign, absent));
    }
    wrong
}

/// Callers who show nothing, or nothing that is live.
fn nobodies(world: &World) -> Vec<(&'static str, Rest)> {
    let key = world.first.key_of_role("revoked", "admin");
    let traded = world.bearer(&key.secret);
    let token = traded.post("/v1/tokens", &json!({})).success().json();
    let token = world.bearer(&text(&token, "/access_token"));
    token.get("/v1/organizations").expect(200);
    world
        .first
        .rest()
        .delete(&format!("/v1/api-keys/{}", key.id), "*")
        .success();
    let ended = world.firn.rest().log_in(&world.first.owner.email, PASSWORD).rest;
    ended.delete_any("/v1/sessions/current").expect(204);
    vec![
        ("nobody", world.firn.rest()),
        ("a revoked key", traded),
        ("a token of a revoked key", token),
        ("an ended session", ended),
        (
            "nonsense",
            world.bearer("firn_live_aaaaaaaaaaaaaaaaaaaaaaaaaa_nonsense_00000000"),
        ),
    ]
}

#[test]
fn nobody_and_whoever_is_no_longer_let_in_gets_401() {
    let world = World::new();
    let mut wrong = Vec::new();
    for (who, caller) in nobodies(&world) {
        let mut probe = world.probe(&caller);
        for row in ROWS {
            let status = probe.status(row, &world.own_of_first);
            let right = match row.access {
                Access::Open => status != 401 || row.also.contains(&401),
                Access::Personal | Access::Inside => status == 401,
            };
            if !right {
                wrong.push(format!("{who}: {} {status}", row.operation));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_small_role_gets_403_for_writes_and_owners_get_what_they_ask_for() {
    let world = World::new();
    let mut wrong = Vec::new();
    for role in ["viewer", "billing"] {
        let caller = world.bearer(&world.first.key_of_role(role, role).secret);
        let mut probe = world.probe(&caller);
        for row in rows(Access::Inside) {
            let status = probe.status(row, &world.own_of_first);
            let right = match row.writes() {
                true => status == 403,
                false => [200, 403].contains(&status) || row.also.contains(&status),
            };
            if !right {
                wrong.push(format!("{role}: {} {status}", row.operation));
            }
        }
    }
    let mut probe = world.probe(world.first.rest());
    for row in rows(Access::Personal).chain(rows(Access::Inside)) {
        let answer = probe.ask(row, &world.own_of_first);
        if !(200..300).contains(&answer.status) && !row.also.contains(&answer.status) {
            wrong.push(format!(
                "owner: {} {} {}",
                row.operation, answer.status, answer.body
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_cursor_of_one_caller_is_nothing_to_another() {
    let world = World::new();
    let path = |tenant: &Tenant| format!("/v1/service-accounts?project={}&page_size=1", tenant.project);
    world.first.another_account(CANARY);
    let cursor = text(&world.first.see(&path(&world.first)), "/next_cursor");
    for tenant in [&world.first, &world.second] {
        let answer = world
            .second
            .rest()
            .get(&format!("{}&cursor={cursor}", path(tenant)))
            .expect(400);
        assert_eq!(answer.json()["code"], json!("invalid_cursor"));
        assert!(!answer.body.contains(CANARY));
    }
}

#[test]
fn asking_for_what_is_foreign_takes_as_long_as_for_what_is_absent() {
    let world = World::new();
    let absent = world.own_of_first.absent();
    let mut probe = world.probe(world.second.rest());
    let wrong = timing::differences(&mut probe, &world.own_of_first, &absent);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
