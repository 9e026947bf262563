//! Sums of sessions, and releases with their health.

use std::time::Duration;

use http::StatusCode;
use nuthatch_issues::{Changes, Needs};
use nuthatch_protocol::{DataCategory, Origin};
use nuthatch_protocol::{
    EventId, Position, ProjectId, SessionState, SessionUpdate, Timestamp, Topic, Units,
    session::{SessionPlace, SessionStatus, SessionUser},
};
use nuthatch_store::{
    IssueStore as _, SessionStore as _,
    issues::ConsumerPosition,
    settlements::{Counted, Settlement},
};
use serde_json::{Value, json};

use crate::app::{App, NOON, token};

/// Adds sessions that began some hours ago: release, environment, user, status.
async fn sessions(app: &App, project: ProjectId, hours: u64, of: &[(&str, &str, u64, SessionStatus)]) {
    let partition = project.0 as u16 * 1000 + hours as u16;
    let place = |(release, environment): (&str, &str)| SessionPlace {
        project_id: project,
        release: release.to_owned(),
        environment: environment.to_owned(),
    };
    let started = Timestamp::from_secs(NOON).minus(Duration::from_hours(hours));
    let update = |(n, (release, environment, user, status)): (usize, &(&str, &str, u64, SessionStatus))| {
        let state = SessionState {
            place: place((release, environment)),
            started,
            timestamp: started,
            seq: 0,
            status: *status,
            errors: 0,
            duration_ms: Some(1000),
            user: Some(SessionUser(*user)),
            is_anr: true,
        };
        let origin = Origin { received: started, project_id: Some(project), key_id: None };
        let mut sid = [n as u8; 16];
        sid[..2].copy_from_slice(&partition.to_be_bytes());
        let what = SessionUpdate::One { sid: EventId(sid), state };
        Counted { what, units: Units { origin, counts: vec![(DataCategory::Session, 1)] } }
    };
    let updates: Vec<_> = of.iter().enumerate().map(update).collect();
    let records = updates.len() as u64;
    let position = Position { topic: Topic::IngestSessions, partition, offset: records };
    let consumer = ConsumerPosition { consumer: "sessions".to_owned(), position };
    let settlement = Settlement::of(consumer, records);
    app.meta.apply_sessions(updates, settlement).await.unwrap();
}

async fn filled() -> App {
    use SessionStatus::{Abnormal, Crashed, Errored, Exited, Ok};
    let app = App::new().await;
    let web = app.acme.project.id;
    let of_today = [
        ("web@1.0", "production", 1, Exited),
        ("web@1.0", "production", 1, Exited),
        ("web@1.0", "production", 2, Crashed),
        ("web@1.0", "staging", 3, Abnormal),
        ("web@2.0", "production", 4, Ok),
        ("web@2.0", "production", 4, Errored),
    ];
    sessions(&app, web, 1, &of_today).await;
    sessions(&app, web, 72, &[("web@1.0", "production", 2, Exited), ("web@0.9", "", 2, Crashed)]).await;
    sessions(&app, app.other.project.id, 1, &[("web@1.0", "production", 1, Crashed)]).await;
    app
}

const SESSIONS: &str = "/api/0/organizations/acme/sessions/";
const RELEASES: &str = "/api/0/organizations/acme/releases/";

