//! Accounts of people, on SQLite and PostgreSQL: proofs, passwords, sessions, login providers.

#![allow(clippy::unwrap_used, reason = "a test may panic, and helpers are tests too")]

mod cell;
mod people_rules;
mod postgres;

macro_rules! rules {
    ($($rule:ident,)*) => {
        rules!(@on sqlite: $($rule,)*);
        rules!(@on postgres: $($rule,)*);
    };
    (@on $backend:ident: $($rule:ident,)*) => {
        mod $backend {
            $(
                #[tokio::test]
                async fn $rule() {
                    let cell = crate::cell::Cell::$backend().await;
                    let world = crate::people_rules::World::over(cell.sql()).await;
                    crate::people_rules::$rule(&world).await;
                }
            )*
        }
    };
}

mod on {
    rules! {
        a_signup_makes_a_person_an_organization_and_a_project,
        a_verification_token_works_once_and_for_a_day,
        the_password_of_the_signup_whose_token_comes_back_counts,
        a_verified_person_is_not_touched_by_a_signup,
        an_owners_token_outlives_the_signups_of_strangers,
        a_failed_login_is_as_much_work_with_an_unknown_address,
        a_provider_knows_nothing_of_addresses_that_are_not_invited,
        who_proves_an_address_by_mail_has_it_whatever_a_provider_said,
        a_link_needs_the_login_that_asked_for_it_and_ends_with_the_password,
        an_invitation_is_worth_what_its_inviter_may_do,
        a_denied_name_with_control_characters_is_audited,
        an_organization_has_only_so_many_rows_of_denials_a_minute,
        a_session_ends_after_seven_idle_days_and_thirty_in_all,
        a_session_needs_its_digest_and_is_its_owners_alone,
        a_new_password_ends_the_other_sessions,
        a_password_that_changed_meanwhile_opens_no_session,
        a_reset_ends_every_way_in,
        a_failed_login_is_told_to_the_organizations_of_a_known_person,
        a_rehearsal_keeps_nothing,
        login_providers_are_the_business_of_who_manages_the_organization,
        a_provider_brings_a_viewer_and_never_takes_an_account_over,
        a_link_ends_with_membership_provider_and_issuer,
        linked_logins_are_listed_and_taken_back_by_their_person_alone,
        the_last_way_to_log_in_stays,
        of_two_last_links_that_are_taken_back_at_once_one_stays,
        a_login_of_an_organization_that_is_not_reached_from_there_is_not_listed,
        a_person_has_only_so_many_links,
        of_many_claims_of_a_key_one_is_the_first,
        a_claim_without_an_answer_ends_and_its_holder_stores_nothing_any_more,
        of_two_owners_who_leave_at_once_one_stays,
        of_many_projects_of_one_name_one_is_made,
        the_audit_trail_is_numbered_without_gaps_denials_included,
        an_invitation_is_good_for_its_days_and_rehearsed_ones_for_nothing,
        a_foreign_cluster_and_one_that_is_not_there_are_the_same,
        members_come_from_the_organizations_networks_and_strangers_learn_nothing,
        lists_that_span_organizations_leave_out_what_is_not_reached_from_there,
        nobody_locks_itself_out_without_insisting,
    }
}
