//! What happens to one issue, and what is written down about it: activity, history, open periods
//! (`reference/issue-platform.md` §7.7, §7.8, §8, §11).

use std::time::Duration;

use nuthatch_protocol::{EventId, IssueId, Priority, Timestamp};
use serde_json::{Value, json};

use crate::{
    Activity, ActivityKind, Assignee, Cause, Changes, Issue, Rule, Status, Substatus,
    history::{HistoryEntry, HistoryState},
    issue::InboxReason,
    open_period::{OpenPeriod, PeriodEntry, PeriodEntryKind},
};

/// What was written down, in order.
#[derive(Debug, Default)]
pub(crate) struct Chronicle {
    pub(crate) activities: Vec<Activity>,
    pub(crate) history: Vec<HistoryEntry>,
    pub(crate) periods: Vec<(IssueId, OpenPeriod)>,
    pub(crate) entries: Vec<PeriodEntry>,
}

impl Chronicle {
    pub(crate) fn is_empty(&self) -> bool {
        self.activities.is_empty() && self.history.is_empty() && self.periods.is_empty() && self.entries.is_empty()
    }
}

impl Changes {
    /// Adds what was written down.
    pub(crate) fn chronicle(&mut self, chronicle: Chronicle) {
        self.activities.extend(chronicle.activities);
        self.history.extend(chronicle.history);
        self.periods.extend(chronicle.periods);
        self.period_entries.extend(chronicle.entries);
    }
}

/// An issue that is being changed.
pub(crate) struct Life<'a> {
    pub(crate) issue: &'a mut Issue,
    pub(crate) chronicle: &'a mut Chronicle,
    /// Whether its open periods have entries.
    pub(crate) has_detector: bool,
    /// Who or what does it.
    pub(crate) by: Cause,
    pub(crate) now: Timestamp,
}

