//! The file that says up to where the log is applied, and in which format the indexes are.
//!
//! It is written after the indexes are committed. A crash in between leaves it behind them: the records in between are
//! applied again, and a row replaces itself. It is never ahead of them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{ErrorKind, Write},
    path::Path,
};

use nuthatch_protocol::{Partition, Position, Topic};
use nuthatch_store::StoreError;
use serde::{Deserialize, Serialize};

use super::StoreName;

const NAME: &str = "state.json";

/// The next offset to apply, by partition of the log.
pub(super) type Positions = BTreeMap<(Topic, Partition), u64>;

#[derive(Serialize, Deserialize)]
struct State {
    version: u32,
    positions: Vec<Position>,
}

/// Reads the positions. Those of a file that cannot be read are lost, which is said in the second part: the log is
/// applied again from where it begins. An older format is upgraded by applying the log again or by restoring a backup
/// with the version that made it; a newer one is refused.
pub(super) fn read(dir: &Path, store: StoreName, format: u32) -> Result<(Positions, Option<String>), StoreError> {
    let bytes = match fs::read(dir.join(NAME)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Positions::new(), None)),
        Err(error) => return Err(store.unavailable(error)),
    };
    let state: State = match serde_json::from_slice(&bytes) {
        Ok(state) => state,
        Err(error) => return Ok((Positions::new(), Some(format!("{NAME}: {error}")))),
    };
    if state.version != format {
        let found = state.version;
        return Err(StoreError::Invalid(format!(
            "the {store} has format {found} and this version reads format {format}: use the version that made it"
        )));
    }
    let key = |position: Position| ((position.topic, position.partition), position.offset);
    Ok((state.positions.into_iter().map(key).collect(), None))
}

/// Replaces the file, durably.
pub(super) fn write(dir: &Path, store: StoreName, format: u32, positions: &Positions) -> Result<(), StoreError> {
    let new = dir.join("state.json.new");
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(&encode(format, positions))?;
        file.sync_all()?;
        fs::rename(&new, dir.join(NAME))?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|error| store.unavailable(error))
}

/// The positions as they are written to the file, and to the payload of each index at its commit.
pub(super) fn encode(format: u32, positions: &Positions) -> Vec<u8> {
    let position = |(&(topic, partition), &offset): (&(Topic, Partition), &u64)| Position { topic, partition, offset };
    let state = State { version: format, positions: positions.iter().map(position).collect() };
    // Words and numbers always serialise; an empty file would be reported when read.
    serde_json::to_vec(&state).unwrap_or_default()
}
