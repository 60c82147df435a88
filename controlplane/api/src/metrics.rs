//! This crate's instruments.

use std::sync::OnceLock;
use std::time::Duration;

use opentelemetry::metrics::{Counter, Histogram, UpDownCounter};
use opentelemetry::{KeyValue, global};

struct Instruments {
    requests: Histogram<f64>,
    connections: UpDownCounter<i64>,
    refused: Counter<u64>,
}

fn instruments() -> &'static Instruments {
    static INSTRUMENTS: OnceLock<Instruments> = OnceLock::new();
    INSTRUMENTS.get_or_init(|| {
        let meter = global::meter("firn-api");
        Instruments {
            requests: meter
                .f64_histogram("firn.http.request.duration")
                .with_unit("s")
                .with_description("Time from a request's headers to its answer, by method, route and status")
                .with_boundaries(vec![0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0])
                .build(),
            connections: meter
                .i64_up_down_counter("firn.http.connections")
                .with_description("Open HTTP connections")
                .build(),
            refused: meter
                .u64_counter("firn.http.connections.refused")
                .with_description(
                    "HTTP connections that were closed at once, since their address or all have too many",
                )
                .build(),
        }
    })
}

/// A request was answered. `route` is the pattern, not the path, so that its values are few.
pub(crate) fn request(method: &str, route: &str, status: u16, took: Duration) {
    let method = match method {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" => method,
        _ => "other",
    };
    instruments().requests.record(
        took.as_secs_f64(),
        &[
            KeyValue::new("method", method.to_owned()),
            KeyValue::new("route", route.to_owned()),
            KeyValue::new("status", i64::from(status)),
        ],
    );
}

/// A connection was opened (+1) or closed (-1).
pub(crate) fn connections(change: i64) {
    instruments().connections.add(change, &[]);
}

/// A connection found no place.
pub(crate) fn connection_refused() {
    instruments().refused.add(1, &[]);
}