impl Life<'_> {
    /// The issue is new: it opens with its first event.
    pub(crate) fn begin(&mut self, event: EventId) {
        self.issue.inbox = Some(InboxReason::New);
        self.open(self.issue.first_seen, Some(event));
    }

    pub(crate) fn resolve(&mut self, kind: ActivityKind, data: Value) {
        self.issue.status = Status::Resolved;
        self.issue.substatus = None;
        self.issue.state_since = self.now;
        self.issue.resolved_at = Some(self.now);
        self.issue.inbox = None;
        self.issue.snooze = None;
        self.note(kind, data);
        let is_by_age = kind == ActivityKind::SetResolvedByAge;
        self.record(if is_by_age { HistoryState::AutoResolved } else { HistoryState::Resolved }, None);
        self.close();
    }

    /// Archives it. The open period goes on.
    pub(crate) fn archive(&mut self, substatus: Substatus, data: Value) {
        self.enter(substatus);
        self.issue.inbox = None;
        self.note(ActivityKind::SetIgnored, data);
        self.record(
            match substatus {
                Substatus::ArchivedUntilEscalating => HistoryState::ArchivedUntilEscalating,
                Substatus::ArchivedUntilConditionMet => HistoryState::ArchivedUntilConditionMet,
                _ => HistoryState::ArchivedForever,
            },
            None,
        );
    }

    /// It comes back from the archive, one step more urgent.
    pub(crate) fn escalate(&mut self, data: Value) {
        self.reopen();
        self.enter(Substatus::Escalating);
        self.issue.inbox.get_or_insert(InboxReason::Escalating);
        self.record(HistoryState::Escalating, None);
        self.note(ActivityKind::SetEscalating, data);
        let priority = if self.issue.priority == Priority::Low { Priority::Medium } else { Priority::High };
        self.prioritize(priority, "escalating");
    }

    /// A rule finds that it is time to come back.
    pub(crate) fn escalate_by(&mut self, rule: Rule, data: Value) {
        let by = std::mem::replace(&mut self.by, Cause::Rule { rule });
        self.escalate(data);
        self.by = by;
    }

    /// A producer says that it is back.
    pub(crate) fn regress(&mut self, data: Value) {
        self.reopen();
        self.enter(Substatus::Regressed);
        self.issue.inbox.get_or_insert(InboxReason::Regression);
        self.note(ActivityKind::SetRegression, data);
        self.record(HistoryState::Regressed, None);
    }

    /// An event says that it is back. `last_seen` includes the event.
    pub(crate) fn regress_by_event(&mut self, at: Timestamp, release: Option<&str>, data: Value) {
        self.enter(Substatus::Regressed);
        self.issue.active_at = at;
        self.issue.last_seen = at;
        self.issue.resolution = None;
        self.issue.inbox.get_or_insert(InboxReason::Regression);
        self.note(ActivityKind::SetRegression, data);
        self.record(HistoryState::Regressed, release);
        // A period that was never closed (the issue only counted as resolved by its age) goes on.
        if self.issue.open_period.as_ref().is_none_or(|period| period.ended.is_some()) {
            self.open(self.now, None);
        }
    }

    /// Somebody says that it is known and unresolved.
    pub(crate) fn unresolve(&mut self, data: Value) {
        let was_escalating = self.issue.substatus == Some(Substatus::Escalating);
        self.reopen();
        self.enter(Substatus::Ongoing);
        self.issue.inbox.get_or_insert(InboxReason::Ongoing);
        self.record(HistoryState::Ongoing, None);
        if was_escalating {
            self.note(ActivityKind::AutoSetOngoing, data);
            self.prioritize(self.issue.initial_priority, "ongoing");
        } else {
            self.note(ActivityKind::SetUnresolved, data);
        }
    }

    /// Time makes it one of the known ones.
    pub(crate) fn grow_old(&mut self, after: Duration) {
        let was_escalating = self.issue.substatus == Some(Substatus::Escalating);
        self.enter(Substatus::Ongoing);
        self.issue.inbox = None;
        self.record(HistoryState::Ongoing, None);
        self.note(ActivityKind::AutoSetOngoing, json!({ "after_days": after.as_secs() / 86_400 }));
        if was_escalating {
            self.prioritize(self.issue.initial_priority, "ongoing");
        }
    }

    pub(crate) fn assign(&mut self, assignee: Assignee) {
        self.issue.assignee = Some(assignee);
        self.note(ActivityKind::Assigned, assignee.activity_data());
        self.record(HistoryState::Assigned, None);
    }

    pub(crate) fn unassign(&mut self) {
        self.issue.assignee = None;
        self.note(ActivityKind::Unassigned, Value::Null);
        self.record(HistoryState::Unassigned, None);
    }

    /// Sets the priority unless a person has locked it (§14.20), or it is that already.
    pub(crate) fn prioritize(&mut self, priority: Priority, reason: &str) {
        if self.issue.priority_locked_at.is_none() {
            self.set_priority(priority, json!({ "priority": priority.as_str(), "reason": reason }));
        }
    }

    /// Sets the priority, unless it is that already.
    pub(crate) fn set_priority(&mut self, priority: Priority, data: Value) {
        if self.issue.priority == priority {
            return;
        }
        self.issue.priority = priority;
        self.note(ActivityKind::SetPriority, data);
        self.record(HistoryState::of_priority(priority), None);
        if let Some(period) = &mut self.issue.open_period {
            period.highest_priority = period.highest_priority.max(priority);
            self.chronicle.periods.push((self.issue.id, period.clone()));
            self.enter_period(PeriodEntryKind::StatusChange);
        }
    }

    pub(crate) fn note(&mut self, kind: ActivityKind, data: Value) {
        let activity = Activity { issue_id: self.issue.id, kind, data, cause: self.by, at: self.now };
        self.chronicle.activities.push(activity);
    }

    pub(crate) fn record(&mut self, state: HistoryState, release: Option<&str>) {
        self.chronicle.history.push(HistoryEntry {
            issue_id: self.issue.id,
            state,
            release: release.map(str::to_owned),
            user_id: self.by.user(),
            at: self.now,
        });
    }

    /// Gives it a substatus, and the status that goes with it: it is not resolved then.
    fn enter(&mut self, substatus: Substatus) {
        self.issue.status = substatus.status();
        self.issue.substatus = Some(substatus);
        self.issue.state_since = self.now;
        self.issue.resolved_at = None;
        if self.issue.status != Status::Ignored {
            self.issue.snooze = None;
        }
    }

    /// A resolved issue takes its last open period up again (§8).
    fn reopen(&mut self) {
        if self.issue.status != Status::Resolved {
            return;
        }
        self.issue.resolution = None;
        match &mut self.issue.open_period {
            Some(period) => {
                period.ended = None;
                period.ended_by = None;
                self.chronicle.periods.push((self.issue.id, period.clone()));
            }
            None => self.open(self.now, None),
        }
    }

    /// Periods never overlap, whatever the clock says.
    fn open(&mut self, started: Timestamp, event_id: Option<EventId>) {
        let former = self.issue.open_period.as_ref();
        let number = former.map_or(1, |period| period.number + 1);
        let started = former.and_then(|period| period.ended).map_or(started, |ended| started.max(ended));
        let highest_priority = self.issue.priority;
        let period = OpenPeriod { number, started, ended: None, highest_priority, event_id, ended_by: None };
        self.chronicle.periods.push((self.issue.id, period.clone()));
        self.issue.open_period = Some(period);
        self.enter_period(PeriodEntryKind::Opened);
    }

    fn close(&mut self) {
        if let Some(period) = self.issue.open_period.as_mut().filter(|period| period.ended.is_none()) {
            period.ended = Some(self.now.max(period.started));
            period.ended_by = self.by.user();
            self.chronicle.periods.push((self.issue.id, period.clone()));
            self.enter_period(PeriodEntryKind::Closed);
        }
    }

    fn enter_period(&mut self, kind: PeriodEntryKind) {
        if let Some(period) = self.issue.open_period.as_ref().filter(|_| self.has_detector) {
            self.chronicle.entries.push(PeriodEntry {
                issue_id: self.issue.id,
                period: period.number,
                kind,
                priority: self.issue.priority,
                at: self.now,
            });
        }
    }
}
