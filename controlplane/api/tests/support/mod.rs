//! The REST API over a fresh SQLite catalog, on loopback, with a mailbox, and clients that speak HTTP to it.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use firn_api::mail::Mailbox;
use firn_api::{Api, ApiParts, ApiSettings, Blocker, Facts, Operations, RateLimits, Readiness, Server};
use firn_catalog::Catalog;
use firn_catalog::image::ImageFollower;
use firn_runtime::{Clock, Env, Timestamp};
use firn_secrets::{MasterKey, Secrets};
use parking_lot::Mutex;
use prometheus::Registry;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The password of every person that [`Service::person`] makes.
pub const PASSWORD: &str = "four violet herons";

/// What `/readyz` says; empty at first.
#[derive(Default)]
pub struct Switch(pub Mutex<Vec<Blocker>>);

impl Readiness for Switch {
    fn blockers(&self) -> Vec<Blocker> {
        self.0.lock().clone()
    }
}

/// The system's clock, which a test puts forward.
#[derive(Default)]
pub struct Forward(AtomicI64);

impl Forward {
    pub fn pass(&self, time: Duration) {
        self.0
            .fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for Forward {
    fn now(&self) -> Timestamp {
        Timestamp(Env::system().now().0 + self.0.load(Ordering::SeqCst))
    }
}

/// A running API. Everything goes with it.
pub struct Service {
    pub clock: Arc<Forward>,
    pub address: SocketAddr,
    pub catalog: Arc<Catalog>,
    pub catalog_url: String,
    pub secrets: Secrets,
    pub mailbox: Arc<Mailbox>,
    pub readiness: Arc<Switch>,
    pub registry: Registry,
    pub server: Server,
    _folder: TempDir,
}

pub fn settings() -> ApiSettings {
    ApiSettings {
        public_url: "http://127.0.0.1:8080/".parse().unwrap(),
        kafka_host: "127.0.0.1".into(),
        kafka_port: 9092,
        cell_domain: None,
        certificate_authority: None,
        undelete_window: Duration::from_secs(7 * 24 * 60 * 60),
        dev: true,
        reach: firn_outbound::Reach {
            loopback: true,
            networks: Vec::new(),
        },
        rate_limits: RateLimits {
            per_principal: 100_000,
            per_address: 100_000,
        },
        prices: "produced_bytes=0.03,fetched_bytes=0.02,storage_byte_hours=0.00005,partition_hours=0.0005"
            .parse()
            .unwrap(),
        currency: "USD".parse().unwrap(),
    }
}

pub fn facts() -> Facts {
    Facts {
        version: "0.0.0-test",
        bootstrap: "127.0.0.1:9092".into(),
        anonymous: true,
        parts: vec![("store", "file".into())],
    }
}

/// An API that nobody can reach yet, over a fresh catalog.
pub struct Behind {
    pub clock: Arc<Forward>,
    pub api: Api,
    pub catalog: Arc<Catalog>,
    pub catalog_url: String,
    pub secrets: Secrets,
    pub mailbox: Arc<Mailbox>,
    pub folder: TempDir,
}

impl Behind {
    pub async fn new(operations: Operations, settings: ApiSettings) -> Self {
        let clock = Arc::new(Forward::default());
        let env = Env {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            ..Env::system()
        };
        let folder = TempDir::new().unwrap();
        let catalog_url = format!("sqlite://{}", folder.path().join("catalog.db").display());
        let catalog = Catalog::open(&catalog_url, env.clone()).await.unwrap();
        let images = ImageFollower::start(Arc::clone(&catalog)).await.unwrap();
        let secrets = Secrets::new(&MasterKey::generate(env.random.as_ref()));
        let mailbox = Arc::new(Mailbox::new(env.clone()));
        let api = Api::new(ApiParts {
            operations,
            facts: facts(),
            env,
            catalog: Arc::clone(&catalog),
            images,
            secrets: secrets.clone(),
            mail: Arc::clone(&mailbox) as Arc<_>,
            settings,
        });
        Self {
            clock,
            api,
            catalog,
            catalog_url,
            secrets,
            mailbox,
            folder,
        }
    }
}

impl Service {
    pub async fn start() -> Self {
        Self::start_with(settings()).await
    }

    pub async fn start_with(settings: ApiSettings) -> Self {
        Self::start_behind("", settings).await
    }

    /// With proxies that are trusted.
    pub async fn start_behind(proxies: &str, settings: ApiSettings) -> Self {
        let (readiness, registry) = (Arc::new(Switch::default()), Registry::new());
        let operations = Operations {
            env: Env::system(),
            readiness: Arc::clone(&readiness) as Arc<dyn Readiness>,
            registry: registry.clone(),
            trusted_proxies: proxies.parse().unwrap(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::serve(listener, operations.clone()).unwrap();
        let behind = Behind::new(operations, settings).await;
        server.open(behind.api.router());
        Self {
            clock: behind.clock,
            address: server.local_address(),
            catalog: behind.catalog,
            catalog_url: behind.catalog_url,
            secrets: behind.secrets,
            mailbox: behind.mailbox,
            readiness,
            registry,
            server,
            _folder: behind.folder,
        }
    }

    /// Somebody without a credential.
    pub fn anonymous(&self) -> Client {
        Client {
            address: self.address,
            headers: Vec::new(),
            email: String::new(),
            person: String::new(),
            organization: String::new(),
            project: String::new(),
        }
    }

    /// The last token that was mailed to an address.
    pub async fn token(&self, email: &str) -> String {
        for _ in 0..6_000 {
            if let Some(received) = self.mailbox.messages(Some(email)).first() {
                let text = &received.mail.text;
                let token = text
                    .split("token=")
                    .nth(1)
                    .and_then(|rest| rest.split_whitespace().next());
                return token.expect("a mail with a token").to_owned();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no mail to {email} within a minute");
    }

    /// A person with an organization of its own, logged in.
    pub async fn person(&self, email: &str) -> Client {
        let stranger = self.anonymous();
        let signup = json!({ "email": email, "password": PASSWORD, "name": "Ada", "organization": email });
        let answer = stranger.post("/v1/signup", &signup).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let token = json!({ "token": self.token(email).await, "password": PASSWORD });
        let answer = stranger.post("/v1/verifications", &token).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let mut client = stranger.with_session(&answer);
        client.email = email.to_owned();
        let me = client.get("/v1/me").await;
        client.person = me.body["id"].as_str().unwrap().to_owned();
        let organizations = client.get("/v1/organizations").await;
        client.organization = organizations.body["items"][0]["id"].as_str().unwrap().to_owned();
        let projects = client.get("/v1/projects").await;
        client.project = projects.body["items"][0]["id"].as_str().unwrap().to_owned();
        client
    }

    /// A person with an organization of its own who also has this role in all of somebody else's.
    pub async fn colleague(&self, of: &Client, email: &str, role: &str) -> Client {
        let colleague = self.person(email).await;
        let invitations = format!("/v1/organizations/{}/invitations", of.organization);
        let invitation = json!({ "email": email, "role": role });
        let answer = of.post(&invitations, &invitation).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        for _ in 0..6_000 {
            if self.mailbox.messages(Some(email)).len() > 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let token = json!({ "token": self.token(email).await });
        let answer = colleague.post("/v1/invitations/accept", &token).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        colleague
    }
}

/// Somebody who sends requests.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    pub headers: Vec<(String, String)>,
    pub email: String,
    /// The person's public id.
    pub person: String,
    /// The public id of the person's own organization.
    pub organization: String,
    /// The public id of its project.
    pub project: String,
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// The body as JSON; null if it is none.
    pub body: Value,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// The body of a problem without what differs from request to request.
    pub fn problem(&self) -> Value {
        let mut body = self.body.clone();
        if let Some(body) = body.as_object_mut() {
            body.remove("request_id");
        }
        body
    }
}

impl Client {
    /// The same with the session that an answer has opened.
    pub fn with_session(&self, answer: &Answer) -> Self {
        let cookie = answer
            .header("set-cookie")
            .expect("a cookie")
            .split(';')
            .next()
            .unwrap();
        let csrf = answer.body["csrf_token"].as_str().expect("a CSRF token");
        self.with("cookie", cookie).with("x-csrf-token", csrf)
    }

    /// The same with one more header.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.retain(|(known, _)| known != name);
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same with an API key or a token instead of anything else.
    pub fn with_bearer(&self, bearer: &str) -> Self {
        let mut client = self.clone();
        client.headers.clear();
        client.with("authorization", &format!("Bearer {bearer}"))
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, Some(body.to_string())).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send("PATCH", path, Some(body.to_string())).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, None).await
    }

    /// Sends a request on a connection of its own. A body is sent as JSON unless the client's headers say otherwise.
    pub async fn send(&self, method: &str, path: &str, body: Option<String>) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: firn\r\nconnection: close\r\n");
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &body {
            if !self.headers.iter().any(|(name, _)| name == "content-type") {
                head.push_str("content-type: application/json\r\n");
            }
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        head.push_str(body.as_deref().unwrap_or_default());
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        parse(&String::from_utf8(answer).unwrap())
    }
}

fn parse(answer: &str) -> Answer {
    let (head, text) = answer.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .expect("a status line");
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let text = if chunked { dechunk(text) } else { text.to_owned() };
    Answer {
        status: status.parse().expect("a status"),
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
        text,
    }
}

fn dechunk(mut text: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a chunk's size");
        whole.push_str(&rest[..size]);
        text = rest[size..].trim_start_matches("\r\n");
        if size == 0 {
            break;
        }
    }
    whole
}
