//! Schemathesis over the whole description of the API that a running `firn dev` serves: as nobody, as an owner's session, and
//! as an administrator's API key. No server error, and no status, header, type or shape that the description does not have.
//!
//! Ids in paths are random for some requests and real ones for the others, so that the answers of success are looked at too.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

#[path = "rest_contract/fuzzer.rs"]
mod fuzzer;

use fuzzer::{Run, ids};
use support::firn::{Firn, FirnOptions};
use support::rest::{PASSWORD, Tenant};

/// What would end the session that a run is made with, since it also sends ids that it has seen in answers.
const ENDS_SESSIONS: [&str; 2] = ["DELETE /v1/sessions/current", "DELETE /v1/sessions/{session}"];

/// A process whose rate limits do not hide what is behind them.
fn start() -> Firn {
    Firn::start(FirnOptions::unlimited())
}

#[test]
fn answers_to_nobody_are_as_described() {
    let firn = start();
    let tenant = Tenant::new(&firn.http, "contract", None);
    Run::new(&firn, &firn.rest(), &ids(&tenant)).finds_nothing();
}

#[test]
fn answers_to_an_owners_session_are_as_described() {
    let firn = start();
    let tenant = Tenant::new(&firn.http, "contract", None);
    let run = Run::new(&firn, tenant.rest(), &ids(&tenant));
    let run = ENDS_SESSIONS.into_iter().fold(run, Run::without);
    run.finds_nothing();
    tenant.rest().get("/v1/me").expect(200);
    for operation in ENDS_SESSIONS {
        let session = firn.rest().log_in(&tenant.owner.email, PASSWORD).rest;
        Run::new(&firn, &session, &[]).only(operation).finds_nothing();
    }
}

#[test]
fn answers_to_an_administrators_api_key_are_as_described() {
    let firn = start();
    let tenant = Tenant::new(&firn.http, "contract", None);
    let key = tenant.key_of_role("fuzzer", "admin");
    let program = firn.rest().with_bearer(&key.secret);
    Run::new(&firn, &program, &ids(&tenant)).finds_nothing();
    program.get("/v1/organizations").expect(200);
}

#[test]
fn a_fault_in_the_description_is_found() {
    let firn = start();
    let mut document = firn.get("/v1/openapi.json").expect(200).json();
    let answers = &mut document["paths"]["/v1/limits"]["get"]["responses"];
    let described = answers.as_object_mut().unwrap().remove("200").unwrap();
    answers["299"] = described;
    let found = Run::new(&firn, &firn.rest(), &[])
        .described_by(&document)
        .only("GET /v1/limits")
        .findings();
    assert!(found.is_some_and(|found| found.contains("Undocumented status code")));
}
