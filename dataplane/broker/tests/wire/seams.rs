//! No handler skips a seam: every API and version asks the authorizer, is charged and is metered.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use firn_broker::Seams;
use firn_broker::seams::{Account, Authorizer, Caller, Meter, Quotas, Usage};
use firn_catalog::acl::Asked;
use firn_catalog::commands::{Actor, CreateTopic, Principal};
use firn_catalog::ids::ClusterId;
use firn_catalog::image::Image;
use firn_catalog::topic_config::ConfigMap;
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::support::samples::Subject;
use crate::support::{Bench, Setup, samples};

#[derive(Default)]
struct Recorder {
    asked: AtomicUsize,
    charged: AtomicUsize,
    metered: Arc<AtomicUsize>,
    deny: bool,
    throttle: Duration,
}

impl Authorizer for Recorder {
    fn allows(&self, _image: &Image, _asked: &Asked<'_>) -> bool {
        self.asked.fetch_add(1, Ordering::SeqCst);
        !self.deny
    }
}

impl Quotas for Recorder {
    fn charge(&self, _caller: Caller<'_>, _usage: &Usage) -> Duration {
        self.charged.fetch_add(1, Ordering::SeqCst);
        self.throttle
    }
}

impl Meter for Recorder {
    fn open(&self, _cluster: ClusterId, _principal: &Principal) -> Arc<dyn Account> {
        Arc::new(Counted(Arc::clone(&self.metered)))
    }
}

#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Account for Counted {
    fn record(&self, usage: &Usage) {
        assert!(usage.request_bytes > 0);
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

async fn bench(recorder: Recorder) -> (Bench, Arc<Recorder>) {
    let recorder = Arc::new(recorder);
    let seams = Seams {
        authorizer: recorder.clone(),
        quotas: Some(recorder.clone()),
        meter: Some(recorder.clone()),
    };
    (
        Bench::with(Setup {
            seams,
            ..Setup::default()
        })
        .await,
        recorder,
    )
}

/// What tells nothing that is anybody's: everybody in a cluster may ask.
const FREE: [ApiKey; 2] = [ApiKey::ApiVersions, ApiKey::DescribeCluster];

/// Sends every sample; each must be answered and have passed each seam.
async fn every_request_passes(bench: &Bench, recorder: &Recorder, id: uuid::Uuid) {
    let mut client = bench.client().await;
    for sample in samples::all(&Subject::once("t", id)) {
        let count = || {
            let of = |counter: &AtomicUsize| counter.load(Ordering::SeqCst);
            [of(&recorder.asked), of(&recorder.charged), of(&recorder.metered)]
        };
        let before = count();
        client.stream.write_all(&sample.frame).await.unwrap();
        client.frame().await.unwrap();
        let after = count();
        for (seam, (before, after)) in ["authorize", "charge", "meter"]
            .iter()
            .zip(before.iter().zip(after))
        {
            let free = *seam == "authorize" && FREE.contains(&sample.key);
            assert!(
                after > *before || free,
                "{:?} {} skips {seam}",
                sample.key,
                sample.version
            );
        }
    }
}

/// Creates a topic past the broker, whose authorizer may deny everything.
async fn topic(bench: &Bench, name: &str) -> uuid::Uuid {
    let cluster = bench.cluster;
    let actor = Actor::process(Principal::Dev { cluster }, "test");
    let command = CreateTopic {
        cluster,
        name: name.to_owned(),
        partitions: 1,
        configs: ConfigMap::new(),
        validate_only: false,
    };
    let created = bench.catalog.create_topic(&actor, command).await.unwrap();
    bench.images.wait_for(created.sequence.unwrap()).await;
    uuid::Uuid::from_u128(created.value.id.0)
}

#[tokio::test]
async fn no_request_skips_a_seam() {
    // Denied, since what is allowed would delete the topic that later requests are about.
    let (bench, recorder) = bench(Recorder {
        deny: true,
        ..Recorder::default()
    })
    .await;
    let id = topic(&bench, "t").await;
    every_request_passes(&bench, &recorder, id).await;
    assert_eq!(bench.topic("t").0, id.as_u128(), "the topic is still there");
    bench.stop().await;
}

/// The text of an answer without the ids of rows of the audit trail, which are random.
fn without_ids(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let mut parts = text.split("aud_");
    let first = parts.next().unwrap_or_default().to_owned();
    let is_of_id = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    parts.fold(first, |text, part| {
        text + "aud_" + part.trim_start_matches(is_of_id)
    })
}

#[tokio::test]
async fn the_denied_learn_nothing_of_what_exists() {
    let (bench, _) = bench(Recorder {
        deny: true,
        ..Recorder::default()
    })
    .await;
    topic(&bench, "own").await;
    let nobody = uuid::Uuid::from_u128(1);
    let [own, absent] = ["own", "foo"].map(|name| samples::all(&Subject::once(name, nobody)));
    let mut client = bench.client().await;
    for (own, absent) in own.into_iter().zip(absent) {
        client.stream.write_all(&own.frame).await.unwrap();
        let answer = without_ids(&client.frame().await.unwrap()).replace("own", "foo");
        client.stream.write_all(&absent.frame).await.unwrap();
        let other = client.frame().await.unwrap();
        assert_eq!(answer, without_ids(&other), "{:?} {}", own.key, own.version);
    }
    bench.stop().await;
}

#[tokio::test]
async fn a_throttled_client_is_answered_at_once_and_then_muted() {
    // No client of a test waits for an answer for that long.
    let (bench, _) = bench(Recorder {
        throttle: Duration::from_secs(3600),
        ..Recorder::default()
    })
    .await;
    let mut client = bench.client().await;
    let first = client.call(1, &ApiVersionsRequest::default()).await;
    assert_eq!(first.throttle_time_ms, 3_600_000);
    client.send(1, &ApiVersionsRequest::default()).await;
    assert!(client.is_quiet().await);
    bench.stop().await;
}

#[tokio::test]
async fn a_muted_client_is_answered_again_once_its_time_is_over() {
    let throttle = Duration::from_millis(300);
    let (bench, _) = bench(Recorder {
        throttle,
        ..Recorder::default()
    })
    .await;
    let mut client = bench.client().await;
    let started = Instant::now();
    client.call(1, &ApiVersionsRequest::default()).await;
    client.call(1, &ApiVersionsRequest::default()).await;
    assert!(started.elapsed() >= throttle);
    bench.stop().await;
}
