//! `RESULTS.md`.

use std::collections::BTreeSet;

use super::number::number;
use super::plot;
use super::sheet::{Group, base_name, groups, metrics, ratio, rounds};
use super::table::{Column, Side, Table, code, escaped};
use super::verdict::{summary, verdicts};
use crate::subject::Kind;
use crate::versus::results::{CaseResults, MOST_STEAL, Metric, Results};

/// The whole page. `notes` stand right after the lines, as they are.
pub fn page(results: &Results, notes: Option<&str>) -> String {
    let mut parts = vec![
        "# Firn and Apache Kafka\n".to_owned(),
        method(results),
        setting(results),
        lines(results),
    ];
    parts.extend(notes.map(|notes| format!("{}\n", notes.trim_end())));
    let (apart, usual): (Vec<_>, Vec<_>) = groups(results).into_iter().partition(|group| group.apart);
    parts.extend(usual.iter().map(|group| section(group, "")));
    let alone = format!(
        "Firn alone, with its log in an S3 server. Safe when it answers acks=all: {}. Kafka has nothing like it, so none \
of this is comparable with the figures above.\n\n",
        escaped(Kind::FirnObject.durability())
    );
    parts.extend(apart.iter().map(|group| section(group, &alone)));
    parts.join("\n")
}

fn left(name: &str) -> Column {
    (name.to_owned(), Side::Left)
}

fn right(name: &str) -> Column {
    (name.to_owned(), Side::Right)
}

fn method(results: &Results) -> String {
    let rounds = rounds(results);
    let steal = MOST_STEAL * 100.0;
    format!(
        "`make bench-vs-kafka` measures all of this and writes this page, but for the notes, which are `NOTES.md`.

## How it was measured

- The brokers have their turns one at a time, in alternation, in up to {rounds} rounds. In each round each broker is a fresh \
process on an empty data directory, which does all cases of a group.
- A value is the median over the rounds; the smallest and the largest follow it in parentheses.
- A run counts only if the machine's host took at most {steal:.0} % of the processors meanwhile (steal). If no run of a broker \
was so quiet, all of them count, and the section says so.
- All load is replayed: requests are encoded before the load begins. Where the rate is given, requests are sent on a schedule \
whatever the answers do, and latencies count from the time at which a request was due. \
Plots end at 99.99 %, which of few requests is the slowest.
- CPU is the broker's user and system time, for each GB that went in or out. The load generator has a process of its own on \
the same processors; `{}` is what it used.
- A ratio is Firn's median divided by the other one in the same session.
",
        Metric::GeneratorCpuPerGb.name()
    )
}

fn setting(results: &Results) -> String {
    let facts = results.setting.facts.iter();
    let facts: String = facts
        .map(|(name, value)| format!("- {}: {}\n", escaped(name), escaped(value)))
        .collect();
    let kinds: BTreeSet<Kind> = results.cases.iter().flat_map(CaseResults::kinds).collect();
    let mut table = Table::new(
        ["broker", "version", "command", "safe when it answers acks=all"]
            .map(left)
            .into(),
    );
    for kind in kinds {
        let (version, command) = match results.setting.brokers.get(&kind) {
            Some((version, command)) => (escaped(version), code(command)),
            None => (String::new(), String::new()),
        };
        table.row(vec![
            kind.name().to_owned(),
            version,
            command,
            escaped(kind.durability()),
        ]);
    }
    format!("## Setting\n\n{facts}\n{}", table.markdown())
}

fn lines(results: &Results) -> String {
    let mut table = Table::new(vec![
        left("line"),
        left("Firn to"),
        right("must"),
        right("aim"),
        right("worst"),
        left("in"),
        right("median"),
        right("cases"),
        left("standing"),
    ]);
    let verdicts = verdicts(results);
    for verdict in &verdicts {
        let [worst, case, median, cases] = match &verdict.outcome {
            Some(outcome) => [
                outcome.worst.clone(),
                code(&outcome.case),
                outcome.median.clone(),
                outcome.cases.to_string(),
            ],
            None => Default::default(),
        };
        let standing = match verdict.standing() {
            "MISSED" => "**MISSED**",
            other => other,
        };
        let (must, aim) = (verdict.must.clone(), verdict.aim.clone());
        let (name, against) = (escaped(verdict.name), escaped(&verdict.against));
        table.row(vec![
            name,
            against,
            must,
            aim,
            worst,
            case,
            median,
            cases,
            standing.to_owned(),
        ]);
    }
    format!(
        "## The line\n\n{}\n\nA line is judged by the worst ratio of all its cases; the median is that of all their \
ratios.\n\n{}",
        summary(&verdicts),
        table.markdown()
    )
}

