//! A seed means one run and no other.

use firn_log::planted::Mistake;
use firn_simulation::run;

#[test]
fn the_same_seed_gives_the_same_trace_byte_for_byte() {
    for seed in 0..20 {
        let (first, second) = (run(seed, None, false), run(seed, None, false));
        assert!(
            first.trace.1 > 300,
            "seed {seed} does hardly anything: {:?}",
            first.trace
        );
        assert_eq!(
            (first.trace, first.tail),
            (second.trace, second.tail),
            "seed {seed}"
        );
    }
}

#[test]
fn a_failing_seed_fails_again_in_the_same_way() {
    let play = || run(2, Some(Mistake::ExistsIsSuccess), false);
    let (first, second) = (play(), play());
    assert_ne!(first.violations, []);
    assert_eq!((first.violations, first.trace), (second.violations, second.trace));
}

#[test]
fn another_seed_gives_another_run() {
    assert_ne!(run(0, None, false).trace, run(1, None, false).trace);
}
