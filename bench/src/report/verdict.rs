//! What came of each line.

use super::number::{exact, number};
use crate::versus::lines::{Against, Bound, LINES, Line, Standing};
use crate::versus::results::Results;

/// A line in words, and what was measured of it.
#[derive(Debug)]
pub struct Verdict {
    /// What it is about.
    pub name: &'static str,
    /// What Firn is compared with.
    pub against: String,
    /// What must be reached.
    pub must: String,
    /// What is aimed at.
    pub aim: String,
    /// What was measured; nothing if none of its cases was.
    pub outcome: Option<Outcome>,
}

/// What was measured of a line.
#[derive(Debug)]
pub struct Outcome {
    /// The worst ratio of all cases.
    pub worst: String,
    /// The case that has it.
    pub case: String,
    /// The median of the ratios of all cases.
    pub median: String,
    /// How many cases there are.
    pub cases: usize,
    /// How the worst ratio stands.
    pub standing: Standing,
}

impl Verdict {
    fn of(line: &Line, results: &Results) -> Self {
        let limit = |ratio: f64| match line.bound {
            Bound::AtLeast => format!(">= {}", exact(ratio)),
            Bound::AtMost => format!("<= {}", exact(ratio)),
        };
        Self {
            name: line.name,
            against: match line.against {
                Against::Broker(kind) => kind.name().to_owned(),
                Against::Floor(floor) => format!("{} {}", exact(floor), line.metric.unit()),
            },
            must: limit(line.must),
            aim: limit(line.aim),
            outcome: Outcome::of(line, results),
        }
    }

    /// How the line stands, in a word.
    pub fn standing(&self) -> &'static str {
        match self.outcome.as_ref().map(|outcome| outcome.standing) {
            Some(Standing::Aim) => "aim",
            Some(Standing::Must) => "must",
            Some(Standing::Missed) => "MISSED",
            None => "not measured",
        }
    }
}

impl Outcome {
    fn of(line: &Line, results: &Results) -> Option<Self> {
        let measured = line.measured(results);
        let worst = measured.first()?;
        let middle = measured.len() / 2;
        let at = |index: usize| measured.get(index).map(|measured| measured.ratio);
        let median = if measured.len() % 2 == 1 {
            at(middle)?
        } else {
            (at(middle - 1)? + at(middle)?) / 2.0
        };
        Some(Self {
            worst: number(worst.ratio),
            case: worst.case.clone(),
            median: number(median),
            cases: measured.len(),
            standing: line.standing(worst.ratio),
        })
    }
}

/// What came of all lines, in order.
pub fn verdicts(results: &Results) -> Vec<Verdict> {
    LINES.iter().map(|line| Verdict::of(line, results)).collect()
}

/// How many lines stand where, in a sentence.
pub fn summary(verdicts: &[Verdict]) -> String {
    let count = |standing: Option<Standing>| {
        let same = |verdict: &&Verdict| verdict.outcome.as_ref().map(|outcome| outcome.standing) == standing;
        verdicts.iter().filter(same).count()
    };
    format!(
        "Of {} lines {} reach what is aimed at, {} what they must, {} miss it, {} are not measured.",
        verdicts.len(),
        count(Some(Standing::Aim)),
        count(Some(Standing::Must)),
        count(Some(Standing::Missed)),
        count(None)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_line_tells_its_worst_case_and_the_median_of_all() {
        let verdicts = verdicts(&sample::results());
        let throughput = &verdicts[0];
        assert_eq!(
            (throughput.must.as_str(), throughput.aim.as_str()),
            (">= 2", ">= 4")
        );
        assert_eq!(throughput.standing(), "MISSED");
        let outcome = throughput.outcome.as_ref().unwrap();
        assert_eq!(
            (outcome.worst.as_str(), outcome.case.as_str()),
            ("1.50", "produce-64k-1p-1c")
        );
        assert_eq!((outcome.median.as_str(), outcome.cases), ("2.00", 2));
        let floor = verdicts
            .iter()
            .find(|verdict| verdict.name == "CPU per GB, 64 KiB, to the floor")
            .unwrap();
        assert_eq!(floor.against, "0.8 cpu-s/GB");
        assert_eq!(floor.outcome.as_ref().unwrap().worst, "1.25");
        assert_eq!(floor.standing(), "aim");
        assert_eq!(verdicts[1].standing(), "not measured");
        assert!(summary(&verdicts).starts_with(&format!("Of {} lines ", LINES.len())));
    }
}
