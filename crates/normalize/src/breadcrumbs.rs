//! Breadcrumbs: what happened before (`reference/ingest-protocol.md` §11.6).

use serde_json::{Map, Value};

use crate::{
    meta::{Meta, Path},
    shape::{self, Ends, Field, Shape},
    time::Shift,
    trim::{Bag, Limit},
};

/// SDKs keep a hundred unless told otherwise. The newest are last.
const NEWEST: Ends = Ends { first: 0, last: 1000 };

const BREADCRUMB: &[Field] = &[
    ("category", Shape::Text(Limit::new(128))),
    ("data", Shape::Object(Bag { depth: 5, bytes: 2 << 10 })),
    ("event_id", Shape::Uuid),
    ("level", Shape::Level),
    ("message", Shape::Json(Limit::with_allowance(8192, 200))),
    ("timestamp", Shape::Time),
    ("type", Shape::Text(Limit::new(128))),
];

/// Their times move with the event's, so that the order of things stays true.
pub(crate) fn normalize(event: &mut Map<String, Value>, shift: Shift, meta: &mut Meta) {
    let Some(value) = event.get_mut("breadcrumbs") else { return };
    shape::value_list(value, NEWEST, &Path::top("breadcrumbs"), meta, |map, at, meta| {
        shape::fields(map, BREADCRUMB, at, meta);
        if map.is_empty() {
            return false;
        }
        shift.apply(map, "timestamp", at, meta);
        map.entry("type").or_insert_with(|| "default".into());
        map.entry("level").or_insert_with(|| "info".into());
        true
    });
}
