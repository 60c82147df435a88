//! Which groups, columns and rows the results give.

use std::collections::BTreeSet;

use crate::subject::Kind;
use crate::versus::results::{CaseResults, MOST_STEAL, Metric, Results};

/// Cases under one heading.
#[derive(Debug)]
pub struct Group<'a> {
    /// The heading.
    pub name: &'a str,
    /// Whether its only broker is Firn with an S3 log, so that nothing of Kafka's is comparable.
    pub apart: bool,
    /// The cases, in order.
    pub cases: Vec<&'a CaseResults>,
}

/// All cases that have runs, by heading, in order.
pub fn groups(results: &Results) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for case in results.cases.iter().filter(|case| !case.runs.is_empty()) {
        let (name, apart) = (case.group.as_str(), case.kinds() == [Kind::FirnObject]);
        match groups
            .iter_mut()
            .find(|group| group.name == name && group.apart == apart)
        {
            Some(group) => group.cases.push(case),
            None => groups.push(Group {
                name,
                apart,
                cases: vec![case],
            }),
        }
    }
    groups
}

impl Group<'_> {
    /// The brokers that took part in any of its cases.
    pub fn kinds(&self) -> Vec<Kind> {
        let kinds: BTreeSet<Kind> = self.cases.iter().flat_map(|case| case.kinds()).collect();
        kinds.into_iter().collect()
    }

    /// The brokers that Firn is compared with in any of its cases.
    pub fn bases(&self) -> Vec<Kind> {
        let mut bases = self.kinds();
        bases.retain(|base| {
            let compared = |case: &CaseResults| {
                metrics(case)
                    .iter()
                    .any(|metric| ratio(case, *metric, *base).is_some())
            };
            self.cases.iter().any(|case| compared(case))
        });
        bases
    }

    /// How many runs it has, and how many of them were left out for steal.
    pub fn runs(&self) -> (usize, usize) {
        let runs = self.cases.iter().map(|case| case.runs.len()).sum();
        (runs, self.cases.iter().map(|case| case.discarded()).sum())
    }

    /// Brokers whose runs of a case all had too much steal, so that they count all the same: the case's id and the broker.
    pub fn noisy(&self) -> Vec<(&str, Kind)> {
        let mut noisy = Vec::new();
        for case in &self.cases {
            for kind in case.kinds() {
                let mut runs = case.runs.iter().filter(|run| run.kind == kind);
                if runs.all(|run| run.steal > MOST_STEAL) {
                    noisy.push((case.id.as_str(), kind));
                }
            }
        }
        noisy
    }
}

/// The metrics that have a value in any run of a case, in order.
pub fn metrics(case: &CaseResults) -> BTreeSet<Metric> {
    case.runs
        .iter()
        .flat_map(|run| run.figures.keys().copied())
        .collect()
}

/// Firn's median divided by that of another broker in the same case. None for what is no figure of the broker.
pub fn ratio(case: &CaseResults, metric: Metric, base: Kind) -> Option<f64> {
    if !matches!(base, Kind::Kafka | Kind::KafkaFlushing) || metric == Metric::GeneratorCpuPerGb {
        return None;
    }
    let own = case.median(Kind::Firn, metric)?;
    let other = case.median(base, metric)?;
    (other > 0.0).then(|| own / other)
}

/// A short name for what Firn is compared with.
pub fn base_name(base: Kind) -> &'static str {
    match base {
        Kind::KafkaFlushing => "flushing",
        _ => base.name(),
    }
}

/// The most rounds that any case had.
pub fn rounds(results: &Results) -> usize {
    let runs = results.cases.iter().flat_map(|case| &case.runs);
    runs.map(|run| run.round).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn groups_keep_the_s3_log_apart_and_name_the_columns_that_they_use() {
        let results = sample::results();
        let groups = groups(&results);
        let seen: Vec<_> = groups
            .iter()
            .map(|group| (group.name, group.apart, group.cases.len()))
            .collect();
        assert_eq!(
            seen,
            [
                ("Produce, 64 KiB batches", false, 2),
                ("Latency of acknowledgements", false, 1),
                ("Tail", false, 1),
                ("Catch-up from objects", false, 1),
                ("Log in S3", true, 1),
            ]
        );
        assert_eq!(groups[0].kinds(), [Kind::Kafka, Kind::KafkaFlushing, Kind::Firn]);
        assert_eq!(groups[0].bases(), [Kind::Kafka, Kind::KafkaFlushing]);
        assert_eq!(groups[2].bases(), [Kind::Kafka]);
        assert_eq!(groups[3].bases(), []);
        assert_eq!(groups[4].kinds(), [Kind::FirnObject]);
    }

    #[test]
    fn runs_with_steal_are_told() {
        let mut results = sample::results();
        assert_eq!(groups(&results)[0].runs(), (11, 1));
        assert_eq!(groups(&results)[0].noisy(), []);
        for run in results.cases[0]
            .runs
            .iter_mut()
            .filter(|run| run.kind == Kind::Kafka)
        {
            run.steal = 0.5;
        }
        assert_eq!(groups(&results)[0].noisy(), [("produce-64k-8p-4c", Kind::Kafka)]);
    }

    #[test]
    fn the_generators_own_cost_has_no_ratio() {
        let results = sample::results();
        let case = &results.cases[0];
        assert!(metrics(case).contains(&Metric::GeneratorCpuPerGb));
        assert_eq!(ratio(case, Metric::GeneratorCpuPerGb, Kind::Kafka), None);
        assert_eq!(ratio(case, Metric::Produced, Kind::Kafka), Some(2.5));
    }
}
