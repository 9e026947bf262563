//! Reading what a batch needs. Single lookups by key through prepared statements: measured as fast as joining with a
//! list of keys, and simpler.

use std::collections::{BTreeMap, HashMap, HashSet};

use nuthatch_issues::{
    Assignee, Issue, Needs, Snapshot,
    changes::{OrganizationState, ProjectState, Sightings},
    forecast::{FLOOR, first_hour},
    quota::Usage,
};
use nuthatch_protocol::{IssueId, OrganizationId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    column::{json, unsigned},
    error::Failure,
    issue_row, issue_types,
};

/// The issue of a hash; null when the row is dead.
pub(super) const OWNER: &str = "SELECT issue_id FROM issue_hash WHERE project_id = ?1 AND hash = ?2";

/// The state `needs` names, as the connection's transaction sees it.
pub(super) fn read(connection: &Connection, needs: &Needs) -> Result<Snapshot, Failure> {
    let mut snapshot = Snapshot::default();

    let mut owner = connection.prepare_cached(OWNER)?;
    for key in &needs.hashes {
        if !snapshot.hashes.contains_key(key) {
            let row = owner.query_row(params![key.0.0 as i64, key.1.0], |row| row.get::<_, Option<i64>>(0));
            if let Some(id) = row.optional()? {
                snapshot.hashes.insert(*key, id.map(|id| IssueId(id as u64)));
            }
        }
    }

    let mut issue = connection.prepare_cached(&format!("{} WHERE issue.id = ?1", issue_row::SELECT))?;
    for id in snapshot.hashes.values().flatten().chain(&needs.issues) {
        if !snapshot.issues.contains_key(id) {
            let mut rows = issue.query([id.0 as i64])?;
            if let Some(row) = rows.next()? {
                snapshot.issues.insert(*id, issue_row::read(row)?);
            }
        }
    }

    let mut find =
        connection.prepare_cached("SELECT at FROM handled WHERE project_id = ?1 AND id = ?2 AND of_event = ?3")?;
    for key in &needs.messages {
        let at = find.query_row(params![key.project_id.0 as i64, key.id.0, key.of_event], |row| row.get(0));
        snapshot.handled.extend(at.optional()?.map(|at| (*key, Timestamp(at))));
    }

    read_users(connection, needs, &mut snapshot)?;
    read_hours(connection, needs, &mut snapshot)?;
    read_places(connection, needs, &mut snapshot)?;
    read_rules(connection, needs, &mut snapshot)?;

    // SQLite keeps the highest id ever given out here, also when that issue is gone.
    let mut last = connection.prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'issue'")?;
    snapshot.last_issue_id = IssueId(last.query_row([], |row| unsigned(row, 0)).optional()?.unwrap_or_default());
    Ok(snapshot)
}

/// Of the users asked for, those that issues have which are archived until they have so many. A hash without an owner may
/// come to any of them with an earlier message.
fn read_users(connection: &Connection, needs: &Needs, snapshot: &mut Snapshot) -> Result<(), Failure> {
    let awaiting: Vec<&Issue> = snapshot.issues.values().filter(|issue| issue.awaits_users()).collect();
    if awaiting.is_empty() {
        return Ok(());
    }
    let mut known = HashSet::new();
    let mut has = connection.prepare_cached("SELECT 1 FROM issue_user WHERE issue_id = ?1 AND user_hash = ?2")?;
    for (project, hash, user) in &needs.users {
        let owner = snapshot.hashes.get(&(*project, *hash)).copied().flatten();
        let is_candidate = |issue: &&&Issue| owner.map_or(issue.project_id == *project, |owner| issue.id == owner);
        for issue in awaiting.iter().filter(is_candidate) {
            if has.exists(params![issue.id.0 as i64, *user as i64])? {
                known.insert((issue.id, *user));
            }
        }
    }
    snapshot.known_users = known;
    Ok(())
}

/// Events by hour of issues that are archived until they escalate. The past is only read where the present hour may come
/// above what is never an escalation: with the messages that lead to the issue, or may come to it with an earlier one.
fn read_hours(connection: &Connection, needs: &Needs, snapshot: &mut Snapshot) -> Result<(), Failure> {
    let Some(now) = needs.forecast_at else { return Ok(()) };
    let (mut arriving, mut anywhere): (HashMap<IssueId, u64>, u64) = (HashMap::new(), 0);
    for key in &needs.hashes {
        match snapshot.hashes.get(key).copied().flatten() {
            Some(owner) => *arriving.entry(owner).or_default() += 1,
            None => anywhere += 1,
        }
    }
    let mut count = connection.prepare_cached("SELECT count FROM issue_hour WHERE hour = ?1 AND issue_id = ?2")?;
    for issue in snapshot.issues.values().filter(|issue| issue.awaits_escalation()) {
        let mut of_hour = |hour: i64| count.query_row([hour, issue.id.0 as i64], |row| unsigned(row, 0)).optional();
        let arriving = arriving.get(&issue.id).copied().unwrap_or_default() + anywhere;
        if of_hour(now.hours())?.unwrap_or_default() + arriving <= FLOOR {
            continue;
        }
        let mut hours = BTreeMap::new();
        for hour in first_hour(now)..=now.hours() {
            hours.extend(of_hour(hour)?.map(|count| (hour, count)));
        }
        snapshot.hours.insert(issue.id, hours);
    }
    Ok(())
}

