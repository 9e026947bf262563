//! An occurrence finds or creates its issue (`reference/issue-platform.md` §5, §7).

use std::time::Duration;

use nuthatch_protocol::{EventId, EventPath, IssueId, Occurrence, TypeId};
use serde_json::{Map, Value, json};

use crate::{
    DropReason, Flood, Issue, IssueType, MessageResult, RefuseReason, Rule, Status, Substatus,
    changes::Sightings,
    chronicle::Life,
    flood::Keeping,
    ledger::{Ledger, user_hash},
    lifecycle::regresses,
    search_text::search_text,
};

/// Longest [`Issue::culprit`], in characters.
const CULPRIT_MAX: usize = 200;
/// What a culprit that was cut ends with.
const CUT: &str = "...";

/// Titles that only say that there is none.
const PLACEHOLDERS: [&str; 5] = ["", "<unlabeled event>", "<untitled>", "<unknown>", "Error"];

/// Handles an occurrence whose project exists and which was not handled before (§5).
pub(crate) fn process_occurrence_message<'a>(ledger: &mut Ledger<'a>, occurrence: &'a Occurrence) -> MessageResult {
    let project = occurrence.project_id;
    let Some(issue_type) = ledger.batch.issue_type(project, occurrence.type_id) else {
        return MessageResult::Refused(RefuseReason::UnknownType(occurrence.type_id));
    };
    if !issue_type.is_released
        && !ledger.batch.snapshot.organization(project).is_some_and(|org| org.features.contains(&issue_type.feature()))
    {
        return MessageResult::Dropped(DropReason::FeatureDisabled);
    }
    if let Some(quota) = &ledger.batch.options.occurrence_rate_limit
        && occurrence.path != EventPath::Error
        && let Some(hash) = occurrence.hashes.first()
        && !ledger.takes_occurrence(quota, (project, *hash))
    {
        return MessageResult::Dropped(DropReason::RateLimited);
    }
    if occurrence.path == EventPath::Missing {
        return MessageResult::Refused(RefuseReason::EventNotFound(occurrence.event_id));
    }
    ledger.learn_release(occurrence);
    save_issue_occurrence(ledger, occurrence, issue_type)
}

/// Finds the issue by the hashes in order, or creates it; the issue then owns every hash that nobody else does (§7.5).
fn save_issue_occurrence(ledger: &mut Ledger<'_>, occurrence: &Occurrence, issue_type: &IssueType) -> MessageResult {
    let (id, result) = match ledger.first_owner(occurrence.project_id, &occurrence.hashes) {
        Some(id) if ledger.issue(id).type_id != occurrence.type_id => {
            return MessageResult::Dropped(DropReason::TypeMismatch);
        }
        Some(id) => (id, update(ledger, id, occurrence)),
        None => match admit(ledger, occurrence, issue_type) {
            Ok(()) => {
                let id = create(ledger, occurrence, issue_type);
                keep(ledger, id, occurrence);
                (id, MessageResult::Created(id))
            }
            Err(reason) => return MessageResult::Dropped(reason),
        },
    };
    ledger.claim(occurrence.project_id, &occurrence.hashes, id);
    result
}

/// Whether there may be a new issue: it was seen often enough, and there are not too many (§7.5, §14.23). An
/// application's errors are always let in.
fn admit(ledger: &mut Ledger<'_>, occurrence: &Occurrence, issue_type: &IssueType) -> Result<(), DropReason> {
    let Some(hash) = occurrence.hashes.first().filter(|_| occurrence.path != EventPath::Error) else { return Ok(()) };
    let key = (occurrence.project_id, *hash);
    let count = ledger.sightings(key) + 1;
    let refused = match issue_type.noise {
        Some(noise) if count < noise.ignore_limit => Err(DropReason::Noise),
        _ if !ledger.may_create(issue_type, occurrence.project_id) => Err(DropReason::CreationQuota),
        _ => Ok(()),
    };
    if let Some(noise) = issue_type.noise {
        let expires = ledger.batch.now.plus(Duration::from_secs(u64::from(noise.expiry_secs)));
        ledger.sightings.insert(key, refused.is_err().then_some(Sightings { count, expires }));
    }
    refused
}

fn create(ledger: &mut Ledger<'_>, occurrence: &Occurrence, issue_type: &IssueType) -> IssueId {
    let issue = new_issue(ledger, occurrence, issue_type);
    let id = ledger.create(issue);
    let assignee = occurrence
        .assignee
        .as_ref()
        .and_then(|text| ledger.batch.snapshot.actors.get(&(occurrence.project_id, text.clone())).copied());
    ledger.count(id, occurrence.event.timestamp, occurrence.event.user.as_deref().map(user_hash));
    let mut life = ledger.life(id);
    life.begin(occurrence.event_id);
    if let Some(assignee) = assignee {
        life.assign(assignee);
    }
    id
}

/// The issue of a first occurrence (§7.4). Its ids are given later.
fn new_issue(ledger: &Ledger<'_>, occurrence: &Occurrence, issue_type: &IssueType) -> Issue {
    let event = &occurrence.event;
    let release = known_release(ledger, occurrence);
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
        state_since: ledger.batch.now,
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
        first_release: release.clone(),
        last_release: release,
        assignee: None,
        unhandled: event.unhandled,
        inbox: None,
        resolution: None,
        snooze: None,
        open_period: None,
        detector_id: evidence(occurrence, "detector_id").and_then(Value::as_i64),
        flood: Flood::default(),
    }
}

