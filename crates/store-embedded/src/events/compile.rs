//! Search AST to queries of the index. The meaning is that of `nuthatch_query::matches`.

use std::sync::Arc;

use nuthatch_protocol::{ProjectId, Timestamp};
use nuthatch_query::{
    Column, Field, Op, Pattern, Term as Condition, Text, Value,
    row::{id_of, text_matches},
};
use nuthatch_store::events::EventQuery;
use tantivy::{
    Term,
    query::{AllQuery, EmptyQuery},
};

use super::schema::{Fields, key_text, marker, pair, pair_prefix};
use crate::index::{
    compile::{self, BoxQuery, all, any, any_term},
    dictionary::DictionaryQuery,
};

/// The query for one partition; its bounds in time are left out where all of the partition lies within them.
pub(super) fn compile(query: &EventQuery, partition: &std::ops::Range<Timestamp>) -> BoxQuery {
    let fields = Fields::get();
    let mut parts = Vec::new();
    parts.push(match &query.hashes {
        Some(hashes) => {
            let asked = hashes.iter().filter(|(project, _)| query.projects.contains(project));
            any_term(asked.map(|(project, hash)| fields.hash_term(*project, *hash)).collect())
        }
        None => {
            any_term(query.projects.iter().map(|project| Term::from_field_u64(fields.project, project.0)).collect())
        }
    });
    parts.extend(compile::within(fields.time, (query.from, query.until), partition));
    let compiler = Compiler { fields, projects: &query.projects };
    parts.push(compile::expr(&query.filter, &|condition| compiler.condition(condition)));
    all(parts)
}

struct Compiler<'a> {
    fields: &'static Fields,
    projects: &'a [ProjectId],
}

impl Compiler<'_> {
    fn condition(&self, condition: &Condition) -> BoxQuery {
        let op = &condition.op;
        match Field::named(&condition.key) {
            Field::Texts(texts) => any(texts.iter().map(|text| self.text(*text, op)).collect()),
            Field::Value(column) => self.column(column, op),
            Field::Tag(key) if *op == Op::Exists => {
                any_term(vec![Term::from_field_text(self.fields.tag_key, &key_text(key))])
            }
            Field::Tag(key) => value(self.fields.tag, key, op),
            Field::Time => compile::time(self.fields.time, op),
            Field::Id => self.id(op),
        }
    }

    fn text(&self, text: Text, op: &Op) -> BoxQuery {
        let exists = || any_term(vec![Term::from_field_text(self.fields.value, marker(text))]);
        compile::text(self.fields.text(text), op, exists)
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
        op => Arc::new(move |value| text_matches(&op, value)),
    };
    Box::new(DictionaryQuery { field, prefix: pair_prefix(key).into_bytes(), test })
}
