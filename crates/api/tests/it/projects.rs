use std::convert::Infallible;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use nuthatch_protocol::TypeId;
use nuthatch_store::{AccountStore as _, ProjectStore as _, accounts::NewUser, files::FileKind, projects::Role};
use serde_json::json;
use tokio::sync::oneshot;

use crate::app::App;

#[tokio::test]
async fn a_project_is_created_with_a_key_whose_dsn_names_the_server() {
    let app = App::new().await;
    let made = app.ann("POST", "/api/0/organizations/acme/projects/", &json!({"name": "My Shop"})).await;
    assert_eq!((made.status, &made.json()["slug"]), (StatusCode::CREATED, &json!("my-shop")));
    assert_eq!(made.json()["firstEvent"], json!(null));
    let keys = app.get("/api/0/projects/acme/my-shop/keys/").await.json();
    let (public, project) = (keys[0]["public"].as_str().unwrap(), keys[0]["projectId"].as_u64().unwrap());
    assert_eq!(keys[0]["dsn"]["public"], format!("https://{public}@nuthatch.example/{project}"));
    let address = format!("https://nuthatch.example/api/{project}");
    assert_eq!(keys[0]["dsn"]["security"], format!("{address}/security/?sentry_key={public}"));
    assert_eq!(keys[0]["dsn"]["crons"], format!("{address}/cron/___MONITOR_SLUG___/{public}/"));
    assert_eq!(keys[0]["dsn"]["otlp_traces"], format!("{address}/integration/otlp/v1/traces"));
    let again = app.ann("POST", "/api/0/organizations/acme/projects/", &json!({"name": "My Shop"})).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    let wrong = app.ann("POST", "/api/0/organizations/acme/projects/", &json!({"name": "x", "slug": "12"})).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST, "a slug of digits would be taken for an id");
}

#[tokio::test]
async fn names_that_are_no_slugs_get_one() {
    let app = App::new().await;
    for (what, kind) in [("projects", "project"), ("teams", "team")] {
        let path = format!("/api/0/organizations/acme/{what}/");
        let digits = app.ann("POST", &path, &json!({"name": "12"})).await;
        assert_eq!(
            (digits.status, digits.json()["slug"].as_str()),
            (StatusCode::CREATED, Some(&*format!("{kind}-12")))
        );
        let mut slugs = Vec::new();
        for name in ["日本", "日本"] {
            let made = app.ann("POST", &path, &json!({"name": name})).await;
            assert_eq!((made.status, &made.json()["name"]), (StatusCode::CREATED, &json!(name)));
            slugs.push(made.json()["slug"].as_str().unwrap().to_owned());
        }
        assert!(slugs.iter().all(|slug| slug.starts_with(&format!("{kind}-"))) && slugs[0] != slugs[1], "{slugs:?}");
    }
}

