//! A cluster's audit trail as its own clients and its owner see it: the topic `__audit`, exports, `firn audit verify`, and the ids that
//! denials name; across kill -9.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::fs;
use std::path::Path;

use serde_json::json;
use support::clients::{self, Security};
use support::firn::{self, Firn, FirnOptions, PATIENCE};
use support::rest::{self, Tenant};
use support::wait_for;
use support::wire::Wire;

/// How a client logs in with a key of a new service account that has this role.
fn who(firn: &Firn, tenant: &Tenant, role: &str) -> Security {
    let account = tenant.another_account(role);
    tenant.bind(&account, role, &tenant.organization);
    let body = json!({ "service_account": account, "cluster": tenant.cluster, "name": role });
    rest::login(&tenant.make("/v1/api-keys", &body), &firn.ca_file())
}

/// The topic's values, as kcat reads them up to its end.
fn topic(tenant: &Tenant, who: &Security) -> String {
    let authority = who.authority.as_ref().unwrap().display();
    let settings = [
        "security.protocol=sasl_ssl".to_owned(),
        format!("sasl.mechanism={}", who.mechanism),
        format!("sasl.username={}", who.username),
        format!("sasl.password={}", who.password),
        format!("ssl.ca.location={authority}"),
    ];
    let client = clients::kcat().args(settings.iter().flat_map(|setting| ["-X", setting]));
    client
        .args([
            "-b",
            &tenant.bootstrap,
            "-C",
            "-t",
            "__audit",
            "-o",
            "beginning",
            "-e",
            "-q",
        ])
        .run()
}

fn export(tenant: &Tenant) -> String {
    let path = format!("/v1/clusters/{}/audit/export", tenant.cluster);
    tenant.rest().get(&path).expect(200).body
}

/// Waits until the topic holds exactly what an export does, so many rows at least; gives it.
fn same(tenant: &Tenant, who: &Security, rows: usize) -> String {
    let same = || {
        let export = export(tenant);
        (export.lines().count() >= rows && topic(tenant, who) == export).then_some(export)
    };
    wait_for(PATIENCE, same).unwrap_or_else(|| panic!("{}\n---\n{}", topic(tenant, who), export(tenant)))
}

/// The exit code of `firn audit verify` and what it says.
fn verify(file: &Path, head: Option<(&Path, &Path)>) -> (Option<i32>, String) {
    let mut args = vec![
        "audit".to_owned(),
        "verify".to_owned(),
        file.display().to_string(),
    ];
    if let Some((head, jwks)) = head {
        args.push(format!("--head={}", head.display()));
        args.push(format!("--jwks={}", jwks.display()));
    }
    let output = firn::firn_command(args).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn the_trail_is_a_topic_that_a_real_client_reads_across_kill_9_and_an_export_that_verifies() {
    let mut firn = Firn::start(FirnOptions::default());
    let tenant = Tenant::new(&firn.http, "audited", None);
    let admin = who(&firn, &tenant, "admin");
    tenant.topic("before", 1);
    tenant.topic("__audit", 1);
    let folder = firn.options().scratch().to_path_buf();
    let (file, head) = (folder.join("trail.jsonl"), folder.join("head.json"));
    let mut rows = same(&tenant, &admin, 3).lines().count();
    for round in 0..3 {
        for number in 0..3 {
            tenant.topic(&format!("t{round}-{number}"), 1);
        }
        firn.kill9();
        firn.restart();
        rows = same(&tenant, &admin, rows + 3).lines().count();
    }
    let path = format!("/v1/clusters/{}/audit/head", tenant.cluster);
    fs::write(&head, tenant.rest().get(&path).expect(200).body).unwrap();
    let jwks = head.with_extension("jwks");
    fs::write(&jwks, tenant.rest().get("/v1/jwks.json").expect(200).body).unwrap();
    tenant.topic("after", 1);
    let whole = same(&tenant, &admin, rows + 1);
    fs::write(&file, &whole).unwrap();
    let (code, said) = verify(&file, Some((&head, &jwks)));
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("unbroken") && said.contains("is signed by key"),
        "{said}"
    );
    let changed = whole.replacen("t1-2", "t1-3", 1);
    assert_ne!(changed, whole);
    let line = 1 + changed
        .lines()
        .zip(whole.lines())
        .position(|(a, b)| a != b)
        .unwrap();
    fs::write(&file, changed).unwrap();
    let (code, said) = verify(&file, None);
    assert!(
        code == Some(1) && said.contains(&format!("line {line}: ")),
        "{said}"
    );
    let cut: String = whole
        .lines()
        .take(rows - 1)
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(&file, cut).unwrap();
    assert_eq!(verify(&file, None).0, Some(0));
    let (code, said) = verify(&file, Some((&head, &jwks)));
    assert!(code == Some(1) && said.contains("cut off"), "{said}");
}

#[test]
fn a_denial_is_found_by_the_owner_and_developers_do_not_see_the_trail() {
    let firn = Firn::start(FirnOptions::default());
    let tenant = Tenant::new(&firn.http, "denied", None);
    let viewer = who(&firn, &tenant, "viewer");
    let developer = rest::login(&tenant.api_key(), &firn.ca_file());
    tenant.topic("orders", 1);
    tenant.topic("__audit", 1);
    let mut wire = Wire::log_in(&tenant.bootstrap, &viewer).unwrap();
    assert_eq!(wire.produce("orders", b"x").error, 29);
    let found = |query: &str| {
        let path = format!("/v1/clusters/{}/audit?{query}", tenant.cluster);
        wait_for(PATIENCE, || tenant.see(&path)["items"].get(0).cloned()).unwrap()
    };
    let denied = found("decision=denied&action=write&resource=orders");
    assert_eq!(denied["credential"], viewer.username);
    assert_eq!(found(&format!("id={}", denied["id"].as_str().unwrap())), denied);
    // A developer may read and write topics, but not the trail.
    let mut wire = Wire::log_in(&tenant.bootstrap, &developer).unwrap();
    assert_eq!(wire.produce("orders", b"x").error, 0);
    assert_eq!(wire.produce("__audit", b"x").error, 29);
}
