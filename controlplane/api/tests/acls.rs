//! ACLs over REST, and why something is allowed or denied.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

mod support;

use firn_catalog::acl::{Asked, Operation, ResourceName};
use firn_catalog::cell::{LogCatalog, WalLocation};
use firn_catalog::commands::{Principal, User};
use firn_catalog::ids::{AclId, ClusterId, FeedSequence, IncarnationId, NodeId};
use firn_catalog::image::ImageFollower;
use firn_runtime::Timestamp;
use serde_json::{Value, json};
use support::{Answer, Client, Service};

/// A service with a broker in its catalog that says that it serves whatever will be told: nobody waits for it.
async fn start() -> Service {
    let service = Service::start().await;
    let (id, node, long_ago) = (IncarnationId(1), NodeId(0), Timestamp(1_000));
    let opened = service
        .catalog
        .open_incarnation(id, node, WalLocation::Object, long_ago);
    opened.await.unwrap();
    let served = FeedSequence(1_000_000);
    service.catalog.report_applied(id, served).await.unwrap();
    service
}

async fn made(client: &Client, path: &str, body: &Value) -> Answer {
    let answer = client.post(path, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

/// A cluster's path.
async fn cluster(owner: &Client, name: &str) -> String {
    let body = json!({ "project": owner.project, "name": name });
    let cluster = made(owner, "/v1/clusters", &body).await;
    format!("/v1/clusters/{}", text(&cluster.body["id"]))
}

/// A service account with this role, or none, and a client with a key of it.
async fn program(owner: &Client, role: Option<&str>) -> (String, Client) {
    let role = role.map(|role| json!({ "role": role }));
    let body = json!({ "project": owner.project, "name": format!("program {role:?}"), "role": role });
    let account = text(&made(owner, "/v1/service-accounts", &body).await.body["id"]);
    let key = json!({ "service_account": account, "name": "key" });
    let key = made(owner, "/v1/api-keys", &key).await;
    (account, owner.with_bearer(key.body["secret"].as_str().unwrap()))
}

fn reads(principal: &str, topic: &str) -> Value {
    json!({
        "resource_type": "topic",
        "resource_name": topic,
        "principal": principal,
        "operation": "read",
        "permission": "allow",
    })
}

fn with(mut body: Value, changes: &Value) -> Value {
    let object = body.as_object_mut().unwrap();
    object.extend(changes.as_object().unwrap().clone());
    body
}

fn statuses(answer: &Answer) -> Vec<u64> {
    let results = answer.body["results"].as_array().unwrap();
    results
        .iter()
        .map(|result| result["status"].as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn an_acl_is_made_once_read_and_deleted() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let acls = format!("{}/acls", cluster(&owner, "one").await);
    let body = with(
        reads("User:alice", "orders"),
        &json!({ "host": "::ffff:10.0.0.1" }),
    );
    let rehearsed = owner.post(&format!("{acls}?dry_run=true"), &body).await;
    assert_eq!(rehearsed.status, 201, "{rehearsed:?}");
    assert_eq!(owner.get(&acls).await.body["items"], json!([]));
    let acl = made(&owner, &acls, &body).await;
    assert_eq!(
        (&acl.body["host"], &acl.body["pattern_type"]),
        (&json!("10.0.0.1"), &json!("literal"))
    );
    let path = format!("{acls}/{}", text(&acl.body["id"]));
    assert_eq!(acl.header("location"), Some(path.as_str()));
    assert_eq!(owner.get(&path).await.body, acl.body);
    let again = owner.post(&acls, &body).await;
    assert_eq!((again.status, &again.body), (200, &acl.body));
    assert_eq!(owner.delete(&format!("{path}?dry_run=true")).await.status, 204);
    assert_eq!(owner.delete(&path).await.status, 204);
    assert_eq!(owner.get(&path).await.code(), "not_found");
    assert_eq!(owner.delete(&path).await.code(), "not_found");
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_a_pointer_to_it() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let acls = format!("{}/acls", cluster(&owner, "one").await);
    for (change, pointer) in [
        (json!({ "principal": "alice" }), "/principal"),
        (json!({ "host": "example.com" }), "/host"),
        (json!({ "resource_name": "" }), "/resource_name"),
        (json!({ "resource_type": "cluster" }), "/resource_name"),
        (json!({ "operation": "cluster_action" }), "/operation"),
        (json!({ "operation": "fly" }), "/operation"),
        (json!({ "pattern_type": "match" }), "/pattern_type"),
        (json!({ "permission": "any" }), "/permission"),
    ] {
        let refused = owner.post(&acls, &with(reads("User:a", "t"), &change)).await;
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn acls_are_listed_page_by_page_and_filtered_as_kafka_does() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let acls = format!("{}/acls", cluster(&owner, "one").await);
    let prefixed = json!({ "pattern_type": "prefixed" });
    let create = json!([
        reads("User:alice", "orders"),
        reads("User:bob", "orders"),
        with(reads("User:bob", "ord"), &prefixed),
        reads("User:bob", "*"),
        with(
            reads("User:bob", "orders"),
            &json!({ "operation": "write", "permission": "deny", "host": "10.0.0.1" })
        ),
    ]);
    let batch = owner
        .post(&format!("{acls}/batch"), &json!({ "create": create }))
        .await;
    assert_eq!(statuses(&batch), [201; 5], "{batch:?}");
    for (query, number) in [
        ("", 5),
        ("resource_name=orders", 3),
        ("resource_name=orders&pattern_type=match", 5),
        (
            "resource_name=orders&pattern_type=match&principal=User:bob&operation=read",
            3,
        ),
        ("pattern_type=prefixed", 1),
        ("pattern_type=literal&resource_name=*", 1),
        ("host=::ffff:10.0.0.1", 1),
        ("host=*", 4),
        ("permission=deny", 1),
        ("resource_type=group", 0),
        ("principal=User:*", 0),
    ] {
        let listed = owner.get(&format!("{acls}?{query}")).await;
        assert_eq!(
            listed.body["items"].as_array().unwrap().len(),
            number,
            "{query} {listed:?}"
        );
    }
    for query in ["operation=fly", "resource_type=any", "pattern_type=some"] {
        assert_eq!(
            owner.get(&format!("{acls}?{query}")).await.code(),
            "invalid_request",
            "{query}"
        );
    }
    let mut seen = Vec::new();
    let mut next = format!("{acls}?principal=User:bob&page_size=3");
    loop {
        let page = owner.get(&next).await;
        seen.extend(
            page.body["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| text(&item["id"])),
        );
        let Some(cursor) = page.body["next_cursor"].as_str() else {
            break;
        };
        next = format!("{acls}?principal=User:bob&page_size=3&cursor={cursor}");
    }
    assert_eq!(seen.len(), 4);
    assert!(seen.is_sorted_by(|one, other| one < other));
}

#[tokio::test]
async fn each_acl_of_a_batch_has_its_own_result() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let acls = format!("{}/acls", cluster(&owner, "one").await);
    let there = made(&owner, &acls, &reads("User:alice", "there")).await;
    let id = text(&there.body["id"]);
    let batch = json!({
        "create": [reads("User:alice", "new"), reads("User:alice", "there"), reads("alice", "bad")],
        "delete": [id, AclId(7).public(), "nonsense", id],
    });
    let path = format!("{acls}/batch");
    let expected = [201, 200, 422, 204, 404, 404, 404];
    let rehearsed = owner.post(&format!("{path}?dry_run=true"), &batch).await;
    assert_eq!(statuses(&rehearsed), expected, "{rehearsed:?}");
    let answer = owner.post(&path, &batch).await;
    assert_eq!(statuses(&answer), expected, "{answer:?}");
    let results = &answer.body["results"];
    assert_eq!(results[2]["problem"]["errors"][0]["pointer"], "/principal");
    assert_eq!(
        (&results[3]["action"], &results[3]["acl"]),
        (&json!("delete"), &there.body)
    );
    let left = owner.get(&acls).await;
    assert_eq!(left.body["items"][0]["resource_name"], "new");
    assert_eq!(owner.post(&path, &json!({})).await.status, 422);
    let many: Vec<String> = (0..201).map(|id| AclId(id).public()).collect();
    assert_eq!(owner.post(&path, &json!({ "delete": many })).await.status, 422);
}

#[tokio::test]
async fn acls_are_seen_with_a_role_and_changed_with_a_larger_one_or_an_acl() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let acls = format!("{cluster}/acls");
    let acl = made(&owner, &acls, &reads("User:alice", "orders")).await;
    let path = format!("{acls}/{}", text(&acl.body["id"]));
    let (_, nobody) = program(&owner, None).await;
    let stranger = service.person("eve@example.com").await;
    let question = with(reads("User:x", "t"), &json!({ "host": "10.0.0.1" }));
    let mut question = question;
    question.as_object_mut().unwrap().remove("permission");
    for other in [&nobody, &stranger] {
        for answer in [
            other.get(&acls).await,
            other.get(&path).await,
            other.post(&acls, &reads("User:x", "t")).await,
            other
                .post(
                    &format!("{acls}/batch"),
                    &json!({ "delete": [AclId(1).public()] }),
                )
                .await,
            other.delete(&path).await,
            other.post(&format!("{cluster}/access:explain"), &question).await,
        ] {
            assert_eq!((answer.status, answer.code()), (404, "not_found"), "{answer:?}");
        }
    }
    let (account, developer) = program(&owner, Some("developer")).await;
    assert_eq!(developer.get(&path).await.status, 200);
    assert_eq!(
        developer
            .post(&format!("{cluster}/access:explain"), &question)
            .await
            .status,
        200
    );
    assert_eq!(
        developer.post(&acls, &reads("User:x", "t")).await.code(),
        "forbidden"
    );
    assert_eq!(developer.delete(&path).await.code(), "forbidden");
    let alters =
        json!({ "resource_type": "cluster", "resource_name": "kafka-cluster", "operation": "alter" });
    made(
        &owner,
        &acls,
        &with(reads(&format!("User:{account}"), ""), &alters),
    )
    .await;
    assert_eq!(developer.delete(&path).await.status, 204);
}

/// What the service explains about reading a topic; what is left out is `host`.
async fn explained(owner: &Client, cluster: &str, principal: &str, topic: &str) -> Value {
    let question = json!({
        "principal": principal,
        "operation": "read",
        "resource_type": "topic",
        "resource_name": topic,
    });
    let answer = owner.post(&format!("{cluster}/access:explain"), &question).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

#[tokio::test]
async fn what_decides_is_explained_with_the_smallest_acl_that_would_allow() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let acls = format!("{cluster}/acls");
    let nothing = explained(&owner, &cluster, "User:alice", "orders").await;
    assert_eq!(
        (&nothing["allowed"], &nothing["decided_by"]),
        (&json!(false), &json!("nothing"))
    );
    let smallest = nothing["smallest_acl"].clone();
    let expected = json!({ "pattern_type": "literal", "host": "*" });
    assert_eq!(smallest, with(reads("User:alice", "orders"), &expected));
    // What is told is what helps.
    let allowing = made(&owner, &acls, &smallest).await;
    let allowed = explained(&owner, &cluster, "User:alice", "orders").await;
    assert_eq!(
        (&allowed["allowed"], &allowed["acl"]),
        (&json!(true), &allowing.body)
    );
    assert_eq!(
        (&allowed["decided_by"], &allowed["smallest_acl"]),
        (&json!("acl"), &Value::Null)
    );
}

#[tokio::test]
async fn acls_that_deny_are_all_named_and_one_that_allows_is_told_of_only_where_it_would_be_missing() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let acls = format!("{cluster}/acls");
    made(&owner, &acls, &reads("User:alice", "orders")).await;
    let denies = json!({ "permission": "deny", "pattern_type": "prefixed", "operation": "all" });
    let mut ids = Vec::new();
    for prefix in ["ord", "or"] {
        let deny = made(&owner, &acls, &with(reads("User:*", prefix), &denies)).await;
        ids.push(text(&deny.body["id"]));
    }
    let denied = explained(&owner, &cluster, "User:alice", "orders").await;
    assert_eq!(
        (&denied["allowed"], &denied["decided_by"]),
        (&json!(false), &json!("acl"))
    );
    assert_eq!(denied["acl"]["id"], json!(ids[0]), "the longest pattern is named");
    let mut told: Vec<String> = serde_json::from_value(denied["denying_acls"].clone()).unwrap();
    told.sort_unstable();
    ids.sort_unstable();
    assert_eq!((told, &denied["smallest_acl"]), (ids, &Value::Null));
    let bob = explained(&owner, &cluster, "User:bob", "orders").await;
    assert_eq!(
        bob["smallest_acl"]["principal"], "User:bob",
        "the denying ones alone do not help bob"
    );
    let sentence = text(&bob["sentence"]);
    assert!(sentence.contains("delete the 2 ACLs"), "{sentence}");
}

#[tokio::test]
async fn a_role_yields_to_an_acl_that_denies_and_a_super_user_to_none() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let denies = json!({ "permission": "deny" });
    made(
        &owner,
        &format!("{cluster}/acls"),
        &with(reads("User:*", "orders"), &denies),
    )
    .await;
    let (account, _) = program(&owner, Some("developer")).await;
    let by_role = explained(&owner, &cluster, &format!("User:{account}"), "free").await;
    assert_eq!(
        (&by_role["decided_by"], &by_role["role"]),
        (&json!("role"), &json!("developer"))
    );
    let denied = explained(&owner, &cluster, &format!("User:{account}"), "orders").await;
    assert_eq!(
        (&denied["decided_by"], &denied["smallest_acl"]),
        (&json!("acl"), &Value::Null)
    );
    let (admin, _) = program(&owner, Some("admin")).await;
    let by_super = explained(&owner, &cluster, &format!("User:{admin}"), "orders").await;
    assert_eq!(
        (&by_super["decided_by"], &by_super["allowed"]),
        (&json!("super_user"), &json!(true))
    );
    let foreign = service.person("eve@example.com").await;
    let (theirs, _) = program(&foreign, Some("admin")).await;
    let theirs = explained(&owner, &cluster, &format!("User:{theirs}"), "free").await;
    assert_eq!(theirs["decided_by"], "nothing", "a role elsewhere is none here");
}

#[tokio::test]
async fn a_question_that_nobody_can_ask_is_refused() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let explain = format!("{}/access:explain", cluster(&owner, "one").await);
    let question =
        json!({ "principal": "User:a", "operation": "read", "resource_type": "topic", "resource_name": "t" });
    for (change, pointer) in [
        (json!({ "principal": "a" }), "/principal"),
        (json!({ "principal": "User:*" }), "/principal"),
        (json!({ "operation": "all" }), "/operation"),
        (json!({ "operation": "idempotent_write" }), "/operation"),
        (json!({ "resource_name": null }), "/resource_name"),
        (json!({ "host": "*" }), "/host"),
        (json!({ "host": "here" }), "/host"),
    ] {
        let refused = owner.post(&explain, &with(question.clone(), &change)).await;
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["pointer"]),
            (422, &json!(pointer)),
            "{refused:?}"
        );
    }
    let cluster = json!({ "principal": "User:a", "operation": "alter", "resource_type": "cluster" });
    let explained = owner.post(&explain, &cluster).await;
    assert_eq!(
        explained.body["smallest_acl"]["resource_name"], "kafka-cluster",
        "{explained:?}"
    );
}

