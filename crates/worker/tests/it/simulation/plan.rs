//! What a seed stands for.

use std::time::Duration;

use bytes::Bytes;
use nuthatch_issues::{FloodGuard, Options, Quota};
use nuthatch_protocol::{
    EventId, IngestRecord, ItemAttributes, KeyId, Partition, ProjectId, Timestamp, Topic, record::IngestHeader,
};
use nuthatch_store::log::NewRecord;
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use super::super::NOW;

/// The projects that exist. A third one is written to as well.
pub(crate) const PROJECTS: [u64; 2] = [1, 2];

/// A record that a producer appends, so long after the one before.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) after: Duration,
    pub(crate) topic: Topic,
    pub(crate) partition: Partition,
    pub(crate) record: NewRecord,
    /// Whether it was sent before.
    pub(crate) is_repeated: bool,
}

/// How probable it is that an operation is slow, fails, or loses its answer; in percent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    pub(crate) slow: u32,
    pub(crate) fails: u32,
    pub(crate) answer_lost: u32,
    /// Longest delay of a slow operation.
    pub(crate) delay: Duration,
}

/// A history before it happens.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) partitions: Partition,
    pub(crate) batch: usize,
    pub(crate) commit_interval: Duration,
    pub(crate) commit_max_events: usize,
    pub(crate) rate_limit: Option<u64>,
    /// How many events of an issue are kept in a minute.
    pub(crate) kept_per_minute: Option<u64>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) weather: Weather,
    /// The operation that each process dies at; the one after the last lives.
    pub(crate) deaths: Vec<u64>,
    /// When the clock jumps, and by how many microseconds.
    pub(crate) jumps: Vec<(Duration, i64)>,
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let partitions = rng.random_range(1..=2);
        let is_calm = rng.random_ratio(1, 4);
        let percent = |rng: &mut StdRng| if is_calm { 0 } else { rng.random_range(0..=12) };
        let weather = Weather {
            slow: rng.random_range(0..=60),
            fails: percent(&mut rng),
            answer_lost: percent(&mut rng),
            delay: Duration::from_millis(rng.random_range(1..=3000)),
        };
        let kept_per_minute = rng.random_ratio(1, 2).then(|| rng.random_range(0..=3));
        Self {
            seed,
            partitions,
            batch: rng.random_range(1..=8),
            commit_interval: Duration::from_millis(rng.random_range(0..=2000)),
            commit_max_events: rng.random_range(1..=10),
            rate_limit: rng.random_ratio(1, 3).then(|| rng.random_range(1..=4)),
            kept_per_minute,
            weather,
            deaths: (0..rng.random_range(0..=4)).map(|_| rng.random_range(0..=80)).collect(),
            jumps: (0..rng.random_range(0..=3)).map(|_| jump(&mut rng)).collect(),
            sent: Producer::new(&mut rng, partitions, kept_per_minute.is_none()).send(),
        }
    }
}

impl Plan {
    /// The rules of the platform.
    pub(crate) fn options(&self) -> Options {
        Options {
            occurrence_rate_limit: self.rate_limit.map(Quota::per_hour),
            flood_guard: self.kept_per_minute.map(|kept_per_minute| FloodGuard { kept_per_minute }),
            ..Options::default()
        }
    }
}

/// Corrections of a few seconds, changes of the hour, a week in suspension.
fn jump(rng: &mut StdRng) -> (Duration, i64) {
    let at = Duration::from_millis(rng.random_range(0..=20_000));
    let seconds: i64 = match rng.random_range(0..6) {
        0 => rng.random_range(1..=30),
        1 => -rng.random_range(1..=30),
        2 => rng.random_range(60..=7200),
        3 => -rng.random_range(60..=7200),
        _ => 8 * 86_400,
    };
    (at, seconds * 1_000_000)
}

