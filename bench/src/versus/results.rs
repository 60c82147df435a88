//! What was measured, as it is kept in a file: one entry for each case, broker and round.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::load::Latencies;
use crate::subject::Kind;

/// Rounds in which the machine's host took more than this share of the processors are not counted.
pub const MOST_STEAL: f64 = 0.1;
/// The points of a latency curve.
const QUANTILES: [f64; 12] = [
    0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 1.0,
];

/// One number of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Batches acknowledged, MB/s.
    Produced,
    /// Batches fetched, MB/s over all consumers.
    Fetched,
    /// Batches fetched in the first second after they were all written, when nobody has read them yet, MB/s.
    FetchedFirst,
    /// The broker's CPU seconds for each GB that went in or out.
    CpuPerGb,
    /// The broker's CPU microseconds for each request.
    CpuPerRequest,
    /// Requests answered in a second.
    Requests,
    /// Latency of acknowledgements from the due time, median, ms.
    AckP50,
    /// Its 99th percentile, ms.
    AckP99,
    /// From the due time of a batch to a consumer's hands, median, ms.
    DeliveryP50,
    /// Its 99th percentile, ms.
    DeliveryP99,
    /// The broker's most resident memory, MiB.
    PeakMemory,
    /// The broker's CPU microseconds for each connection opened.
    CpuPerConnection,
    /// Resident memory for each open connection, KiB.
    MemoryPerConnection,
    /// Creating all partitions, s.
    Create,
    /// From the start of the process, after a clean stop, until all partitions are led and one takes a record, s.
    Start,
    /// Resident memory with all partitions there and idle, MiB.
    Memory,
    /// A Metadata answer that names all partitions, median, ms.
    MetadataP50,
    /// From the first JoinGroup until every member has its assignment, s.
    Stable,
    /// The same after a member has left, s.
    StableAgain,
    /// The broker's CPU microseconds for each member that joins and is assigned.
    CpuPerMember,
    /// The broker's CPU microseconds for each heartbeat.
    CpuPerHeartbeat,
    /// The broker's CPU microseconds for each commit.
    CpuPerCommit,
    /// The load generator's CPU seconds for each GB.
    GeneratorCpuPerGb,
}

impl Metric {
    /// What tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Produced => "produced",
            Self::Fetched => "fetched",
            Self::FetchedFirst => "fetched, first second",
            Self::CpuPerGb => "broker CPU",
            Self::CpuPerRequest => "broker CPU, request",
            Self::Requests => "requests",
            Self::AckP50 => "ack p50",
            Self::AckP99 => "ack p99",
            Self::DeliveryP50 => "delivery p50",
            Self::DeliveryP99 => "delivery p99",
            Self::PeakMemory => "peak memory",
            Self::CpuPerConnection => "broker CPU, connection",
            Self::MemoryPerConnection => "memory, connection",
            Self::Create => "create",
            Self::Start => "start",
            Self::Memory => "memory",
            Self::MetadataP50 => "Metadata p50",
            Self::Stable => "stable after",
            Self::StableAgain => "stable after one left",
            Self::CpuPerMember => "broker CPU, member",
            Self::CpuPerHeartbeat => "broker CPU, heartbeat",
            Self::CpuPerCommit => "broker CPU, commit",
            Self::GeneratorCpuPerGb => "generator CPU",
        }
    }

    /// Its unit.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Produced | Self::Fetched | Self::FetchedFirst => "MB/s",
            Self::CpuPerGb | Self::GeneratorCpuPerGb => "cpu-s/GB",
            Self::CpuPerRequest
            | Self::CpuPerConnection
            | Self::CpuPerMember
            | Self::CpuPerHeartbeat
            | Self::CpuPerCommit => "us",
            Self::Requests => "1/s",
            Self::AckP50 | Self::AckP99 | Self::DeliveryP50 | Self::DeliveryP99 | Self::MetadataP50 => "ms",
            Self::PeakMemory | Self::Memory => "MiB",
            Self::MemoryPerConnection => "KiB",
            Self::Create | Self::Start | Self::Stable | Self::StableAgain => "s",
        }
    }
}

/// What a latency curve is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Curve {
    /// From the due time of a request to its answer.
    Acknowledged,
    /// From the due time of a batch to a consumer.
    Delivered,
}

/// A latency curve: quantile (0 to 1) and milliseconds, in order.
pub type Points = Vec<(f64, f64)>;

/// The points of a curve; none without latencies.
pub fn points(latencies: &Latencies) -> Points {
    if latencies.0.is_empty() {
        return Points::new();
    }
    let at = |quantile: f64| (quantile, latencies.0.value_at_quantile(quantile) as f64 / 1e3);
    QUANTILES.into_iter().map(at).collect()
}

/// One broker's turn at a case in one round.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Which broker.
    pub kind: Kind,
    /// The round, from 1.
    pub round: usize,
    /// The share of the processors that the machine's host took away meanwhile.
    pub steal: f64,
    /// What was measured.
    pub figures: BTreeMap<Metric, f64>,
    /// Latency curves, of cases that have any.
    pub curves: BTreeMap<Curve, Points>,
}

