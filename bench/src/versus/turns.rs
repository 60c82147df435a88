//! Whose turn it is: rounds in which each broker does all of a group's cases in a process of its own, one broker at a time.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use super::case::Case;
use super::results::{CaseResults, Metric, Results, Run};
use super::run::{self, Times};
use crate::subject::{Kind, Places, Steal, Subject};

/// What is to be run.
#[derive(Debug)]
pub struct Plan {
    /// The cases, in order.
    pub cases: Vec<Case>,
    /// How often each broker has its turn.
    pub rounds: usize,
    /// How long each case is loaded.
    pub times: Times,
    /// Where things are.
    pub places: Places,
}

/// Cases that share a broker process.
struct Group<'a> {
    kinds: Vec<Kind>,
    cases: Vec<&'a Case>,
}

impl Plan {
    fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for case in &self.cases {
            match groups.last_mut() {
                Some(group) if group.cases[0].group == case.group => group.cases.push(case),
                Some(_) | None => groups.push(Group {
                    kinds: Vec::new(),
                    cases: vec![case],
                }),
            }
        }
        for group in &mut groups {
            for kind in group.cases.iter().flat_map(|case| case.kinds) {
                if !group.kinds.contains(kind) {
                    group.kinds.push(*kind);
                }
            }
        }
        groups
    }

    fn runs(&self) -> usize {
        self.rounds * self.cases.iter().map(|case| case.kinds.len()).sum::<usize>()
    }
}

/// Runs the plan and puts what it measures into `file` after each turn, in place of what was there of the same cases.
pub fn compare(plan: &Plan, file: &Path, out: &mut dyn Write) -> anyhow::Result<Results> {
    let mut results = Results::load(file)?;
    let order = super::catalogue();
    for case in &plan.cases {
        results.cases.retain(|known| known.id != case.id);
        results.cases.push(CaseResults {
            id: case.id.clone(),
            title: case.title.clone(),
            group: case.group.to_owned(),
            runs: Vec::new(),
        });
    }
    results
        .cases
        .sort_by_key(|known| order.iter().position(|case| case.id == known.id));
    results.setting = run::setting(&plan.places)?;
    let (began, total) = (Instant::now(), plan.runs());
    let mut done = 0;
    for group in plan.groups() {
        for round in 1..=plan.rounds {
            for kind in &group.kinds {
                let mut told = |case: &Case, run: Run| -> anyhow::Result<()> {
                    done += 1;
                    tell(out, began.elapsed(), (done, total), case, &run)?;
                    if let Some(known) = results.cases.iter_mut().find(|known| known.id == case.id) {
                        known.runs.push(run);
                    }
                    Ok(())
                };
                turn(plan, &group, *kind, round, &mut told)?;
                results.store(file)?;
            }
        }
    }
    Ok(results)
}

/// One broker does all cases of a group.
fn turn(
    plan: &Plan,
    group: &Group<'_>,
    kind: Kind,
    round: usize,
    told: &mut dyn FnMut(&Case, Run) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    run::settle()?;
    let mut subject = Subject::start(kind, &[], &plan.places)?;
    run::warm_up(&subject, &plan.times)?;
    for case in group.cases.iter().filter(|case| case.kinds.contains(&kind)) {
        let steal = Steal::begin()?;
        let (after, measured) = run::run(subject, &case.work, &plan.times)?;
        subject = after;
        let run = Run {
            kind,
            round,
            steal: steal.share()?,
            figures: measured.figures,
            curves: measured.curves,
        };
        told(case, run)?;
    }
    subject.stop()
}

fn tell(
    out: &mut dyn Write,
    elapsed: Duration,
    (done, total): (usize, usize),
    case: &Case,
    run: &Run,
) -> anyhow::Result<()> {
    let minutes = elapsed.as_secs() / 60;
    let left = elapsed.as_secs_f64() / done as f64 * (total - done) as f64 / 60.0;
    write!(
        out,
        "[{done}/{total}, {minutes} min, about {left:.0} to go] round {} {:<16} {:<22}",
        run.round,
        run.kind.name(),
        case.id
    )?;
    for (metric, value) in &run.figures {
        if *metric != Metric::GeneratorCpuPerGb {
            write!(out, " {} {value:.2} {};", metric.name(), metric.unit())?;
        }
    }
    writeln!(out)?;
    Ok(out.flush()?)
}