/// Makes records: few or many fingerprints, so that messages meet or do not.
struct Producer<'a> {
    rng: &'a mut StdRng,
    partitions: Partition,
    variety: u32,
    /// The type of nearly all occurrences, whose fingerprints then are not those of errors.
    favourite: Option<u32>,
    /// Whether every event is kept. Where it is not, whether an occurrence finds the event it names depends on how far the
    /// worker is, so none names one.
    keeps_all: bool,
    /// Whether all errors are one issue's.
    floods: bool,
    sent: Vec<Sent>,
    /// Events that were sent as errors: what later occurrences may name.
    events: Vec<(u64, EventId)>,
}

impl<'a> Producer<'a> {
    fn new(rng: &'a mut StdRng, partitions: Partition, keeps_all: bool) -> Self {
        let variety = *[2, 5, 30].choose(rng).unwrap_or(&2);
        let favourite = *[None, None, Some(4001), Some(2007)].choose(rng).unwrap_or(&None);
        let floods = !keeps_all && rng.random_ratio(1, 4);
        Self { rng, partitions, variety, favourite, keeps_all, floods, sent: Vec::new(), events: Vec::new() }
    }

    fn send(mut self) -> Vec<Sent> {
        for number in 1..=self.rng.random_range(3..=40) {
            let after =
                Duration::from_millis(if self.rng.random_bool(0.5) { 0 } else { self.rng.random_range(1..=1500) });
            let sent = if !self.sent.is_empty() && self.rng.random_ratio(1, 6) {
                let earlier = self.sent[self.rng.random_range(0..self.sent.len())].clone();
                let topic = if earlier.topic.is_events() { self.lane() } else { earlier.topic };
                Sent { after, topic, is_repeated: true, ..earlier }
            } else {
                let (topic, id, value) = match self.rng.random_range(0..10) {
                    0..4 => self.error(number),
                    4..7 => self.occurrence(number),
                    7..9 => self.status_change(number),
                    _ => self.nonsense(number),
                };
                let partition = self.rng.random_range(0..self.partitions);
                Sent { after, topic, partition, record: NewRecord { key: id.0, value }, is_repeated: false }
            };
            self.sent.push(sent);
        }
        self.sent
    }

    fn error(&mut self, number: u32) -> (Topic, EventId, Bytes) {
        let (project, id) = (if self.floods { PROJECTS[0] } else { self.project() }, id(number));
        let fingerprint = match self.favourite {
            _ if self.floods => "flood".to_owned(),
            None => self.part(),
            Some(_) => format!("error {number}"),
        };
        let mut event = json!({
            "message": { "formatted": format!("message {}", number % 3) },
            "fingerprint": [fingerprint],
            "timestamp": self.seconds(),
            "level": if number.is_multiple_of(2) { "error" } else { "warning" },
        });
        self.decorate(&mut event);
        let payload = if self.rng.random_ratio(1, 15) { "not json".to_owned() } else { event.to_string() };
        if self.keeps_all && PROJECTS.contains(&project) && payload.starts_with('{') {
            self.events.push((project, id));
        }
        let header = IngestHeader {
            project_id: ProjectId(project),
            key_id: KeyId(1),
            event_id: id,
            item_type: "event".to_owned(),
            attributes: ItemAttributes::default(),
            blob: None,
            user_agent: None,
            client_hints: nuthatch_protocol::record::ClientHints::default(),
            letter_id: None,
            received: NOW.plus(Duration::from_secs(if self.rng.random_ratio(1, 8) { 70 } else { 0 })),
            sent_at: None,
            client_ip: None,
            client: None,
            version: "7".to_owned(),
        };
        (self.lane(), id, IngestRecord { header, payload: payload.into() }.encode())
    }

    /// Either lane, whatever a project sent before.
    fn lane(&mut self) -> Topic {
        *Topic::EVENTS.choose(self.rng).unwrap_or(&Topic::IngestEvents)
    }

