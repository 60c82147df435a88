//! Service accounts, API keys, SCRAM credentials and access tokens over REST.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

mod support;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use support::{Answer, Client, Service};

/// An id that nothing has, behind each prefix.
const ABSENT: &str = "aaaaaaaaaaaaaaaaaaaaaaaaab";

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

async fn made(client: &Client, path: &str, body: &Value) -> Value {
    let answer = client.post(path, body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.body
}

/// A person with a cluster and a service account that is an admin of its project.
struct Tenant {
    ada: Client,
    cluster: String,
    account: String,
}

impl Tenant {
    async fn new(service: &Service, email: &str) -> Self {
        let ada = service.person(email).await;
        let cluster = made(
            &ada,
            "/v1/clusters",
            &json!({ "project": ada.project, "name": "main" }),
        )
        .await;
        let account = json!({ "project": ada.project, "name": "app", "role": { "role": "admin" } });
        let account = made(&ada, "/v1/service-accounts", &account).await;
        Self {
            cluster: text(&cluster["id"]).to_owned(),
            account: text(&account["id"]).to_owned(),
            ada,
        }
    }

    fn scram(&self) -> String {
        format!("/v1/clusters/{}/scram-credentials", self.cluster)
    }

    async fn key(&self, cluster: Option<&str>) -> Value {
        let body = json!({ "service_account": self.account, "cluster": cluster, "name": "ci" });
        made(&self.ada, "/v1/api-keys", &body).await
    }

    /// What a new key's bearer gets for it.
    async fn token(&self, key: &Value) -> String {
        let answer = trade(&self.ada.with_bearer(text(&key["secret"]))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        text(&answer.body["access_token"]).to_owned()
    }
}

async fn trade(client: &Client) -> Answer {
    client.send("POST", "/v1/tokens", None).await
}

async fn status(client: &Client, path: &str) -> u16 {
    client.get(path).await.status
}

#[tokio::test]
async fn a_secret_is_shown_once_and_digests_never() {
    let service = Service::start().await;
    let tenant = Tenant::new(&service, "ada@example.com").await;
    let key = tenant.key(Some(&tenant.cluster)).await;
    let (id, secret) = (text(&key["id"]), text(&key["secret"]));
    let client = &key["client"];
    assert_eq!(
        (text(&client["username"]), text(&client["password"])),
        (id, secret)
    );
    assert_eq!(
        (
            text(&client["sasl_mechanism"]),
            text(&client["bootstrap_servers"])
        ),
        ("PLAIN", "127.0.0.1:9092")
    );
    let scram = made(
        &tenant.ada,
        &tenant.scram(),
        &json!({ "service_account": tenant.account }),
    )
    .await;
    let password = text(&scram["secret"]);
    assert_eq!(scram["mechanisms"], json!(["SCRAM-SHA-256", "SCRAM-SHA-512"]));
    assert_eq!(text(&scram["client"]["username"]), text(&scram["username"]));
    let one = format!("/v1/api-keys/{id}");
    let other = format!("{}/{}", tenant.scram(), text(&scram["id"]));
    let by_account = format!("/v1/api-keys?service_account={}", tenant.account);
    let by_project = format!("/v1/api-keys?project={}", tenant.ada.project);
    for path in [&one, &other, &by_account, &by_project, &tenant.scram()] {
        let answer = tenant.ada.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        for hidden in [
            secret, password, "secret", "digest", "proof", "sealed", "salt", "verifier",
        ] {
            assert!(
                !answer.text.contains(hidden),
                "{path} shows {hidden}: {}",
                answer.text
            );
        }
    }
    let listed = tenant.ada.get(&by_project).await;
    assert_eq!(text(&listed.body["items"][0]["id"]), id);
}

#[tokio::test]
async fn whoever_must_know_a_secret_beforehand_brings_it() {
    let service = Service::start().await;
    let tenant = Tenant::new(&service, "ada@example.com").await;
    let random = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst";
    let body = json!({ "service_account": tenant.account, "name": "ci", "random": random });
    let key = made(&tenant.ada, "/v1/api-keys", &body).await;
    let secret = text(&key["secret"]);
    assert!(
        secret.contains(&format!("_{random}_")),
        "it is the one that was brought"
    );
    let by_key = tenant.ada.with_bearer(secret);
    assert_eq!(status(&by_key, "/v1/projects").await, 200);
    let password = "Glacier/7+metres=a.year";
    let body = json!({ "service_account": tenant.account, "password": password });
    let scram = made(&tenant.ada, &tenant.scram(), &body).await;
    assert_eq!(text(&scram["client"]["password"]), password);
    for weak in [
        "",
        "short",
        &"a".repeat(52),
        "pässword-of-sixteen-and-more",
        "with a space 1234567",
        &"x7".repeat(100),
    ] {
        let key = json!({ "service_account": tenant.account, "random": weak });
        let scram = json!({ "service_account": tenant.account, "password": weak });
        for (path, body, pointer) in [
            ("/v1/api-keys", &key, "/random"),
            (tenant.scram().as_str(), &scram, "/password"),
        ] {
            let answer = tenant.ada.post(path, body).await;
            assert_eq!(
                (answer.status, text(&answer.body["errors"][0]["pointer"])),
                (422, pointer)
            );
            assert!(weak.is_empty() || !answer.text.contains(weak), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn a_key_and_the_token_it_is_traded_for_work_until_the_key_is_revoked() {
    let service = Service::start().await;
    let tenant = Tenant::new(&service, "ada@example.com").await;
    let key = tenant.key(None).await;
    let by_key = tenant.ada.with_bearer(text(&key["secret"]));
    let by_token = tenant.ada.with_bearer(&tenant.token(&key).await);
    let accounts = format!("/v1/service-accounts?project={}", tenant.ada.project);
    assert_eq!(
        (
            status(&by_key, &accounts).await,
            status(&by_token, &accounts).await
        ),
        (200, 200)
    );
    assert_eq!(trade(&by_token).await.status, 403, "a token buys no token");
    assert_eq!(trade(&tenant.ada).await.status, 403, "nor does a session");
    // A second key overlaps with the first, a third has to wait.
    let next = tenant.key(None).await;
    let by_next = tenant.ada.with_bearer(text(&next["secret"]));
    assert_eq!(
        (
            status(&by_key, &accounts).await,
            status(&by_next, &accounts).await
        ),
        (200, 200)
    );
    let third = json!({ "service_account": tenant.account });
    let third = tenant.ada.post("/v1/api-keys", &third).await;
    assert_eq!((third.status, third.code()), (409, "limit_exceeded"));
    let at = format!("/v1/api-keys/{}", text(&key["id"]));
    assert_eq!(tenant.ada.delete(&at).await.status, 204);
    assert_eq!(
        (
            status(&by_key, &accounts).await,
            status(&by_token, &accounts).await
        ),
        (401, 401)
    );
    assert_eq!(status(&by_next, &accounts).await, 200);
    assert_eq!(
        (
            status(&tenant.ada, &at).await,
            tenant.ada.delete(&at).await.status
        ),
        (404, 404)
    );
    // All of its keys go with a service account.
    let by_token = tenant.ada.with_bearer(&tenant.token(&next).await);
    let account = format!("/v1/service-accounts/{}", tenant.account);
    assert_eq!(tenant.ada.delete(&account).await.status, 204);
    assert_eq!(
        (
            status(&by_next, &accounts).await,
            status(&by_token, &accounts).await
        ),
        (401, 401)
    );
}

/// A token that was given out, and what tokens can be made of its parts.
struct Specimen {
    header: String,
    payload: String,
    signature: String,
    claims: Value,
    kid: String,
    /// The public key as the service publishes it.
    published: String,
    /// The service's own private key.
    genuine: EncodingKey,
}

impl Specimen {
    async fn of(service: &Service, token: &str, published: &Value) -> Self {
        let parts: Vec<_> = token.split('.').map(str::to_owned).collect();
        let decode =
            |part: &str| -> Value { serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap() };
        let kept = service.catalog.signing_keys().await.unwrap().remove(0);
        let purpose = format!("signing-key {}", kept.id);
        let der = service.secrets.open(&purpose, &kept.private_key).unwrap();
        assert_eq!(
            (text(&published["kid"]), text(&published["alg"])),
            (kept.id.as_str(), "EdDSA")
        );
        Self {
            claims: decode(&parts[1]),
            kid: text(&decode(&parts[0])["kid"]).to_owned(),
            published: text(&published["x"]).to_owned(),
            genuine: EncodingKey::from_ed_der(&der),
            header: parts[0].clone(),
            payload: parts[1].clone(),
            signature: parts[2].clone(),
        }
    }

    /// Signed by the service's own key, with one claim changed.
    fn real(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value;
        signed(Algorithm::EdDSA, Some(&self.kid), &claims, &self.genuine)
    }

    /// Signed by somebody else's key.
    fn own(&self, kid: Option<&str>) -> String {
        let prefix = [
            0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
        ];
        let der = [&prefix[..], &[7; 32]].concat();
        signed(
            Algorithm::EdDSA,
            kid,
            &self.claims,
            &EncodingKey::from_ed_der(&der),
        )
    }

    /// Signed by HMAC with what everybody knows.
    fn hmac(&self, secret: &[u8]) -> String {
        signed(
            Algorithm::HS256,
            Some(&self.kid),
            &self.claims,
            &EncodingKey::from_secret(secret),
        )
    }

    fn forged(&self) -> Vec<String> {
        let Self {
            header,
            payload,
            signature,
            ..
        } = self;
        let pack = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let none = pack(&json!({ "alg": "none", "typ": "JWT", "kid": self.kid }));
        let mut other = self.claims.clone();
        other["sub"] = json!(format!("sa_{ABSENT}"));
        let x = URL_SAFE_NO_PAD.decode(&self.published).unwrap();
        vec![
            format!("{none}.{payload}."),
            format!("{none}.{payload}.{signature}"),
            format!("{header}.{}.{signature}", pack(&other)),
            format!("{header}.{payload}."),
            self.hmac(&x),
            self.hmac(self.published.as_bytes()),
            self.own(Some(&self.kid)),
            self.own(Some("0123")),
            self.own(None),
            self.real("aud", json!("others")),
            self.real("iss", json!("http://others.example")),
            self.real("exp", self.claims["iat"].clone()),
            self.real("exp", Value::Null),
            self.real("key", json!(format!("key_{ABSENT}"))),
            self.real("sub", json!(format!("sa_{ABSENT}"))),
            self.real("more", json!(1)),
        ]
    }
}

fn signed(algorithm: Algorithm, kid: Option<&str>, claims: &Value, key: &EncodingKey) -> String {
    let mut header = Header::new(algorithm);
    header.kid = kid.map(str::to_owned);
    encode(&header, claims, key).unwrap()
}

#[tokio::test]
async fn what_resembles_a_key_or_a_token_is_neither() {
    let service = Service::start().await;
    let tenant = Tenant::new(&service, "ada@example.com").await;
    let key = tenant.key(None).await;
    let secret = text(&key["secret"]);
    let token = tenant.token(&key).await;
    let jwks = tenant.ada.get("/v1/jwks.json").await;
    assert_eq!(jwks.header("cache-control"), Some("public, max-age=300"));
    let specimen = Specimen::of(&service, &token, &jwks.body["keys"][0]).await;
    let claims = &specimen.claims;
    let expected = (&json!("firn"), &json!(tenant.account), &key["id"]);
    assert_eq!((&claims["aud"], &claims["sub"], &claims["key"]), expected);
    let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(life, 600);
    let untouched = tenant.ada.with_bearer(&specimen.real("jti", json!("other")));
    let why = "the next ones are refused for what they say alone";
    assert_eq!(status(&untouched, "/v1/projects").await, 200, "{why}");
    let last = secret.len() - 9;
    let malformed = [
        format!("{secret}x"),
        secret[..last].to_owned(),
        String::new(),
        "a.b.c".to_owned(),
        "x".repeat(4_000),
    ];
    assert_eq!(status(&tenant.ada.with_bearer(&token), "/v1/projects").await, 200);
    let refused = tenant.ada.with_bearer("firn_live_").get("/v1/projects").await;
    for bearer in specimen.forged().into_iter().chain(malformed) {
        let answer = tenant.ada.with_bearer(&bearer).get("/v1/projects").await;
        assert_eq!(
            (answer.status, answer.problem()),
            (401, refused.problem()),
            "{bearer}"
        );
    }
}

#[tokio::test]
async fn foreign_and_absent_look_the_same() {
    let service = Service::start().await;
    let tenant = Tenant::new(&service, "ada@example.com").await;
    let stranger = service.person("bob@example.com").await;
    let key = tenant.key(None).await;
    let scram = made(
        &tenant.ada,
        &tenant.scram(),
        &json!({ "service_account": tenant.account }),
    )
    .await;
    let absent_scram = format!("/v1/clusters/clu_{ABSENT}/scram-credentials");
    let pairs = [
        (
            format!("/v1/service-accounts/{}", tenant.account),
            format!("/v1/service-accounts/sa_{ABSENT}"),
        ),
        (
            format!("/v1/api-keys/{}", text(&key["id"])),
            format!("/v1/api-keys/key_{ABSENT}"),
        ),
        (
            format!("{}/{}", tenant.scram(), text(&scram["id"])),
            format!("{absent_scram}/scr_{ABSENT}"),
        ),
        (tenant.scram(), absent_scram.clone()),
        (
            format!("/v1/api-keys?service_account={}", tenant.account),
            format!("/v1/api-keys?service_account=sa_{ABSENT}"),
        ),
        (
            format!("/v1/service-accounts?project={}", tenant.ada.project),
            format!("/v1/service-accounts?project=prj_{ABSENT}"),
        ),
    ];
    for (foreign, absent) in &pairs {
        let (foreign, absent) = (stranger.get(foreign).await, stranger.get(absent).await);
        assert_eq!((foreign.status, foreign.problem()), (404, absent.problem()));
    }
    for (foreign, absent) in &pairs[..3] {
        let (foreign, absent) = (stranger.delete(foreign).await, stranger.delete(absent).await);
        assert_eq!((foreign.status, foreign.problem()), (404, absent.problem()));
    }
    let key = |account: &str| json!({ "service_account": account });
    for path in ["/v1/api-keys", &tenant.scram(), &absent_scram] {
        let foreign = stranger.post(path, &key(&tenant.account)).await;
        let absent = stranger.post(path, &key(&format!("sa_{ABSENT}"))).await;
        assert_eq!((foreign.status, foreign.problem()), (404, absent.problem()));
    }
}

#[tokio::test]
async fn a_dry_run_keeps_nothing_and_shows_no_secret() {
    let service = Service::start().await;
    let tenant = Tenant::new(&service, "ada@example.com").await;
    let ada = &tenant.ada;
    let body = json!({ "service_account": tenant.account, "cluster": tenant.cluster });
    let key = ada.post("/v1/api-keys?dry_run=true", &body).await;
    assert_eq!(
        (key.status, &key.body["secret"], &key.body["client"]),
        (201, &Value::Null, &Value::Null)
    );
    let scram = json!({ "service_account": tenant.account });
    let scram = ada
        .post(&format!("{}?dry_run=true", tenant.scram()), &scram)
        .await;
    assert_eq!((scram.status, &scram.body["secret"]), (201, &Value::Null));
    let account = json!({ "project": ada.project, "name": "other" });
    let account = ada.post("/v1/service-accounts?dry_run=true", &account).await;
    assert_eq!(account.status, 201);
    let at = format!("/v1/service-accounts/{}", tenant.account);
    assert_eq!(ada.delete(&format!("{at}?dry_run=true")).await.status, 204);
    let unversioned = ada.patch(&at, &json!({ "name": "new" })).await;
    assert_eq!(
        (unversioned.status, unversioned.code()),
        (428, "precondition_required")
    );
    let dry = ada.with("if-match", "\"1\"");
    let renamed = dry
        .patch(&format!("{at}?dry_run=true"), &json!({ "name": "new" }))
        .await;
    assert_eq!((renamed.status, &renamed.body["name"]), (200, &json!("new")));
    let accounts = ada
        .get(&format!("/v1/service-accounts?project={}", ada.project))
        .await;
    assert_eq!(accounts.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(accounts.body["items"][0]["name"], "app");
    let keys = ada.get(&format!("/v1/api-keys?project={}", ada.project)).await;
    assert_eq!(keys.body["items"], json!([]));
    assert_eq!(ada.get(&tenant.scram()).await.body["items"], json!([]));
}