/// Projects, their organizations, and who can be assigned there.
fn read_places(connection: &Connection, needs: &Needs, snapshot: &mut Snapshot) -> Result<(), Failure> {
    let mut project = connection
        .prepare_cached("SELECT organization_id, last_short_id, resolve_age_hours FROM project WHERE id = ?1")?;
    let of_issues = snapshot.issues.values().map(|issue| issue.project_id);
    for id in needs.projects.iter().copied().chain(of_issues) {
        if snapshot.projects.contains_key(&id) {
            continue;
        }
        let state = project.query_row([id.0 as i64], |row| {
            Ok(ProjectState {
                organization_id: OrganizationId(unsigned(row, 0)?),
                last_short_id: unsigned(row, 1)?,
                resolve_age_hours: row.get(2)?,
            })
        });
        snapshot.projects.extend(state.optional()?.map(|state| (id, state)));
    }
    let mut organization = connection.prepare_cached("SELECT features FROM organization WHERE id = ?1")?;
    let ids: HashSet<OrganizationId> = snapshot.projects.values().map(|project| project.organization_id).collect();
    for id in ids {
        let mut rows = organization.query([id.0 as i64])?;
        let features = rows.next()?.map(|row| json(row, 0)).transpose()?.flatten();
        let types = issue_types::definitions(connection, id)?.into_iter().map(|definition| (definition.id, definition));
        let state = OrganizationState { features: features.unwrap_or_default(), types: types.collect() };
        snapshot.organizations.insert(id, state);
    }
    let mut member = connection.prepare_cached(
        "SELECT 1 FROM member JOIN project USING (organization_id) WHERE project.id = ?1 AND user_id = ?2",
    )?;
    let mut team = connection.prepare_cached(
        "SELECT 1 FROM team JOIN project USING (organization_id) WHERE project.id = ?1 AND team.id = ?2",
    )?;
    for (id, text) in &needs.actors {
        let Some(assignee) = Assignee::parse(text) else { continue };
        let is_known = match assignee {
            Assignee::User(user) => member.exists(params![id.0 as i64, user.0 as i64])?,
            Assignee::Team(of) => team.exists(params![id.0 as i64, of.0 as i64])?,
        };
        if is_known {
            snapshot.actors.insert((*id, text.clone()), assignee);
        }
    }
    Ok(())
}

/// What the rules of the platform remember.
fn read_rules(connection: &Connection, needs: &Needs, snapshot: &mut Snapshot) -> Result<(), Failure> {
    let mut sighting =
        connection.prepare_cached("SELECT count, expires FROM sighting WHERE project_id = ?1 AND hash = ?2")?;
    let mut occurred = connection.prepare_cached(
        "SELECT start_secs, count FROM occurrence_usage WHERE project_id = ?1 AND hash = ?2 ORDER BY start_secs",
    )?;
    for key in &needs.sighted {
        let values = params![key.0.0 as i64, key.1.0];
        let found = sighting
            .query_row(values, |row| Ok(Sightings { count: unsigned(row, 0)?, expires: Timestamp(row.get(1)?) }));
        snapshot.sightings.extend(found.optional()?.map(|found| (*key, found)));
        let used = occurred.query_map(values, usage)?.collect::<Result<Vec<_>, _>>()?;
        if !used.is_empty() {
            snapshot.occurrences.insert(*key, used);
        }
    }
    let mut created = connection.prepare_cached(
        "SELECT start_secs, count FROM creation_usage WHERE project_id = ?1 AND type_id = ?2 ORDER BY start_secs",
    )?;
    for key in &needs.created {
        let used = created.query_map(params![key.0.0 as i64, key.1.0], usage)?.collect::<Result<Vec<_>, _>>()?;
        if !used.is_empty() {
            snapshot.created.insert(*key, used);
        }
    }
    let mut release = connection.prepare_cached("SELECT date FROM release WHERE project_id = ?1 AND version = ?2")?;
    let resolutions = snapshot.issues.values().filter_map(|issue| Some((issue.project_id, issue.resolution.clone()?)));
    let named = resolutions.flat_map(|(project, resolution)| {
        [Some(resolution.release), resolution.current].into_iter().flatten().map(move |version| (project, version))
    });
    for key in needs.releases.iter().cloned().chain(named).collect::<HashSet<_>>() {
        let date = release.query_row(params![key.0.0 as i64, key.1], |row| row.get(0).map(Timestamp)).optional()?;
        snapshot.releases.extend(date.map(|date| (key, date)));
    }
    Ok(())
}

fn usage(row: &Row<'_>) -> rusqlite::Result<Usage> {
    Ok(Usage { start_secs: row.get(0)?, count: unsigned(row, 1)? })
}
