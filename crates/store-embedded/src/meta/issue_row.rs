//! An issue and its rows.

use nuthatch_issues::{Assignee, Flood, Issue, Status, Substatus, issue::InboxReason};
use nuthatch_protocol::{IssueId, Level, Priority, ProjectId, TeamId, Timestamp, TypeId, UserId};
use nuthatch_store::issues::searchable_text;
use rusqlite::{CachedStatement, Connection, Row, named_params};

use super::{
    column::{JsonText, json, unsigned},
    error::{Failure, constraint, corrupt, met},
};

/// What [`read`] reads; to be followed by conditions on `issue` and `text`.
pub(super) const SELECT: &str = "
    SELECT issue.id, project_id, short_id, type_id, status, substatus, priority, priority_locked_at, initial_priority,
           level, first_seen, last_seen, active_at, resolved_at, times_seen, user_count, assignee_user_id, unhandled,
           title, culprit, search_text, platform, logger, event_type, metadata, first_release, last_release,
           state_since, assignee_team_id, inbox, snooze, resolution, open_period, detector_id, flood_minute,
           flood_events, thinned
      FROM issue JOIN issue_text text ON text.issue_id = issue.id";

const INSERT_NUMBERS: &str = "
    INSERT INTO issue (id, project_id, short_id, type_id, status, substatus, priority, priority_locked_at,
                       initial_priority, level, first_seen, last_seen, active_at, resolved_at, times_seen, user_count,
                       assignee_user_id, unhandled, state_since, assignee_team_id, inbox, snoozed_until, snooze,
                       resolution, open_period, detector_id, flood_minute, flood_events, thinned)
    VALUES (:id, :project_id, :short_id, :type_id, :status, :substatus, :priority, :priority_locked_at,
            :initial_priority, :level, :first_seen, :last_seen, :active_at, :resolved_at, :times_seen, :new_users,
            :assignee_user_id, :unhandled, :state_since, :assignee_team_id, :inbox, :snoozed_until, :snooze,
            :resolution, :open_period, :detector_id, :flood_minute, :flood_events, :thinned)";

const UPDATE_NUMBERS: &str = "
    UPDATE issue
       SET type_id = :type_id, status = :status, substatus = :substatus, priority = :priority,
           priority_locked_at = :priority_locked_at, initial_priority = :initial_priority, level = :level,
           first_seen = :first_seen, last_seen = :last_seen, active_at = :active_at, resolved_at = :resolved_at,
           times_seen = :times_seen, user_count = user_count + :new_users, assignee_user_id = :assignee_user_id,
           unhandled = :unhandled, state_since = :state_since, assignee_team_id = :assignee_team_id, inbox = :inbox,
           snoozed_until = :snoozed_until, snooze = :snooze, resolution = :resolution, open_period = :open_period,
           detector_id = :detector_id, flood_minute = :flood_minute, flood_events = :flood_events, thinned = :thinned
     WHERE id = :id AND project_id = :project_id AND short_id = :short_id";

/// What one more event usually changes. Not touching the other columns spares the indexes over them.
const UPDATE_COUNTERS: &str = "
    UPDATE issue
       SET last_seen = :last_seen, times_seen = :times_seen, user_count = user_count + :new_users,
           flood_minute = :flood_minute, flood_events = :flood_events, thinned = :thinned
     WHERE id = :id";

const UPSERT_TEXT: &str = "
    INSERT INTO issue_text (issue_id, searchable, title, culprit, search_text, platform, logger, event_type, metadata,
                            first_release, last_release)
    VALUES (:issue_id, :searchable, :title, :culprit, :search_text, :platform, :logger, :event_type, :metadata,
            :first_release, :last_release)
    ON CONFLICT DO UPDATE
       SET searchable = excluded.searchable, title = excluded.title, culprit = excluded.culprit,
           search_text = excluded.search_text, platform = excluded.platform, logger = excluded.logger,
           event_type = excluded.event_type, metadata = excluded.metadata, first_release = excluded.first_release,
           last_release = excluded.last_release";

