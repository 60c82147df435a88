//! Whether a cluster is well, from what its state says, who answers, and what those tell who do.

use std::collections::BTreeSet;

use firn_catalog::account::clusters::{ClusterPhase, ClusterView};
use firn_catalog::image::Image;
use firn_catalog::internal::Load;

use super::bodies::{Health, Status};
use crate::kafka::Told;

/// What a verdict rests on.
struct Facts<'a> {
    phase: ClusterPhase,
    silent: &'a [i32],
    /// Brokers that answer and do not tell.
    untold: &'a [i32],
    answers: usize,
    /// Partitions that no broker of the cell leads.
    leaderless: u64,
    /// Partitions that their leaders do not serve.
    unavailable: u64,
    storage_full: bool,
}

/// Judges.
pub(super) fn judge(cluster: &ClusterView, image: &Image, told: &Told<Load>) -> Health {
    let live: BTreeSet<_> = image.brokers().map(|broker| broker.id).collect();
    let partitions = image
        .topics_of(cluster.id)
        .flat_map(|topic| topic.partitions.iter());
    verdict(&Facts {
        phase: cluster.phase,
        silent: &told.silent,
        untold: &told.untold,
        answers: told.answers.len(),
        leaderless: partitions.filter(|leader| !live.contains(&leader.owner)).count() as u64,
        unavailable: told.answers.iter().map(|load| load.unavailable_partitions).sum(),
        storage_full: told.answers.iter().any(|load| load.storage_full),
    })
}

fn partitions(count: u64) -> String {
    match count {
        1 => "1 partition".to_owned(),
        more => format!("{more} partitions"),
    }
}

fn verdict(facts: &Facts<'_>) -> Health {
    let down = |reason: &str| Health {
        status: Status::Down,
        reasons: vec![reason.to_owned()],
    };
    match facts.phase {
        ClusterPhase::Creating => return down("The cluster is being made."),
        ClusterPhase::Suspended => {
            return down("The cluster is suspended: it serves nothing until it is resumed.");
        }
        ClusterPhase::Deleting => {
            return down("The cluster is deleted: it serves nothing, and goes unless it is undeleted.");
        }
        ClusterPhase::Active if facts.answers == 0 && facts.untold.is_empty() => {
            return down("No broker answers.");
        }
        ClusterPhase::Active => {}
    }
    let mut reasons = Vec::new();
    for node in facts.silent {
        reasons.push(format!(
            "Broker {node} does not answer; what it leads is served again once it is back or another one has taken over."
        ));
    }
    if facts.leaderless > 0 {
        let partitions = partitions(facts.leaderless);
        reasons.push(format!("No broker leads {partitions}."));
    }
    if facts.unavailable > 0 {
        let partitions = partitions(facts.unavailable);
        reasons.push(format!(
            "The broker that leads {partitions} does not serve them yet."
        ));
    }
    if facts.storage_full {
        reasons.push(
            "The cluster holds as many bytes as it may, and takes no more records: raise the limit, or shorten retention."
                .to_owned(),
        );
    }
    let amiss = !reasons.is_empty();
    for node in facts.untold {
        reasons.push(format!(
            "Broker {node} answers, and does not tell how it is: it may be of another version."
        ));
    }
    let status = match (amiss, reasons.is_empty()) {
        (true, _) => Status::Degraded,
        (false, false) => Status::Unknown,
        (false, true) => Status::Ok,
    };
    Health { status, reasons }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Facts<'static> = Facts {
        phase: ClusterPhase::Active,
        silent: &[],
        untold: &[],
        answers: 2,
        leaderless: 0,
        unavailable: 0,
        storage_full: false,
    };

    #[test]
    fn a_cluster_is_well_while_all_of_it_serves() {
        assert_eq!(
            verdict(&WELL),
            Health {
                status: Status::Ok,
                reasons: Vec::new()
            }
        );
    }

    #[test]
    fn each_thing_that_is_amiss_has_its_reason() {
        let health = verdict(&Facts {
            silent: &[3],
            leaderless: 1,
            unavailable: 4,
            storage_full: true,
            ..WELL
        });
        assert_eq!((health.status, health.reasons.len()), (Status::Degraded, 4));
        assert!(health.reasons[0].starts_with("Broker 3 "));
        assert!(health.reasons[1].contains("1 partition."));
        assert!(health.reasons[2].contains("4 partitions"));
    }

    #[test]
    fn what_is_not_known_is_neither_well_nor_amiss() {
        let health = verdict(&Facts {
            untold: &[3],
            answers: 0,
            ..WELL
        });
        assert_eq!((health.status, health.reasons.len()), (Status::Unknown, 1));
        assert!(health.reasons[0].starts_with("Broker 3 answers"));
        let health = verdict(&Facts {
            untold: &[3],
            silent: &[4],
            ..WELL
        });
        assert_eq!((health.status, health.reasons.len()), (Status::Degraded, 2));
    }

    #[test]
    fn what_serves_nothing_is_down_for_one_reason() {
        for phase in [
            ClusterPhase::Creating,
            ClusterPhase::Suspended,
            ClusterPhase::Deleting,
        ] {
            let health = verdict(&Facts {
                phase,
                silent: &[1],
                ..WELL
            });
            assert_eq!(
                (health.status, health.reasons.len()),
                (Status::Down, 1),
                "{phase:?}"
            );
        }
        let silent = verdict(&Facts {
            silent: &[1, 2],
            answers: 0,
            ..WELL
        });
        assert_eq!(silent.status, Status::Down);
    }
}
