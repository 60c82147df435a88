//! The HTTP server as a client sees it, over real connections on loopback.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use firn_api::{Api, Blocker, Facts, Readiness, Server};
use firn_runtime::Env;
use parking_lot::Mutex;
use prometheus::{IntCounter, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[derive(Default)]
struct Switch(Mutex<Vec<Blocker>>);

impl Readiness for Switch {
    fn blockers(&self) -> Vec<Blocker> {
        self.0.lock().clone()
    }
}

struct Running {
    server: Server,
    readiness: Arc<Switch>,
    registry: Registry,
    facts: Arc<OnceLock<Facts>>,
}

fn facts() -> Facts {
    Facts {
        version: "0.0.0-test",
        bootstrap: "127.0.0.1:9092".into(),
        parts: vec![("store", "file".into())],
    }
}

async fn start() -> Running {
    let readiness = Arc::new(Switch::default());
    let registry = Registry::new();
    let facts = Arc::new(OnceLock::new());
    let api = Api {
        env: Env::system(),
        readiness: Arc::clone(&readiness) as Arc<dyn Readiness>,
        registry: registry.clone(),
        facts: Arc::clone(&facts),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Running {
        server: Server::serve(listener, api).unwrap(),
        readiness,
        registry,
        facts,
    }
}

impl Running {
    async fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.server.local_address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn get(&self, path: &str, headers: &str) -> String {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n"
        ))
        .await
    }
}

#[tokio::test]
async fn readiness_gives_its_reasons() {
    let running = start().await;
    assert!(running.get("/readyz", "").await.starts_with("HTTP/1.1 200 "));
    *running.readiness.0.lock() = vec![Blocker {
        component: "log",
        reason: "fenced".into(),
    }];
    let answer = running.get("/readyz", "").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(
        answer.contains(r#"{"component":"log","reason":"fenced"}"#),
        "{answer}"
    );
    assert!(running.get("/healthz", "").await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn metrics_come_from_the_registry() {
    let running = start().await;
    let counter = IntCounter::new("snow_total", "flakes").unwrap();
    running.registry.register(Box::new(counter.clone())).unwrap();
    counter.inc_by(3);
    let answer = running.get("/metrics", "").await;
    assert!(
        answer.contains("content-type: text/plain; version=0.0.4"),
        "{answer}"
    );
    assert!(answer.contains("\nsnow_total 3\n"), "{answer}");
}

#[tokio::test]
async fn the_page_is_html_for_browsers_and_text_for_the_rest() {
    let running = start().await;
    assert!(
        running.get("/", "").await.starts_with("HTTP/1.1 503 "),
        "it knows nothing yet"
    );
    running.facts.set(facts()).unwrap();
    let html = running.get("/", "accept: text/html,*/*\r\n").await;
    assert!(
        html.contains("content-type: text/html") && html.contains("<h1>Firn 0.0.0-test</h1>"),
        "{html}"
    );
    let text = running.get("/", "").await;
    assert!(
        text.contains("Kafka bootstrap: 127.0.0.1:9092\nstore: file\n"),
        "{text}"
    );
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let running = start().await;
    let answer = running.get("/nowhere", "").await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(
        answer.contains("content-type: application/problem+json"),
        "{answer}"
    );
    assert!(
        answer.contains(r#""status":404,"detail":"nothing is served at /nowhere""#),
        "{answer}"
    );
    let answer = running
        .send("DELETE /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .await;
    assert!(
        answer.starts_with("HTTP/1.1 405 ") && answer.contains("problem+json"),
        "{answer}"
    );
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_security_headers() {
    let running = start().await;
    for path in ["/healthz", "/", "/nowhere", "/metrics"] {
        let answer = running.get(path, "").await;
        for header in [
            "x-request-id: ",
            "x-content-type-options: nosniff",
            "content-security-policy: ",
        ] {
            assert!(answer.contains(header), "{path} lacks {header}: {answer}");
        }
    }
    assert!(
        running
            .get("/", "x-request-id: abc-1\r\n")
            .await
            .contains("x-request-id: abc-1\r\n")
    );
    let forged = running.get("/", "x-request-id: a b\"\r\n").await;
    assert!(!forged.contains("a b\""), "{forged}");
}

#[tokio::test]
async fn a_body_that_is_declared_too_large_is_refused_unread() {
    let running = start().await;
    let request = "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 99999999\r\n\r\n";
    let answer = running.send(request).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_stop_ends_idle_connections_and_accepts_no_more() {
    let running = start().await;
    let address = running.server.local_address();
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    let mut byte = [0; 1];
    idle.read_exact(&mut byte).await.unwrap();
    running.server.shutdown(Duration::from_secs(20)).await;
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