#[tokio::test]
async fn a_key_is_made_as_it_is_asked_for_or_refused_by_name() {
    let app = App::new().await;
    let path = "/api/0/projects/acme/web/keys/";
    let off = app.ann("POST", path, &json!({"name": "Later", "isActive": false})).await.json();
    assert_eq!(off["isActive"], false);
    assert_eq!(app.get(&format!("{path}{}/", off["id"].as_str().unwrap())).await.json()["isActive"], false);
    for name in ["a\u{0}b", "a\nb", "\u{1b}[31m"] {
        let refused = app.ann("POST", path, &json!({"name": name})).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{name:?}");
    }
    for (body, field) in [
        (json!({"isActive": "no"}), "isActive"),
        (json!({"name": 7}), "name"),
        (json!({"rateLimit": {"window": "x", "count": 1}}), "rateLimit.window"),
        (json!({"rateLimit": [1]}), "rateLimit"),
    ] {
        let refused = app.ann("POST", path, &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(refused.json()[field][0].is_string(), "{body} {refused:?}");
        assert!(!String::from_utf8_lossy(&refused.body).contains("struct"), "{refused:?}");
    }
    for body in [json!([]), json!("name"), json!(7)] {
        let refused = app.ann("POST", path, &body).await;
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert_eq!((refused.status, detail.as_str()), (StatusCode::BAD_REQUEST, "body: expected an object"));
    }
    let unmade = app.ann("PUT", "/api/0/projects/acme/web/", &json!({"resolveAge": "soon"})).await;
    assert!(unmade.json()["resolveAge"][0].is_string(), "{unmade:?}");
}

#[tokio::test]
async fn projects_and_keys_are_changed() {
    let app = App::new().await;
    let renamed = app.ann("PUT", "/api/0/projects/acme/web", &json!({"name": "Web", "slug": "site"})).await;
    assert_eq!((&renamed.json()["name"], &renamed.json()["slug"]), (&json!("Web"), &json!("site")));
    let id = app.acme.project.id;
    assert_eq!(app.get(&format!("/api/0/projects/acme/{id}/")).await.json()["slug"], "site");
    let site = "/api/0/projects/acme/site/";
    assert_eq!(app.ann("PUT", site, &json!({"name": "Web"})).await.json()["platform"], "python", "absent stays");
    assert_eq!(app.ann("PUT", site, &json!({"platform": null})).await.json()["platform"], json!(null));
    let key = app.ann("POST", "/api/0/projects/acme/site/keys/", &json!({"name": "Second"})).await.json();
    let path = format!("/api/0/projects/acme/site/keys/{}/", key["id"].as_str().unwrap());
    assert_eq!(app.ann("PUT", &path, &json!({"isActive": false})).await.json()["isActive"], false);
    assert_eq!(app.ann("DELETE", &path, &json!(null)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get("/api/0/organizations/acme/project-keys/").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_done_to_events_is_chosen_and_checked() {
    let app = App::new().await;
    let path = "/api/0/projects/acme/web/";
    let usual = app.get(path).await.json();
    assert_eq!((&usual["dataScrubber"], &usual["relayPiiConfig"]), (&json!(true), &json!(null)));
    let rules = json!({"rules": {"0": {"type": "ip"}}, "applications": {"$string": ["0"]}});
    let change = json!({"dataScrubberDefaults": false, "scrubIPAddresses": true, "sensitiveFields": ["zebra", " "],
        "relayPiiConfig": rules.to_string(),
        "options": {"filters:releases": "1.*\n\n beta ", "sentry:csp_ignored_sources": "*.a.example\nhttps://b.example",
        "sentry:csp_ignored_sources_defaults": false, "filters:custom": [{"id": "a", "condition": {"op": "eq", "name": "event.platform", "value": "go"}}]}});
    let version = app.meta.config_version();
    let changed = app.ann("PUT", path, &change).await.json();
    assert!(app.meta.config_version() > version, "caches must notice");
    assert_eq!(changed, app.get(path).await.json());
    assert_eq!(changed["sensitiveFields"], json!(["zebra"]));
    assert_eq!(changed["relayPiiConfig"], rules.to_string());
    assert_eq!(changed["options"]["filters:releases"], "1.*\nbeta");
    assert_eq!(changed["options"]["sentry:csp_ignored_sources"], "*.a.example\nhttps://b.example");
    assert_eq!(changed["options"]["sentry:csp_ignored_sources_defaults"], false);
    assert_eq!(
        app.ann("PUT", path, &json!({"name": "Web"})).await.json()["relayPiiConfig"],
        rules.to_string(),
        "absent stays"
    );
    for (wrong, place) in [
        (json!({"relayPiiConfig": "{"}), "relayPiiConfig"),
        (
            json!({"relayPiiConfig": {"rules": {"a": {"type": "pattern", "pattern": "("}}}}),
            "relayPiiConfig.rules.a.pattern",
        ),
        (json!({"relayPiiConfig": {"applications": {"$foo": ["@ip"]}}}), "relayPiiConfig.applications.$foo"),
        (json!({"options": {"filters:blacklisted_ips": "1.2.3.4\nx"}}), "options.filters:blacklisted_ips.1"),
        (json!({"options": {"sentry:csp_ignored_sources": "a b"}}), "options.sentry:csp_ignored_sources.0"),
        (json!({"options": {"sentry:csp_ignored_sources_defaults": 1}}), "options.sentry:csp_ignored_sources_defaults"),
        (
            json!({"options": {"filters:custom": [{"id": "a", "condition": {"op": "like"}}]}}),
            "options.filters:custom.0.condition.name",
        ),
    ] {
        let answer = app.ann("PUT", path, &wrong).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert!(answer.json()[place][0].is_string(), "{wrong}: {:?}", answer.json());
    }
    assert_eq!(app.get(path).await.json()["relayPiiConfig"], rules.to_string(), "a refusal changes nothing");
    let removed = app.ann("PUT", path, &json!({"relayPiiConfig": null})).await.json();
    assert_eq!(removed["relayPiiConfig"], json!(null));
}

#[tokio::test]
async fn changes_at_the_same_time_are_all_kept() {
    let app = App::new().await;
    let path = "/api/0/projects/acme/web/";
    let (send, late) = oneshot::channel::<Bytes>();
    // This one has found the project, and gets the rest of its body after the other one has changed it.
    let slow = app.stream("PUT", path, Body::from_stream(stream::once(late)));
    let quick = async {
        let switched = app.ann("PUT", &format!("{path}filters/web-crawlers/"), &json!({"active": true})).await;
        assert_eq!(switched.status, StatusCode::NO_CONTENT);
        send.send(Bytes::from_static(br#"{"name": "Website"}"#)).unwrap();
    };
    let (renamed, ()) = tokio::join!(slow, quick);
    assert_eq!(renamed.json()["name"], "Website");
    let filters = app.get(&format!("{path}filters/")).await.json();
    let crawlers = filters.as_array().unwrap().iter().find(|filter| filter["id"] == "web-crawlers").unwrap();
    assert_eq!(crawlers["active"], true);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let app = App::new().await;
    for path in ["/api/0/projects/acme/web/", "/api/0/auth/login/", "/api/0/projects/acme/web/occurrences/"] {
        let method = if path.ends_with("/web/") { "PUT" } else { "POST" };
        let answer = app.stream(method, path, Body::from_stream(stream::pending::<Result<Bytes, Infallible>>())).await;
        assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT, "{path}");
    }
}

#[tokio::test]
async fn what_is_set_is_read_and_the_rest_refused() {
    let app = App::new().await;
    let path = "/api/0/projects/acme/web/";
    app.event(&app.acme.project, 1, 1, crate::app::NOON - 60, &json!({})).await;
    let usual = app.get(path).await.json();
    assert_eq!((&usual["resolveAge"], &usual["environments"]), (&json!(0), &json!([])));
    assert_eq!(app.ann("PUT", path, &json!({"resolveAge": 48})).await.json()["resolveAge"], 48);
    let hours = async || app.meta.project(app.acme.project.id).await.unwrap().unwrap().resolve_age_hours;
    assert_eq!(hours().await, Some(48));
    app.ann("PUT", path, &json!({"name": "Web"})).await;
    assert_eq!(hours().await, Some(48), "absent stays");
    app.ann("PUT", path, &json!({"resolveAge": 0})).await;
    assert_eq!(hours().await, None);
    for (name, value) in [
        ("resolveAge", json!(100_000)),
        ("subjectPrefix", json!("[web]")),
        ("fingerprintingRules", json!("a -> b")),
        ("highlightTags", json!(["browser"])),
    ] {
        let refused = app.ann("PUT", path, &json!({"name": "Never", name: value})).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{name}");
        assert!(refused.json()[name][0].is_string(), "{refused:?}");
    }
    let unchanged = app.ann("PUT", path, &json!({"subjectPrefix": "", "highlightTags": []})).await.json();
    assert_eq!(unchanged["name"], "Web");
}

#[tokio::test]
async fn a_project_tells_what_it_was_sent_in_lists_as_by_itself() {
    let app = App::new().await;
    let flags = [
        "firstTransactionEvent",
        "hasUserReports",
        "hasFeedbacks",
        "hasNewFeedbacks",
        "hasProfiles",
        "hasReplays",
        "hasLogs",
    ];
    let rows = async || {
        let of_team = app.get("/api/0/teams/acme/core/projects/").await.json();
        [
            app.get("/api/0/projects/acme/web/").await.json(),
            app.get("/api/0/projects/").await.json()[0].clone(),
            app.get("/api/0/organizations/acme/projects/").await.json()[0].clone(),
            of_team[0].clone(),
        ]
    };
    app.ann("POST", "/api/0/organizations/acme/teams/", &json!({"name": "Core"})).await;
    app.ann("POST", "/api/0/projects/acme/web/teams/core/", &json!(null)).await;
    for row in rows().await {
        assert!(flags.iter().all(|flag| row[flag] == json!(false)), "{row}");
        assert_eq!(row["environments"], json!([]));
    }
    let environments = async || app.get("/api/0/organizations/acme/environments/").await.json();
    assert_eq!(environments().await, json!([]));
    let project = &app.acme.project;
    crate::traces::fill(&app).await;
    app.report(project, 7, "it broke").await;
    app.file_of_kind(project, FileKind::Profile).await;
    app.file_of_kind(project, FileKind::ReplayVideo).await;
    app.issue_of_type(3, TypeId::FEEDBACK.0).await;
    let stored = json!({"environment": "production"});
    app.event_with_tags(project, 1, &[("environment", "production")], &stored).await;
    for row in rows().await {
        let unset: Vec<_> = flags.iter().filter(|flag| row[**flag] != json!(true)).collect();
        assert!(unset.is_empty(), "{unset:?} {row}");
        assert_eq!(row["environments"], json!(["production"]));
    }
    app.event_with_tags(&app.other.project, 2, &[("environment", "theirs")], &json!({})).await;
    assert_eq!(environments().await, json!([{"id": "1", "name": "production"}]));
}

#[tokio::test]
async fn filters_are_switched() {
    let app = App::new().await;
    let path = "/api/0/projects/acme/web/filters/";
    let state = async |id: &str| {
        let all = app.get(path).await.json();
        all.as_array().unwrap().iter().find(|filter| filter["id"] == id).unwrap()["active"].clone()
    };
    assert_eq!((state("web-crawlers").await, state("filtered-transaction").await), (json!(false), json!(true)));
    for (id, change, expected) in [
        ("web-crawlers", json!({"active": true}), json!(true)),
        ("filtered-transaction", json!({"active": false}), json!(false)),
        ("legacy-browsers", json!({"active": true}), json!(true)),
        ("legacy-browsers", json!({"subfilters": ["ie9", "safari"]}), json!(["ie9", "safari"])),
        ("legacy-browsers", json!({"active": false, "subfilters": ["ie9"]}), json!(false)),
        ("legacy-browsers", json!({"active": true, "subfilters": ["ie9"]}), json!(["ie9"])),
    ] {
        let answer = app.ann("PUT", &format!("{path}{id}/"), &change).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{id} {answer:?}");
        assert_eq!(state(id).await, expected, "{id}");
    }
    let unknown = app.ann("PUT", &format!("{path}legacy-browsers/"), &json!({"subfilters": ["lynx"]})).await;
    assert!(unknown.json()["subfilters"][0].as_str().unwrap().contains("lynx"), "{unknown:?}");
    assert_eq!(app.ann("PUT", &format!("{path}localhost/"), &json!({})).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        app.ann("PUT", &format!("{path}nothing/"), &json!({"active": true})).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_preview_tells_what_rules_would_take_out_and_stores_nothing() {
    let app = App::new().await;
    let path = "/api/0/projects/acme/web/scrubbing/preview/";
    let event = json!({"extra": {"note": "of jane@example.com", "password": "hunter2"}, "release": "1.0"});
    let rules = json!({"applications": {"extra.note": ["@email:mask"]}});
    let shown = app.ann("POST", path, &json!({"event": event, "relayPiiConfig": rules})).await.json();
    assert_eq!(shown["count"], 2);
    assert_eq!(
        shown["changes"][0],
        json!({"path": "extra.note", "rule": "@email:mask", "kind": "m", "before": "of jane@example.com", "after": "of ****************"})
    );
    assert!(!shown["event"].to_string().contains("hunter2"));
    assert_eq!(app.get("/api/0/projects/acme/web/").await.json()["relayPiiConfig"], json!(null));
    app.ann("PUT", "/api/0/projects/acme/web/", &json!({"options": {"filters:releases": "1.*"}})).await;
    assert_eq!(app.ann("POST", path, &json!({"event": event})).await.json()["filtered"], "release-version");

    let stored =
        app.event(&app.acme.project, 5, 1, crate::app::NOON - 60, &json!({"extra": {"note": "a zebra"}})).await;
    let shown = app.ann("POST", path, &json!({"eventID": stored, "sensitiveFields": ["zebra"]})).await.json();
    assert_eq!(shown["changes"][0]["rule"], "strip-fields");
    let blind = crate::app::token(&app.meta, app.acme.user, app.acme.organization.id, &["project:write"]).await;
    let answer = app.with_token(&blind, "POST", path, &json!({"eventID": stored})).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "who may not read events is not shown any");
    assert_eq!(app.ann("POST", path, &json!({})).await.status, StatusCode::BAD_REQUEST);
    let wrong = app.ann("POST", path, &json!({"event": event, "relayPiiConfig": "["})).await;
    assert!(wrong.json()["relayPiiConfig"][0].is_string(), "{wrong:?}");
}

#[tokio::test]
async fn what_an_organization_requires_is_chosen_by_its_owners_and_shown_in_previews() {
    let app = App::new().await;
    let path = "/api/0/organizations/acme/";
    let usual = app.get(path).await.json();
    for (name, nothing) in
        [("dataScrubber", json!(false)), ("sensitiveFields", json!([])), ("relayPiiConfig", json!(null))]
    {
        assert_eq!(usual[name], nothing, "{name}: nothing is required, unless somebody chose");
    }
    let long = app.ann("PUT", path, &json!({"sensitiveFields": ["x".repeat(300)]})).await;
    assert!(long.json()["sensitiveFields.0"][0].is_string(), "projects may scrub by it: {long:?}");
    let rules = json!({"rules": {"0": {"type": "email"}}, "applications": {"extra.note": ["0"]}});
    let change = json!({"dataScrubber": true, "scrubIPAddresses": true, "sensitiveFields": ["zebra", " "], "relayPiiConfig": rules});
    let version = app.meta.config_version();
    let changed = app.ann("PUT", path, &change).await.json();
    assert!(app.meta.config_version() > version, "caches must notice");
    assert_eq!(changed, app.get(path).await.json());
    assert_eq!((&changed["dataScrubber"], &changed["dataScrubberDefaults"]), (&json!(true), &json!(false)));
    assert_eq!(
        (&changed["sensitiveFields"], &changed["relayPiiConfig"]),
        (&json!(["zebra"]), &json!(rules.to_string()))
    );
    let renamed = app.ann("PUT", path, &json!({"name": "Acme"})).await.json();
    assert_eq!((&renamed["name"], &renamed["scrubIPAddresses"]), (&json!("Acme"), &json!(true)), "absent stays");

    let event = json!({"extra": {"note": "of jane@example.com", "n": "a zebra"}, "user": {"id": "1", "ip_address": "203.0.113.7"}});
    let preview = json!({"event": event, "dataScrubber": false, "dataScrubberDefaults": false});
    let shown = app.ann("POST", "/api/0/projects/acme/web/scrubbing/preview/", &preview).await.json();
    let rule_at = |place: &str| {
        let changes = shown["changes"].as_array().unwrap();
        changes.iter().find(|change| change["path"] == place).map(|change| change["rule"].as_str().unwrap().to_owned())
    };
    assert_eq!(rule_at("extra.note").as_deref(), Some("organization:0"));
    assert_eq!(rule_at("extra.n").as_deref(), Some("organization:strip-fields"));
    assert_eq!(rule_at("user.ip_address").as_deref(), Some("@anything:remove"));

    let wrong =
        app.ann("PUT", path, &json!({"relayPiiConfig": {"applications": {"$foo": ["@ip"]}}, "name": "x"})).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.json()["relayPiiConfig.applications.$foo"][0].is_string(), "{wrong:?}");
    assert_eq!(app.get(path).await.json()["name"], "Acme", "a refusal changes nothing");
    let (id, user) = (app.acme.organization.id, app.acme.user);
    let limited = crate::app::token(&app.meta, user, id, &["org:read", "project:admin"]).await;
    let answer = app.with_token(&limited, "PUT", path, &json!({"dataScrubber": false})).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let answer = app.with_token(&app.other.token, "PUT", path, &json!({"dataScrubber": false})).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "for others it does not exist");
    let new = NewUser {
        email: "max@example.com".to_owned(),
        name: String::new(),
        password_hash: String::new(),
        created: app.acme.organization.created,
    };
    let member = app.meta.create_user(new).await.unwrap().id;
    app.meta.add_member(id, member, Role::Member).await.unwrap();
    let of_member = crate::app::token(&app.meta, member, id, &["org:admin"]).await;
    let answer = app.with_token(&of_member, "PUT", path, &json!({"dataScrubber": false})).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "members do not decide for all projects");
    assert_eq!(app.get(path).await.json()["dataScrubber"], true);
}

#[tokio::test]
async fn an_organization_shows_its_projects_and_members() {
    let app = App::new().await;
    let detail = app.get("/api/0/organizations/acme/").await.json();
    assert_eq!((&detail["projects"][0]["slug"], &detail["orgRole"]), (&json!("web"), &json!("owner")));
    assert_eq!(detail["links"]["regionUrl"], "");
    let members = app.get("/api/0/organizations/acme/members/").await.json();
    assert_eq!((members.as_array().unwrap().len(), &members[0]["email"]), (1, &json!("ann@example.com")));
    assert_eq!(app.get("/api/0/nothing/").await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        app.ann("DELETE", "/api/0/organizations/acme/", &json!(null)).await.status,
        StatusCode::METHOD_NOT_ALLOWED
    );
}
