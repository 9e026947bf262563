//! From the body of a request to what a person does to issues, and doing it (`reference/web-api.md` §3.6).

use std::collections::BTreeMap;

use nuthatch_issues::{
    Action, Assignee, Cause, Changes, Issue, Needs, Snapshot, Status, Substatus, action::Archive, apply_action,
};
use nuthatch_protocol::{IssueId, Timestamp, UserId};
use nuthatch_store::issue_types::IssueTypes;

use super::{issue_archive::until, organizations::users};
use crate::{
    Api,
    auth::access::InOrganization,
    error::ApiError,
    search::priority,
    shape::issue::{IssueRequest, status_word},
};

/// What a request does, in order.
pub(super) async fn actions(
    api: &Api,
    place: &InOrganization,
    request: &IssueRequest,
) -> Result<Vec<Action>, ApiError> {
    if let Some(member) = request.unsupported() {
        return Err(ApiError::InvalidFields([(member.to_owned(), "not supported yet".to_owned())].into()));
    }
    let mut actions = Vec::new();
    actions.extend(of_status(request, api.now())?);
    if let Some(assignee) = &request.assigned_to {
        actions.push(of_assignee(api, place, assignee.as_deref().unwrap_or_default().trim()).await?);
    }
    if let Some(word) = &request.priority {
        let invalid = || ApiError::Invalid(format!("priority {word:?} is not high, medium or low"));
        actions.push(Action::SetPriority(priority(word).ok_or_else(invalid)?));
    }
    Ok(actions)
}

fn of_status(request: &IssueRequest, now: Timestamp) -> Result<Option<Action>, ApiError> {
    let substatus = request.substatus.as_deref().map(|word| {
        let known = Substatus::ALL.into_iter().find(|substatus| substatus.as_str() == word);
        known.ok_or_else(|| ApiError::Invalid(format!("there is no substatus {word:?}")))
    });
    let substatus = substatus.transpose()?;
    let status = match request.status.as_deref() {
        None => substatus.map(Substatus::status),
        Some(word) => Some(status_word(word).ok_or_else(|| {
            ApiError::Invalid(format!("status {word:?} is not one of resolved, unresolved and ignored"))
        })?),
    };
    let Some(status) = status else { return Ok(None) };
    if let Some(substatus) = substatus.filter(|substatus| substatus.status() != status) {
        let (status, substatus) = (status.as_str(), substatus.as_str());
        return Err(ApiError::Invalid(format!("substatus {substatus:?} does not belong to status {status:?}")));
    }
    if status == Status::Ignored
        && let Some(until) = until(&request.status_details, now)?
    {
        return match substatus {
            None | Some(Substatus::ArchivedUntilConditionMet) => Ok(Some(Action::Archive(Archive::Until(until)))),
            Some(other) => {
                let detail = format!("substatus {:?} has no conditions: leave statusDetails out", other.as_str());
                Err(ApiError::Invalid(detail))
            }
        };
    }
    Ok(Some(match (status, substatus) {
        (Status::Resolved, _) => Action::Resolve,
        (Status::Unresolved, None | Some(Substatus::Ongoing)) => Action::Unresolve,
        (Status::Ignored, Some(Substatus::ArchivedUntilConditionMet)) => {
            return Err(ApiError::Invalid("statusDetails must say what ends the archiving".to_owned()));
        }
        (Status::Ignored, None | Some(Substatus::ArchivedForever)) => Action::Archive(Archive::Forever),
        (Status::Ignored, Some(Substatus::ArchivedUntilEscalating)) => Action::Archive(Archive::UntilEscalating),
        (_, Some(substatus)) => {
            return Err(ApiError::Invalid(format!("substatus {:?} cannot be set by hand", substatus.as_str())));
        }
    }))
}

async fn of_assignee(api: &Api, place: &InOrganization, text: &str) -> Result<Action, ApiError> {
    if let Some(name) = text.strip_prefix("team:").or_else(|| text.strip_prefix('#')) {
        let teams = api.meta.teams(place.organization.id).await?;
        let team = teams.iter().find(|team| team.slug == name || team.id.to_string() == name);
        let unknown = || ApiError::Invalid(format!("{text:?} is not a team of this organization"));
        return Ok(Action::Assign(Assignee::Team(team.ok_or_else(unknown)?.id)));
    }
    let id = match text {
        "" => return Ok(Action::Unassign),
        "me" => Some(place.caller.user.id),
        text => text.strip_prefix("user:").unwrap_or(text).parse::<UserId>().ok(),
    };
    let members = users(api, place).await?;
    let found = members.values().find(|user| Some(user.id) == id || user.email.eq_ignore_ascii_case(text));
    match found {
        Some(user) => Ok(Action::Assign(Assignee::User(user.id))),
        None => Err(ApiError::Invalid(format!("{text:?} is not a member of this organization"))),
    }
}

/// Refuses to change of an issue what nobody may change of its type (`reference/issue-platform.md` §9).
pub(super) fn check_editable<'a>(
    actions: &[Action],
    issues: impl IntoIterator<Item = &'a Issue>,
    types: &IssueTypes,
) -> Result<(), ApiError> {
    if !actions.iter().any(nuthatch_issues::Action::needs_editable) {
        return Ok(());
    }
    let mut known = issues.into_iter().filter_map(|issue| types.by_id(issue.type_id));
    match known.find(|issue_type| !issue_type.is_editable) {
        Some(issue_type) => Err(ApiError::Invalid(format!(
            "status and priority of issues of the type {:?} follow what produces them and cannot be changed",
            issue_type.slug
        ))),
        None => Ok(()),
    }
}

/// Does it to these issues, in one transaction. Returns those that changed, as they are now.
pub(super) async fn apply(
    api: &Api,
    actor: UserId,
    ids: Vec<IssueId>,
    actions: Vec<Action>,
) -> Result<Vec<Issue>, ApiError> {
    let needs = Needs { issues: ids.clone(), ..Needs::default() };
    let now = api.now();
    let decide = Box::new(move |snapshot: &Snapshot| apply_all(&actions, actor, snapshot, &ids, now));
    Ok(api.meta.transact(needs, None, decide).await?.updated)
}

/// Each action sees what the ones before it did.
fn apply_all(actions: &[Action], actor: UserId, snapshot: &Snapshot, ids: &[IssueId], now: Timestamp) -> Changes {
    let mut state = snapshot.clone();
    let mut updated: BTreeMap<IssueId, Issue> = BTreeMap::new();
    let mut all = Changes::default();
    for action in actions {
        let changes = apply_action(action, Cause::User { id: actor }, &state, ids, now);
        all.activities.extend(changes.activities);
        all.history.extend(changes.history);
        all.periods.extend(changes.periods);
        all.period_entries.extend(changes.period_entries);
        for issue in changes.updated {
            state.issues.insert(issue.id, issue.clone());
            updated.insert(issue.id, issue);
        }
    }
    Changes { updated: updated.into_values().collect(), ..all }
}
