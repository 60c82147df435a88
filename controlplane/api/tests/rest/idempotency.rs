//! `Idempotency-Key`: a request is done once.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{Client, Service};

async fn count(ada: &Client) -> usize {
    let page = ada.get("/v1/projects?page_size=200").await;
    page.body["items"].as_array().unwrap().len()
}

fn project(ada: &Client, name: &str) -> Value {
    json!({ "organization": ada.organization, "name": name })
}

#[tokio::test]
async fn fifty_racing_requests_with_one_key_make_one_project() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let keyed = ada.with("idempotency-key", "one");
    let body = project(&ada, "raced");
    let answers = join_all((0..50).map(|_| keyed.post("/v1/projects", &body))).await;
    let mut made = Vec::new();
    for answer in &answers {
        match answer.status {
            201 => made.push(answer.body["id"].as_str().unwrap()),
            409 => assert_eq!(answer.code(), "idempotency_in_flight", "{answer:?}"),
            _ => panic!("{answer:?}"),
        }
    }
    made.sort_unstable();
    made.dedup();
    assert_eq!(made.len(), 1, "all who were answered got the same project");
    assert_eq!(count(&ada).await, 2, "default and the one");
    let again = keyed.post("/v1/projects", &body).await;
    assert_eq!(
        (again.status, again.body["id"].as_str()),
        (201, made.first().copied())
    );
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert!(again.header("location").unwrap().ends_with(made[0]) && again.header("etag").is_some());
}

#[tokio::test]
async fn a_key_is_good_for_one_body_one_path_and_one_caller() {
    let service = Service::start().await;
    let ada = service
        .person("ada@example.com")
        .await
        .with("idempotency-key", "k");
    let eve = service
        .person("eve@example.com")
        .await
        .with("idempotency-key", "k");
    assert_eq!(ada.post("/v1/projects", &project(&ada, "a")).await.status, 201);
    let other = ada.post("/v1/projects", &project(&ada, "b")).await;
    assert_eq!((other.status, other.code()), (422, "idempotency_mismatch"));
    let rehearsed = ada.post("/v1/projects?dry_run=true", &project(&ada, "a")).await;
    assert_eq!(
        rehearsed.code(),
        "idempotency_mismatch",
        "a dry run is another request"
    );
    assert_eq!(
        ada.post("/v1/organizations", &json!({ "name": "a" }))
            .await
            .status,
        201
    );
    assert_eq!(eve.post("/v1/projects", &project(&eve, "a")).await.status, 201);
    let bad = ada
        .with("idempotency-key", &"k".repeat(256))
        .post("/v1/projects", &project(&ada, "c"))
        .await;
    assert_eq!((bad.status, bad.code()), (400, "invalid_request"));
}

#[tokio::test]
async fn what_is_final_is_answered_again_and_what_is_not_is_tried_again() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let keyed = ada.with("idempotency-key", "again");
    let refused = keyed.post("/v1/projects", &project(&ada, "default")).await;
    assert_eq!((refused.status, refused.code()), (409, "already_exists"));
    let again = keyed.post("/v1/projects", &project(&ada, "default")).await;
    assert_eq!(
        (again.status, again.header("idempotency-replayed")),
        (409, Some("true"))
    );
    // Nobody is logged in here: that is no answer to keep.
    let stranger = service.anonymous().with("idempotency-key", "again");
    for _ in 0..2 {
        let refused = stranger.post("/v1/projects", &project(&ada, "x")).await;
        assert_eq!(
            (refused.status, refused.header("idempotency-replayed")),
            (401, None)
        );
    }
}

#[tokio::test]
async fn a_signup_takes_a_key_too() {
    let service = Service::start().await;
    let stranger = service.anonymous().with("idempotency-key", "signup");
    let signup = json!({
        "email": "ada@example.com", "password": "four violet herons", "name": "Ada", "organization": "A",
    });
    for replayed in [None, Some("true")] {
        let answer = stranger.post("/v1/signup", &signup).await;
        assert_eq!(
            (answer.status, answer.header("idempotency-replayed")),
            (202, replayed),
            "{answer:?}"
        );
    }
    service.token("ada@example.com").await;
    assert_eq!(service.mailbox.messages(None).len(), 1);
}
