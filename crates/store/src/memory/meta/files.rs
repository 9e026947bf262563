//! Files and reports, in the order of their numbers.

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_protocol::{EventId, FileId, ProjectId, Timestamp};

use super::{MemoryMeta, State};
use crate::{
    FileStore, StoreError,
    files::{
        FILE_PAGE_MAX, File, FileEffect, FileHead, FileKind, FileQuery, FileScope, ListCursor, NewFile, NumberedReport,
        Page, UserReport, UserReportQuery,
    },
    settlements::{Counted, Settlement},
};

impl State {
    /// Keeps a file; whether it is new.
    fn keep_file(&mut self, file: NewFile) -> bool {
        let identity = |head: &FileHead| (head.project_id, head.kind, head.owner, head.part.clone());
        let wanted = identity(&file.head);
        if self.files.values().any(|kept| identity(&kept.head) == wanted) {
            return false;
        }
        self.last_file.0 += 1;
        self.files.insert(self.last_file, file);
        true
    }

    fn keep_report(&mut self, report: UserReport) {
        let about = |report: &UserReport| (report.project_id, report.event_id);
        self.reports.retain(|_, kept| about(kept) != about(&report));
        self.last_report += 1;
        self.reports.insert(self.last_report, report);
    }
}

fn holds(query: &FileQuery, head: &FileHead) -> bool {
    head.project_id == query.project_id
        && match query.scope {
            FileScope::AttachmentsOf(event) => head.owner == event && FileKind::ATTACHMENTS.contains(&head.kind),
            FileScope::AttachmentsOfTrace(trace) => head.owner.0 == trace.0 && head.kind == FileKind::TraceAttachment,
            FileScope::Attachments => FileKind::ATTACHMENTS.contains(&head.kind),
            FileScope::Kind(kind) => head.kind == kind,
        }
}

/// A page of rows that are ordered newest first.
fn page<T: Clone>(all: &[T], number: impl Fn(&T) -> u64, cursor: Option<ListCursor>, limit: usize) -> Page<T> {
    let limit = limit.min(FILE_PAGE_MAX);
    let (start, end) = match cursor {
        Some(cursor) if cursor.backwards => {
            let end = all.partition_point(|row| number(row) > cursor.number);
            (end.saturating_sub(limit), end)
        }
        cursor => {
            let start = cursor.map_or(0, |cursor| all.partition_point(|row| number(row) >= cursor.number));
            (start, all.len().min(start + limit))
        }
    };
    Page { rows: all[start..end].to_vec(), has_previous: start > 0, has_next: end < all.len() }
}

#[async_trait]
impl FileStore for MemoryMeta {
    async fn keep_files(&self, effects: Vec<Counted<FileEffect>>, settlement: Settlement) -> Result<(), StoreError> {
        self.lock().settle(settlement, |state, outcomes| {
            for effect in effects {
                let (accepted, duplicate) = (effect.accepted(), effect.duplicate());
                let is_new = match effect.what {
                    FileEffect::File(file) => state.keep_file(file),
                    FileEffect::Report(report) => {
                        state.ledger.add_report(report.project_id);
                        state.keep_report(report);
                        true
                    }
                };
                outcomes.extend(if is_new { accepted } else { duplicate });
            }
        });
        Ok(())
    }

    async fn files(&self, query: &FileQuery) -> Result<Page<File>, StoreError> {
        let state = self.lock();
        let matching = state.files.iter().rev().filter(|(_, file)| holds(query, &file.head));
        let all: Vec<File> = matching.map(|(id, file)| File { id: *id, head: file.head.clone() }).collect();
        Ok(page(&all, |file| file.id.0, query.cursor, query.limit))
    }

    async fn file(&self, id: FileId) -> Result<Option<File>, StoreError> {
        Ok(self.lock().files.get(&id).map(|file| File { id, head: file.head.clone() }))
    }

    async fn file_content(&self, id: FileId) -> Result<Option<Bytes>, StoreError> {
        Ok(self.lock().files.get(&id).and_then(|file| file.content.clone()))
    }

    async fn remove_file(&self, id: FileId) -> Result<bool, StoreError> {
        Ok(self.lock().files.remove(&id).is_some())
    }

    async fn user_report(&self, project: ProjectId, event: EventId) -> Result<Option<UserReport>, StoreError> {
        let state = self.lock();
        let mut reports = state.reports.values();
        Ok(reports.find(|report| (report.project_id, report.event_id) == (project, event)).cloned())
    }

    async fn user_reports(&self, query: &UserReportQuery) -> Result<Page<NumberedReport>, StoreError> {
        let state = self.lock();
        let matching = state.reports.iter().rev().filter(|(_, report)| report.project_id == query.project_id);
        let all: Vec<NumberedReport> =
            matching.map(|(number, report)| NumberedReport { number: *number, report: report.clone() }).collect();
        Ok(page(&all, |row| row.number, query.cursor, query.limit))
    }

    async fn expire_files(&self, before: Timestamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        state.files.retain(|_, file| file.head.received.days() >= before.days());
        state.reports.retain(|_, report| report.received.days() >= before.days());
        Ok(())
    }
}
