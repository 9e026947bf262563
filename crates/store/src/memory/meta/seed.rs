//! Rows with ids of their own.

use super::MemoryMeta;
use crate::Seed;

impl MemoryMeta {
    /// Puts rows in as they are, over what has the same ids.
    pub fn seed(&self, seed: Seed) {
        let mut state = self.lock();
        state.organizations.extend(seed.organizations.into_iter().map(|row| (row.id, row)));
        state.projects.extend(seed.projects.into_iter().map(|row| (row.id, row)));
        for (user, memberships) in seed.users {
            state.members.extend(memberships.into_iter().map(|(organization, role)| ((organization, user.id), role)));
            state.users.insert(user.id, user);
        }
        state.teams.extend(seed.teams.into_iter().map(|row| (row.id, row)));
        state.hashes.extend(seed.dead_hashes.into_iter().map(|key| (key, None)));
        self.config_changed();
    }
}
