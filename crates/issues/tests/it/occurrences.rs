//! What an occurrence does to issues (`reference/issue-platform.md` §7, §14).

use nuthatch_issues::{ActivityKind, DropReason, MessageResult, RefuseReason, Status, Substatus};
use nuthatch_protocol::{EventPath, IssueId, Level, Occurrence, Priority, ProjectId, TypeId};
use serde_json::json;

use crate::{
    make::{CRON, NOW, PROJECT, Route, error, error_at, hash, seconds, status_change},
    state::State,
};

const FIRST: IssueId = IssueId(1);

fn state() -> State {
    State::with_projects(&[1, 2])
}

#[test]
fn a_first_occurrence_creates_an_issue_that_owns_all_its_hashes() {
    let mut state = state();
    let mut occurrence = error(1, &[1, 2, 1]);
    occurrence.event.release = Some("1.0".to_owned());
    occurrence.event.user = Some("id:7".to_owned());
    occurrence.event.metadata.insert("type".to_owned(), json!("ValueError"));
    occurrence.culprit = "c".repeat(201);
    assert_eq!(state.one(occurrence.routed(), NOW), MessageResult::Created(FIRST));
    state.check();

    let issue = &state.issues[&FIRST];
    assert_eq!((issue.status, issue.substatus), (Status::Unresolved, Some(Substatus::New)));
    assert_eq!((issue.priority, issue.initial_priority), (Priority::Medium, Priority::Medium));
    assert_eq!((issue.times_seen, issue.user_count, issue.short_id), (1, 1, 1));
    assert_eq!((issue.first_seen, issue.last_seen, issue.active_at), (NOW, NOW, NOW));
    assert_eq!((issue.first_release.as_deref(), issue.last_release.as_deref()), (Some("1.0"), Some("1.0")));
    assert_eq!(issue.culprit, format!("{}...", "c".repeat(197)));
    assert_eq!(serde_json::to_value(&issue.metadata).unwrap(), json!({ "type": "ValueError" }));
    assert_eq!(state.hashes.len(), 2);
    assert!(state.hashes.values().all(|owner| *owner == Some(FIRST)));
    assert_eq!(state.activities, [], "a creation writes none");
}

#[test]
fn a_finding_puts_title_and_subtitle_into_the_metadata_and_takes_the_priority_of_its_type() {
    let mut state = state();
    state.one(Occurrence { type_id: CRON, path: EventPath::Full, ..error(1, &[1]) }.routed(), NOW);
    let issue = &state.issues[&FIRST];
    assert_eq!(issue.priority, Priority::High);
    assert_eq!(serde_json::to_value(&issue.metadata).unwrap(), json!({ "title": "ValueError: bad", "value": "bad" }));
    assert_eq!(issue.search_text, "ValueError: bad parse in app");
}

#[test]
fn the_first_owned_hash_decides_and_unowned_ones_are_attached() {
    let mut state = state();
    state.one(error(1, &[1]).routed(), NOW);
    state.one(error(2, &[2]).routed(), NOW);
    // 3 is new, 2 is owned by the second issue, 1 by the first.
    assert_eq!(state.one(error(3, &[3, 2, 1]).routed(), NOW), MessageResult::Updated(IssueId(2)));
    assert_eq!(state.hashes[&(PROJECT, hash(3))], Some(IssueId(2)));
    assert_eq!(state.hashes[&(PROJECT, hash(1))], Some(FIRST), "an owned hash stays where it is");
}

#[test]
fn hashes_of_projects_are_apart() {
    let mut state = state();
    let other = Occurrence { project_id: ProjectId(2), ..error(1, &[1]) };
    let outcome = state.process(&[error(1, &[1]).routed(), other.routed()], NOW);
    assert_eq!(outcome.results, [MessageResult::Created(FIRST), MessageResult::Created(IssueId(2))]);
    assert_eq!(state.issues[&IssueId(2)].short_id, 1);
}

