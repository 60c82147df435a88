//! What every answer has: problems, request ids, traces, rate limits, bodies.

use firn_api::RateLimits;
use serde_json::{Value, json};

use crate::support::{Service, settings};

#[tokio::test]
async fn a_problem_has_its_code_its_request_and_its_explanation() {
    let service = Service::start().await;
    let caller = service.anonymous().with("x-request-id", "req-7");
    let answer = caller.get("/v1/organizations").await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    assert_eq!(answer.code(), "unauthenticated");
    assert_eq!(answer.body["request_id"], "req-7");
    assert_eq!(answer.body["status"], 401);
    let explained = caller.get(answer.body["docs_url"].as_str().unwrap()).await;
    assert_eq!(explained.status, 200);
    assert_eq!(explained.body["code"], "unauthenticated");
    assert!(explained.body["explanation"].as_str().unwrap().len() > 10);
    assert_eq!(caller.get("/v1/problems/nonsense").await.status, 404);
}

#[tokio::test]
async fn a_body_that_does_not_do_is_pointed_at() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let wrong = ada.post("/v1/organizations", &json!({ "name": 7 })).await;
    assert_eq!((wrong.status, wrong.code()), (422, "invalid_value"), "{wrong:?}");
    assert_eq!(wrong.body["errors"][0]["pointer"], "/name");
    let empty = ada.post("/v1/organizations", &json!({ "name": "  " })).await;
    assert_eq!((empty.status, empty.code()), (422, "invalid_value"));
    assert_eq!(empty.body["errors"][0]["pointer"], "/name");
    let unknown = ada
        .post("/v1/organizations", &json!({ "name": "x", "nmae": 1 }))
        .await;
    assert_eq!((unknown.status, unknown.code()), (422, "invalid_value"));
    assert_eq!(unknown.body["errors"][0]["pointer"], "/nmae");
    let broken = ada.send("POST", "/v1/organizations", Some("{".into())).await;
    assert_eq!((broken.status, broken.code()), (400, "invalid_request"));
    let text = ada.with("content-type", "text/plain");
    let typed = text.send("POST", "/v1/organizations", Some("{}".into())).await;
    assert_eq!((typed.status, typed.code()), (415, "unsupported_media_type"));
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(1 << 20));
    let large = ada.send("POST", "/v1/organizations", Some(large)).await;
    assert_eq!((large.status, large.code()), (413, "body_too_large"));
}

#[tokio::test]
async fn a_trace_is_continued_and_a_new_one_begun_for_nonsense() {
    let service = Service::start().await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = service
        .anonymous()
        .with("traceparent", parent)
        .get("/v1/limits")
        .await;
    let traceparent = answer.header("traceparent").unwrap();
    assert!(
        traceparent.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"),
        "{traceparent}"
    );
    assert!(
        traceparent.ends_with("-01") && traceparent != parent,
        "{traceparent}"
    );
    let answer = service
        .anonymous()
        .with("traceparent", "00-nonsense")
        .get("/v1/limits")
        .await;
    let fresh = answer.header("traceparent").unwrap();
    assert_eq!(fresh.len(), parent.len(), "{fresh}");
    assert!(!fresh.contains("4bf92f3577b34da6"), "{fresh}");
}

#[tokio::test]
async fn whoever_asks_too_often_is_told_so_and_when_to_go_on() {
    let limits = RateLimits {
        per_principal: 4,
        per_address: 60,
    };
    let service = Service::start_with(firn_api::ApiSettings {
        rate_limits: limits,
        ..settings()
    })
    .await;
    let stranger = service.anonymous();
    let published = stranger.get("/v1/limits").await;
    assert_eq!(published.body["requests_per_principal"], 4);
    assert_eq!(published.header("ratelimit-limit"), Some("60"));
    assert_eq!(published.header("ratelimit-policy"), Some("60;w=60"));
    // Signing in takes what there is: me, organizations, projects.
    let ada = service.person("ada@example.com").await;
    let last = ada.get("/v1/organizations").await;
    assert_eq!(
        (last.status, last.header("ratelimit-remaining")),
        (200, Some("0"))
    );
    let refused = ada.get("/v1/organizations").await;
    assert_eq!((refused.status, refused.code()), (429, "rate_limited"));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=15).contains(&wait), "{wait}");
    assert_eq!(stranger.get("/v1/limits").await.status, 200, "others go on");
}

#[tokio::test]
async fn a_change_made_with_a_session_needs_its_csrf_token() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let body = json!({ "name": "More" });
    let mut without = ada.clone();
    without.headers.retain(|(name, _)| name != "x-csrf-token");
    let refused = without.post("/v1/organizations", &body).await;
    assert_eq!((refused.status, refused.code()), (403, "csrf_rejected"));
    assert_eq!(
        without.get("/v1/organizations").await.status,
        200,
        "reading needs none"
    );
    let foreign = ada.with("origin", "https://evil.example");
    assert_eq!(
        foreign.post("/v1/organizations", &body).await.code(),
        "csrf_rejected"
    );
    assert_eq!(ada.post("/v1/organizations", &body).await.status, 201);
}

#[tokio::test]
async fn unknown_paths_under_v1_are_problems_for_everybody() {
    let service = Service::start().await;
    let answer = service.anonymous().get("/v1/nothing").await;
    assert_eq!((answer.status, answer.code()), (404, "not_found"));
    let answer = service.anonymous().send("PUT", "/v1/limits", None).await;
    assert_eq!((answer.status, answer.code()), (405, "method_not_allowed"));
    assert_ne!(answer.body["request_id"], Value::Null);
}
