//! Files and the reports of users.

use std::cmp::Reverse;

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_protocol::{BlobId, EventId, FileId, Outcomes, ProjectId, Sha1, SpanId, Timestamp};
use nuthatch_store::{
    FileStore, StoreError,
    files::{
        FILE_PAGE_MAX, File, FileEffect, FileHead, FileKind, FileQuery, FileScope, InTrace, ListCursor, NewFile,
        NumberedReport, Page, UserReport, UserReportQuery,
    },
    settlements::{Counted, Settlement},
};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Value};

use super::{
    EmbeddedMeta,
    column::{JsonText, json, unsigned},
    error::{Failure, corrupt},
    outcomes::add_report,
    settlements::settle,
};

/// The columns that [`file`] reads.
const FILE: &str = "id, project_id, kind, owner, part, name, content_type, attachment_type, bytes, sha1, blob, received, \
                    span_id, timestamp, attributes";

/// The columns that [`report`] reads.
const REPORT: &str = "number, project_id, event_id, name, email, comments, received";

/// Rows one step of [`FileStore::expire_files`] removes, so that other writes wait a few milliseconds only.
const EXPIRED_AT_ONCE: usize = 500;

/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400 * 1_000_000;

fn file(row: &Row<'_>) -> Result<File, Failure> {
    let kind = row.get(2)?;
    let kind = FileKind::of_number(kind).ok_or_else(|| corrupt(&format!("a file of kind {kind}")))?;
    let head = FileHead {
        project_id: ProjectId(unsigned(row, 1)?),
        kind,
        owner: EventId(row.get(3)?),
        part: row.get(4)?,
        name: row.get(5)?,
        content_type: row.get(6)?,
        attachment_type: row.get(7)?,
        bytes: unsigned(row, 8)?,
        sha1: Sha1(row.get(9)?),
        blob: row.get::<_, Option<[u8; 16]>>(10)?.map(BlobId),
        received: Timestamp(row.get(11)?),
        in_trace: in_trace(row)?,
    };
    Ok(File { id: FileId(unsigned(row, 0)?), head })
}

/// What only attachments of traces have, all of which have a time.
fn in_trace(row: &Row<'_>) -> Result<Option<InTrace>, Failure> {
    let Some(timestamp) = row.get::<_, Option<i64>>(13)? else { return Ok(None) };
    let span_id = row.get::<_, Option<[u8; 8]>>(12)?.map(SpanId);
    Ok(Some(InTrace { span_id, timestamp: Timestamp(timestamp), attributes: json(row, 14)?.unwrap_or_default() }))
}

fn report(row: &Row<'_>) -> Result<NumberedReport, Failure> {
    let report = UserReport {
        project_id: ProjectId(unsigned(row, 1)?),
        event_id: EventId(row.get(2)?),
        name: row.get(3)?,
        email: row.get(4)?,
        comments: row.get(5)?,
        received: Timestamp(row.get(6)?),
    };
    Ok(NumberedReport { number: unsigned(row, 0)?, report })
}

fn keep(connection: &Connection, effects: &[Counted<FileEffect>], outcomes: &mut Outcomes) -> Result<(), Failure> {
    for effect in effects {
        let is_new = match &effect.what {
            FileEffect::File(file) => keep_file(connection, file)?,
            FileEffect::Report(report) => {
                add_report(connection, report.project_id)?;
                keep_report(connection, report)?
            }
        };
        outcomes.extend(if is_new { effect.accepted() } else { effect.duplicate() });
    }
    Ok(())
}

/// Keeps a file; whether it is new.
fn keep_file(connection: &Connection, NewFile { head, content }: &NewFile) -> Result<bool, Failure> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO file (project_id, kind, owner, part, name, content_type, attachment_type, bytes, sha1, blob,
                           received, content, span_id, timestamp, attributes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) ON CONFLICT DO NOTHING",
    )?;
    let in_trace = head.in_trace.as_ref();
    let rows = insert.execute(params![
        head.project_id.0 as i64,
        head.kind.number(),
        head.owner.0,
        head.part,
        head.name,
        head.content_type,
        head.attachment_type,
        head.bytes as i64,
        head.sha1.0,
        head.blob.map(|blob| blob.0),
        head.received.0,
        content.as_deref(),
        in_trace.and_then(|place| place.span_id).map(|span| span.0),
        in_trace.map(|place| place.timestamp.0),
        in_trace.map(|place| JsonText(&place.attributes)),
    ])?;
    Ok(rows > 0)
}

