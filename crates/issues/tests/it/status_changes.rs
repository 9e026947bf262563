//! What a status change does to an issue (`reference/issue-platform.md` §8).

use nuthatch_issues::{ActivityKind, DropReason, MessageResult, RefuseReason, Status, Substatus};
use nuthatch_protocol::{EventId, IssueId, Occurrence, Priority, StatusChange};
use serde_json::{Value, json};

use crate::{
    make::{NOW, Route, error, hash, seconds, status_change},
    state::State,
};

const FIRST: IssueId = IssueId(1);

/// A state with one issue of low priority, after some changes of its status.
fn state_after(changes: &[(i64, Option<i64>)]) -> State {
    let mut state = State::with_projects(&[1]);
    state.one(Occurrence { priority: Some(Priority::Low), ..error(1, &[1]) }.routed(), NOW);
    for (number, (status, substatus)) in (100..).zip(changes) {
        let result = state.one(status_change(number, &[1], *status, *substatus).routed(), NOW);
        assert_eq!(result, MessageResult::StatusChanged(FIRST));
    }
    state.activities.clear();
    state
}

fn kinds(state: &State) -> Vec<ActivityKind> {
    state.activities.iter().map(|activity| activity.kind).collect()
}

#[test]
fn resolving_needs_no_substatus() {
    let mut state = state_after(&[]);
    let mut change = status_change(2, &[9, 1], 1, None);
    change.activity_data = Some(json!({ "by": "monitor" }));
    assert_eq!(state.one(change.routed(), seconds(9)), MessageResult::StatusChanged(FIRST));
    let issue = &state.issues[&FIRST];
    assert_eq!((issue.status, issue.substatus, issue.resolved_at), (Status::Resolved, None, Some(seconds(9))));
    assert_eq!(kinds(&state), [ActivityKind::SetResolved]);
    assert_eq!(state.activities[0].data, json!({ "by": "monitor" }));
    assert!(!state.hashes.contains_key(&(issue.project_id, hash(9))), "a status change claims no hash");
}

#[test]
fn archived_issues_are_not_resolved() {
    let mut state = state_after(&[(1, None)]);
    for (number, substatus) in [(1, 1), (2, 4), (3, 5)] {
        let result = state.one(status_change(number + 10, &[1], 2, Some(substatus)).routed(), NOW);
        assert_eq!(result, MessageResult::StatusChanged(FIRST));
        let issue = &state.issues[&FIRST];
        assert_eq!((issue.status, issue.resolved_at), (Status::Ignored, None));
        assert_eq!(issue.substatus, Substatus::from_number(substatus));
    }
    assert_eq!(kinds(&state), [ActivityKind::SetIgnored; 3]);
    assert_eq!(state.activities[0].data, Value::Null);
}

#[test]
fn escalating_takes_an_issue_from_the_archive_one_priority_up() {
    let mut state = state_after(&[(2, Some(1))]);
    state.one(status_change(2, &[1], 0, Some(2)).routed(), NOW);
    assert_eq!(state.issues[&FIRST].substatus, Some(Substatus::Escalating));
    assert_eq!(state.issues[&FIRST].priority, Priority::Medium);
    assert_eq!(kinds(&state), [ActivityKind::SetEscalating, ActivityKind::SetPriority]);
    assert_eq!(state.activities[1].data, json!({ "priority": "medium", "reason": "escalating" }));
}

#[test]
fn going_on_after_escalating_restores_the_priority() {
    let mut state = state_after(&[(2, Some(1)), (0, Some(2))]);
    state.one(status_change(2, &[1], 0, Some(3)).routed(), NOW);
    assert_eq!(state.issues[&FIRST].substatus, Some(Substatus::Ongoing));
    assert_eq!(state.issues[&FIRST].priority, Priority::Low);
    assert_eq!(kinds(&state), [ActivityKind::AutoSetOngoing, ActivityKind::SetPriority]);
    assert_eq!(state.activities[1].data, json!({ "priority": "low", "reason": "ongoing" }));
}

