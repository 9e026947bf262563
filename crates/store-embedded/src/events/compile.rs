//! Search AST to queries of the index. The meaning is that of `nuthatch_query::matches`.

use std::{ops::Bound, sync::Arc};

use nuthatch_protocol::{ProjectId, Timestamp};
use nuthatch_query::{
    Column, Expr, Field, Op, Pattern, Term as Condition, Text, Value,
    matches::{id_of, value_matches},
    words::folded,
};
use nuthatch_store::events::EventQuery;
use tantivy::{
    Term,
    query::{AllQuery, BooleanQuery, EmptyQuery, Occur, Query, RangeQuery, RegexPhraseQuery, TermQuery, TermSetQuery},
    schema::IndexRecordOption,
};

use super::{
    dictionary::{DictionaryQuery, PhraseQuery},
    schema::{Fields, key_text, marker, pair, pair_prefix},
};

type BoxQuery = Box<dyn Query>;

/// The query for one partition; its bounds in time are left out where all of the partition lies within them.
pub(super) fn compile(query: &EventQuery, partition: &std::ops::Range<Timestamp>) -> BoxQuery {
    let fields = Fields::get();
    let mut parts = Vec::new();
    parts.push(match &query.hashes {
        Some(hashes) => {
            let of = |project: &ProjectId| {
                let project = *project;
                hashes.iter().map(move |hash| fields.hash_term(project, *hash))
            };
            any_term(query.projects.iter().flat_map(of).collect())
        }
        None => {
            any_term(query.projects.iter().map(|project| Term::from_field_u64(fields.project, project.0)).collect())
        }
    });
    if query.from.is_some_and(|from| from > partition.start) || query.until.is_some_and(|until| until < partition.end) {
        let from = query.from.map_or(Bound::Unbounded, Bound::Included);
        parts.push(times(from, query.until.map_or(Bound::Unbounded, Bound::Excluded)));
    }
    let compiler = Compiler { fields, projects: &query.projects };
    parts.push(compiler.expr(&query.filter));
    all(parts)
}

fn times(from: Bound<Timestamp>, until: Bound<Timestamp>) -> BoxQuery {
    let term = |time: Timestamp| Term::from_field_i64(Fields::get().time, time.0);
    Box::new(RangeQuery::new(from.map(term), until.map(term)))
}

fn all(mut parts: Vec<BoxQuery>) -> BoxQuery {
    match parts.len() {
        0 => Box::new(AllQuery),
        1 => parts.remove(0),
        _ => Box::new(BooleanQuery::intersection(parts)),
    }
}

fn any(mut parts: Vec<BoxQuery>) -> BoxQuery {
    match parts.len() {
        0 => Box::new(EmptyQuery),
        1 => parts.remove(0),
        _ => Box::new(BooleanQuery::union(parts)),
    }
}

fn not(query: BoxQuery) -> BoxQuery {
    Box::new(BooleanQuery::new(vec![(Occur::Must, Box::new(AllQuery)), (Occur::MustNot, query)]))
}

fn any_term(mut terms: Vec<Term>) -> BoxQuery {
    match terms.len() {
        0 => Box::new(EmptyQuery),
        1 => Box::new(TermQuery::new(terms.remove(0), IndexRecordOption::Basic)),
        _ => Box::new(TermSetQuery::new(terms)),
    }
}

struct Compiler<'a> {
    fields: &'static Fields,
    projects: &'a [ProjectId],
}

impl Compiler<'_> {
    fn expr(&self, expr: &Expr) -> BoxQuery {
        match expr {
            Expr::And(parts) => all(parts.iter().map(|part| self.expr(part)).collect()),
            Expr::Or(parts) => any(parts.iter().map(|part| self.expr(part)).collect()),
            Expr::Not(part) => not(self.expr(part)),
            Expr::Term(condition) => self.condition(condition),
        }
    }

    fn condition(&self, condition: &Condition) -> BoxQuery {
        let op = &condition.op;
        match Field::named(&condition.key) {
            Field::Texts(texts) => any(texts.iter().map(|text| self.text(*text, op)).collect()),
            Field::Value(column) => self.column(column, op),
            Field::Tag(key) if *op == Op::Exists => {
                any_term(vec![Term::from_field_text(self.fields.tag_key, &key_text(key))])
            }
            Field::Tag(key) => value(self.fields.tag, key, op),
            Field::Time => time(op),
            Field::Id => self.id(op),
        }
    }

    fn text(&self, text: Text, op: &Op) -> BoxQuery {
        match op {
            Op::Exists => any_term(vec![Term::from_field_text(self.fields.value, marker(text))]),
            Op::Contains(sought) => self.contains(text, sought),
            Op::In(values) => any(values.iter().map(|value| self.contains(text, &value.to_text())).collect()),
            Op::Like(pattern) => {
                all(Pattern::new(pattern).pieces().iter().map(|piece| self.contains(text, piece)).collect())
            }
            Op::Lt(_) | Op::Le(_) | Op::Gt(_) | Op::Ge(_) => Box::new(EmptyQuery),
        }
    }

    /// Words in order: the first may be the end of a word, the last the beginning of one.
    fn contains(&self, text: Text, sought: &str) -> BoxQuery {
        let field = self.fields.text(text);
        let mut words = folded(sought);
        match words.len() {
            0 => Box::new(AllQuery),
            1 => {
                let word = words.remove(0);
                Box::new(DictionaryQuery {
                    field,
                    prefix: Vec::new(),
                    test: Arc::new(move |term| term.contains(&word)),
                })
            }
            count => {
                // Words hold nothing that means something in a regular expression.
                words[0].insert_str(0, ".*");
                words[count - 1].push_str(".*");
                let mut phrase = RegexPhraseQuery::new(field, words);
                phrase.set_max_expansions(u32::MAX);
                Box::new(PhraseQuery(phrase))
            }
        }
    }

    fn column(&self, column: Column, op: &Op) -> BoxQuery {
        if *op == Op::Exists {
            return any_term(vec![Term::from_field_text(self.fields.value, column.name())]);
        }
        value(self.fields.value, column.name(), op)
    }

    fn id(&self, op: &Op) -> BoxQuery {
        match op {
            Op::Exists => Box::new(AllQuery),
            Op::In(values) => {
                let ids = values.iter().filter_map(id_of);
                any_term(
                    ids.flat_map(|id| self.projects.iter().map(move |project| self.fields.key_term(*project, id)))
                        .collect(),
                )
            }
            _ => Box::new(EmptyQuery),
        }
    }
}

fn value(field: tantivy::schema::Field, key: &str, op: &Op) -> BoxQuery {
    if let Op::In(values) = op {
        let term = |value: &Value| match value {
            Value::Text(text) => Some(Term::from_field_text(field, &pair(key, text))),
            Value::Number(_) | Value::Time(_) => None,
        };
        if let Some(terms) = values.iter().map(term).collect() {
            return any_term(terms);
        }
    }
    let test: Arc<dyn Fn(&str) -> bool + Send + Sync> = match op.clone() {
        Op::Like(pattern) => {
            let pattern = Pattern::new(&pattern);
            Arc::new(move |value| pattern.matches(value))
        }
        op => Arc::new(move |value| value_matches(&op, value)),
    };
    Box::new(DictionaryQuery { field, prefix: pair_prefix(key).into_bytes(), test })
}

fn time(op: &Op) -> BoxQuery {
    let bound = |value: &Value, make: fn(Timestamp) -> (Bound<Timestamp>, Bound<Timestamp>)| match value {
        Value::Time(time) => {
            let (from, until) = make(*time);
            times(from, until)
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