/// Keeps a report in the place of an older one; always true, as each one has its effect.
fn keep_report(connection: &Connection, report: &UserReport) -> Result<bool, Failure> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO user_report (project_id, event_id, name, email, comments, received)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            report.project_id.0 as i64,
            report.event_id.0,
            report.name,
            report.email,
            report.comments,
            report.received.0,
        ])?;
    Ok(true)
}

/// A list that is ordered by a number, newest first: what its rows are, and which are in it.
struct List<T> {
    columns: &'static str,
    table: &'static str,
    number: &'static str,
    /// A condition on `?3` and what follows.
    condition: &'static str,
    values: Vec<Value>,
    read: fn(&Row<'_>) -> Result<T, Failure>,
}

impl<T> List<T> {
    fn page(&self, connection: &Connection, cursor: Option<ListCursor>, limit: usize) -> Result<Page<T>, Failure> {
        let Self { columns, table, number, condition, values, read } = self;
        let limit = limit.min(FILE_PAGE_MAX);
        let backwards = cursor.is_some_and(|cursor| cursor.backwards);
        let (compare, order) = if backwards { (">", "ASC") } else { ("<", "DESC") };
        let behind = cursor.map_or(i64::MAX, |cursor| cursor.number as i64);
        let values = |last: usize| [behind.into(), (last as i64).into()].into_iter().chain(values.clone());
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {columns} FROM {table} WHERE {condition} AND {number} {compare} ?1 ORDER BY {number} {order} LIMIT ?2"
        ))?;
        // One more than asked for tells whether the list goes on in this direction.
        let mut found = statement.query(rusqlite::params_from_iter(values(limit + 1)))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            rows.push(read(row)?);
        }
        let goes_on = rows.len() > limit;
        rows.truncate(limit);
        let came_from = cursor.is_some() && {
            let compare = if backwards { "<=" } else { ">=" };
            connection
                .prepare_cached(&format!("SELECT 1 FROM {table} WHERE {condition} AND {number} {compare} ?1 LIMIT ?2"))?
                .exists(rusqlite::params_from_iter(values(1)))?
        };
        if backwards {
            rows.reverse();
            Ok(Page { rows, has_previous: goes_on, has_next: came_from })
        } else {
            Ok(Page { rows, has_previous: came_from, has_next: goes_on })
        }
    }
}

/// The lists whose rows together are the files of a query: of kinds that are found by their index there is one each.
fn lists_of_files(query: &FileQuery) -> Vec<List<File>> {
    let project = Value::from(query.project_id.0 as i64);
    let list = |condition, values| List { columns: FILE, table: "file", number: "id", condition, values, read: file };
    let of_kind =
        |kind: &FileKind| list("project_id = ?3 AND kind = ?4", vec![project.clone(), i64::from(kind.number()).into()]);
    match query.scope {
        FileScope::AttachmentsOf(event) => {
            let kinds: Vec<u8> = FileKind::ATTACHMENTS.iter().map(|kind| kind.number()).collect();
            let kinds = serde_json::json!(kinds).to_string();
            let condition = "project_id = ?3 AND owner = ?4 AND kind IN (SELECT value FROM json_each(?5))";
            vec![list(condition, vec![project.clone(), Value::Blob(event.0.to_vec()), kinds.into()])]
        }
        FileScope::AttachmentsOfTrace(trace) => {
            let kind = i64::from(FileKind::TraceAttachment.number());
            let condition = "project_id = ?3 AND owner = ?4 AND kind = ?5";
            vec![list(condition, vec![project.clone(), Value::Blob(trace.0.to_vec()), kind.into()])]
        }
        FileScope::Attachments => FileKind::ATTACHMENTS.iter().map(of_kind).collect(),
        FileScope::Kind(kind) => vec![of_kind(&kind)],
    }
}

