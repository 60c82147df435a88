//! How the brokers of a cell share what a cluster may send and receive. Apart from I/O.
//!
//! About once a second each broker tells the others what the cluster's clients want of it, in bytes a second. From what it has heard
//! each computes its own share: brokers that want little get that, and the rest goes to those that want more, in proportion. Where
//! less is wanted than there is, what is left over is divided equally, so that nobody waits who begins to want more.
//!
//! A broker always has its floor, a quarter of an equal part, whatever the others want. So with all of them hearing each other the
//! shares in use add up to the limit, but for brokers that want more than they said: together these use at most a quarter of the
//! limit above it, until the others have heard ([`FRESH`] at most). For a broker of which nothing was heard an equal part is set
//! aside; who hears nobody has an equal part itself. Brokers that do not hear each other therefore never exceed the limit together.

use std::collections::HashMap;
use std::time::Duration;

use firn_catalog::ids::{ClusterId, IncarnationId};

use super::bucket::Nanos;

/// How long what a broker has said holds.
pub(super) const FRESH: Duration = Duration::from_secs(4);
/// The part of an equal part that each broker always has.
const FLOOR: f64 = 0.25;
/// What a broker wants that makes its clients wait: so much more than they get.
const GROWTH: f64 = 1.5;

/// What is wanted of one broker, in bytes a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Demand {
    pub(crate) ingress: f64,
    pub(crate) egress: f64,
}

/// What is wanted next, after a time in which `used` bytes a second were taken of a `share`.
pub(super) fn demand(before: f64, used: f64, share: f64, throttled: bool) -> f64 {
    match throttled {
        true => used.max(share) * GROWTH,
        // One quiet second is no sign that nothing is wanted.
        false => used.max(before / 2.0),
    }
}

/// The part of `limit` for a broker that wants `own`, where others want `heard`, and of `unheard` more nothing is known.
pub(super) fn share(limit: f64, own: f64, heard: &[f64], unheard: usize) -> f64 {
    let brokers = (1 + heard.len() + unheard) as f64;
    let equal = limit / brokers;
    let floor = equal * FLOOR;
    let pot = limit - equal * unheard as f64;
    let wants = || heard.iter().copied().chain([own]);
    let first = |wanted: f64| wanted.min(floor);
    let left = pot - wants().map(first).sum::<f64>();
    let unmet: f64 = wants().map(|wanted| wanted - first(wanted)).sum();
    let share = if unmet <= left {
        own + (left - unmet) / (1 + heard.len()) as f64
    } else {
        first(own) + left * (own - first(own)) / unmet
    };
    share.max(floor)
}

/// What the others have said.
#[derive(Debug, Default)]
pub(super) struct Heard(HashMap<IncarnationId, Report>);

#[derive(Debug)]
struct Report {
    at: Nanos,
    demands: HashMap<ClusterId, Demand>,
}

impl Heard {
    /// A broker says what is wanted of it; of clusters that it does not name, nothing.
    pub(super) fn hear(
        &mut self,
        from: IncarnationId,
        demands: impl IntoIterator<Item = (ClusterId, Demand)>,
        now: Nanos,
    ) {
        let demands = demands.into_iter().collect();
        self.0.insert(from, Report { at: now, demands });
    }

    /// Forgets brokers that are not among these.
    pub(super) fn retain(&mut self, live: &[IncarnationId]) {
        self.0.retain(|broker, _| live.contains(broker));
    }

