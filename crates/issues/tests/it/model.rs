//! The platform as plainly as it can be said: one message at a time, on the whole state. Slow, serial, and what the
//! engine is held against.

use std::collections::BTreeMap;

use md5::{Digest, Md5};
use nuthatch_issues::{
    Activity, ActivityKind, Cause, DropReason, Flood, Issue, IssueType, Job, MessageResult, RefuseReason, Routed, Rule,
    Status, Substatus,
    changes::{EventFate, Handled, Sightings},
    history::{HistoryEntry, HistoryState},
    issue::InboxReason,
    message_key,
    open_period::OpenPeriod,
};
use nuthatch_protocol::{
    EventId, EventPath, Hash, IssueId, Message, Occurrence, Priority, ProjectId, StatusChange, Timestamp,
};
use serde_json::{Value, json};

use crate::state::State;

/// The number under which the engine keeps a user; any one-to-one mapping would do.
fn user_number(user: &str) -> u64 {
    let digest: [u8; 16] = Md5::digest(user.as_bytes()).into();
    u64::from_be_bytes(digest[..8].try_into().unwrap())
}

pub(crate) fn handle(state: &mut State, routed: &Routed, now: Timestamp) -> MessageResult {
    let key = message_key(&routed.message);
    let (project, hashes) = (routed.message.project_id(), routed.message.hashes());
    let is_occurrence = matches!(routed.message, Message::Occurrence(_));
    let is_repeated = |handled: &Handled| is_occurrence || now.0 - handled.at.0 < 300_000_000;
    if state.handled.get(&key).is_some_and(is_repeated) {
        return MessageResult::Duplicate;
    }
    if !state.projects.contains_key(&project) {
        return MessageResult::Refused(RefuseReason::UnknownProject);
    }
    let owner = hashes.iter().find_map(|hash| state.hashes.get(&(project, *hash)).copied().flatten());
    let result = match &routed.message {
        Message::Occurrence(occurrence) => occurred(state, occurrence, owner, now),
        Message::StatusChange(change) => changed(state, change, owner, now),
        Message::Unknown(_) => MessageResult::Dropped(DropReason::UnknownPayloadType),
    };
    let fate = match result {
        MessageResult::Refused(_) => return result,
        MessageResult::Created(_) | MessageResult::Updated(_) | MessageResult::Regressed(_) => EventFate::Counted,
        MessageResult::Sample(_) => EventFate::Sample,
        MessageResult::Thinned(_) => EventFate::Thinned,
        MessageResult::Dropped(DropReason::Noise | DropReason::CreationQuota | DropReason::TypeMismatch) => {
            EventFate::Kept
        }
        _ => EventFate::None,
    };
    state.handled.insert(key, Handled { key, position: routed.position, fate, at: now });
    result
}

