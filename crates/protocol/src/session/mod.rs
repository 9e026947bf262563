//! Sessions: how single ones stand, and what they add to the health of a release
//! (`reference/ingest-protocol.md` §7.4, §7.5, §17).

mod health;
mod status;

use crate::{EventId, ProjectId, Timestamp};

pub use health::{DURATION_ERROR, DURATION_MAX_MS, Durations, HealthChange, HealthTally};
pub use status::SessionStatus;

/// A release in an environment of a project: what health is told apart by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionPlace {
    /// The project.
    pub project_id: ProjectId,
    /// The release; never empty.
    pub release: String,
    /// The environment; empty when none was named.
    pub environment: String,
}

/// Who a session belongs to: a hash, keyed by the project, of the id that the SDK gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionUser(pub u64);

/// What an item says about sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionUpdate {
    /// How one session stands.
    One {
        /// The session; unique in its project.
        sid: EventId,
        /// How it stands.
        state: SessionState,
    },
    /// Sessions that are over and have no names, counted already.
    Counted {
        /// The record that says so: a record counts once, however often it is in the log.
        record: EventId,
        /// What it adds. All of one place; never empty.
        changes: Vec<HealthChange>,
    },
}

impl SessionUpdate {
    /// The place of what it counts, and the earliest time it speaks of.
    pub fn place_and_start(&self) -> Option<(&SessionPlace, Timestamp)> {
        match self {
            Self::One { state, .. } => Some((&state.place, state.started)),
            Self::Counted { changes, .. } => {
                let first = changes.iter().min_by_key(|change| change.hour)?;
                Some((&first.place, Timestamp::from_secs(first.hour.saturating_mul(3600))))
            }
        }
    }
}

/// How a session stands: an update carries all of it, and the newest one is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionState {
    /// Where it runs.
    pub place: SessionPlace,
    /// When it began; decides the hour it is counted in.
    pub started: Timestamp,
    /// When the SDK said so.
    pub timestamp: Timestamp,
    /// Order of the updates; 0 for the first.
    pub seq: u64,
    /// What became of it.
    pub status: SessionStatus,
    /// Errors in it.
    pub errors: u64,
    /// How long it was, in milliseconds; at most [`DURATION_MAX_MS`].
    pub duration_ms: Option<u64>,
    /// Whose it is, if the SDK says so.
    pub user: Option<SessionUser>,
    /// Whether it is abnormal because the application did not respond.
    pub is_anr: bool,
}

impl SessionState {
    /// What the session adds to the health of its release.
    pub fn tally(&self) -> HealthTally {
        let one = |holds: bool| i64::from(holds);
        let mut tally = HealthTally {
            sessions: 1,
            errored: one(self.errors > 0 || self.status.is_errored()),
            crashed: one(self.status == SessionStatus::Crashed),
            abnormal: one(self.status == SessionStatus::Abnormal),
            unhandled: one(self.status == SessionStatus::Unhandled),
            anr: one(self.status == SessionStatus::Abnormal && self.is_anr),
            durations: Durations::default(),
        };
        if self.status == SessionStatus::Exited
            && let Some(duration) = self.duration_ms
        {
            tally.durations.add(duration);
        }
        tally
    }

    fn change(&self, tally: HealthTally) -> HealthChange {
        HealthChange { place: self.place.clone(), hour: self.started.hours(), user: self.user, tally }
    }

    /// What of two updates decides which one tells how the session stands: the greater one. Of updates that end the
    /// session the first one counts, as what comes after the end means nothing; of the others the last one. The rest
    /// makes the order complete.
    fn rank(&self) -> impl Ord + '_ {
        let ended = self.status.is_terminal();
        let late = |number: i128| if ended { -number } else { number };
        let order = (ended, late(i128::from(self.seq)), late(i128::from(self.timestamp.0)));
        let rest = (self.errors, self.duration_ms, self.is_anr, self.user, self.started, &self.place);
        (order, self.status, rest)
    }
}

