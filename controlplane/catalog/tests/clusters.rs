//! Runs the rules of clusters' lives on SQLite and PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

#[macro_use]
mod cell;
mod lives;
mod postgres;

mod on {
    on_both! {
        lives:
        a_new_cluster_is_in_both_stores_in_the_feed_and_in_both_audit_trails,
        a_chosen_slug_that_is_taken_is_refused_and_a_made_up_one_is_not,
        what_a_cluster_may_not_be_is_refused_and_leaves_nothing,
        a_rehearsal_checks_everything_and_keeps_nothing,
        one_of_many_creators_gets_the_slug,
        an_organization_has_so_many_clusters_however_they_are_asked_for,
        roles_decide_who_makes_changes_and_sees_clusters,
        foreign_is_as_absent,
        a_list_shows_what_its_reader_may_see_filtered_and_page_by_page,
        an_update_names_the_version_that_it_changes,
        limits_are_in_force_once_they_are_stored,
        a_suspended_cluster_takes_no_commands_until_it_is_resumed,
        a_protected_cluster_is_not_deleted,
        a_deleted_cluster_comes_back_as_it_was_within_its_window,
        after_its_window_a_cluster_does_not_come_back_and_is_purged,
        a_purge_that_broke_off_goes_on,
        what_a_crash_left_between_the_stores_is_finished,
        an_older_version_changes_nothing,
        what_is_being_deleted_is_not_made_in_the_cell,
        clusters_of_an_organization_share_what_it_may_have,
        rates_of_clusters_that_were_made_before_there_were_any_count_as_usual,
        the_image_follows_a_clusters_life,
        a_change_is_in_force_once_every_broker_serves_it,
        a_broker_that_is_not_heard_of_counts_until_it_is_sealed,
        a_report_wakes_who_waits_for_it,
        a_report_takes_nothing_back_and_only_open_brokers_count,
        writers_and_denials_at_once_leave_a_chain_without_a_gap,
        what_a_broker_tells_twice_is_written_once,
        a_trail_is_filtered_and_goes_back_to_before_its_chain,
        a_trail_is_shown_to_those_who_may_see_audits,
        each_piece_of_a_chain_verifies_alone,
        an_organizations_chain_begins_behind_what_was_there,
        a_change_leaves_the_difference_that_it_made,
        the_audit_topic_is_of_one_kind_only,
    }
}
