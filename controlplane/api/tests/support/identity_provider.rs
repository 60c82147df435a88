//! A small real identity provider on loopback: discovery, authorization with PKCE, token, keys; it signs with a key of its own. It can be
//! told to lie.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use firn_runtime::{Env, Random, SystemRandom};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use parking_lot::Mutex;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom as RingRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub const CLIENT_ID: &str = "firn-test";
pub const CLIENT_SECRET: &str = "the client's secret at the provider";

/// How it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    No,
    Nonce,
    NoNonce,
    Audience,
    Issuer,
    Expired,
    Future,
    Unsigned,
    OtherKey,
    SignedWithClientSecret,
    OtherIssuerInDiscovery,
}

/// Whom it logs in.
#[derive(Clone, Debug)]
pub struct Somebody {
    pub subject: String,
    pub email: String,
    pub email_verified: bool,
}

struct Grant {
    challenge: String,
    nonce: String,
    redirect_uri: String,
}

struct Inner {
    issuer: String,
    key: EncodingKey,
    other_key: EncodingKey,
    grants: Mutex<HashMap<String, Grant>>,
    lie: Mutex<Lie>,
    somebody: Mutex<Somebody>,
}

#[derive(Clone)]
pub struct IdentityProvider(Arc<Inner>);

fn new_key() -> EncodingKey {
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &RingRandom::new()).unwrap();
    EncodingKey::from_ec_der(key.as_ref())
}

fn pairs(text: &str) -> HashMap<String, String> {
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

impl IdentityProvider {
    pub async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self(Arc::new(Inner {
            issuer,
            key: new_key(),
            other_key: new_key(),
            grants: Mutex::default(),
            lie: Mutex::new(Lie::No),
            somebody: Mutex::new(Somebody {
                subject: "subject-1".into(),
                email: "new@corp.example".into(),
                email_verified: true,
            }),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/keys", get(keys))
            .with_state(provider.clone());
        let served = Box::pin(async move { axum::serve(listener, router).await.unwrap() });
        drop(Env::system().tasks.spawn(served));
        provider
    }

    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    pub fn lie(&self, lie: Lie) {
        *self.0.lie.lock() = lie;
    }

    pub fn log_in(&self, subject: &str, email: &str, email_verified: bool) {
        *self.0.somebody.lock() = Somebody {
            subject: subject.into(),
            email: email.into(),
            email_verified,
        };
    }

    fn id_token(&self, nonce: &str) -> String {
        let (lie, somebody) = (*self.0.lie.lock(), self.0.somebody.lock().clone());
        let now = Env::system().now().0 / 1_000;
        let mut claims = json!({
            "iss": self.0.issuer, "sub": somebody.subject, "aud": CLIENT_ID, "nonce": nonce, "iat": now,
            "exp": now + 300, "email": somebody.email, "email_verified": somebody.email_verified, "name": "New Person",
        });
        match lie {
            Lie::Nonce => claims["nonce"] = json!("of another login"),
            Lie::NoNonce => drop(claims.as_object_mut().unwrap().remove("nonce")),
            Lie::Audience => claims["aud"] = json!(["another client"]),
            Lie::Issuer => claims["iss"] = json!("https://login.example.com"),
            Lie::Expired => claims["exp"] = json!(now - 120),
            Lie::Future => claims["iat"] = json!(now + 600),
            _ => {}
        }
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("key-1".into());
        match lie {
            Lie::Unsigned => {
                let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
                format!(
                    "{}.{}.",
                    part(&json!({ "alg": "none", "typ": "JWT" })),
                    part(&claims)
                )
            }
            Lie::SignedWithClientSecret => {
                header.alg = Algorithm::HS256;
                encode(
                    &header,
                    &claims,
                    &EncodingKey::from_secret(CLIENT_SECRET.as_bytes()),
                )
                .unwrap()
            }
            Lie::OtherKey => encode(&header, &claims, &self.0.other_key).unwrap(),
            _ => encode(&header, &claims, &self.0.key).unwrap(),
        }
    }
}

async fn discovery(State(provider): State<IdentityProvider>) -> Json<Value> {
    let issuer = provider.issuer();
    let lies = *provider.0.lie.lock() == Lie::OtherIssuerInDiscovery;
    Json(json!({
        "issuer": if lies { "https://login.example.com" } else { issuer },
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
    }))
}

async fn keys(State(provider): State<IdentityProvider>) -> Json<Value> {
    let mut jwk = Jwk::from_encoding_key(&provider.0.key, Algorithm::ES256).unwrap();
    jwk.common.key_id = Some("key-1".into());
    let unknown = json!({ "kty": "XYZ", "kid": "a kind that nobody knows" });
    Json(json!({ "keys": [unknown, jwk] }))
}

/// Logs the browser in without asking, as a provider does that knows it.
async fn authorize(State(provider): State<IdentityProvider>, uri: Uri) -> Response {
    let asked = pairs(uri.query().unwrap_or_default());
    let is = |name: &str, value: &str| asked.get(name).is_some_and(|asked| asked == value);
    let right =
        is("response_type", "code") && is("client_id", CLIENT_ID) && is("code_challenge_method", "S256");
    let scopes = asked
        .get("scope")
        .is_some_and(|scope| scope.split(' ').any(|scope| scope == "openid"));
    if !right || !scopes {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let mut code = [0; 16];
    SystemRandom.fill(&mut code);
    let code = hex::encode(code);
    let grant = Grant {
        challenge: asked["code_challenge"].clone(),
        nonce: asked["nonce"].clone(),
        redirect_uri: asked["redirect_uri"].clone(),
    };
    let back = format!("{}?code={code}&state={}", asked["redirect_uri"], asked["state"]);
    provider.0.grants.lock().insert(code, grant);
    (StatusCode::FOUND, [(header::LOCATION, back)]).into_response()
}

/// Exchanges a code, once, for whoever shows the verifier that its challenge was made of.
async fn token(State(provider): State<IdentityProvider>, body: String) -> Response {
    let asked = pairs(&body);
    let refused = || (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    let Some(grant) = asked
        .get("code")
        .and_then(|code| provider.0.grants.lock().remove(code))
    else {
        return refused();
    };
    let client = asked.get("client_id").is_some_and(|id| id == CLIENT_ID)
        && asked
            .get("client_secret")
            .is_some_and(|secret| secret == CLIENT_SECRET);
    let verified = asked
        .get("code_verifier")
        .is_some_and(|text| URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes())) == grant.challenge);
    let back = asked.get("redirect_uri") == Some(&grant.redirect_uri);
    if !client || !verified || !back {
        return refused();
    }
    Json(json!({ "id_token": provider.id_token(&grant.nonce), "token_type": "Bearer", "access_token": "unused" }))
        .into_response()
}
