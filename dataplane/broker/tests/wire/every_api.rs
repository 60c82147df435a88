//! Every served API and version: absent names and ids, no name at all, duplicate entries, empty and null arrays. One table
//! says what each is answered, every error code at its place.

mod table;

use kafka_protocol::messages::{ApiKey, ApiVersionsRequest};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use self::table::{Answer, Case, Expected, ROWS, Row, groups};
use crate::answers;
use crate::support::client::Client;
use crate::support::samples::groups::GROUP;
use crate::support::samples::{Sample, Subject};
use crate::support::{Bench, Setup, samples};

/// A broker with the topic `t`, of which the group `g` has an offset, and the topic's id.
async fn bench() -> (Bench, Uuid) {
    let kafka = vec![("auto.create.topics.enable", "false")];
    let bench = Bench::with(Setup {
        kafka,
        ..Setup::default()
    })
    .await;
    let mut client = bench.client().await;
    client.create_topic("t", 1).await;
    bench.coordinators().await;
    assert_eq!(client.commit(GROUP, "t", 7).await, 0);
    let id = Uuid::from_u128(bench.topic("t").0);
    (bench, id)
}

fn row(api: ApiKey) -> &'static Row {
    let row = ROWS.iter().chain(groups::ROWS).find(|row| row.api == api);
    row.unwrap_or_else(|| panic!("{api:?} is served and has no row"))
}

/// Sends frames and compares what comes back.
struct Asking<'a> {
    bench: &'a Bench,
    client: Client,
    wrong: Vec<String>,
}

impl<'a> Asking<'a> {
    async fn of(bench: &'a Bench) -> Self {
        let client = bench.client().await;
        Self {
            bench,
            client,
            wrong: Vec::new(),
        }
    }

    async fn ask(&mut self, what: &str, sample: &Sample, by_id: bool, expected: Expected) {
        let version = sample.version;
        let expected = expected(Case { version, by_id });
        self.client.stream.write_all(&sample.frame).await.unwrap();
        let answer = match self.client.frame().await {
            Some(frame) => Answer::Codes(answers::told(sample, frame)),
            None => {
                self.client = self.bench.client().await;
                Answer::Closes
            }
        };
        if answer != expected {
            self.wrong.push(format!(
                "{:?} {version} {what} by_id={by_id}: {answer:?}, not {expected:?}",
                sample.key
            ));
        }
    }

    fn finish(self) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }
}

#[tokio::test]
async fn every_served_api_and_version_has_a_row_and_a_sample() {
    let (bench, _) = bench().await;
    let mut client = bench.client().await;
    samples::assert_complete(&mut client).await;
    let served = client.call(0, &ApiVersionsRequest::default()).await;
    let keys = served.api_keys.iter();
    let mut keys: Vec<_> = keys.map(|api| ApiKey::try_from(api.api_key).unwrap()).collect();
    keys.retain(|key| !samples::OF_CONNECTIONS.contains(key));
    for key in &keys {
        row(*key);
    }
    assert_eq!(
        ROWS.len() + groups::ROWS.len(),
        keys.len(),
        "a row for an API that is not served, or two for one"
    );
    bench.stop().await;
}

#[tokio::test]
async fn absent_names_and_ids_have_their_error_at_their_place() {
    let (bench, _) = bench().await;
    let mut asking = Asking::of(&bench).await;
    for by_id in [false, true] {
        let absent = Subject {
            by_id,
            ..Subject::once("zz", Uuid::from_u128(99))
        };
        for sample in samples::all(&absent) {
            asking.ask("absent", &sample, by_id, row(sample.key).absent).await;
        }
        let nameless = Subject {
            by_id,
            ..Subject::once("", Uuid::nil())
        };
        for sample in samples::all(&nameless) {
            asking
                .ask("nameless", &sample, by_id, row(sample.key).nameless)
                .await;
        }
    }
    asking.finish();
    bench.stop().await;
}

#[tokio::test]
async fn duplicate_entries_are_told_once_or_refused_each_time() {
    let (bench, id) = bench().await;
    let mut asking = Asking::of(&bench).await;
    for by_id in [false, true] {
        let outer = Subject {
            by_id,
            outer: 3,
            ..Subject::once("t", id)
        };
        for sample in samples::all(&outer) {
            asking.ask("twice", &sample, by_id, row(sample.key).twice).await;
        }
        let inner = Subject {
            by_id,
            inner: 3,
            ..Subject::once("t", id)
        };
        for (once, sample) in samples::all(&Subject { inner: 1, ..inner })
            .iter()
            .zip(samples::all(&inner))
        {
            let row = row(sample.key);
            let version = sample.version;
            if (row.twice_within)(Case { version, by_id }) == Answer::NoArray {
                assert_eq!(once.frame, sample.frame, "{:?} {version}", sample.key);
                continue;
            }
            asking.ask("twice within", &sample, by_id, row.twice_within).await;
        }
    }
    asking.finish();
    assert_eq!(bench.topic("t").0, id.as_u128(), "the topic was not deleted");
    bench.stop().await;
}

/// The frame with null in place of an array, whose place is where the frame with an entry first differs from the one
/// without; `None` if they do not differ.
fn with_null(empty: &Sample, filled: &Sample) -> Option<Sample> {
    // The first four bytes are the frame's length.
    let differs = (4..empty.frame.len()).find(|place| filled.frame.get(*place) != empty.frame.get(*place))?;
    let mut frame = empty.frame.clone();
    if empty.flexible {
        assert_eq!(frame[differs], 1, "a compact count of no entries");
        frame[differs] = 0;
    } else {
        let count = &mut frame[differs - 3..=differs];
        assert_eq!(count, [0; 4], "a count of no entries");
        count.copy_from_slice(&(-1i32).to_be_bytes());
    }
    Some(Sample { frame, ..*empty })
}

/// Asks with an array that is empty, and with null in its place. `filled` has an entry where `empty` has none.
async fn ask_without(
    asking: &mut Asking<'_>,
    what: &str,
    (empty, filled): (&Subject<'_>, &Subject<'_>),
    expected: impl Fn(&'static Row) -> (Expected, Expected),
) {
    for (empty, filled) in samples::all(empty).iter().zip(samples::all(filled)) {
        let (on_empty, on_null) = expected(row(empty.key));
        let case = Case {
            version: empty.version,
            by_id: true,
        };
        let null = with_null(empty, &filled);
        assert_eq!(
            null.is_none(),
            on_empty(case) == Answer::NoArray,
            "{:?} {case:?} {what}",
            empty.key
        );
        if let Some(null) = null {
            asking.ask(&format!("empty {what}"), empty, true, on_empty).await;
            asking.ask(&format!("null {what}"), &null, true, on_null).await;
        }
    }
}

#[tokio::test]
async fn empty_and_null_arrays_mean_what_they_mean_or_close() {
    let (bench, id) = bench().await;
    let mut asking = Asking::of(&bench).await;
    let once = Subject::once("t", id);
    let empty = Subject { outer: 0, ..once };
    ask_without(&mut asking, "outer", (&empty, &once), |row| (row.empty, row.null)).await;
    // Not by DeleteTopics, which has no inner array and would delete `t`.
    let empty = Subject { inner: 0, ..once };
    ask_without(&mut asking, "inner", (&empty, &once), |row| {
        (row.empty_within, row.null_within)
    })
    .await;
    asking.finish();
    bench.client().await.call(0, &ApiVersionsRequest::default()).await;
    bench.stop().await;
}