#[test]
fn a_locked_priority_stays() {
    let mut state = state_after(&[(2, Some(1))]);
    state.issues.get_mut(&FIRST).unwrap().priority_locked_at = Some(NOW);
    state.one(status_change(2, &[1], 0, Some(2)).routed(), NOW);
    state.issues.get_mut(&FIRST).unwrap().priority = Priority::High;
    state.one(status_change(3, &[1], 0, Some(3)).routed(), NOW);
    assert_eq!(state.issues[&FIRST].priority, Priority::High);
    assert_eq!(kinds(&state), [ActivityKind::SetEscalating, ActivityKind::AutoSetOngoing]);
}

#[test]
fn regressing_and_reopening() {
    for (substatus, kind) in [(6, ActivityKind::SetRegression), (3, ActivityKind::SetUnresolved)] {
        let mut state = state_after(&[(1, None)]);
        let before = state.issues[&FIRST].clone();
        state.one(status_change(2, &[1], 0, Some(substatus)).routed(), seconds(100));
        let issue = &state.issues[&FIRST];
        assert_eq!(issue.substatus, Substatus::from_number(substatus));
        assert_eq!(kinds(&state), [kind]);
        assert_eq!(
            (issue.last_seen, issue.active_at, issue.times_seen),
            (before.last_seen, before.active_at, before.times_seen)
        );
    }
}

#[test]
fn what_has_no_effect_says_why() {
    for (status, substatus, reason) in [
        (0, Some(7), DropReason::StatusUnchanged),
        (0, None, DropReason::MissingSubstatus),
        (2, None, DropReason::MissingSubstatus),
        (1, Some(3), DropReason::UnexpectedSubstatus),
        (5, Some(3), DropReason::UnexpectedSubstatus),
        (2, Some(3), DropReason::InvalidSubstatus),
        (2, Some(99), DropReason::InvalidSubstatus),
        (0, Some(1), DropReason::InvalidSubstatus),
        (0, Some(2), DropReason::NotApplicable),
    ] {
        let mut state = state_after(&[]);
        let before = state.issues.clone();
        let result = state.one(status_change(2, &[1], status, substatus).routed(), NOW);
        assert_eq!(result, MessageResult::Dropped(reason), "{status} {substatus:?}");
        assert_eq!((&state.issues, state.activities.len()), (&before, 0));
    }
    let mut state = state_after(&[(1, None)]);
    let result = state.one(status_change(2, &[1], 0, Some(7)).routed(), NOW);
    assert_eq!(result, MessageResult::Dropped(DropReason::InvalidSubstatus), "nothing becomes new again");
}

#[test]
fn an_unsupported_status_is_refused() {
    let mut state = state_after(&[]);
    for status in [3, -1, 9] {
        let result = state.one(status_change(2, &[1], status, None).routed(), NOW);
        assert_eq!(result, MessageResult::Refused(RefuseReason::UnsupportedStatus(status)));
    }
    let result = state.one(status_change(2, &[7], 3, None).routed(), NOW);
    assert_eq!(result, MessageResult::Dropped(DropReason::IssueNotFound), "looked up first");
}

#[test]
fn a_change_is_handled_once_whatever_its_id_looks_like() {
    let mut state = state_after(&[]);
    let spelled = |id: &str| StatusChange { id: id.to_owned(), ..status_change(0, &[1], 1, None) };
    let batch = [
        spelled("A71226EC-B9C6-585D-3365-D7F7773C6A53").at(0),
        spelled("a71226ecb9c6585d3365d7f7773c6a53").at(1),
        spelled("not a uuid").at(2),
        spelled("not a uuid").at(3),
    ];
    let unchanged = MessageResult::Dropped(DropReason::StatusUnchanged);
    let expected = [MessageResult::StatusChanged(FIRST), MessageResult::Duplicate, unchanged, MessageResult::Duplicate];
    assert_eq!(state.process(&batch, NOW).results, expected);
    let id: EventId = "a71226ecb9c6585d3365d7f7773c6a53".parse().unwrap();
    assert!(state.handled.keys().any(|key| key.id == id));
}

#[test]
fn order_inside_a_batch_is_kept() {
    let mut state = state_after(&[]);
    let mut later = error(50, &[1]);
    later.event.timestamp = seconds(60);
    let batch = [status_change(2, &[1], 1, None).routed(), later.routed()];
    let results = state.process(&batch, NOW).results;
    assert_eq!(results, [MessageResult::StatusChanged(FIRST), MessageResult::Regressed(FIRST)]);
    assert_eq!(kinds(&state), [ActivityKind::SetResolved, ActivityKind::SetRegression]);
}
