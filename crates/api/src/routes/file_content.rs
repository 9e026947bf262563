//! The bytes of a file. They come from strangers, so nothing a browser is told lets them run in the page's origin: they
//! are to be saved, never taken for something else, and without rights where they are shown all the same.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use nuthatch_protocol::media_type;
use nuthatch_store::files::File;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{Api, error::ApiError};

/// Media types that are said as the client gave them: what the page shows, and what no browser runs.
const SHOWN_TYPES: [&str; 6] = ["image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "application/json"];

/// What a file is that could be anything.
const ANY_TYPE: &str = "application/octet-stream";

/// What may stand as it is in an extended parameter of a header (RFC 8187 §3.2.1).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

/// The answer that brings a file.
pub(super) async fn content(api: &Api, file: &File) -> Result<Response, ApiError> {
    let head = &file.head;
    let (body, bytes) = match head.blob_key() {
        Some(key) => {
            let blob = api.blobs.open(key).await?.ok_or(ApiError::NotFound("file"))?;
            (Body::from_stream(blob.pieces), blob.bytes)
        }
        None => {
            let content = api.meta.file_content(file.id).await?.ok_or(ApiError::NotFound("file"))?;
            let bytes = content.len() as u64;
            (Body::from(content), bytes)
        }
    };
    let said = media_type(&head.content_type);
    let media_type = SHOWN_TYPES.into_iter().find(|shown| *shown == said);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type.unwrap_or(ANY_TYPE))),
        (header::CONTENT_LENGTH, HeaderValue::from(bytes)),
        (header::CONTENT_DISPOSITION, disposition(&head.name)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, body).into_response())
}

/// Says that a file is to be saved, and under which name: once in plain ASCII and once with every character.
fn disposition(name: &str) -> HeaderValue {
    let name: String = name.chars().map(|c| if c.is_control() || matches!(c, '/' | '\\') { '_' } else { c }).collect();
    let is_plain = |c: char| c == ' ' || (c.is_ascii_graphic() && !matches!(c, '"' | '%' | ';'));
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let text = format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(&name, ENCODED));
    // Visible ASCII and spaces only.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_a_name() {
        for (name, header) in [
            ("a b.txt", "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt"),
            ("../../etc/passwd", "attachment; filename=\".._.._etc_passwd\"; filename*=UTF-8''.._.._etc_passwd"),
            (
                "a\"; x=\"\r\nSet-Cookie: a",
                "attachment; filename=\"a__ x=___Set-Cookie: a\"; filename*=UTF-8''a%22%3B%20x%3D%22__Set-Cookie%3A%20a",
            ),
            ("ö.png", "attachment; filename=\"_.png\"; filename*=UTF-8''%C3%B6.png"),
            ("", "attachment; filename=\"\"; filename*=UTF-8''"),
        ] {
            assert_eq!(disposition(name), header, "{name:?}");
        }
    }
}
