//! A condition that is tested on columns. Each different text is tested once, each other value where it is.

use std::io;

use nuthatch_query::{Found, ItemField, Op, Value};
use tantivy::{
    BitSet, DocId, DocSet, Score, SegmentReader, TantivyError,
    columnar::BytesColumn,
    query::{BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight},
};

use super::column::{Coded, Meaning, columns, text};

/// Rows read from a column at a time.
const BLOCK: usize = 1024;

/// Rows whose field meets a comparison.
#[derive(Debug, Clone)]
pub(super) struct ColumnQuery {
    /// Name of the field.
    pub(super) key: String,
    pub(super) op: Op,
}

impl Query for ColumnQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for ColumnQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut rows = BitSet::with_max_value(reader.max_doc());
        for column in columns(reader, ItemField::named(&self.key))? {
            match &column.meaning {
                Meaning::Texts(dictionary) if self.op != Op::Exists => {
                    let meeting = terms(dictionary, &self.op)?;
                    if meeting.iter().any(|meets| *meets) {
                        let test = |code: u64| meeting.get(code as usize).copied().unwrap_or_default();
                        scan(&column, reader.max_doc(), test, &mut rows);
                    }
                }
                _ if self.op == Op::Exists => scan(&column, reader.max_doc(), |_| true, &mut rows),
                // Only dictionaries cannot be read, and what has one and is no text is found by terms.
                _ => scan(&column, reader.max_doc(), |code| meets(&column, code, &self.op), &mut rows),
            }
        }
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(rows), boost)))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        if self.scorer(reader, 1.0)?.seek(doc) == doc {
            return Ok(Explanation::new("ColumnQuery", 1.0));
        }
        Err(TantivyError::InvalidArgument(format!("document {doc} does not match")))
    }
}

fn meets(column: &Coded, code: u64, op: &Op) -> bool {
    column.found(code).is_ok_and(|found| found.meets(op))
}

/// Which terms of a dictionary meet a comparison, by their numbers.
fn terms(dictionary: &BytesColumn, op: &Op) -> io::Result<Vec<bool>> {
    let mut meeting = vec![false; dictionary.num_terms()];
    let mut mark = |number: u64| {
        if let Some(meets) = meeting.get_mut(number as usize) {
            *meets = true;
        }
    };
    let texts = match op {
        Op::In(values) => values.iter().map(|value| matches!(value, Value::Text(_)).then(|| value.to_text())).collect(),
        _ => None,
    };
    match texts {
        Some::<Vec<String>>(texts) => {
            for sought in texts {
                if let Some(number) = dictionary.dictionary().term_ord(&sought)? {
                    mark(number);
                }
            }
        }
        None => {
            let mut all = dictionary.dictionary().stream()?;
            let mut number = 0;
            while all.advance() {
                if Found::Text(text(all.key().to_vec()).into()).meets(op) {
                    mark(number);
                }
                number += 1;
            }
        }
    }
    Ok(meeting)
}

/// Finds the rows whose code passes a test.
fn scan(column: &Coded, rows: DocId, test: impl Fn(u64) -> bool, found: &mut BitSet) {
    let mut docs = Vec::with_capacity(BLOCK);
    let mut codes = Vec::with_capacity(BLOCK);
    for start in (0..rows).step_by(BLOCK) {
        docs.clear();
        docs.extend(start..rows.min(start + BLOCK as DocId));
        codes.clear();
        codes.resize(docs.len(), None);
        column.codes.first_vals(&docs, &mut codes);
        for (doc, code) in docs.iter().zip(&codes) {
            if code.is_some_and(&test) {
                found.insert(*doc);
            }
        }
    }
}
