//! Whose address counts: the peer's, or what a trusted proxy says; and what a stranger over the limit costs.

use firn_api::{ApiSettings, RateLimits};
use firn_secrets::api_key;
use serde_json::json;

use crate::support::{Client, Service, settings};

fn limited(per_address: u32) -> ApiSettings {
    ApiSettings {
        rate_limits: RateLimits {
            per_principal: 100,
            per_address,
        },
        ..settings()
    }
}

/// Asks for something that needs nobody.
async fn status(client: &Client, forwarded_for: &str) -> u16 {
    let client = client.with("x-forwarded-for", forwarded_for);
    client.get("/v1/limits").await.status
}

#[tokio::test]
async fn clients_behind_a_trusted_proxy_have_limits_of_their_own_and_cannot_pose_as_others() {
    let service = Service::start_behind("127.0.0.1, 10.0.0.0/8", limited(2)).await;
    let client = service.anonymous();
    for forged in ["203.0.113.7", "198.51.100.1, 203.0.113.7, 10.1.2.3"] {
        assert_eq!(status(&client, forged).await, 200);
    }
    for forged in ["203.0.113.7", "198.51.100.2, 203.0.113.7", "10.9.9.9,203.0.113.7"] {
        assert_eq!(status(&client, forged).await, 429, "{forged}");
    }
    assert_eq!(status(&client, "203.0.113.8").await, 200, "another client");
}

#[tokio::test]
async fn nobody_else_can_say_where_they_come_from() {
    for proxies in ["", "10.0.0.0/8"] {
        let service = Service::start_behind(proxies, limited(2)).await;
        let client = service.anonymous();
        let mut statuses = Vec::new();
        for forged in ["203.0.113.1", "10.0.0.1", "203.0.113.3"] {
            statuses.push(status(&client, forged).await);
        }
        assert_eq!(statuses, [200, 200, 429]);
    }
}

#[tokio::test]
async fn sessions_say_which_client_opened_them() {
    let service = Service::start_behind("127.0.0.1", settings()).await;
    let ada = service.person("ada@example.com").await;
    let login = json!({ "email": "ada@example.com", "password": crate::support::PASSWORD });
    let far = service
        .anonymous()
        .with("x-forwarded-for", "1.1.1.1, 203.0.113.7");
    assert_eq!(far.post("/v1/sessions", &login).await.status, 201);
    let sessions = ada.get("/v1/sessions").await;
    assert_eq!(
        sessions.body["items"][0]["address"], "203.0.113.7",
        "{sessions:?}"
    );
}

#[tokio::test]
async fn over_the_limit_of_an_address_nothing_is_looked_up_but_credentials_that_were_live() {
    let service = Service::start_with(limited(10)).await;
    let ada = service.person("ada@example.com").await;
    let login = json!({ "email": "ada@example.com", "password": crate::support::PASSWORD });
    let opened = service.anonymous().post("/v1/sessions", &login).await;
    let unused = service.anonymous().with_session(&opened);
    let random = firn_runtime::Env::system().random;
    let mut statuses = Vec::new();
    for number in 0..11 {
        let key = api_key::generate(number, random.as_ref());
        let stranger = service.anonymous().with_bearer(key.as_str());
        statuses.push(stranger.get("/v1/projects").await.status);
    }
    assert!(
        statuses.starts_with(&[401]) && statuses.ends_with(&[429]),
        "{statuses:?}"
    );
    // Looked up, it would be found to have a bucket of its own.
    assert_eq!(unused.get("/v1/projects").await.status, 429);
    assert_eq!(
        ada.get("/v1/projects").await.status,
        200,
        "of the same address, but known"
    );
}
