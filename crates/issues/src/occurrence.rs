//! An occurrence finds or creates its issue (`reference/issue-platform.md` §5, §7).

use nuthatch_protocol::{IssueId, Occurrence, TypeId};
use serde_json::{Map, Value, json};

use crate::{
    ActivityKind, DropReason, Issue, IssueType, MessageResult, RefuseReason, Status, Substatus, ledger::Ledger,
    search_text::search_text,
};

/// Longest [`Issue::culprit`], in characters.
const CULPRIT_MAX: usize = 200;
/// What a culprit that was cut ends with.
const CUT: &str = "...";

/// Titles that only say that there is none.
const PLACEHOLDERS: [&str; 5] = ["", "<unlabeled event>", "<untitled>", "<unknown>", "Error"];

/// Handles an occurrence whose project exists and which was not handled before.
pub(crate) fn process_occurrence_message(ledger: &mut Ledger<'_>, occurrence: &Occurrence) -> MessageResult {
    match ledger.issue_type(occurrence.type_id) {
        Some(issue_type) => save_issue_occurrence(ledger, occurrence, issue_type),
        None => MessageResult::Refused(RefuseReason::UnknownType(occurrence.type_id)),
    }
}

/// Finds the issue by the hashes in order, or creates it; the issue then owns every hash that nobody else does (§7.5).
fn save_issue_occurrence(ledger: &mut Ledger<'_>, occurrence: &Occurrence, issue_type: &IssueType) -> MessageResult {
    let (id, result) = match ledger.first_owner(occurrence.project_id, &occurrence.hashes) {
        Some(id) if ledger.issue(id).type_id != occurrence.type_id => {
            return MessageResult::Dropped(DropReason::TypeMismatch);
        }
        Some(id) if update(ledger, id, occurrence) => (id, MessageResult::Regressed(id)),
        Some(id) => (id, MessageResult::Updated(id)),
        None => {
            let id = ledger.create(new_issue(occurrence, issue_type));
            (id, MessageResult::Created(id))
        }
    };
    ledger.claim(occurrence.project_id, &occurrence.hashes, id);
    ledger.count(id, occurrence.event.timestamp, occurrence.event.user.as_deref());
    result
}

/// The issue of a first occurrence (§7.4). Its ids are given later.
fn new_issue(occurrence: &Occurrence, issue_type: &IssueType) -> Issue {
    let event = &occurrence.event;
    let priority = occurrence.priority.unwrap_or(issue_type.default_priority);
    let mut metadata = event.metadata.clone();
    metadata.extend(own_metadata(occurrence));
    Issue {
        id: IssueId::default(),
        project_id: occurrence.project_id,
        short_id: 0,
        type_id: occurrence.type_id,
        status: Status::Unresolved,
        substatus: Some(Substatus::New),
        priority,
        priority_locked_at: None,
        initial_priority: priority,
        level: occurrence.level,
        platform: event.platform.clone(),
        logger: event.logger.clone(),
        title: occurrence.title.clone(),
        culprit: cut_culprit(&occurrence.culprit),
        event_type: event.event_type.clone(),
        metadata,
        search_text: issue_search_text(occurrence),
        first_seen: event.timestamp,
        last_seen: event.timestamp,
        active_at: event.timestamp,
        resolved_at: None,
        times_seen: 1,
        user_count: 0,
        first_release: event.release.clone(),
        last_release: event.release.clone(),
        assignee: None,
        unhandled: event.unhandled,
    }
}

/// One more occurrence of an issue (§7.6–7.8). Whether it regressed.
fn update(ledger: &mut Ledger<'_>, id: IssueId, occurrence: &Occurrence) -> bool {
    let event = &occurrence.event;
    let issue = ledger.issue_mut(id);
    issue.times_seen = issue.times_seen.saturating_add(1);
    issue.first_seen = issue.first_seen.min(event.timestamp);
    issue.last_seen = issue.last_seen.max(event.timestamp);
    issue.unhandled |= event.unhandled;
    if let Some(release) = &event.release
        && (issue.last_release.is_none() || event.timestamp == issue.last_seen)
    {
        replace(issue.last_release.get_or_insert_default(), release);
    }
    describe(issue, occurrence);

    let regressed = issue.regress(event.timestamp);
    // Only an explicit priority changes an existing issue (§14.19).
    let priority = occurrence.priority.filter(|priority| issue.set_priority(*priority));
    if regressed {
        let version = event.release.as_deref().unwrap_or_default();
        let data = json!({ "event_id": occurrence.event_id, "version": version });
        ledger.note(id, ActivityKind::SetRegression, data);
    }
    if let Some(priority) = priority {
        let data = json!({ "priority": priority.as_str(), "reason": "issue_platform" });
        ledger.note(id, ActivityKind::SetPriority, data);
    }
    regressed
}

/// The newest event decides how an issue looks; a placeholder never replaces a real title (§7.6).
fn describe(issue: &mut Issue, occurrence: &Occurrence) {
    let event = &occurrence.event;
    issue.level = occurrence.level;
    issue.logger.clone_from(&event.logger);
    let culprit = cut_culprit(&occurrence.culprit);
    if issue.culprit != culprit {
        issue.culprit = culprit;
    }
    replace(&mut issue.event_type, &event.event_type);
    let is_worse = |new: &str, old: &str| PLACEHOLDERS.contains(&new) && !PLACEHOLDERS.contains(&old);
    if !is_worse(&occurrence.title, &issue.title) {
        replace(&mut issue.title, &occurrence.title);
    }
    if event.event_type != "transaction" {
        let text = issue_search_text(occurrence);
        if !PLACEHOLDERS.contains(&text.as_str()) {
            issue.search_text = text;
        }
    }
    let own = own_metadata(occurrence);
    let event_metadata = event.metadata.iter().filter(|(key, _)| !own.contains_key(*key));
    for (key, value) in event_metadata.chain(&own) {
        let old = issue.metadata.get(key);
        let keeps = key == "title"
            && is_worse(value.as_str().unwrap_or_default(), old.and_then(Value::as_str).unwrap_or_default());
        if !keeps && old != Some(value) {
            issue.metadata.insert(key.clone(), value.clone());
        }
    }
}

/// What the occurrence itself adds to the metadata of its event. An error's come from the event alone.
fn own_metadata(occurrence: &Occurrence) -> Map<String, Value> {
    let mut own = Map::new();
    if occurrence.type_id != TypeId::ERROR {
        own.insert("title".to_owned(), Value::from(occurrence.title.as_str()));
        own.insert("value".to_owned(), Value::from(occurrence.subtitle.as_str()));
    }
    own
}

fn issue_search_text(occurrence: &Occurrence) -> String {
    search_text(&occurrence.event.search_text, [&occurrence.title, &occurrence.subtitle, &occurrence.culprit])
}

/// At most [`CULPRIT_MAX`] characters, the mark of the cut included.
fn cut_culprit(culprit: &str) -> String {
    if culprit.chars().nth(CULPRIT_MAX).is_none() {
        return culprit.to_owned();
    }
    culprit.chars().take(CULPRIT_MAX - CUT.len()).chain(CUT.chars()).collect()
}

/// Writes a text over another, without new memory where it fits.
fn replace(old: &mut String, new: &str) {
    if old != new {
        new.clone_into(old);
    }
}
