//! What every adapter of the metadata ports must do. Each check takes a store that is empty and its own.

mod accounts;
mod archived;
mod dead_letters;
mod files;
mod fixture;
mod issue_types;
mod listing;
mod message_queue;
mod monitors;
mod outcomes;
mod project_facts;
mod project_tokens;
mod projects;
mod sessions;
mod settlements;
mod teams;
mod transact;

pub use self::{
    accounts::{accounts_are_unique_by_address, sessions_end, set_up_links_work_once, tokens_belong_to_accounts},
    archived::{awaited_users_are_known, hours_of_the_archived_are_read},
    dead_letters::{
        letters_are_known_by_their_source, letters_are_listed_newest_first, letters_are_removed_and_expire,
        replays_wait_until_they_are_done, the_oldest_letters_go_beyond_the_bounds,
    },
    files::{
        attachments_of_all_events_are_one_list, attachments_of_traces_are_listed_by_trace, files_are_forgotten_by_day,
        files_are_kept_once, files_are_listed_newest_first, the_newest_report_counts,
    },
    fixture::{Place, issue, letter},
    issue_types::{
        built_in_types_are_changed_and_reset, definitions_are_bounded, issue_types_are_defined, types_with_issues_stay,
    },
    listing::{lists_agree_with_a_plain_filter, lists_keep_to_their_organization},
    message_queue::messages_wait_in_order,
    monitors::{
        check_ins_wait_for_their_monitor, monitors_and_environments_are_bounded, monitors_are_made_by_check_ins,
        runs_are_limited_and_listed, runs_end_once, waiting_check_ins_are_bounded,
    },
    outcomes::{
        damage_shows_in_the_books, outcomes_age, outcomes_are_summed_as_asked, outcomes_move_with_their_effects,
    },
    project_facts::{environments_are_bounded_and_forgotten, facts_come_with_what_shows_them},
    project_tokens::project_tokens_belong_to_projects,
    projects::{
        changes_meet_what_is_stored, configuration_has_a_version, keys_open_projects, members_have_roles,
        quotas_belong_to_organizations, slugs_are_unique,
    },
    sessions::{
        counted_sessions_count_once, releases_are_listed, releases_are_made_and_changed, sessions_age,
        sessions_are_summed_as_asked,
    },
    settlements::{batches_are_settled_once, items_count_once, sums_have_a_bound},
    teams::{teams_are_made_changed_and_removed, teams_have_members_and_projects},
    transact::{
        activities_come_newest_first, changes_are_applied, counters_add_up, hashes_keep_their_order,
        jobs_find_what_is_due, lives_are_written_down, organizations_and_projects_have_rules,
        positions_move_with_changes, refused_changes_leave_nothing, retention_forgets_whole_hours, rules_remember,
        snapshots_hold_what_was_asked, users_are_counted_once,
    },
};

use crate::MetaStore;

/// Runs every check, each on a store of its own.
pub async fn all<S: MetaStore>(mut fresh: impl FnMut() -> S) {
    accounts_are_unique_by_address(&fresh()).await;
    sessions_end(&fresh()).await;
    tokens_belong_to_accounts(&fresh()).await;
    set_up_links_work_once(&fresh()).await;
    slugs_are_unique(&fresh()).await;
    members_have_roles(&fresh()).await;
    changes_meet_what_is_stored(&fresh()).await;
    keys_open_projects(&fresh()).await;
    quotas_belong_to_organizations(&fresh()).await;
    configuration_has_a_version(&fresh()).await;
    project_tokens_belong_to_projects(&fresh()).await;
    facts_come_with_what_shows_them(&fresh()).await;
    environments_are_bounded_and_forgotten(&fresh()).await;
    issue_types_are_defined(&fresh()).await;
    built_in_types_are_changed_and_reset(&fresh()).await;
    types_with_issues_stay(&fresh()).await;
    definitions_are_bounded(&fresh()).await;
    snapshots_hold_what_was_asked(&fresh()).await;
    rules_remember(&fresh()).await;
    organizations_and_projects_have_rules(&fresh()).await;
    lives_are_written_down(&fresh()).await;
    jobs_find_what_is_due(&fresh()).await;
    changes_are_applied(&fresh()).await;
    refused_changes_leave_nothing(&fresh()).await;
    positions_move_with_changes(&fresh()).await;
    users_are_counted_once(&fresh()).await;
    counters_add_up(&fresh()).await;
    hashes_keep_their_order(&fresh()).await;
    activities_come_newest_first(&fresh()).await;
    retention_forgets_whole_hours(&fresh()).await;
    lists_agree_with_a_plain_filter(&fresh()).await;
    lists_keep_to_their_organization(&fresh()).await;
    letters_are_known_by_their_source(&fresh()).await;
    letters_are_listed_newest_first(&fresh()).await;
    replays_wait_until_they_are_done(&fresh()).await;
    letters_are_removed_and_expire(&fresh()).await;
    the_oldest_letters_go_beyond_the_bounds(&fresh()).await;
    outcomes_are_summed_as_asked(&fresh()).await;
    outcomes_age(&fresh()).await;
    outcomes_move_with_their_effects(&fresh()).await;
    damage_shows_in_the_books(&fresh()).await;
    messages_wait_in_order(&fresh()).await;
    files_are_kept_once(&fresh()).await;
    files_are_listed_newest_first(&fresh()).await;
    attachments_of_all_events_are_one_list(&fresh()).await;
    attachments_of_traces_are_listed_by_trace(&fresh()).await;
    the_newest_report_counts(&fresh()).await;
    files_are_forgotten_by_day(&fresh()).await;
    teams_are_made_changed_and_removed(&fresh()).await;
    teams_have_members_and_projects(&fresh()).await;
    awaited_users_are_known(&fresh()).await;
    batches_are_settled_once(&fresh()).await;
    items_count_once(&fresh()).await;
    sums_have_a_bound(&fresh()).await;
    monitors_are_made_by_check_ins(&fresh()).await;
    check_ins_wait_for_their_monitor(&fresh()).await;
    waiting_check_ins_are_bounded(&fresh()).await;
    runs_end_once(&fresh()).await;
    runs_are_limited_and_listed(&fresh()).await;
    monitors_and_environments_are_bounded(&fresh()).await;
    hours_of_the_archived_are_read(&fresh()).await;
    sessions_are_summed_as_asked(&fresh()).await;
    sessions_age(&fresh()).await;
    counted_sessions_count_once(&fresh()).await;
    releases_are_listed(&fresh()).await;
    releases_are_made_and_changed(&fresh()).await;
}
