//! The platform as plainly as it can be said: one message at a time, on the whole state. Slow, serial, and what the
//! engine is held against.

use nuthatch_issues::{
    Activity, ActivityKind, DropReason, Issue, IssueType, MessageResult, RefuseReason, Routed, Status, Substatus,
};
use nuthatch_protocol::{Hash, IssueId, Message, Occurrence, Priority, ProjectId, StatusChange, Timestamp, TypeId};
use serde_json::{Value, json};

use crate::state::State;

pub(crate) fn handle(state: &mut State, routed: &Routed, now: Timestamp) -> MessageResult {
    let (project, id, hashes) = match &routed.message {
        Message::Occurrence(occurrence) => (occurrence.project_id, occurrence.id, &occurrence.hashes),
        Message::StatusChange(change) => (change.project_id, change.id.parse().unwrap(), &change.hashes),
    };
    if !state.projects.contains_key(&project) {
        return MessageResult::Refused(RefuseReason::UnknownProject);
    }
    if state.counted.contains_key(&(project, id)) {
        return MessageResult::Duplicate;
    }
    let owner = hashes.iter().find_map(|hash| state.hashes.get(&(project, *hash)).copied().flatten());
    let result = match &routed.message {
        Message::Occurrence(occurrence) => occurred(state, occurrence, owner, now),
        Message::StatusChange(change) => changed(state, change, owner, now),
    };
    if !matches!(result, MessageResult::Refused(_)) {
        state.counted.insert((project, id), (routed.position.unwrap(), now));
    }
    result
}

fn occurred(state: &mut State, occurrence: &Occurrence, owner: Option<IssueId>, now: Timestamp) -> MessageResult {
    let Some(issue_type) = IssueType::built_in().iter().find(|known| known.id == occurrence.type_id) else {
        return MessageResult::Refused(RefuseReason::UnknownType(occurrence.type_id));
    };
    let project = occurrence.project_id;
    let at = occurrence.event.timestamp;
    let result = match owner {
        Some(id) if state.issues[&id].type_id != occurrence.type_id => {
            return MessageResult::Dropped(DropReason::TypeMismatch);
        }
        Some(id) => {
            let regressed = repeated(state, id, occurrence, now);
            if regressed { MessageResult::Regressed(id) } else { MessageResult::Updated(id) }
        }
        None => {
            let short_id = state.projects.get_mut(&project).unwrap();
            *short_id += 1;
            let id = IssueId(state.issues.len() as u64 + 1);
            let issue = first(occurrence, id, *short_id, issue_type.default_priority);
            state.issues.insert(id, issue);
            MessageResult::Created(id)
        }
    };
    let (MessageResult::Created(id) | MessageResult::Updated(id) | MessageResult::Regressed(id)) = result else {
        unreachable!()
    };
    own(state, project, &occurrence.hashes, id);
    *state.hours.entry((id, at.secs().div_euclid(3600))).or_default() += 1;
    if let Some(user) = &occurrence.event.user {
        // Users of the histories are numbers; any one-to-one mapping would do, this is the engine's.
        let known = state.users.insert((id, super::histories::user_number(user)));
        state.issues.get_mut(&id).unwrap().user_count += u64::from(known);
    }
    result
}

fn first(occurrence: &Occurrence, id: IssueId, short_id: u64, default: Priority) -> Issue {
    let event = &occurrence.event;
    let priority = occurrence.priority.unwrap_or(default);
    let mut metadata = event.metadata.clone();
    if occurrence.type_id != TypeId::ERROR {
        metadata.insert("title".to_owned(), json!(occurrence.title));
        metadata.insert("value".to_owned(), json!(occurrence.subtitle));
    }
    Issue {
        id,
        project_id: occurrence.project_id,
        short_id,
        type_id: occurrence.type_id,
        status: Status::Unresolved,
        substatus: Some(Substatus::New),
        priority,
        priority_locked_at: None,
        initial_priority: priority,
        level: occurrence.level,
        platform: event.platform.clone(),
        logger: None,
        title: occurrence.title.clone(),
        culprit: occurrence.culprit.clone(),
        event_type: event.event_type.clone(),
        metadata,
        search_text: format!("{} {} {}", event.search_text, occurrence.title, occurrence.culprit),
        first_seen: event.timestamp,
        last_seen: event.timestamp,
        active_at: event.timestamp,
        resolved_at: None,
        times_seen: 1,
        user_count: 0,
        first_release: event.release.clone(),
        last_release: event.release.clone(),
        assignee: None,
        unhandled: false,
    }
}

