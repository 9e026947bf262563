//! The answer that an application gave: read as its request is.

use serde_json::{Map, Value};

use crate::{
    http::{self, Side},
    meta::{Meta, Path},
    shape::{self, Field, Shape},
};

const FIELDS: &[Field] = &[("body_size", Shape::Integer), ("status_code", Shape::Integer)];

pub(super) fn normalize(map: &mut Map<String, Value>, at: &Path<'_>, meta: &mut Meta) {
    shape::listed(map, FIELDS, at, meta);
    http::normalize(map, Side::Response, at, meta);
}
