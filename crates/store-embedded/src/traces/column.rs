//! The columns that a field lies in. Every value is a number in its column, its code; what it means depends on the
//! column.

use std::io;

use nuthatch_protocol::{ProjectId, SpanId, Timestamp};
use nuthatch_query::{AttributeType, FieldValue, Found, ItemField, item_field::milliseconds};
use tantivy::{
    DocId, SegmentReader,
    columnar::{BytesColumn, Column, DynamicColumn, MonotonicallyMappableToU64},
};

use super::schema::{ATTRIBUTES, DURATION, NAME, PARENT, SEGMENT, SPAN, TRACE};
use crate::index::page::{PROJECT, TIME};

/// A column with the meaning of its codes.
pub(super) struct Coded {
    pub(super) codes: Column<u64>,
    pub(super) meaning: Meaning,
}

/// What codes mean.
pub(super) enum Meaning {
    /// Texts, by their number in the dictionary.
    Texts(BytesColumn),
    /// Long ids, by their number in the dictionary.
    Traces(BytesColumn),
    Floats,
    Integers,
    Naturals,
    Booleans,
    Microseconds,
    Projects,
    Spans,
    Times,
}

impl Coded {
    fn texts(column: impl Into<BytesColumn>, meaning: fn(BytesColumn) -> Meaning) -> Self {
        let column = column.into();
        Self { codes: column.ords().clone(), meaning: meaning(column) }
    }

    /// A column of an attribute; those of other types are none of ours.
    fn of(column: DynamicColumn) -> Option<Self> {
        Some(match column {
            DynamicColumn::Str(column) => Self::texts(column, Meaning::Texts),
            DynamicColumn::F64(column) => Self { codes: column.to_u64_monotonic(), meaning: Meaning::Floats },
            DynamicColumn::I64(column) => Self { codes: column.to_u64_monotonic(), meaning: Meaning::Integers },
            DynamicColumn::U64(column) => Self { codes: column, meaning: Meaning::Naturals },
            DynamicColumn::Bool(column) => Self { codes: column.to_u64_monotonic(), meaning: Meaning::Booleans },
            DynamicColumn::Bytes(_) | DynamicColumn::DateTime(_) | DynamicColumn::IpAddr(_) => return None,
        })
    }

    fn of_type(&self) -> AttributeType {
        match self.meaning {
            Meaning::Booleans => AttributeType::Boolean,
            Meaning::Texts(_) | Meaning::Traces(_) | Meaning::Spans | Meaning::Times => AttributeType::Text,
            Meaning::Floats | Meaning::Integers | Meaning::Naturals | Meaning::Microseconds | Meaning::Projects => {
                AttributeType::Number
            }
        }
    }

    /// The number that a code means.
    pub(super) fn number(&self, code: u64) -> Option<f64> {
        Some(match self.meaning {
            // Minus zero is zero.
            Meaning::Floats => f64::from_u64(code) + 0.0,
            Meaning::Integers => i64::from_u64(code) as f64,
            Meaning::Naturals => code as f64,
            Meaning::Microseconds => milliseconds(code),
            Meaning::Projects => ProjectId(code).0 as f64,
            _ => return None,
        })
    }

    /// The value that a code means.
    pub(super) fn value(&self, code: u64) -> io::Result<FieldValue> {
        let term = |column: &BytesColumn| {
            let mut bytes = Vec::new();
            column.ord_to_bytes(code, &mut bytes)?;
            Ok::<_, io::Error>(bytes)
        };
        Ok(match &self.meaning {
            Meaning::Texts(column) => FieldValue::Text(text(term(column)?)),
            Meaning::Traces(column) => {
                FieldValue::Text(term(column)?.iter().map(|byte| format!("{byte:02x}")).collect())
            }
            Meaning::Booleans => FieldValue::Boolean(code != 0),
            Meaning::Spans => FieldValue::Text(SpanId(code.to_be_bytes()).to_string()),
            Meaning::Times => FieldValue::Text(Timestamp(i64::from_u64(code)).to_string()),
            _ => FieldValue::Number(self.number(code).unwrap_or_default()),
        })
    }

