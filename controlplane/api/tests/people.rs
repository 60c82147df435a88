//! Accounts of people over REST: from the signup to the reset, and what a stranger can find out or bring about.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]

#[path = "people/proofs.rs"]
mod proofs;
mod support;

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use support::{Answer, Client, PASSWORD, Service};

fn login(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

fn signup(email: &str) -> Value {
    json!({ "email": email, "password": PASSWORD, "name": "Ada", "organization": "Engines" })
}

/// Waits for the next mail to an address after the first `before`; its text.
async fn mail(service: &Service, to: &str, before: usize) -> String {
    for _ in 0..6_000 {
        let messages = service.mailbox.messages(Some(to));
        if messages.len() > before {
            return messages[0].mail.text.clone();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("no mail to {to} within a minute");
}

/// What of an answer a stranger can compare: all but ids of requests, times and what is left of a bucket.
fn visible(answer: &Answer) -> (u16, Vec<String>, Value) {
    let differs = ["x-request-id", "traceparent", "date", "content-length"];
    let names = answer.headers.iter().map(|(name, _)| name.clone());
    let names = names.filter(|name| !differs.contains(&name.as_str()));
    (answer.status, names.collect(), answer.problem())
}

/// Signs up and proves the address; the session that this opens.
async fn verified(service: &Service, email: &str) -> Client {
    let anonymous = service.anonymous();
    let answer = anonymous.post("/v1/signup", &signup(" Ada@Example.com ")).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let token = json!({ "token": service.token(email).await, "password": PASSWORD });
    let early = anonymous.post("/v1/sessions", &login(email, PASSWORD)).await;
    assert_eq!((early.status, early.code()), (401, "login_failed"));
    let mut wrong = token.clone();
    wrong["password"] = json!("not the password");
    let wrong = anonymous.post("/v1/verifications", &wrong).await;
    assert_eq!((wrong.status, wrong.code()), (401, "login_failed"));
    assert_eq!(wrong.header("set-cookie"), None);
    let verified = anonymous.post("/v1/verifications", &token).await;
    assert_eq!(verified.status, 200, "{verified:?}");
    let cookie = verified.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-firn_session=ses_"), "{cookie}");
    for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Domain"));
    let again = anonymous.post("/v1/verifications", &token).await;
    assert_eq!((again.status, again.code()), (410, "gone"));
    anonymous.with_session(&verified)
}

/// The token in the next mail to an address after the first `before`, which shows it with the link and bare.
async fn mailed_token(service: &Service, to: &str, before: usize) -> String {
    let text = mail(service, to, before).await;
    let token = text.split("token=").nth(1).unwrap();
    let token = token.split_whitespace().next().unwrap();
    assert!(
        text.contains(&format!("\n    {token}\n")),
        "the bare token: {text}"
    );
    token.to_owned()
}

#[tokio::test]
async fn a_person_renames_itself_and_lists_its_sessions() {
    let service = Service::start().await;
    let email = "ada@example.com";
    let first = verified(&service, email).await;
    let me = first.get("/v1/me").await;
    assert_eq!((me.status, &me.body["email"]), (200, &json!(email)));
    assert_eq!(me.body["name"], json!("Ada"));
    let versioned = first.with("if-match", me.header("etag").unwrap());
    let renamed = versioned.patch("/v1/me", &json!({ "name": "Countess" })).await;
    assert_eq!((renamed.status, &renamed.body["name"]), (200, &json!("Countess")));
    let stale = versioned.patch("/v1/me", &json!({ "name": "Lady" })).await;
    assert_eq!((stale.status, stale.code()), (412, "version_mismatch"));

    logged_in(&service.anonymous(), email, PASSWORD).await;
    let sessions = first.get("/v1/sessions").await;
    let items = sessions.body["items"].as_array().unwrap();
    let current = items.iter().filter(|item| item["current"] == json!(true));
    assert_eq!((items.len(), current.count()), (2, 1));
    let page = first.get("/v1/sessions?page_size=1").await;
    assert_eq!(page.body["items"][0]["id"], items[0]["id"]);
    let cursor = page.body["next_cursor"].as_str().unwrap();
    let next = first
        .get(&format!("/v1/sessions?page_size=1&cursor={cursor}"))
        .await;
    assert_eq!(next.body["items"][0]["id"], items[1]["id"]);
    assert_eq!(next.body["next_cursor"], Value::Null);
}

#[tokio::test]
async fn an_account_lives_from_signup_to_reset() {
    let service = Service::start().await;
    let anonymous = service.anonymous();
    let email = "ada@example.com";
    let first = verified(&service, email).await;
    let second = logged_in(&anonymous, email, PASSWORD).await;
    let new = "seven amber otters";
    let guessed = json!({ "current_password": "not the password", "new_password": new });
    let answer = second.post("/v1/me/password", &guessed).await;
    assert_eq!(answer.body["errors"][0]["pointer"], json!("/current_password"));
    let change = json!({ "current_password": PASSWORD, "new_password": new });
    let answer = second.post("/v1/me/password", &change).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(first.get("/v1/me").await.status, 401, "other sessions end");
    assert_eq!(second.get("/v1/me").await.status, 200);
    let old = anonymous.post("/v1/sessions", &login(email, PASSWORD)).await;
    assert_eq!((old.status, old.code()), (401, "login_failed"));
    assert!(mail(&service, email, 1).await.contains("was changed"));

    let address = json!({ "email": email });
    let answer = anonymous.post("/v1/password-resets", &address).await;
    assert_eq!(answer.status, 202);
    let newest = "nine silver foxes";
    let complete = json!({ "token": mailed_token(&service, email, 2).await, "password": newest });
    let answer = anonymous.post("/v1/password-resets/complete", &complete).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    let again = anonymous.post("/v1/password-resets/complete", &complete).await;
    assert_eq!((again.status, again.code()), (410, "gone"));
    assert_eq!(second.get("/v1/me").await.status, 401, "all sessions end");

    let last = logged_in(&anonymous, email, newest).await;
    let answer = last.delete("/v1/sessions/current").await;
    assert_eq!(answer.status, 204);
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(last.get("/v1/me").await.status, 401);
}

async fn logged_in(anonymous: &Client, email: &str, password: &str) -> Client {
    let answer = anonymous.post("/v1/sessions", &login(email, password)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let location = format!("/v1/sessions/{}", answer.body["session"]["id"].as_str().unwrap());
    assert_eq!(answer.header("location"), Some(location.as_str()));
    anonymous.with_session(&answer)
}

#[tokio::test]
async fn a_session_is_revoked_by_its_owner_alone_and_ends_at_once() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let bob = service.person("bob@example.com").await;
    let current = ada.get("/v1/sessions/current").await;
    let id = current.body["session"]["id"].as_str().unwrap().to_owned();
    let csrf = ada
        .headers
        .iter()
        .find(|(name, _)| name == "x-csrf-token")
        .unwrap();
    assert_eq!(current.body["csrf_token"], json!(csrf.1));
    let foreign = bob.delete(&format!("/v1/sessions/{id}")).await;
    let absent = bob.delete("/v1/sessions/ses_aaaaaaaaaaaaaaaaaaaaaaaaaa").await;
    assert_eq!(foreign.status, 404);
    assert_eq!(visible(&foreign), visible(&absent));
    let rehearsed = ada.delete(&format!("/v1/sessions/{id}?dry_run=true")).await;
    assert_eq!(rehearsed.status, 204);
    assert_eq!(ada.get("/v1/me").await.status, 200);
    assert_eq!(ada.delete(&format!("/v1/sessions/{id}")).await.status, 204);
    assert_eq!(ada.get("/v1/me").await.status, 401);
    assert_eq!(bob.get("/v1/me").await.status, 200);
}

#[tokio::test]
async fn a_change_by_cookie_needs_its_own_csrf_token_and_no_foreign_origin() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let bob = service.person("bob@example.com").await;
    let rename = json!({ "name": "Eve" });
    let token_of = |client: &Client| {
        let mut headers = client.headers.iter();
        headers
            .find(|(name, _)| name == "x-csrf-token")
            .unwrap()
            .1
            .clone()
    };
    for forged in ["", "x", &token_of(&bob)] {
        let answer = ada.with("x-csrf-token", forged).patch("/v1/me", &rename).await;
        assert_eq!((answer.status, answer.code()), (403, "csrf_rejected"), "{forged}");
    }
    for origin in ["https://evil.example", "null", "http://127.0.0.1.evil.example"] {
        let answer = ada.with("origin", origin).patch("/v1/me", &rename).await;
        assert_eq!((answer.status, answer.code()), (403, "csrf_rejected"), "{origin}");
    }
    let own = ada
        .with("origin", "http://127.0.0.1:8080")
        .patch("/v1/me", &rename)
        .await;
    assert_eq!(own.status, 200, "{own:?}");
    let mut bare = ada.clone();
    bare.headers.retain(|(name, _)| name == "cookie");
    assert_eq!(bare.get("/v1/me").await.status, 200, "reading needs no token");
    for cookie in ["", "x", "ses_aaaaaaaaaaaaaaaaaaaaaaaaaa.x"] {
        let answer = ada
            .with("cookie", &format!("__Host-firn_session={cookie}"))
            .get("/v1/me")
            .await;
        assert_eq!((answer.status, answer.code()), (401, "unauthenticated"));
    }
}

#[tokio::test]
async fn passwords_that_others_would_guess_and_bad_addresses_are_pointed_at() {
    let service = Service::start().await;
    let anonymous = service.anonymous();
    for (field, value) in [
        ("password", "too short"),
        ("password", "Password123"),
        ("password", "hello ada123 there"),
        ("email", "ada"),
        ("email", "ada@example.com\r\nBcc: x@y.z"),
        ("name", ""),
        ("organization", " "),
    ] {
        let mut body = signup("ada123@example.com");
        body[field] = json!(value);
        let answer = anonymous.post("/v1/signup", &body).await;
        assert_eq!((answer.status, answer.code()), (422, "invalid_value"), "{field}");
        assert_eq!(answer.body["errors"][0]["pointer"], json!(format!("/{field}")));
        assert!(
            value.len() < 3 || !answer.text.contains(value),
            "it is not repeated"
        );
    }
    let dry = anonymous
        .post("/v1/signup?dry_run=true", &signup("dry@example.com"))
        .await;
    assert_eq!(dry.status, 202);
    let refused = anonymous
        .post("/v1/sessions?dry_run=true", &login("a@b.c", PASSWORD))
        .await;
    assert_eq!(refused.status, 400);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(service.mailbox.messages(None).is_empty());
}

/// The body of a request about an address.
type Ask = fn(&str) -> Value;

/// The median time of `tries` requests, and the last answer.
async fn timed(tries: usize, mut ask: impl AsyncFnMut(usize) -> Answer) -> (Duration, Answer) {
    let mut times = Vec::new();
    let mut last = None;
    for number in 0..tries {
        let begun = Instant::now();
        last = Some(ask(number).await);
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    (times[tries / 2], last.unwrap())
}

#[tokio::test]
async fn known_and_unknown_addresses_look_the_same_in_text_and_in_time() {
    let paths: [(&str, u16, Ask); 4] = [
        ("/v1/sessions", 401, |email| login(email, "not the password")),
        ("/v1/signup", 202, signup),
        ("/v1/password-resets", 202, |email| json!({ "email": email })),
        ("/v1/verifications/resend", 202, |email| json!({ "email": email })),
    ];
    for (path, status, body) in paths {
        // What tells does so each time; what else a busy machine does, does not.
        let mut different = Vec::new();
        while let Some(difference) = look_different(path, status, body).await {
            different.push(difference);
            assert!(different.len() < 3, "{path}: {different:#?}");
        }
    }
}

/// Asks about addresses that are known and about others. Fails the test if the answers differ; says so if their times do.
async fn look_different(path: &str, status: u16, body: Ask) -> Option<String> {
    // A service of its own: an address may sign up and try 100 times before it is slowed down.
    let service = Service::start().await;
    let anonymous = service.anonymous();
    for number in 0..12 {
        service.person(&format!("known{number}@example.com")).await;
    }
    // The second request of an address waits for what the first one left to do.
    let mut times = [[Vec::new(), Vec::new()], [Vec::new(), Vec::new()]];
    let mut answers = Vec::new();
    for number in 0..12 {
        for (place, who) in ["known", "other"].into_iter().enumerate() {
            let email = format!("{who}{number}@example.com");
            for times in &mut times {
                let (time, answer) = timed(1, async |_| anonymous.post(path, &body(&email)).await).await;
                times[place].push(time);
                answers.push(answer);
            }
        }
    }
    for answer in &answers {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(visible(answer), visible(&answers[0]), "{path}");
    }
    let medians = ["first", "second"].into_iter().zip(times).map(|(which, times)| {
        let [known, unknown] = times.map(|mut times| {
            times.sort_unstable();
            times[6]
        });
        let said = format!("{which}: known {known:?}, unknown {unknown:?}");
        println!("{path}, {said}");
        let (less, more) = (known.min(unknown), known.max(unknown));
        (more >= less * 3 + Duration::from_millis(5)).then_some(said)
    });
    medians.flatten().reduce(|all, more| format!("{all}; {more}"))
}

#[tokio::test]
async fn a_known_address_that_signs_up_is_told_by_mail_and_stays_as_it_is() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let mut body = signup("ada@example.com");
    body["password"] = json!("an attacker's choice");
    assert_eq!(ada.post("/v1/signup", &body).await.status, 202);
    let text = mail(&service, "ada@example.com", 1).await;
    assert!(text.contains("has an account already"), "{text}");
    assert!(!text.contains("token="));
    let anonymous = service.anonymous();
    let attacker = login("ada@example.com", "an attacker's choice");
    assert_eq!(anonymous.post("/v1/sessions", &attacker).await.status, 401);
    logged_in(&anonymous, "ada@example.com", PASSWORD).await;
}

#[tokio::test]
async fn many_wrong_passwords_stop_their_sender_and_nobody_else() {
    // What slows others down does so each time; what else a busy machine does, does not.
    let mut slowed = Vec::new();
    while let Some(slower) = slower_under_attack().await {
        slowed.push(slower);
        assert!(slowed.len() < 3, "{slowed:#?}");
    }
}

/// Many wrong passwords for one person while another logs in. Fails the test unless most are refused; says how much slower the other one's
/// logins are, if it is too much.
async fn slower_under_attack() -> Option<String> {
    let service = Service::start().await;
    service.person("victim@example.com").await;
    service.person("bob@example.com").await;
    let anonymous = service.anonymous();
    logged_in(&anonymous, "bob@example.com", PASSWORD).await;
    let begun = Instant::now();
    let (quiet, _) = timed(10, async |_| {
        anonymous
            .post("/v1/sessions", &login("bob@example.com", PASSWORD))
            .await
    })
    .await;
    let done = std::sync::atomic::AtomicBool::new(false);
    let attack = async {
        let (mut admitted, mut refused) = (0, 0);
        while !done.load(std::sync::atomic::Ordering::Relaxed) || refused < 300 {
            let answer = anonymous
                .post("/v1/sessions", &login("victim@example.com", "wrong guess"))
                .await;
            if answer.status != 429 {
                admitted += 1;
                continue;
            }
            assert_eq!(answer.code(), "rate_limited");
            let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=6).contains(&wait));
            refused += 1;
        }
        (admitted, refused)
    };
    let logins = async {
        let outcome = timed(60, async |_| {
            anonymous
                .post("/v1/sessions", &login("bob@example.com", PASSWORD))
                .await
        });
        let outcome = outcome.await;
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        outcome
    };
    let ((admitted, refused), (attacked, last)) = tokio::join!(attack, logins);
    let said =
        format!("logins of others: {quiet:?} before, {attacked:?} during {refused} refused wrong ones");
    println!("{said}");
    // Ten at once, and one more each six seconds.
    let most = 11 + begun.elapsed().as_secs() / 6;
    assert!(
        (10..=most).contains(&admitted),
        "{admitted} were hashed, of {most}"
    );
    assert_eq!(last.status, 201);
    (attacked >= quiet * 3 + Duration::from_millis(20)).then_some(said)
}

