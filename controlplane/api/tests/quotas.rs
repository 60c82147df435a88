//! Client quotas over REST, as far as the catalog answers: no broker runs here. What brokers tell is in the tests of the binary.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

mod support;

use serde_json::{Value, json};
use support::{Answer, Client, Service};

async fn cluster(owner: &Client, name: &str) -> String {
    let body = json!({ "project": owner.project, "name": name });
    let answer = owner.post("/v1/clusters", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    format!("/v1/clusters/{}", answer.body["id"].as_str().unwrap())
}

async fn set(caller: &Client, cluster: &str, entity: Value, quotas: Value) -> Answer {
    let body = json!({ "entity": entity, "quotas": quotas });
    caller
        .send("PUT", &format!("{cluster}/quotas"), Some(body.to_string()))
        .await
}

fn alice() -> Value {
    json!({ "user": { "name": "alice" } })
}

#[tokio::test]
async fn quotas_of_an_entity_are_set_read_replaced_and_deleted() {
    let service = Service::start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let both = json!({ "producer_byte_rate": 1000, "request_percentage": 12.5 });
    let made = set(&owner, &cluster, alice(), both).await;
    assert_eq!(made.status, 200, "{made:?}");
    let id = made.body["id"].as_str().unwrap();
    assert!(id.starts_with("qta_") && cluster.ends_with(made.body["cluster"].as_str().unwrap()));
    let user = json!({ "name": "alice", "default": false });
    assert_eq!(
        made.body["entity"],
        json!({ "user": user, "client_id": null, "ip": null })
    );
    assert_eq!(made.body["quotas"]["producer_byte_rate"], 1000.0);
    assert_eq!(made.body["quotas"]["request_percentage"], 12.5);
    assert_eq!(made.body["quotas"]["consumer_byte_rate"], Value::Null);
    let path = format!("{cluster}/quotas/{id}");
    let read = owner.get(&path).await;
    assert_eq!((read.status, &read.body), (200, &made.body));

    let rehearsed = owner
        .send(
            "PUT",
            &format!("{cluster}/quotas?dry_run=true"),
            Some(json!({ "entity": alice(), "quotas": { "consumer_byte_rate": 7 } }).to_string()),
        )
        .await;
    assert_eq!(
        rehearsed.body["quotas"]["consumer_byte_rate"], 7.0,
        "{rehearsed:?}"
    );
    assert_eq!(owner.get(&path).await.body, made.body, "nothing has changed");
    let replaced = set(&owner, &cluster, alice(), json!({ "consumer_byte_rate": 5 })).await;
    assert_eq!((replaced.status, replaced.body["id"].as_str()), (200, Some(id)));
    assert_eq!(replaced.body["quotas"]["producer_byte_rate"], Value::Null);
    assert_eq!(owner.get(&path).await.body, replaced.body);

    assert_eq!(owner.delete(&format!("{path}?dry_run=true")).await.status, 204);
    assert_eq!(owner.get(&path).await.status, 200);
    assert_eq!(owner.delete(&path).await.status, 204);
    assert_eq!(owner.get(&path).await.code(), "not_found");
    assert_eq!(owner.delete(&path).await.code(), "not_found");
}

#[tokio::test]
async fn a_list_is_paged_and_filtered() {
    let service = Service::start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let rate = json!({ "request_percentage": 50 });
    let default = json!({ "default": true });
    for entity in [
        alice(),
        json!({ "user": { "name": "alice" }, "client_id": default }),
        json!({ "user": { "name": "bob" }, "client_id": { "name": "app" } }),
        json!({ "client_id": { "name": "app" } }),
        json!({ "user": default }),
    ] {
        assert_eq!(set(&owner, &cluster, entity, rate.clone()).await.status, 200);
    }
    let address = json!({ "ip": { "name": "::ffff:10.0.0.1" } });
    let made = set(
        &owner,
        &cluster,
        address,
        json!({ "connection_creation_rate": 3 }),
    )
    .await;
    assert_eq!(made.body["entity"]["ip"]["name"], "10.0.0.1", "{made:?}");
    let count = async |filter: &str| {
        let list = owner.get(&format!("{cluster}/quotas?{filter}")).await;
        assert_eq!(list.status, 200, "{list:?}");
        list.body["items"].as_array().unwrap().len()
    };
    for (filter, expected) in [
        ("", 6),
        ("user=alice", 2),
        ("client_id=app", 2),
        ("user=bob&client_id=app", 1),
        ("user=nobody", 0),
        ("ip=10.0.0.1", 1),
        ("ip=::ffff:10.0.0.1", 1),
    ] {
        assert_eq!(count(filter).await, expected, "{filter}");
    }
    assert_eq!(owner.get(&format!("{cluster}/quotas?ip=x")).await.status, 400);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner.get(&format!("{cluster}/quotas?page_size=4{cursor}")).await;
        let items = page.body["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page.body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(seen.len() == 6 && seen.is_sorted(), "{seen:?}");
}

#[tokio::test]
async fn what_is_no_quota_is_pointed_at() {
    let service = Service::start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let rate = json!({ "request_percentage": 50 });
    let user = |name: Value| json!({ "user": name });
    for (entity, quotas, pointer) in [
        (json!({}), rate.clone(), "/entity"),
        (user(json!({})), rate.clone(), "/entity/user"),
        (
            user(json!({ "name": "a", "default": true })),
            rate.clone(),
            "/entity/user",
        ),
        (user(json!({ "nam": "a" })), rate.clone(), "/entity/user/nam"),
        (user(json!({ "name": "" })), rate.clone(), "/quotas"),
        (user(json!({ "name": "a\u{7}" })), rate.clone(), "/quotas"),
        (json!({ "ip": { "name": "x" } }), rate.clone(), "/entity/ip/name"),
        (
            json!({ "ip": { "default": true }, "user": { "default": true } }),
            rate.clone(),
            "/entity",
        ),
        (json!({ "ip": { "default": true } }), rate.clone(), "/quotas"),
        (alice(), json!({}), "/quotas"),
        (alice(), json!({ "no_such_rate": 1 }), "/quotas/no_such_rate"),
        (alice(), json!({ "connection_creation_rate": 1 }), "/quotas"),
        (alice(), json!({ "producer_byte_rate": 0 }), "/quotas"),
        (alice(), json!({ "producer_byte_rate": 1.5 }), "/quotas"),
        (alice(), json!({ "request_percentage": -1 }), "/quotas"),
    ] {
        let refused = set(&owner, &cluster, entity.clone(), quotas.clone()).await;
        let told = (refused.status, refused.body["errors"][0]["pointer"].as_str());
        assert_eq!(told, (422, Some(pointer)), "{entity} {quotas} {refused:?}");
    }
    let list = owner.get(&format!("{cluster}/quotas")).await;
    assert_eq!(list.body["items"], json!([]));
}

#[tokio::test]
async fn a_role_decides_who_sees_and_who_sets() {
    let service = Service::start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let rate = json!({ "request_percentage": 50 });
    let id = set(&owner, &cluster, alice(), rate.clone()).await.body["id"].clone();
    let path = format!("{cluster}/quotas/{}", id.as_str().unwrap());
    for (role, sees, sets) in [
        ("operator", 200, 200),
        ("developer", 200, 403),
        ("viewer", 200, 403),
        ("billing", 403, 403),
    ] {
        let email = format!("{role}@example.com");
        let colleague = service.colleague(&owner, &email, role).await;
        assert_eq!(colleague.get(&path).await.status, sees, "{role}");
        assert_eq!(
            colleague.get(&format!("{cluster}/quotas")).await.status,
            sees,
            "{role}"
        );
        assert_eq!(
            colleague.get(&format!("{cluster}/throttles")).await.status,
            sees,
            "{role}"
        );
        let done = set(&colleague, &cluster, alice(), rate.clone()).await;
        assert_eq!(done.status, sets, "{role}: {done:?}");
        let gone = colleague.delete(&format!("{path}?dry_run=true")).await;
        assert_eq!(
            gone.status,
            if sets == 200 { 204 } else { 403 },
            "{role}: {gone:?}"
        );
    }
    let stranger = service.person("eve@example.com").await;
    for path in [
        &path,
        &format!("{cluster}/quotas"),
        &format!("{cluster}/throttles"),
    ] {
        assert_eq!(stranger.get(path).await.code(), "not_found");
    }
    assert_eq!(set(&stranger, &cluster, alice(), rate).await.code(), "not_found");
    let nobody = owner.get(&format!("{cluster}/throttles")).await;
    let nothing =
        json!({ "throttles": [], "incomplete": false, "silent_brokers": [], "storage_full": false });
    assert_eq!(nobody.body, nothing, "no broker, nobody who waits");
}

#[tokio::test]
async fn quotas_are_replaced_and_deleted_in_the_version_that_was_read() {
    let service = Service::start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let made = set(&owner, &cluster, alice(), json!({ "request_percentage": 1 })).await;
    let first = made.header("etag").unwrap().to_owned();
    let path = format!("{cluster}/quotas/{}", made.body["id"].as_str().unwrap());
    assert_eq!(owner.get(&path).await.header("etag"), Some(first.as_str()));
    let put = async |tag: &str, value: u32| {
        let body = json!({ "entity": alice(), "quotas": { "request_percentage": value } });
        let caller = owner.with("If-Match", tag);
        caller
            .send("PUT", &format!("{cluster}/quotas"), Some(body.to_string()))
            .await
    };
    let replaced = put(&first, 2).await;
    assert_eq!(replaced.status, 200, "{replaced:?}");
    let second = replaced.header("etag").unwrap();
    assert_ne!(first, second);
    assert_eq!(put(&first, 3).await.code(), "version_mismatch");
    let late = owner.with("If-Match", &first).delete(&path).await;
    assert_eq!((late.status, late.code()), (412, "version_mismatch"));
    assert_eq!(owner.with("If-Match", second).delete(&path).await.status, 204);
}
