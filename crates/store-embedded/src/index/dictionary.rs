//! Conditions whose rows are found at once, before they are combined with others: one that is tested on each different
//! value in an index instead of on each row, and phrases.

use std::{fmt, sync::Arc};

use tantivy::{
    BitSet, DocId, DocSet, Score, SegmentReader, TERMINATED, TantivyError,
    query::{BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, RegexPhraseQuery, Scorer, Weight},
    schema::{Field, IndexRecordOption},
};

/// Rows with a term that begins with `prefix` and whose rest passes a test.
#[derive(Clone)]
pub(crate) struct DictionaryQuery {
    pub(crate) field: Field,
    pub(crate) prefix: Vec<u8>,
    pub(crate) test: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

impl fmt::Debug for DictionaryQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DictionaryQuery")
            .field("field", &self.field)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl Query for DictionaryQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for DictionaryQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let index = reader.inverted_index(self.field)?;
        let mut found = BitSet::with_max_value(reader.max_doc());
        let mut terms = index.terms().range().ge(&self.prefix).into_stream()?;
        while terms.advance() {
            let Some(rest) = terms.key().strip_prefix(self.prefix.as_slice()) else { break };
            if !std::str::from_utf8(rest).is_ok_and(|rest| (self.test)(rest)) {
                continue;
            }
            let mut postings = index.read_block_postings_from_terminfo(terms.value(), IndexRecordOption::Basic)?;
            while !postings.docs().is_empty() {
                for doc in postings.docs() {
                    found.insert(*doc);
                }
                postings.advance();
            }
        }
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(found), boost)))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        if self.scorer(reader, 1.0)?.seek(doc) == doc {
            return Ok(Explanation::new("DictionaryQuery", 1.0));
        }
        Err(TantivyError::InvalidArgument(format!("document {doc} does not match")))
    }
}

/// Rows with a phrase. The library's own scorer of phrases must not be asked for a row in front of the one it is at,
/// which exclusions (`Not`) do: tantivy 0.27, an assertion in debug builds.
#[derive(Debug, Clone)]
pub(crate) struct PhraseQuery(pub(crate) RegexPhraseQuery);

impl Query for PhraseQuery {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(PhraseWeight(self.0.weight(scoring)?)))
    }
}

struct PhraseWeight(Box<dyn Weight>);

impl Weight for PhraseWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut found = BitSet::with_max_value(reader.max_doc());
        let mut rows = self.0.scorer(reader, boost)?;
        while rows.doc() != TERMINATED {
            found.insert(rows.doc());
            rows.advance();
        }
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(found), boost)))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        self.0.explain(reader, doc)
    }
}