/// The issue of a row of [`SELECT`].
pub(super) fn read(row: &Row<'_>) -> Result<Issue, Failure> {
    let id = unsigned(row, 0)?;
    let damaged = |what: &str| corrupt(&format!("issue {id} has an impossible {what}"));
    let time = |index| row.get::<_, Option<i64>>(index).map(|time| time.map(Timestamp));
    let substatus: Option<i64> = row.get(5)?;
    let user = row.get::<_, Option<i64>>(16)?.map(|user| Assignee::User(UserId(user as u64)));
    let team = row.get::<_, Option<i64>>(28)?.map(|team| Assignee::Team(TeamId(team as u64)));
    let inbox: Option<u8> = row.get(29)?;
    let metadata = row.get_ref(24)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(Issue {
        id: IssueId(id),
        project_id: ProjectId(unsigned(row, 1)?),
        short_id: unsigned(row, 2)?,
        type_id: TypeId(row.get(3)?),
        status: Status::from_number(row.get(4)?).ok_or_else(|| damaged("status"))?,
        substatus: substatus
            .map(|number| Substatus::from_number(number).ok_or_else(|| damaged("substatus")))
            .transpose()?,
        priority: Priority::nearest(row.get(6)?),
        priority_locked_at: time(7)?,
        initial_priority: Priority::nearest(row.get(8)?),
        level: Level::from_number(row.get(9)?).ok_or_else(|| damaged("level"))?,
        first_seen: Timestamp(row.get(10)?),
        last_seen: Timestamp(row.get(11)?),
        active_at: Timestamp(row.get(12)?),
        resolved_at: time(13)?,
        times_seen: unsigned(row, 14)?,
        user_count: unsigned(row, 15)?,
        assignee: user.or(team),
        unhandled: row.get(17)?,
        title: row.get(18)?,
        culprit: row.get(19)?,
        search_text: row.get(20)?,
        platform: row.get(21)?,
        logger: row.get(22)?,
        event_type: row.get(23)?,
        metadata: serde_json::from_str(metadata).map_err(|_| damaged("metadata"))?,
        first_release: row.get(25)?,
        last_release: row.get(26)?,
        state_since: Timestamp(row.get(27)?),
        inbox: inbox.map(|number| InboxReason::from_number(number).ok_or_else(|| damaged("reason"))).transpose()?,
        snooze: json(row, 30)?,
        resolution: json(row, 31)?,
        open_period: json(row, 32)?,
        detector_id: row.get(33)?,
        flood: Flood { minute: row.get(34)?, events: unsigned(row, 35)?, thinned: unsigned(row, 36)? },
    })
}

/// The statements that write issues.
pub(super) struct IssueWriter<'c> {
    insert_numbers: CachedStatement<'c>,
    update_numbers: CachedStatement<'c>,
    update_counters: CachedStatement<'c>,
    upsert_text: CachedStatement<'c>,
}

impl<'c> IssueWriter<'c> {
    pub(super) fn new(connection: &'c Connection) -> Result<Self, Failure> {
        Ok(Self {
            insert_numbers: connection.prepare_cached(INSERT_NUMBERS)?,
            update_numbers: connection.prepare_cached(UPDATE_NUMBERS)?,
            update_counters: connection.prepare_cached(UPDATE_COUNTERS)?,
            upsert_text: connection.prepare_cached(UPSERT_TEXT)?,
        })
    }

    /// Writes a new issue.
    pub(super) fn insert(&mut self, issue: &Issue, new_users: i64) -> Result<(), Failure> {
        write_numbers(&mut self.insert_numbers, issue, new_users)
            .map_err(constraint("the id of a new issue", "the project of a new issue"))?;
        self.write_text(issue)
    }

    /// Writes what differs from the issue as it was, where that is known.
    pub(super) fn update(&mut self, issue: &Issue, was: Option<&Issue>, new_users: i64) -> Result<(), Failure> {
        let rows = if was.is_some_and(|was| differs_in_counters_only(was, issue)) {
            self.update_counters.execute(named_params! {
                ":id": issue.id.0 as i64,
                ":last_seen": issue.last_seen.0,
                ":times_seen": issue.times_seen as i64,
                ":new_users": new_users,
                ":flood_minute": issue.flood.minute,
                ":flood_events": issue.flood.events as i64,
                ":thinned": issue.flood.thinned as i64,
            })?
        } else {
            write_numbers(&mut self.update_numbers, issue, new_users)?
        };
        met(rows, "the issue")?;
        if was.is_some_and(|was| has_same_text(was, issue)) { Ok(()) } else { self.write_text(issue) }
    }

