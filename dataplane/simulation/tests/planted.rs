//! The checker is tested by mistakes that are known to lose, duplicate or leave behind something: each must be caught, by a rule that
//! says what went wrong.

use firn_log::planted::Mistake;
use firn_simulation::checker::Rule;
use firn_simulation::run;

/// How many seeds a mistake may survive.
const SEEDS: u64 = 200;

/// Plays seeds until one of `rules` is broken.
fn caught(mistake: Mistake, rules: &[Rule]) {
    let mut others = Vec::new();
    for seed in 0..SEEDS {
        for violation in run(seed, Some(mistake), false).violations {
            if rules.contains(&violation.rule) {
                return;
            }
            others.push(violation.rule);
        }
    }
    others.sort();
    others.dedup();
    panic!("{mistake:?} survives {SEEDS} seeds; only {others:?} were broken");
}

#[test]
fn a_slot_acknowledged_before_an_earlier_one_is_caught() {
    caught(
        Mistake::AckBeforeEarlier,
        &[
            Rule::AcknowledgedPastFence,
            Rule::Lost,
            Rule::TwoValuesAtOneOffset,
        ],
    );
}

#[test]
fn a_duplicate_answered_before_its_original_counts_is_caught() {
    caught(
        Mistake::AnswerDuplicateEarly,
        &[
            Rule::AcknowledgedPastFence,
            Rule::Lost,
            Rule::TwoValuesAtOneOffset,
        ],
    );
}

#[test]
fn a_slot_number_used_for_other_bytes_is_caught() {
    caught(
        Mistake::ReuseSlotNumber,
        &[Rule::Lost, Rule::TwoValuesAtOneOffset],
    );
}

#[test]
fn slots_freed_before_the_checkpoint_are_caught() {
    caught(
        Mistake::FreeBeforeCheckpoint,
        &[Rule::Lost, Rule::TwoValuesAtOneOffset],
    );
}

#[test]
fn already_exists_taken_for_success_is_caught() {
    caught(
        Mistake::ExistsIsSuccess,
        &[
            Rule::AcknowledgedPastFence,
            Rule::Lost,
            Rule::TwoValuesAtOneOffset,
        ],
    );
}

#[test]
fn a_deleted_fence_is_caught() {
    caught(
        Mistake::DeleteFence,
        &[
            Rule::AcknowledgedPastFence,
            Rule::Lost,
            Rule::TwoValuesAtOneOffset,
        ],
    );
}

#[test]
fn records_counted_twice_by_retention_are_caught() {
    caught(Mistake::CountTwice, &[Rule::LogStart]);
}

#[test]
fn slots_left_behind_are_caught() {
    caught(Mistake::LeaveSlots, &[Rule::Leak]);
}
