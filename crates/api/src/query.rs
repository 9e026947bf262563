//! Parameters of the query string and bodies of requests. Unknown parameters are ignored (`reference/web-api.md` §0.10).

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
};
use http::{StatusCode, request::Parts};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value};
use tokio::time::timeout;
use url::form_urlencoded;
use utoipa::IntoParams;

use crate::{Api, error::ApiError};

/// How long a body may take to come: also a stranger may send one before it is known who asks.
const BODY_WAIT: Duration = Duration::from_secs(30);

/// Largest body of a request, in bytes.
pub(crate) const BODY_MAX_BYTES: usize = 1 << 20;

/// The parameters of the query string that a type knows. Every parameter is a list of texts; [`single`] takes the last.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let mut lists: Map<String, Value> = Map::new();
        for (key, value) in form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            let list = lists.entry(key).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(values) = list {
                values.push(Value::from(value));
            }
        }
        let parameters = serde_json::from_value(Value::Object(lists));
        parameters.map(Self).map_err(|error| ApiError::Invalid(format!("query parameters: {error}")))
    }
}

/// The last of a parameter's values.
pub(crate) fn single<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Vec::<String>::deserialize(deserializer).map(|mut values| values.pop())
}

/// A member of a body whose null (none) is not its absence (leave).
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A member of a body whose null is its absence.
pub(crate) fn or_default<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Which page of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// A cursor that the list gave before; empty: the first page.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<String>)]
    pub(crate) cursor: Option<String>,
    /// Rows on a page, at most 100.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<u32>)]
    pub(crate) per_page: Option<String>,
    /// The same, as older clients call it.
    #[serde(deserialize_with = "single")]
    #[param(value_type = Option<u32>)]
    pub(crate) limit: Option<String>,
}

impl Paging {
    /// Rows on the page.
    pub(crate) fn rows(&self) -> Result<usize, ApiError> {
        crate::page::per_page(self.per_page.as_deref().or(self.limit.as_deref()))
    }
}

/// Reads a body within [`BODY_WAIT`]. `most` is its bound in bytes, for the words of a refusal.
pub(crate) async fn read_body(request: Request, api: &Api, most: usize) -> Result<Bytes, ApiError> {
    let read = timeout(BODY_WAIT, Bytes::from_request(request, api)).await.map_err(|_| ApiError::BodyTimeout)?;
    read.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge(most),
        _ => ApiError::Invalid(error.to_string()),
    })
}

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Api> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Api) -> Result<Self, ApiError> {
        let bytes = read_body(request, api, BODY_MAX_BYTES).await?;
        let body = if bytes.is_empty() { &b"{}"[..] } else { &bytes };
        let body = serde_json::from_slice(body).map_err(|error| ApiError::Invalid(format!("body: {error}")))?;
        read(body).map(Self)
    }
}

/// Reads a body; names the member that is not as it should be, where that is known.
fn read<T: DeserializeOwned>(body: Value) -> Result<T, ApiError> {
    if !body.is_object() {
        return Err(ApiError::Invalid("body: expected an object".to_owned()));
    }
    serde_path_to_error::deserialize(body).map_err(|error| {
        let (path, message) = (error.path().to_string(), expected(&error.inner().to_string()));
        // Of members that several types share it is not known.
        if path == "." {
            return ApiError::Invalid(format!("body: {message}"));
        }
        ApiError::InvalidFields(BTreeMap::from([(path, message)]))
    })
}

/// What is wrong with a value, without the names of our types.
fn expected(message: &str) -> String {
    if message.starts_with("data did not match any variant") {
        return "is of none of the types that it may have".to_owned();
    }
    match message.split_once(", expected struct ") {
        Some((wrong, _)) => format!("{wrong}, expected an object"),
        None => message.to_owned(),
    }
}

/// The address of the client, as the server's socket sees it.
pub(crate) struct ClientAddress(pub(crate) std::net::IpAddr);

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<axum::extract::ConnectInfo<std::net::SocketAddr>>();
        Ok(Self(peer.map_or(std::net::Ipv4Addr::UNSPECIFIED.into(), |peer| peer.0.ip())))
    }
}
