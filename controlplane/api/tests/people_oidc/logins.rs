//! The login providers of an account: who sees them and takes them back.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::{Answer, Client, PASSWORD};
use super::{World, logged_in, visit, with_pending};

/// Links the owner's account to whom the provider authenticates.
async fn link(world: &World) {
    let body = json!({ "provider": world.provider, "password": PASSWORD, "return_to": "/clusters" });
    let begun = world.owner.post("/v1/oidc/links", &body).await;
    assert_eq!(begun.status, 200, "{begun:?}");
    let browser = with_pending(&world.service.anonymous(), &begun);
    let back = visit(begun.body["authorization_url"].as_str().unwrap()).await;
    logged_in(world, &browser.get(&back).await);
}

async fn logins(client: &Client) -> Vec<Value> {
    let answer = client.get("/v1/me/logins").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["items"].as_array().unwrap().clone()
}

fn path(login: &Value) -> String {
    format!("/v1/me/logins/{}", login["id"].as_str().unwrap())
}

async fn unlink_with(client: &Client, login: &Value, password: &str) -> Answer {
    let body = json!({ "password": password }).to_string();
    client.send("DELETE", &path(login), Some(body)).await
}

#[tokio::test]
async fn a_linked_login_is_listed_and_taken_back_with_the_password_or_a_fresh_session() {
    let world = World::start().await;
    let owner = &world.owner;
    assert_eq!(logins(owner).await, [] as [Value; 0]);
    for subject in ["subject-1", "subject-2"] {
        world.idp.log_in(subject, "owner@corp.example", true);
        link(&world).await;
    }
    let listed = logins(owner).await;
    let ids: Vec<_> = listed.iter().map(|login| login["id"].clone()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(listed[0]["provider"], world.provider.as_str());
    assert_eq!(listed[0]["organization"], owner.organization.as_str());
    let first = owner.get("/v1/me/logins?page_size=1").await;
    let cursor = first.body["next_cursor"].as_str().unwrap();
    let second = owner
        .get(&format!("/v1/me/logins?page_size=1&cursor={cursor}"))
        .await;
    let paged = [&first.body["items"][0]["id"], &second.body["items"][0]["id"]];
    assert_eq!(paged, [&ids[0], &ids[1]]);
    let eve = world.service.person("eve@elsewhere.example").await;
    let foreign = eve.delete(&path(&listed[0])).await;
    let absent = eve.delete("/v1/me/logins/lgn_aaaaaaaaaaaaaaaaaaaaaaaaaa").await;
    assert_eq!((foreign.status, foreign.problem()), (404, absent.problem()));
    // A session that just began is proof enough.
    let rehearsed = owner.delete(&format!("{}?dry_run=true", path(&listed[0]))).await;
    assert_eq!(rehearsed.status, 204, "{rehearsed:?}");
    assert_eq!(logins(owner).await, listed);
    assert_eq!(owner.delete(&path(&listed[0])).await.status, 204);
    world.service.clock.pass(Duration::from_secs(10 * 60 + 1));
    let old = owner.delete(&path(&listed[1])).await;
    assert_eq!(
        (old.status, &old.body["errors"][0]["pointer"]),
        (422, &json!("/password")),
        "{old:?}"
    );
    let guessed = unlink_with(owner, &listed[1], "not the password").await;
    assert_eq!(
        (guessed.status, &guessed.body["errors"][0]["pointer"]),
        (422, &json!("/password")),
        "{guessed:?}"
    );
    assert_eq!(logins(owner).await, listed[1..]);
    let known = unlink_with(owner, &listed[1], PASSWORD).await;
    assert_eq!(known.status, 204, "{known:?}");
    assert_eq!(logins(owner).await, [] as [Value; 0]);
    let trail = owner
        .get(&format!("/v1/organizations/{}/audit", owner.organization))
        .await;
    let rows = trail.body["items"].as_array().unwrap().clone();
    let told = |action: &str| rows.iter().filter(|row| row["action"] == action).count();
    assert_eq!((told("link_login"), told("unlink_login")), (2, 2), "{rows:?}");
    let unlinked = || {
        let mails = world.service.mailbox.messages(Some("owner@corp.example"));
        let about = |one: &&firn_api::mail::Received| one.mail.subject.contains("was unlinked");
        mails.iter().filter(about).count()
    };
    // Mails are sent after the answer.
    for _ in 0..6_000 {
        if unlinked() == 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the owner is told of both");
}

#[tokio::test]
async fn who_has_no_password_keeps_the_last_login() {
    let world = World::start().await;
    let browser = logged_in(&world, &world.log_in().await);
    let csrf = browser.get("/v1/sessions/current").await.body["csrf_token"].clone();
    let newcomer = browser.with("x-csrf-token", csrf.as_str().unwrap());
    let only = logins(&newcomer).await;
    assert_eq!(only.len(), 1);
    let last = newcomer.delete(&path(&only[0])).await;
    assert_eq!((last.status, last.code()), (409, "protected"), "{last:?}");
    let guessed = unlink_with(&newcomer, &only[0], "any password").await;
    assert_eq!(guessed.status, 422, "{guessed:?}");
    assert_eq!(logins(&newcomer).await, only);
}
