//! The report for a person at a terminal.

use super::number::number;
use super::sheet::{Group, base_name, groups, metrics, ratio};
use super::table::{Side, Table};
use super::verdict::{summary, verdicts};
use crate::versus::results::Results;

/// All medians and ratios by group and case, then the lines.
pub fn terminal(results: &Results) -> String {
    let mut out = String::new();
    for group in groups(results) {
        out.push_str(&format!("{}\n{}", group.name, figures(&group)));
        let (runs, discarded) = group.runs();
        if discarded > 0 {
            out.push_str(&format!("{discarded} of {runs} runs left out for steal\n"));
        }
        for (case, kind) in group.noisy() {
            out.push_str(&format!(
                "every run of {} had too much steal: {case}\n",
                kind.name()
            ));
        }
        out.push('\n');
    }
    out + &lines(results)
}

fn figures(group: &Group<'_>) -> String {
    let (kinds, bases) = (group.kinds(), group.bases());
    let mut columns = vec![(String::new(), Side::Left), ("unit".to_owned(), Side::Left)];
    columns.extend(kinds.iter().map(|kind| (kind.name().to_owned(), Side::Right)));
    columns.extend(
        bases
            .iter()
            .map(|base| (format!("Firn/{}", base_name(*base)), Side::Right)),
    );
    let mut table = Table::new(columns);
    for case in &group.cases {
        table.title(format!("{}: {}", case.id, case.title));
        for metric in metrics(case) {
            let mut cells = vec![metric.name().to_owned(), metric.unit().to_owned()];
            let medians = kinds.iter().map(|kind| case.median(*kind, metric));
            let ratios = bases.iter().map(|base| ratio(case, metric, *base));
            cells.extend(
                medians
                    .chain(ratios)
                    .map(|value| value.map_or(String::new(), number)),
            );
            table.row(cells);
        }
    }
    table.aligned()
}

fn lines(results: &Results) -> String {
    let left = |name: &str| (name.to_owned(), Side::Left);
    let right = |name: &str| (name.to_owned(), Side::Right);
    let mut table = Table::new(vec![
        left("line"),
        left("Firn to"),
        right("must"),
        right("aim"),
        right("worst"),
        left("standing"),
        left("case"),
    ]);
    let verdicts = verdicts(results);
    for verdict in &verdicts {
        let (worst, case) = match &verdict.outcome {
            Some(outcome) => (outcome.worst.clone(), outcome.case.clone()),
            None => (String::new(), String::new()),
        };
        table.row(vec![
            verdict.name.to_owned(),
            verdict.against.clone(),
            verdict.must.clone(),
            verdict.aim.clone(),
            worst,
            verdict.standing().to_owned(),
            case,
        ]);
    }
    format!("The line\n{}{}\n", table.aligned(), summary(&verdicts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    /// The words of the line that begins with `start`, after a line that has `after`.
    fn words<'a>(text: &'a str, after: &str, start: &str) -> Vec<&'a str> {
        let mut lines = text.lines().skip_while(|line| !line.contains(after));
        let line = lines.find(|line| line.trim_start().starts_with(start)).unwrap();
        line.split_whitespace().collect()
    }

    #[test]
    fn a_person_sees_medians_ratios_and_how_the_lines_stand() {
        let text = terminal(&sample::results());
        let case = "produce-64k-8p-4c: 8 partitions, 4 connections";
        assert_eq!(
            words(&text, case, "produced"),
            ["produced", "MB/s", "200", "150", "500", "2.50", "3.33"]
        );
        assert_eq!(words(&text, "tail-50-1", "delivery p99").last(), Some(&"0.333"));
        assert_eq!(
            words(&text, "Log in S3", "produced"),
            ["produced", "MB/s", "80.0"]
        );
        assert!(text.contains("1 of 11 runs left out for steal\n"));
        let line = words(&text, "The line", "produce throughput, 64 KiB");
        assert!(
            line.ends_with(&["1.50", "MISSED", "produce-64k-1p-1c"]),
            "{line:?}"
        );
        assert_eq!(terminal(&sample::results()), text);
    }
}
