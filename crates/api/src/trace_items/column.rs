//! The columns of a table: what the texts of `field`, `sort` and `yAxis` ask for.

use nuthatch_store::traces::{Aggregate, GroupColumn, GroupOrder};

/// Most columns of a table.
pub(crate) const COLUMNS_MAX: usize = nuthatch_store::traces::COLUMNS_MAX;

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Column {
    /// A field of the items.
    Field(String),
    /// What is measured of them.
    Measure(Measure),
}

/// A function of items.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measure {
    /// What the store measures.
    pub(crate) aggregate: Aggregate,
    /// Items per so many seconds, instead of their number.
    pub(crate) per_secs: Option<u32>,
}

/// Fields with milliseconds.
fn is_duration(field: &str) -> bool {
    matches!(field, "span.duration" | "transaction.duration" | "span.self_time" | "span.exclusive_time")
}

/// The name under which the store knows a field.
pub(crate) fn stored_name(field: &str) -> &str {
    match field {
        "project" | "project.name" | "project.slug" => "project.id",
        "precise.finish_ts" => "timestamp",
        field => field,
    }
}

impl Column {
    /// What a text asks for; why not, when it asks for nothing.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let Some((name, arguments)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) else {
            let is_name = !text.is_empty() && !text.contains('(') && !text.starts_with("equation|");
            return if is_name { Ok(Self::Field(text.to_owned())) } else { Err(unknown(text)) };
        };
        let arguments: Vec<&str> = arguments.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
        measure(name, &arguments).map(Self::Measure).ok_or_else(|| unknown(text))
    }

    /// Type and unit of its values; `None`: as the values are.
    pub(crate) fn described(&self) -> Option<(&'static str, Option<&'static str>)> {
        match self {
            Self::Field(field) => of_field(field),
            Self::Measure(Measure { per_secs: Some(1), .. }) => Some(("rate", Some("1/second"))),
            Self::Measure(Measure { per_secs: Some(_), .. }) => Some(("rate", Some("1/minute"))),
            Self::Measure(Measure { aggregate, .. }) => Some(match aggregate {
                Aggregate::Count | Aggregate::CountUnique(_) | Aggregate::FailureCount => ("integer", None),
                Aggregate::FailureRate => ("percentage", None),
                Aggregate::LastSeen => ("date", None),
                Aggregate::Sum(field)
                | Aggregate::Average(field)
                | Aggregate::Min(field)
                | Aggregate::Max(field)
                | Aggregate::Percentile(field, _) => of_field(field).unwrap_or(("number", None)),
            }),
        }
    }
}

/// Type and unit of a field that has always the same.
fn of_field(field: &str) -> Option<(&'static str, Option<&'static str>)> {
    Some(match field {
        field if is_duration(field) => ("duration", Some("millisecond")),
        "timestamp" => ("date", None),
        "timestamp_precise" | "project.id" | "project_id" => ("integer", None),
        "precise.start_ts" | "precise.finish_ts" => ("number", None),
        "is_transaction" | "is_segment" => ("boolean", None),
        "id"
        | "sentry.item_id"
        | "trace"
        | "trace_id"
        | "span_id"
        | "parent_span"
        | "parent_span_id"
        | "project"
        | "project.name"
        | "message"
        | "name"
        | "span.name"
        | "metric.name"
        | "event_id"
        | "transaction.event_id"
        | "transaction.span_id" => ("string", None),
        _ => return None,
    })
}

fn unknown(text: &str) -> String {
    format!(
        "{text:?} is neither a field nor one of count(), count_unique(f), sum(f), avg(f), min(f), max(f), p50(f), p75(f), \
         p90(f), p95(f), p99(f), p100(f), percentile(f, 0.9), failure_count(), failure_rate(), epm(), eps(), last_seen()"
    )
}

fn measure(name: &str, arguments: &[&str]) -> Option<Measure> {
    let plain = |aggregate| Some(Measure { aggregate, per_secs: None });
    let rate = |secs| Some(Measure { aggregate: Aggregate::Count, per_secs: Some(secs) });
    let percentile = |field: Option<&&str>, part| {
        let field = field.copied().unwrap_or("span.duration");
        plain(Aggregate::Percentile(stored_name(field).to_owned(), part))
    };
    match (name, arguments) {
        // What every item has may be named.
        ("count", [] | ["span.duration" | "message" | "value" | "metric.name" | "id"]) => plain(Aggregate::Count),
        ("failure_count", []) => plain(Aggregate::FailureCount),
        ("failure_rate", []) => plain(Aggregate::FailureRate),
        ("last_seen", []) => plain(Aggregate::LastSeen),
        ("epm" | "tpm" | "spm", []) => rate(60),
        ("eps" | "tps" | "sps", []) => rate(1),
        ("p50", [] | [_]) => percentile(arguments.first(), 0.5),
        ("p75", [] | [_]) => percentile(arguments.first(), 0.75),
        ("p90", [] | [_]) => percentile(arguments.first(), 0.9),
        ("p95", [] | [_]) => percentile(arguments.first(), 0.95),
        ("p99", [] | [_]) => percentile(arguments.first(), 0.99),
        ("p100", [] | [_]) => percentile(arguments.first(), 1.0),
        ("percentile", [field, part]) => {
            let part = part.parse().ok().filter(|part| (0.0..=1.0).contains(part))?;
            percentile(Some(field), part)
        }
        (_, [field]) => {
            let field = stored_name(field).to_owned();
            plain(match name {
                "count_unique" => Aggregate::CountUnique(field),
                "sum" => Aggregate::Sum(field),
                "avg" => Aggregate::Average(field),
                "min" => Aggregate::Min(field),
                "max" => Aggregate::Max(field),
                _ => return None,
            })
        }
        _ => None,
    }
}