fn occurred(state: &mut State, occurrence: &Occurrence, owner: Option<IssueId>, now: Timestamp) -> MessageResult {
    let Some(issue_type) = IssueType::built_in().iter().find(|known| known.id == occurrence.type_id) else {
        return MessageResult::Refused(RefuseReason::UnknownType(occurrence.type_id));
    };
    let project = occurrence.project_id;
    let at = occurrence.event.timestamp;
    let is_error = occurrence.path == EventPath::Error;
    if let Some(limit) = state.options.occurrence_rate_limit.filter(|_| !is_error) {
        let granules = state.occurrences.entry((project, occurrence.hashes[0])).or_default();
        if used(granules, now) >= limit.limit {
            return MessageResult::Dropped(DropReason::RateLimited);
        }
        *granules.entry(now.secs() / 60 * 60).or_default() += 1;
    }
    if occurrence.path == EventPath::Missing {
        return MessageResult::Refused(RefuseReason::EventNotFound(occurrence.event_id));
    }
    let result = match owner {
        Some(id) if state.issues[&id].type_id != occurrence.type_id => MessageResult::Dropped(DropReason::TypeMismatch),
        Some(id) => {
            let before = state.issues[&id].status;
            let number = number_in_flood(state, id, occurrence);
            let regressed = repeated(state, id, occurrence, now);
            let kept = state.options.flood_guard.map_or(u64::MAX, |guard| guard.kept_per_minute);
            match number {
                _ if regressed => MessageResult::Regressed(id),
                number if number <= kept => MessageResult::Updated(id),
                number if (number - kept).is_multiple_of(10) => MessageResult::Sample(id),
                _ if state.issues[&id].status != before => MessageResult::Updated(id),
                _ => {
                    state.issues.get_mut(&id).unwrap().flood.thinned += 1;
                    MessageResult::Thinned(id)
                }
            }
        }
        None => {
            let reason = if is_error { None } else { unwelcome(state, occurrence, issue_type, now) };
            match reason {
                Some(reason) => MessageResult::Dropped(reason),
                None => create(state, occurrence, issue_type, now),
            }
        }
    };
    if let Some(release) = known_release(state, occurrence) {
        state.releases.entry((project, release)).or_insert(at);
    }
    let (MessageResult::Created(id)
    | MessageResult::Updated(id)
    | MessageResult::Regressed(id)
    | MessageResult::Sample(id)
    | MessageResult::Thinned(id)) = result
    else {
        return result;
    };
    own(state, project, &occurrence.hashes, id);
    if matches!(result, MessageResult::Created(_)) {
        number_in_flood(state, id, occurrence);
        count(state, id, occurrence);
    }
    result
}

/// Which event of its minute an error is to its issue; 0 where nobody counts.
fn number_in_flood(state: &mut State, id: IssueId, occurrence: &Occurrence) -> u64 {
    if state.options.flood_guard.is_none() || occurrence.path != EventPath::Error {
        return 0;
    }
    let flood = &mut state.issues.get_mut(&id).unwrap().flood;
    let minute = occurrence.detection_time.0.div_euclid(60_000_000);
    let goes_on = flood.minute - minute == 0 || flood.minute - minute == 1;
    *flood = if goes_on { Flood { events: flood.events + 1, ..*flood } } else { Flood { minute, events: 1, ..*flood } };
    flood.events
}

fn count(state: &mut State, id: IssueId, occurrence: &Occurrence) {
    *state.hours.entry((id, occurrence.event.timestamp.secs().div_euclid(3600))).or_default() += 1;
    if let Some(user) = &occurrence.event.user {
        let known = state.users.insert((id, user_number(user)));
        state.issues.get_mut(&id).unwrap().user_count += u64::from(known);
    }
}

/// Whether an issue comes back from the archive, by which rule, and what is written down about it.
fn comes_back(state: &State, issue: &Issue, event: EventId, now: Timestamp) -> Option<(Rule, Value)> {
    if let Some(snooze) = &issue.snooze {
        let seen = snooze.events.is_some_and(|events| issue.times_seen - snooze.events_before >= events);
        let affected = snooze.users.is_some_and(|users| issue.user_count - snooze.users_before >= users);
        return (seen || affected).then(|| (Rule::Snooze, json!({ "event_id": event, "expired_snooze": snooze })));
    }
    let hour = |at: Timestamp| at.0.div_euclid(3_600_000_000);
    let (present, archived) = (hour(now), hour(issue.state_since));
    if issue.substatus != Some(Substatus::ArchivedUntilEscalating) || archived == present {
        return None;
    }
    let of = |hour: i64| state.hours.get(&(issue.id, hour)).copied().unwrap_or(0);
    let midnight = present - present % 24;
    let busiest = (midnight - 14 * 24..midnight.max(archived + 1)).map(of).max().unwrap_or(0);
    let forecast = (busiest * 2).max(10);
    (of(present) > forecast).then(|| (Rule::Forecast, json!({ "event_id": event, "forecast": forecast })))
}

/// The release of an event. One that the event does not bring itself must have been seen before.
fn known_release(state: &State, occurrence: &Occurrence) -> Option<String> {
    let release = occurrence.event.release.clone()?;
    let brings = matches!(occurrence.path, EventPath::Error | EventPath::Full);
    (brings || state.releases.contains_key(&(occurrence.project_id, release.clone()))).then_some(release)
}