    /// What others, that are live, want of a cluster, and of how many nothing is known.
    pub(super) fn of(
        &self,
        cluster: ClusterId,
        others: &[IncarnationId],
        now: Nanos,
    ) -> (Vec<Demand>, usize) {
        let fresh = |broker: &&IncarnationId| {
            let report = self.0.get(broker)?;
            let age = Duration::from_nanos(u64::try_from(now.saturating_sub(report.at)).unwrap_or(0));
            (age <= FRESH).then(|| report.demands.get(&cluster).copied().unwrap_or_default())
        };
        let heard: Vec<Demand> = others.iter().filter_map(|broker| fresh(&broker)).collect();
        let unheard = others.len() - heard.len();
        (heard, unheard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: f64 = 1_000.0;

    /// What each of these brokers has as its share, with all hearing each other.
    fn shares(wants: &[f64]) -> Vec<f64> {
        let others = |at: usize| -> Vec<f64> {
            let others = wants.iter().enumerate().filter(|(other, _)| *other != at);
            others.map(|(_, wanted)| *wanted).collect()
        };
        (0..wants.len())
            .map(|at| share(LIMIT, wants[at], &others(at), 0))
            .collect()
    }

    fn in_use(wants: &[f64]) -> f64 {
        shares(wants)
            .iter()
            .zip(wants)
            .map(|(share, want)| share.min(*want))
            .sum()
    }

    #[test]
    fn one_broker_has_all_and_idle_ones_have_equal_parts() {
        assert_eq!(shares(&[5.0]), [LIMIT]);
        assert_eq!(shares(&[0.0, 0.0, 0.0, 0.0]), [250.0; 4]);
    }

    #[test]
    fn whoever_wants_all_has_what_the_others_leave() {
        let all = shares(&[10_000.0, 0.0, 0.0]);
        assert!((all[0] - LIMIT).abs() < 1e-6, "{all:?}");
        assert!((all[1] - LIMIT / 12.0).abs() < 1e-6, "the floor: {all:?}");
    }

    #[test]
    fn for_any_number_of_brokers_the_shares_in_use_keep_the_limit_and_each_has_its_floor() {
        let mut seed = 7_u64;
        let mut number = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 40) as f64 % 3_000.0
        };
        for round in 0..5_000 {
            let brokers = 1 + round % 12;
            let wants: Vec<f64> = (0..brokers)
                .map(|_| if number() < 1_000.0 { 0.0 } else { number() })
                .collect();
            let floor = LIMIT / f64::from(brokers) * FLOOR;
            assert!(in_use(&wants) <= LIMIT + 1e-6, "{wants:?}");
            assert!(
                shares(&wants).iter().all(|share| *share >= floor - 1e-9),
                "{wants:?}"
            );
            let wanted: f64 = wants.iter().sum();
            assert!(
                in_use(&wants) >= wanted.min(LIMIT) - 1e-6,
                "nothing is wasted: {wants:?}"
            );
            let all: f64 = shares(&wants).iter().sum();
            assert!(
                all <= LIMIT * (1.0 + FLOOR) + 1e-6,
                "even if all use what they have: {wants:?}"
            );
        }
    }

    #[test]
    fn brokers_that_hear_nobody_have_equal_parts_and_an_equal_part_is_set_aside_for_one_unheard() {
        assert_eq!(share(LIMIT, 9_999.0, &[], 3), LIMIT / 4.0);
        let two = share(LIMIT, 9_999.0, &[9_999.0], 1);
        assert!((2.0 * two + LIMIT / 3.0 - LIMIT).abs() < 1e-6, "{two}");
    }

    #[test]
    fn what_was_said_grows_old_and_brokers_that_are_gone_are_forgotten() {
        let (one, other) = (IncarnationId(1), IncarnationId(2));
        let wanted = Demand {
            ingress: 5.0,
            egress: 6.0,
        };
        let mut heard = Heard::default();
        heard.hear(one, [(ClusterId(9), wanted)], 0);
        assert_eq!(heard.of(ClusterId(9), &[one, other], 1), (vec![wanted], 1));
        assert_eq!(heard.of(ClusterId(8), &[one], 1), (vec![Demand::default()], 0));
        let late = Nanos::try_from(FRESH.as_nanos()).unwrap() + 1;
        assert_eq!(heard.of(ClusterId(9), &[one], late), (vec![], 1));
        heard.retain(&[other]);
        assert_eq!(heard.of(ClusterId(9), &[one], 1), (vec![], 1));
    }

    #[test]
    fn demand_grows_while_clients_wait_until_the_broker_has_what_they_want() {
        let (mut share_a, mut wanted) = (LIMIT / 2.0, 0.0);
        let mut rounds = 0;
        while share_a < 0.99 * LIMIT {
            wanted = demand(wanted, share_a, share_a, true);
            share_a = share(LIMIT, wanted, &[0.0], 0);
            rounds += 1;
            assert!(rounds < 10);
        }
        assert_eq!(demand(100.0, 0.0, LIMIT, false), 50.0);
    }
}
