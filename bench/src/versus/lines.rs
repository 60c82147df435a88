//! The lines that Firn has to cross, as ratios to Apache Kafka in the same session, and what came of them.

use super::results::{Metric, Results};
use crate::subject::Kind;

/// Whether more or less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The ratio is at least this.
    AtLeast,
    /// The ratio is at most this.
    AtMost,
}

/// What Firn's figure is divided by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Against {
    /// Another broker's in the same case.
    Broker(Kind),
    /// The floor of `SPEED.md`: what a program costs that only receives, checks, patches and stores, equally durable.
    Floor(f64),
}

/// One line.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// What it is about.
    pub name: &'static str,
    /// The beginning of the ids of the cases that it is about.
    pub cases: &'static str,
    /// The figure.
    pub metric: Metric,
    /// What it is compared with.
    pub against: Against,
    /// Which way.
    pub bound: Bound,
    /// The ratio that must be reached.
    pub must: f64,
    /// The ratio that is aimed at.
    pub aim: f64,
}

const KAFKA: Against = Against::Broker(Kind::Kafka);
const FLUSHING: Against = Against::Broker(Kind::KafkaFlushing);

const fn line(
    name: &'static str,
    cases: &'static str,
    metric: Metric,
    against: Against,
    bound: Bound,
    must: f64,
    aim: f64,
) -> Line {
    Line {
        name,
        cases,
        metric,
        against,
        bound,
        must,
        aim,
    }
}

/// All lines.
pub const LINES: [Line; 14] = {
    use Bound::{AtLeast, AtMost};
    [
        line(
            "produce throughput, 64 KiB",
            "produce-64k-",
            Metric::Produced,
            KAFKA,
            AtLeast,
            2.0,
            4.0,
        ),
        line(
            "produce throughput, 1 MiB",
            "produce-1m-",
            Metric::Produced,
            KAFKA,
            AtLeast,
            2.0,
            4.0,
        ),
        line(
            "CPU per GB produced, 64 KiB",
            "produce-64k-",
            Metric::CpuPerGb,
            KAFKA,
            AtMost,
            0.4,
            0.2,
        ),
        line(
            "CPU per small request, 4 KiB",
            "produce-4k-",
            Metric::CpuPerRequest,
            KAFKA,
            AtMost,
            0.5,
            0.25,
        ),
        line(
            "tail CPU per GB moved",
            "tail-",
            Metric::CpuPerGb,
            KAFKA,
            AtMost,
            0.6,
            0.4,
        ),
        line(
            "catch-up throughput, hot",
            "catch-up-hot-",
            Metric::Fetched,
            KAFKA,
            AtLeast,
            0.9,
            1.2,
        ),
        line(
            "ack p50 at 50 MB/s",
            "ack-50-",
            Metric::AckP50,
            FLUSHING,
            AtMost,
            0.5,
            0.25,
        ),
        line(
            "ack p99 at 50 MB/s",
            "ack-50-",
            Metric::AckP99,
            FLUSHING,
            AtMost,
            0.5,
            0.25,
        ),
        line(
            "peak memory",
            "produce-",
            Metric::PeakMemory,
            KAFKA,
            AtMost,
            0.15,
            0.08,
        ),
        line(
            "start, 10,000 partitions",
            "partitions-10000",
            Metric::Start,
            KAFKA,
            AtMost,
            0.2,
            0.05,
        ),
        line(
            "CPU per GB, 64 KiB, to the floor",
            "produce-64k-8p-4c",
            Metric::CpuPerGb,
            Against::Floor(0.80),
            AtMost,
            2.5,
            1.5,
        ),
        line(
            "CPU per GB, 1 MiB, to the floor",
            "produce-1m-8p-4c",
            Metric::CpuPerGb,
            Against::Floor(0.60),
            AtMost,
            2.5,
            1.5,
        ),
        line(
            "CPU per request, 4 KiB, to the floor",
            "produce-4k-8p-4c",
            Metric::CpuPerRequest,
            Against::Floor(27.0),
            AtMost,
            2.5,
            1.5,
        ),
        line(
            "tail CPU per GB moved, to the floor",
            "tail-full-1",
            Metric::CpuPerGb,
            Against::Floor(1.1),
            AtMost,
            2.5,
            1.5,
        ),
    ]
};

/// How a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Better than what is aimed at.
    Aim,
    /// Between.
    Must,
    /// Not reached.
    Missed,
}

/// A line's ratio in one case.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The case.
    pub case: String,
    /// Firn's median divided by the other one.
    pub ratio: f64,
}

impl Line {
    /// The ratios of all its cases, worst first.
    pub fn measured(&self, results: &Results) -> Vec<Measured> {
        let cases = results
            .cases
            .iter()
            .filter(|case| case.id.starts_with(self.cases));
        let ratio = |case: &super::results::CaseResults| {
            let own = case.median(Kind::Firn, self.metric)?;
            let other = match self.against {
                Against::Broker(kind) => case.median(kind, self.metric)?,
                Against::Floor(floor) => floor,
            };
            let case = case.id.clone();
            (other > 0.0).then(|| Measured {
                case,
                ratio: own / other,
            })
        };
        let mut all: Vec<Measured> = cases.filter_map(ratio).collect();
        all.sort_by(|a, b| match self.bound {
            Bound::AtLeast => a.ratio.total_cmp(&b.ratio),
            Bound::AtMost => b.ratio.total_cmp(&a.ratio),
        });
        all
    }

    /// How a ratio stands.
    pub fn standing(&self, ratio: f64) -> Standing {
        let reaches = |limit: f64| match self.bound {
            Bound::AtLeast => ratio >= limit,
            Bound::AtMost => ratio <= limit,
        };
        if reaches(self.aim) {
            Standing::Aim
        } else if reaches(self.must) {
            Standing::Must
        } else {
            Standing::Missed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_stands_where_its_bound_says() {
        let more = &LINES[0];
        assert_eq!(more.standing(1.9), Standing::Missed);
        assert_eq!(more.standing(2.0), Standing::Must);
        assert_eq!(more.standing(4.0), Standing::Aim);
        let less = &LINES[2];
        assert_eq!(less.standing(0.41), Standing::Missed);
        assert_eq!(less.standing(0.4), Standing::Must);
        assert_eq!(less.standing(0.1), Standing::Aim);
    }
}
