//! Logging in through an identity provider: a small real one, which can be told to lie.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

#[path = "support/identity_provider.rs"]
mod identity_provider;
#[path = "people_oidc/logins.rs"]
mod logins;
mod support;

use reqwest::redirect::Policy;
use serde_json::{Value, json};

use identity_provider::{CLIENT_ID, CLIENT_SECRET, IdentityProvider, Lie};
use support::{Answer, Client, PASSWORD, Service};

struct World {
    service: Service,
    idp: IdentityProvider,
    owner: Client,
    provider: String,
}

impl World {
    async fn start() -> Self {
        let service = Service::start().await;
        let idp = IdentityProvider::start().await;
        let owner = service.person("owner@corp.example").await;
        let provider = add(&owner, &idp, &["corp.example"]).await;
        invite(&owner, "new@corp.example").await;
        Self {
            service,
            idp,
            owner,
            provider,
        }
    }

    /// Begins a login: the browser with its cookie, and the provider's page.
    async fn begin(&self) -> (Client, String) {
        let browser = self.service.anonymous();
        let answer = browser
            .get(&format!(
                "/v1/oidc/start?provider={}&return_to=/clusters",
                self.provider
            ))
            .await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let page = answer.header("location").unwrap().to_owned();
        (with_pending(&browser, &answer), page)
    }

    /// A whole login; the last answer.
    async fn log_in(&self) -> Answer {
        let (browser, page) = self.begin().await;
        browser.get(&visit(&page).await).await
    }
}

fn with_pending(browser: &Client, answer: &Answer) -> Client {
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-firn_oidc="), "{cookie}");
    for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    browser.with("cookie", cookie.split(';').next().unwrap())
}