#[tokio::test]
async fn what_is_explained_is_what_the_image_decides() {
    let service = start().await;
    let owner = service.person("ada@example.com").await;
    let cluster = cluster(&owner, "one").await;
    let id = ClusterId::from_public(cluster.trim_start_matches("/v1/clusters/")).unwrap();
    let prefixed = json!({ "pattern_type": "prefixed" });
    let create = json!([
        with(reads("User:alice", "a"), &prefixed),
        with(
            reads("User:*", "ab"),
            &json!({ "permission": "deny", "host": "10.0.0.1" })
        ),
        with(reads("User:bob", "*"), &json!({ "operation": "write" })),
    ]);
    let batch = owner
        .post(&format!("{cluster}/acls/batch"), &json!({ "create": create }))
        .await;
    assert_eq!(statuses(&batch), [201; 3]);
    let image = ImageFollower::start(service.catalog.clone())
        .await
        .unwrap()
        .image();
    for name in ["alice", "bob", "carol"] {
        let principal = Principal::User(std::sync::Arc::new(User {
            cluster: id,
            name: name.into(),
            roles: Default::default(),
        }));
        for topic in ["a", "ab", "b"] {
            for operation in [Operation::Read, Operation::Write, Operation::Describe] {
                for host in [None, Some("10.0.0.1"), Some("::ffff:10.0.0.1")] {
                    let question = json!({
                        "principal": format!("User:{name}"),
                        "operation": operation.name(),
                        "resource_type": "topic",
                        "resource_name": topic,
                        "host": host,
                    });
                    let decision = image.decide(&Asked {
                        principal: &principal,
                        host: host.map(|host| host.parse().unwrap()),
                        operation,
                        cluster: id,
                        resource: ResourceName::Topic(topic),
                    });
                    let explained = owner.post(&format!("{cluster}/access:explain"), &question).await;
                    assert_eq!(
                        explained.body["allowed"],
                        decision.allows(),
                        "{question} {explained:?}"
                    );
                }
            }
        }
    }
}
