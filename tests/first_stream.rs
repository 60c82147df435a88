//! A stranger signs up, makes a cluster and streams with a credential of its own, by REST calls and Kafka clients only.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::time::Instant;

use support::firn::{Firn, FirnOptions};
use support::streaming::{Streaming, print_first};

#[test]
fn a_stranger_signs_up_and_streams_with_every_client_over_tls() {
    let firn = Firn::start(FirnOptions::default());
    let started = Instant::now();
    let authority = firn.ca_file();
    let streaming = Streaming::from_nothing(&firn.http, "stranger", None);
    let granted = started.elapsed();
    streaming.first_record(&authority);
    print_first("firn dev", started.elapsed());
    println!("of that by REST calls: {granted:.2?}");
    streaming.every_client(&authority);
}

#[test]
fn who_has_a_password_logs_in_again_and_finds_the_cluster() {
    let firn = Firn::start(FirnOptions::default());
    let streaming = Streaming::from_nothing(&firn.http, "returning", None);
    let again = firn
        .rest()
        .log_in(&streaming.tenant.owner.email, support::rest::PASSWORD);
    let cluster = again
        .rest
        .get(&format!("/v1/clusters/{}", streaming.tenant.cluster))
        .expect(200)
        .json();
    assert_eq!(cluster["bootstrap"], streaming.tenant.bootstrap.as_str());
    let nobody = firn
        .rest()
        .get(&format!("/v1/clusters/{}", streaming.tenant.cluster));
    assert_eq!(nobody.status, 401);
}
