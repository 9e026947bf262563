//! The one thread that changes indexes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::PathBuf,
    sync::Arc,
};

use nuthatch_protocol::{Position, Timestamp};
use nuthatch_store::StoreError;
use tantivy::{
    IndexWriter,
    indexer::{IndexWriterOptions, LogMergePolicy},
};
use tokio::sync::{mpsc, oneshot};

use super::{
    Layout, Options, Shared,
    partition::{self, Partition, number},
    state::{self, Positions},
};

/// Rows taken and not yet committed; a commit is made when there are more.
const PENDING_ROWS_MAX: usize = 20_000;
/// Bytes of bodies taken and not yet committed; a commit is made when there are more.
const PENDING_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most rows that a merge makes one segment of.
const MERGE_ROWS_MAX: usize = 2_000_000;
/// Part of a segment's rows that may be replaced before it is written anew.
const REPLACED_MAX: f32 = 0.3;

/// What the thread is asked to do.
pub(crate) enum Command<L: Layout> {
    Upsert(Vec<L::Row>, Position, Reply),
    Commit(Reply),
    DropBefore(Timestamp, Reply),
    /// Ends the thread after the merges that run.
    Close(Reply),
}

/// Where the answer goes.
pub(crate) type Reply = oneshot::Sender<Result<(), StoreError>>;

/// What a batch changes in a partition: rows are taken out first.
struct Changes<'a, L: Layout> {
    replaced: Vec<L::Key>,
    added: Vec<&'a L::Row>,
}

impl<L: Layout> Default for Changes<'_, L> {
    fn default() -> Self {
        Self { replaced: Vec::new(), added: Vec::new() }
    }
}

/// The state of the thread.
pub(super) struct Writer<L: Layout> {
    pub(super) dir: PathBuf,
    pub(super) options: Options,
    pub(super) shared: Arc<Shared<L>>,
    /// Open writers with the numbers of their partitions, the one used last at the end.
    pub(super) open: Vec<(i64, IndexWriter)>,
    /// Partitions with changes since the last commit.
    pub(super) changed: BTreeSet<i64>,
    pub(super) reached: Positions,
    pub(super) pending_bytes: usize,
}

impl<L: Layout> Writer<L> {
    /// Does what comes until the store is closed or dropped.
    pub(super) fn run(mut self, commands: &mut mpsc::Receiver<Command<L>>) {
        // A failed change may have taken rows with it, so nothing is committed after it: the position stays where it
        // is durable, and the records behind it are applied again after a restart.
        let mut broken: Option<String> = None;
        while let Some(command) = commands.blocking_recv() {
            let is_removal = matches!(command, Command::DropBefore(..));
            let (result, reply) = match (command, &broken) {
                (Command::Close(reply), _) => {
                    let merged = self.open.drain(..).try_for_each(|(_, writer)| writer.wait_merging_threads());
                    _ = reply.send(merged.map_err(|error| L::STORE.failed(error)));
                    return;
                }
                (Command::Upsert(_, _, reply) | Command::Commit(reply), Some(cause)) => {
                    let cause = format!("{cause}; restart to go on from what is durable");
                    (Err(L::STORE.unavailable(cause)), reply)
                }
                (Command::Upsert(rows, position, reply), None) => (self.upsert(rows, position), reply),
                (Command::Commit(reply), None) => (self.commit(), reply),
                // What is too old goes all the same: a full disk may be what broke it.
                (Command::DropBefore(time, reply), _) => (self.drop_before(time), reply),
            };
            // A removal that failed takes no rows with it that are to stay.
            if let (Err(error), None, false) = (&result, &broken, is_removal) {
                tracing::error!(%error, store = %L::STORE, "a store stops taking changes");
                broken = Some(error.to_string());
            }
            // Who asked may have gone.
            _ = reply.send(result);
        }
    }

    fn upsert(&mut self, rows: Vec<L::Row>, position: Position) -> Result<(), StoreError> {
        let known = self.shared.holding(&rows)?;
        let last: HashMap<L::Key, usize> = rows.iter().map(L::key).zip(0..).collect();
        // Partition by partition: rows that jump between weeks would open and commit a writer each.
        let mut changes: BTreeMap<i64, Changes<'_, L>> = BTreeMap::new();
        for (at, (row, known)) in rows.iter().zip(known).enumerate() {
            let key = L::key(row);
            if last.get(&key) != Some(&at) {
                continue;
            }
            let pending = self.shared.pending().get(&key).map(|row| number(L::time(row)));
            for partition in known.into_iter().chain(pending).collect::<BTreeSet<_>>() {
                changes.entry(partition).or_default().replaced.push(key);
            }
            changes.entry(number(L::time(row))).or_default().added.push(row);
        }
        let (open, closed): (Vec<i64>, Vec<i64>) =
            changes.keys().partition(|number| self.open.iter().any(|(open, _)| open == *number));
        for number in open.into_iter().chain(closed) {
            let Changes { replaced, added } = changes.remove(&number).unwrap_or_default();
            let writer = self.writer(number)?;
            for key in replaced {
                writer.delete_term(L::key_term(key));
            }
            for row in added {
                writer.add_document(L::document(row)).map_err(|error| L::STORE.failed(error))?;
            }
        }
        self.pending_bytes += rows.iter().map(L::bytes).sum::<usize>();
        self.shared.pending().extend(rows.into_iter().map(|row| (L::key(&row), Arc::new(row))));
        let reached = self.reached.entry((position.topic, position.partition)).or_default();
        *reached = position.offset.max(*reached);
        let rows = self.shared.pending().len();
        if rows > PENDING_ROWS_MAX || self.pending_bytes > PENDING_BYTES_MAX { self.commit() } else { Ok(()) }
    }

