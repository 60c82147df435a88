//! Runs the contract suite of `LogCatalog` on memory, SQLite and PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

mod cell;
mod contract;
mod postgres;

macro_rules! contract {
    ($($rule:ident,)*) => {
        contract!(@on memory: $($rule,)*);
        contract!(@on sqlite: $($rule,)*);
        contract!(@on postgres: $($rule,)*);
    };
    (@on $backend:ident: $($rule:ident,)*) => {
        mod $backend {
            $(
                #[tokio::test]
                async fn $rule() {
                    let cell = crate::cell::Cell::$backend().await;
                    crate::contract::$rule(&cell).await;
                }
            )*
        }
    };
}

mod on {
    contract! {
        an_incarnation_opens_once_and_a_repeat_succeeds,
        a_claimed_incarnation_may_do_nothing_more,
        a_claim_freezes_the_trim_point_and_may_be_repeated,
        a_seal_gives_the_partitions_owned_then_to_the_heir_in_the_next_epoch,
        a_seal_needs_the_claim_a_registered_index_and_an_open_heir,
        of_two_sealers_at_once_one_seals,
        two_incarnations_cannot_claim_each_other,
        drains_run_in_the_order_of_the_seals_and_once,
        a_drain_needs_a_sealed_incarnation_and_registered_objects,
        a_chain_of_takeovers_counts_epochs_and_seal_orders,
        a_checkpoint_makes_registered_objects_live_and_only_rises,
        a_checkpoint_with_an_unregistered_object_changes_nothing,
        an_object_that_is_being_deleted_cannot_be_named,
        an_id_that_another_registered_is_refused,
        a_merge_swaps_objects_at_once_and_may_be_repeated,
        a_merge_of_an_object_that_is_gone_changes_nothing,
        doomed_objects_wait_their_time_and_only_they_are_forgotten,
        registrations_are_abandoned_when_old_and_their_registrar_is_gone,
        only_what_the_caller_registered_and_never_made_live_is_given_up,
        a_registrar_that_is_sealed_may_give_up_what_it_registered,
        thousands_of_objects_go_through_in_one_call,
        a_trim_raises_starts_and_ends_and_never_lowers_them,
        a_trim_of_a_partition_of_another_changes_nothing,
        a_trim_passes_over_partitions_and_objects_that_are_gone,
        a_deleted_topics_partitions_no_longer_exist,
        thousands_of_partitions_are_trimmed_and_taken_over_in_one_call,
    }
}
