//! OTLP export to a collector of the test's own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;

use crate::support::firn::{Firn, FirnOptions, PATIENCE};
use crate::support::http::content_length;
use crate::support::wire::Wire;

/// What came to the collector.
struct Export {
    path: String,
    /// Protobuf, in which strings stand as they are.
    body: String,
}

/// Whether the head of a request and all that it announces are there.
fn is_whole(request: &[u8]) -> bool {
    const END: &[u8] = b"\r\n\r\n";
    let end = request.windows(END.len()).position(|bytes| bytes == END);
    end.is_some_and(|end| {
        let announced = content_length(&String::from_utf8_lossy(&request[..end]));
        request.len() >= end + END.len() + announced
    })
}

/// Reads one export to its end and accepts it.
fn take(mut stream: TcpStream) -> Export {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    while !is_whole(&request)
        && let Ok(count @ 1..) = stream.read(&mut buffer)
    {
        request.extend_from_slice(&buffer[..count]);
    }
    let body = String::from_utf8_lossy(&request).into_owned();
    let path = body.split(' ').nth(1).unwrap_or_default().to_owned();
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    drop(stream.write_all(answer.as_bytes()));
    Export { path, body }
}

/// Accepts exports and hands them on; ends with the tests' process.
fn collector() -> (String, mpsc::Receiver<Export>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (exports, received) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let exports = exports.clone();
            // Whoever connects and says nothing keeps nobody waiting.
            std::thread::spawn(move || drop(exports.send(take(stream.unwrap()))));
        }
    });
    (endpoint, received)
}

fn exports(options: FirnOptions, received: &mpsc::Receiver<Export>, expected: &[&str]) {
    let mut firn = Firn::start(options);
    firn.get("/healthz");
    assert_eq!(firn.terminate().code(), Some(0), "{}", firn.log());
    let mut paths: Vec<String> = Vec::new();
    while !expected.iter().all(|path| paths.iter().any(|came| came == path)) {
        let export = received.recv_timeout(PATIENCE);
        let export = export.unwrap_or_else(|_| panic!("only {paths:?} arrived\n{}", firn.log()));
        paths.push(export.path);
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
fn every_kafka_request_has_a_span_with_its_id() {
    let (endpoint, received) = collector();
    let mut firn = Firn::start(FirnOptions::default().arg("--otlp-endpoint").arg(&endpoint));
    let mut wire = Wire::connect(&firn.kafka);
    wire.create_topic("traced");
    assert_eq!(wire.produce("traced", b"record").error, 0);
    assert_eq!(firn.terminate().code(), Some(0), "{}", firn.log());
    let mut traces = String::new();
    let complete = |traces: &str| {
        ["CreateTopics", "Produce", "request_id", "kafka-"]
            .iter()
            .all(|text| traces.contains(text))
    };
    while !complete(&traces) {
        let export = received.recv_timeout(PATIENCE);
        let export = export.unwrap_or_else(|_| panic!("spans are missing in {traces:?}"));
        if export.path == "/v1/traces" {
            traces.push_str(&export.body);
        }
    }
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
    assert_eq!(firn.terminate().code(), Some(0), "{}", firn.log());
    let came = hanging.recv_timeout(PATIENCE);
    assert!(came.is_ok(), "nobody came to the collector");
    // It is given up: the exporters on their own would wait for 5 s each.
    let log = firn.log();
    let given_up = log
        .lines()
        .find(|line| line.contains("the OTLP collector does not answer"));
    let given_up = given_up.unwrap_or_else(|| panic!("{log}"));
    let after = given_up.split("waited_ms=").nth(1).unwrap();
    let after: u32 = after.split_whitespace().next().unwrap().parse().unwrap();
    assert!(after <= 2000, "{given_up}");
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