/// The page of files that pages of their lists make together.
fn merged(pages: Vec<Page<File>>, backwards: bool, limit: usize) -> Page<File> {
    let has_previous = pages.iter().any(|page| page.has_previous);
    let has_next = pages.iter().any(|page| page.has_next);
    let mut rows: Vec<File> = pages.into_iter().flat_map(|page| page.rows).collect();
    rows.sort_unstable_by_key(|file| Reverse(file.id));
    let too_many = rows.len().saturating_sub(limit.min(FILE_PAGE_MAX));
    let goes_on = too_many > 0;
    // A page in front of a place ends at it, so what is too much stands at its beginning.
    if backwards {
        rows.drain(..too_many);
        return Page { rows, has_previous: has_previous || goes_on, has_next };
    }
    rows.truncate(rows.len() - too_many);
    Page { rows, has_previous, has_next: has_next || goes_on }
}

fn list_of_reports(query: &UserReportQuery) -> List<NumberedReport> {
    let values = vec![(query.project_id.0 as i64).into()];
    List { columns: REPORT, table: "user_report", number: "number", condition: "project_id = ?3", values, read: report }
}

fn find_file(connection: &Connection, id: FileId) -> Result<Option<File>, Failure> {
    let mut statement = connection.prepare_cached(&format!("SELECT {FILE} FROM file WHERE id = ?1"))?;
    let mut rows = statement.query([id.0 as i64])?;
    rows.next()?.map(file).transpose()
}

fn find_report(connection: &Connection, project: ProjectId, event: EventId) -> Result<Option<UserReport>, Failure> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT {REPORT} FROM user_report WHERE project_id = ?1 AND event_id = ?2"))?;
    let mut rows = statement.query(params![project.0 as i64, event.0])?;
    Ok(rows.next()?.map(report).transpose()?.map(|found| found.report))
}

#[async_trait]
impl FileStore for EmbeddedMeta {
    async fn keep_files(&self, effects: Vec<Counted<FileEffect>>, settlement: Settlement) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                settle(connection, &settlement, |connection, outcomes| keep(connection, &effects, outcomes))
            })
            .await
    }

    async fn files(&self, query: &FileQuery) -> Result<Page<File>, StoreError> {
        let (lists, cursor, limit) = (lists_of_files(query), query.cursor, query.limit);
        let backwards = cursor.is_some_and(|cursor| cursor.backwards);
        self.readers
            .read(move |connection| {
                let pages = lists.iter().map(|list| list.page(connection, cursor, limit)).collect::<Result<_, _>>()?;
                Ok(merged(pages, backwards, limit))
            })
            .await
    }

    async fn file(&self, id: FileId) -> Result<Option<File>, StoreError> {
        self.readers.read(move |connection| find_file(connection, id)).await
    }

    async fn file_content(&self, id: FileId) -> Result<Option<Bytes>, StoreError> {
        self.readers
            .read(move |connection| {
                let mut statement = connection.prepare_cached("SELECT content FROM file WHERE id = ?1")?;
                let content = statement.query_row([id.0 as i64], |row| row.get::<_, Option<Vec<u8>>>(0)).optional()?;
                Ok(content.flatten().map(Bytes::from))
            })
            .await
    }

    async fn remove_file(&self, id: FileId) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                Ok(connection.prepare_cached("DELETE FROM file WHERE id = ?1")?.execute([id.0 as i64])? > 0)
            })
            .await
    }

    async fn user_report(&self, project: ProjectId, event: EventId) -> Result<Option<UserReport>, StoreError> {
        self.readers.read(move |connection| find_report(connection, project, event)).await
    }

    async fn user_reports(&self, query: &UserReportQuery) -> Result<Page<NumberedReport>, StoreError> {
        let (list, cursor, limit) = (list_of_reports(query), query.cursor, query.limit);
        self.readers.read(move |connection| list.page(connection, cursor, limit)).await
    }

    async fn expire_files(&self, before: Timestamp) -> Result<(), StoreError> {
        let first_kept = before.days().saturating_mul(DAY_MICROS);
        for (table, number) in [("file", "id"), ("user_report", "number")] {
            let step = move |connection: &Connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "DELETE FROM {table} WHERE {number} IN (
                         SELECT {number} FROM {table} WHERE received < ?1 LIMIT {EXPIRED_AT_ONCE})"
                ))?;
                Ok(statement.execute([first_kept])?)
            };
            while self.writer.write(step).await? == EXPIRED_AT_ONCE {}
        }
        Ok(())
    }
}
