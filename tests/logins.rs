//! Ten thousand wrong passwords, from many addresses, at one person and at many: other people's logins stay quick, and nobody who
//! knows a password is locked out, not even the one who is aimed at, from where that person was before.
#![allow(clippy::print_stdout, reason = "tests talk to whoever reads their output")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::disallowed_methods,
    reason = "these tests drive real processes by the real clock"
)]

mod support;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use support::connection::Connection;
use support::firn::{Firn, FirnOptions};
use support::http::Request;
use support::rest::PASSWORD;

/// At whom one attack is aimed.
const TARGET: &str = "target@example.com";
/// Wrong passwords of one attack.
const WRONG: usize = 10_000;
/// Clients that send them.
const ATTACKERS: u8 = 16;
/// Addresses that they come from.
const ADDRESSES: u8 = 3;
/// How long a client of theirs waits once it is told to: else it is the tests that keep the machine busy.
const PAUSE: Duration = Duration::from_millis(10);
/// Logins of others before an attack, to compare with.
const BEFORE: usize = 15;
/// By how much logins of others may be slower before the test fails. The service aims at half as much again, which is printed; the
/// machine that tests it is busy with the attackers, too.
const SLOWER: f64 = 3.0;
/// How many attacks may slow others down before the test fails: an attack that does so does it each time, what else begins on the
/// machine between two measurements does not.
const TRIES: usize = 3;
/// How long others rest between two logins, as people do.
const REST: Duration = Duration::from_millis(100);

fn loopback(last: u8) -> IpAddr {
    Ipv4Addr::new(127, 0, 0, last).into()
}

fn login(email: &str, password: &str) -> Request {
    Request::new("POST", "/v1/sessions").json(&json!({ "email": email, "password": password }))
}

/// What came of an attack.
#[derive(Debug, Default)]
struct Attack {
    statuses: BTreeMap<u16, usize>,
    took: Duration,
}

/// Sends [`WRONG`] wrong passwords; `victim` tells whose the next one is.
fn attack(http: &str, victim: impl Fn(usize) -> String + Sync) -> Attack {
    let (next, start) = (AtomicUsize::new(0), Instant::now());
    let statuses: Vec<Vec<u16>> = thread::scope(|scope| {
        let attackers: Vec<_> = (0..ATTACKERS)
            .map(|number| {
                let (next, victim) = (&next, &victim);
                scope.spawn(move || {
                    let mut connection = Connection::from(http, loopback(100 + number % ADDRESSES));
                    let mut statuses = Vec::new();
                    loop {
                        let count = next.fetch_add(1, Ordering::Relaxed);
                        if count >= WRONG {
                            return statuses;
                        }
                        let wrong = format!("wrong horse battery {count}");
                        let status = connection.send(&login(&victim(count), &wrong)).status;
                        statuses.push(status);
                        if status == 429 {
                            thread::sleep(PAUSE);
                        }
                    }
                })
            })
            .collect();
        attackers
            .into_iter()
            .map(|attacker| attacker.join().unwrap())
            .collect()
    });
    let mut attack = Attack {
        took: start.elapsed(),
        ..Attack::default()
    };
    for status in statuses.into_iter().flatten() {
        *attack.statuses.entry(status).or_default() += 1;
    }
    attack
}

/// Somebody who logs in from a place again and again, and keeps what that place was given to be known by.
struct Person {
    email: &'static str,
    connection: Connection,
    known_by: String,
}

impl Person {
    fn at(http: &str, email: &'static str, last: u8) -> Self {
        Self {
            email,
            connection: Connection::from(http, loopback(last)),
            known_by: String::new(),
        }
    }

    /// One login, which must succeed; how long it took.
    fn timed(&mut self) -> Duration {
        let mut request = login(self.email, PASSWORD);
        if !self.known_by.is_empty() {
            request = request.header("cookie", self.known_by.clone());
        }
        let start = Instant::now();
        let opened = self.connection.send(&request).expect(201);
        let took = start.elapsed();
        let cookies = opened
            .headers("set-cookie")
            .map(|cookie| cookie.split(';').next().unwrap());
        let cookies: Vec<_> = cookies.filter(|cookie| !cookie.contains("session=")).collect();
        self.known_by = cookies.join("; ");
        took
    }
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Held by the attack that is under way: two at once would be measured by what the other does to this machine.
static ALONE: Mutex<()> = Mutex::new(());

/// Attacks while others log in.
fn others_stay_quick(name: &str, victim: impl Fn(usize) -> String + Sync) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let slowed: Vec<String> = (0..TRIES).map_while(|_| slows_others(name, &victim)).collect();
    assert!(slowed.len() < TRIES, "{slowed:#?}");
}

/// An attack while others log in; how much slower that was, if it was too much.
fn slows_others(name: &str, victim: impl Fn(usize) -> String + Sync) -> Option<String> {
    let firn = Firn::start(FirnOptions::default());
    let others = ["ada@example.com", "bob@example.com", "eve@example.com"];
    for email in others.into_iter().chain([TARGET]) {
        firn.rest().sign_up(email, "An organization", None);
    }
    // Each from a place of its own; the target was at its own before the attack.
    let mut number = 9;
    let mut people = others.map(|email| {
        number += 1;
        Person::at(&firn.http, email, number)
    });
    let mut home = Person::at(&firn.http, TARGET, 20);
    home.timed();
    let mut before = Vec::new();
    for number in 0..BEFORE {
        before.push(people[number % 3].timed());
        thread::sleep(REST);
    }
    let over = AtomicBool::new(false);
    let (attack, mut during, mut at_home) = thread::scope(|scope| {
        let meanwhile = scope.spawn(|| {
            let (mut during, mut at_home) = (Vec::new(), Vec::new());
            while !over.load(Ordering::Relaxed) {
                let number = during.len();
                during.push(people[number % 3].timed());
                if number.is_multiple_of(5) {
                    at_home.push(home.timed());
                }
                thread::sleep(REST);
            }
            (during, at_home)
        });
        let attack = attack(&firn.http, &victim);
        over.store(true, Ordering::Relaxed);
        let (during, at_home) = meanwhile.join().unwrap();
        (attack, during, at_home)
    });
    let (quiet, busy) = (median(&mut before), median(&mut during));
    println!(
        "{name}: {:?} in {:.1?}; logins of others: median of {BEFORE} before {quiet:.1?}, of {} during {busy:.1?}; of the \
         target at home: median of {} {:.1?}",
        attack.statuses,
        attack.took,
        during.len(),
        at_home.len(),
        median(&mut at_home)
    );
    assert_eq!(attack.statuses.values().sum::<usize>(), WRONG);
    let known: Vec<_> = attack
        .statuses
        .keys()
        .filter(|status| ![401, 429].contains(*status))
        .collect();
    assert!(known.is_empty(), "{name}: {:?}", attack.statuses);
    home.timed();
    let slower = busy.as_secs_f64() >= quiet.as_secs_f64() * SLOWER;
    slower.then(|| format!("{name}: logins of others took {busy:?} instead of {quiet:?}"))
}

#[test]
fn an_attack_on_one_person_slows_nobody_down_and_locks_nobody_out() {
    others_stay_quick("at one person", |_| TARGET.to_owned());
}

#[test]
fn an_attack_on_many_people_slows_nobody_down_and_locks_nobody_out() {
    others_stay_quick("at many people", |count| match count % 50 {
        0 => TARGET.to_owned(),
        _ => format!("person{count}@example.com"),
    });
}