/// Takes an update of a session: how it stands now, and what changes in the counts.
///
/// The result is the greatest of all updates in one order, so it does not depend on the order in which they arrive, nor
/// on how often; the changes of all calls sum up to the [tally](SessionState::tally) of the result. A session counts
/// with its first update, whichever that is, and never leaves a terminal status.
pub fn merge(previous: Option<&SessionState>, update: SessionState) -> (SessionState, Vec<HealthChange>) {
    match previous {
        Some(previous) if previous.rank() >= update.rank() => (previous.clone(), Vec::new()),
        _ => {
            let before = previous.map(|previous| previous.change(-previous.tally()));
            let after = update.change(update.tally());
            let changes = before.into_iter().chain([after]).collect();
            (update, changes)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn state() -> impl Strategy<Value = SessionState> {
        let place = ("[ab]", "[xy]?").prop_map(|(release, environment)| SessionPlace {
            project_id: ProjectId(1),
            release,
            environment,
        });
        let what = (0..4u64, prop::sample::select(SessionStatus::ALL), 0..3u64, prop::option::of(0..100_000u64));
        (place, 0..3i64, 0..4i64, what, prop::option::of(0..3u64), any::<bool>()).prop_map(
            |(place, hour, after, (seq, status, errors, duration_ms), user, is_anr)| SessionState {
                place,
                started: Timestamp::from_secs(hour * 3600),
                timestamp: Timestamp::from_secs(hour * 3600 + after),
                seq,
                status,
                errors,
                duration_ms,
                user: user.map(SessionUser),
                is_anr,
            },
        )
    }

    type Counts = BTreeMap<(SessionPlace, i64, Option<SessionUser>), HealthTally>;

    fn count(counts: &mut Counts, changes: Vec<HealthChange>) {
        for HealthChange { place, hour, user, tally } in changes {
            *counts.entry((place, hour, user)).or_default() += &tally;
        }
    }

    /// What a store holds after these updates of one session.
    fn apply(updates: &[SessionState]) -> (Option<SessionState>, Counts) {
        let (mut row, mut counts) = (None, Counts::new());
        for update in updates {
            let (state, changes) = merge(row.as_ref(), update.clone());
            count(&mut counts, changes);
            row = Some(state);
        }
        counts.retain(|_, tally| !tally.is_zero());
        (row, counts)
    }

    proptest! {
        /// In any order and however often they come, updates count what the session was in the end.
        #[test]
        fn order_and_repetition_change_nothing(
            updates in prop::collection::vec(state(), 1..7),
            again in prop::collection::vec(any::<prop::sample::Index>(), 0..7),
            seed in any::<u64>(),
        ) {
            let (row, counts) = apply(&updates);
            let mut others: Vec<_> = updates.iter().chain(again.iter().map(|index| index.get(&updates))).cloned().collect();
            let mut random = seed;
            for at in (1..others.len()).rev() {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                others.swap(at, (random >> 33) as usize % (at + 1));
            }
            prop_assert_eq!(&apply(&others), &(row.clone(), counts.clone()));

            let row = row.expect("there was an update");
            let mut expected = Counts::new();
            count(&mut expected, vec![row.change(row.tally())]);
            prop_assert_eq!(counts, expected, "the counts are those of the state that is kept, once");
        }

        /// Once a session ended, nothing that was sent later changes it; before, the last one holds.
        #[test]
        fn the_first_end_holds(updates in prop::collection::vec(state(), 1..7)) {
            let row = apply(&updates).0.expect("there was an update");
            let ends = updates.iter().filter(|update| update.status.is_terminal());
            match ends.map(|update| update.seq).min() {
                Some(first) => prop_assert!(row.status.is_terminal() && row.seq == first),
                None => prop_assert_eq!(Some(row.seq), updates.iter().map(|update| update.seq).max()),
            }
        }
    }

    #[test]
    fn sessions_count_as_what_they_were() {
        let state = |status, errors| SessionState {
            place: SessionPlace { project_id: ProjectId(1), release: "a".to_owned(), environment: String::new() },
            started: Timestamp(0),
            timestamp: Timestamp(0),
            seq: 0,
            status,
            errors,
            duration_ms: Some(1500),
            user: None,
            is_anr: true,
        };
        let counts = |status, errors| {
            let tally = state(status, errors).tally();
            let HealthTally { sessions, errored, crashed, abnormal, unhandled, anr, durations } = tally;
            (sessions, errored, [crashed, abnormal, unhandled, anr], durations.count())
        };
        assert_eq!(counts(SessionStatus::Ok, 0), (1, 0, [0; 4], 0));
        assert_eq!(counts(SessionStatus::Ok, 2), (1, 1, [0; 4], 0));
        assert_eq!(counts(SessionStatus::Exited, 0), (1, 0, [0; 4], 1));
        assert_eq!(counts(SessionStatus::Exited, 1), (1, 1, [0; 4], 1));
        assert_eq!(counts(SessionStatus::Errored, 0), (1, 1, [0; 4], 0));
        assert_eq!(counts(SessionStatus::Crashed, 0), (1, 1, [1, 0, 0, 0], 0));
        assert_eq!(counts(SessionStatus::Abnormal, 0), (1, 1, [0, 1, 0, 1], 0));
        assert_eq!(counts(SessionStatus::Unhandled, 0), (1, 1, [0, 0, 1, 0], 0));
    }
}
