//! What travels through Nuthatch: ids, times, envelopes, the records of the log, canonical events, the rows the
//! event store keeps, occurrences. Pure data and its text forms; no I/O, no clock.

pub mod auth;
pub mod blob;
pub mod check_in;
pub mod domain;
pub mod dsn;
pub mod envelope;
pub mod event;
pub mod event_row;
pub mod fact;
pub mod id;
pub mod item_type;
pub mod level;
pub mod media_type;
pub mod occurrence;
pub mod outcome;
pub mod record;
pub mod session;
pub mod time;
pub mod topic;
pub mod trace_attachment;
pub mod trace_item;
pub mod upload;
pub mod version;

pub use auth::{Auth, AuthError};
pub use blob::{BlobKey, StoredPayload};
pub use check_in::CheckIn;
pub use domain::{DomainPattern, InvalidDomain};
pub use dsn::{Dsn, InvalidDsn};
pub use envelope::{Envelope, EnvelopeError, EnvelopeFault, EnvelopeHeader, Item, ItemAttributes, TraceHeader};
pub use event::Event;
pub use event_row::EventRow;
pub use fact::{Fact, Facts};
pub use id::{
    BlobId, EventId, FileId, Hash, IssueId, KeyId, LetterId, OrganizationId, ProjectId, PublicKey, QuotaId, Sha1,
    SpanId, TeamId, TraceId, UserId,
};
pub use item_type::ItemType;
pub use level::Level;
pub use media_type::media_type;
pub use occurrence::{EventPath, Evidence, Message, Occurrence, Priority, StatusChange, TypeId, UnknownMessage};
pub use outcome::{CategoryUnit, DataCategory, Origin, Outcome, OutcomeKey, Outcomes, Units};
pub use record::IngestRecord;
pub use session::{SessionState, SessionUpdate};
pub use time::{Clock, Timestamp};
pub use topic::{Partition, Position, Topic};
pub use trace_item::{AttributeValue, TraceItem, TraceItemKind};
pub use upload::{Reference, Upload};
pub use version::Version;