async fn invite(owner: &Client, email: &str) {
    let path = format!("/v1/organizations/{}/invitations", owner.organization);
    let invited = json!({ "email": email, "role": "developer" });
    let answer = owner.post(&path, &invited).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

async fn add(owner: &Client, idp: &IdentityProvider, domains: &[&str]) -> String {
    let body = json!({
        "name": "Corp", "issuer": idp.issuer(), "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
        "allowed_domains": domains,
    });
    let path = format!("/v1/organizations/{}/login-providers", owner.organization);
    let answer = owner.post(&path, &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert!(!answer.text.contains(CLIENT_SECRET));
    answer.body["id"].as_str().unwrap().to_owned()
}

/// Goes to the provider's page; the path of this service that it sends the browser back to.
async fn visit(page: &str) -> String {
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .unwrap();
    let answer = client.get(page).send().await.unwrap();
    assert_eq!(answer.status(), 302, "the provider takes the request");
    let back = answer.headers()["location"].to_str().unwrap();
    back.strip_prefix("http://127.0.0.1:8080").unwrap().to_owned()
}

fn refused(answer: &Answer) -> (u16, &str) {
    let cookies: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .collect();
    assert!(
        cookies.iter().all(|(_, cookie)| cookie.contains("Max-Age=0")),
        "no session: {cookies:?}"
    );
    (answer.status, answer.code())
}

/// The browser after a login that succeeded.
fn logged_in(world: &World, answer: &Answer) -> Client {
    assert_eq!(answer.status, 303, "{answer:?}");
    assert_eq!(answer.header("location"), Some("/clusters"));
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-firn_session=ses_"), "{cookie}");
    world
        .service
        .anonymous()
        .with("cookie", cookie.split(';').next().unwrap())
}

#[tokio::test]
async fn a_new_person_becomes_a_viewer_and_is_the_same_one_the_next_time() {
    let world = World::start().await;
    let browser = logged_in(&world, &world.log_in().await);
    let me = browser.get("/v1/me").await;
    assert_eq!(
        (&me.body["email"], &me.body["has_password"]),
        (&json!("new@corp.example"), &json!(false))
    );
    let organizations = browser.get("/v1/organizations").await;
    let ids: Vec<_> = organizations.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["id"])
        .collect();
    assert_eq!(ids, [&json!(world.owner.organization)]);
    let path = format!("/v1/organizations/{}/login-providers", world.owner.organization);
    let csrf = browser.get("/v1/sessions/current").await.body["csrf_token"].clone();
    let viewer = browser.with("x-csrf-token", csrf.as_str().unwrap());
    let answer = viewer.get(&path).await;
    assert_eq!(answer.status, 403, "a viewer manages nothing: {answer:?}");
    world.idp.log_in("subject-1", "renamed@corp.example", true);
    let again = logged_in(&world, &world.log_in().await);
    assert_eq!(
        again.get("/v1/me").await.body["id"],
        me.body["id"],
        "the subject counts, not the address"
    );
}

#[tokio::test]
async fn a_provider_that_lies_logs_nobody_in() {
    let world = World::start().await;
    for lie in [
        Lie::Nonce,
        Lie::NoNonce,
        Lie::Audience,
        Lie::Issuer,
        Lie::Expired,
        Lie::Future,
        Lie::Unsigned,
        Lie::OtherKey,
        Lie::SignedWithClientSecret,
    ] {
        world.idp.lie(lie);
        let answer = world.log_in().await;
        assert_eq!(refused(&answer), (400, "login_provider_failed"), "{lie:?}");
        assert!(
            answer.body["detail"].as_str().unwrap().contains("ID token"),
            "{lie:?}: {answer:?}"
        );
    }
    world.idp.lie(Lie::OtherIssuerInDiscovery);
    let path = format!("/v1/oidc/start?provider={}", world.provider);
    let answer = world.service.anonymous().get(&path).await;
    assert_eq!(refused(&answer), (400, "login_provider_failed"));
    world.idp.lie(Lie::No);
    logged_in(&world, &world.log_in().await);
}

#[tokio::test]
async fn a_callback_belongs_to_the_browser_that_began_and_works_once() {
    let world = World::start().await;
    let (browser, page) = world.begin().await;
    let back = visit(&page).await;
    let stranger = world.service.anonymous();
    assert_eq!(
        refused(&stranger.get(&back).await),
        (400, "login_provider_failed"),
        "no cookie"
    );
    let (other, _) = world.begin().await;
    assert_eq!(
        refused(&other.get(&back).await),
        (400, "login_provider_failed"),
        "another state"
    );
    let forged = back.replace("state=", "state=x");
    assert_eq!(
        refused(&browser.get(&forged).await),
        (400, "login_provider_failed")
    );
    for broken in [
        "/v1/oidc/callback",
        "/v1/oidc/callback?state=&code=",
        "/v1/oidc/callback?error=access_denied",
    ] {
        assert_eq!(
            refused(&browser.get(broken).await),
            (400, "login_provider_failed")
        );
    }
    logged_in(&world, &browser.get(&back).await);
    assert_eq!(
        refused(&browser.get(&back).await),
        (400, "login_provider_failed"),
        "the code is used"
    );
}

#[tokio::test]
async fn a_browser_whose_login_comes_to_nothing_is_sent_back_to_the_console_with_the_code_alone() {
    let world = World::start().await;
    let accept = |client: &Client| client.with("accept", "text/html,*/*;q=0.8");
    let (browser, page) = world.begin().await;
    let back = visit(&page).await;
    let forged = back.replace("state=", "state=x");
    let answer = accept(&browser).get(&forged).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let location = answer.header("location").unwrap();
    assert!(
        location.starts_with("/login?failed=login_provider_failed&request="),
        "{location}"
    );
    // The provider is named where the login was begun with it.
    world.idp.lie(Lie::OtherIssuerInDiscovery);
    let answer = accept(&browser).get(&back).await;
    let location = answer.header("location").unwrap();
    assert!(
        location.contains(&format!("&provider={}", world.provider)),
        "{location}"
    );
    let start = format!("/v1/oidc/start?provider={}", world.provider);
    let answer = accept(&world.service.anonymous()).get(&start).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    assert!(
        answer
            .header("location")
            .unwrap()
            .starts_with("/login?failed=login_provider_failed")
    );
    let answer = accept(&world.service.anonymous())
        .get("/v1/oidc/start?provider=nobody")
        .await;
    assert!(
        answer
            .header("location")
            .unwrap()
            .starts_with("/login?failed=not_found")
    );
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_the_verifier_that_its_login_began_with() {
    let world = World::start().await;
    let (_, page) = world.begin().await;
    let stolen = visit(&page).await;
    let code = |back: &str| {
        back.split("code=")
            .nth(1)
            .unwrap()
            .split('&')
            .next()
            .unwrap()
            .to_owned()
    };
    let (attacker, page) = world.begin().await;
    let own = visit(&page).await;
    let injected = own.replace(&code(&own), &code(&stolen));
    assert_eq!(
        refused(&attacker.get(&injected).await),
        (400, "login_provider_failed")
    );
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("grant_type", "authorization_code"),
            ("code", &code(&own)),
            ("client_id", CLIENT_ID),
            ("client_secret", CLIENT_SECRET),
            ("redirect_uri", "http://127.0.0.1:8080/v1/oidc/callback"),
        ])
        .finish();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client
        .post(format!("{}/token", world.idp.issuer()))
        .body(form)
        .send()
        .await;
    assert_eq!(
        answer.unwrap().status(),
        400,
        "the provider of the test insists on the verifier"
    );
}