    /// The writer of a partition, opened if need be; marks the partition as changed.
    fn writer(&mut self, number: i64) -> Result<&mut IndexWriter, StoreError> {
        self.changed.insert(number);
        match self.open.iter().position(|(open, _)| *open == number) {
            Some(at) if at + 1 == self.open.len() => {}
            Some(at) => self.open[at..].rotate_left(1),
            None => {
                if self.open.len() >= self.options.writers_max.max(1) {
                    // What it commits is ahead of the position, so at worst it is applied again.
                    let (_, mut writer) = self.open.remove(0);
                    commit::<L>(&mut writer, &self.reached)?;
                    writer.wait_merging_threads().map_err(|error| L::STORE.failed(error))?;
                }
                let partition = self.partition(number)?;
                let options = IndexWriterOptions::builder()
                    .num_worker_threads(1)
                    .num_merge_threads(1)
                    .memory_budget_per_thread(self.options.writer_bytes)
                    .build();
                let writer: IndexWriter =
                    partition.index.writer_with_options(options).map_err(|error| L::STORE.failed(error))?;
                let mut merges = LogMergePolicy::default();
                merges.set_max_docs_before_merge(MERGE_ROWS_MAX);
                merges.set_del_docs_ratio_before_merge(REPLACED_MAX);
                writer.set_merge_policy(Box::new(merges));
                self.open.push((number, writer));
            }
        }
        let last = self.open.last_mut().expect("the writer was moved or pushed to the end");
        Ok(&mut last.1)
    }

    fn partition(&self, number: i64) -> Result<Arc<Partition>, StoreError> {
        if let Some(partition) = self.shared.partitions().get(&number) {
            return Ok(Arc::clone(partition));
        }
        let partition = Arc::new(Partition::open(&self.dir, number, L::STORE, L::schema())?);
        self.shared.partitions_mut().insert(number, Arc::clone(&partition));
        Ok(partition)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        for (number, writer) in &mut self.open {
            if self.changed.contains(number) {
                commit::<L>(writer, &self.reached)?;
            }
        }
        if *self.shared.positions() != self.reached {
            // The library gives a commit its name without making the name durable.
            for number in &self.changed {
                if let Some(partition) = self.shared.partitions().get(number) {
                    partition.sync()?;
                }
            }
            state::write(&self.dir, L::STORE, L::FORMAT, &self.reached)?;
        }
        for number in std::mem::take(&mut self.changed) {
            if let Some(partition) = self.shared.partitions().get(&number) {
                partition.reader.reload().map_err(|error| L::STORE.failed(error))?;
            }
        }
        self.shared.positions().clone_from(&self.reached);
        *self.shared.pending() = HashMap::new();
        self.pending_bytes = 0;
        Ok(())
    }

    fn drop_before(&mut self, time: Timestamp) -> Result<(), StoreError> {
        let ended = |number: i64| (number + 1).saturating_mul(partition::WIDTH_SECS) <= time.secs();
        // Rows that are dropped need no commit; the others keep theirs.
        self.shared.pending().retain(|_, row| !ended(number(L::time(row))));
        self.open.retain(|(number, _)| !ended(*number));
        self.changed.retain(|number| !ended(*number));
        let old: Vec<_> = self
            .shared
            .partitions()
            .iter()
            .filter(|(number, _)| ended(**number))
            .map(|(number, partition)| (*number, Arc::clone(partition)))
            .collect();
        // One that cannot be taken away is tried again the next time, and does not keep the others.
        let mut result = Ok(());
        for (number, partition) in old {
            match partition::take_away(&partition.dir, L::STORE) {
                Ok(()) => _ = self.shared.partitions_mut().remove(&number),
                Err(error) => result = Err(error),
            }
        }
        result.and(partition::remove_dropped(&self.dir, L::STORE, ended))
    }
}

/// Commits an index, with the positions that it includes as its payload.
fn commit<L: Layout>(writer: &mut IndexWriter, reached: &Positions) -> Result<(), StoreError> {
    let mut prepared = writer.prepare_commit().map_err(|error| L::STORE.failed(error))?;
    prepared.set_payload(&String::from_utf8_lossy(&state::encode(L::FORMAT, reached)));
    prepared.commit().map_err(|error| L::STORE.failed(error))?;
    Ok(())
}