/// The columns of a table, with the texts that asked for them.
#[derive(Debug, Clone)]
pub(crate) struct Columns(pub(crate) Vec<(String, Column)>);

impl Columns {
    /// Reads texts; at least one, at most [`COLUMNS_MAX`], each once.
    pub(crate) fn read(texts: &[String]) -> Result<Self, String> {
        let mut columns: Vec<(String, Column)> = Vec::new();
        for text in texts.iter().filter(|text| !text.is_empty()) {
            if columns.iter().all(|(known, _)| known != text) {
                columns.push((text.clone(), Column::read(text)?));
            }
        }
        match columns.len() {
            0 => Err("at least one is needed".to_owned()),
            count if count > COLUMNS_MAX => Err(format!("at most {COLUMNS_MAX} are taken, not {count}")),
            _ => Ok(Self(columns)),
        }
    }

    /// The plain fields, by the names of the store.
    pub(crate) fn fields(&self) -> Vec<String> {
        let stored = self.0.iter().filter_map(|(_, column)| match column {
            Column::Field(field) => Some(stored_name(field).to_owned()),
            Column::Measure(_) => None,
        });
        stored.collect()
    }

    /// What is measured.
    pub(crate) fn aggregates(&self) -> Vec<Aggregate> {
        let measured = self.0.iter().filter_map(|(_, column)| match column {
            Column::Field(_) => None,
            Column::Measure(measure) => Some(measure.aggregate.clone()),
        });
        measured.collect()
    }

    /// The order of groups that `sort` asks for: a column, or its name without parentheses, with `-` in front for the
    /// largest first.
    pub(crate) fn order(&self, sort: &str) -> Result<GroupOrder, String> {
        let (descending, name) = descending(sort);
        let (mut field, mut aggregate) = (0, 0);
        for (text, column) in &self.0 {
            let is_meant = text == name || text.strip_suffix("()") == Some(name);
            match column {
                Column::Field(_) if is_meant => return Ok(GroupOrder { by: GroupColumn::Field(field), descending }),
                Column::Measure(_) if is_meant => {
                    return Ok(GroupOrder { by: GroupColumn::Aggregate(aggregate), descending });
                }
                Column::Field(_) => field += 1,
                Column::Measure(_) => aggregate += 1,
            }
        }
        Err(format!("{name:?} is not among the fields"))
    }
}

/// Whether an order is descending, and what it is by.
pub(crate) fn descending(sort: &str) -> (bool, &str) {
    match sort.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, sort),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_read_and_described() {
        for (text, aggregate, described) in [
            ("count()", Aggregate::Count, ("integer", None)),
            ("count(span.duration)", Aggregate::Count, ("integer", None)),
            ("epm()", Aggregate::Count, ("rate", Some("1/minute"))),
            ("tps()", Aggregate::Count, ("rate", Some("1/second"))),
            ("p95()", Aggregate::Percentile("span.duration".to_owned(), 0.95), ("duration", Some("millisecond"))),
            ("percentile(value, 0.9)", Aggregate::Percentile("value".to_owned(), 0.9), ("number", None)),
            ("count_unique(project)", Aggregate::CountUnique("project.id".to_owned()), ("integer", None)),
            ("failure_rate()", Aggregate::FailureRate, ("percentage", None)),
        ] {
            let column = Column::read(text).unwrap();
            assert_eq!(column.described(), Some(described), "{text}");
            assert!(matches!(&column, Column::Measure(measure) if measure.aggregate == aggregate), "{text} {column:?}");
        }
        assert_eq!(Column::read("http.method"), Ok(Column::Field("http.method".to_owned())));
        for text in ["", "count(", "sum()", "apdex(300)", "percentile(value, 2)", "count(note)", "equation|a", "f(x)y"]
        {
            assert!(Column::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn groups_are_ordered_by_their_columns() {
        let columns = Columns::read(&["op".to_owned(), "count()".to_owned(), "p50()".to_owned()]).unwrap();
        let order = |by, descending| Ok(GroupOrder { by, descending });
        assert_eq!(columns.order("-p50()"), order(GroupColumn::Aggregate(1), true));
        assert_eq!(columns.order("count"), order(GroupColumn::Aggregate(0), false));
        assert_eq!(columns.order("-op"), order(GroupColumn::Field(0), true));
        assert!(columns.order("-p95()").is_err());
    }
}