fn search_text(occurrence: &Occurrence) -> String {
    let mut text = occurrence.event.search_text.clone();
    for part in [&occurrence.title, &occurrence.subtitle, &occurrence.culprit] {
        if !text.contains(part.as_str()) {
            text.push(' ');
            text.push_str(part);
        }
    }
    text.trim().to_owned()
}

fn create(state: &mut State, occurrence: &Occurrence, issue_type: &IssueType, now: Timestamp) -> MessageResult {
    let project = occurrence.project_id;
    let short_id = state.projects.get_mut(&project).unwrap();
    *short_id += 1;
    let id = IssueId(state.issues.len() as u64 + 1);
    let short_id = *short_id;
    let release = known_release(state, occurrence);
    let issue = first(occurrence, id, short_id, issue_type.default_priority, release, now);
    state.periods.insert((id, 1), issue.open_period.clone().unwrap());
    state.issues.insert(id, issue);
    *state.created.entry((project, issue_type.id)).or_default().entry(now.secs() / 60 * 60).or_default() += 1;
    MessageResult::Created(id)
}

/// What was used in the hour that ends with this minute.
fn used(granules: &BTreeMap<i64, u64>, now: Timestamp) -> u64 {
    let minute = now.secs() / 60 * 60;
    granules.iter().filter(|(start, _)| (minute - 3599..=minute).contains(*start)).map(|(_, count)| count).sum()
}

/// Why there is no new issue, if there is none.
fn unwelcome(state: &mut State, occurrence: &Occurrence, issue_type: &IssueType, now: Timestamp) -> Option<DropReason> {
    let key = (occurrence.project_id, occurrence.hashes[0]);
    let created = state.created.get(&(occurrence.project_id, issue_type.id)).cloned().unwrap_or_default();
    let is_full = issue_type.creation_quota.is_some_and(|quota| used(&created, now) >= quota.limit);
    let Some(noise) = issue_type.noise else { return is_full.then_some(DropReason::CreationQuota) };
    let before = state.sightings.get(&key).filter(|sightings| sightings.expires > now).map_or(0, |s| s.count);
    let count = before + 1;
    let reason = match count {
        few if few < noise.ignore_limit => Some(DropReason::Noise),
        _ => is_full.then_some(DropReason::CreationQuota),
    };
    match reason {
        Some(_) => state.sightings.insert(key, Sightings { count, expires: Timestamp(now.0 + 86_400_000_000) }),
        None => state.sightings.remove(&key),
    };
    reason
}

fn first(
    occurrence: &Occurrence,
    id: IssueId,
    short_id: u64,
    default: Priority,
    release: Option<String>,
    now: Timestamp,
) -> Issue {
    let event = &occurrence.event;
    let priority = occurrence.priority.unwrap_or(default);
    let mut metadata = event.metadata.clone();
    if occurrence.path != EventPath::Error {
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
        state_since: now,
        priority,
        priority_locked_at: None,
        initial_priority: priority,
        level: occurrence.level,
        platform: event.platform.clone(),
        logger: event.logger.clone(),
        title: occurrence.title.clone(),
        culprit: occurrence.culprit.clone(),
        event_type: event.event_type.clone(),
        metadata,
        search_text: search_text(occurrence),
        first_seen: event.timestamp,
        last_seen: event.timestamp,
        active_at: event.timestamp,
        resolved_at: None,
        times_seen: 1,
        user_count: 0,
        first_release: release.clone(),
        last_release: release,
        assignee: None,
        unhandled: event.unhandled,
        inbox: Some(InboxReason::New),
        resolution: None,
        snooze: None,
        open_period: Some(OpenPeriod {
            number: 1,
            started: event.timestamp,
            ended: None,
            highest_priority: priority,
            event_id: Some(occurrence.event_id),
            ended_by: None,
        }),
        detector_id: None,
        flood: Flood::default(),
    }
}