fn repeated(state: &mut State, id: IssueId, occurrence: &Occurrence, now: Timestamp) -> bool {
    let event = &occurrence.event;
    let issue = state.issues.get_mut(&id).unwrap();
    issue.times_seen += 1;
    issue.first_seen = issue.first_seen.min(event.timestamp);
    issue.last_seen = issue.last_seen.max(event.timestamp);
    issue.level = occurrence.level;
    issue.culprit.clone_from(&occurrence.culprit);
    if occurrence.title != "<untitled>" {
        issue.title.clone_from(&occurrence.title);
    }
    issue.search_text = format!("{} {} {}", event.search_text, occurrence.title, occurrence.culprit);
    for (key, value) in &event.metadata {
        issue.metadata.insert(key.clone(), value.clone());
    }
    if occurrence.type_id != TypeId::ERROR {
        issue.metadata.insert("title".to_owned(), json!(issue.title));
        issue.metadata.insert("value".to_owned(), json!(occurrence.subtitle));
    }
    if event.release.is_some() && (issue.last_release.is_none() || issue.last_seen == event.timestamp) {
        issue.last_release.clone_from(&event.release);
    }
    let regressed = issue.status == Status::Resolved && issue.active_at.0 < issue.last_seen.0 - 5_000_000;
    if regressed {
        issue.status = Status::Unresolved;
        issue.substatus = Some(Substatus::Regressed);
        issue.resolved_at = None;
        issue.active_at = issue.last_seen;
        let version = event.release.clone().unwrap_or_default();
        let data = json!({ "event_id": occurrence.event_id, "version": version });
        note(state, id, ActivityKind::SetRegression, data, now);
    }
    if let Some(priority) = occurrence.priority {
        prioritise(state, id, priority, "issue_platform", now);
    }
    regressed
}

fn changed(state: &mut State, change: &StatusChange, owner: Option<IssueId>, now: Timestamp) -> MessageResult {
    let Some(id) = owner else { return MessageResult::Dropped(DropReason::IssueNotFound) };
    let issue = state.issues.get_mut(&id).unwrap();
    let old = issue.substatus.map(|substatus| i64::from(substatus.number()));
    if (i64::from(issue.status.number()), old) == (change.new_status, change.new_substatus) {
        return MessageResult::Dropped(DropReason::StatusUnchanged);
    }
    let kind = match (change.new_status, change.new_substatus) {
        (0 | 2, None) => return MessageResult::Dropped(DropReason::MissingSubstatus),
        (1, None) => ActivityKind::SetResolved,
        (status, None) => return MessageResult::Refused(RefuseReason::UnsupportedStatus(status)),
        (2, Some(1 | 4 | 5)) => ActivityKind::SetIgnored,
        (0, Some(2)) if old.is_some_and(|old| [1, 4, 5].contains(&old)) => ActivityKind::SetEscalating,
        (0, Some(2)) => return MessageResult::Dropped(DropReason::NotApplicable),
        (0, Some(6)) => ActivityKind::SetRegression,
        (0, Some(3)) if old == Some(2) => ActivityKind::AutoSetOngoing,
        (0, Some(3)) => ActivityKind::SetUnresolved,
        (0 | 2, Some(_)) => return MessageResult::Dropped(DropReason::InvalidSubstatus),
        (_, Some(_)) => return MessageResult::Dropped(DropReason::UnexpectedSubstatus),
    };
    issue.status = Status::from_number(change.new_status).unwrap();
    issue.substatus = change.new_substatus.map(|number| Substatus::from_number(number).unwrap());
    issue.resolved_at = (kind == ActivityKind::SetResolved).then_some(now);
    let up = if issue.priority == Priority::Low { Priority::Medium } else { Priority::High };
    let initial = issue.initial_priority;
    note(state, id, kind, Value::Null, now);
    match kind {
        ActivityKind::SetEscalating => prioritise(state, id, up, "escalating", now),
        ActivityKind::AutoSetOngoing => prioritise(state, id, initial, "ongoing", now),
        _ => {}
    }
    MessageResult::StatusChanged(id)
}

fn prioritise(state: &mut State, id: IssueId, priority: Priority, reason: &str, now: Timestamp) {
    let issue = state.issues.get_mut(&id).unwrap();
    if issue.priority != priority && issue.priority_locked_at.is_none() {
        issue.priority = priority;
        note(state, id, ActivityKind::SetPriority, json!({ "priority": priority.as_str(), "reason": reason }), now);
    }
}

fn own(state: &mut State, project: ProjectId, hashes: &[Hash], id: IssueId) {
    for hash in hashes {
        state.hashes.entry((project, *hash)).or_default().get_or_insert(id);
    }
}

fn note(state: &mut State, issue_id: IssueId, kind: ActivityKind, data: Value, at: Timestamp) {
    state.activities.push(Activity { issue_id, kind, data, user_id: None, at });
}