async fn stats(app: &App, query: &str) -> Value {
    let answer = app.get(&format!("{SESSIONS}?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query} {:?}", answer.body);
    answer.json()
}

#[tokio::test]
async fn sessions_are_summed_up_over_time() {
    let app = filled().await;
    let query = "field=sum(session)&field=count_unique(user)&field=crash_free_rate(session)&statsPeriod=3h&query=";
    let found = stats(&app, query).await;
    assert_eq!(found["intervals"].as_array().unwrap().len(), 4);
    assert_eq!((&found["start"], &found["end"]), (&json!("2026-01-31T09:00:00Z"), &json!("2026-01-31T13:00:00Z")));
    let group = &found["groups"][0];
    assert_eq!(group["by"], json!({}));
    assert_eq!(group["totals"]["sum(session)"], 6);
    assert_eq!(group["totals"]["count_unique(user)"], 4);
    assert_eq!(group["series"]["sum(session)"], json!([0, 0, 6, 0]));
    assert_eq!(group["series"]["crash_free_rate(session)"], json!([null, null, 1.0 - 1.0 / 6.0, null]));

    let users = stats(&app, "field=count_unique(user)&field=crash_rate(user)&statsPeriod=7d&interval=1d").await;
    let totals = &users["groups"][0]["totals"];
    assert_eq!((&totals["count_unique(user)"], &totals["crash_rate(user)"]), (&json!(4), &json!(0.25)), "not per day");
    let series = users["groups"][0]["series"]["count_unique(user)"].as_array().unwrap().clone();
    assert_eq!(series.iter().map(|count| count.as_u64().unwrap()).sum::<u64>(), 5);
}

#[tokio::test]
async fn sessions_are_told_apart_and_chosen() {
    let app = filled().await;
    let by = async |query: &str| {
        let found = stats(&app, &format!("field=sum(session)&{query}")).await;
        let groups = found["groups"].as_array().unwrap().clone();
        groups.iter().map(|group| (group["by"].clone(), group["totals"]["sum(session)"].clone())).collect::<Vec<_>>()
    };
    let web = app.acme.project.id;
    let expected = [
        (json!({"project": web, "release": "web@1.0"}), json!(4)),
        (json!({"project": web, "release": "web@2.0"}), json!(2)),
    ];
    assert_eq!(by("groupBy=project&groupBy=release").await, expected);
    let kinds = by("groupBy=session.status&release=x").await;
    let words: Vec<_> =
        kinds.iter().map(|(by, count)| (by["session.status"].as_str().unwrap(), count.as_u64().unwrap())).collect();
    assert_eq!(words, [("healthy", 3), ("errored", 1), ("crashed", 1), ("abnormal", 1), ("unhandled", 0)]);
    let one = async |query: &str| by(query).await.first().map_or(json!(0), |(_, count)| count.clone());
    assert_eq!(one("query=release:web@1.0").await, 4);
    assert_eq!(one("query=release:web@2*+environment:production").await, 2);
    assert_eq!(one("query=!environment:production").await, 1);
    assert_eq!(one("environment=staging&environment=x").await, 1);
    assert_eq!(one("project=web&statsPeriod=7d").await, 8);
    assert_eq!(one("start=2026-01-28T00:00:00Z&end=2026-01-28T13:00:00Z").await, 2);
    assert_eq!(one("query=release:nothing").await, 0, "a group of nothing");
    assert_eq!(by("groupBy=release&orderBy=sum(session)").await[0].0, json!({"release": "web@2.0"}));
    let page = app.get(&format!("{SESSIONS}?field=sum(session)&groupBy=release&per_page=1")).await;
    let cursor = page.cursor("next").unwrap();
    let rest = stats(&app, &format!("field=sum(session)&groupBy=release&per_page=1&cursor={cursor}")).await;
    assert_eq!(rest["groups"][0]["by"], json!({"release": "web@2.0"}));
    let bare = stats(&app, "field=sum(session)&includeSeries=0").await;
    assert_eq!((&bare["groups"][0]["series"], &bare["groups"][0]["totals"]), (&json!({}), &json!({"sum(session)": 6})));
}

#[tokio::test]
async fn durations_are_those_of_sessions_that_exited() {
    let app = filled().await;
    let found = stats(&app, "field=avg(session.duration)&field=p95(session.duration)&groupBy=release").await;
    let totals: Vec<&Value> = found["groups"].as_array().unwrap().iter().map(|group| &group["totals"]).collect();
    assert_eq!(totals[0]["avg(session.duration)"], 1000.0);
    assert!((totals[0]["p95(session.duration)"].as_f64().unwrap() - 1000.0).abs() <= 20.0);
    assert_eq!(*totals[1], json!({"avg(session.duration)": null, "p95(session.duration)": null}));
}

#[tokio::test]
async fn what_cannot_be_told_of_sessions_is_said() {
    let app = filled().await;
    for query in [
        "",
        "field=sum(user)",
        "field=sum(session)&groupBy=colour",
        "field=crash_rate(session)&groupBy=session.status",
        "field=sum(session)&interval=5m",
        "field=sum(session)&orderBy=count_unique(user)",
        "field=sum(session)&query=level:error",
        "field=sum(session)&query=words",
        "field=sum(session)&statsPeriod=soon",
    ] {
        let answer = app.get(&format!("{SESSIONS}?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query} {:?}", answer.body);
    }
    assert_eq!(app.get(&format!("{SESSIONS}?field=sum(session)&project=api")).await.status, StatusCode::NOT_FOUND);
    let weak = token(&app.meta, app.acme.user, app.acme.organization.id, &["event:read"]).await;
    for path in [SESSIONS, RELEASES] {
        assert_eq!(app.with_token(&weak, "GET", path, &Value::Null).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

async fn versions(app: &App, query: &str) -> Vec<String> {
    let answer = app.get(&format!("{RELEASES}?{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{query} {:?}", answer.body);
    let rows = answer.json().as_array().unwrap().clone();
    rows.iter().map(|row| row["version"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn releases_are_listed_with_their_health() {
    let app = filled().await;
    let project = app.acme.project.clone();
    app.issue(&project, 1, 1).await;
    app.event(&project, 1, 1, NOON - 600, &json!({})).await;
    let answer = app.get(&format!("{RELEASES}?health=1&query=1.0")).await;
    let rows = answer.json();
    let row = &rows[0];
    assert_eq!((rows.as_array().unwrap().len(), &row["version"]), (1, &json!("web@1.0")));
    assert_eq!((&row["shortVersion"], &row["versionInfo"]["package"]), (&json!("1.0"), &json!("web")));
    assert!(row["id"].as_u64().unwrap() > 0 && row["status"] == "open");
    assert_eq!(
        (&row["firstEvent"], &row["lastEvent"]),
        (&json!("2026-01-31T11:50:00Z"), &json!("2026-01-31T11:50:00Z"))
    );
    assert_eq!((&row["newGroups"], &row["dateCreated"]), (&json!(1), &json!("2026-01-31T11:00:00Z")));
    let of_project = &row["projects"][0];
    assert_eq!((&of_project["slug"], &of_project["newGroups"]), (&json!("web"), &json!(1)));
    assert_eq!((&of_project["id"], &of_project["hasHealthData"]), (&json!(project.id), &json!(true)));
    let health = &of_project["healthData"];
    for (key, value) in [
        ("totalSessions", json!(5)),
        ("totalSessions24h", json!(4)),
        ("totalProjectSessions24h", json!(6)),
        ("totalUsers", json!(3)),
        ("totalUsers24h", json!(3)),
        ("totalProjectUsers24h", json!(4)),
        ("adoption", json!(75.0)),
        ("crashFreeSessions", json!(80.0)),
        ("sessionsCrashed", json!(1)),
        ("sessionsErrored", json!(0)),
        ("hasHealthData", json!(true)),
    ] {
        assert_eq!(health[key], value, "{key}");
    }
    let hours = health["stats"]["24h"].as_array().unwrap();
    assert_eq!((hours.len(), &hours[22]), (24, &json!([NOON - 3600, 4])));

    let plain = app.get(&format!("{RELEASES}?query=1.0")).await.json();
    assert_eq!(plain[0]["projects"][0]["healthData"], Value::Null);
    assert_eq!(plain[0]["projects"][0]["hasHealthData"], true);
}

#[tokio::test]
async fn releases_are_chosen_and_ordered() {
    let app = filled().await;
    let changes = Changes {
        releases: vec![(app.acme.project.id, "web@3.0".to_owned(), Timestamp::from_secs(NOON))],
        ..Changes::default()
    };
    app.meta.transact(Needs::default(), None, Box::new(move |_| changes)).await.unwrap();
    assert_eq!(versions(&app, "").await[0], "web@3.0", "the newest first");
    assert_eq!(versions(&app, "").await.len(), 4);
    assert_eq!(versions(&app, "sort=sessions").await[..2], ["web@1.0", "web@2.0"]);
    assert_eq!(versions(&app, "sort=crash_free_sessions").await[..2], ["web@2.0", "web@1.0"]);
    assert_eq!(versions(&app, "sort=adoption").await[..2], ["web@1.0", "web@2.0"]);
    assert_eq!(versions(&app, "environment=staging").await, ["web@1.0"]);
    assert_eq!(versions(&app, "query=release:WEB@2*").await, ["web@2.0"]);
    assert_eq!(versions(&app, "status=archived").await, [] as [String; 0]);
    assert_eq!(app.get(&format!("{RELEASES}?status=gone")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(versions(&app, "statsPeriod=24h").await, ["web@3.0", "web@1.0", "web@2.0"], "the other one was quiet");
    let long_ago = "start=2026-01-28T00:00:00Z&end=2026-01-28T13:00:00Z";
    assert_eq!(versions(&app, long_ago).await, ["web@1.0", "web@0.9"], "seen then, or known since then");
    assert_eq!(versions(&app, "project=-1&per_page=3").await.len(), 3);
    let first = app.get(&format!("{RELEASES}?per_page=3")).await;
    let cursor = first.cursor("next").unwrap();
    assert_eq!(versions(&app, &format!("per_page=3&cursor={cursor}")).await, ["web@0.9"]);
    assert_eq!(app.get(&format!("{RELEASES}?sort=colour")).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(app.get("/api/0/projects/acme/web/").await.json()["hasSessions"], true);
    let of_project = app.get("/api/0/projects/acme/web/releases/").await.json();
    assert_eq!(of_project.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn releases_are_sought_by_what_their_names_say() {
    let app = App::new().await;
    for version in ["web@1.2.0", "web@1.10.0-rc.1", "web@1.10.0+77", "shop@2.0", "nightly"] {
        app.ann("POST", RELEASES, &json!({"version": version, "projects": ["web"]})).await;
    }
    for (query, mut found) in [
        ("release.version:>1.2", vec!["web@1.10.0-rc.1", "web@1.10.0+77", "shop@2.0"]),
        ("release.version:>=1.2 release.version:<1.10", vec!["web@1.2.0", "web@1.10.0-rc.1"]),
        ("release.version:1.10.0", vec!["web@1.10.0+77"]),
        ("release.version:[1.2, 2.0.0]", vec!["web@1.2.0", "shop@2.0"]),
        ("release.version:1.*", vec!["web@1.2.0", "web@1.10.0-rc.1", "web@1.10.0+77"]),
        ("!release.version:<2", vec!["shop@2.0", "nightly"]),
        ("release.package:web", vec!["web@1.2.0", "web@1.10.0-rc.1", "web@1.10.0+77"]),
        ("!release.package:web", vec!["shop@2.0", "nightly"]),
        ("release.build:77", vec!["web@1.10.0+77"]),
        ("release.build:>70", vec!["web@1.10.0+77"]),
        ("has:release.build", vec!["web@1.10.0+77"]),
        ("release:shop@2.0", vec!["shop@2.0"]),
        ("release:*@1.10*", vec!["web@1.10.0-rc.1", "web@1.10.0+77"]),
        ("version:nightly", vec!["nightly"]),
        ("release.package:shop OR nightly", vec!["shop@2.0", "nightly"]),
        ("NIGHT", vec!["nightly"]),
        ("b@1.1", vec!["web@1.10.0-rc.1", "web@1.10.0+77"]),
    ] {
        let text: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let mut versions = versions(&app, &format!("query={text}")).await;
        versions.sort();
        found.sort_unstable();
        assert_eq!(versions, found, "{query}");
    }
    for (query, named) in [
        ("release.stage:adopted", "release.stage"),
        ("level:error", "level"),
        ("release.version:>soon", "release.version"),
        ("release.version:soon", "release.version"),
        ("(", "("),
    ] {
        let text: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let answer = app.get(&format!("{RELEASES}?query={text}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(named), "{answer:?}");
    }
}

#[tokio::test]
async fn a_release_is_found_by_its_version() {
    let app = filled().await;
    for version in ["web@1.0", "web%401.0"] {
        for path in [format!("{RELEASES}{version}/"), format!("/api/0/projects/acme/web/releases/{version}/")] {
            let row = app.get(&format!("{path}?health=1&statsPeriod=24h")).await.json();
            assert_eq!(row["version"], "web@1.0", "{path}");
            assert_eq!(row["projects"][0]["healthData"]["totalSessions"], 4, "{path}");
        }
    }
    assert_eq!(app.get(&format!("{RELEASES}nothing/")).await.status, StatusCode::NOT_FOUND);
    let quiet = app.get(&format!("{RELEASES}web@0.9/?health=1&statsPeriod=24h")).await.json();
    let health = &quiet["projects"][0]["healthData"];
    assert_eq!((&health["crashFreeSessions"], &health["totalSessions"]), (&Value::Null, &json!(0)));
    assert_eq!(health["hasHealthData"], true, "there were sessions before");
}

#[tokio::test]
async fn a_release_is_made_once_and_changed_after_that() {
    let app = App::new().await;
    let body = json!({"version": "web@3.1+5", "projects": ["web"], "ref": "abc", "commits": [], "url": null});
    let made = app.ann("POST", RELEASES, &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let row = made.json();
    assert_eq!((&row["version"], &row["ref"], &row["url"]), (&json!("web@3.1+5"), &json!("abc"), &json!(null)));
    assert_eq!((&row["projects"][0]["slug"], &row["status"]), (&json!("web"), &json!("open")));
    let again = app.ann("POST", RELEASES, &body).await;
    assert_eq!((again.status, again.json()), (StatusCode::ALREADY_REPORTED, row));

    let one = format!("{RELEASES}web@3.1%2B5/");
    let change = json!({"dateReleased": "2026-01-31T12:00:00Z", "url": "https://ci.example/5", "projects": [app.acme.project.id.0]});
    let changed = app.ann("PUT", &one, &change).await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    let row = changed.json();
    assert_eq!(
        (&row["dateReleased"], &row["url"], &row["ref"]),
        (&json!("2026-01-31T12:00:00Z"), &json!("https://ci.example/5"), &json!("abc"))
    );
    assert_eq!(app.get(&one).await.json(), row);
    let unsaid = app.ann("PUT", &one, &json!({"dateReleased": null, "url": null})).await.json();
    assert_eq!((&unsaid["dateReleased"], &unsaid["url"]), (&json!(null), &json!(null)));
    assert_eq!(unsaid["ref"], "abc", "absent stays");
    assert_eq!(app.get(&one).await.json(), unsaid);
    assert_eq!(app.get("/api/0/projects/acme/web/").await.json()["latestRelease"], json!({"version": "web@3.1+5"}));

    let archive = json!({"version": "web@3.1+5", "projects": [], "status": "archived"});
    assert_eq!(app.ann("POST", RELEASES, &archive).await.json()["status"], "archived");
    let listed = async |query: &str| app.get(&format!("{RELEASES}{query}")).await.json().as_array().unwrap().len();
    let all = (listed("").await, listed("?status=open").await, listed("?status=archived").await);
    assert_eq!(all, (1, 0, 1));
    let restore = json!({"version": "web@3.1+5", "status": "open"});
    assert_eq!(app.ann("POST", RELEASES, &restore).await.status, StatusCode::ALREADY_REPORTED);
    assert_eq!((listed("").await, listed("?status=archived").await), (1, 0));
}

#[tokio::test]
async fn a_release_of_a_project_is_made_below_it_and_one_of_none_is_everybodys() {
    let app = App::new().await;
    let of_web = "/api/0/projects/acme/web/releases/";
    assert_eq!(app.ann("POST", of_web, &json!({"version": "web@4"})).await.status, StatusCode::CREATED);
    let changed = app.ann("PUT", &format!("{of_web}web@4/"), &json!({"ref": "abc"})).await;
    assert_eq!((changed.status, &changed.json()["ref"]), (StatusCode::OK, &json!("abc")));
    let made = app.ann("POST", RELEASES, &json!({"version": "all@1"})).await;
    assert_eq!((made.status, &made.json()["projects"][0]["slug"]), (StatusCode::CREATED, &json!("web")));
    assert_eq!(app.ann("PUT", &format!("{RELEASES}nothing@1/"), &json!({})).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn releases_are_changed_by_who_may_and_with_what_can_be_read() {
    let app = App::new().await;
    for (field, value) in [
        ("version", json!("a/b")),
        ("version", json!("")),
        ("version", json!("latest")),
        ("version", json!("x".repeat(251))),
        ("url", json!("javascript:alert(1)")),
        ("ref", json!("x".repeat(251))),
        ("dateReleased", json!("soon")),
        ("status", json!("gone")),
        ("projects", json!(["api"])),
    ] {
        let mut body = json!({"version": "web@5", "projects": ["web"]});
        body[field] = value;
        let answer = app.ann("POST", RELEASES, &body).await;
        assert_eq!(
            (answer.status, answer.json()[field].is_array()),
            (StatusCode::BAD_REQUEST, true),
            "{field} {answer:?}"
        );
    }
    assert_eq!(app.get(RELEASES).await.json(), json!([]), "what was refused is nowhere");
    let body = json!({"version": "web@5"});
    for (scope, status) in [("project:write", StatusCode::FORBIDDEN), ("project:releases", StatusCode::CREATED)] {
        let token = token(&app.meta, app.acme.user, app.acme.organization.id, &[scope]).await;
        assert_eq!(app.with_token(&token, "POST", RELEASES, &body).await.status, status, "{scope}");
    }
}

#[tokio::test]
async fn adoption_is_a_share_of_the_project() {
    use SessionStatus::Exited;
    let app = App::new().await;
    let made = app.ann("POST", "/api/0/organizations/acme/projects/", &json!({"name": "ios"})).await.json();
    let ios = ProjectId(made["id"].as_str().unwrap().parse().unwrap());
    let of = |n: u64, release: &'static str| (0..n).map(move |user| (release, "production", user, Exited));
    let web: Vec<_> = of(6, "web@1.0").chain(of(4, "web@2.0")).collect();
    sessions(&app, app.acme.project.id, 1, &web).await;
    let apple: Vec<_> = of(3, "ios@1.0").chain(of(1, "ios@2.0")).collect();
    sessions(&app, ios, 1, &apple).await;
    let expected = ["ios@1.0", "web@1.0", "web@2.0", "ios@2.0"];
    assert_eq!(versions(&app, "sort=adoption").await, expected, "75, 60, 40 and 25 of a hundred");
    assert_eq!(versions(&app, "sort=sessions_24h").await[..2], ["web@1.0", "web@2.0"]);
}
