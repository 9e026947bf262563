//! The parts of queries that all layouts share: combinations, terms, words of texts, times.

use std::{ops::Bound, sync::Arc};

use nuthatch_protocol::Timestamp;
use nuthatch_query::{Expr, Op, Pattern, Term as Condition, Value, words::folded};
use tantivy::{
    Term,
    query::{AllQuery, BooleanQuery, EmptyQuery, Occur, Query, RangeQuery, RegexPhraseQuery, TermQuery, TermSetQuery},
    schema::{Field, IndexRecordOption},
};

use super::dictionary::{DictionaryQuery, PhraseQuery};

/// Most different words of an index that the ends of a phrase may stand for. Each takes memory while the search runs.
pub(super) const EXPANSIONS_MAX: u32 = 50_000;
/// How the library says that they are more.
pub(super) const TOO_MANY_EXPANSIONS: &str = "max expansions";

pub(crate) type BoxQuery = Box<dyn Query>;

/// The query for an expression; `condition` compiles what it is made of.
pub(crate) fn expr(expression: &Expr, condition: &dyn Fn(&Condition) -> BoxQuery) -> BoxQuery {
    match expression {
        Expr::And(parts) => all(parts.iter().map(|part| expr(part, condition)).collect()),
        Expr::Or(parts) => any(parts.iter().map(|part| expr(part, condition)).collect()),
        Expr::Not(part) => not(expr(part, condition)),
        Expr::Term(term) => condition(term),
    }
}

pub(crate) fn all(mut parts: Vec<BoxQuery>) -> BoxQuery {
    parts.retain(|part| !part.is::<AllQuery>());
    match parts.len() {
        0 => Box::new(AllQuery),
        1 => parts.remove(0),
        _ => Box::new(BooleanQuery::intersection(parts)),
    }
}

pub(crate) fn any(mut parts: Vec<BoxQuery>) -> BoxQuery {
    match parts.len() {
        0 => Box::new(EmptyQuery),
        1 => parts.remove(0),
        _ => Box::new(BooleanQuery::union(parts)),
    }
}

fn not(query: BoxQuery) -> BoxQuery {
    Box::new(BooleanQuery::new(vec![(Occur::Must, Box::new(AllQuery)), (Occur::MustNot, query)]))
}

/// Rows with one of these terms.
pub(crate) fn any_term(mut terms: Vec<Term>) -> BoxQuery {
    match terms.len() {
        0 => Box::new(EmptyQuery),
        1 => Box::new(TermQuery::new(terms.remove(0), IndexRecordOption::Basic)),
        _ => Box::new(TermSetQuery::new(terms)),
    }
}

/// A condition on a text that is searched by words; `exists` finds the rows that have one.
pub(crate) fn text(field: Field, op: &Op, exists: impl FnOnce() -> BoxQuery) -> BoxQuery {
    match op {
        Op::Exists => exists(),
        Op::Contains(sought) => contains(field, sought),
        Op::In(values) => any(values.iter().map(|value| contains(field, &value.to_text())).collect()),
        Op::Like(pattern) => all(Pattern::new(pattern).pieces().iter().map(|piece| contains(field, piece)).collect()),
        Op::Lt(_) | Op::Le(_) | Op::Gt(_) | Op::Ge(_) => Box::new(EmptyQuery),
    }
}

/// Words in order: the first may be the end of a word, the last the beginning of one.
fn contains(field: Field, sought: &str) -> BoxQuery {
    let mut words = folded(sought);
    match words.len() {
        0 => Box::new(AllQuery),
        1 => {
            let word = words.remove(0);
            let test = Arc::new(move |term: &str| term.contains(&word));
            Box::new(DictionaryQuery { field, prefix: Vec::new(), test })
        }
        count => {
            // Words hold nothing that means something in a regular expression.
            words[0].insert_str(0, ".*");
            words[count - 1].push_str(".*");
            let mut phrase = RegexPhraseQuery::new(field, words);
            phrase.set_max_expansions(EXPANSIONS_MAX);
            Box::new(PhraseQuery(phrase))
        }
    }
}

/// Rows between two times.
pub(crate) fn times(field: Field, from: Bound<Timestamp>, until: Bound<Timestamp>) -> BoxQuery {
    let term = |time: Timestamp| Term::from_field_i64(field, time.0);
    Box::new(RangeQuery::new(from.map(term), until.map(term)))
}

/// A condition on the time.
pub(crate) fn time(field: Field, op: &Op) -> BoxQuery {
    let bound = |value: &Value, make: fn(Timestamp) -> (Bound<Timestamp>, Bound<Timestamp>)| match value {
        Value::Time(time) => {
            let (from, until) = make(*time);
            times(field, from, until)
        }
        Value::Text(_) | Value::Number(_) => Box::new(EmptyQuery),
    };
    match op {
        Op::Exists => Box::new(AllQuery),
        Op::In(values) => any(values
            .iter()
            .map(|value| bound(value, |time| (Bound::Included(time), Bound::Included(time))))
            .collect()),
        Op::Lt(value) => bound(value, |time| (Bound::Unbounded, Bound::Excluded(time))),
        Op::Le(value) => bound(value, |time| (Bound::Unbounded, Bound::Included(time))),
        Op::Gt(value) => bound(value, |time| (Bound::Excluded(time), Bound::Unbounded)),
        Op::Ge(value) => bound(value, |time| (Bound::Included(time), Bound::Unbounded)),
        Op::Like(_) | Op::Contains(_) => Box::new(EmptyQuery),
    }
}

/// The bounds of a time range that a partition does not lie within anyway.
pub(crate) fn within(
    field: Field,
    (from, until): (Option<Timestamp>, Option<Timestamp>),
    partition: &std::ops::Range<Timestamp>,
) -> Option<BoxQuery> {
    let cuts = from.is_some_and(|from| from > partition.start) || until.is_some_and(|until| until < partition.end);
    let from = from.map_or(Bound::Unbounded, Bound::Included);
    cuts.then(|| times(field, from, until.map_or(Bound::Unbounded, Bound::Excluded)))
}
