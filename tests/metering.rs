//! What the usage API says adds up with what clients sent and received, byte by byte; a crash of the broker loses what was counted
//! in its last ten seconds at most, and nothing is ever counted twice (docs/metering.md).
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

#[path = "metering/usage.rs"]
mod usage;

use std::thread;
use std::time::{Duration, Instant};

use support::clients::Security;
use support::firn::{Firn, FirnOptions};
use support::rest::{Tenant, id, login};
use support::tenant::text;
use support::wire::{Wire, batch_of};
use usage::{Counts, of, settled};

const TOPIC: &str = "metered";
/// What a crash may lose.
const BOUND: Duration = Duration::from_secs(10);
/// How much later than that a row may be written on a machine that is busy.
const LATE: Duration = Duration::from_secs(10);
/// For how long records are sent before the crash.
const BEFORE_CRASH: Duration = Duration::from_secs(24);

/// Somebody who streams, and what that adds up to.
struct Customer {
    tenant: Tenant,
    principal: String,
    security: Security,
    counts: Counts,
}

impl Customer {
    /// A service account in a cluster, with a key of its own.
    fn new(firn: &Firn, tenant: &Tenant, service_account: String) -> Self {
        let tenant = Tenant {
            service_account,
            ..tenant.clone()
        };
        let key = tenant.api_key();
        Self {
            principal: format!("User:{}", tenant.service_account),
            security: login(&key, &firn.ca_file()),
            tenant,
            counts: Counts::default(),
        }
    }

    fn connect(&self) -> Wire {
        Wire::log_in(&self.tenant.bootstrap, &self.security).unwrap()
    }

    /// Sends so many records of this size, and counts them and what a connection costs.
    fn send(&mut self, records: usize, size: usize) {
        let mut wire = self.connect();
        for number in 0..records {
            let value = vec![u8::try_from(number % 251).unwrap(); size];
            assert_eq!(wire.produce(TOPIC, &value).error, 0);
            self.counts.produced_bytes += batch_of(&value).len();
        }
        self.close(&wire);
    }

    /// Reads all that is there, whoever sent it.
    fn read(&mut self) {
        let mut wire = self.connect();
        let batches = wire.fetch_all(TOPIC);
        self.counts.fetched_bytes += batches.values().map(bytes::Bytes::len).sum::<usize>();
        self.close(&wire);
    }

    fn close(&mut self, wire: &Wire) {
        self.counts.requests += wire.answers();
        self.counts.bytes_in += wire.sent_bytes() + 4 * wire.answers();
        self.counts.bytes_out += wire.received_bytes() + 4 * wire.answers();
    }

    /// Fails the test unless the API says the same.
    fn adds_up(&self) {
        let said = settled(&self.tenant, &self.principal, |said| {
            said.requests >= self.counts.requests
        });
        assert_eq!(said, self.counts, "{} in {}", self.principal, self.tenant.cluster);
    }
}

/// Two clusters; in the first two principals, in the second one.
fn customers(firn: &Firn) -> [Customer; 3] {
    let tenant = Tenant::new(&firn.http, "metered", None);
    let second = tenant.another_cluster("second");
    let beside = Tenant {
        cluster: id(&second),
        bootstrap: text(&second, "/bootstrap"),
        ..tenant.clone()
    };
    tenant.topic(TOPIC, 1);
    beside.topic(TOPIC, 1);
    let colleague = tenant.service_account("colleague", "developer");
    let stranger = beside.service_account("stranger", "developer");
    [
        Customer::new(firn, &tenant, tenant.service_account.clone()),
        Customer::new(firn, &tenant, colleague),
        Customer::new(firn, &beside, stranger),
    ]
}

#[test]
fn usage_adds_up_with_what_clients_sent_and_received() {
    let mut firn = Firn::start(FirnOptions::default());
    let mut customers = customers(&firn);
    for (number, customer) in customers.iter_mut().enumerate() {
        customer.send(30 + 10 * number, 700 + 300 * number);
    }
    for customer in &mut customers {
        customer.read();
    }
    assert!(customers[0].counts.fetched_bytes > customers[0].counts.produced_bytes);
    assert_eq!(
        customers[0].counts.fetched_bytes,
        customers[1].counts.fetched_bytes
    );
    for customer in &customers {
        customer.adds_up();
    }
    println!(
        "{:#?}",
        customers
            .each_ref()
            .map(|customer| (&customer.principal, customer.counts))
    );
    usage::csv_says_the_same(&customers[0].tenant);
    let tenant = customers[0].tenant.clone();
    let before = of(&tenant, &customers[0].principal);
    assert!(firn.terminate().success(), "{}", firn.log());
    firn.restart();
    assert_eq!(
        of(&tenant, &customers[0].principal),
        before,
        "a stop neither loses nor repeats"
    );
    customers[0].send(20, 100);
    customers[0].adds_up();
    assert_eq!(of(&tenant, &customers[1].principal), customers[1].counts);
}

#[test]
fn a_crash_loses_ten_seconds_of_counts_at_most_and_repeats_none() {
    let mut firn = Firn::start(FirnOptions::default());
    let mut customers = customers(&firn);
    customers[1].send(50, 500);
    customers[1].adds_up();
    // One record after another, and when how many bytes had been acknowledged.
    let (start, mut wire, value) = (Instant::now(), customers[0].connect(), vec![7; 300]);
    let size = batch_of(&value).len();
    let mut moments = Vec::new();
    while start.elapsed() < BEFORE_CRASH {
        assert_eq!(wire.produce(TOPIC, &value).error, 0);
        moments.push(Instant::now());
        thread::sleep(Duration::from_millis(2));
    }
    wire.send_record(TOPIC, &value);
    let crash = Instant::now();
    firn.kill9();
    firn.restart();
    let sent = moments.len() * size;
    let old_enough = |moment: &&Instant| crash.saturating_duration_since(**moment) > BOUND + LATE;
    let least = moments.iter().filter(old_enough).count() * size;
    let tenant = customers[0].tenant.clone();
    let kept = of(&tenant, &customers[0].principal).produced_bytes;
    let lost = sent.saturating_sub(kept) / size;
    let loss_began = moments
        .get(kept / size)
        .map(|moment| crash.saturating_duration_since(*moment));
    println!(
        "of {} records before the crash {lost} are not counted: those of the last {loss_began:.1?}",
        moments.len()
    );
    assert!(
        kept >= least,
        "{kept} bytes are counted, {least} were older than the bound"
    );
    assert!(
        kept <= sent + size,
        "{kept} bytes are counted of {sent} that were sent"
    );
    assert_eq!(
        of(&tenant, &customers[1].principal),
        customers[1].counts,
        "what was written stays as it is"
    );
    // What comes after the crash is added to what was kept, once.
    customers[0].counts = of(&tenant, &customers[0].principal);
    customers[0].send(40, 200);
    customers[0].adds_up();
    thread::sleep(BOUND + Duration::from_secs(2));
    customers[0].adds_up();
    customers[1].adds_up();
    assert_eq!(
        of(&customers[2].tenant, &customers[2].principal),
        Counts::default()
    );
}
