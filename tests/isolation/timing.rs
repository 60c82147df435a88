//! Whether time tells what an answer does not.

use std::time::Duration;

use super::probe::Probe;
use super::rows::{Access, ROWS, Row};
use super::things::Things;

/// Requests of each kind for each route, in turns.
const ROUNDS: usize = 25;
/// By how much the medians may differ: the machine is busy, and what would tell is a look at one more table.
const MOST: f64 = 3.0;
/// How often a route is measured whose medians differ: what tells does so each time, what else the machine does not.
const TRIES: usize = 5;

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

/// The medians of a route, in seconds: of what is foreign, and of what is absent.
fn measured(probe: &mut Probe, row: &Row, foreign: &Things, absent: &Things) -> (f64, f64) {
    let (mut of_foreign, mut of_absent) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_foreign.push(probe.time(row, foreign));
        of_absent.push(probe.time(row, absent));
    }
    (median(of_foreign), median(of_absent))
}

/// The routes whose medians differ by more than they may, each time that they are measured.
pub fn differences(probe: &mut Probe, foreign: &Things, absent: &Things) -> Vec<String> {
    let mut wrong = Vec::new();
    let timed = ROWS
        .iter()
        .filter(|row| row.access == Access::Inside && !row.writes() && !row.names().is_empty());
    for row in timed {
        let tries = (0..TRIES).map(|_| {
            let (foreign, absent) = measured(probe, row, foreign, absent);
            let line = format!(
                "{}: foreign {:.0} µs, absent {:.0} µs",
                row.operation,
                foreign * 1e6,
                absent * 1e6
            );
            println!("{line}");
            (foreign <= absent * MOST && absent <= foreign * MOST)
                .then_some(())
                .ok_or(line)
        });
        let differing: Vec<String> = tries.map_while(Result::err).collect();
        if differing.len() == TRIES {
            wrong.extend(differing);
        }
    }
    wrong
}