#[tokio::test]
async fn a_provider_speaks_for_its_domains_and_takes_no_account_over() {
    let world = World::start().await;
    world.idp.log_in("subject-2", "new@elsewhere.example", true);
    assert_eq!(
        refused(&world.log_in().await),
        (400, "login_provider_failed"),
        "a foreign domain"
    );
    world.idp.log_in("subject-3", "unverified@corp.example", false);
    invite(&world.owner, "unverified@corp.example").await;
    logged_in(&world, &world.log_in().await);
    let open = add(&world.owner, &world.idp, &[]).await;
    let any = World {
        provider: open,
        ..world
    };
    any.idp.log_in("subject-4", "unverified@elsewhere.example", false);
    assert_eq!(
        refused(&any.log_in().await),
        (400, "login_provider_failed"),
        "nobody has verified it"
    );
    any.idp.log_in("subject-4", "owner@corp.example", true);
    let taken = any.log_in().await;
    assert_eq!(refused(&taken), (409, "already_exists"), "{taken:?}");
}

#[tokio::test]
async fn a_provider_neither_makes_people_of_strangers_nor_tells_who_has_an_account() {
    let world = World::start().await;
    let open = add(&world.owner, &world.idp, &[]).await;
    let any = World {
        provider: open,
        ..world
    };
    any.service.person("eve@elsewhere.example").await;
    let mut answers = Vec::new();
    for email in ["eve@elsewhere.example", "nobody@elsewhere.example"] {
        any.idp.log_in(&format!("subject of {email}"), email, true);
        let answer = any.log_in().await;
        assert_eq!(refused(&answer), (409, "protected"), "{answer:?}");
        assert!(answer.body["detail"].as_str().unwrap().contains("invitation"));
        answers.push(answer.problem());
    }
    assert_eq!(answers[0], answers[1]);
    let nobody = any
        .service
        .catalog
        .person_by_email("nobody@elsewhere.example")
        .await;
    assert_eq!(nobody, Ok(None));
    any.idp.log_in("a\0b", "new@corp.example", true);
    let odd = any.log_in().await;
    assert_eq!(
        refused(&odd),
        (400, "login_provider_failed"),
        "a subject with a NUL"
    );
}

