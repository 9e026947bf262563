//! The messages of OTLP as far as they are mapped, in both encodings. Lists of entries are left as bytes, so that no
//! more than one entry is unfolded at a time: a few bytes on the wire can stand for hundreds in memory. Fields that are
//! not mapped are passed over.

use bytes::Bytes;
use prost::{Message, Oneof};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::value::RawValue;

/// How a request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Protobuf,
    Json,
}

impl Encoding {
    /// Reads one message; an error says what is wrong with it.
    pub(super) fn read<M: Message + Default + DeserializeOwned>(self, bytes: &Bytes) -> Result<M, String> {
        match self {
            Self::Protobuf => M::decode(bytes.clone()).map_err(|error| error.to_string()),
            Self::Json => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
        }
    }
}

/// `ExportTraceServiceRequest` or `ExportLogsServiceRequest`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    /// [`OfResource`] each.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    #[serde(alias = "resourceSpans", alias = "resourceLogs", deserialize_with = "pieces")]
    pub(super) resources: Vec<Bytes>,
}

/// `ResourceSpans` or `ResourceLogs`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct OfResource {
    /// [`Resource`]; empty when there is none.
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(deserialize_with = "piece")]
    pub(super) resource: Bytes,
    /// [`OfScope`] each.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    #[serde(alias = "scopeSpans", alias = "scopeLogs", deserialize_with = "pieces")]
    pub(super) scopes: Vec<Bytes>,
}

/// `ScopeSpans` or `ScopeLogs`.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct OfScope {
    /// [`Scope`]; empty when there is none.
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(deserialize_with = "piece")]
    pub(super) scope: Bytes,
    /// [`Span`] or [`LogRecord`] each.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    #[serde(alias = "spans", alias = "logRecords", deserialize_with = "pieces")]
    pub(super) entries: Vec<Bytes>,
}

/// What runs.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct Resource {
    #[prost(message, repeated, tag = "1")]
    pub(super) attributes: Vec<KeyValue>,
}

/// The library that watches it.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct Scope {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) version: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "names of the protocol")]
pub(super) struct Span {
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(deserialize_with = "hex")]
    pub(super) trace_id: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(deserialize_with = "hex")]
    pub(super) span_id: Bytes,
    #[prost(bytes = "bytes", tag = "4")]
    #[serde(deserialize_with = "hex")]
    pub(super) parent_span_id: Bytes,
    #[prost(fixed32, tag = "16")]
    pub(super) flags: u32,
    #[prost(string, tag = "5")]
    pub(super) name: String,
    #[prost(int32, tag = "6")]
    pub(super) kind: i32,
    #[prost(fixed64, tag = "7")]
    #[serde(deserialize_with = "number")]
    pub(super) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    #[serde(deserialize_with = "number")]
    pub(super) end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(message, repeated, tag = "11")]
    pub(super) events: Vec<Event>,
    #[prost(message, repeated, tag = "13")]
    pub(super) links: Vec<Link>,
    #[prost(message, optional, tag = "15")]
    pub(super) status: Option<Status>,
}

/// Something that happened during a span.
#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Event {
    #[prost(fixed64, tag = "1")]
    #[serde(deserialize_with = "number")]
    pub(super) time_unix_nano: u64,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Link {
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(deserialize_with = "hex")]
    pub(super) trace_id: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(deserialize_with = "hex")]
    pub(super) span_id: Bytes,
    #[prost(message, repeated, tag = "4")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(fixed32, tag = "6")]
    pub(super) flags: u32,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct Status {
    #[prost(string, tag = "2")]
    pub(super) message: String,
    #[prost(int32, tag = "3")]
    pub(super) code: i32,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct LogRecord {
    #[prost(fixed64, tag = "1")]
    #[serde(deserialize_with = "number")]
    pub(super) time_unix_nano: u64,
    #[prost(fixed64, tag = "11")]
    #[serde(deserialize_with = "number")]
    pub(super) observed_time_unix_nano: u64,
    #[prost(int32, tag = "2")]
    pub(super) severity_number: i32,
    #[prost(string, tag = "3")]
    pub(super) severity_text: String,
    #[prost(message, optional, tag = "5")]
    pub(super) body: Option<AnyValue>,
    #[prost(message, repeated, tag = "6")]
    pub(super) attributes: Vec<KeyValue>,
    #[prost(bytes = "bytes", tag = "9")]
    #[serde(deserialize_with = "hex")]
    pub(super) trace_id: Bytes,
    #[prost(bytes = "bytes", tag = "10")]
    #[serde(deserialize_with = "hex")]
    pub(super) span_id: Bytes,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct KeyValue {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(message, optional, tag = "2")]
    pub(super) value: Option<AnyValue>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct AnyValue {
    #[prost(oneof = "Data", tags = "1, 2, 3, 4, 5, 6, 7")]
    #[serde(flatten)]
    pub(super) data: Option<Data>,
}

#[derive(Clone, PartialEq, Oneof, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::enum_variant_names, reason = "names of the protocol, which JSON spells out")]
pub(super) enum Data {
    #[prost(string, tag = "1")]
    StringValue(String),
    #[prost(bool, tag = "2")]
    BoolValue(bool),
    #[prost(int64, tag = "3")]
    #[serde(deserialize_with = "number")]
    IntValue(i64),
    #[prost(double, tag = "4")]
    DoubleValue(f64),
    #[prost(message, tag = "5")]
    ArrayValue(ArrayValue),
    #[prost(message, tag = "6")]
    KvlistValue(KeyValueList),
    #[prost(bytes = "bytes", tag = "7")]
    #[serde(deserialize_with = "base64")]
    BytesValue(Bytes),
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct ArrayValue {
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<AnyValue>,
}

#[derive(Clone, PartialEq, Message, Deserialize)]
#[serde(default)]
pub(super) struct KeyValueList {
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<KeyValue>,
}

/// `ExportTraceServiceResponse` or `ExportLogsServiceResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Response {
    /// What was not taken; absent when everything was.
    #[prost(message, optional, tag = "1")]
    pub(super) partial_success: Option<PartialSuccess>,
}

/// What of a request was not taken.
#[derive(Clone, PartialEq, Message)]
pub(super) struct PartialSuccess {
    /// How many entries.
    #[prost(int64, tag = "1")]
    pub(super) rejected: i64,
    /// Why, for people.
    #[prost(string, tag = "2")]
    pub(super) error_message: String,
}

/// A part that is left as it is written.
fn piece<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(bytes_of)
}

/// A list whose entries are left as they are written.
fn pieces<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Bytes>, D::Error> {
    let pieces = Vec::<Box<RawValue>>::deserialize(deserializer)?;
    Ok(pieces.into_iter().map(bytes_of).collect())
}

fn bytes_of(piece: Box<RawValue>) -> Bytes {
    Bytes::from(Box::<str>::from(piece).into_string())
}

/// An id. One that is not hex is as good as none.
fn hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8));
    let digits: Vec<u8> = digits.collect::<Option<_>>().unwrap_or_default();
    let bytes = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | digit));
    Ok(bytes.collect())
}

fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let text = String::deserialize(deserializer)?;
    BASE64_STANDARD.decode(text).map(Bytes::from).map_err(D::Error::custom)
}

/// A number of 64 bits, which JSON writes as text.
fn number<'de, D: Deserializer<'de>, N>(deserializer: D) -> Result<N, D::Error>
where
    N: std::str::FromStr<Err: std::fmt::Display> + Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written<N> {
        Number(N),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Number(number) => Ok(number),
        Written::Text(text) => text.parse().map_err(D::Error::custom),
    }
}
