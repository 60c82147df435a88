//! OTLP export to a collector of the test's own.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::support::firn::{Firn, FirnOptions, PATIENCE};

/// Accepts exports and sends each request's path; ends with the test.
fn collector() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (paths, received) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                head.extend_from_slice(&buffer[..count]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            drop(stream.write_all(answer.as_bytes()));
            if paths.send(path).is_err() {
                return;
            }
        }
    });
    (endpoint, received)
}

fn exports(options: FirnOptions, received: &mpsc::Receiver<String>, expected: &[&str]) {
    let mut firn = Firn::start(options);
    firn.get("/healthz");
    assert_eq!(firn.terminate().code(), Some(0), "{}", firn.log());
    let mut paths: Vec<String> = Vec::new();
    while !expected.iter().all(|path| paths.iter().any(|came| came == path)) {
        let path = received.recv_timeout(PATIENCE);
        paths.push(path.unwrap_or_else(|_| panic!("only {paths:?} arrived\n{}", firn.log())));
    }
}

#[test]
fn what_is_left_is_exported_at_the_end_to_the_setting_or_the_standard_variable() {
    let (endpoint, received) = collector();
    exports(
        FirnOptions::default().arg("--otlp-endpoint").arg(&endpoint),
        &received,
        &["/v1/traces", "/v1/metrics"],
    );
    exports(
        FirnOptions::default().env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
        &received,
        &["/v1/traces", "/v1/metrics"],
    );
}

#[test]
fn a_signal_s_own_variable_says_where_it_goes_as_it_is() {
    let (endpoint, received) = collector();
    let all = FirnOptions::default().env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("{endpoint}/all"));
    exports(
        all.env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("{endpoint}/mine")),
        &received,
        &["/mine", "/all/v1/metrics"],
    );
    let metrics_only =
        FirnOptions::default().env("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", format!("{endpoint}/only"));
    exports(metrics_only, &received, &["/only"]);
}

#[test]
fn a_collector_that_hangs_does_not_hold_up_the_end_past_the_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (taken, hanging) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            if taken.send(stream.unwrap()).is_err() {
                return;
            }
        }
    });
    let options = FirnOptions::default()
        .arg("--otlp-endpoint")
        .arg(endpoint)
        .arg("--shutdown-timeout")
        .arg("2s");
    let mut firn = Firn::start(options);
    firn.get("/healthz");
    let told = Instant::now();
    assert_eq!(firn.terminate().code(), Some(0), "{}", firn.log());
    let took = told.elapsed();
    // The exporters on their own would wait for 5 s each.
    assert!(took < Duration::from_secs(8), "it took {took:?}");
    assert!(hanging.try_recv().is_ok(), "nobody came to the collector");
    assert!(firn.log().contains("OTLP"), "{}", firn.log());
}

#[test]
fn a_collector_that_is_away_holds_up_neither_start_nor_end() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let mut firn = Firn::start(FirnOptions::default().arg("--otlp-endpoint").arg(endpoint));
    assert_eq!(firn.get("/readyz").status, 200);
    assert_eq!(firn.terminate().code(), Some(0), "{}", firn.log());
}