#[tokio::test]
async fn an_account_is_linked_from_its_own_session_only() {
    let world = World::start().await;
    world.idp.log_in("subject-owner", "owner@corp.example", true);
    let body = json!({ "provider": world.provider, "password": PASSWORD, "return_to": "/clusters" });
    let mut guessed = body.clone();
    guessed["password"] = json!("not the password");
    let guessed = world.owner.post("/v1/oidc/links", &guessed).await;
    assert_eq!(
        (guessed.status, &guessed.body["errors"][0]["pointer"]),
        (422, &json!("/password"))
    );
    let mut forged = world.owner.clone();
    forged.headers.retain(|(name, _)| name == "cookie");
    assert_eq!(
        forged.post("/v1/oidc/links", &body).await.status,
        403,
        "no CSRF token"
    );
    let begun = world.owner.post("/v1/oidc/links", &body).await;
    assert_eq!(begun.status, 200, "{begun:?}");
    let browser = with_pending(&world.service.anonymous(), &begun);
    let back = visit(begun.body["authorization_url"].as_str().unwrap()).await;
    let linked = logged_in(&world, &browser.get(&back).await);
    assert_eq!(linked.get("/v1/me").await.body["id"], json!(world.owner.person));
    let later = logged_in(&world, &world.log_in().await);
    assert_eq!(later.get("/v1/me").await.body["id"], json!(world.owner.person));
    let told = world.service.mailbox.messages(Some("owner@corp.example"));
    assert!(
        told.iter()
            .any(|one| one.mail.subject.contains("login provider was linked"))
    );
    let begun = world.owner.post("/v1/oidc/links", &body).await;
    let browser = with_pending(&world.service.anonymous(), &begun);
    let back = visit(begun.body["authorization_url"].as_str().unwrap()).await;
    let ended = world.owner.delete("/v1/sessions/current").await;
    assert_eq!(ended.status, 204);
    assert_eq!(
        refused(&browser.get(&back).await),
        (410, "gone"),
        "the session is over"
    );
    let eve = world.service.person("eve@elsewhere.example").await;
    world.idp.log_in("subject-eve", "eve@elsewhere.example", true);
    let begun = eve.post("/v1/oidc/links", &body).await;
    let browser = with_pending(&world.service.anonymous(), &begun);
    let back = visit(begun.body["authorization_url"].as_str().unwrap()).await;
    assert_ne!(browser.get(&back).await.status, 303, "not a member");
}

#[tokio::test]
async fn a_provider_is_changed_and_removed_and_its_secret_never_shown() {
    let world = World::start().await;
    let path = format!("/v1/organizations/{}/login-providers", world.owner.organization);
    let one = format!("{path}/{}", world.provider);
    for path in [&path, &one] {
        let answer = world.owner.get(path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(!answer.text.contains("secret"), "{}", answer.text);
    }
    let unversioned = world.owner.patch(&one, &json!({ "name": "Other" })).await;
    assert_eq!(unversioned.status, 428);
    let any = world.owner.with("if-match", "*");
    let renamed = any.patch(&one, &json!({ "name": "Other" })).await;
    assert_eq!((renamed.status, &renamed.body["name"]), (200, &json!("Other")));
    logged_in(&world, &world.log_in().await);
    let moved = any
        .patch(&one, &json!({ "issuer": "https://login.example.com" }))
        .await;
    assert_eq!(
        (moved.status, &moved.body["errors"][0]["pointer"]),
        (422, &json!("/client_secret"))
    );
    let stranger = world.service.person("eve@elsewhere.example").await;
    assert_eq!(stranger.get(&one).await.status, 404);
    assert_eq!(any.delete(&one).await.status, 204);
    let gone = format!("/v1/oidc/start?provider={}", world.provider);
    assert_eq!(world.service.anonymous().get(&gone).await.status, 404);
}

#[tokio::test]
async fn urls_that_lead_into_the_own_network_or_away_from_it_are_refused() {
    let world = World::start().await;
    let path = format!("/v1/organizations/{}/login-providers", world.owner.organization);
    let with = |issuer: &str| -> Value {
        json!({ "name": "x", "issuer": issuer, "client_id": "x", "client_secret": "x" })
    };
    for issuer in [
        "http://login.example.com",
        "https://10.0.0.1",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:10.0.0.1]/",
        "ftp://login.example.com",
        "login.example.com",
        "https://user:pass@login.example.com",
    ] {
        let answer = world.owner.post(&path, &with(issuer)).await;
        assert_eq!(answer.status, 422, "{issuer}");
        assert_eq!(answer.body["errors"][0]["pointer"], json!("/issuer"));
    }
    for return_to in ["//evil.example", "https://evil.example", "/%5Cevil", "/a%0d%0ab"] {
        let path = format!("/v1/oidc/start?provider={}&return_to={return_to}", world.provider);
        assert_eq!(
            world.service.anonymous().get(&path).await.status,
            400,
            "{return_to}"
        );
    }
    let mut settings = support::settings();
    settings.dev = false;
    settings.reach.loopback = false;
    let production = Service::start_with(settings).await;
    let owner = production.person("owner@corp.example").await;
    let path = format!("/v1/organizations/{}/login-providers", owner.organization);
    let loopback = owner.post(&path, &with(world.idp.issuer())).await;
    assert_eq!(loopback.status, 422, "{loopback:?}");
}
