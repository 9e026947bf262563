//! Bodies of several parts (RFC 7578), taken apart within bounds.

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, header};
use multer::Multipart;

use crate::refusal::Refusal;

/// Most parts of a body. Crash reporters send a few files and up to a hundred fields.
const PARTS_MAX: usize = 1000;

/// How much of a body is handed to the parser at once, in bytes; others get their turn in between.
const PIECE_BYTES: usize = 256 << 10;

/// One part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Name of the form field; empty when it has none.
    pub(crate) name: String,
    /// Name of the file; fields of a form have none.
    pub(crate) filename: Option<String>,
    /// Media type, if it says one.
    pub(crate) content_type: Option<String>,
    /// The content.
    pub(crate) bytes: Bytes,
}

/// The boundary that a content type names.
pub(crate) fn boundary(headers: &HeaderMap) -> Result<String, Refusal> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    multer::parse_boundary(content_type).map_err(|error| refused(&error))
}

/// The boundary that a body without headers starts with, if it is one of several parts.
pub(crate) fn boundary_of(body: &[u8]) -> Option<&str> {
    let line = body.split(|byte| *byte == b'\n').next()?;
    let boundary = line.strip_prefix(b"--")?.trim_ascii_end();
    // As long as RFC 2046 allows.
    str::from_utf8(boundary).ok().filter(|boundary| (1..=70).contains(&boundary.len()))
}

/// Takes a body apart.
pub(crate) async fn parse(body: &Bytes, boundary: &str) -> Result<Vec<Part>, Refusal> {
    let starts = (0..body.len()).step_by(PIECE_BYTES);
    let pieces: Vec<Bytes> = starts.map(|start| body.slice(start..body.len().min(start + PIECE_BYTES))).collect();
    let pieces = stream::iter(pieces.into_iter().enumerate()).then(|(index, piece)| async move {
        // The parser wants the first boundary at once.
        if index > 0 {
            tokio::task::yield_now().await;
        }
        Ok::<_, std::convert::Infallible>(piece)
    });
    let mut multipart = Multipart::new(pieces, boundary);
    let mut parts = Vec::new();
    while let Some(mut field) = multipart.next_field().await.map_err(|error| refused(&error))? {
        if parts.len() == PARTS_MAX {
            return Err(Refusal::Multipart(format!("more than {PARTS_MAX} parts")));
        }
        let name = field.name().unwrap_or_default().to_owned();
        let filename = field.file_name().map(str::to_owned);
        let content_type = field.content_type().map(ToString::to_string);
        let mut bytes = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(|error| refused(&error))? {
            bytes.extend_from_slice(&chunk);
        }
        parts.push(Part { name, filename, content_type, bytes: bytes.into() });
    }
    Ok(parts)
}

fn refused(error: &multer::Error) -> Refusal {
    // What the parser says may quote the client.
    Refusal::Multipart(
        match error {
            multer::Error::NoMultipart | multer::Error::NoBoundary => {
                "content type is not multipart/form-data with a boundary"
            }
            multer::Error::DecodeContentType(_) => "content type cannot be read",
            multer::Error::IncompleteFieldData { .. }
            | multer::Error::IncompleteHeaders
            | multer::Error::IncompleteStream => "body ends before its last boundary",
            _ => "headers of a part cannot be read",
        }
        .to_owned(),
    )
}
