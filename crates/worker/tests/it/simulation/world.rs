//! Lets a plan happen.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use nuthatch_issues::Changes;
use nuthatch_protocol::{Clock, Position, PublicKey, Timestamp, Topic};
use nuthatch_store::{
    EventStore, IssueStore, Log, ProjectStore,
    issues::ConsumerPosition,
    log::{LogLayout, ReadLimit},
    memory::{MemoryBlobs, MemoryEvents, MemoryLog, MemoryMeta, MemoryTraces},
    projects::NewProject,
};
use nuthatch_worker::{EVENTS_CONSUMER, ISSUES_CONSUMER, Rules, Worker, WorkerOptions, consumers};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    plan::{PROJECTS, Plan, Sent},
    tally::Tally,
};
use crate::{
    NOW,
    faults::{Fault, Faults, Faulty, Witness},
};

/// Time between two looks at the positions.
const LOOK: Duration = Duration::from_millis(250);

/// A history that is not over by then never ends.
const END: Duration = Duration::from_hours(24);

/// The topics that the issue platform reads.
pub(crate) const TOPICS: [Topic; 3] = [Topic::IngestEvents, Topic::IngestEventsBacklog, Topic::IngestOccurrences];

/// A transaction of the issues.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    /// The time that was decided at.
    pub(crate) now: Timestamp,
    /// Where it moved the consumer; a job moves none.
    pub(crate) position: Option<ConsumerPosition>,
    pub(crate) changes: Changes,
}

/// What outlives a process, and what was seen of it.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) meta: Arc<MemoryMeta>,
    pub(crate) events: Arc<MemoryEvents>,
    clock: Arc<JumpingClock>,
    journal: Mutex<Vec<Commit>>,
    /// Every record that was appended to [`TOPICS`], with its place.
    appended: Mutex<Vec<(Position, Sent)>>,
    tally: Mutex<Tally>,
}

/// Virtual time, and the jumps.
struct JumpingClock {
    start: Instant,
    jumps: Vec<(Duration, i64)>,
    last: AtomicI64,
}

impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        let elapsed = self.start.elapsed();
        let jumped: i64 = self.jumps.iter().filter(|(at, _)| *at <= elapsed).map(|(_, micros)| micros).sum();
        let now = NOW.0 + elapsed.as_micros() as i64 + jumped;
        self.last.store(now, Ordering::Relaxed);
        Timestamp(now)
    }
}

impl Witness for World {
    /// The engine's time is the one that was read last: nothing else runs between reading it and asking.
    fn asked(&self) -> Timestamp {
        Timestamp(self.clock.last.load(Ordering::Relaxed))
    }

    fn committed(&self, now: Timestamp, position: Option<ConsumerPosition>, changes: &Changes) {
        self.journal.lock().unwrap().push(Commit { now, position, changes: changes.clone() });
    }
}

impl World {
    /// Lets it happen, until everything that was sent is applied.
    pub(crate) async fn run(plan: Plan) -> Arc<Self> {
        let world = Arc::new(Self::new(plan).await);
        let producing = tokio::spawn(world.clone().produce());
        let mut deaths = world.plan.deaths.clone().into_iter();
        for life in 0.. {
            let faults = world.faults(life, deaths.next());
            if world.clone().live(faults, &producing).await {
                break;
            }
            world.tally.lock().unwrap().count("died", 1);
            world.events.crash();
        }
        producing.await.unwrap();
        world
    }

    async fn new(plan: Plan) -> Self {
        let readers =
            TOPICS.into_iter().flat_map(|topic| consumers(topic).iter().map(move |name| (topic, (*name).to_owned())));
        let layout = LogLayout { partitions: plan.partitions, consumers: readers.collect() };
        let meta = Arc::new(MemoryMeta::new());
        let organization_id = meta.create_organization("acme", "Acme", NOW).await.unwrap().id;
        for number in PROJECTS {
            let project = NewProject {
                organization_id,
                slug: format!("web-{number}"),
                name: "Web".to_owned(),
                platform: None,
                first_key: PublicKey([number as u8; 16]),
                created: NOW,
            };
            assert_eq!(meta.create_project(project).await.unwrap().0.id.0, number);
        }
        let jumps = plan.jumps.clone();
        let tally = count_jumps(&jumps);
        let clock = Arc::new(JumpingClock { start: Instant::now(), jumps, last: AtomicI64::new(NOW.0) });
        Self {
            plan,
            log: Arc::new(MemoryLog::with_layout(layout)),
            meta,
            events: Arc::new(MemoryEvents::new()),
            clock,
            journal: Mutex::default(),
            appended: Mutex::default(),
            tally: Mutex::new(tally),
        }
    }

