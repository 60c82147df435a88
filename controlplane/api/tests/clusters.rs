//! Clusters over REST.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

mod support;

use std::time::Duration;

use firn_catalog::cell::{LogCatalog, WalLocation};
use firn_catalog::ids::{FeedSequence, IncarnationId, NodeId};
use firn_runtime::Env;
use serde_json::{Value, json};

use support::{Answer, Client, Service, settings};

/// An id that nothing has.
const ABSENT: &str = "clu_aaaaaaaaaaaaaaaaaaaaaaaaab";

async fn create(client: &Client, name: &str) -> Value {
    let answer = client.post("/v1/clusters", &new(client, name)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.body
}

fn new(client: &Client, name: &str) -> Value {
    json!({ "project": client.project, "name": name })
}

fn path(cluster: &Value) -> String {
    format!("/v1/clusters/{}", cluster["id"].as_str().unwrap())
}

async fn act(client: &Client, path: &str, action: &str) -> Answer {
    client.send("POST", &format!("{path}/{action}"), None).await
}

#[tokio::test]
async fn a_cluster_is_created_read_changed_deleted_and_undeleted() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let body = json!({
        "project": ada.project, "name": "Orders", "slug": "orders", "limits": { "topics": 5 },
        "deletion_protection": true,
    });
    let made = ada.post("/v1/clusters", &body).await;
    assert_eq!(
        (made.status, made.header("etag")),
        (201, Some("\"1\"")),
        "{made:?}"
    );
    let at = path(&made.body);
    assert_eq!(made.header("location"), Some(at.as_str()));
    let cluster = &made.body;
    assert_eq!(
        (&cluster["name"], &cluster["slug"]),
        (&json!("Orders"), &json!("orders"))
    );
    assert_eq!(
        (&cluster["state"], &cluster["bootstrap"]),
        (&json!("active"), &json!("127.0.0.1:9092"))
    );
    assert_eq!(
        (&cluster["organization"], &cluster["project"]),
        (&json!(ada.organization), &json!(ada.project))
    );
    assert_eq!(cluster["kafka_cluster_id"].as_str().unwrap().len(), 22);
    assert_eq!(cluster["limits"]["topics"], 5);
    assert_eq!(cluster["limits"]["partitions"], 1_000);
    assert_eq!(cluster["usage"], json!({ "topics": 0, "partitions": 0 }));
    assert_eq!(
        (&cluster["delete_at"], &cluster["version"]),
        (&Value::Null, &json!(1))
    );
    let read = ada.get(&at).await;
    assert_eq!(
        (read.status, &read.body, read.header("etag")),
        (200, cluster, Some("\"1\""))
    );
    let refused = ada.delete(&at).await;
    assert_eq!((refused.status, refused.code()), (409, "deletion_protected"));
    let change = json!({ "name": "Old orders", "deletion_protection": false, "limits": { "groups": 7 } });
    let changed = ada.with("if-match", "\"1\"").patch(&at, &change).await;
    assert_eq!(
        (changed.status, changed.header("etag")),
        (200, Some("\"2\"")),
        "{changed:?}"
    );
    assert_eq!(changed.body["limits"]["groups"], 7);
    assert_eq!(changed.body["limits"]["topics"], 5);
    let deleted = ada.delete(&at).await;
    assert_eq!(
        (deleted.status, &deleted.body["state"]),
        (200, &json!("deleting")),
        "{deleted:?}"
    );
    assert!(deleted.body["delete_at"].as_str().unwrap().ends_with('Z'));
    let back = act(&ada, &at, "undelete").await;
    assert_eq!((back.status, &back.body["state"]), (200, &json!("active")));
    assert_eq!(back.body["delete_at"], Value::Null);
}

#[tokio::test]
async fn a_cell_with_a_domain_gives_each_cluster_its_own_host_name() {
    let service = Service::start_with(firn_api::ApiSettings {
        cell_domain: Some("cell.example.com".into()),
        kafka_port: 9093,
        ..settings()
    })
    .await;
    let ada = service.person("ada@example.com").await;
    let cluster = create(&ada, "Orders").await;
    let slug = cluster["slug"].as_str().unwrap();
    assert_eq!(cluster["bootstrap"], format!("{slug}.cell.example.com:9093"));
    assert!(slug.starts_with("orders-"));
}

#[tokio::test]
async fn suspension_is_a_state_that_is_entered_and_left() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let at = path(&create(&ada, "a").await);
    for (action, state) in [
        ("suspend", "suspended"),
        ("suspend", "suspended"),
        ("resume", "active"),
    ] {
        let answer = act(&ada, &at, action).await;
        assert_eq!(
            (answer.status, &answer.body["state"]),
            (200, &json!(state)),
            "{answer:?}"
        );
    }
    ada.delete(&at).await;
    let answer = act(&ada, &at, "suspend").await;
    assert_eq!((answer.status, answer.code()), (409, "protected"));
}

