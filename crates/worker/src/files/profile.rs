//! Profiles: whether one can be shown, and what it is known by (`reference/ingest-protocol.md` §7.10).
//!
//! Nothing of a profile is kept in memory but what the rules ask for, so that its size is no matter.

use std::{
    collections::HashMap,
    fmt,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use nuthatch_protocol::EventId;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};

use super::{broken, object};
use crate::items::Broken;

/// Longest profile of a transaction, in seconds.
const DURATION_MAX_SECS: f64 = 30.0;

/// Fewest samples of a thread that say how long anything took.
const THREAD_SAMPLES_MIN: u64 = 2;

/// What a chunk of a continuous profile is known by.
pub(super) struct ChunkIds {
    pub(super) profiler_id: EventId,
    pub(super) chunk_id: EventId,
}

#[derive(Deserialize)]
struct Profile {
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    platform: Option<String>,
    #[serde(alias = "profile_id")]
    event_id: EventId,
    #[serde(default)]
    transaction: Option<IgnoredAny>,
    #[serde(default)]
    transactions: Count,
    #[serde(default, rename = "profile")]
    sampled: Option<Sampled>,
}

#[derive(Deserialize)]
struct Chunk {
    version: String,
    profiler_id: EventId,
    #[serde(rename = "chunk_id")]
    id: EventId,
    #[serde(rename = "profile")]
    sampled: Sampled,
}

/// What was sampled, summed up while it is read.
#[derive(Deserialize)]
struct Sampled {
    samples: Samples,
    stacks: Stacks,
    frames: Count,
}

/// The id of the profile of a transaction.
pub(super) fn id_of_profile(payload: &[u8]) -> Result<EventId, Broken> {
    let profile: Profile = object(payload, "profiling_invalid_json")?;
    match (profile.version.as_deref(), profile.platform.as_deref()) {
        (Some("1"), _) => {}
        // The trace of the system, in a form of its own.
        (None, Some("android")) => return Ok(profile.event_id),
        (version, platform) => {
            let message = format!("version {version:?} of platform {platform:?} is not known");
            return Err(broken("profiling_platform_not_supported", message));
        }
    }
    if profile.transaction.is_none() && profile.transactions.0 == 0 {
        return Err(broken("profiling_no_transaction_associated", "the profile names no transaction"));
    }
    let sampled = profile.sampled.ok_or_else(|| broken("profiling_malformed_samples", "the profile has no samples"))?;
    sampled.check()?;
    if sampled.samples.threads.values().all(|count| *count < THREAD_SAMPLES_MIN) {
        let message = format!("no thread has {THREAD_SAMPLES_MIN} samples");
        return Err(broken("profiling_not_enough_samples", message));
    }
    let seconds = sampled.samples.seconds();
    if seconds > DURATION_MAX_SECS {
        let message = format!("the profile takes {seconds} s, more than {DURATION_MAX_SECS} s");
        return Err(broken("profiling_duration_is_too_long", message));
    }
    Ok(profile.event_id)
}

/// The ids of a chunk of a continuous profile.
pub(super) fn ids_of_chunk(payload: &[u8]) -> Result<ChunkIds, Broken> {
    let chunk: Chunk = object(payload, "profiling_invalid_json")?;
    if chunk.version != "2" {
        let message = format!("version {:?} of chunks is not known", chunk.version);
        return Err(broken("profiling_platform_not_supported", message));
    }
    chunk.sampled.check()?;
    Ok(ChunkIds { profiler_id: chunk.profiler_id, chunk_id: chunk.id })
}

impl Sampled {
    /// Whether samples, stacks and frames fit together.
    fn check(&self) -> Result<(), Broken> {
        let Self { samples, stacks, frames } = self;
        let Some(last_stack) = samples.last_stack else {
            return Err(broken("profiling_not_enough_samples", "the profile has no samples"));
        };
        if last_stack >= stacks.count {
            let message = format!("a sample names stack {last_stack} of {}", stacks.count);
            return Err(broken("profiling_malformed_samples", message));
        }
        match stacks.last_frame {
            Some(frame) if frame < frames.0 => Ok(()),
            Some(frame) => {
                Err(broken("profiling_malformed_stacks", format!("a stack names frame {frame} of {}", frames.0)))
            }
            None => Err(broken("profiling_malformed_stacks", "no stack has frames")),
        }
    }
}

