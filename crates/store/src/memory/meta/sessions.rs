//! Sessions and their counts.

use std::collections::BTreeMap;

use async_trait::async_trait;
use nuthatch_protocol::{
    EventId, ProjectId, SessionState, SessionUpdate, Timestamp,
    session::{Durations, HealthChange, HealthTally, SessionPlace, SessionUser, merge},
};

use super::{MemoryMeta, State};
use crate::{
    SessionStore, StoreError,
    sessions::{SessionGroup, SessionQuery, SessionSum, UserTally, counted_once},
    settlements::{Counted, Settlement},
};

#[derive(Default)]
pub(super) struct Health {
    states: BTreeMap<(ProjectId, EventId), SessionState>,
    hours: BTreeMap<(SessionPlace, i64), HealthTally>,
    users: BTreeMap<(SessionPlace, i64, SessionUser), HealthTally>,
}

impl Health {
    pub(super) fn has_sessions(&self, project: ProjectId) -> bool {
        self.hours.iter().any(|((place, _), tally)| place.project_id == project && tally.sessions > 0)
    }

    fn change(&mut self, changes: Vec<HealthChange>) {
        for HealthChange { place, hour, user, tally } in changes {
            *self.hours.entry((place.clone(), hour)).or_default() += &tally;
            if let Some(user) = user {
                let tally = HealthTally { durations: Durations::default(), ..tally };
                *self.users.entry((place, hour, user)).or_default() += &tally;
            }
        }
    }
}

impl State {
    fn update_session(&mut self, update: SessionUpdate) {
        if let Some((place, started)) = update.place_and_start() {
            self.releases.entry((place.project_id, place.release.clone())).or_insert(started);
        }
        match update {
            SessionUpdate::Counted { changes, .. } => self.health.change(changes),
            SessionUpdate::One { sid, state } => {
                let key = (state.place.project_id, sid);
                let (state, changes) = merge(self.health.states.get(&key), state);
                self.health.states.insert(key, state);
                self.health.change(changes);
            }
        }
    }
}

#[async_trait]
impl SessionStore for MemoryMeta {
    async fn apply_sessions(
        &self,
        updates: Vec<Counted<SessionUpdate>>,
        settlement: Settlement,
    ) -> Result<(), StoreError> {
        let position = settlement.consumer.position;
        self.lock().settle(settlement, |state, outcomes| {
            for update in updates {
                let seen = (position, update.units.origin.received);
                let is_new = counted_once(&update.what).is_none_or(|key| state.seen.insert(key, seen).is_none());
                outcomes.extend(if is_new { update.accepted() } else { update.duplicate() });
                if is_new {
                    state.update_session(update.what);
                }
            }
        });
        Ok(())
    }

    async fn session_sums(&self, query: &SessionQuery) -> Result<Vec<SessionSum>, StoreError> {
        let state = self.lock();
        let wanted =
            |place: &SessionPlace, hour: i64| (query.from_hour..query.until_hour).contains(&hour) && query.means(place);
        let mut sums: BTreeMap<(SessionGroup, i64), SessionSum> = BTreeMap::new();
        for ((place, hour), tally) in state.health.hours.iter().filter(|((place, hour), _)| wanted(place, *hour)) {
            let (group, start_hour) = (query.group(place), query.start_of(*hour));
            let sum = sums.entry((group.clone(), start_hour)).or_default();
            (sum.group, sum.start_hour) = (group, start_hour);
            sum.health += tally;
        }
        if query.with_users {
            let mut users: BTreeMap<_, BTreeMap<SessionUser, HealthTally>> = BTreeMap::new();
            for ((place, hour, user), tally) in &state.health.users {
                if wanted(place, *hour) {
                    let sum = users.entry((query.group(place), query.start_of(*hour))).or_default();
                    *sum.entry(*user).or_default() += tally;
                }
            }
            for (key, users) in users {
                sums.entry(key).or_default().users = count(users.values());
            }
        }
        let sums = sums.into_values().filter(|sum| sum.health.sessions > 0);
        Ok(sums
            .map(|mut sum| {
                if !query.with_durations {
                    sum.health.durations = Durations::default();
                }
                sum
            })
            .collect())
    }

    async fn expire_sessions(&self, states_before: Timestamp, counts_before: Timestamp) -> Result<(), StoreError> {
        let hour = counts_before.hours();
        let health = &mut self.lock().health;
        health.states.retain(|_, state| state.started >= states_before && state.started.hours() >= hour);
        health.hours.retain(|(_, at), _| *at >= hour);
        health.users.retain(|(_, at, _), _| *at >= hour);
        Ok(())
    }
}

fn count<'a>(users: impl Iterator<Item = &'a HealthTally>) -> UserTally {
    let mut tally = UserTally::default();
    for sessions in users.filter(|tally| tally.sessions > 0) {
        let is_bad = sessions.crashed > 0 || sessions.abnormal > 0 || sessions.unhandled > 0;
        tally.users += 1;
        tally.errored += u64::from(sessions.errored > 0);
        tally.only_errored += u64::from(sessions.errored > 0 && !is_bad);
        tally.crashed += u64::from(sessions.crashed > 0);
        tally.abnormal += u64::from(sessions.abnormal > 0);
        tally.unhandled += u64::from(sessions.unhandled > 0);
        tally.anr += u64::from(sessions.anr > 0);
    }
    tally
}