#[tokio::test]
async fn a_change_names_the_version_that_it_means() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let at = path(&create(&ada, "a").await);
    let change = json!({ "name": "b" });
    let without = ada.patch(&at, &change).await;
    assert_eq!((without.status, without.code()), (428, "precondition_required"));
    let first = ada.with("if-match", "\"1\"").patch(&at, &change).await;
    assert_eq!(first.status, 200);
    let stale = ada
        .with("if-match", "\"1\"")
        .patch(&at, &json!({ "name": "c" }))
        .await;
    assert_eq!((stale.status, stale.code()), (412, "version_mismatch"));
    for action in ["suspend", "resume", "undelete"] {
        let stale = act(&ada.with("if-match", "\"1\""), &at, action).await;
        assert_eq!(stale.status, 412, "{action}");
    }
    assert_eq!(ada.with("if-match", "\"1\"").delete(&at).await.status, 412);
    assert_eq!(ada.get(&at).await.body["name"], "b");
    let any = ada
        .with("if-match", "*")
        .patch(&at, &json!({ "name": "d" }))
        .await;
    assert_eq!((any.status, &any.body["name"]), (200, &json!("d")));
}

#[tokio::test]
async fn a_dry_run_answers_as_if_and_keeps_nothing() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let made = ada.post("/v1/clusters?dry_run=true", &new(&ada, "a")).await;
    assert_eq!((made.status, &made.body["name"]), (201, &json!("a")), "{made:?}");
    assert_eq!(ada.get(&path(&made.body)).await.status, 404);
    let cluster = create(&ada, "b").await;
    let at = path(&cluster);
    let deleted = ada.delete(&format!("{at}?dry_run=true")).await;
    assert_eq!(
        (deleted.status, &deleted.body["state"]),
        (200, &json!("deleting"))
    );
    let change = json!({ "name": "c" });
    let changed = ada
        .with("if-match", "\"1\"")
        .patch(&format!("{at}?dry_run=true"), &change)
        .await;
    assert_eq!((changed.status, &changed.body["name"]), (200, &json!("c")));
    assert_eq!(act(&ada, &at, "suspend?dry_run=true").await.status, 200);
    assert_eq!(ada.get(&at).await.body, cluster);
    let invalid = ada
        .post(
            "/v1/clusters?dry_run=true",
            &json!({ "project": ada.project, "name": "" }),
        )
        .await;
    assert_eq!(invalid.status, 422);
}

#[tokio::test]
async fn what_does_not_do_is_pointed_at() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let with = |key: &str, value: Value| {
        let mut body = new(&ada, "a");
        body[key] = value;
        body
    };
    for (body, pointer) in [
        (with("name", json!("")), "/name"),
        (with("name", json!(7)), "/name"),
        (with("slug", json!("No")), "/slug"),
        (with("slug", json!("api")), "/slug"),
        (with("slug", json!("a-b1")), "/slug"),
        (with("project", json!("x")), "/project"),
        (with("limits", json!({ "topics": -1 })), "/limits/topics"),
        (
            with("limits", json!({ "storage_bytes": 1_i64 << 60 })),
            "/limits/storage_bytes",
        ),
        (with("limits", json!({ "topics": 1.5 })), "/limits/topics"),
        (with("limits", json!({ "brokers": 1 })), "/limits/brokers"),
        (with("state", json!("active")), "/state"),
    ] {
        let answer = ada.post("/v1/clusters", &body).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_value"), "{body}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{body}");
    }
    let mut body = new(&ada, "a");
    body["slug"] = json!("mine");
    assert_eq!(ada.post("/v1/clusters", &body).await.status, 201);
    let taken = ada.post("/v1/clusters", &body).await;
    assert_eq!((taken.status, taken.code()), (409, "already_exists"));
    for query in ["project=x", "state=gone", "page_size=0", "cursor=x"] {
        let answer = ada.get(&format!("/v1/clusters?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
    }
}

/// Every request about a cluster at a path.
async fn requests(client: &Client, at: &str) -> Vec<Answer> {
    vec![
        client.get(at).await,
        client.get(&format!("{at}/audit")).await,
        client
            .with("if-match", "*")
            .patch(at, &json!({ "name": "x" }))
            .await,
        client.delete(at).await,
        act(client, at, "undelete").await,
        act(client, at, "suspend").await,
        act(client, at, "resume").await,
    ]
}

#[tokio::test]
async fn foreign_is_absent_to_the_byte_and_without_a_credential_nothing_is_said() {
    let service = Service::start().await;
    let (ada, eve) = (
        service.person("ada@example.com").await,
        service.person("eve@example.com").await,
    );
    let cluster = create(&ada, "secret-name").await;
    let foreign = requests(&eve, &path(&cluster)).await;
    let absent = requests(&eve, &format!("/v1/clusters/{ABSENT}")).await;
    for (foreign, absent) in foreign.iter().zip(&absent) {
        assert_eq!(foreign.status, 404, "{foreign:?}");
        assert_eq!(foreign.problem(), absent.problem());
    }
    for answer in requests(&service.anonymous(), &path(&cluster)).await {
        assert_eq!((answer.status, answer.code()), (401, "unauthenticated"));
    }
    let elsewhere = json!({ "project": ada.project, "name": "x" });
    let nowhere = json!({ "project": "prj_aaaaaaaaaaaaaaaaaaaaaaaaab", "name": "x" });
    let (elsewhere, nowhere) = (
        eve.post("/v1/clusters", &elsewhere).await,
        eve.post("/v1/clusters", &nowhere).await,
    );
    assert_eq!((elsewhere.status, elsewhere.problem()), (404, nowhere.problem()));
    let seen = eve.get(&format!("/v1/clusters?project={}", ada.project)).await;
    assert_eq!((seen.status, &seen.body["items"]), (200, &json!([])));
    assert!(!eve.get("/v1/clusters").await.text.contains("secret-name"));
    assert_eq!(ada.get(&path(&cluster)).await.body, cluster);
}

#[tokio::test]
async fn a_role_that_is_too_small_is_told_so() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let viewer = service.colleague(&ada, "vic@example.com", "viewer").await;
    let cluster = create(&ada, "a").await;
    let statuses: Vec<u16> = requests(&viewer, &path(&cluster))
        .await
        .iter()
        .map(|a| a.status)
        .collect();
    assert_eq!(statuses, [200, 403, 403, 403, 403, 403, 403]);
    let mut theirs = new(&ada, "b");
    theirs["project"] = json!(ada.project);
    assert_eq!(viewer.post("/v1/clusters", &theirs).await.status, 403);
    let operator = service.colleague(&ada, "olga@example.com", "operator").await;
    assert_eq!(operator.post("/v1/clusters", &theirs).await.status, 201);
    assert_eq!(ada.get(&path(&cluster)).await.body, cluster);
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let mut made = Vec::new();
    for name in ["alpha", "alphabet", "beta"] {
        made.push(create(&ada, name).await);
    }
    act(&ada, &path(&made[2]), "suspend").await;
    let list = async |query: &str| {
        let answer = ada.get(&format!("/v1/clusters?{query}")).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        answer.body
    };
    let names = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        let mut names: Vec<_> = items
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&list("name=ALPHA").await), ["alpha", "alphabet"]);
    assert_eq!(names(&list("state=suspended").await), ["beta"]);
    assert_eq!(
        names(&list(&format!("project={}&state=active", ada.project)).await),
        ["alpha", "alphabet"]
    );
    let first = list("page_size=2").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = list(&format!("page_size=2&cursor={cursor}")).await;
    assert_eq!(
        (names(&first).len(), names(&second).len(), &second["next_cursor"]),
        (2, 1, &Value::Null)
    );
    let other = ada.get(&format!("/v1/clusters?name=a&cursor={cursor}")).await;
    assert_eq!((other.status, other.code()), (400, "invalid_cursor"));
}