#[test]
fn dead_hashes_are_skipped_and_revived() {
    let mut state = state();
    state.one(error(1, &[1]).routed(), NOW);
    state.hashes.insert((PROJECT, hash(8)), None);
    state.hashes.insert((PROJECT, hash(9)), None);
    assert_eq!(state.one(error(2, &[8, 1]).routed(), NOW), MessageResult::Updated(FIRST));
    assert_eq!(state.hashes[&(PROJECT, hash(8))], Some(FIRST));
    assert_eq!(state.one(error(3, &[9]).routed(), NOW), MessageResult::Created(IssueId(2)));
    assert_eq!(state.hashes[&(PROJECT, hash(9))], Some(IssueId(2)));
}

#[test]
fn an_update_follows_the_newest_event() {
    let mut state = state();
    state.one(error(1, &[1]).routed(), NOW);
    let mut next = error_at(2, &[1], -3600);
    next.title = "ValueError: worse".to_owned();
    next.culprit = String::new();
    next.level = Level::Fatal;
    next.event.metadata.insert("value".to_owned(), json!("worse"));
    next.event.release = Some("0.9".to_owned());
    next.event.platform = "node".to_owned();
    next.event.logger = Some("root".to_owned());
    next.event.unhandled = true;
    assert_eq!(state.one(next.routed(), NOW), MessageResult::Updated(FIRST));
    state.check();

    let issue = &state.issues[&FIRST];
    assert_eq!((issue.first_seen, issue.last_seen, issue.active_at), (seconds(-3600), NOW, NOW));
    assert_eq!((issue.title.as_str(), issue.culprit.as_str(), issue.level), ("ValueError: worse", "", Level::Fatal));
    assert_eq!(issue.platform, "python", "the first event's");
    assert_eq!(issue.logger.as_deref(), Some("root"));
    assert_eq!((issue.first_release.as_deref(), issue.last_release.as_deref()), (None, Some("0.9")));
    assert_eq!(issue.metadata["value"], "worse");
    assert!(issue.unhandled);
    assert_eq!(state.hours.len(), 2, "each event counts in its own hour");
}

#[test]
fn a_placeholder_never_replaces_a_real_title() {
    let mut state = state();
    let path = EventPath::Full;
    let titled =
        |number, title: &str| Occurrence { title: title.to_owned(), type_id: CRON, path, ..error(number, &[1]) };
    state.one(titled(1, "<unlabeled event>").routed(), NOW);
    state.one(titled(2, "Missed").routed(), NOW);
    state.one(titled(3, "<unlabeled event>").routed(), NOW);
    let issue = &state.issues[&FIRST];
    assert_eq!((issue.title.as_str(), &issue.metadata["title"]), ("Missed", &json!("Missed")));
}

#[test]
fn a_later_event_regresses_a_resolved_issue() {
    let mut state = state();
    state.one(error(1, &[1]).routed(), NOW);
    state.one(status_change(2, &[1], 1, None).routed(), NOW);
    let mut again = error_at(3, &[1], 60);
    again.event.release = Some("1.1".to_owned());
    let event_id = again.event_id;
    assert_eq!(state.one(again.routed(), seconds(61)), MessageResult::Regressed(FIRST));
    state.check();
    let issue = &state.issues[&FIRST];
    assert_eq!((issue.status, issue.substatus), (Status::Unresolved, Some(Substatus::Regressed)));
    assert_eq!((issue.active_at, issue.last_seen, issue.resolved_at), (seconds(60), seconds(60), None));
    let activity = state.activities.last().unwrap();
    assert_eq!((activity.kind, activity.at), (ActivityKind::SetRegression, seconds(61)));
    assert_eq!(activity.data, json!({ "event_id": event_id, "version": "1.1" }));
}

#[test]
fn an_event_within_five_seconds_of_the_beginning_does_not_regress() {
    for (at, regresses) in [(5, false), (6, true)] {
        let mut state = state();
        state.one(error(1, &[1]).routed(), NOW);
        state.one(status_change(2, &[1], 1, None).routed(), NOW);
        let result = state.one(error_at(3, &[1], at).routed(), NOW);
        assert_eq!(matches!(result, MessageResult::Regressed(_)), regresses, "{at} s");
    }
}

