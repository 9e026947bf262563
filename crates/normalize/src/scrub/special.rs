//! Cases of their own (`reference/ingest-protocol.md` §13.7).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    place::Place,
    rule::{FILTERED, Kind, Redaction, Rule},
    walk::keys,
};
use crate::meta::Meta;

/// What remarks call the rule for variables of GraphQL.
pub(super) const GRAPHQL: &str = "@graphql:filter";

/// The variables of a GraphQL request are the users' input, and its response repeats them.
pub(super) fn graphql(event: &mut Map<String, Value>, filter: &mut dyn FnMut(&Place<'_>, &mut Value, &Rule)) {
    let request = event.get_mut("request").and_then(Value::as_object_mut);
    let Some(request) = request.filter(|request| request.get("api_target").is_some_and(|target| target == "graphql"))
    else {
        return;
    };
    let rule = |redaction| Rule { id: GRAPHQL.into(), kind: Kind::Anything, redaction };
    let (replace, remove) = (rule(Redaction::Replace(FILTERED.into())), rule(Redaction::Remove));
    let root = Place::root();
    let request_at = root.name("request", &Value::Null);
    let data_at = request_at.name("data", &Value::Null);
    let mut names = BTreeSet::new();
    // Which of the operations tell by their variables what is about people.
    let mut told = Vec::new();
    if let Some(data) = request.get_mut("data") {
        each_operation(data, &data_at, &mut |operation, at| {
            let variables = operation.get_mut("variables").and_then(Value::as_object_mut);
            told.push(variables.as_ref().is_some_and(|variables| !variables.is_empty()));
            let Some(variables) = variables else { return };
            let at = at.name("variables", &Value::Null);
            for (name, value) in variables.iter_mut() {
                names.insert(name.clone());
                filter(&at.name(name, &Value::Null), value, &replace);
            }
        });
    }
    let Some(Value::Object(response)) = event.get_mut("contexts").and_then(|contexts| contexts.get_mut("response"))
    else {
        return;
    };
    let contexts = root.name("contexts", &Value::Null);
    let response_at = contexts.name("response", &Value::Null);
    let body_at = response_at.name("data", &Value::Null);
    let Some(body) = response.get_mut("data") else { return };
    let answers = body.as_array().map_or(1, Vec::len);
    let is_told = told.contains(&true) && (answers == told.len() || !told.contains(&false));
    if !is_told {
        filter(&body_at, body, &remove);
        response.remove("data");
        return;
    }
    let mut told = told.into_iter();
    each_operation(body, &body_at, &mut |operation, at| {
        if told.next() == Some(false) {
            filter(at, operation, &remove);
            *operation = Value::Null;
            return;
        }
        let at = at.name("data", &Value::Null);
        if let Some(data) = operation.get_mut("data") {
            filter_named(data, &names, &at, &mut |place, value| filter(place, value, &replace));
        }
    });
}

/// A body holds one operation, or a list of several.
fn each_operation(body: &mut Value, place: &Place<'_>, look: &mut dyn FnMut(&mut Value, &Place<'_>)) {
    match body {
        Value::Array(operations) => {
            for (index, operation) in operations.iter_mut().enumerate() {
                look(operation, &place.index(index, &Value::Null));
            }
        }
        one => look(one, place),
    }
}

fn filter_named(
    value: &mut Value,
    names: &BTreeSet<String>,
    place: &Place<'_>,
    filter: &mut dyn FnMut(&Place<'_>, &mut Value),
) {
    match value {
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                let below = place.name(name, &Value::Null);
                if names.contains(name) {
                    filter(&below, value);
                } else {
                    filter_named(value, names, &below, filter);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                filter_named(item, names, &place.index(index, &Value::Null), filter);
            }
        }
        _ => {}
    }
}

/// A hash where the user's address was still tells users apart, so it becomes the user's id if there is no other.
pub(super) fn hashed_address(event: &mut Map<String, Value>, meta: &mut Meta) {
    let address = keys(&["user", "ip_address"]);
    let is_hash = |remark: &Value| remark.get(1).is_some_and(|letter| letter == "p");
    let hashed =
        meta.peek(&address).and_then(|node| node.get("rem")?.as_array()).is_some_and(|all| all.iter().any(is_hash));
    let Some(Value::Object(user)) = event.get_mut("user") else { return };
    if !hashed || ["id", "username", "email"].iter().any(|key| user.contains_key(*key)) {
        return;
    }
    if let Some(hash) = user.remove("ip_address") {
        user.insert("id".to_owned(), hash);
        if let Some(node) = meta.cut(&address)
            && let Some(id) = meta.at(&keys(&["user", "id"]), 1)
        {
            *id = node;
        }
    }
}