/// All runs of a case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseResults {
    /// Its short name, which selects it on the command line.
    pub id: String,
    /// What is done, in words.
    pub title: String,
    /// The heading that it stands under.
    pub group: String,
    /// All runs.
    pub runs: Vec<Run>,
}

impl CaseResults {
    /// The brokers that took part.
    pub fn kinds(&self) -> Vec<Kind> {
        let mut kinds: Vec<Kind> = self.runs.iter().map(|run| run.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// The runs of a broker that count: those without much steal, or all if there is no such.
    fn counted(&self, kind: Kind) -> Vec<&Run> {
        let all = || self.runs.iter().filter(move |run| run.kind == kind);
        let quiet: Vec<&Run> = all().filter(|run| run.steal <= MOST_STEAL).collect();
        if quiet.is_empty() { all().collect() } else { quiet }
    }

    /// How many runs were left out for steal.
    pub fn discarded(&self) -> usize {
        let kinds = self.kinds().into_iter();
        self.runs.len() - kinds.map(|kind| self.counted(kind).len()).sum::<usize>()
    }

    /// The median of a metric over the rounds.
    pub fn median(&self, kind: Kind, metric: Metric) -> Option<f64> {
        let runs = self.counted(kind);
        median(runs.iter().filter_map(|run| run.figures.get(&metric).copied()))
    }

    /// The smallest and the largest value of a metric over the rounds.
    pub fn range(&self, kind: Kind, metric: Metric) -> Option<(f64, f64)> {
        let runs = self.counted(kind);
        let mut values: Vec<f64> = runs
            .iter()
            .filter_map(|run| run.figures.get(&metric).copied())
            .collect();
        values.sort_by(f64::total_cmp);
        Some((*values.first()?, *values.last()?))
    }

    /// The curve whose every point is the median over the rounds.
    pub fn curve(&self, kind: Kind, curve: Curve) -> Points {
        let runs = self.counted(kind);
        let curves: Vec<&Points> = runs.iter().filter_map(|run| run.curves.get(&curve)).collect();
        let point = |quantile: f64| {
            let values = curves.iter().filter_map(|points| {
                let at = points.iter().find(|(at, _)| (at - quantile).abs() < 1e-9)?;
                Some(at.1)
            });
            Some((quantile, median(values)?))
        };
        QUANTILES.into_iter().filter_map(point).collect()
    }
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    Some((values.get(middle - 1)? + upper) / 2.0)
}

/// What stands at the top of the report.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Setting {
    /// The day, the machine, its disk: name and value, in order.
    pub facts: Vec<(String, String)>,
    /// For each broker its version and its command.
    pub brokers: BTreeMap<Kind, (String, String)>,
}

/// All that was measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Results {
    /// Where and with what.
    pub setting: Setting,
    /// The cases, in the order of the catalogue.
    pub cases: Vec<CaseResults>,
}

impl Results {
    /// What an earlier session left in `file`; nothing if it is absent.
    pub fn load(file: &Path) -> anyhow::Result<Self> {
        match std::fs::read(file) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
                format!(
                    "{} does not hold results: remove it, or name another file",
                    file.display()
                )
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    /// Writes all into `file`.
    pub fn store(&self, file: &Path) -> anyhow::Result<()> {
        let mut text = serde_json::to_string(self)?;
        text.push('\n');
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

#[cfg(test)]
impl Results {
    /// A case by its id.
    pub fn case(&self, id: &str) -> Option<&CaseResults> {
        self.cases.iter().find(|case| case.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(kind: Kind, steal: f64, produced: f64) -> Run {
        Run {
            kind,
            round: 1,
            steal,
            figures: BTreeMap::from([(Metric::Produced, produced)]),
            curves: BTreeMap::from([(Curve::Acknowledged, vec![(0.5, produced)])]),
        }
    }

    #[test]
    fn medians_leave_out_rounds_with_steal_unless_there_are_no_others() {
        let mut case = CaseResults {
            id: "c".to_owned(),
            title: String::new(),
            group: String::new(),
            runs: vec![
                run(Kind::Firn, 0.0, 1.0),
                run(Kind::Firn, 0.0, 3.0),
                run(Kind::Firn, 0.5, 100.0),
                run(Kind::Kafka, 0.5, 7.0),
            ],
        };
        assert_eq!(case.median(Kind::Firn, Metric::Produced), Some(2.0));
        assert_eq!(case.median(Kind::Kafka, Metric::Produced), Some(7.0));
        assert_eq!(case.median(Kind::Firn, Metric::Create), None);
        assert_eq!(case.discarded(), 1);
        case.runs.push(run(Kind::Firn, 0.0, 9.0));
        assert_eq!(case.median(Kind::Firn, Metric::Produced), Some(3.0));
        assert_eq!(case.curve(Kind::Firn, Curve::Acknowledged), [(0.5, 3.0)]);
        assert_eq!(case.range(Kind::Firn, Metric::Produced), Some((1.0, 9.0)));
    }
}
