//! Messages to test with.

use nuthatch_issues::Routed;
use nuthatch_protocol::{
    EventId, EventPath, Hash, Level, Message, Occurrence, Position, ProjectId, StatusChange, Timestamp, Topic, TypeId,
    occurrence::EventFacts,
};

pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000_000);
pub(crate) const PROJECT: ProjectId = ProjectId(1);
pub(crate) const CRON: TypeId = TypeId(4001);

pub(crate) fn hash(number: u8) -> Hash {
    Hash([number; 16])
}

pub(crate) fn id(number: u32) -> EventId {
    EventId((u128::from(number) + 1).to_be_bytes())
}

pub(crate) fn seconds(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1_000_000)
}

/// An error with an id and hashes, that happened at [`NOW`].
pub(crate) fn error(number: u32, hashes: &[u8]) -> Occurrence {
    Occurrence {
        id: id(number),
        project_id: PROJECT,
        event_id: id(number),
        hashes: hashes.iter().map(|number| hash(*number)).collect(),
        type_id: TypeId::ERROR,
        title: "ValueError: bad".to_owned(),
        subtitle: "bad".to_owned(),
        culprit: "parse in app".to_owned(),
        level: Level::Error,
        detection_time: NOW,
        resource_id: None,
        evidence_data: None,
        evidence_display: Vec::new(),
        priority: None,
        assignee: None,
        path: EventPath::Error,
        event: EventFacts {
            timestamp: NOW,
            event_type: "error".to_owned(),
            platform: "python".to_owned(),
            logger: None,
            release: None,
            environment: None,
            user: None,
            metadata: serde_json::Map::new(),
            search_text: String::new(),
            unhandled: false,
        },
    }
}

/// An error at a time, in seconds after [`NOW`].
pub(crate) fn error_at(number: u32, hashes: &[u8], at: i64) -> Occurrence {
    let mut occurrence = error(number, hashes);
    occurrence.event.timestamp = seconds(at);
    occurrence
}

pub(crate) fn status_change(number: u32, hashes: &[u8], status: i64, substatus: Option<i64>) -> StatusChange {
    StatusChange {
        id: id(number).to_string(),
        project_id: PROJECT,
        hashes: hashes.iter().map(|number| hash(*number)).collect(),
        new_status: status,
        new_substatus: substatus,
        detector_id: None,
        activity_data: None,
    }
}

pub(crate) trait Route {
    fn message(self) -> Message;

    /// At some position of the log.
    fn routed(self) -> Routed
    where
        Self: Sized,
    {
        self.at(0)
    }

    fn at(self, offset: u64) -> Routed
    where
        Self: Sized,
    {
        let position = Position { topic: Topic::IngestEvents, partition: 0, offset };
        Routed { message: self.message(), position: Some(position) }
    }
}

impl Route for Occurrence {
    fn message(self) -> Message {
        Message::Occurrence(Box::new(self))
    }
}

impl Route for StatusChange {
    fn message(self) -> Message {
        Message::StatusChange(self)
    }
}
