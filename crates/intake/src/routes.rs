//! The routes SDKs use, and what every answer of theirs has in common: CORS (`reference/ingest-protocol.md` §2, §3).

use axum::{
    Router,
    extract::{Path, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, patch, post},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, uri::PathAndQuery};
use nuthatch_protocol::{EventId, ProjectId, auth::query_value};

use crate::{
    Intake, accept,
    endpoint::{
        attachments, crash_page, cron, log_drain, media_type, minidump, nel, otlp, playstation, project_id, security,
        unreal, upload,
    },
    quotas::LimitsMet,
    refusal::Refusal,
};

/// The media type that makes a `/store/` body an envelope.
const ENVELOPE_MEDIA_TYPE: &str = "application/x-sentry-envelope";

/// A transparent GIF of one pixel: what a browser gets that sends an event as an image address.
const PIXEL: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00\x21\xf9\x04\x01\x00\x00\x00\x00\
\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b";

/// The headers that a request of a page may have, and others.
macro_rules! allowed_and {
    ($others:literal) => {
        concat!(
            "x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, accept, content-type, authentication, ",
            "authorization, content-encoding, transfer-encoding, sentry-trace, baggage",
            $others
        )
    };
}
const ALLOW_HEADERS: HeaderValue = HeaderValue::from_static(allowed_and!(""));
/// Those of uploads: also what tus has (`reference/ingest-protocol.md` §2).
const UPLOAD_ALLOW_HEADERS: HeaderValue =
    HeaderValue::from_static(allowed_and!(", tus-resumable, upload-length, upload-offset, upload-metadata"));
const EXPOSE_HEADERS: HeaderValue = HeaderValue::from_static("x-sentry-error, x-sentry-rate-limits, retry-after");
/// How long browsers may remember the answer to a preflight, in seconds.
const PREFLIGHT_MAX_AGE: HeaderValue = HeaderValue::from_static("3600");

/// The ingest endpoints, each with and without a trailing slash. Wrap what is served in [`collapse_slashes`] for
/// repeated ones.
pub fn router(intake: Intake) -> Router {
    let posted = |methods: MethodRouter<Intake>| methods.options(|| async { preflight("POST", ALLOW_HEADERS) });
    let asked = |methods: MethodRouter<Intake>| methods.options(|| async { preflight("GET, POST", ALLOW_HEADERS) });
    let uploaded = |methods: MethodRouter<Intake>, allowed: &'static str| {
        let offer = async move |State(intake): State<Intake>| {
            (preflight(allowed, UPLOAD_ALLOW_HEADERS), upload::offer(&intake))
        };
        methods.options(offer)
    };
    let crash_page = get(crash_page::any).post(crash_page::any).options(crash_page::any);
    let routes = [
        ("/api/{project}/envelope", posted(post(post_envelope))),
        ("/api/{project}/store", asked(get(get_store).post(post_store))),
        ("/api/store", asked(get(get_store_of_key).post(post_store_of_key))),
        ("/api/{project}/security", posted(post(security::post))),
        ("/api/{project}/csp-report", posted(post(security::post))),
        ("/api/{project}/nel", posted(post(nel::post))),
        ("/api/{project}/minidump", posted(post(minidump::post))),
        ("/api/{project}/unreal/{key}", posted(post(unreal::post))),
        ("/api/{project}/playstation", posted(post(playstation::post))),
        ("/api/{project}/events/{event_id}/attachments", posted(post(attachments::post))),
        ("/api/{project}/cron/{slug}", asked(get(cron::check_in).post(cron::check_in))),
        ("/api/{project}/cron/{slug}/{key}", asked(get(cron::check_in_with_key).post(cron::check_in_with_key))),
        ("/api/{project}/integration/otlp/v1/traces", posted(post(otlp::traces))),
        ("/api/{project}/otlp/v1/traces", posted(post(otlp::traces))),
        ("/api/{project}/integration/otlp/v1/logs", posted(post(otlp::log_records))),
        ("/api/{project}/integration/vercel/logs", posted(post(log_drain::vercel::post))),
        ("/api/{project}/integration/heroku/logs", posted(post(log_drain::heroku::post))),
        ("/api/{project}/upload", uploaded(post(upload::create), "POST")),
        ("/api/{project}/upload/{upload}", uploaded(patch(upload::append), "PATCH")),
        ("/api/embed/error-page", crash_page),
    ];
    let mut router = Router::new();
    for (path, methods) in routes {
        router = router.route(path, methods.clone()).route(&format!("{path}/"), methods);
    }
    router.layer(middleware::from_fn_with_state(intake.clone(), answer)).with_state(intake)
}

