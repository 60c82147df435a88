//! The HTTP server as a client sees it, over real connections on loopback.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use firn_api::{Blocker, Operations, Readiness, Server};
use firn_runtime::Env;
use prometheus::{IntCounter, Registry};
use support::{Behind, Switch, settings};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

struct Running {
    server: Server,
    readiness: Arc<Switch>,
    registry: Registry,
    operations: Operations,
    _folder: Option<TempDir>,
}

async fn start() -> Running {
    let running = starting().await;
    let behind = Behind::new(running.operations.clone(), settings()).await;
    running.server.open(behind.api.router());
    Running {
        _folder: Some(behind.folder),
        ..running
    }
}

async fn starting() -> Running {
    starting_behind("").await
}

async fn starting_behind(proxies: &str) -> Running {
    let readiness = Arc::new(Switch::default());
    let registry = Registry::new();
    let operations = Operations {
        env: Env::system(),
        readiness: Arc::clone(&readiness) as Arc<dyn Readiness>,
        registry: registry.clone(),
        trusted_proxies: proxies.parse().unwrap(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Running {
        server: Server::serve(listener, operations.clone()).unwrap(),
        readiness,
        registry,
        operations,
        _folder: None,
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
async fn before_the_api_is_there_health_is_told_and_the_rest_is_asked_to_wait() {
    let running = starting().await;
    assert!(running.get("/healthz", "").await.starts_with("HTTP/1.1 200 "));
    let answer = running.get("/v1/clusters", "").await;
    assert!(
        answer.starts_with("HTTP/1.1 503 ") && answer.contains("problem+json"),
        "{answer}"
    );
    running.server.open(running.operations.clone().router());
    assert!(running.get("/v1/clusters", "").await.starts_with("HTTP/1.1 404 "));
    assert!(running.get("/readyz", "").await.starts_with("HTTP/1.1 200 "));
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
async fn browsers_get_the_console_at_every_path_and_programs_get_text_or_a_problem() {
    let running = start().await;
    for path in ["/", "/clusters/clu_a/topics"] {
        let page = running.get(path, "accept: text/html,*/*\r\n").await;
        assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
        // Who has not built the console is told how.
        if firn_console::page("").is_none() {
            assert!(page.contains("`make web`"), "{page}");
            continue;
        }
        let nonce = page.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert!(
            page.contains("script-src 'self';") && !page.contains("unsafe"),
            "{page}"
        );
        assert!(page.contains(&format!("content=\"{nonce}\"")), "{page}");
        let again = running.get(path, "accept: text/html,*/*\r\n").await;
        assert!(!again.contains(nonce), "the number is used twice");
    }
    let text = running.get("/", "").await;
    assert!(
        text.contains("Kafka bootstrap: 127.0.0.1:9092\nstore: file\n"),
        "{text}"
    );
    assert!(running.get("/clusters", "").await.starts_with("HTTP/1.1 404 "));
    let missing = running.get("/assets/none.js", "accept: text/html\r\n").await;
    assert!(missing.starts_with("HTTP/1.1 404 "), "{missing}");
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

/// Whether a connection is served.
async fn is_served(stream: &mut TcpStream) -> bool {
    let request = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut byte = [0; 1];
    stream.write_all(request).await.is_ok() && stream.read_exact(&mut byte).await.is_ok()
}

#[tokio::test]
async fn one_address_has_64_connections_and_the_next_is_closed_at_once() {
    let running = starting().await;
    let connect = || TcpStream::connect(running.server.local_address());
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(connect().await.unwrap());
    }
    assert!(!is_served(&mut connect().await.unwrap()).await);
    assert!(is_served(&mut open[63]).await);
    open.pop();
    for _ in 0..6_000 {
        if is_served(&mut connect().await.unwrap()).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("a place that was left is not given to the next");
}

#[tokio::test]
async fn connections_that_stay_open_keep_no_request_out() {
    let running = starting().await;
    let mut open = Vec::new();
    for number in 0..200 {
        let mut stream = TcpStream::connect(running.server.local_address()).await.unwrap();
        assert!(is_served(&mut stream).await, "number {number}");
        open.push(stream);
    }
    for stream in &mut open[..32] {
        assert!(is_served(stream).await, "the first half of the places is kept");
    }
    let mut answer = String::new();
    open[199].read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_trusted_proxy_has_the_connections_of_all_its_clients() {
    let running = starting_behind("127.0.0.0/8").await;
    let mut open = Vec::new();
    for _ in 0..100 {
        open.push(TcpStream::connect(running.server.local_address()).await.unwrap());
    }
    for stream in &mut open {
        assert!(is_served(stream).await);
    }
}

/// A connection from another address of this machine.
async fn connect_from(last: u8, server: std::net::SocketAddr) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket
        .bind((std::net::Ipv4Addr::new(127, 0, 0, last), 0).into())
        .unwrap();
    socket.connect(server).await.unwrap()
}

#[tokio::test]
async fn five_hundred_slow_requests_end_in_time_and_others_are_served_meanwhile() {
    const ADDRESSES: u8 = 10;
    const OF_EACH: usize = 50;
    let running = start().await;
    let address = running.server.local_address();
    let tasks = Env::system().tasks;
    let mut slow = Vec::new();
    for number in 0..ADDRESSES {
        for _ in 0..OF_EACH {
            let mut stream = connect_from(100 + number, address).await;
            let silent = number % 2 == 0;
            let sending = async move {
                let head = b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ".iter();
                for byte in head
                    .chain(std::iter::repeat(&b'a'))
                    .take(if silent { 0 } else { usize::MAX })
                {
                    let sent = stream.write_all(&[*byte]).await;
                    let mut answer = [0; 64];
                    let read = tokio::time::timeout(Duration::from_secs(1), stream.read(&mut answer)).await;
                    if sent.is_err() || matches!(read, Ok(Ok(0) | Err(_))) {
                        return;
                    }
                }
                let mut rest = Vec::new();
                drop(stream.read_to_end(&mut rest).await);
            };
            slow.push(tasks.spawn(Box::pin(sending)));
        }
    }
    assert!(is_served(&mut connect_from(1, address).await).await);
    let all = futures::future::join_all(&mut slow);
    let ended = tokio::time::timeout(Duration::from_secs(60), all).await.is_ok();
    let going_on = slow.iter().filter(|task| !task.is_finished()).count();
    assert!(ended, "{going_on} go on");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off() {
    const REQUESTS: usize = 300;
    let running = start().await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(running.server.local_address()).await.unwrap();
    let request = "GET /v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n";
    stream
        .write_all(request.repeat(REQUESTS).as_bytes())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(25)).await;
    let mut answers = Vec::new();
    let reading = stream.read_to_end(&mut answers);
    // It is reset, or ends in the middle of an answer.
    drop(
        tokio::time::timeout(Duration::from_secs(60), reading)
            .await
            .expect("an end"),
    );
    let answers = String::from_utf8_lossy(&answers);
    let answered = answers.matches("HTTP/1.1 200 ").count();
    assert!(answered < REQUESTS, "{answered} of {REQUESTS} were kept for it");
}
