//! What a mailed token proves and what it does not, and who has logged in before.

use std::time::Duration;

use serde_json::json;

use super::support::{PASSWORD, Service};
use super::{logged_in, login, mail, mailed_token, signup};

#[tokio::test]
async fn a_strangers_signup_with_an_address_is_nothing_that_its_owner_can_confirm_by_a_click() {
    let service = Service::start().await;
    let anonymous = service.anonymous();
    let email = "victim@example.com";
    anonymous.post("/v1/signup", &signup(email)).await;
    let own = mailed_token(&service, email, 0).await;
    let mut attack = signup(email);
    attack["password"] = json!("an attacker's choice");
    anonymous.post("/v1/signup", &attack).await;
    let attackers = mailed_token(&service, email, 1).await;
    anonymous
        .post("/v1/verifications/resend", &json!({ "email": email }))
        .await;
    let resent = mailed_token(&service, email, 2).await;
    for token in [&attackers, &resent] {
        let clicked = json!({ "token": token, "password": PASSWORD });
        let answer = anonymous.post("/v1/verifications", &clicked).await;
        assert_eq!((answer.status, answer.code()), (401, "login_failed"));
    }
    let clicked = json!({ "token": own, "password": PASSWORD });
    assert_eq!(anonymous.post("/v1/verifications", &clicked).await.status, 200);
    let attacker = login(email, "an attacker's choice");
    assert_eq!(anonymous.post("/v1/sessions", &attacker).await.status, 401);
    logged_in(&anonymous, email, PASSWORD).await;
}

#[tokio::test]
async fn a_token_is_no_place_to_try_passwords_and_many_signups_push_none_out() {
    let service = Service::start().await;
    let anonymous = service.anonymous();
    let email = "victim@example.com";
    anonymous.post("/v1/signup", &signup(email)).await;
    let own = mailed_token(&service, email, 0).await;
    for _ in 0..20 {
        anonymous.post("/v1/signup", &signup(email)).await;
    }
    mail(&service, email, 4).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(service.mailbox.messages(Some(email)).len(), 5, "no more mails");
    let guess = json!({ "token": own, "password": "not the password" });
    let mut statuses = Vec::new();
    for _ in 0..15 {
        statuses.push(anonymous.post("/v1/verifications", &guess).await.status);
    }
    assert_eq!(statuses[..10], [401; 10]);
    assert_eq!(statuses[13..], [429; 2], "{statuses:?}");
    tokio::time::sleep(Duration::from_secs(7)).await;
    let right = json!({ "token": own, "password": PASSWORD });
    let answer = anonymous.post("/v1/verifications", &right).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn a_device_that_has_logged_in_is_not_locked_out_by_its_neighbours() {
    let service = Service::start().await;
    let anonymous = service.anonymous();
    let device = async |email: &str| {
        service.person(email).await;
        let answer = anonymous.post("/v1/sessions", &login(email, PASSWORD)).await;
        let cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
        let device = cookies
            .map(|(_, cookie)| cookie)
            .find(|cookie| cookie.starts_with("__Host-firn_device="));
        let cookie = device.unwrap();
        assert!(cookie.contains("Max-Age=31536000") && cookie.contains("HttpOnly"));
        cookie.split(';').next().unwrap().to_owned()
    };
    let (adas, bobs) = (device("ada@example.com").await, device("bob@example.com").await);
    let wrong = login("ada@example.com", "not the password");
    for _ in 0..15 {
        anonymous.post("/v1/sessions", &wrong).await;
    }
    let right = login("ada@example.com", PASSWORD);
    for other in [&bobs, &format!("{adas}x"), "__Host-firn_device=x"] {
        let answer = anonymous.with("cookie", other).post("/v1/sessions", &right).await;
        assert_eq!(answer.status, 429, "{answer:?}");
    }
    let own = anonymous.with("cookie", &adas).post("/v1/sessions", &right).await;
    assert_eq!(own.status, 201, "{own:?}");
}
