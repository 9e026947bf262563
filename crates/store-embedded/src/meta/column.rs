//! Unsigned numbers, topics and JSON in columns: SQLite's integers are signed.

use nuthatch_protocol::Topic;
use rusqlite::{Row, ToSql, types::ToSqlOutput};
use serde::{Serialize, de::DeserializeOwned};

use super::error::{Failure, corrupt};

/// A value that is written as JSON.
pub(super) struct JsonText<'a, T>(pub(super) &'a T);

impl<T: Serialize> ToSql for JsonText<'_, T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(self.0);
        text.map(ToSqlOutput::from).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

/// The value of a JSON column; null is none.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> Result<Option<T>, Failure> {
    let text = row.get_ref(index)?.as_str_or_null().map_err(rusqlite::Error::from)?;
    let value = text.map(serde_json::from_str::<T>).transpose();
    Ok(value.map_err(|_| corrupt(&"a JSON column holds something else"))?)
}

/// An unsigned number out of a row. Ids and counts never reach the sign bit; hashes use it.
pub(super) fn unsigned(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(index)? as u64)
}

/// The number of a topic in the tables `handled`, `dead_letter` and `seen_item`; 2 was once given.
pub(super) fn topic_number(topic: Topic) -> i64 {
    match topic {
        Topic::IngestEvents => 0,
        Topic::IngestOccurrences => 1,
        Topic::Outcomes => 3,
        Topic::IngestTransactions => 4,
        Topic::TraceItems => 5,
        Topic::IngestAttachments => 6,
        Topic::IngestSessions => 7,
        Topic::IngestMonitors => 8,
        Topic::IngestEventsBacklog => 9,
    }
}

/// The topic of a number.
pub(super) fn topic_of_number(number: i64) -> Option<Topic> {
    Topic::ALL.into_iter().find(|topic| topic_number(*topic) == number)
}

/// The fates of events that issues count, and of those that the event store has: as conditions on `handled`.
pub(super) const IS_COUNTED: &str = "fate IN (0, 3, 4)";
pub(super) const IS_STORED: &str = "fate IN (0, 1, 3)";

#[cfg(test)]
mod tests {
    use nuthatch_issues::changes::EventFate;

    use super::*;

    #[test]
    fn conditions_name_the_fates_that_are_meant() {
        let condition = |is: fn(EventFate) -> bool| {
            let fates = EventFate::ALL.into_iter().filter(|fate| is(*fate)).map(|fate| fate.number().to_string());
            format!("fate IN ({})", fates.collect::<Vec<_>>().join(", "))
        };
        assert_eq!(
            (condition(EventFate::is_counted).as_str(), condition(EventFate::is_stored).as_str()),
            (IS_COUNTED, IS_STORED)
        );
    }
}