    /// A code as what conditions are tested on.
    pub(super) fn found(&self, code: u64) -> io::Result<Found<'static>> {
        Ok(match &self.meaning {
            Meaning::Spans => Found::Ids(None, Some(SpanId(code.to_be_bytes()))),
            _ => self.value(code)?.found(),
        })
    }
}

/// A term of a dictionary of texts.
pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The columns of a field in a segment: none when no row has it, several when rows have it in different types. A row
/// has a value in at most one.
pub(super) fn columns(reader: &SegmentReader, field: ItemField<'_>) -> tantivy::Result<Vec<Coded>> {
    let fast = reader.fast_fields();
    let natural = |name: &str, meaning| fast.u64(name).map(|codes| vec![Coded { codes, meaning }]);
    match field {
        ItemField::Name => Ok(fast.str(NAME)?.map(|column| Coded::texts(column, Meaning::Texts)).into_iter().collect()),
        ItemField::Trace => {
            Ok(fast.bytes(TRACE)?.map(|column| Coded::texts(column, Meaning::Traces)).into_iter().collect())
        }
        ItemField::Time => {
            let codes = fast.i64(TIME)?.to_u64_monotonic();
            Ok(vec![Coded { codes, meaning: Meaning::Times }])
        }
        ItemField::Span => natural(SPAN, Meaning::Spans),
        ItemField::Parent => natural(PARENT, Meaning::Spans),
        ItemField::Duration => natural(DURATION, Meaning::Microseconds),
        ItemField::Project => natural(PROJECT, Meaning::Projects),
        ItemField::Segment => {
            let codes = fast.bool(SEGMENT)?.to_u64_monotonic();
            Ok(vec![Coded { codes, meaning: Meaning::Booleans }])
        }
        ItemField::Id => Ok(Vec::new()),
        ItemField::Attribute(key, wanted) => {
            let mut found = Vec::new();
            for handle in fast.dynamic_column_handles(&column_name(key))? {
                let column = Coded::of(handle.open()?);
                found.extend(column.filter(|column| wanted.is_none_or(|wanted| wanted == column.of_type())));
            }
            Ok(found)
        }
    }
}

/// The name of the columns of an attribute, as the library reads it: a dot in a key is no separator.
pub(super) fn column_name(key: &str) -> String {
    format!("{ATTRIBUTES}.{}", key.replace('\\', "\\\\").replace('.', "\\."))
}

/// The codes of rows: for each the number of the column and the code in it.
pub(super) struct Codes {
    pub(super) columns: Vec<Coded>,
    pub(super) of_rows: Vec<Code>,
    scratch: Vec<Option<u64>>,
}

/// A value of a row: the number of its column and its code there; `None`: the row has none.
pub(super) type Code = Option<(u8, u64)>;

impl Codes {
    pub(super) fn new(columns: Vec<Coded>) -> Self {
        Self { columns, of_rows: Vec::new(), scratch: Vec::new() }
    }

    /// Reads the codes of some rows.
    pub(super) fn load(&mut self, docs: &[DocId]) {
        self.of_rows.clear();
        self.of_rows.resize(docs.len(), None);
        for (n, column) in (0_u8..).zip(&self.columns) {
            self.scratch.clear();
            self.scratch.resize(docs.len(), None);
            column.codes.first_vals(docs, &mut self.scratch);
            for (code, found) in self.of_rows.iter_mut().zip(&self.scratch) {
                *code = code.or(found.map(|found| (n, found)));
            }
        }
    }

    /// The column of a code.
    pub(super) fn column(&self, n: u8) -> Option<&Coded> {
        self.columns.get(usize::from(n))
    }
}
