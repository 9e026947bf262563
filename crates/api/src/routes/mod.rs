//! The routes, one module per resource.

mod accounts;
mod attachments;
mod bulk;
mod dead_letters;
mod event_lookup;
mod event_page;
mod event_rows;
mod event_search;
mod events;
mod file_content;
mod files;
mod filters;
mod issue;
mod issue_archive;
mod issue_change;
mod issue_events;
mod issue_files;
mod issue_selection;
mod issue_tags;
mod issue_types;
mod issues;
mod item_attributes;
mod item_search;
mod item_series;
mod item_table;
mod keys;
mod latest_release;
mod monitors;
mod occurrences;
mod organizations;
mod outcomes;
mod paths;
mod project_tokens;
mod projects;
mod quotas;
mod release_change;
mod release_rows;
mod releases;
mod scrubbing;
mod sessions;
mod sign_in;
mod slug;
mod stats;
mod tags;
mod teams;
mod tokens;
mod trace_attachments;
mod trace_item;
mod traces;
mod user_feedback;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    middleware::{self, Next},
    response::Response,
};
use http::{HeaderValue, header};
use tower::util::MapRequestLayer;
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{Api, error, query::BODY_MAX_BYTES};

/// The API under `/api/0/`.
pub fn router(api: Api) -> Router {
    let (routes, _) = documented().split_for_parts();
    let routes = routes
        .merge(below_issues("/api/0").split_for_parts().0)
        .fallback(unknown)
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .layer(middleware::from_fn_with_state(api.clone(), error::report))
        .layer(middleware::from_fn(private))
        .with_state(api);
    // The spelling has to be settled before a route is chosen, so the routes are a service behind that step.
    let service = tower::Layer::layer(&MapRequestLayer::new(paths::settle), routes);
    Router::new()
        .route_service("/api/0", service.clone())
        .route_service("/api/0/", service.clone())
        .route_service("/api/0/{*path}", service)
}

/// The description of the API, for clients that are generated from it.
pub fn openapi() -> OpenApi {
    paths::complete(documented().into_openapi())
}

fn documented() -> OpenApiRouter<Api> {
    let info = InfoBuilder::new()
        .title("Nuthatch")
        .version("0")
        .description(Some("The web API. Every error answers `{\"detail\": …}`."))
        .build();
    OpenApiRouter::with_openapi(OpenApiBuilder::new().info(info).build())
        .routes(routes!(accounts::check))
        .routes(routes!(accounts::whoami))
        .routes(routes!(accounts::me))
        .routes(routes!(sign_in::login))
        .routes(routes!(sign_in::logout))
        .routes(routes!(sign_in::setup))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::delete))
        .routes(routes!(organizations::list))
        .routes(routes!(organizations::detail, organizations::update))
        .routes(routes!(organizations::members))
        .routes(routes!(outcomes::stats))
        .routes(routes!(sessions::stats))
        .routes(routes!(releases::list, release_change::create))
        .routes(routes!(releases::detail, release_change::update))
        .routes(routes!(releases::of_project, release_change::create_in_project))
        .routes(routes!(releases::detail_in_project, release_change::update_in_project))
        .routes(routes!(issue_types::list, issue_types::create))
        .routes(routes!(issue_types::detail, issue_types::update, issue_types::delete))
        .routes(routes!(monitors::list))
        .routes(routes!(monitors::detail, monitors::delete))
        .routes(routes!(monitors::check_ins))
        .routes(routes!(teams::list, teams::create))
        .routes(routes!(teams::detail, teams::update, teams::delete))
        .routes(routes!(teams::members))
        .routes(routes!(teams::team_projects, teams::create_project))
        .routes(routes!(teams::join, teams::leave))
        .routes(routes!(teams::give, teams::take))
        .routes(routes!(projects::all))
        .routes(routes!(projects::list, projects::create))
        .routes(routes!(projects::detail, projects::update))
        .routes(routes!(scrubbing::preview))
        .routes(routes!(filters::list))
        .routes(routes!(filters::update))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::detail, keys::update, keys::delete))
        .routes(routes!(keys::of_organization))
        .routes(routes!(quotas::list, quotas::create))
        .routes(routes!(quotas::update, quotas::delete))
        .routes(routes!(quotas::list_of_project, quotas::create_in_project))
        .routes(routes!(quotas::update_in_project, quotas::delete_in_project))
        .routes(routes!(project_tokens::list, project_tokens::create))
        .routes(routes!(project_tokens::delete))
        .routes(routes!(issues::list, bulk::update))
        .routes(routes!(issues::of_project, bulk::update_in_project))
        .routes(routes!(issues::count))
        .routes(routes!(issues::stats))
        .routes(routes!(issues::short_id))
        .routes(routes!(events::of_project))
        .routes(routes!(events::detail))
        .routes(routes!(events::json))
        .routes(routes!(events::by_id))
        .routes(routes!(attachments::list))
        .routes(routes!(attachments::detail, attachments::delete))
        .routes(routes!(trace_attachments::list))
        .routes(routes!(trace_attachments::detail, trace_attachments::delete))
        .routes(routes!(files::list))
        .routes(routes!(files::detail))
        .routes(routes!(user_feedback::list, user_feedback::create))
        .routes(routes!(dead_letters::list, dead_letters::discard_all))
        .routes(routes!(dead_letters::reasons))
        .routes(routes!(dead_letters::replay_all))
        .routes(routes!(dead_letters::detail, dead_letters::discard))
        .routes(routes!(dead_letters::replay))
        .routes(routes!(stats::of_project))
        .routes(routes!(tags::of_organization))
        .routes(routes!(tags::values_of_organization))
        .routes(routes!(tags::of_project))
        .routes(routes!(tags::values_of_project))
        .routes(routes!(tags::environments))
        .routes(routes!(item_table::table))
        .routes(routes!(item_series::series))
        .routes(routes!(item_attributes::keys))
        .routes(routes!(item_attributes::values))
        .routes(routes!(trace_item::detail))
        .routes(routes!(traces::tree))
        .routes(routes!(traces::meta))
        .routes(routes!(traces::logs))
        .merge(messages())
        .merge(below_issues("/api/0/organizations/{org}"))
}

/// What producers send, in bodies larger than others.
fn messages() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(occurrences::occurrences))
        .routes(routes!(occurrences::status_changes))
        .layer(DefaultBodyLimit::max(occurrences::MESSAGES_MAX_BYTES))
}

/// What there is of one issue; served below its organization and without it.
fn below_issues(prefix: &str) -> OpenApiRouter<Api> {
    let routes = OpenApiRouter::new()
        .routes(routes!(issue::detail, issue::update))
        .routes(routes!(issue::activities))
        .routes(routes!(issue::hashes))
        .routes(routes!(stats::of_issue))
        .routes(routes!(issue_tags::list))
        .routes(routes!(issue_tags::detail))
        .routes(routes!(issue_tags::values))
        .routes(routes!(issue_events::list))
        .routes(routes!(issue_events::detail))
        .routes(routes!(issue_files::attachments))
        .routes(routes!(issue_files::user_reports));
    OpenApiRouter::new().nest(prefix, routes)
}

async fn unknown() -> error::ApiError {
    error::ApiError::NotFound("endpoint")
}

async fn not_allowed(method: http::Method) -> Response {
    let body = error::ErrorBody::of(format!("method {method} is not allowed here"));
    axum::response::IntoResponse::into_response((http::StatusCode::METHOD_NOT_ALLOWED, axum::Json(body)))
}

/// Answers are for the one who asked: nobody in between keeps them or takes them for something else.
async fn private(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
