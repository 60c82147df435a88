//! Every write of the API, done in earnest, leaves a row of its own in an audit trail, which says what changed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::rows::{Access, ROWS, Row};
use super::things::{Things, group};
use crate::support::firn::{Firn, FirnOptions};
use crate::support::rest::{PASSWORD, Rest, Tenant, id};

/// Writes that leave none, and why.
const WITHOUT: [(&str, &str); 13] = [
    (
        "POST /v1/signup",
        "nobody yet; the organization that follows has a row",
    ),
    ("POST /v1/verifications", "a nonsense token changes nothing"),
    ("POST /v1/verifications/resend", "it sends a mail"),
    ("POST /v1/sessions", "of an address that nobody has"),
    ("POST /v1/password-resets", "it sends a mail"),
    (
        "POST /v1/password-resets/complete",
        "a nonsense token changes nothing",
    ),
    ("POST /v1/invitations/accept", "a nonsense token changes nothing"),
    ("POST /v1/me/password", "the wrong password changes nothing"),
    (
        "DELETE /v1/me/logins/{login}",
        "nothing is linked here: the tests of the catalog and of the API ask for its row",
    ),
    (
        "DELETE /v1/sessions/current",
        "it ends what asks here; the row of another session stands for it",
    ),
    (
        "POST /v1/oidc/links",
        "it changes nothing before the provider has answered",
    ),
    (
        "POST /v1/tokens",
        "a person has none; a token changes nothing that is stored",
    ),
    (
        "DELETE /v1/organizations/{organization}",
        "nobody is left who could read its trail",
    ),
];

/// When a row has its turn: what makes and changes, what removes parts, and what ends the whole.
fn turn(place: usize, row: &Row) -> (usize, usize) {
    let ends = [
        "POST /v1/clusters/{cluster}/suspend",
        "POST /v1/clusters/{cluster}/resume",
        "DELETE /v1/clusters/{cluster}",
        "POST /v1/clusters/{cluster}/undelete",
        "DELETE /v1/projects/{project}",
        "DELETE /v1/sessions/{session}",
    ];
    if let Some(turn) = ends.iter().position(|operation| *operation == row.operation) {
        return (2, turn);
    }
    // With the service account its role goes, too.
    let goes_with_another = row.operation.ends_with("/{binding}");
    match row.operation.starts_with("DELETE") && !goes_with_another {
        false => (0, place),
        true => (1, ROWS.len() - place),
    }
}

/// The rows of both trails by the id of their request.
fn trails(tenant: &Tenant) -> BTreeMap<String, Value> {
    let of = |path: String| {
        let export = tenant.rest().get(&path).expect(200).body;
        let lines: Vec<Value> = export
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        lines
    };
    let organization = of(format!("/v1/organizations/{}/audit/export", tenant.organization));
    let cluster = of(format!("/v1/clusters/{}/audit/export", tenant.cluster));
    let rows = cluster.into_iter().chain(organization);
    rows.map(|row| (row["request_id"].as_str().unwrap().to_owned(), row))
        .collect()
}

/// Does all writes; the ids of their requests, by operation.
fn write_all(rest: &Rest, tenant: &Tenant, mut things: Things) -> BTreeMap<&'static str, String> {
    let skipped = |row: &Row| WITHOUT.iter().any(|(operation, _)| *operation == row.operation);
    let writes = ROWS
        .iter()
        .enumerate()
        .filter(|(_, row)| row.writes() && !skipped(row));
    let mut writes: Vec<_> = writes
        .filter(|(_, row)| row.operation != "POST /v1/organizations")
        .collect();
    writes.sort_by_key(|(place, row)| turn(*place, row));
    let (mut asked, mut another_acl, mut failed) = (BTreeMap::new(), None, Vec::new());
    for (number, (_, row)) in writes.into_iter().enumerate() {
        match row.operation {
            // The batch has deleted the first one.
            "DELETE /v1/clusters/{cluster}/acls/{acl}" => {
                things = things.with("acl", another_acl.as_deref().unwrap());
            }
            // Without the offsets that it had there is no such group.
            "DELETE /v1/clusters/{cluster}/groups/{group}" => {
                group(tenant, things.id("topic"), things.id("group"));
            }
            "DELETE /v1/projects/{project}" => {
                let body = json!({ "organization": tenant.organization, "name": "empty" });
                things = things.with("project", &id(&tenant.make("/v1/projects", &body)));
            }
            "DELETE /v1/sessions/{session}" => {
                let sessions = || tenant.see("/v1/sessions")["items"].as_array().unwrap().clone();
                let before: Vec<String> = sessions().iter().map(id).collect();
                rest.logged_out().log_in(&tenant.owner.email, PASSWORD);
                let other = sessions().iter().map(id).find(|id| !before.contains(id));
                things = things.with("session", &other.unwrap());
            }
            _ => {}
        }
        let request_id = format!("write-{number}");
        let request = row.in_earnest(rest, &things, &format!("w{number}"));
        let answer = rest.send(&request.header("x-request-id", &request_id));
        if !(200..300).contains(&answer.status) {
            failed.push(format!("{} {} {}", row.operation, answer.status, answer.body));
        }
        if row.operation == "POST /v1/clusters/{cluster}/acls" {
            another_acl = answer.json()["id"].as_str().map(str::to_owned);
        }
        asked.insert(row.operation, request_id);
    }
    assert!(failed.is_empty(), "{failed:#?}");
    asked
}

#[test]
fn every_write_leaves_a_row_that_says_who_what_and_what_changed() {
    let firn = Firn::start(FirnOptions::unlimited());
    let tenant = Tenant::new(&firn.http, "audited", None);
    let things = Things::one_of_everything(&tenant, "audited");
    let rest = tenant.rest();
    let asked = write_all(rest, &tenant, things);
    let trails = trails(&tenant);
    let mut wrong = Vec::new();
    for (operation, request_id) in &asked {
        let Some(row) = trails.get(request_id) else {
            wrong.push(format!("{operation}: no row"));
            continue;
        };
        let person = format!(
            "User:{}",
            tenant.owner.rest.get("/v1/me").expect(200).json()["id"]
                .as_str()
                .unwrap()
        );
        let who =
            row["principal"] == person && row["credential"].is_string() && row["address"] == "127.0.0.1";
        let what = ["action", "resource_kind", "resource"];
        let what = what
            .iter()
            .all(|field| row[field].as_str().is_some_and(|text| !text.is_empty()));
        if !who || !what || row["decision"] != "allowed" || !row["detail"].is_object() {
            wrong.push(format!("{operation}: {row}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    for (operation, _) in WITHOUT {
        let row = ROWS.iter().find(|row| row.operation == operation);
        let row = row.unwrap_or_else(|| panic!("{operation} is no route"));
        assert!(row.writes() && (row.access != Access::Inside || row.operation.ends_with('}')));
    }
}