    fn write_text(&mut self, issue: &Issue) -> Result<(), Failure> {
        let metadata = serde_json::to_string(&issue.metadata)
            .map_err(|e| corrupt(&format!("metadata of issue {} is no JSON: {e}", issue.id)))?;
        self.upsert_text.execute(named_params! {
            ":issue_id": issue.id.0 as i64,
            ":searchable": searchable_text(issue),
            ":title": issue.title,
            ":culprit": issue.culprit,
            ":search_text": issue.search_text,
            ":platform": issue.platform,
            ":logger": issue.logger,
            ":event_type": issue.event_type,
            ":metadata": metadata,
            ":first_release": issue.first_release,
            ":last_release": issue.last_release,
        })?;
        Ok(())
    }
}

fn write_numbers(statement: &mut CachedStatement<'_>, issue: &Issue, new_users: i64) -> rusqlite::Result<usize> {
    let (user, team) = match issue.assignee {
        Some(Assignee::User(user)) => (Some(user.0 as i64), None),
        Some(Assignee::Team(team)) => (None, Some(team.0 as i64)),
        None => (None, None),
    };
    statement.execute(named_params! {
        ":id": issue.id.0 as i64,
        ":project_id": issue.project_id.0 as i64,
        ":short_id": issue.short_id as i64,
        ":type_id": issue.type_id.0,
        ":status": issue.status.number(),
        ":substatus": issue.substatus.map(Substatus::number),
        ":priority": issue.priority.number(),
        ":priority_locked_at": issue.priority_locked_at.map(|time| time.0),
        ":initial_priority": issue.initial_priority.number(),
        ":level": issue.level.number(),
        ":first_seen": issue.first_seen.0,
        ":last_seen": issue.last_seen.0,
        ":active_at": issue.active_at.0,
        ":resolved_at": issue.resolved_at.map(|time| time.0),
        ":times_seen": issue.times_seen as i64,
        ":new_users": new_users,
        ":assignee_user_id": user,
        ":assignee_team_id": team,
        ":unhandled": issue.unhandled,
        ":state_since": issue.state_since.0,
        ":inbox": issue.inbox.map(InboxReason::number),
        ":snoozed_until": issue.snooze.as_ref().and_then(|snooze| snooze.until).map(|until| until.0),
        ":snooze": issue.snooze.as_ref().map(JsonText),
        ":resolution": issue.resolution.as_ref().map(JsonText),
        ":open_period": issue.open_period.as_ref().map(JsonText),
        ":detector_id": issue.detector_id,
        ":flood_minute": issue.flood.minute,
        ":flood_events": issue.flood.events as i64,
        ":thinned": issue.flood.thinned as i64,
    })
}

fn differs_in_counters_only(a: &Issue, b: &Issue) -> bool {
    (a.id, a.project_id, a.short_id, a.type_id) == (b.id, b.project_id, b.short_id, b.type_id)
        && (a.status, a.substatus, a.priority, a.priority_locked_at, a.initial_priority)
            == (b.status, b.substatus, b.priority, b.priority_locked_at, b.initial_priority)
        && (a.level, a.first_seen, a.active_at, a.resolved_at) == (b.level, b.first_seen, b.active_at, b.resolved_at)
        && (a.assignee, a.unhandled, a.state_since, a.inbox) == (b.assignee, b.unhandled, b.state_since, b.inbox)
        && a.detector_id == b.detector_id
        && (&a.snooze, &a.resolution, &a.open_period) == (&b.snooze, &b.resolution, &b.open_period)
}

fn has_same_text(a: &Issue, b: &Issue) -> bool {
    (&a.title, &a.culprit, &a.search_text) == (&b.title, &b.culprit, &b.search_text)
        && (&a.platform, &a.logger, &a.event_type) == (&b.platform, &b.logger, &b.event_type)
        && (&a.first_release, &a.last_release) == (&b.first_release, &b.last_release)
        && a.metadata == b.metadata
}
