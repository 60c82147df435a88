//! Runs the rules of the commands on SQLite and PostgreSQL.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

#[macro_use]
mod cell;
mod certificates;
mod postgres;
mod rules;

mod on {
    on_both! {
        rules:
        acls_are_made_each_by_itself_and_told_once,
        an_acl_that_is_there_is_made_without_a_change,
        a_check_of_acls_changes_nothing,
        acls_are_deleted_by_what_filters_mean,
        acls_are_deleted_by_their_ids,
        a_batch_of_acls_is_one_change_and_a_check_of_it_says_the_same,
        a_cluster_has_so_many_acls_and_a_request_names_so_many,
        an_image_of_acls_that_was_folded_is_the_image_that_is_loaded,
        acls_are_changed_by_those_who_may_alter_the_cluster_alone,
        commands_obey_acls_and_an_address_counts,
        what_rules_a_cluster_goes_by_bindings_that_another_process_has_just_written,
        without_the_image_that_it_had_a_process_obeys_super_users_alone,
        a_user_with_acls_only_uses_commands_as_far_as_they_go,
        whom_a_cluster_trusts_is_no_matter_of_acls,
        acls_of_a_deleted_cluster_go_with_it,
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
        quotas_change_key_by_key_and_are_gone_without_any,
        an_entity_whose_quotas_cannot_be_changes_nothing_and_the_others_change,
        a_check_of_quotas_and_what_is_so_already_tell_nothing,
        quotas_of_many_entities_are_one_change_with_an_audit_row_each,
        quotas_change_in_the_version_that_was_read_and_go_by_their_id,
        a_changed_quota_is_told_with_what_it_was,
        a_cluster_has_quotas_for_so_many_entities,
        quotas_are_changed_by_those_who_configure_the_cluster_alone,
        quotas_of_a_deleted_cluster_go_with_it,
        a_pool_is_made_changed_and_removed_and_each_is_told_with_what_it_was,
        a_pool_that_does_not_do_is_refused_where_it_is_wrong,
        revocation_lists_are_told_with_what_they_hold,
        an_authority_is_in_one_pool_and_there_are_so_many_pools,
        pools_are_changed_by_those_who_say_whom_the_cluster_trusts_alone,
        usage_that_is_written_again_counts_once,
        usage_adds_up_over_brokers_principals_and_time,
        usage_is_read_page_by_page,
        old_minutes_become_hours_with_the_same_sums,
        a_stranger_sees_no_usage_and_no_difference,
        the_first_master_key_leaves_its_mark_for_good,
        networks_of_a_cluster_change_as_a_whole_and_are_told_with_what_they_were,
        networks_of_a_cluster_are_changed_by_those_who_say_whom_it_trusts_alone,
    }
}
