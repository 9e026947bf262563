//! Which lane of the log an event goes to. A project that sends more events than its share has them in the backlog, so that
//! other projects' events do not wait behind its flood. Pure: the time comes from the caller.
//!
//! Each project has a bucket of tokens that fills at a steady rate; an event takes one. Who finds it empty is in the
//! backlog from then on, and stays there until nobody has found it empty for [`CALM`]: a project does not change lanes
//! with every event, and events sent together stay together.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use nuthatch_protocol::{ProjectId, Timestamp, Topic};

/// So long no event of a project must have found its bucket empty before the project leaves the backlog.
const CALM: Duration = Duration::from_secs(10);

/// Most projects that are remembered. Those that are as if they had sent nothing are forgotten first; when all are busy,
/// an eighth of them begins anew.
const PROJECTS_MAX: usize = 10_000;

const SECOND_MICROS: u64 = 1_000_000;

/// Chooses lanes.
pub(crate) struct Lanes {
    buckets: Option<Mutex<Buckets>>,
}

impl Lanes {
    /// `events_per_second` is what a project may send for good, `burst_events` how many at once. No rate: there is one
    /// lane only.
    pub(crate) fn new(events_per_second: u64, burst_events: u64) -> Self {
        let buckets = (events_per_second > 0).then(|| Buckets::new(events_per_second, burst_events, PROJECTS_MAX));
        Self { buckets: buckets.map(Mutex::new) }
    }

    /// The topic of an event that is received now.
    pub(crate) fn of_event(&self, project: ProjectId, now: Timestamp) -> Topic {
        let Some(buckets) = &self.buckets else { return Topic::IngestEvents };
        buckets.lock().unwrap_or_else(PoisonError::into_inner).lane(project, now)
    }
}

/// The buckets of all projects.
#[derive(Debug)]
struct Buckets {
    /// What an event takes: the time in which that much flows in, in whole microseconds.
    event_micros: i64,
    /// What a full bucket holds.
    full_micros: i64,
    projects: HashMap<ProjectId, Bucket>,
    projects_max: usize,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// When it will be full.
    full_at: Timestamp,
    /// When the project leaves the backlog.
    calm_at: Timestamp,
}

impl Bucket {
    /// Whether a new one would be no different.
    fn is_idle(self, now: Timestamp) -> bool {
        self.full_at.max(self.calm_at) <= now
    }
}

impl Buckets {
    fn new(events_per_second: u64, burst_events: u64, projects_max: usize) -> Self {
        let event_micros = i64::try_from(SECOND_MICROS / events_per_second.max(1)).unwrap_or(i64::MAX).max(1);
        let full_micros = event_micros.saturating_mul(i64::try_from(burst_events.max(1)).unwrap_or(i64::MAX));
        Self { event_micros, full_micros, projects: HashMap::new(), projects_max }
    }

    fn lane(&mut self, project: ProjectId, now: Timestamp) -> Topic {
        if self.projects.len() >= self.projects_max && !self.projects.contains_key(&project) {
            self.make_room(now);
        }
        let bucket = self.projects.entry(project).or_insert(Bucket { full_at: now, calm_at: now });
        // A clock that was moved back must not make anything last longer.
        let missing = bucket.full_at.0.saturating_sub(now.0).clamp(0, self.full_micros);
        let calm_at = now.plus(CALM);
        if missing <= self.full_micros - self.event_micros {
            bucket.full_at = Timestamp(now.0.saturating_add(missing + self.event_micros));
            bucket.calm_at = bucket.calm_at.min(calm_at);
        } else {
            bucket.full_at = Timestamp(now.0.saturating_add(missing));
            bucket.calm_at = calm_at;
        }
        if bucket.calm_at > now { Topic::IngestEventsBacklog } else { Topic::IngestEvents }
    }

