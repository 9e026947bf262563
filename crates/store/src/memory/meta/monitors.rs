//! Monitors and their runs.

use std::cmp::Reverse;

use async_trait::async_trait;
use nuthatch_protocol::{EventId, Outcome, Outcomes, ProjectId, Timestamp};

use super::{MemoryMeta, State};
use crate::{
    MonitorStore, StoreError,
    issues::ConsumerPosition,
    monitors::{
        CheckInQuery, Known, MONITOR_ENVIRONMENTS_MAX, MONITORS_MAX, Monitor, MonitorEnvironment, PAGE_MAX,
        PROJECT_MONITORS_MAX, Placed, ReceivedCheckIn, Run, TOO_MANY_MONITORS, UNKNOWN_MONITOR, WAITING_CHECK_INS_MAX,
        minute, place,
    },
    settlements::{Counted, Settlement},
};

impl State {
    fn check_in(&mut self, counted: &Counted<ReceivedCheckIn>, outcomes: &mut Outcomes) {
        let received = &counted.what;
        let check_in = &received.check_in;
        let named = |monitor: &Monitor| (monitor.project_id, &monitor.slug) == (received.project_id, &check_in.slug);
        let mut monitor = self.monitors.values().find(|monitor| named(monitor)).map(|monitor| monitor.id);
        if let Some(config) = &check_in.config {
            let of_project = |monitor: &&Monitor| monitor.project_id == received.project_id;
            let monitors = self.monitors.values().filter(of_project).count() as u64;
            if monitor.is_none() && monitors >= PROJECT_MONITORS_MAX {
                outcomes.extend(counted.units.became(Outcome::Invalid, TOO_MANY_MONITORS));
                return;
            }
            let is_new = monitor.is_none();
            let id = *monitor.get_or_insert(received.record_id);
            let known = self.monitors.entry(id).or_insert_with(|| Monitor {
                id,
                project_id: received.project_id,
                slug: check_in.slug.clone(),
                config: config.clone(),
                created: received.received,
                environments: Vec::new(),
            });
            known.config = config.clone();
            if is_new {
                let of_monitor = |waiting: &mut Counted<ReceivedCheckIn>| {
                    (waiting.what.project_id, &waiting.what.check_in.slug) == (received.project_id, &check_in.slug)
                };
                let waited: Vec<_> = self.waiting_check_ins.extract_if(.., of_monitor).collect();
                for waited in &waited {
                    self.run_of(id, waited, outcomes);
                }
            }
        }
        match monitor {
            Some(monitor) => self.run_of(monitor, counted, outcomes),
            None => self.wait(counted, outcomes),
        }
    }

    fn wait(&mut self, counted: &Counted<ReceivedCheckIn>, outcomes: &mut Outcomes) {
        let of_project = |waiting: &&Counted<ReceivedCheckIn>| waiting.what.project_id == counted.what.project_id;
        if self.waiting_check_ins.iter().filter(of_project).count() as u64 >= WAITING_CHECK_INS_MAX {
            outcomes.extend(counted.units.became(Outcome::Invalid, UNKNOWN_MONITOR));
        } else {
            self.waiting_check_ins.push(counted.clone());
        }
    }

    fn run_of(&mut self, monitor: EventId, counted: &Counted<ReceivedCheckIn>, outcomes: &mut Outcomes) {
        let received = &counted.what;
        match place(received, self.known(monitor, received)) {
            Placed::Run(run) => {
                self.runs.insert((received.project_id, run.id), (monitor, run));
                outcomes.extend(counted.accepted());
            }
            Placed::Dropped(outcome, reason) => outcomes.extend(counted.units.became(outcome, reason)),
        }
    }