/// How many entries a list has.
#[derive(Default)]
struct Count(u64);

/// How many stacks there are, and the last frame that any of them names.
struct Stacks {
    count: u64,
    last_frame: Option<u64>,
}

/// The frames of one stack: the last that it names.
struct Stack(Option<u64>);

/// What the samples say together.
#[derive(Default)]
struct Samples {
    /// The last stack that any of them names.
    last_stack: Option<u64>,
    /// How many there are of each thread.
    threads: HashMap<u64, u64>,
    first_secs: Option<f64>,
    last_secs: Option<f64>,
}

impl Samples {
    fn add(&mut self, sample: &Sample) {
        self.last_stack = self.last_stack.max(Some(sample.stack_id));
        *self.threads.entry(sample.thread_id.0).or_default() += 1;
        let secs = match (&sample.elapsed_since_start_ns, sample.timestamp) {
            (Some(Nanos(nanos)), _) => *nanos as f64 / 1e9,
            (None, Some(timestamp)) => timestamp,
            (None, None) => return,
        };
        self.first_secs = Some(self.first_secs.map_or(secs, |first| first.min(secs)));
        self.last_secs = Some(self.last_secs.map_or(secs, |last| last.max(secs)));
    }

    /// Time between the first and the last one.
    fn seconds(&self) -> f64 {
        self.last_secs.zip(self.first_secs).map_or(0.0, |(last, first)| last - first)
    }
}

#[derive(Deserialize)]
struct Sample {
    #[serde(default)]
    elapsed_since_start_ns: Option<Nanos>,
    #[serde(default)]
    timestamp: Option<f64>,
    stack_id: u64,
    thread_id: ThreadId,
}

/// A number of nanoseconds, as a number or as a text.
struct Nanos(u64);

/// A thread, named by a number or a text; all that matters is whether two are the same.
struct ThreadId(u64);

/// Reads a list by giving each entry to a function.
struct Each<T, F>(F, std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>, F: FnMut(T)> Visitor<'de> for Each<T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element()? {
            (self.0)(entry);
        }
        Ok(())
    }
}

fn each<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D, take: impl FnMut(T)) -> Result<(), D::Error> {
    deserializer.deserialize_seq(Each(take, std::marker::PhantomData))
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut count = 0;
        each(deserializer, |_: IgnoredAny| count += 1)?;
        Ok(Self(count))
    }
}

impl<'de> Deserialize<'de> for Stack {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut last = None;
        each(deserializer, |frame: u64| last = last.max(Some(frame)))?;
        Ok(Self(last))
    }
}

impl<'de> Deserialize<'de> for Stacks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut stacks = Self { count: 0, last_frame: None };
        each(deserializer, |stack: Stack| {
            stacks.count += 1;
            stacks.last_frame = stacks.last_frame.max(stack.0);
        })?;
        Ok(stacks)
    }
}

impl<'de> Deserialize<'de> for Samples {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut samples = Self::default();
        each(deserializer, |sample: Sample| samples.add(&sample))?;
        Ok(samples)
    }
}

/// A number or a text.
struct NumberOrText<N, T>(N, T);

impl<V, N, T> Visitor<'_> for NumberOrText<N, T>
where
    N: FnOnce(u64) -> V,
    T: FnOnce(&str) -> Option<V>,
{
    type Value = V;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text")
    }

    fn visit_u64<E>(self, number: u64) -> Result<V, E> {
        Ok((self.0)(number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<V, E> {
        (self.1)(text).ok_or_else(|| E::custom("expected a whole number"))
    }
}

impl<'de> Deserialize<'de> for Nanos {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let nanos = deserializer.deserialize_any(NumberOrText(|number| number, |text: &str| text.parse().ok()))?;
        Ok(Self(nanos))
    }
}

impl<'de> Deserialize<'de> for ThreadId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let of_text = |text: &str| {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            Some(text.parse().unwrap_or_else(|_| hasher.finish()))
        };
        Ok(Self(deserializer.deserialize_any(NumberOrText(|number| number, of_text))?))
    }
}
