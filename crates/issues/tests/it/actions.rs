//! What a person does to issues.

use nuthatch_issues::{
    Action, ActivityKind, Assignee, Cause, Changes, Needs, Rule, Status, Substatus,
    action::{Archive, Until},
    apply_action, forecast,
};
use nuthatch_protocol::{IssueId, Priority, UserId};
use serde_json::{Value, json};

use crate::{
    make::{NOW, PROJECT, Route, error, error_at, seconds},
    state::State,
};

const FIRST: IssueId = IssueId(1);
const ANNA: UserId = UserId(7);

fn act(state: &mut State, action: Action) -> Changes {
    let ids = [FIRST, IssueId(99), FIRST];
    let snapshot = state.snapshot(&Needs { issues: ids.to_vec(), projects: [PROJECT].into(), ..Needs::default() });
    let changes = apply_action(&action, Cause::User { id: ANNA }, &snapshot, &ids, seconds(5));
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
        assert_eq!((activity.cause, activity.at), (Cause::User { id: ANNA }, seconds(5)));
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

/// An error of a user, as one more event of the issue.
fn seen(state: &mut State, number: u32, user: &str, at: i64) {
    let mut event = error(number, &[1]);
    event.event.user = Some(user.to_owned());
    state.one(event.routed(), seconds(at));
}

/// Whether the issue is archived after each of these events, given by user and time.
fn archived_after(until: Until, events: &[(&str, i64)]) -> Vec<bool> {
    let mut state = State::with_projects(&[1]);
    seen(&mut state, 0, "known", 0);
    act(&mut state, Action::Archive(Archive::Until(until)));
    let after = (1..).zip(events).map(|(number, (user, at))| {
        seen(&mut state, number, user, *at);
        state.issues[&FIRST].status == Status::Ignored
    });
    after.collect()
}

#[test]
fn an_issue_comes_back_with_the_event_that_meets_a_condition() {
    let none = Until::default();
    let events = Until { events: Some(3), ..none };
    assert_eq!(archived_after(events, &[("a", 6), ("a", 7), ("a", 8)]), [true, true, false]);
    let time = Until { time: Some(seconds(60)), ..none };
    assert_eq!(archived_after(time, &[("a", 59), ("a", 60)]), [true, false]);
    let users = Until { users: Some(2), ..none };
    assert_eq!(archived_after(users, &[("known", 6), ("a", 7), ("a", 8), ("b", 9)]), [true, true, true, false]);
    let either = Until { users: Some(5), events: Some(1), ..none };
    assert_eq!(archived_after(either, &[("known", 6)]), [false]);
}

#[test]
fn conditions_with_a_window_forget() {
    // A window of an hour is counted by the minute, one of a day in parts of 24 minutes.
    let hourly = Until { events: Some(3), event_window_mins: Some(60), ..Until::default() };
    assert_eq!(archived_after(hourly, &[("a", 60), ("a", 120), ("a", 3720), ("a", 3721)]), [true, true, true, true]);
    assert_eq!(archived_after(hourly, &[("a", 60), ("a", 1800), ("a", 3599)]), [true, true, false]);
    let daily = Until { events: Some(2), event_window_mins: Some(24 * 60), ..Until::default() };
    assert_eq!(archived_after(daily, &[("a", 60), ("a", 25 * 3600), ("a", 40 * 3600)]), [true, true, false]);
    let users = Until { users: Some(2), user_window_mins: Some(10), ..Until::default() };
    let seen = [("known", 10), ("known", 20), ("a", 620), ("a", 630), ("b", 1000)];
    assert_eq!(archived_after(users, &seen), [true, true, true, true, false], "whoever it is");
    assert_eq!(archived_after(users, &[("known", 10), ("a", 20)]), [true, false], "a known user counts, too");
}

#[test]
fn an_archived_issue_escalates_above_its_forecast() {
    let mut state = State::with_projects(&[1]);
    let hour = NOW.hours();
    let mut number = 0;
    let mut come = |state: &mut State, count: u32, hours: i64| {
        for _ in 0..count {
            number += 1;
            let at = (hour + hours) * 3600 - NOW.secs();
            state.one(error_at(number, &[1], at).routed(), seconds(at));
        }
        state.issues[&FIRST].status
    };
    come(&mut state, 8, 0);
    let snapshot = state.snapshot(&Needs { issues: vec![FIRST], projects: [PROJECT].into(), ..Needs::default() });
    let archived = seconds((hour + 1) * 3600 - NOW.secs());
    let archive = Action::Archive(Archive::UntilEscalating);
    state.apply(&apply_action(&archive, Cause::System, &snapshot, &[FIRST], archived));
    assert_eq!(come(&mut state, 30, 1), Status::Ignored, "the hour of the archiving does not count against it");
    // The busiest hour had 30: up to 60 are expected.
    assert_eq!(come(&mut state, 60, 2), Status::Ignored);
    assert_eq!(come(&mut state, 1, 2), Status::Unresolved);
    let issue = &state.issues[&FIRST];
    assert_eq!((issue.substatus, issue.priority), (Some(Substatus::Escalating), Priority::High));
    let [escalated, prioritised] = &state.activities[1..] else { panic!("{:?}", state.activities) };
    assert_eq!((escalated.kind, &escalated.data["forecast"]), (ActivityKind::SetEscalating, &json!(60)));
    assert_eq!((escalated.cause, prioritised.cause), (Cause::Rule { rule: Rule::Forecast }, escalated.cause));
}

#[test]
fn a_forecast_looks_at_fourteen_days_and_at_the_time_until_the_archiving() {
    let day = NOW.hours().div_euclid(24) * 24;
    let at = |hour: i64| nuthatch_protocol::Timestamp::from_secs(hour * 3600);
    let cases = [
        (vec![], day, 10),
        (vec![(day - 1, 4)], day - 50, 10),
        (vec![(day - 1, 40), (day - 14 * 24, 70), (day - 14 * 24 - 1, 900)], day - 50, 140),
        (vec![(day - 1, 40), (day, 900)], day - 50, 80),
        (vec![(day - 1, 40), (day, 50), (day + 1, 900)], day, 100),
    ];
    for (counts, archived, expected) in cases {
        assert_eq!(forecast(counts.clone(), at(archived), at(day + 3)), expected, "{counts:?}");
    }
}

#[test]
fn choosing_the_present_priority_locks_it_without_a_word() {
    let mut state = state();
    let changes = act(&mut state, Action::SetPriority(Priority::Medium));
    assert_eq!((changes.updated.len(), changes.activities.len()), (1, 0));
    assert_eq!(state.issues[&FIRST].priority_locked_at, Some(seconds(5)));
}