    fn make_room(&mut self, now: Timestamp) {
        self.projects.retain(|_, bucket| !bucket.is_idle(now));
        if self.projects.len() < self.projects_max {
            return;
        }
        let mut left = self.projects.len() / 8 + 1;
        self.projects.retain(|_, _| {
            let goes = left > 0;
            left -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);
    const PROJECT: ProjectId = ProjectId(1);

    fn at(secs: f64) -> Timestamp {
        Timestamp(NOW.0 + (secs * 1e6) as i64)
    }

    /// How many of some events sent at once go to the regular lane.
    fn regular(buckets: &mut Buckets, events: usize, now: Timestamp) -> usize {
        (0..events).filter(|_| buckets.lane(PROJECT, now) == Topic::IngestEvents).count()
    }

    #[test]
    fn a_project_within_its_share_is_never_in_the_backlog() {
        let mut buckets = Buckets::new(100, 20, 10);
        for second in 0..1000 {
            assert_eq!(regular(&mut buckets, 1, at(f64::from(second) / 100.0)), 1);
        }
        assert_eq!(regular(&mut buckets, 19, at(1000.0)), 19, "and what was saved can be sent at once");
    }

    #[test]
    fn who_floods_stays_in_the_backlog_until_it_has_been_calm_for_a_while() {
        let mut buckets = Buckets::new(100, 20, 10);
        assert_eq!(regular(&mut buckets, 1000, at(0.0)), 20);
        // There are tokens again, and yet it is not calm.
        assert_eq!(regular(&mut buckets, 1, at(9.9)), 0);
        assert_eq!(regular(&mut buckets, 1, at(10.0)), 1, "nobody found the bucket empty for so long");
        assert_eq!(regular(&mut buckets, 1000, at(11.0)), 20);
        assert_eq!(regular(&mut buckets, 1000, at(20.0)), 0, "it floods again while it is in the backlog");
        assert_eq!(regular(&mut buckets, 1, at(29.9)), 0);
        assert_eq!(regular(&mut buckets, 1, at(30.0)), 1);
    }

    #[test]
    fn a_clock_that_is_moved_back_holds_nobody_longer() {
        let mut buckets = Buckets::new(100, 20, 10);
        assert_eq!(regular(&mut buckets, 1000, at(3600.0)), 20);
        assert_eq!(regular(&mut buckets, 1, at(0.0)), 0);
        assert_eq!(regular(&mut buckets, 1, at(10.0)), 1);
    }

    #[test]
    fn without_a_rate_there_is_one_lane() {
        let lanes = Lanes::new(0, 0);
        assert!((0..10_000).all(|_| lanes.of_event(PROJECT, NOW) == Topic::IngestEvents));
    }

    #[test]
    fn there_are_never_more_buckets_than_there_is_room_for() {
        let mut buckets = Buckets::new(1, 2, 16);
        for id in 1..=100 {
            for _ in 0..3 {
                buckets.lane(ProjectId(id), NOW);
            }
            assert!(buckets.projects.len() <= 16);
            assert_eq!(buckets.lane(ProjectId(id), NOW), Topic::IngestEventsBacklog, "the newest is there");
        }
        buckets.lane(ProjectId(1000), at(100.0));
        assert_eq!(buckets.projects.len(), 1, "who is calm is forgotten first");
    }

    proptest! {
        /// Whatever projects send: in no time more events of one go to the regular lane than were in its bucket and flowed
        /// in, and after an event that found it empty none does for as long as it takes to be calm. Who keeps within its
        /// share is not concerned.
        #[test]
        fn no_project_has_more_than_its_share_of_the_regular_lane(
            steps in prop::collection::vec((0..400_000_i64, 1..4_u64), 1..400),
            rate in 1..50_u64,
            burst in 1..20_u64,
        ) {
            let mut buckets = Buckets::new(rate, burst, 100);
            let (mut now, mut calm_next) = (NOW, NOW);
            let mut sent: BTreeMap<u64, Vec<(Timestamp, Topic)>> = BTreeMap::new();
            for (micros, project) in steps {
                now.0 += micros;
                let lane = buckets.lane(ProjectId(project), now);
                sent.entry(project).or_default().push((now, lane));
                if now >= calm_next {
                    prop_assert_eq!(buckets.lane(ProjectId(99), now), Topic::IngestEvents);
                    calm_next.0 = now.0 + buckets.event_micros;
                }
            }
            for events in sent.values() {
                let regular: Vec<i64> =
                    events.iter().filter(|(_, lane)| *lane == Topic::IngestEvents).map(|(at, _)| at.0).collect();
                for (from, first) in regular.iter().enumerate() {
                    for (to, last) in regular.iter().enumerate().skip(from) {
                        let most = burst as i64 + (last - first) / buckets.event_micros;
                        prop_assert!((to - from + 1) as i64 <= most);
                    }
                }
                for ((_, lane), (after, next)) in events.iter().zip(events.iter().skip(1)) {
                    if (*lane, *next) == (Topic::IngestEvents, Topic::IngestEventsBacklog) {
                        let back = events.iter().find(|(at, lane)| at > after && *lane == Topic::IngestEvents);
                        prop_assert!(back.is_none_or(|(at, _)| *at >= after.plus(CALM)));
                    }
                }
            }
        }
    }
}
