//! The state a batch needs.

use std::collections::{BTreeMap, HashMap, HashSet};

use nuthatch_issues::{
    Assignee, Issue, Needs, Snapshot,
    changes::{OrganizationState, ProjectState},
    forecast::first_hour,
    quota::Usage,
};
use nuthatch_protocol::{OrganizationId, ProjectId, TypeId};

use super::State;

impl State {
    pub(super) fn snapshot(&self, needs: &Needs) -> Snapshot {
        let hashes = needs.hashes.iter().filter_map(|key| Some((*key, *self.hashes.get(key)?)));
        let hashes: HashMap<_, _> = hashes.collect();
        let ids = hashes.values().flatten().chain(&needs.issues);
        let issues: HashMap<_, Issue> = ids.filter_map(|id| Some((*id, self.issues.get(id)?.clone()))).collect();
        let ids = needs.projects.iter().copied().chain(issues.values().map(|issue| issue.project_id));
        let projects: HashMap<ProjectId, ProjectState> =
            ids.filter_map(|id| Some((id, self.project_state(id)?))).collect();
        let organizations = projects.values().map(|project| project.organization_id);
        let organizations = organizations.filter_map(|id| Some((id, self.organization_state(id)?))).collect();
        let resolutions = issues.values().filter_map(|issue| Some((issue.project_id, issue.resolution.as_ref()?)));
        let named = resolutions.flat_map(|(project, resolution)| {
            [Some(&resolution.release), resolution.current.as_ref()]
                .into_iter()
                .flatten()
                .map(move |v| (project, v.clone()))
        });
        let releases: HashSet<_> = needs.releases.iter().cloned().chain(named).collect();
        let awaiting = || issues.values().filter(|issue| issue.awaits_users()).map(|issue| issue.id);
        let users = needs.users.iter().flat_map(|(_, _, user)| awaiting().map(move |id| (id, *user)));
        let known_users = users.filter(|key| self.issue_users.contains(key)).collect();
        let hours = issues.values().filter(|issue| issue.awaits_escalation()).filter_map(|issue| {
            let range = (issue.id, first_hour(needs.forecast_at?))..=(issue.id, i64::MAX);
            Some((issue.id, self.hours.range(range).map(|((_, hour), count)| (*hour, *count)).collect()))
        });
        let hours = hours.collect();
        let usage = |granules: &BTreeMap<i64, u64>| -> Vec<Usage> {
            granules.iter().map(|(start_secs, count)| Usage { start_secs: *start_secs, count: *count }).collect()
        };
        Snapshot {
            handled: needs.messages.iter().filter_map(|key| Some((*key, self.handled.get(key)?.at))).collect(),
            sightings: needs.sighted.iter().filter_map(|key| Some((*key, *self.sightings.get(key)?))).collect(),
            occurrences: needs.sighted.iter().filter_map(|k| Some((*k, usage(self.occurrences.get(k)?)))).collect(),
            created: needs.created.iter().filter_map(|key| Some((*key, usage(self.created.get(key)?)))).collect(),
            releases: releases.into_iter().filter_map(|key| Some((key.clone(), *self.releases.get(&key)?))).collect(),
            actors: needs.actors.iter().filter_map(|key| Some((key.clone(), self.actor(key.0, &key.1)?))).collect(),
            last_issue_id: self.issues.last_key_value().map(|(id, _)| *id).unwrap_or_default(),
            projects,
            organizations,
            hashes,
            issues,
            known_users,
            hours,
        }
    }

    fn project_state(&self, id: ProjectId) -> Option<ProjectState> {
        let project = self.projects.get(&id)?;
        let issues = self.issues.values().filter(|issue| issue.project_id == id);
        Some(ProjectState {
            organization_id: project.organization_id,
            last_short_id: issues.map(|issue| issue.short_id).max().unwrap_or_default(),
            resolve_age_hours: project.resolve_age_hours,
        })
    }

    fn organization_state(&self, id: OrganizationId) -> Option<OrganizationState> {
        let features = self.organizations.get(&id)?.features.clone();
        let types = self.issue_types.range((id, TypeId(0))..=(id, TypeId(u32::MAX)));
        let types = types.map(|((_, type_id), definition)| (*type_id, definition.clone())).collect();
        Some(OrganizationState { features, types })
    }

    fn actor(&self, project: ProjectId, text: &str) -> Option<Assignee> {
        let organization = self.projects.get(&project)?.organization_id;
        let assignee = Assignee::parse(text)?;
        let is_known = match assignee {
            Assignee::User(id) => self.members.contains_key(&(organization, id)),
            Assignee::Team(id) => self.teams.get(&id).is_some_and(|team| team.organization_id == organization),
        };
        is_known.then_some(assignee)
    }
}