    pub(crate) fn journal(&self) -> Vec<Commit> {
        self.journal.lock().unwrap().clone()
    }

    pub(crate) fn appended(&self) -> Vec<(Position, Sent)> {
        self.appended.lock().unwrap().clone()
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally.lock().unwrap().clone()
    }

    /// Appends what was planned. Producers do not die with the worker: what they were answered is in the log.
    async fn produce(self: Arc<Self>) {
        for sent in &self.plan.sent {
            tokio::time::sleep(sent.after).await;
            let at = self.log.append(sent.topic, sent.partition, vec![sent.record.clone()]).await.unwrap();
            self.appended.lock().unwrap().push((at, sent.clone()));
            self.tally.lock().unwrap().count(if sent.is_repeated { "repeated" } else { "appended" }, 1);
        }
    }

    /// What happens to the operations of a process.
    fn faults(self: &Arc<Self>, life: u64, death: Option<u64>) -> Faults {
        let world = self.clone();
        let weather = self.plan.weather;
        let rng = Mutex::new(StdRng::seed_from_u64(self.plan.seed.wrapping_mul(31).wrapping_add(life)));
        Box::new(move |operation| {
            let mut rng = rng.lock().unwrap();
            let (fault, name) = if death.is_some_and(|death| operation >= death) {
                (Fault::Dead, "after death")
            } else {
                let delay = Duration::from_micros(rng.random_range(1..=weather.delay.as_micros() as u64));
                match rng.random_range(0..100) {
                    roll if roll < weather.fails => (Fault::Fails, "failed"),
                    roll if roll < weather.fails + weather.answer_lost => (Fault::AnswerLost, "answer lost"),
                    _ if rng.random_range(0..100) < weather.slow => (Fault::Slow(delay), "slow"),
                    _ => (Fault::None, "undisturbed"),
                }
            };
            world.tally.lock().unwrap().count(name, 1);
            fault
        })
    }

    /// One process, from start to death (`false`) or until all is done.
    async fn live(self: Arc<Self>, faults: Faults, producing: &tokio::task::JoinHandle<()>) -> bool {
        let witness: Arc<dyn Witness> = self.clone();
        let stores = Faulty::new(self.events.clone(), self.meta.clone(), self.log.clone(), faults, Some(witness));
        let platform = self.plan.options();
        let worker = Worker {
            log: stores.clone(),
            issues: stores.clone(),
            events: stores.clone(),
            traces: Arc::new(MemoryTraces::new()),
            letters: stores.clone(),
            queue: self.meta.clone(),
            outcomes: stores.clone(),
            settlements: stores.clone(),
            monitors: stores.clone(),
            sessions: stores,
            facts: self.meta.clone(),
            files: self.meta.clone(),
            blobs: Arc::new(MemoryBlobs::new()),
            rules: Arc::new(Rules::new(self.meta.clone())),
            clock: self.clock.clone(),
            options: WorkerOptions {
                batch: ReadLimit { records: self.plan.batch, bytes: 1 << 20 },
                commit_interval: self.plan.commit_interval,
                commit_max_events: self.plan.commit_max_events,
                retention: Duration::from_hours(365 * 24),
                platform,
            },
        };
        let stop = CancellationToken::new();
        let mut running = tokio::spawn(worker.run(stop.clone()));
        loop {
            if producing.is_finished() && self.unsettled().await.is_none() {
                stop.cancel();
                return running.await.unwrap().is_ok();
            }
            assert!(self.clock.start.elapsed() < END, "it never ends: {:?}", self.unsettled().await);
            tokio::select! {
                biased;
                ended = &mut running => {
                    assert!(ended.unwrap().is_err(), "a worker ends only when it dies");
                    return false;
                }
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// A consumer that is not at the end of its topic: what it is called, where it is, how far it could be.
    async fn unsettled(&self) -> Option<(&'static str, Position, u64)> {
        for partition in 0..self.plan.partitions {
            for topic in TOPICS {
                let start = Position { topic, partition, offset: 0 };
                let next = self.log.bounds(topic, partition).await.unwrap().next;
                for consumer in consumers(topic) {
                    let at = match *consumer {
                        EVENTS_CONSUMER => self.events.position(start).await.unwrap(),
                        ISSUES_CONSUMER => self.meta.position(consumer, start).await.unwrap(),
                        other => panic!("unknown consumer {other}"),
                    };
                    if at.offset != next {
                        return Some((consumer, at, next));
                    }
                }
            }
        }
        None
    }
}

fn count_jumps(jumps: &[(Duration, i64)]) -> Tally {
    let mut tally = Tally::default();
    for (_, micros) in jumps {
        tally.count(if *micros > 0 { "clock forward" } else { "clock back" }, 1);
    }
    tally
}
