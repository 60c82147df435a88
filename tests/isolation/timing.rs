//! Whether time tells what an answer does not.

use std::time::Duration;

use super::probe::Probe;
use super::rows::{Access, ROWS};
use super::things::Things;

/// Requests of each kind for each route, in turns.
const ROUNDS: usize = 25;
/// By how much the medians may differ: the machine is busy, and what would tell is a look at one more table.
const MOST: f64 = 3.0;

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

/// The routes whose medians differ by more than they may.
pub fn differences(probe: &mut Probe, foreign: &Things, absent: &Things) -> Vec<String> {
    let mut wrong = Vec::new();
    let timed = ROWS
        .iter()
        .filter(|row| row.access == Access::Inside && !row.writes() && !row.names().is_empty());
    for row in timed {
        let (mut of_foreign, mut of_absent) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            of_foreign.push(probe.time(row, foreign));
            of_absent.push(probe.time(row, absent));
        }
        let (foreign, absent) = (median(of_foreign), median(of_absent));
        let line = format!(
            "{}: foreign {:.0} µs, absent {:.0} µs",
            row.operation,
            foreign * 1e6,
            absent * 1e6
        );
        println!("{line}");
        if foreign > absent * MOST || absent > foreign * MOST {
            wrong.push(line);
        }
    }
    wrong
}