#[test]
fn events_never_bring_an_issue_back_from_the_archive() {
    let mut state = state();
    state.one(error(1, &[1]).routed(), NOW);
    state.one(status_change(2, &[1], 2, Some(5)).routed(), NOW);
    assert_eq!(state.one(error_at(3, &[1], 600).routed(), NOW), MessageResult::Updated(FIRST));
    assert_eq!(state.issues[&FIRST].substatus, Some(Substatus::ArchivedForever));
}

#[test]
fn only_an_explicit_priority_changes_an_issue_and_a_locked_one_stays() {
    let mut state = state();
    state.one(Occurrence { priority: Some(Priority::High), ..error(1, &[1]) }.routed(), NOW);
    assert_eq!(state.issues[&FIRST].initial_priority, Priority::High);
    state.one(error(2, &[1]).routed(), NOW);
    assert_eq!(state.issues[&FIRST].priority, Priority::High, "silence keeps it");
    state.one(Occurrence { priority: Some(Priority::Low), ..error(3, &[1]) }.routed(), NOW);
    assert_eq!(state.issues[&FIRST].priority, Priority::Low);
    assert_eq!(state.activities.len(), 1);
    assert_eq!(state.activities[0].kind, ActivityKind::SetPriority);
    assert_eq!(state.activities[0].data, json!({ "priority": "low", "reason": "issue_platform" }));

    state.issues.get_mut(&FIRST).unwrap().priority_locked_at = Some(NOW);
    state.one(Occurrence { priority: Some(Priority::High), ..error(4, &[1]) }.routed(), NOW);
    assert_eq!((state.issues[&FIRST].priority, state.activities.len()), (Priority::Low, 1));
}

#[test]
fn an_occurrence_counts_once() {
    let mut state = state();
    // The second differs in its hashes, and is the same occurrence all the same.
    let batch = [error(1, &[1]).at(0), error(1, &[2]).at(1)];
    let outcome = state.process(&batch, NOW);
    assert_eq!(outcome.results, [MessageResult::Created(FIRST), MessageResult::Duplicate]);
    let again = state.process(&batch, NOW);
    assert_eq!(again.results, [MessageResult::Duplicate; 2]);
    assert_eq!(again.changes, nuthatch_issues::Changes::default());
    assert_eq!(again.counters.duplicates, 2);
    let other = Occurrence { project_id: ProjectId(2), ..error(1, &[1]) };
    assert_eq!(state.one(other.routed(), NOW), MessageResult::Created(IssueId(2)), "ids are per project");
}

#[test]
fn another_types_issue_is_never_joined() {
    let mut state = state();
    state.one(error(1, &[1]).routed(), NOW);
    let finding = Occurrence { type_id: CRON, ..error(2, &[2, 1]) };
    let dropped = MessageResult::Dropped(DropReason::TypeMismatch);
    assert_eq!(state.one(finding.clone().routed(), NOW), dropped);
    assert_eq!(state.one(finding.routed(), NOW), MessageResult::Duplicate, "a drop is remembered");
    assert_eq!((state.issues[&FIRST].times_seen, state.hashes.len()), (1, 1));
}

#[test]
fn a_refused_message_costs_nobody_else_and_may_come_again() {
    let mut state = state();
    let stray = Occurrence { project_id: ProjectId(9), ..error(1, &[1]) };
    let odd = Occurrence { type_id: TypeId(1017), ..error(2, &[1]) };
    let outcome = state.process(&[stray.routed(), odd.routed(), error(2, &[1]).routed()], NOW);
    let [first, second, third] = outcome.results[..] else { panic!("three results") };
    assert_eq!(first, MessageResult::Refused(RefuseReason::UnknownProject));
    assert_eq!(second, MessageResult::Refused(RefuseReason::UnknownType(TypeId(1017))));
    assert_eq!(third, MessageResult::Created(FIRST));
    assert_eq!(outcome.counters.refused, [("invalid_payload", 1), ("unknown_project", 1)].into());
    assert_eq!(state.one(error(3, &[]).routed(), NOW), MessageResult::Refused(RefuseReason::NoHashes));
}