    fn occurrence(&mut self, number: u32) -> (Topic, EventId, Bytes) {
        let known = self.events.choose(self.rng).copied().filter(|_| self.rng.random_ratio(1, 4));
        let (project, event_id) = known.unwrap_or_else(|| (self.project(), id(number)));
        let title = ["Broken", "Late", "<untitled>"].choose(self.rng);
        // Cron, noise of three, a quota of five, one that does not exist.
        let any = *[4001, 1004, 1004, 2007, 2007, 5].choose(self.rng).unwrap_or(&4001);
        let type_id = self.favourite.filter(|_| self.rng.random_ratio(9, 10)).unwrap_or(any);
        let priority = [None, None, Some(25), Some(50), Some(75)].choose(self.rng);
        let mut message = json!({
            "id": id(1000 + number),
            "project_id": project,
            "event_id": event_id,
            "fingerprint": self.parts(),
            "issue_title": title,
            "subtitle": "text",
            "culprit": "GET /",
            "type": type_id,
            "detection_time": self.seconds(),
            "evidence_display": [],
            "priority": priority,
        });
        if known.is_none() && self.rng.random_ratio(14, 15) {
            let mut event = json!({
                "event_id": event_id,
                "project_id": project,
                "platform": "python",
                // A time in the future counts as the time of handling, which differs from run to run.
                "timestamp": self.seconds() - 4.0 * 9000.0,
                "received": NOW.as_secs_f64(),
                "tags": {},
            });
            self.decorate(&mut event);
            message["event"] = event;
        }
        (Topic::IngestOccurrences, event_id, message.to_string().into())
    }

    fn status_change(&mut self, number: u32) -> (Topic, EventId, Bytes) {
        let known = [
            (1, None),
            (1, None),
            (1, None),
            (0, Some(2)),
            (0, Some(3)),
            (0, Some(6)),
            (2, Some(1)),
            (2, Some(4)),
            (2, Some(5)),
            (0, None),
            (1, Some(3)),
            (9, None),
        ];
        let (status, substatus) = *known.choose(self.rng).unwrap_or(&(1, None));
        let message = json!({
            "payload_type": "status_change",
            "id": id(2000 + number),
            "project_id": self.project(),
            "fingerprint": self.parts(),
            "new_status": status,
            "new_substatus": substatus,
        });
        (Topic::IngestOccurrences, id(2000 + number), message.to_string().into())
    }

    /// What no handler takes.
    fn nonsense(&mut self, number: u32) -> (Topic, EventId, Bytes) {
        let message = match self.rng.random_range(0..4) {
            0 => "[1, 2".to_owned(),
            1 => json!({ "id": id(number), "project_id": 1 }).to_string(),
            2 => json!({ "id": id(number), "project_id": 1, "fingerprint": [] }).to_string(),
            _ => json!({ "id": id(number), "project_id": 1, "fingerprint": ["a"], "payload_type": "song" }).to_string(),
        };
        (Topic::IngestOccurrences, id(number), message.into())
    }

    fn decorate(&mut self, event: &mut Value) {
        if let Some(release) = [None, Some("1.0"), Some("1.1")].choose(self.rng).copied().flatten() {
            event["release"] = release.into();
        }
        if let Some(user) = [None, Some("1"), Some("2")].choose(self.rng).copied().flatten() {
            event["user"] = json!({ "id": user });
        }
    }

    fn project(&mut self) -> u64 {
        *[1, 1, 1, 1, 2, 2, 9].choose(self.rng).unwrap_or(&1)
    }

    fn part(&mut self) -> String {
        format!("part {}", self.rng.random_range(0..self.variety))
    }

    fn parts(&mut self) -> Vec<String> {
        (0..self.rng.random_range(1..=3)).map(|_| self.part()).collect()
    }

    /// Within a few hours around the beginning.
    fn seconds(&mut self) -> f64 {
        Timestamp(NOW.0 + self.rng.random_range(-9000..=9000) * 1_000_000).as_secs_f64()
    }
}

fn id(number: u32) -> EventId {
    EventId((u128::from(number) << 64 | 0xabcd).to_be_bytes())
}
