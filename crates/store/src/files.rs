//! Files: what came as bytes beside events, and what users said about events.

use std::{fmt, str::FromStr};

use async_trait::async_trait;
use bytes::Bytes;
use nuthatch_protocol::{BlobId, BlobKey, EventId, FileId, ProjectId, Sha1, SpanId, Timestamp, TraceId};
use serde_json::{Map, Value};

use crate::{
    StoreError,
    settlements::{Counted, Settlement},
};

/// Which files are kept and where, and the reports of users. The bytes themselves are in the [`crate::BlobStore`], but
/// for what is small and JSON, or is left of a text that was scrubbed.
#[async_trait]
pub trait FileStore: Send + Sync + 'static {
    /// Keeps files and reports and settles the batch that brought them, in one transaction. A file whose identity
    /// ([`FileHead`]) is known is a duplicate and changes nothing; a report takes the place of an older one about the
    /// same event. A settlement that the consumer is already behind changes nothing.
    async fn keep_files(&self, effects: Vec<Counted<FileEffect>>, settlement: Settlement) -> Result<(), StoreError>;

    /// A page of a project's files, newest first.
    async fn files(&self, query: &FileQuery) -> Result<Page<File>, StoreError>;

    /// A file by id.
    async fn file(&self, id: FileId) -> Result<Option<File>, StoreError>;

    /// The bytes of a file that are kept with its row; none when they are a blob, or the file is not there.
    async fn file_content(&self, id: FileId) -> Result<Option<Bytes>, StoreError>;

    /// Forgets a file; whether it was there. Its blob is for the caller to delete.
    async fn remove_file(&self, id: FileId) -> Result<bool, StoreError>;

    /// What a user said about an event.
    async fn user_report(&self, project: ProjectId, event: EventId) -> Result<Option<UserReport>, StoreError>;

    /// A page of the reports of a project, newest first.
    async fn user_reports(&self, query: &UserReportQuery) -> Result<Page<NumberedReport>, StoreError>;

    /// Forgets files and reports that were received before the day of a time, as retention demands: the days that
    /// [`crate::BlobStore::expire`] drops.
    async fn expire_files(&self, before: Timestamp) -> Result<(), StoreError>;
}

/// Most rows on a page.
pub const FILE_PAGE_MAX: usize = 100;

macro_rules! kinds {
    ($($variant:ident = $number:literal $word:literal, $meaning:literal);+ $(;)?) => {
        /// What a file is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum FileKind {
            $(
                #[doc = $meaning]
                $variant = $number,
            )+
        }

        impl FileKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its word in the API.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }
    };
}

kinds! {
    Attachment = 0 "attachment", "A file that belongs to an event; minidumps and view hierarchies too.";
    UnrealReport = 1 "unreal_report", "A crash report of the Unreal engine, as it came.";
    FormData = 2 "form_data", "The form fields of a crash report.";
    Profile = 3 "profile", "The profile of a transaction.";
    ProfileChunk = 4 "profile_chunk", "A chunk of a continuous profile.";
    ReplayEvent = 5 "replay_event", "What is known of a segment of a replay.";
    ReplayRecording = 6 "replay_recording", "The recording of a segment of a replay.";
    ReplayVideo = 7 "replay_video", "A segment of a mobile replay: event, recording and video.";
    TraceAttachment = 8 "trace_attachment", "A file that belongs to a trace.";
}

impl FileKind {
    /// The kinds that are shown as attachments of an event.
    pub const ATTACHMENTS: &'static [Self] = &[Self::Attachment, Self::UnrealReport];

    /// The stored number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The kind of a stored number.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.number() == number)
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FileKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or(())
    }
}

/// What is known of a file. Project, kind, owner and part are its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileHead {
    /// The project.
    pub project_id: ProjectId,
    /// What it is.
    pub kind: FileKind,
    /// What it belongs to: the event, the replay, the profile itself, the profiler of a chunk, or the trace.
    pub owner: EventId,
    /// What tells it from others of its kind and owner: checksum and name of an attachment of an event, the id of one of a
    /// trace, the segment of a replay, the id of a chunk; empty when there is only one.
    pub part: String,
    /// Its name, as the client gave it.
    pub name: String,
    /// Its media type, as the client gave it: nothing to rely on.
    pub content_type: String,
    /// For attachments: what kind of attachment (`event.minidump`; `reference/ingest-protocol.md` §7.2).
    pub attachment_type: Option<String>,
    /// For attachments of traces: where in the trace it belongs.
    pub in_trace: Option<InTrace>,
    /// Its length.
    pub bytes: u64,
    /// Checksum of its bytes.
    pub sha1: Sha1,
    /// The blob with its bytes; none when they are with the row.
    pub blob: Option<BlobId>,
    /// When it was received.
    pub received: Timestamp,
}

impl FileHead {
    /// Where its bytes are, if they are a blob.
    pub fn blob_key(&self) -> Option<BlobKey> {
        self.blob.map(|id| BlobKey::new(self.project_id, self.received, id))
    }
}

/// What an attachment of a trace says of itself, beside what all files do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InTrace {
    /// The span that it belongs to, if it belongs to one.
    pub span_id: Option<SpanId>,
    /// When it was made.
    pub timestamp: Timestamp,
    /// Its attributes, plain values under their names.
    pub attributes: Map<String, Value>,
}

/// A file to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// What is known of it.
    pub head: FileHead,
    /// Its bytes, unless they are a blob.
    pub content: Option<Bytes>,
}

/// A file that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Id, in the order in which files were kept.
    pub id: FileId,
    /// What is known of it.
    pub head: FileHead,
}

/// What a user said about an event (`reference/ingest-protocol.md` §7.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserReport {
    /// The project.
    pub project_id: ProjectId,
    /// The event.
    pub event_id: EventId,
    /// The user's name.
    pub name: String,
    /// The user's address.
    pub email: String,
    /// What they said.
    pub comments: String,
    /// When it was received.
    pub received: Timestamp,
}

/// A report with its place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedReport {
    /// Ascending, never given twice; a report that takes the place of another one has a new number.
    pub number: u64,
    /// The report.
    pub report: UserReport,
}

/// What a record of files has for effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileEffect {
    /// A file is kept.
    File(NewFile),
    /// A report is kept.
    Report(UserReport),
}

/// Which files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileScope {
    /// What is shown as attachments of an event.
    AttachmentsOf(EventId),
    /// The attachments of a trace.
    AttachmentsOfTrace(TraceId),
    /// What is shown as attachments, of all events.
    Attachments,
    /// All of a kind.
    Kind(FileKind),
}

/// A question for files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileQuery {
    /// The project.
    pub project_id: ProjectId,
    /// Which of its files.
    pub scope: FileScope,
    /// Where to go on.
    pub cursor: Option<ListCursor>,
    /// Most rows, at most [`FILE_PAGE_MAX`].
    pub limit: usize,
}

/// A question for reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserReportQuery {
    /// The project.
    pub project_id: ProjectId,
    /// Where to go on.
    pub cursor: Option<ListCursor>,
    /// Most rows, at most [`FILE_PAGE_MAX`].
    pub limit: usize,
}

/// A place in a list that is ordered by number, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListCursor {
    /// The number of a row.
    pub number: u64,
    /// Rows in front of it (newer), instead of behind it.
    pub backwards: bool,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, newest first.
    pub rows: Vec<T>,
    /// Whether there are newer ones in front of the page.
    pub has_previous: bool,
    /// Whether there are older ones behind it.
    pub has_next: bool,
}
