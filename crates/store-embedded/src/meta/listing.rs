//! Lists of issues. A query first selects the ids of a page by the numbers of issues and then reads those issues.

use nuthatch_issues::Issue;
use nuthatch_store::issues::{
    HITS_MAX, IssueCondition, IssueCursor, IssuePage, IssueQuery, IssueSort, IssueTest, PAGE_MAX,
};
use rusqlite::{Connection, params_from_iter, types::Value};

use super::{error::Failure, issue_row};

/// The page a query asks for.
pub(super) fn page(connection: &Connection, query: &IssueQuery) -> Result<IssuePage, Failure> {
    let conditions = Conditions::of(connection, query)?;
    let limit = query.limit.min(PAGE_MAX);
    let backwards = query.cursor.is_some_and(|cursor| cursor.backwards);

    // One more than asked for tells whether the list goes on in this direction.
    let mut issues = conditions.issues(connection, query.sort, query.cursor, limit + 1)?;
    let goes_on = issues.len() > limit;
    issues.truncate(limit);
    let came_from = match query.cursor {
        Some(cursor) => conditions.is_any_before(connection, query.sort, cursor)?,
        None => false,
    };
    let is_whole = query.cursor.is_none() && !goes_on;
    let hits = if is_whole { issues.len() as u64 } else { conditions.hits(connection)? };

    if backwards {
        issues.reverse();
        Ok(IssuePage { issues, has_previous: goes_on, has_next: came_from, hits })
    } else {
        Ok(IssuePage { issues, has_previous: came_from, has_next: goes_on, hits })
    }
}

fn column(sort: IssueSort) -> &'static str {
    match sort {
        IssueSort::LastSeen => "last_seen",
        IssueSort::FirstSeen => "first_seen",
        IssueSort::Events => "times_seen",
        IssueSort::Users => "user_count",
    }
}

/// SQL after `WHERE`, with its parameters.
struct Conditions {
    sql: String,
    values: Vec<Value>,
}

impl Conditions {
    fn of(connection: &Connection, query: &IssueQuery) -> Result<Self, Failure> {
        let mut statement = connection.prepare_cached("SELECT id FROM project WHERE organization_id = ?1")?;
        let projects = statement.query_map([query.organization.0 as i64], |row| row.get::<_, i64>(0))?;
        let mut projects: Vec<i64> = projects.collect::<Result<_, _>>()?;
        if !query.projects.is_empty() {
            projects.retain(|id| query.projects.iter().any(|wanted| wanted.0 as i64 == *id));
        }
        let mut conditions = Self { sql: String::new(), values: Vec::new() };
        // A single project lets SQLite walk an index in the order of the list.
        match projects[..] {
            [only] => conditions.push("project_id = ", only),
            _ => conditions.push_list("project_id IN ", &projects),
        }
        if let Some(time) = query.seen_since {
            conditions.push(" AND last_seen >= ", time.0);
        }
        for condition in &query.filter {
            conditions.and(condition);
        }
        Ok(conditions)
    }

    fn push(&mut self, sql: &str, value: impl Into<Value>) {
        self.sql.push_str(sql);
        self.sql.push('?');
        self.values.push(value.into());
    }

    fn push_list(&mut self, sql: &str, values: &[impl serde::Serialize]) {
        let list = serde_json::to_string(values).unwrap_or_else(|_| "[]".to_owned());
        self.push(&format!("{sql}(SELECT value FROM json_each("), list);
        self.sql.push_str("))");
    }