/// Makes runs of slashes in the path one slash, which some SDKs need whose DSN has a path. For
/// `tower::ServiceExt::map_request`, outside all routers.
pub fn collapse_slashes<B>(mut request: http::Request<B>) -> http::Request<B> {
    let path = request.uri().path();
    if !path.contains("//") {
        return request;
    }
    let mut collapsed = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !collapsed.ends_with('/') {
            collapsed.push(c);
        }
    }
    if let Some(query) = request.uri().query() {
        collapsed = format!("{collapsed}?{query}");
    }
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(collapsed).ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
    request
}

/// Around every request: refuses it when closed, adds CORS and the limits it met, counts.
async fn answer(State(intake): State<Intake>, mut request: Request, next: Next) -> Response {
    let started = intake.inner.clock.now();
    let limits = LimitsMet::default();
    request.extensions_mut().insert(limits.clone());
    let mut response = if intake.is_closed() { Refusal::Closed.into_response() } else { next.run(request).await };
    limits.tell(&mut response);
    let headers = response.headers_mut();
    headers.entry(header::ACCESS_CONTROL_ALLOW_ORIGIN).or_insert(HeaderValue::from_static("*"));
    headers.entry(header::ACCESS_CONTROL_EXPOSE_HEADERS).or_insert(EXPOSE_HEADERS);
    let seconds = intake.inner.clock.now().as_secs_f64() - started.as_secs_f64();
    intake.inner.telemetry.answered(response.status(), seconds.max(0.0));
    response
}

fn preflight(methods: &'static str, headers: HeaderValue) -> [(HeaderName, HeaderValue); 3] {
    [
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods)),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, headers),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE),
    ]
}

async fn post_envelope(
    State(intake): State<Intake>,
    Path(project): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    Ok(accepted(accept::envelope(&intake, Some(project_id(&project)?), &parts, body).await?))
}

async fn post_store(
    State(intake): State<Intake>,
    Path(project): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    store(&intake, Some(project_id(&project)?), request).await
}

async fn post_store_of_key(State(intake): State<Intake>, request: Request) -> Result<Response, Refusal> {
    store(&intake, None, request).await
}

async fn get_store(
    State(intake): State<Intake>,
    Path(project): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    store_in_query(&intake, Some(project_id(&project)?), request).await
}

async fn get_store_of_key(State(intake): State<Intake>, request: Request) -> Result<Response, Refusal> {
    store_in_query(&intake, None, request).await
}

async fn store(intake: &Intake, project: Option<ProjectId>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let id = if is_envelope(&parts.headers) {
        accept::envelope(intake, project, &parts, body).await?
    } else {
        accept::event(intake, project, &parts, body, None).await?
    };
    Ok(accepted(id))
}

async fn store_in_query(intake: &Intake, project: Option<ProjectId>, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    let data = parts.uri.query().and_then(|query| query_value(query, "sentry_data")).unwrap_or_default();
    let data = Bytes::from(data.into_owned());
    accept::event(intake, project, &parts, body, Some(data)).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("image/gif"))], PIXEL).into_response())
}

fn is_envelope(headers: &HeaderMap) -> bool {
    media_type(headers) == ENVELOPE_MEDIA_TYPE
}

fn accepted(id: Option<EventId>) -> Response {
    let body = id.map_or_else(|| "{}".to_owned(), |id| format!("{{\"id\":\"{id}\"}}"));
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}
