//! Which messages of a batch may run at the same time: those that share nothing (`reference/issue-platform.md`
//! §14.7–14.9).

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    hash::Hash,
};

use nuthatch_protocol::{Message, ProjectId, TypeId};

use crate::ledger::Batch;

/// The messages of a batch, in groups. Messages that share a hash, an issue or an id are in one group, directly or
/// through others, and so are those that name a release that is new; so whatever a group changes, no other group reads.
pub(crate) struct Components {
    /// Numbers of the messages: group after group, in order of arrival inside a group.
    order: Vec<usize>,
    /// Where each group ends in `order`.
    ends: Vec<usize>,
}

impl Components {
    /// Messages of which one could take from another what is left of a quota (`scarce`) are in one group, too.
    pub(crate) fn of(batch: Batch<'_>, scarce: &HashSet<(ProjectId, TypeId)>) -> Self {
        let Batch { messages, keys, snapshot, .. } = batch;
        let mut forest = Forest { parents: (0..messages.len()).collect() };
        let mut hashes = HashMap::with_capacity(messages.len() * 2);
        let mut issues = HashMap::with_capacity(messages.len());
        let mut ids = HashMap::with_capacity(messages.len());
        let mut quotas = HashMap::new();
        let mut releases = Releases { batch, seen: HashMap::new() };
        for (number, (routed, key)) in messages.iter().zip(keys).enumerate() {
            let project = routed.message.project_id();
            forest.meet(&mut ids, *key, number);
            if let Message::Occurrence(occurrence) = &routed.message
                && !scarce.is_empty()
                && scarce.contains(&(project, occurrence.type_id))
            {
                forest.meet(&mut quotas, (project, occurrence.type_id), number);
            }
            for hash in routed.message.hashes() {
                forest.meet(&mut hashes, (project, *hash), number);
                if let Some(Some(issue)) = snapshot.hashes.get(&(project, *hash)) {
                    forest.meet(&mut issues, *issue, number);
                    let resolution = snapshot.issues.get(issue).and_then(|issue| issue.resolution.as_ref());
                    if let Some(resolution) = resolution {
                        releases.meet(&mut forest, (project, &resolution.release), number);
                    }
                }
            }
            if let Message::Occurrence(occurrence) = &routed.message
                && let Some(release) = &occurrence.event.release
            {
                releases.meet(&mut forest, (project, release), number);
            }
        }
        let roots: Vec<usize> = (0..messages.len()).map(|number| forest.root(number)).collect();
        let mut order: Vec<usize> = (0..messages.len()).collect();
        order.sort_unstable_by_key(|number| (roots[*number], *number));
        let ends =
            (1..=order.len()).filter(|end| order.get(*end).is_none_or(|next| roots[*next] != roots[order[end - 1]]));
        Self { ends: ends.collect(), order }
    }

    /// The groups, by their first message.
    pub(crate) fn groups(&self) -> Vec<&[usize]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.order[start..*end]).collect()
    }
}

/// Releases that messages look at. One that is new becomes known by the first of them, so they meet there.
struct Releases<'a> {
    batch: Batch<'a>,
    /// The first message with a release; none for a release that was known before.
    seen: HashMap<(ProjectId, &'a str), Option<usize>>,
}

impl<'a> Releases<'a> {
    fn meet(&mut self, forest: &mut Forest, release: (ProjectId, &'a str), number: usize) {
        let (project, version) = release;
        match self.seen.entry(release) {
            Entry::Occupied(first) => {
                if let Some(first) = first.get() {
                    forest.join(*first, number);
                }
            }
            Entry::Vacant(new) => {
                new.insert(self.batch.release_date(project, version).is_none().then_some(number));
            }
        }
    }
}

/// Union-find. The root of a tree is its smallest number.
struct Forest {
    parents: Vec<usize>,
}

impl Forest {
    /// Joins a message with the one that showed the same thing before, if there is one.
    fn meet<K: Hash + Eq>(&mut self, seen: &mut HashMap<K, usize>, thing: K, number: usize) {
        match seen.entry(thing) {
            Entry::Occupied(before) => self.join(*before.get(), number),
            Entry::Vacant(first) => {
                first.insert(number);
            }
        }
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b)] = a.min(b);
    }

    fn root(&mut self, mut number: usize) -> usize {
        while self.parents[number] != number {
            // Halves the path, so that long chains of messages stay cheap.
            self.parents[number] = self.parents[self.parents[number]];
            number = self.parents[number];
        }
        number
    }
}
