//! What the names of fields mean for an event (`reference/web-api.md` §2.1). Adapters index what is said here, so that
//! they and the executor cannot disagree.

use std::borrow::Cow;

use nuthatch_protocol::EventRow;

use crate::row::{Found, Row};

/// Name of the field that a word without a name is sought in: title, message and culprit.
pub const FREE_TEXT: &str = "";

/// How the tag of a handled exception and of one that nobody caught is written: `no` comes first.
pub const HANDLED: [&str; 2] = ["no", "yes"];

/// Names that search text has elsewhere and rows of events do not keep.
const NOT_KEPT: [&str; 14] = [
    "sdk.name",
    "sdk.version",
    "geo.city",
    "geo.country_code",
    "geo.region",
    "http.method",
    "http.referer",
    "http.status_code",
    "error.main_thread",
    "release.version",
    "release.package",
    "release.build",
    "release.stage",
    "has_attachments",
];

/// Whether events can be searched by this name. Those that cannot must not pass for tags that no event has.
pub fn is_kept(key: &str) -> bool {
    !NOT_KEPT.contains(&key)
}

/// What a field name refers to in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field<'a> {
    /// Texts, searched by words.
    Texts(&'static [Text]),
    /// A value of its own, compared as a whole.
    Value(Column),
    /// A tag, compared as a whole.
    Tag(&'a str),
    /// The time of the event.
    Time,
    /// The id of the event.
    Id,
}

/// A text of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// Title.
    Title,
    /// Message.
    Message,
    /// Culprit.
    Culprit,
    /// Names and files of the frames.
    Stack,
}

impl Text {
    /// Every text.
    pub const ALL: [Self; 4] = [Self::Title, Self::Message, Self::Culprit, Self::Stack];

    /// The text of a row.
    pub fn of(self, row: &EventRow) -> &str {
        match self {
            Self::Title => &row.title,
            Self::Message => &row.message,
            Self::Culprit => &row.culprit,
            Self::Stack => &row.stack_text,
        }
    }
}

/// A value of an event that is compared as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Severity, as a word.
    Level,
    /// Release.
    Release,
    /// Environment.
    Environment,
    /// Platform.
    Platform,
    /// Transaction name.
    Transaction,
    /// Type.
    EventType,
    /// The trace it is part of.
    Trace,
    /// The user as one text.
    User,
    /// Id of the user.
    UserId,
    /// E-mail of the user.
    UserEmail,
    /// Name of the user.
    UserName,
    /// Address of the user.
    UserIp,
}

impl Column {
    /// Every column.
    pub const ALL: [Self; 12] = [
        Self::Level,
        Self::Release,
        Self::Environment,
        Self::Platform,
        Self::Transaction,
        Self::EventType,
        Self::Trace,
        Self::User,
        Self::UserId,
        Self::UserEmail,
        Self::UserName,
        Self::UserIp,
    ];

    /// The name, as in search text.
    pub fn name(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Release => "release",
            Self::Environment => "environment",
            Self::Platform => "platform",
            Self::Transaction => "transaction",
            Self::EventType => "event.type",
            Self::Trace => "trace",
            Self::User => "user",
            Self::UserId => "user.id",
            Self::UserEmail => "user.email",
            Self::UserName => "user.username",
            Self::UserIp => "user.ip",
        }
    }

    /// The value of a row; an empty one counts as none. A part of the user that its one text does not tell is looked
    /// up in the tag of the same name.
    pub fn of(self, row: &EventRow) -> Option<&str> {
        let part = |prefix: &str| {
            row.user.as_deref().and_then(|user| user.strip_prefix(prefix)).or_else(|| tag(row, self.name()))
        };
        let value = match self {
            Self::Level => Some(row.level.as_str()),
            Self::Release => row.release.as_deref(),
            Self::Environment => row.environment.as_deref(),
            Self::Platform => Some(row.platform.as_str()),
            Self::Transaction => row.transaction.as_deref(),
            Self::EventType => Some(row.event_type.as_str()),
            Self::Trace => row.trace.as_deref(),
            Self::User => row.user.as_deref(),
            Self::UserId => part("id:"),
            Self::UserEmail => part("email:"),
            Self::UserName => part("username:"),
            Self::UserIp => part("ip:"),
        };
        value.filter(|value| !value.is_empty())
    }
}

/// The value of a tag of a row: of several with one key the first counts.
pub fn tag<'a>(row: &'a EventRow, key: &str) -> Option<&'a str> {
    row.tags.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

impl<'a> Field<'a> {
    /// What a name refers to. `tags[name]` is always the tag.
    pub fn named(key: &'a str) -> Self {
        if let Some(name) = key.strip_prefix("tags[").and_then(|rest| rest.strip_suffix(']')) {
            return Self::Tag(name);
        }
        match key {
            FREE_TEXT => Self::Texts(&[Text::Title, Text::Message, Text::Culprit]),
            "title" | "error.type" => Self::Texts(&[Text::Title]),
            "message" | "error.value" => Self::Texts(&[Text::Message]),
            "culprit" | "location" => Self::Texts(&[Text::Culprit]),
            "stack" | "stack.filename" | "stack.abs_path" | "stack.module" | "stack.function" | "stack.package" => {
                Self::Texts(&[Text::Stack])
            }
            "timestamp" | "event.timestamp" | "age" => Self::Time,
            "id" => Self::Id,
            "error.handled" | "error.unhandled" => Self::Tag("handled"),
            "error.mechanism" => Self::Tag("mechanism"),
            "http.url" => Self::Tag("url"),
            "platform.name" => Self::Value(Column::Platform),
            "type" => Self::Value(Column::EventType),
            _ => match Column::ALL.into_iter().find(|column| column.name() == key) {
                Some(column) => Self::Value(column),
                None => Self::Tag(key),
            },
        }
    }
}

impl Row for EventRow {
    fn field<'a>(&'a self, key: &'a str) -> Found<'a> {
        let whole = |value: Option<&'a str>| value.map_or(Found::Absent, |value| Found::Text(Cow::Borrowed(value)));
        match Field::named(key) {
            Field::Texts(texts) => Found::Words(texts.iter().map(|text| text.of(self)).collect()),
            Field::Value(column) => whole(column.of(self)),
            Field::Tag(key) => whole(tag(self, key)),
            Field::Time => Found::Time(self.timestamp),
            Field::Id => Found::Ids(Some(self.event_id), None),
        }
    }
}
