//! Runs the rules of service accounts and credentials on SQLite and PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

#[macro_use]
mod cell;
mod holders;
mod postgres;

mod on {
    on_both! {
        holders:
        a_user_of_kafkas_tools_has_no_role_and_is_found_in_its_cluster_alone,
        a_user_goes_with_its_last_mechanism,
        all_changes_of_a_user_are_made_or_none,
        what_a_user_may_not_be_is_refused_and_a_validation_changes_nothing,
        users_of_a_service_account_are_left_alone_by_kafkas_commands,
        names_of_two_clusters_do_not_meet,
        two_passwords_of_a_user_overlap_and_a_third_is_refused,
        an_expired_password_makes_room_for_another,
        a_generated_name_is_found_without_its_cluster_and_is_in_one_cluster_only,
        a_password_opens_only_for_the_name_that_it_was_made_for,
        who_may_not_manage_credentials_makes_none_and_foreign_is_as_absent,
        an_image_that_was_folded_has_the_credentials_that_are_loaded,
        credentials_go_with_their_cluster,
        a_key_is_in_force_in_both_stores_until_it_is_revoked,
        two_keys_for_a_cluster_are_active_and_a_third_is_refused,
        a_key_ends_when_it_expires,
        a_crash_between_the_stores_is_finished_for_keys,
        a_key_that_is_revoked_while_it_is_put_into_its_cell_is_taken_from_there,
        nobody_issues_a_key_that_can_do_more_than_they_can,
        a_service_account_begins_with_a_role_and_a_name_of_its_own,
        an_update_of_a_service_account_names_the_version_that_it_changes,
        roles_that_change_are_in_force_where_credentials_are,
        a_deleted_service_account_leaves_its_audit_trail_and_nothing_else,
        a_rehearsal_keeps_nothing,
        the_last_use_is_noted_to_the_minute,
        signing_keys_are_ordered_and_old_ones_are_forgotten,
    }
}