/// The release of the event. One that is only mentioned (§6) must exist.
fn known_release(ledger: &Ledger<'_>, occurrence: &Occurrence) -> Option<String> {
    let release = occurrence.event.release.as_deref()?;
    let is_known = matches!(occurrence.path, EventPath::Error | EventPath::Full)
        || ledger.release_date(occurrence.project_id, release).is_some();
    is_known.then(|| release.to_owned())
}

/// What is kept of an error's event. Those of producers have a rate limit of their own.
fn keep(ledger: &mut Ledger<'_>, id: IssueId, occurrence: &Occurrence) -> Keeping {
    let guard = ledger.batch.options.flood_guard.filter(|_| occurrence.path == EventPath::Error);
    guard.map_or(Keeping::Whole, |guard| ledger.life(id).issue.flood.see(guard, occurrence.detection_time))
}

/// One more occurrence of an issue (§7.6–7.8). An event that changes its status is kept in any case.
fn update(ledger: &mut Ledger<'_>, id: IssueId, occurrence: &Occurrence) -> MessageResult {
    let before = ledger.issue(id).status;
    let keeping = keep(ledger, id, occurrence);
    if add(ledger, id, occurrence) {
        return MessageResult::Regressed(id);
    }
    match keeping {
        Keeping::Count if ledger.issue(id).status == before => {
            let flood = &mut ledger.life(id).issue.flood;
            flood.thinned = flood.thinned.saturating_add(1);
            MessageResult::Thinned(id)
        }
        Keeping::Sample => MessageResult::Sample(id),
        Keeping::Whole | Keeping::Count => MessageResult::Updated(id),
    }
}

/// Adds an occurrence to an issue. Whether it regressed.
fn add(ledger: &mut Ledger<'_>, id: IssueId, occurrence: &Occurrence) -> bool {
    let event = &occurrence.event;
    let batch = ledger.batch;
    let release = known_release(ledger, occurrence);
    let resolution = ledger.issue(id).resolution.as_ref();
    let date_of = |version: &str| ledger.release_date(occurrence.project_id, version);
    let is_covered = resolution.is_some_and(|resolution| resolution.covers(release.as_deref(), date_of));
    let user = event.user.as_deref().map(user_hash);
    ledger.count(id, event.timestamp, user);
    let (new_users, exceeded) = (ledger.new_users(id), ledger.exceeded_forecast(id));
    let mut life = ledger.life(id);
    let issue = &mut *life.issue;
    issue.times_seen = issue.times_seen.saturating_add(1);
    issue.first_seen = issue.first_seen.min(event.timestamp);
    issue.last_seen = issue.last_seen.max(event.timestamp);
    issue.unhandled |= event.unhandled;
    if let Some(release) = &release
        && (issue.last_release.is_none() || event.timestamp == issue.last_seen)
    {
        replace(issue.last_release.get_or_insert_default(), release);
    }
    describe(issue, occurrence);

    let regressed = !is_covered && regresses(&batch, issue, event.timestamp);
    if regressed {
        let version = release.as_deref().unwrap_or_default();
        let mut data = json!({ "event_id": occurrence.event_id, "version": version });
        if let Some(resolution) = &issue.resolution {
            data["resolved_in_version"] = resolution.release.as_str().into();
        }
        let date = issue.last_seen;
        life.regress_by_event(date, release.as_deref(), data);
    } else if life.issue.status == Status::Ignored {
        come_back(&mut life, occurrence.event_id, user, new_users, exceeded);
    }
    // Only an explicit priority changes an existing issue (§14.19).
    if let Some(priority) = occurrence.priority {
        life.prioritize(priority, "issue_platform");
    }
    regressed
}

/// Brings an archived issue back whose condition an event fulfils (§11.3).
fn come_back(life: &mut Life<'_>, event: EventId, user: Option<u64>, new_users: u64, exceeded: Option<u64>) {
    let now = life.now;
    if let Some(forecast) = exceeded {
        return life.escalate_by(Rule::Forecast, json!({ "event_id": event, "forecast": forecast }));
    }
    let Some(snooze) = &mut life.issue.snooze else { return };
    snooze.see(user, now);
    let conditions = snooze.conditions();
    if life.issue.snooze.as_ref().is_some_and(|snooze| snooze.is_over(life.issue, new_users, now)) {
        life.escalate_by(Rule::Snooze, json!({ "event_id": event, "expired_snooze": conditions }));
    }
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

/// What feedback adds to the metadata of its issue (§7.4).
const FEEDBACK_KEYS: [&str; 5] = ["contact_email", "message", "name", "source", "summary"];

/// What the occurrence itself adds to the metadata of its event. An error's come from the event alone.
fn own_metadata(occurrence: &Occurrence) -> Map<String, Value> {
    let mut own = Map::new();
    if occurrence.path == EventPath::Error {
        return own;
    }
    own.insert("title".to_owned(), Value::from(occurrence.title.as_str()));
    own.insert("value".to_owned(), Value::from(occurrence.subtitle.as_str()));
    if occurrence.type_id == TypeId::FEEDBACK {
        let value = |key: &str| evidence(occurrence, key).cloned().unwrap_or_default();
        own.extend(FEEDBACK_KEYS.map(|key| (key.to_owned(), value(key))));
        let associated = value("associated_event_id");
        if associated.as_str().is_some_and(|id| !id.is_empty()) {
            own.insert("associated_event_id".to_owned(), associated);
        }
    }
    own
}

fn evidence<'a>(occurrence: &'a Occurrence, key: &str) -> Option<&'a Value> {
    occurrence.evidence_data.as_ref()?.get(key)
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