fn section(group: &Group<'_>, about: &str) -> String {
    let (kinds, bases) = (group.kinds(), group.bases());
    let mut columns = vec![left("case"), left("figure"), left("unit")];
    columns.extend(kinds.iter().map(|kind| right(kind.name())));
    columns.extend(
        bases
            .iter()
            .map(|base| right(&format!("ratio to {}", base_name(*base)))),
    );
    let mut table = Table::new(columns);
    for case in &group.cases {
        let mut name = format!("{}<br>{}", escaped(&case.title), code(&case.id));
        for metric in metrics(case) {
            let mut cells = vec![name, metric.name().to_owned(), metric.unit().to_owned()];
            name = String::new();
            cells.extend(kinds.iter().map(|kind| value(case, *kind, metric)));
            let ratios = bases.iter().map(|base| ratio(case, metric, *base));
            cells.extend(ratios.map(|ratio| ratio.map_or(String::new(), number)));
            table.row(cells);
        }
    }
    let plots: String = group.cases.iter().filter_map(|case| image(case)).collect();
    let heading = escaped(group.name);
    format!(
        "## {heading}\n\n{about}{}\n{}{plots}",
        table.markdown(),
        runs(group)
    )
}

/// A median and, in small, what it was taken from.
fn value(case: &CaseResults, kind: Kind, metric: Metric) -> String {
    let Some(median) = case.median(kind, metric) else {
        return String::new();
    };
    let range = case
        .range(kind, metric)
        .map(|(low, high)| (number(low), number(high)));
    match range {
        Some((low, high)) if low != high => format!("{} <small>({low}–{high})</small>", number(median)),
        Some(_) | None => number(median),
    }
}

/// How many runs there are, and what steal did to them.
fn runs(group: &Group<'_>) -> String {
    let (runs, discarded) = group.runs();
    let mut out = format!("{runs} runs, {discarded} of them discarded for steal.");
    for (case, kind) in group.noisy() {
        let (kind, case) = (kind.name(), code(case));
        out.push_str(&format!(
            " Every run of {kind} in {case} had too much steal; they count all the same."
        ));
    }
    out + "\n"
}

fn image(case: &CaseResults) -> Option<String> {
    let file = plot::file_name(case)?;
    Some(format!(
        "\n![Latency percentiles: {}](plots/{file})\n",
        escaped(&case.title)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_case_has_a_row_for_each_metric_with_ranges_and_ratios() {
        let page = page(&sample::results(), None);
        for row in [
            "| case | figure | unit | Kafka | Kafka, flushing | Firn | ratio to Kafka | ratio to flushing |",
            "| 8 partitions, 4 connections<br>`produce-64k-8p-4c` | produced | MB/s | 200 <small>(190–210)</small> \
             | 150 <small>(142–158)</small> | 500 <small>(475–525)</small> | 2.50 | 3.33 |",
            "|  | peak memory | MiB | 1,100 <small>(1,040–1,160)</small> | 1,200 <small>(1,140–1,260)</small> \
             | 110 <small>(104–116)</small> | 0.100 | 0.0917 |",
            "| 1 partitions, 1 connections<br>`produce-64k-1p-1c` | produced | MB/s | 100 <small>(95.0–105)</small> |  \
             | 150 <small>(142–158)</small> | 1.50 |  |",
            "11 runs, 1 of them discarded for steal.",
            "| case | figure | unit | Firn |",
            "| produce throughput, 64 KiB | Kafka | >= 2 | >= 4 | 1.50 | `produce-64k-1p-1c` | 2.00 | 2 | **MISSED** |",
            "| Kafka | 4.3.0 | `java kafka.Kafka \\| tee <log>` | page cache:",
            "- day: 2026-11-25\n- processors:",
            "![Latency percentiles: 50 MB/s in &lt;64 KiB> batches &amp; more](plots/ack-50-mb.svg)",
        ] {
            assert!(page.contains(row), "{row}\nis not in\n{page}");
        }
    }

    #[test]
    fn the_s3_log_stands_at_the_end_without_other_brokers() {
        let mut results = sample::results();
        results.cases.rotate_right(1);
        let page = page(&results, None);
        let (_, last) = page.split_at(page.rfind("\n## ").unwrap());
        assert!(last.starts_with("\n## Log in S3\n"));
        assert!(last.contains("| case | figure | unit | Firn, S3 log |\n"));
        assert!(!last.contains("ratio"));
    }

    #[test]
    fn a_broker_that_had_no_quiet_run_is_named() {
        let mut results = sample::results();
        for run in results.cases[0]
            .runs
            .iter_mut()
            .filter(|run| run.kind == Kind::Kafka)
        {
            run.steal = 0.5;
        }
        let said = "Every run of Kafka in `produce-64k-8p-4c` had too much steal";
        assert!(page(&results, None).contains(said));
    }
}
