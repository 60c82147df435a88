//! 200 seeds without a violation, in four parts that run side by side.

use firn_simulation::run;

fn play(seeds: std::ops::Range<u64>) {
    let (mut acknowledged, mut read) = (0, 0);
    for seed in seeds {
        let outcome = run(seed, None, false);
        let tail = outcome.tail.join("\n");
        assert!(
            outcome.violations.is_empty(),
            "{tail}\nseed {seed}: {:#?}\nreplay: cargo run -p firn-simulation --bin firn-sim -- --seed {seed}",
            outcome.violations
        );
        acknowledged += outcome.counts.acknowledged;
        read += outcome.counts.read;
    }
    // A run in which nothing happens proves nothing.
    assert!(
        acknowledged > 10_000 && read > 10_000,
        "{acknowledged} acknowledged, {read} read"
    );
}

#[test]
fn seeds_0_to_49_keep_every_rule() {
    play(0..50);
}

#[test]
fn seeds_50_to_99_keep_every_rule() {
    play(50..100);
}

#[test]
fn seeds_100_to_149_keep_every_rule() {
    play(100..150);
}

#[test]
fn seeds_150_to_199_keep_every_rule() {
    play(150..200);
}
