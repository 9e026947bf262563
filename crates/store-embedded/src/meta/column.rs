//! Unsigned numbers and topics in columns: SQLite's integers are signed.

use nuthatch_protocol::Topic;
use rusqlite::Row;

/// An unsigned number out of a row. Ids and counts never reach the sign bit; hashes use it.
pub(super) fn unsigned(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(index)? as u64)
}

/// The number of a topic in the tables `counted` and `dead_letter`, as their migration says.
pub(super) fn topic_number(topic: Topic) -> i64 {
    match topic {
        Topic::IngestEvents => 0,
        Topic::IngestOccurrences => 1,
        Topic::DeadLetters => 2,
    }
}

/// The topic of a number.
pub(super) fn topic_of_number(number: i64) -> Option<Topic> {
    Topic::ALL.into_iter().find(|topic| topic_number(*topic) == number)
}
