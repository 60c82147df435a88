//! Runs the rules of the commands on SQLite and PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

#[macro_use]
mod cell;
mod postgres;
mod rules;

mod on {
    on_both! {
        rules:
        the_dev_cluster_is_made_once,
        a_created_topic_has_its_rows_its_feed_entry_and_its_audit_row,
        a_taken_name_and_a_colliding_name_are_told_apart,
        what_a_topic_may_not_be_is_refused_and_leaves_nothing,
        a_validation_changes_nothing,
        limits_of_the_cluster_hold_and_deletion_gives_room,
        without_an_open_broker_there_is_no_topic,
        new_partitions_go_to_the_open_brokers_that_have_the_fewest,
        partitions_are_only_added,
        configs_of_a_topic_change_key_by_key_or_as_a_whole,
        configs_of_a_cluster_change_where_a_running_broker_allows,
        every_command_tells_one_audit_row_and_its_feed_row,
        a_command_without_effect_tells_nothing,
        a_command_whose_audit_or_feed_row_cannot_be_written_changes_nothing,
        every_command_refuses_a_stranger_and_foreign_looks_like_absent,
        many_creators_of_one_name_make_one_topic,
        the_image_follows_every_change,
        an_image_that_was_folded_is_the_image_that_is_loaded,
        a_follower_behind_the_pruned_feed_loads_anew,
        a_thousand_topics_are_folded,
        a_follower_goes_on_past_an_entry_that_it_cannot_read_or_fold,
        a_follower_sees_what_another_process_does,
        usage_that_is_written_again_counts_once,
        usage_adds_up_over_brokers_principals_and_time,
        usage_is_read_page_by_page,
        old_minutes_become_hours_with_the_same_sums,
        a_stranger_sees_no_usage_and_no_difference,
        the_first_master_key_leaves_its_mark_for_good,
    }
}
