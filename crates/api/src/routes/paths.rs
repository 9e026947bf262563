//! Paths: the parameters they have, the spellings they are accepted in, and how they are described.

use axum::extract::Request;
use http::{Uri, uri::PathAndQuery};
use utoipa::{
    IntoParams,
    openapi::{OpenApi, RefOr, Schema, schema::Object},
};

macro_rules! path_parameters {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident),+ }) => {
        $(#[$doc])*
        #[derive(IntoParams)]
        #[into_params(parameter_in = Path)]
        #[expect(dead_code, reason = "describes parameters that the extractors of auth::access read")]
        pub(crate) struct $name {
            $($(#[$field_doc])* $field: String,)+
        }
    };
}

path_parameters! {
    /// An organization.
    OrganizationPath {
        /// Slug or id.
        org
    }
}
path_parameters! {
    /// A project.
    ProjectPath {
        /// Slug or id of the organization.
        org,
        /// Slug or id.
        project
    }
}
path_parameters! {
    /// A team.
    TeamPath {
        /// Slug or id of the organization.
        org,
        /// Slug or id.
        team
    }
}
path_parameters! {
    /// A member and a team.
    MembershipPath {
        /// Slug or id of the organization.
        org,
        /// Id of the member, or `me`.
        member,
        /// Slug or id of the team.
        team
    }
}
path_parameters! {
    /// A project and a team.
    ProjectTeamPath {
        /// Slug or id of the organization.
        org,
        /// Slug or id of the project.
        project,
        /// Slug or id of the team.
        team
    }
}
path_parameters! {
    /// An issue.
    IssuePath {
        /// Slug or id of the organization.
        org,
        /// Id or short id.
        issue
    }
}

/// Brings a path to the one spelling that the routes know: with a slash at the end, and `issues` and `user-feedback` for
/// their other names `groups` and `user-reports` (`reference/web-api.md` §1.1, §4.9).
pub(super) fn settle(mut request: Request) -> Request {
    let path = request.uri().path();
    let mut segments: Vec<&str> = path.split('/').collect();
    let place = match segments.get(3) {
        Some(&"organizations") => 5,
        Some(&"projects") => 6,
        _ => 3,
    };
    match segments.get_mut(place) {
        Some(segment) if *segment == "groups" => *segment = "issues",
        Some(segment) if *segment == "user-reports" => *segment = "user-feedback",
        _ => {}
    }
    if segments.last() != Some(&"") {
        segments.push("");
    }
    let settled = segments.join("/");
    if settled != path {
        let text = request.uri().query().map_or_else(|| settled.clone(), |query| format!("{settled}?{query}"));
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = PathAndQuery::try_from(text).ok();
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// Answers in which a member may be absent, as their descriptions say.
const WITH_OPTIONAL_MEMBERS: [&str; 6] =
    ["ErrorBody", "IssueMetadata", "IssuesChanged", "SentItem", "SentItems", "StatusDetails"];

/// Says of every answer that all its members are there: they are, null or not. Requests may leave members out.
pub(super) fn complete(mut api: OpenApi) -> OpenApi {
    let schemas = api.components.iter_mut().flat_map(|components| components.schemas.iter_mut());
    for (name, schema) in schemas {
        if !name.ends_with("Request") && !WITH_OPTIONAL_MEMBERS.contains(&name.as_str()) {
            require_all(schema);
        }
    }
    api
}

fn require_all(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => require_members(object),
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(require_all),
        _ => {}
    }
}

fn require_members(object: &mut Object) {
    object.required = object.properties.keys().cloned().collect();
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn spellings_are_settled() {
        for (given, settled) in [
            ("/api/0", "/api/0/"),
            ("/api/0/", "/api/0/"),
            ("/api/0/projects/a/b?x=1", "/api/0/projects/a/b/?x=1"),
            ("/api/0/groups/7/events/latest", "/api/0/issues/7/events/latest/"),
            ("/api/0/organizations/groups/groups/7/", "/api/0/organizations/groups/issues/7/"),
            ("/api/0/projects/o/groups/groups/", "/api/0/projects/o/groups/issues/"),
            ("/api/0/projects/o/p/user-reports", "/api/0/projects/o/p/user-feedback/"),
            ("/api/0/organizations/a%2Fb", "/api/0/organizations/a%2Fb/"),
        ] {
            let request = Request::builder().uri(given).body(Body::empty()).unwrap();
            assert_eq!(super::settle(request).uri(), settled);
        }
    }
}
