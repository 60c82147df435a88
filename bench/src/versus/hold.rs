//! One case on Firn for as long as a profiler looks.

use std::io::Write;
use std::time::Duration;

use anyhow::Context;

use super::run::{self, Times};
use crate::subject::{Kind, Places, Subject};

/// Runs a case for `load`, and says which process to look at and what was measured.
/// It is on Firn unless `on` says otherwise.
pub fn hold(
    id: &str,
    on: Option<Kind>,
    places: &Places,
    load: Duration,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut catalogue = super::catalogue().into_iter();
    let case = catalogue.find(|case| case.id == id);
    let case = case.with_context(|| format!("no case is called {id}: versus --list names them all"))?;
    let usual = if case.kinds.contains(&Kind::FirnObject) {
        Kind::FirnObject
    } else {
        Kind::Firn
    };
    let kind = on.unwrap_or(usual);
    let subject = Subject::start(kind, &[], places)?;
    writeln!(out, "pid {}", subject.process().id())?;
    out.flush()?;
    let times = Times {
        warm_up: Duration::from_secs(1),
        measured: load,
        first: Duration::ZERO,
    };
    let (subject, measured) = run::run(subject, &case.work, &times)?;
    for (metric, value) in measured.figures {
        writeln!(out, "{:<24} {value:>10.2} {}", metric.name(), metric.unit())?;
    }
    subject.stop()
}
