//! Reading a body: capped, in time, within the memory all requests share.

use std::{sync::Arc, time::Duration};

use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{
    IntakeConfig,
    decode::{self, Decoding, Encoding},
    refusal::Refusal,
};

/// Memory is counted in units of so many bytes.
const UNIT_BYTES: usize = 1024;
/// Most bytes decompressed on the thread that serves requests: well under a millisecond, and enough for nearly all
/// events. The rest of a longer body is decompressed on the threads for blocking work.
const INLINE_STEP_BYTES: usize = 256 << 10;
/// Most bytes decompressed on a thread for blocking work before asking for room again.
const OFFLOAD_STEP_BYTES: usize = 4 << 20;

/// The memory all bodies share.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    units: Arc<Semaphore>,
    units_max: usize,
}

/// A body with the room it takes.
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    /// Given back when the body is no longer needed.
    pub(crate) room: Room,
}

/// A part of the memory, given back when dropped.
pub(crate) struct Room {
    memory: Memory,
    bytes: usize,
    permit: Option<OwnedSemaphorePermit>,
}

impl Memory {
    pub(crate) fn new(bytes: usize) -> Self {
        let units_max = bytes.div_ceil(UNIT_BYTES).clamp(1, u32::MAX as usize);
        Self { units: Arc::new(Semaphore::new(units_max)), units_max }
    }

    fn room(&self) -> Room {
        Room { memory: self.clone(), bytes: 0, permit: None }
    }
}

impl Room {
    /// Asks for so many bytes more. A request that has all there is may go on growing: bounded by its own limit, and
    /// better than one that could never finish.
    pub(crate) async fn grow(&mut self, bytes: usize, config: &IntakeConfig) -> Result<(), Refusal> {
        self.bytes += bytes;
        let held = self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let missing = self.bytes.div_ceil(UNIT_BYTES).min(self.memory.units_max).saturating_sub(held) as u32;
        if missing == 0 {
            return Ok(());
        }
        let units = Arc::clone(&self.memory.units);
        let permit = match Arc::clone(&units).try_acquire_many_owned(missing) {
            Ok(permit) => permit,
            Err(_) => match timeout(config.room_wait, units.acquire_many_owned(missing)).await {
                Ok(Ok(permit)) => permit,
                _ => return Err(Refusal::Overloaded),
            },
        };
        match &mut self.permit {
            Some(held) => held.merge(permit),
            none => *none = Some(permit),
        }
        Ok(())
    }

    /// Undoes the compression of a part of what was received; at most `limit` bytes.
    pub(crate) async fn unpack(
        &mut self,
        encoding: Encoding,
        packed: Bytes,
        limit: usize,
        config: &IntakeConfig,
    ) -> Result<Bytes, Refusal> {
        inflate(encoding, packed, limit, self, config).await
    }

    /// Gives back what is not needed any more.
    fn shrink_to(&mut self, bytes: usize) {
        self.bytes = bytes;
        if let Some(permit) = &mut self.permit {
            let spare = permit.num_permits().saturating_sub(bytes.div_ceil(UNIT_BYTES));
            drop(permit.split(spare));
        }
    }
}

/// Reads a body and undoes its compression; at most `limit` bytes, before and after.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    memory: &Memory,
    config: &IntakeConfig,
) -> Result<Received, Refusal> {
    let encoding = encoding(headers)?;
    let mut room = memory.room();
    let sent = collect(body, limit, &mut room, config);
    let sent = timeout(config.body_timeout, sent).await.map_err(|_| Refusal::BodyTimeout)??;
    if encoding == Encoding::Identity || sent.is_empty() {
        return Ok(Received { bytes: sent, room });
    }
    let bytes = inflate(encoding, sent, limit, &mut room, config).await?;
    room.shrink_to(bytes.len());
    Ok(Received { bytes, room })
}

/// A body that is read piece by piece, as it comes.
pub(crate) struct Pieces {
    body: Body,
    limit: usize,
    /// How many bytes may still come.
    left: usize,
    longest_wait: Duration,
}

impl Pieces {
    /// At most `limit` bytes, with waits of at most so long between pieces.
    pub(crate) fn new(body: Body, limit: usize, longest_wait: Duration) -> Result<Self, Refusal> {
        if body.size_hint().lower() > limit as u64 {
            return Err(Refusal::BodyTooLarge { bytes_max: limit });
        }
        Ok(Self { body, limit, left: limit, longest_wait })
    }

    /// The next piece, never an empty one; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        timeout(self.longest_wait, self.sent()).await.map_err(|_| Refusal::BodyTimeout)?
    }

    async fn sent(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            let Some(frame) = self.body.frame().await else { return Ok(None) };
            let frame = frame.map_err(|error| Refusal::BodyBroken(error.to_string()))?;
            let Some(data) = frame.into_data().ok().filter(|data| !data.is_empty()) else { continue };
            let too_large = Refusal::BodyTooLarge { bytes_max: self.limit };
            self.left = self.left.checked_sub(data.len()).ok_or(too_large)?;
            return Ok(Some(data));
        }
    }
}

/// How the bytes of a body are compressed.
pub(crate) fn encoding(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else { return Ok(Encoding::Identity) };
    value.to_str().ok().and_then(Encoding::from_name).ok_or(Refusal::Encoding)
}

async fn collect(body: Body, limit: usize, room: &mut Room, config: &IntakeConfig) -> Result<Bytes, Refusal> {
    let mut pieces = Pieces::new(body, limit, config.body_timeout)?;
    // Most bodies arrive in one piece, which is then used as it is.
    let mut first = Bytes::new();
    let mut joined = Vec::new();
    while let Some(data) = pieces.next().await? {
        room.grow(data.len(), config).await?;
        if first.is_empty() && joined.is_empty() {
            first = data;
        } else {
            joined.extend_from_slice(&std::mem::take(&mut first));
            joined.extend_from_slice(&data);
        }
    }
    Ok(if joined.is_empty() { first } else { Bytes::from(joined) })
}

async fn inflate(
    encoding: Encoding,
    sent: Bytes,
    limit: usize,
    room: &mut Room,
    config: &IntakeConfig,
) -> Result<Bytes, Refusal> {
    let inline_bytes = INLINE_STEP_BYTES.min(limit);
    room.grow(inline_bytes, config).await?;
    if encoding == Encoding::Gzip
        && let Some(bytes) = decode::one_gzip_member(&sent, inline_bytes)
    {
        return Ok(bytes);
    }
    let mut decoding = Decoding::new(encoding, sent, limit).map_err(|error| Refusal::Corrupt(error.to_string()))?;
    let mut done = decoding.step(INLINE_STEP_BYTES)?;
    if !done {
        room.grow(encoding.state_max_bytes(), config).await?;
    }
    while !done {
        room.grow(OFFLOAD_STEP_BYTES.min(limit), config).await?;
        let step = tokio::task::spawn_blocking(move || {
            let done = decoding.step(OFFLOAD_STEP_BYTES)?;
            Ok::<_, Refusal>((decoding, done))
        });
        // The thread only fails to finish when the runtime is going down.
        (decoding, done) = step.await.map_err(|_| Refusal::Closed)??;
    }
    Ok(decoding.finish())
}
