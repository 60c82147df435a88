//! Invented results for tests.

use std::collections::BTreeMap;

use crate::subject::Kind;
use crate::versus::results::{CaseResults, Curve, Metric, Points, Results, Run, Setting};

const ROUNDS: usize = 2;

fn case(id: &str, title: &str, group: &str) -> CaseResults {
    CaseResults {
        id: id.to_owned(),
        title: title.to_owned(),
        group: group.to_owned(),
        runs: Vec::new(),
    }
}

/// A curve from `fastest` ms that grows with the percentile, by `growth` for each nine.
pub fn curve(fastest: f64, growth: f64) -> Points {
    let quantiles = [
        0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 1.0,
    ];
    let at = |quantile: f64| {
        let nines = (1.0 / (1.0 - quantile).max(5e-5)).log10();
        (quantile, fastest * growth.powf(nines))
    };
    quantiles.into_iter().map(at).collect()
}

/// Two rounds of a broker, of which the second is a tenth less.
pub fn add(case: &mut CaseResults, kind: Kind, figures: &[(Metric, f64)], curves: &[(Curve, Points)]) {
    for round in 1..=ROUNDS {
        let factor = if round == 1 { 1.05 } else { 0.95 };
        case.runs.push(Run {
            kind,
            round,
            steal: 0.0,
            figures: figures
                .iter()
                .map(|(metric, value)| (*metric, value * factor))
                .collect(),
            curves: curves.iter().cloned().collect::<BTreeMap<_, _>>(),
        });
    }
}

fn produce() -> Vec<CaseResults> {
    use Metric::{CpuPerGb, GeneratorCpuPerGb, PeakMemory, Produced};
    let mut usual = case(
        "produce-64k-8p-4c",
        "8 partitions, 4 connections",
        "Produce, 64 KiB batches",
    );
    let figures = |produced, cpu, memory| {
        [
            (Produced, produced),
            (CpuPerGb, cpu),
            (PeakMemory, memory),
            (GeneratorCpuPerGb, 0.4),
        ]
    };
    add(&mut usual, Kind::Kafka, &figures(200.0, 5.0, 1_100.0), &[]);
    add(
        &mut usual,
        Kind::KafkaFlushing,
        &figures(150.0, 8.0, 1_200.0),
        &[],
    );
    add(&mut usual, Kind::Firn, &figures(500.0, 1.0, 110.0), &[]);
    let mut one = case(
        "produce-64k-1p-1c",
        "1 partitions, 1 connections",
        "Produce, 64 KiB batches",
    );
    add(&mut one, Kind::Kafka, &figures(100.0, 6.0, 1_000.0), &[]);
    add(&mut one, Kind::Firn, &figures(150.0, 1.5, 90.0), &[]);
    let mut stolen = one.runs[0].clone();
    stolen.steal = 0.5;
    stolen.figures.insert(Produced, 1.0);
    one.runs.push(stolen);
    vec![usual, one]
}

/// Five groups, one of which is of an S3 log.
pub fn results() -> Results {
    use Metric::{AckP50, AckP99, DeliveryP99, Fetched, Produced};
    let mut cases = produce();
    let mut ack = case(
        "ack-50-mb",
        "50 MB/s in <64 KiB> batches & more",
        "Latency of acknowledgements",
    );
    for (kind, fastest, growth) in [
        (Kind::Kafka, 0.5, 2.8),
        (Kind::KafkaFlushing, 3.0, 2.2),
        (Kind::Firn, 1.1, 1.75),
    ] {
        let figures = [(AckP50, fastest * 1.2), (AckP99, fastest * 4.0)];
        add(
            &mut ack,
            kind,
            &figures,
            &[(Curve::Acknowledged, curve(fastest, growth))],
        );
    }
    cases.push(ack);
    let mut tail = case("tail-50-1", "50 MB/s, 1 consumer", "Tail");
    for (kind, fastest) in [(Kind::Kafka, 1.2), (Kind::Firn, 0.4)] {
        let curves = [
            (Curve::Acknowledged, curve(fastest, 2.0)),
            (Curve::Delivered, curve(fastest * 1.5, 2.1)),
        ];
        add(&mut tail, kind, &[(DeliveryP99, fastest * 6.0)], &curves);
    }
    cases.push(tail);
    let mut objects = case(
        "catch-up-objects-1",
        "from objects, 1 readers",
        "Catch-up from objects",
    );
    add(&mut objects, Kind::Firn, &[(Fetched, 700.0)], &[]);
    cases.push(objects);
    let mut s3 = case("s3-produce", "produce, full speed", "Log in S3");
    add(&mut s3, Kind::FirnObject, &[(Produced, 80.0)], &[]);
    cases.push(s3);
    let fact = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let broker = |kind, version: &str, command: &str| (kind, fact(version, command));
    Results {
        setting: Setting {
            facts: vec![
                fact("day", "2026-11-25"),
                fact("processors", "2 of an invented model"),
            ],
            brokers: BTreeMap::from([
                broker(Kind::Kafka, "4.3.0", "java kafka.Kafka | tee <log>"),
                broker(Kind::Firn, "9df1058", "firn dev"),
            ]),
        },
        cases,
    }
}