#[tokio::test]
async fn mail_is_shown_in_dev_and_nowhere_else() {
    let service = Service::start().await;
    let anonymous = service.anonymous();
    anonymous
        .post("/v1/signup", &signup("o'brien+<b>@example.com"))
        .await;
    anonymous.post("/v1/signup", &signup("ada@example.com")).await;
    let token = service.token("ada@example.com").await;
    let page = anonymous.with("accept", "text/html").get("/dev/mail").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains(&token) && page.header("content-type").unwrap().starts_with("text/html"));
    let as_json = anonymous.with("accept", "application/json");
    let one = as_json.get("/dev/mail?to=ada%40example.com").await;
    let items = one.body["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["to"]), (1, &json!("ada@example.com")));
    assert!(items[0]["text"].as_str().unwrap().contains(&token));
    let mut settings = support::settings();
    settings.dev = false;
    let production = Service::start_with(settings).await;
    assert_eq!(production.anonymous().get("/dev/mail").await.status, 404);
}

#[tokio::test]
async fn no_secret_is_in_a_table_in_clear() {
    let service = Service::start().await;
    let ada = service.person("ada@example.com").await;
    let anonymous = service.anonymous();
    anonymous
        .post("/v1/password-resets", &json!({ "email": "ada@example.com" }))
        .await;
    let token = mailed_token(&service, "ada@example.com", 1).await;
    let cookie = ada
        .headers
        .iter()
        .find(|(name, _)| name == "cookie")
        .unwrap()
        .1
        .clone();
    let secret = cookie.split('.').nth(1).unwrap();
    service.catalog.close().await;
    let path = service.catalog_url.trim_start_matches("sqlite://");
    let mut held = Vec::new();
    for suffix in ["", "-wal"] {
        held.extend(std::fs::read(format!("{path}{suffix}")).unwrap_or_default());
    }
    let holds = |needle: &str| {
        held.windows(needle.len())
            .any(|window| window == needle.as_bytes())
    };
    assert!(holds("ada@example.com"), "the file is the right one");
    for needle in [PASSWORD, &token, secret] {
        assert!(!holds(needle));
    }
}