fn repeated(state: &mut State, id: IssueId, occurrence: &Occurrence, now: Timestamp) -> bool {
    let event = &occurrence.event;
    count(state, id, occurrence);
    let release = known_release(state, occurrence);
    let issue = state.issues.get_mut(&id).unwrap();
    issue.times_seen += 1;
    issue.first_seen = issue.first_seen.min(event.timestamp);
    issue.last_seen = issue.last_seen.max(event.timestamp);
    issue.level = occurrence.level;
    issue.logger.clone_from(&event.logger);
    issue.event_type.clone_from(&event.event_type);
    issue.unhandled |= event.unhandled;
    issue.culprit.clone_from(&occurrence.culprit);
    if occurrence.title != "<untitled>" {
        issue.title.clone_from(&occurrence.title);
    }
    issue.search_text = search_text(occurrence);
    for (key, value) in &event.metadata {
        issue.metadata.insert(key.clone(), value.clone());
    }
    if occurrence.path != EventPath::Error {
        issue.metadata.insert("title".to_owned(), json!(issue.title));
        issue.metadata.insert("value".to_owned(), json!(occurrence.subtitle));
    }
    if release.is_some() && (issue.last_release.is_none() || issue.last_seen == event.timestamp) {
        issue.last_release.clone_from(&release);
    }
    let regressed = issue.status == Status::Resolved && issue.active_at.0 < issue.last_seen.0 - 5_000_000;
    if regressed {
        issue.status = Status::Unresolved;
        issue.substatus = Some(Substatus::Regressed);
        issue.resolved_at = None;
        issue.active_at = issue.last_seen;
        issue.state_since = now;
        issue.inbox.get_or_insert(InboxReason::Regression);
        let former = issue.open_period.as_ref().unwrap();
        let (number, started) = (former.number + 1, now.max(former.ended.unwrap()));
        let highest_priority = issue.priority;
        let period = OpenPeriod { number, started, ended: None, highest_priority, event_id: None, ended_by: None };
        issue.open_period = Some(period.clone());
        state.periods.insert((id, number), period);
        remember(state, id, HistoryState::Regressed, release.clone(), now);
        let version = release.unwrap_or_default();
        let data = json!({ "event_id": occurrence.event_id, "version": version });
        note(state, id, ActivityKind::SetRegression, data, Cause::Occurrence, now);
    }
    let issue = state.issues[&id].clone();
    if issue.status == Status::Ignored
        && let Some((rule, data)) = comes_back(state, &issue, occurrence.event_id, now)
    {
        let issue = state.issues.get_mut(&id).unwrap();
        (issue.status, issue.substatus) = (Status::Unresolved, Some(Substatus::Escalating));
        (issue.state_since, issue.snooze) = (now, None);
        issue.inbox.get_or_insert(InboxReason::Escalating);
        let up = if issue.priority == Priority::Low { Priority::Medium } else { Priority::High };
        let cause = Cause::Rule { rule };
        remember(state, id, HistoryState::Escalating, None, now);
        note(state, id, ActivityKind::SetEscalating, data, cause, now);
        prioritise(state, id, up, "escalating", cause, now);
    }
    if let Some(priority) = occurrence.priority {
        prioritise(state, id, priority, "issue_platform", Cause::Occurrence, now);
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
    let was_resolved = issue.status == Status::Resolved;
    issue.snooze = None;
    issue.status = Status::from_number(change.new_status).unwrap();
    issue.substatus = change.new_substatus.map(|number| Substatus::from_number(number).unwrap());
    issue.state_since = now;
    issue.resolved_at = (kind == ActivityKind::SetResolved).then_some(now);
    let reason = match kind {
        ActivityKind::SetEscalating => Some(InboxReason::Escalating),
        ActivityKind::SetRegression => Some(InboxReason::Regression),
        ActivityKind::SetUnresolved | ActivityKind::AutoSetOngoing => Some(InboxReason::Ongoing),
        _ => None,
    };
    issue.inbox = reason.map(|reason| issue.inbox.unwrap_or(reason));
    let is_unresolved = issue.status == Status::Unresolved;
    let period = issue.open_period.as_mut().unwrap();
    match kind {
        ActivityKind::SetResolved if period.ended.is_none() => period.ended = Some(now.max(period.started)),
        _ if was_resolved && is_unresolved => period.ended = None,
        _ => {}
    }
    state.periods.insert((id, period.number), period.clone());
    let history = match (kind, change.new_substatus) {
        (ActivityKind::SetResolved, _) => HistoryState::Resolved,
        (ActivityKind::SetIgnored, Some(1)) => HistoryState::ArchivedUntilEscalating,
        (ActivityKind::SetIgnored, Some(4)) => HistoryState::ArchivedUntilConditionMet,
        (ActivityKind::SetIgnored, _) => HistoryState::ArchivedForever,
        (ActivityKind::SetEscalating, _) => HistoryState::Escalating,
        (ActivityKind::SetRegression, _) => HistoryState::Regressed,
        _ => HistoryState::Ongoing,
    };
    let issue = &state.issues[&id];
    let up = if issue.priority == Priority::Low { Priority::Medium } else { Priority::High };
    let initial = issue.initial_priority;
    remember(state, id, history, None, now);
    let cause = Cause::Detector { id: change.detector_id };
    note(state, id, kind, Value::Null, cause, now);
    match kind {
        ActivityKind::SetEscalating => prioritise(state, id, up, "escalating", cause, now),
        ActivityKind::AutoSetOngoing => prioritise(state, id, initial, "ongoing", cause, now),
        _ => {}
    }
    MessageResult::StatusChanged(id)
}

/// A week has passed: a new, regressed or escalating issue is one of the known ones.
pub(crate) fn grow_old(state: &mut State, id: IssueId, now: Timestamp) {
    let issue = state.issues.get_mut(&id).unwrap();
    let was = issue.substatus;
    let since = if was == Some(Substatus::New) { issue.first_seen } else { issue.state_since };
    assert!(matches!(was, Some(Substatus::New | Substatus::Regressed | Substatus::Escalating)), "{was:?}");
    assert!(now.secs() - since.secs() >= 7 * 86_400, "it is too young");
    issue.substatus = Some(Substatus::Ongoing);
    issue.state_since = now;
    issue.inbox = None;
    let initial = issue.initial_priority;
    let cause = Cause::Job { job: Job::ToOngoing };
    remember(state, id, HistoryState::Ongoing, None, now);
    note(state, id, ActivityKind::AutoSetOngoing, json!({ "after_days": 7 }), cause, now);
    if was == Some(Substatus::Escalating) {
        prioritise(state, id, initial, "ongoing", cause, now);
    }
}

fn prioritise(state: &mut State, id: IssueId, priority: Priority, reason: &str, cause: Cause, now: Timestamp) {
    let issue = state.issues.get_mut(&id).unwrap();
    if issue.priority != priority && issue.priority_locked_at.is_none() {
        issue.priority = priority;
        let period = issue.open_period.as_mut().unwrap();
        period.highest_priority = period.highest_priority.max(priority);
        state.periods.insert((id, period.number), period.clone());
        let history = match priority {
            Priority::Low => HistoryState::PriorityLow,
            Priority::Medium => HistoryState::PriorityMedium,
            Priority::High => HistoryState::PriorityHigh,
        };
        remember(state, id, history, None, now);
        let data = json!({ "priority": priority.as_str(), "reason": reason });
        note(state, id, ActivityKind::SetPriority, data, cause, now);
    }
}

fn remember(state: &mut State, issue_id: IssueId, entry: HistoryState, release: Option<String>, at: Timestamp) {
    state.history.push(HistoryEntry { issue_id, state: entry, release, user_id: None, at });
}

fn own(state: &mut State, project: ProjectId, hashes: &[Hash], id: IssueId) {
    for hash in hashes {
        state.hashes.entry((project, *hash)).or_default().get_or_insert(id);
    }
}

fn note(state: &mut State, issue_id: IssueId, kind: ActivityKind, data: Value, cause: Cause, at: Timestamp) {
    state.activities.push(Activity { issue_id, kind, data, cause, at });
}
