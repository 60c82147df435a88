//! A small identity provider on loopback for one test: metadata, keys, and tokens for whoever shows a client id and any secret
//! (OAuth 2.0 client credentials). It counts how often its keys are asked for, and can be told to misbehave.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use firn_runtime::Env;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// For whom its tokens are.
pub const AUDIENCE: &str = "kafka";
/// The usual life of a token, in seconds.
const LIFE: i64 = 300;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// As it should.
    Well,
    /// It has a failure of its own.
    Away,
    /// It says nothing, and does not hang up.
    Hangs,
    /// It sends what is no JSON.
    Garbage,
    /// It sends without end.
    Endless,
    /// It names another issuer in its metadata.
    AnotherIssuer,
}

/// A key that it signs with.
#[derive(Clone)]
pub struct SigningKey {
    /// Its id.
    pub kid: String,
    /// What it signs with.
    pub key: EncodingKey,
    /// The only algorithm that it is for.
    pub algorithm: Algorithm,
}

impl SigningKey {
    /// A fresh P-256 key.
    pub fn new(kid: &str) -> Self {
        let made = rcgen::KeyPair::generate().unwrap();
        Self {
            kid: kid.to_owned(),
            key: EncodingKey::from_ec_der(&made.serialize_der()),
            algorithm: Algorithm::ES256,
        }
    }

    /// The public key, as a set has it.
    pub fn public(&self) -> Value {
        let mut key = Jwk::from_encoding_key(&self.key, self.algorithm).unwrap();
        key.common.key_id = Some(self.kid.clone());
        let mut key = serde_json::to_value(key).unwrap();
        key["use"] = json!("sig");
        key
    }

    /// A token of these claims.
    pub fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.clone());
        self.sign_as(&serde_json::to_value(header).unwrap(), claims)
    }

    /// A token with any header, signed by this key with its own algorithm.
    pub fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let message = unsigned(header, claims);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

/// Header and claims, as they are signed.
pub fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// The time, in seconds.
pub fn now() -> i64 {
    Env::system().now().0 / 1_000
}

struct Inner {
    issuer: String,
    keys: Mutex<Vec<SigningKey>>,
    mistakes: Mutex<Vec<Value>>,
    behaviour: Mutex<Behaviour>,
    asked: AtomicUsize,
    issued: Mutex<BTreeMap<String, usize>>,
    life: AtomicI64,
}

/// The provider; its threads end with the test's process.
#[derive(Clone)]
pub struct IdentityProvider(Arc<Inner>);

impl IdentityProvider {
    /// Starts it on a free port, with one key.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let provider = Self(Arc::new(Inner {
            issuer: format!("http://{}", listener.local_addr().unwrap()),
            keys: Mutex::new(vec![SigningKey::new("key-1")]),
            mistakes: Mutex::default(),
            behaviour: Mutex::new(Behaviour::Well),
            asked: AtomicUsize::new(0),
            issued: Mutex::default(),
            life: AtomicI64::new(LIFE),
        }));
        let serving = provider.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || drop(serving.answer(&stream)));
            }
        });
        provider
    }

    /// Its issuer, which is its address.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Where clients get tokens.
    pub fn token_url(&self) -> String {
        format!("{}/token", self.0.issuer)
    }

    /// Where its keys are.
    pub fn jwks_url(&self) -> String {
        format!("{}/keys", self.0.issuer)
    }

    /// How often its keys were asked for.
    pub fn asked(&self) -> usize {
        self.0.asked.load(Ordering::Relaxed)
    }

    /// How many tokens a client was given.
    pub fn issued(&self, client: &str) -> usize {
        self.0.issued.lock().unwrap().get(client).copied().unwrap_or(0)
    }

    /// From now on it answers so.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.0.behaviour.lock().unwrap() = behaviour;
    }

    /// From now on tokens hold for so many seconds.
    pub fn set_life(&self, seconds: i64) {
        self.0.life.store(seconds, Ordering::Relaxed);
    }

    /// From now on it has these keys, and signs with the first.
    pub fn set_keys(&self, keys: &[SigningKey]) {
        *self.0.keys.lock().unwrap() = keys.to_vec();
    }

    /// From now on this is among its keys, too.
    pub fn publish(&self, mistake: Value) {
        self.0.mistakes.lock().unwrap().push(mistake);
    }

    /// The key that it signs with.
    pub fn key(&self) -> SigningKey {
        self.0.keys.lock().unwrap()[0].clone()
    }

    /// What its tokens say of a client.
    pub fn claims(&self, client: &str) -> Value {
        let life = self.0.life.load(Ordering::Relaxed);
        json!({"iss": self.0.issuer, "sub": client, "aud": AUDIENCE, "iat": now(), "exp": now() + life, "scope": "kafka"})
    }

    /// A token for a client.
    pub fn token(&self, client: &str) -> String {
        self.key().sign(&self.claims(client))
    }

    fn answer(&self, stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut first = String::new();
        reader.read_line(&mut first)?;
        let (mut length, mut client) = (0, None);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? <= 2 {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap(),
                "authorization" => client = named(value.trim()),
                _ => {}
            }
        }
        reader.read_exact(&mut vec![0; length])?;
        let path = first.split(' ').nth(1).unwrap_or_default();
        if path == "/keys" {
            self.0.asked.fetch_add(1, Ordering::Relaxed);
        }
        let behaviour = *self.0.behaviour.lock().unwrap();
        let issuer = &self.0.issuer;
        let (status, body) = match path {
            "/token" => (200, self.issue(client.as_deref())),
            _ if behaviour == Behaviour::Away => (503, String::new()),
            _ if behaviour == Behaviour::Hangs => {
                return stream.take(u64::MAX).read_to_end(&mut Vec::new()).map(drop);
            }
            _ if behaviour == Behaviour::Garbage => (200, "<html>not JSON</html>".to_owned()),
            _ if behaviour == Behaviour::Endless => return endless(stream),
            "/keys" => (200, json!({"keys": self.published()}).to_string()),
            _ => {
                let named = match behaviour {
                    Behaviour::AnotherIssuer => "https://login.example.com",
                    _ => issuer,
                };
                (
                    200,
                    json!({"issuer": named, "jwks_uri": self.jwks_url()}).to_string(),
                )
            }
        };
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        let mut stream = stream;
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())
    }

    fn published(&self) -> Vec<Value> {
        let keys = self.0.keys.lock().unwrap();
        let mistakes = self.0.mistakes.lock().unwrap();
        keys.iter()
            .map(SigningKey::public)
            .chain(mistakes.iter().cloned())
            .collect()
    }

    fn issue(&self, client: Option<&str>) -> String {
        let client = client.unwrap_or("nobody");
        *self
            .0
            .issued
            .lock()
            .unwrap()
            .entry(client.to_owned())
            .or_default() += 1;
        let life = self.0.life.load(Ordering::Relaxed);
        let token = self.token(client);
        json!({"access_token": token, "token_type": "Bearer", "expires_in": life}).to_string()
    }
}

/// The client's id in an Authorization header.
fn named(value: &str) -> Option<String> {
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    Some(text.split_once(':')?.0.to_owned())
}

fn endless(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\n\r\n{\"keys\": [")?;
    loop {
        stream.write_all(&[b' '; 65_536])?;
    }
}