    /// No test may be NULL for any issue, or its opposite would not hold either.
    fn and(&mut self, condition: &IssueCondition) {
        self.sql.push_str(if condition.negated { " AND NOT (" } else { " AND (" });
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        match &condition.test {
            IssueTest::Ids(ids) => self.push_list("id IN ", &ids.iter().map(|id| id.0 as i64).collect::<Vec<_>>()),
            IssueTest::Status(status) => self.push("status = ", i64::from(status.number())),
            IssueTest::Substatus(any) => {
                let any: Vec<_> = any.iter().map(|substatus| substatus.number()).collect();
                self.push_list("coalesce(substatus, 0) IN ", &any);
            }
            IssueTest::Types(any) => self.push_list("type_id IN ", any),
            IssueTest::Level(any) => {
                self.push_list("level IN ", &any.iter().map(|level| level.number()).collect::<Vec<_>>());
            }
            IssueTest::Platform(any) => {
                self.push_list("(SELECT platform FROM issue_text WHERE issue_id = issue.id) IN ", any);
            }
            IssueTest::Priority(any) => {
                self.push_list("priority IN ", &any.iter().map(|priority| priority.number()).collect::<Vec<_>>());
            }
            IssueTest::AssignedToAny { users, teams, nobody } => {
                let users: Vec<_> = users.iter().map(|user| user.0).collect();
                self.push_list("coalesce(assignee_user_id, 0) IN ", &users);
                let teams: Vec<_> = teams.iter().map(|team| team.0).collect();
                self.push_list(" OR coalesce(assignee_team_id, 0) IN ", &teams);
                if *nobody {
                    self.sql.push_str(" OR (assignee_user_id IS NULL AND assignee_team_id IS NULL)");
                }
            }
            IssueTest::Unhandled => self.sql.push_str("unhandled"),
            IssueTest::Text(text) => {
                self.push("instr((SELECT searchable FROM issue_text WHERE issue_id = issue.id), ", text.to_lowercase());
                self.sql.push(')');
            }
            IssueTest::Hashes(hashes) => {
                let pairs: Vec<_> = hashes.iter().map(|(project, hash)| (project.0, hash.to_string())).collect();
                let list = serde_json::to_string(&pairs).unwrap_or_else(|_| "[]".to_owned());
                // A cross join, so that SQLite looks each pair up instead of walking all hashes.
                self.push("id IN (SELECT issue_id FROM json_each(", list);
                self.sql.push_str(
                    ") AS pair CROSS JOIN issue_hash
                     WHERE project_id = pair.value ->> 0 AND hash = unhex(pair.value ->> 1) AND issue_id IS NOT NULL)",
                );
            }
            IssueTest::FirstRelease(any) => {
                // No release is empty.
                self.push_list(
                    "coalesce((SELECT first_release FROM issue_text WHERE issue_id = issue.id), '') IN ",
                    any,
                );
            }
            IssueTest::TimesSeenAtLeast(least) => self.push("times_seen >= ", count(*least)),
            IssueTest::FirstSeenSince(time) => self.push("first_seen >= ", time.0),
            IssueTest::LastSeenSince(time) => self.push("last_seen >= ", time.0),
        }
        self.sql.push(')');
    }

    /// At most `limit` issues from a cursor on, in the direction it looks.
    fn issues(
        &self,
        connection: &Connection,
        sort: IssueSort,
        cursor: Option<IssueCursor>,
        limit: usize,
    ) -> Result<Vec<Issue>, Failure> {
        let (column, conditions) = (column(sort), &self.sql);
        let mut values = self.values.clone();
        let (beyond, order) = match cursor {
            None => ("", "DESC"),
            Some(cursor) if cursor.backwards => (">", "ASC"),
            Some(_) => ("<", "DESC"),
        };
        let mut beyond = beyond.to_owned();
        if let Some(cursor) = cursor {
            beyond = format!("AND ({column}, id) {beyond} (?, ?)");
            values.extend([cursor.value.into(), Value::from(cursor.id.0 as i64)]);
        }
        values.push((limit as i64).into());
        let mut statement = connection.prepare_cached(&format!(
            "{} WHERE issue.id IN (SELECT id FROM issue WHERE {conditions} {beyond}
                                    ORDER BY {column} {order}, id {order} LIMIT ?)
              ORDER BY {column} {order}, issue.id {order}",
            issue_row::SELECT
        ))?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut issues = Vec::new();
        while let Some(row) = rows.next()? {
            issues.push(issue_row::read(row)?);
        }
        Ok(issues)
    }

    /// Whether there is an issue at a cursor or on the side it looks away from.
    fn is_any_before(&self, connection: &Connection, sort: IssueSort, cursor: IssueCursor) -> Result<bool, Failure> {
        let side = if cursor.backwards { "<=" } else { ">=" };
        let (column, conditions) = (column(sort), &self.sql);
        let mut values = self.values.clone();
        values.extend([cursor.value.into(), Value::from(cursor.id.0 as i64)]);
        let mut statement = connection.prepare_cached(&format!(
            "SELECT EXISTS (SELECT 1 FROM issue WHERE {conditions} AND ({column}, id) {side} (?, ?))"
        ))?;
        Ok(statement.query_row(params_from_iter(values), |row| row.get(0))?)
    }

    fn hits(&self, connection: &Connection) -> Result<u64, Failure> {
        let conditions = &self.sql;
        let mut statement = connection.prepare_cached(&format!(
            "SELECT count(*) FROM (SELECT 1 FROM issue WHERE {conditions} LIMIT {HITS_MAX})"
        ))?;
        Ok(statement.query_row(params_from_iter(&self.values), |row| row.get::<_, i64>(0))? as u64)
    }
}
