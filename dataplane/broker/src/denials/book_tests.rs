//! What the book promises of rows and ids.

use std::collections::BTreeMap;

use firn_catalog::audit::{BrokerEvent, Details};
use firn_catalog::ids::{AuditId, ClusterId};
use firn_runtime::Timestamp;

use super::book::{Book, Denied, Sort, plain};

const MINUTE: i64 = 60_000;

fn denied(cluster: u128, sort: Sort, resource: &str) -> Denied {
    Denied {
        cluster: ClusterId(cluster),
        sort,
        principal: "User:alice".to_owned(),
        credential: None,
        address: None,
        action: "write",
        kind: "topic",
        resource: resource.to_owned(),
        details: Details::new(),
    }
}

/// A book that gives ids one after the other, and notes which it has given how often.
#[derive(Default)]
struct Teller {
    book: Book,
    next: u128,
    told: BTreeMap<AuditId, u64>,
}

impl Teller {
    fn tell(&mut self, denied: Denied, now: i64) -> AuditId {
        let next = &mut self.next;
        let id = self.book.count(
            denied,
            || "request".to_owned(),
            Timestamp(now),
            || {
                *next += 1;
                AuditId(*next)
            },
        );
        *self.told.entry(id).or_default() += 1;
        id
    }

    /// Takes the rows; each must have been told, as often as it says.
    fn take(&mut self, now: i64) -> Vec<BrokerEvent> {
        let rows = self.book.take(Timestamp(now));
        for row in &rows {
            assert_eq!(
                self.told.remove(&row.id),
                row.details["count"].as_u64(),
                "{row:?}"
            );
        }
        rows
    }
}

#[test]
fn equal_denials_are_one_row_with_a_count_and_share_its_id() {
    let mut teller = Teller::default();
    let first = teller.tell(denied(1, Sort::Authorization, "a"), 10);
    assert_eq!(teller.tell(denied(1, Sort::Authorization, "a"), 30), first);
    assert_ne!(teller.tell(denied(2, Sort::Authorization, "a"), 30), first);
    let mut reasoned = denied(1, Sort::Authorization, "a");
    reasoned.details.insert("reason".to_owned(), "other".into());
    assert_ne!(teller.tell(reasoned, 40), first);
    let rows = teller.take(50);
    assert_eq!((rows.len(), rows[0].id, rows[0].at), (3, first, Timestamp(10)));
    let spans = |key: &str| rows[0].details[key].as_i64();
    assert_eq!(
        (spans("count"), spans("first_ms"), spans("last_ms")),
        (Some(2), Some(10), Some(30))
    );
    assert_eq!((rows[0].allowed, rows[0].request_id.as_str()), (false, "request"));
    assert!(teller.told.is_empty());
    assert_ne!(
        teller.tell(denied(1, Sort::Authorization, "a"), 60),
        first,
        "the row is written"
    );
}

#[test]
fn above_the_rate_denials_are_counted_in_one_row_whose_id_is_found_too() {
    let mut teller = Teller::default();
    for number in 0..1_000 {
        teller.tell(denied(1, Sort::Authorization, &number.to_string()), 0);
    }
    teller.tell(denied(2, Sort::Authorization, "of another"), 0);
    let rows = teller.take(1);
    assert_eq!(rows.len(), 102);
    let others: Vec<_> = rows.iter().filter(|row| row.action == "others").collect();
    assert_eq!(
        (others.len(), others[0].details["count"].as_u64()),
        (1, Some(900))
    );
    assert!(teller.told.is_empty());
    teller.tell(denied(1, Sort::Authorization, "later in the minute"), 2);
    assert_eq!(teller.take(3)[0].action, "others");
    teller.tell(denied(1, Sort::Authorization, "in the next minute"), MINUTE);
    assert_eq!(teller.take(MINUTE)[0].action, "others", "renewed by the taking");
    teller.tell(denied(1, Sort::Authorization, "in the next minute"), MINUTE + 1);
    assert_eq!(teller.take(MINUTE + 1)[0].resource, "in the next minute");
}

#[test]
fn strangers_get_few_rows_and_never_those_of_who_is_known() {
    let mut teller = Teller::default();
    for number in 0..500 {
        teller.tell(denied(1, Sort::Authentication, &number.to_string()), 0);
    }
    assert_eq!(
        teller.take(1).len(),
        20,
        "the row of the others waits for the end of the minute"
    );
    teller.tell(denied(1, Sort::Authentication, "more"), 2);
    teller.tell(denied(1, Sort::Authorization, "known"), 2);
    assert_eq!(teller.take(2)[0].resource, "known");
    let rows = teller.take(MINUTE + 1);
    assert_eq!((rows.len(), rows[0].details["count"].as_u64()), (1, Some(481)));
}

#[test]
fn what_is_never_taken_stays_within_bounds_and_counts_on() {
    let mut teller = Teller::default();
    for cluster in 0..150 {
        for number in 0..200 {
            teller.tell(
                denied(cluster, Sort::Authorization, &number.to_string()),
                i64::from(number) * MINUTE,
            );
        }
    }
    assert_eq!(teller.book.rows(), 10_000 + 150);
    teller.take(200 * MINUTE);
    assert!(teller.told.is_empty());
}

#[test]
fn names_are_cut_and_hold_nothing_that_cannot_be_shown() {
    assert_eq!(plain("orders"), "orders");
    assert_eq!(plain("a\0b\u{1b}[31m\n"), "a\u{fffd}b\u{fffd}[31m\u{fffd}");
    let cut = plain(&"é".repeat(10_000));
    assert_eq!((cut.chars().count(), cut.ends_with('…')), (256, true));
    assert_eq!(plain(&"é".repeat(255)).chars().count(), 255);
}
