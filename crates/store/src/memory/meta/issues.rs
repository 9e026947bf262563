//! Issues: changes, counters, positions.

use std::{ops::Bound, time::Duration};

use async_trait::async_trait;
use nuthatch_issues::{
    Activity, Changes, Issue, Job, MessageKey, Needs, Status, Substatus, changes::Handled, history::HistoryEntry,
    jobs::ONGOING_AFTER, open_period::OpenPeriod,
};
use nuthatch_protocol::{EventId, Hash, IssueId, Position, ProjectId, Timestamp};

use super::{MemoryMeta, State};
use crate::{
    IssueStore, StoreError,
    issues::{ConsumerPosition, Decide, HASHES_MAX, IssuePage, IssueQuery, PERIODS_MAX},
};

impl State {
    fn may_be_due(&self, job: Job, issue: &Issue, now: Timestamp) -> bool {
        let since = if issue.substatus == Some(Substatus::New) { issue.first_seen } else { issue.state_since };
        let young = [Substatus::New, Substatus::Regressed, Substatus::Escalating];
        match job {
            Job::ToOngoing => {
                issue.substatus.is_some_and(|substatus| young.contains(&substatus))
                    && since.secs() <= now.minus(ONGOING_AFTER).secs()
            }
            Job::ResolveByAge => {
                let hours = self.projects.get(&issue.project_id).and_then(|project| project.resolve_age_hours);
                issue.status == Status::Unresolved
                    && hours.is_some_and(|hours| issue.last_seen <= now.minus(Duration::from_hours(u64::from(hours))))
            }
            Job::EndSnoozes => {
                let until = issue.snooze.as_ref().and_then(|snooze| snooze.until);
                issue.status == Status::Ignored && until.is_some_and(|until| until <= now)
            }
        }
    }

    /// Refuses changes that cannot be applied, before any is.
    fn check(&self, changes: &Changes) -> Result<(), StoreError> {
        for issue in &changes.created {
            if !self.projects.contains_key(&issue.project_id) {
                return Err(StoreError::NotFound("the project of a new issue"));
            }
            let is_same = |other: &Issue| {
                other.id == issue.id || (other.project_id, other.short_id) == (issue.project_id, issue.short_id)
            };
            if self.issues.values().any(is_same) {
                return Err(StoreError::Conflict("the id of a new issue"));
            }
        }
        let updated = changes.updated.iter().map(|issue| issue.id);
        let named = updated
            .chain(changes.hashes.iter().map(|(_, _, id)| *id))
            .chain(changes.counts.iter().map(|count| count.issue_id))
            .chain(changes.users.iter().map(|(id, _)| *id))
            .chain(changes.activities.iter().map(|activity| activity.issue_id))
            .chain(changes.history.iter().map(|entry| entry.issue_id))
            .chain(changes.periods.iter().map(|(id, _)| *id))
            .chain(changes.period_entries.iter().map(|entry| entry.issue_id));
        let exists = |id: &IssueId| self.issues.contains_key(id) || changes.created.iter().any(|new| new.id == *id);
        if named.into_iter().all(|id| exists(&id)) { Ok(()) } else { Err(StoreError::NotFound("the issue")) }
    }

    fn apply(&mut self, changes: &Changes) {
        for issue in &changes.created {
            self.issues.insert(issue.id, Issue { user_count: 0, ..issue.clone() });
        }
        for issue in &changes.updated {
            if let Some(stored) = self.issues.get_mut(&issue.id) {
                *stored = Issue { user_count: stored.user_count, ..issue.clone() };
            }
        }
        for (project, hash, issue) in &changes.hashes {
            let key = (*project, *hash);
            if let Some(Some(former)) = self.hashes.insert(key, Some(*issue)) {
                self.owned.entry(former).or_default().retain(|owned| *owned != key);
            }
            self.owned.entry(*issue).or_default().push(key);
        }
        for count in &changes.counts {
            *self.hours.entry((count.issue_id, count.hour)).or_default() += count.count;
        }
        for user in &changes.users {
            if self.issue_users.insert(*user)
                && let Some(issue) = self.issues.get_mut(&user.0)
            {
                issue.user_count += 1;
            }
        }
        self.activities.extend_from_slice(&changes.activities);
        self.history.extend_from_slice(&changes.history);
        self.periods.extend(changes.periods.iter().map(|(id, period)| ((*id, period.number), period.clone())));
        self.period_entries.extend_from_slice(&changes.period_entries);
        for (project, hash, sightings) in &changes.sightings {
            match sightings {
                Some(sightings) => self.sightings.insert((*project, *hash), *sightings),
                None => self.sightings.remove(&(*project, *hash)),
            };
        }
        for (project, hash, usage) in &changes.occurrences {
            let granules = self.occurrences.entry((*project, *hash)).or_default();
            *granules.entry(usage.start_secs).or_default() += usage.count;
        }
        for (project, id, usage) in &changes.quotas {
            let granules = self.created.entry((*project, *id)).or_default();
            *granules.entry(usage.start_secs).or_default() += usage.count;
        }
        for (project, version, date) in &changes.releases {
            self.releases.entry((*project, version.clone())).or_insert(*date);
        }
        for handled in &changes.handled {
            if let Some(former) = self.handled.insert(handled.key, *handled) {
                self.ledger.forget(&former);
            }
        }
        changes.letters.iter().for_each(|letter| self.keep(letter.clone()));
        self.note(&changes.facts);
    }
}