    fn known(&self, monitor: EventId, received: &ReceivedCheckIn) -> Known {
        let check_in = &received.check_in;
        let here = || {
            let runs = self.runs.values().filter(move |(of, _)| *of == monitor).map(|(_, run)| run);
            runs.filter(|run| run.environment == check_in.environment)
        };
        let found = match check_in.id {
            Some(id) => self.runs.get(&(received.project_id, id)).cloned(),
            None => {
                let open = here().filter(|run| !run.status.is_final());
                open.max_by_key(|run| (run.added, run.id)).map(|run| (monitor, run.clone()))
            }
        };
        match found {
            Some((of, run)) if of == monitor && run.environment == check_in.environment => Known::Run(run),
            Some(_) => Known::Foreign,
            None => {
                let since = minute(received.received);
                let in_minute = here().filter(|run| minute(run.added) == since).count() as u64;
                let others = self.environments(monitor).len();
                Known::New { in_minute, is_crowded: here().next().is_none() && others >= MONITOR_ENVIRONMENTS_MAX }
            }
        }
    }

    fn environments(&self, monitor: EventId) -> Vec<MonitorEnvironment> {
        let mut runs: Vec<&Run> = self.runs.values().filter(|(of, _)| *of == monitor).map(|(_, run)| run).collect();
        runs.sort_by_key(|run| (&run.environment, run.added, run.id));
        let mut environments: Vec<MonitorEnvironment> = Vec::new();
        for run in runs {
            match environments.last_mut().filter(|last| last.name == run.environment) {
                Some(last) => {
                    last.last_check_in = run.updated;
                    last.status = run.status;
                }
                None => environments.push(MonitorEnvironment {
                    name: run.environment.clone(),
                    created: run.added,
                    last_check_in: run.updated,
                    status: run.status,
                }),
            }
        }
        environments
    }
}

#[async_trait]
impl MonitorStore for MemoryMeta {
    async fn apply_check_ins(
        &self,
        check_ins: Vec<Counted<ReceivedCheckIn>>,
        settlement: Settlement,
    ) -> Result<(), StoreError> {
        self.lock().settle(settlement, |state, outcomes| {
            for check_in in &check_ins {
                state.check_in(check_in, outcomes);
            }
        });
        Ok(())
    }

    async fn give_up_check_ins(&self, before: Timestamp, consumer: ConsumerPosition) -> Result<(), StoreError> {
        let mut state = self.lock();
        let late: Vec<_> = state.waiting_check_ins.extract_if(.., |waiting| waiting.what.handled < before).collect();
        let mut outcomes = Outcomes::default();
        for waited in late {
            outcomes.extend(waited.units.became(Outcome::Invalid, UNKNOWN_MONITOR));
        }
        if !outcomes.is_empty() {
            state.count(&outcomes, 0, &consumer);
        }
        Ok(())
    }

    async fn monitors(&self, projects: &[ProjectId]) -> Result<Vec<Monitor>, StoreError> {
        let state = self.lock();
        let mut monitors: Vec<Monitor> =
            state.monitors.values().filter(|monitor| projects.contains(&monitor.project_id)).cloned().collect();
        monitors.sort_by(|a, b| (a.project_id, &a.slug).cmp(&(b.project_id, &b.slug)));
        monitors.truncate(MONITORS_MAX);
        for monitor in &mut monitors {
            monitor.environments = state.environments(monitor.id);
        }
        Ok(monitors)
    }

    async fn check_ins(&self, query: &CheckInQuery) -> Result<Vec<Run>, StoreError> {
        let state = self.lock();
        let wanted = |run: &Run| {
            (query.environments.is_empty() || query.environments.contains(&run.environment))
                && (query.from..query.until).contains(&run.added)
                && query.after.is_none_or(|after| (run.added, run.id) < after)
        };
        let runs = state.runs.values().filter(|(of, run)| *of == query.monitor && wanted(run));
        let mut runs: Vec<Run> = runs.map(|(_, run)| run.clone()).collect();
        runs.sort_by_key(|run| Reverse((run.added, run.id)));
        runs.truncate(query.limit.min(PAGE_MAX));
        Ok(runs)
    }

    async fn delete_monitor(&self, id: EventId) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.monitors.remove(&id).ok_or(StoreError::NotFound("the monitor"))?;
        state.runs.retain(|_, (of, _)| *of != id);
        Ok(())
    }

    async fn expire_check_ins(&self, before: Timestamp) -> Result<(), StoreError> {
        self.lock().runs.retain(|_, (_, run)| run.added >= before);
        Ok(())
    }
}
