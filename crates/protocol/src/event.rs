//! The canonical event: what `normalize` makes of an SDK's payload, and what is stored and shown.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A canonical event (`reference/ingest-protocol.md` §11, §12): a JSON object in the normal form of every
/// interface. Keys are sorted, so equal events have equal bytes. `_meta` tells what was changed on the way.
///
/// The normal form that readers may rely on (each key absent rather than null or empty):
/// `event_id`, `type` (`error`, `default`, `csp`, …), `level`, `platform`, `timestamp` and `received` (float
/// seconds), `project` (number); `exception`, `threads`, `breadcrumbs` as `{"values": […]}`; `stacktrace` as
/// `{"frames": […]}`, oldest call first; `logentry` with `formatted` and perhaps `message`, `params`; `tags`,
/// `request.headers`, `request.cookies`, `request.query_string` as lists of `[key, value]` pairs; `user`,
/// `contexts`, `extra`, `sdk`, `modules`, `request` as objects; `fingerprint` as a list of strings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Event(pub Map<String, Value>);

impl Event {
    /// The type of feedback.
    pub const FEEDBACK: &str = "userreportv2";

    /// The value at a path of object keys; `None` when it is not there.
    pub fn get(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.0.get(*first)?, |value, key| value.get(*key))
    }

    /// The text at a path of object keys; `None` when it is not there or not text.
    pub fn text(&self, path: &[&str]) -> Option<&str> {
        self.get(path)?.as_str()
    }

    /// The entries of an interface that is a list of values: `exception`, `threads`, `breadcrumbs`.
    pub fn values(&self, interface: &str) -> &[Value] {
        self.get(&[interface, "values"]).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The tags, in order, without those that have no value.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.get("tags").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        pairs.iter().filter_map(|pair| Some((pair.get(0)?.as_str()?, pair.get(1)?.as_str()?)))
    }

    /// Whether people wrote it, not a program (`reference/ingest-protocol.md` §7.1).
    pub fn is_feedback(&self) -> bool {
        self.text(&["type"]) == Some(Self::FEEDBACK)
    }

    /// Canonical JSON: sorted keys, no white space.
    pub fn to_json(&self) -> Vec<u8> {
        // A map with text keys and finite numbers always serialises.
        serde_json::to_vec(&self.0).unwrap_or_default()
    }
}
