//! What the catalog counts.

use std::sync::OnceLock;

use opentelemetry::metrics::{Counter, Gauge, Meter};
use opentelemetry::{KeyValue, global};

use crate::ids::FeedSequence;

fn meter() -> Meter {
    global::meter("firn-catalog")
}

fn counter(
    cell: &'static OnceLock<Counter<u64>>,
    name: &'static str,
    description: &'static str,
) -> &'static Counter<u64> {
    cell.get_or_init(|| meter().u64_counter(name).with_description(description).build())
}

/// A transaction lost to another and runs again.
pub(crate) fn transaction_retried() {
    static RETRIED: OnceLock<Counter<u64>> = OnceLock::new();
    counter(
        &RETRIED,
        "firn_catalog_transactions_retried",
        "Catalog transactions run again after a conflict",
    )
    .add(1, &[]);
}

/// A transaction failed for good.
pub(crate) fn transaction_failed() {
    static FAILED: OnceLock<Counter<u64>> = OnceLock::new();
    counter(
        &FAILED,
        "firn_catalog_transactions_failed",
        "Catalog transactions that the database failed",
    )
    .add(1, &[]);
}

/// A command ended.
pub(crate) fn command(name: &'static str, accepted: bool) {
    static COMMANDS: OnceLock<Counter<u64>> = OnceLock::new();
    let outcome = if accepted { "accepted" } else { "refused" };
    counter(
        &COMMANDS,
        "firn_catalog_commands",
        "Catalog commands by name and outcome",
    )
    .add(
        1,
        &[KeyValue::new("command", name), KeyValue::new("outcome", outcome)],
    );
}

/// The image now holds the feed up to `sequence`.
pub(crate) fn image_at(sequence: FeedSequence) {
    static APPLIED: OnceLock<Gauge<i64>> = OnceLock::new();
    APPLIED
        .get_or_init(|| {
            let meter = meter();
            meter
                .i64_gauge("firn_catalog_image_sequence")
                .with_description("The last feed entry that the image holds")
                .build()
        })
        .record(sequence.0, &[]);
}

/// The image was loaded anew, since the feed no longer went back far enough.
pub(crate) fn image_reloaded() {
    static RELOADED: OnceLock<Counter<u64>> = OnceLock::new();
    counter(
        &RELOADED,
        "firn_catalog_image_reloads",
        "Images loaded anew because the feed had been pruned",
    )
    .add(1, &[]);
}

/// A follower could not read the feed.
pub(crate) fn follow_failed() {
    static FAILED: OnceLock<Counter<u64>> = OnceLock::new();
    counter(
        &FAILED,
        "firn_catalog_follow_failures",
        "Failed reads of the metadata feed",
    )
    .add(1, &[]);
}
