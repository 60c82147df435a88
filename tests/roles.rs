//! The two planes as processes of their own, over PostgreSQL and an S3 server: the same first stream as in `firn dev`, and what goes on
//! when one of the parts is away.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Instant;

use support::clients;
use support::firn::{Firn, FirnOptions, PATIENCE};
use support::mail_server::MailServer;
use support::postgres::Postgres;
use support::rest::Rest;
use support::s3::S3;
use support::streaming::{Streaming, print_first};
use support::tls::Authority;
use support::wait_for;

/// A cell: what its processes share, and one of each.
struct Cell {
    control: Firn,
    broker: Firn,
    authority: PathBuf,
    mail: MailServer,
    postgres: Postgres,
    _s3: S3,
}

impl Cell {
    fn start() -> Self {
        let (postgres, s3, mail) = (Postgres::start(), S3::start(), MailServer::start());
        let options = FirnOptions::default();
        let key = options.scratch().join("master.key");
        fs::write(&key, format!("{}\n", "5eed".repeat(16))).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let shared = options
            .set("catalog", postgres.url())
            .set("master-key", key.to_str().unwrap());
        let authority = Authority::new(shared.scratch());
        authority.issue();
        let [certificate, private] = authority.files();
        let broker = Firn::broker(
            s3.serve(shared.clone())
                .set("wal", "object")
                .set("tls-cert", certificate.to_str().unwrap())
                .set("tls-key", private.to_str().unwrap()),
        );
        let control = Firn::control(
            shared
                .set("advertise", broker.kafka.clone())
                .set("smtp-url", mail.url()),
        );
        Self {
            control,
            broker,
            authority: authority.file(),
            mail,
            postgres,
            _s3: s3,
        }
    }
}

#[test]
fn a_stranger_streams_through_separate_planes_and_goes_on_when_the_control_plane_is_killed() {
    let mut cell = Cell::start();
    let started = Instant::now();
    let streaming = Streaming::from_nothing(&cell.control.http, "apart", Some(&cell.mail));
    streaming.first_record(&cell.authority);
    print_first("firn control and firn broker", started.elapsed());
    streaming.every_client(&cell.authority);

    cell.control.kill9();
    let confluent = || clients::python().arg("confluent");
    streaming.round_trip(
        "after-the-kill-scram",
        confluent,
        "SCRAM-SHA-256",
        &cell.authority,
    );
    streaming.round_trip("after-the-kill-plain", clients::go, "PLAIN", &cell.authority);

    cell.control.restart();
    let owner = cell
        .control
        .rest()
        .log_in(&streaming.tenant.owner.email, support::rest::PASSWORD);
    owner
        .rest
        .get(&format!("/v1/clusters/{}", streaming.tenant.cluster))
        .expect(200);
    assert_eq!(cell.control.terminate().code(), Some(0), "{}", cell.control.log());
    assert_eq!(cell.broker.terminate().code(), Some(0), "{}", cell.broker.log());
}

#[test]
fn a_broker_serves_health_and_metrics_and_nothing_of_the_api() {
    let cell = Cell::start();
    for path in ["/healthz", "/readyz", "/metrics"] {
        cell.broker.get(path).expect(200);
    }
    for path in ["/", "/v1/clusters", "/v1/openapi.json", "/dev/mail"] {
        cell.broker.get(path).expect(404);
    }
    cell.control.get("/readyz").expect(200);
    cell.control.get("/dev/mail").expect(404);
    cell.control.get("/v1/certificate-authority").expect(404);
    let line = format!("ready http=http://{}\n", cell.control.http);
    assert_eq!(cell.control.stdout(), line);
}

#[test]
fn with_the_database_away_streams_go_on_and_the_api_says_503_until_it_is_back() {
    let mut cell = Cell::start();
    let streaming = Streaming::from_nothing(&cell.control.http, "steadfast", Some(&cell.mail));
    let security = streaming.security("SCRAM-SHA-256", &cell.authority);
    streaming.first_record(&cell.authority);
    let cluster = format!("/v1/clusters/{}", streaming.tenant.cluster);
    let rest = &streaming.tenant.owner.rest;
    rest.get(&cluster).expect(200);

    cell.postgres.stop();
    let kcat =
        || support::streaming::kcat(&streaming.tenant.bootstrap, &security).args(["-t", "first-record"]);
    let input = cell.broker.options().scratch().join("more");
    fs::write(&input, "more\n").unwrap();
    kcat().args(["-P", "-l"]).arg(&input).run();
    let read = kcat().args(["-C", "-o", "beginning", "-c", "2", "-q"]).run();
    assert_eq!(
        read, "hello\nmore\n",
        "the broker goes on, and new connections log in"
    );
    let answer = rest.get(&cluster);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    Rest::at(&cell.control.http).get("/v1/limits").expect(200);
    assert_eq!(cell.control.get("/healthz").status, 200);

    cell.postgres.start_again();
    let back = wait_for(PATIENCE, || (rest.get(&cluster).status == 200).then_some(()));
    assert!(back.is_some(), "{:?}", rest.get(&cluster));
    assert!(cell.broker.is_running() && cell.control.is_running());
}
