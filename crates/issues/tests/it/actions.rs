//! What a person does to issues.

use nuthatch_issues::{
    Action, ActivityKind, Assignee, Changes, Needs, Status, Substatus, action::Archive, apply_action,
};
use nuthatch_protocol::{IssueId, Priority, UserId};
use serde_json::{Value, json};

use crate::{
    make::{NOW, PROJECT, Route, error, seconds},
    state::State,
};

const FIRST: IssueId = IssueId(1);
const ANNA: UserId = UserId(7);

fn act(state: &mut State, action: Action) -> Changes {
    let ids = [FIRST, IssueId(99), FIRST];
    let snapshot = state.snapshot(&Needs { issues: ids.to_vec(), projects: [PROJECT].into(), ..Needs::default() });
    let changes = apply_action(&action, Some(ANNA), &snapshot, &ids, seconds(5));
    state.apply(&changes);
    changes
}

fn state() -> State {
    let mut state = State::with_projects(&[1]);
    state.one(error(1, &[1]).routed(), NOW);
    state
}

#[test]
fn each_action_writes_an_activity_and_a_second_time_nothing() {
    let assign = Action::Assign(Assignee::User(UserId(8)));
    for (action, kind, data) in [
        (Action::Archive(Archive::Forever), ActivityKind::SetIgnored, Value::Null),
        (Action::Archive(Archive::UntilEscalating), ActivityKind::SetIgnored, json!({ "ignoreUntilEscalating": true })),
        (Action::Resolve, ActivityKind::SetResolved, Value::Null),
        (Action::Unresolve, ActivityKind::SetUnresolved, Value::Null),
        (assign, ActivityKind::Assigned, json!({ "assignee": "8", "assigneeType": "user" })),
        (Action::Unassign, ActivityKind::Unassigned, Value::Null),
        (Action::SetPriority(Priority::High), ActivityKind::SetPriority, json!({ "priority": "high" })),
    ] {
        let mut state = state();
        match action {
            Action::Unresolve => drop(act(&mut state, Action::Resolve)),
            Action::Unassign => drop(act(&mut state, assign)),
            _ => {}
        }
        let changes = act(&mut state, action);
        assert_eq!((changes.updated.len(), changes.activities.len()), (1, 1), "{action:?}");
        let activity = &changes.activities[0];
        assert_eq!((activity.kind, &activity.data), (kind, &data));
        assert_eq!((activity.user_id, activity.at), (Some(ANNA), seconds(5)));
        assert_eq!(act(&mut state, action), Changes::default(), "{action:?} again");
    }
}

#[test]
fn resolve_archive_and_back() {
    let mut state = state();
    act(&mut state, Action::Resolve);
    assert_eq!(state.issues[&FIRST].resolved_at, Some(seconds(5)));
    act(&mut state, Action::Archive(Archive::UntilEscalating));
    let issue = &state.issues[&FIRST];
    assert_eq!((issue.status, issue.substatus), (Status::Ignored, Some(Substatus::ArchivedUntilEscalating)));
    assert_eq!(issue.resolved_at, None);
    act(&mut state, Action::Unresolve);
    assert_eq!(state.issues[&FIRST].substatus, Some(Substatus::Ongoing));
}

#[test]
fn choosing_the_present_priority_locks_it_without_a_word() {
    let mut state = state();
    let changes = act(&mut state, Action::SetPriority(Priority::Medium));
    assert_eq!((changes.updated.len(), changes.activities.len()), (1, 0));
    assert_eq!(state.issues[&FIRST].priority_locked_at, Some(seconds(5)));
}