#[tokio::test]
async fn the_audit_trail_says_who_did_what_by_which_request() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let at = path(&create(&ada, "a").await);
    act(&ada.with("x-request-id", "my-request"), &at, "suspend").await;
    let trail = ada.get(&format!("{at}/audit?page_size=1")).await;
    let row = &trail.body["items"][0];
    assert_eq!(
        (&row["action"], &row["request_id"]),
        (&json!("suspend_cluster"), &json!("my-request")),
        "{trail:?}"
    );
    assert_eq!(row["principal"], format!("User:{}", ada.person));
    let cursor = trail.body["next_cursor"].as_str().unwrap();
    let rest = ada.get(&format!("{at}/audit?page_size=1&cursor={cursor}")).await;
    assert_eq!(rest.body["items"][0]["action"], "create_cluster");
    assert_eq!(rest.body["next_cursor"], Value::Null);
}

#[tokio::test]
async fn the_free_tier_has_ten_clusters() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    for number in 0..10 {
        create(&ada, &format!("c{number}")).await;
    }
    let full = ada.post("/v1/clusters", &new(&ada, "one more")).await;
    assert_eq!((full.status, full.code()), (409, "limit_exceeded"));
}

#[tokio::test]
async fn a_change_that_a_broker_has_not_applied_is_an_operation_until_it_has() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let slow = IncarnationId(1);
    let now = Env::system().now();
    let catalog = &service.catalog;
    catalog
        .open_incarnation(slow, NodeId(0), WalLocation::Object, now)
        .await
        .unwrap();
    let made = ada.post("/v1/clusters", &new(&ada, "a")).await;
    assert_eq!((made.status, &made.body["name"]), (202, &json!("a")), "{made:?}");
    let operation = made.header("location").unwrap().to_owned();
    assert!(operation.starts_with("/v1/operations/op_"), "{operation}");
    let before = ada.get(&operation).await;
    assert_eq!(before.status, 200, "{before:?}");
    assert_eq!(before.body["status"], "running", "{before:?}");
    let stranger = service.person("eve@example.com").await;
    assert_eq!(stranger.get(&operation).await.status, 404);
    catalog.report_applied(slow, FeedSequence(1_000)).await.unwrap();
    let after = tokio::time::timeout(Duration::from_secs(60), ada.get(&operation))
        .await
        .unwrap();
    assert_eq!(after.body["status"], "done", "{after:?}");
    assert_eq!(create(&ada, "b").await["state"], "active");
}
