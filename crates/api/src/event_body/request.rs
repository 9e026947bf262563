//! The request that an event happened in.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::frame::text;

/// A request over HTTP.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestData {
    pub(crate) method: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) fragment: Option<String>,
    /// The body: text or whatever the SDK made of it.
    pub(crate) data: Option<Value>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) cookies: Vec<(String, String)>,
    #[schema(value_type = Option<Object>)]
    pub(crate) env: Option<Value>,
    /// Media type of the body, from the headers.
    pub(crate) inferred_content_type: Option<String>,
    /// `rest` or `graphql`, when the SDK says so.
    pub(crate) api_target: Option<String>,
}

impl RequestData {
    pub(crate) fn read(value: &Value) -> Self {
        let headers = pairs(value.get("headers"));
        let content_type = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let inferred = content_type.map(|(_, text)| text.split(';').next().unwrap_or(text).trim().to_owned());
        Self {
            method: text(value, "method"),
            url: text(value, "url"),
            query: pairs(value.get("query_string")),
            fragment: text(value, "fragment"),
            data: value.get("data").cloned(),
            inferred_content_type: text(value, "inferred_content_type").or(inferred),
            headers,
            cookies: pairs(value.get("cookies")),
            env: value.get("env").filter(|env| !env.as_object().is_some_and(Map::is_empty)).cloned(),
            api_target: text(value, "api_target"),
        }
    }
}

/// A list of pairs; a part that is not text is shown as JSON, a pair without a value as empty.
fn pairs(value: Option<&Value>) -> Vec<(String, String)> {
    let shown = |part: Option<&Value>| match part {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(other) => other.to_string(),
    };
    let list = value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().map(|pair| (shown(pair.get(0)), shown(pair.get(1)))).collect()
}