#[async_trait]
impl IssueStore for MemoryMeta {
    async fn transact(
        &self,
        needs: Needs,
        position: Option<ConsumerPosition>,
        decide: Decide,
    ) -> Result<Changes, StoreError> {
        let mut state = self.lock();
        let changes = decide(&state.snapshot(&needs));
        state.check(&changes)?;
        state.apply(&changes);
        if let Some(position) = position {
            if !changes.outcomes.is_empty() {
                state.count(&changes.outcomes, changes.outcomes.quantity(), &position);
            }
            state.move_to(position);
        }
        Ok(changes)
    }

    async fn position(&self, consumer: &str, start: Position) -> Result<Position, StoreError> {
        let state = self.lock();
        let offset = state.positions.get(&(consumer.to_owned(), start.topic, start.partition));
        Ok(offset.map_or(start, |offset| Position { offset: *offset, ..start }))
    }

    async fn handled(&self, keys: &[MessageKey]) -> Result<Vec<Handled>, StoreError> {
        let state = self.lock();
        Ok(keys.iter().filter_map(|key| state.handled.get(key).copied()).collect())
    }

    async fn kept_events(
        &self,
        after: Option<(ProjectId, EventId)>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<Handled>, StoreError> {
        let state = self.lock();
        let is_wanted = |handled: &&Handled| {
            let key = handled.key;
            let is_behind = after.is_none_or(|after| (key.project_id, key.id) > after);
            key.of_event && handled.fate.is_stored() && handled.at >= since && is_behind
        };
        Ok(state.handled.values().filter(is_wanted).take(limit).copied().collect())
    }

    async fn due(&self, job: Job, now: Timestamp, after: IssueId, limit: usize) -> Result<Vec<IssueId>, StoreError> {
        let state = self.lock();
        let due = state.issues.range((Bound::Excluded(after), Bound::Unbounded)).map(|(_, issue)| issue);
        Ok(due.filter(|issue| state.may_be_due(job, issue, now)).map(|issue| issue.id).take(limit).collect())
    }

    async fn open_periods(&self, id: IssueId) -> Result<Vec<OpenPeriod>, StoreError> {
        let state = self.lock();
        let periods: Vec<_> = state.periods.range((id, 0)..=(id, u32::MAX)).map(|(_, period)| period.clone()).collect();
        Ok(periods[periods.len().saturating_sub(PERIODS_MAX)..].to_vec())
    }

    async fn history(&self, id: IssueId, limit: usize) -> Result<Vec<HistoryEntry>, StoreError> {
        let state = self.lock();
        let entries = state.history.iter().rev().filter(|entry| entry.issue_id == id);
        Ok(entries.take(limit).cloned().collect())
    }

    async fn issue(&self, id: IssueId) -> Result<Option<Issue>, StoreError> {
        Ok(self.lock().issues.get(&id).cloned())
    }

    async fn issue_by_short_id(&self, project: ProjectId, short_id: u64) -> Result<Option<Issue>, StoreError> {
        let state = self.lock();
        let mut issues = state.issues.values();
        Ok(issues.find(|issue| (issue.project_id, issue.short_id) == (project, short_id)).cloned())
    }

    async fn issue_of_hash(&self, project: ProjectId, hash: Hash) -> Result<Option<IssueId>, StoreError> {
        Ok(self.lock().hashes.get(&(project, hash)).copied().flatten())
    }

    async fn hashes(&self, id: IssueId) -> Result<Vec<Hash>, StoreError> {
        let state = self.lock();
        let owned = state.owned.get(&id).into_iter().flatten();
        Ok(owned.map(|(_, hash)| *hash).take(HASHES_MAX).collect())
    }

    async fn issues(&self, query: &IssueQuery) -> Result<IssuePage, StoreError> {
        Ok(self.lock().page(query))
    }

    async fn hourly_counts(&self, ids: &[IssueId], from_hour: i64) -> Result<Vec<(IssueId, i64, u64)>, StoreError> {
        let state = self.lock();
        let counts = state.hours.iter().filter(|((id, hour), _)| ids.contains(id) && *hour >= from_hour);
        Ok(counts.map(|((id, hour), count)| (*id, *hour, *count)).collect())
    }

    async fn activities(&self, id: IssueId, limit: usize) -> Result<Vec<Activity>, StoreError> {
        let state = self.lock();
        let mut activities: Vec<_> = state.activities.iter().filter(|activity| activity.issue_id == id).collect();
        activities.sort_by_key(|activity| activity.at);
        Ok(activities.into_iter().rev().take(limit).cloned().collect())
    }

    async fn expire(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        let State { handled, ledger, .. } = &mut *state;
        handled.retain(|_, handled| {
            let stays = handled.at.hours() >= before.hours();
            if !stays {
                ledger.forget(handled);
            }
            stays
        });
        state.hours.retain(|(_, hour), _| *hour >= before.hours());
        state.sightings.retain(|_, sightings| sightings.expires >= before);
        let start = before.hours() * 3600;
        for granules in state.occurrences.values_mut() {
            granules.retain(|granule, _| *granule >= start);
        }
        for granules in state.created.values_mut() {
            granules.retain(|granule, _| *granule >= start);
        }
        Ok(())
    }
}
