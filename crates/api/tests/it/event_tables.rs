//! Tables and series of events (`reference/web-api.md` §4.1, §4.2).

use http::StatusCode;
use nuthatch_protocol::EventId;
use nuthatch_store::ProjectStore as _;
use serde_json::{Value, json};

use crate::app::{App, NOON};

const TRACE: &str = "4c79f60c11214eb38604f4ae0781bfb2";

/// Five events in the last ten minutes: three of WEB-1, two of WEB-2.
async fn app() -> App {
    let app = App::new().await;
    let web = &app.acme.project;
    app.issue(web, 1, 1).await;
    app.issue(web, 2, 2).await;
    for (n, hash, minutes) in [(1, 1, 9), (2, 1, 8), (3, 2, 7), (4, 1, 2), (5, 2, 1)] {
        let body = json!({
            "contexts": {"trace": {"trace_id": TRACE}}, "user": {"email": "ada@example.org"},
            "exception": {"values": [{"type": "KeyError", "stacktrace": {"frames": [{"function": "load"}]}}]},
        });
        app.event(web, n, hash, NOON - 60 * minutes, &body).await;
    }
    app.issue(&app.other.project, 1, 1).await;
    app.event(&app.other.project, 9, 1, NOON - 60, &json!({})).await;
    app
}

async fn get(app: &App, what: &str, parameters: &str) -> Value {
    app.get(&format!("/api/0/organizations/acme/{what}/?{parameters}")).await.json()
}

fn id(n: u8) -> String {
    EventId([n; 16]).to_string()
}

fn column(answer: &Value, name: &str) -> Vec<Value> {
    answer["data"].as_array().unwrap().iter().map(|row| row[name].clone()).collect()
}

#[tokio::test]
async fn events_are_rows_newest_first() {
    let app = app().await;
    let fields = "field=id&field=title&field=issue&field=issue.id&field=project&field=level&field=timestamp&field=trace\
                  &field=user.display&field=error.type&field=stack.function&field=browser&field=made.up";
    let answer = get(&app, "events", &format!("dataset=errors&{fields}")).await;
    assert_eq!(column(&answer, "id"), [5, 4, 3, 2, 1].map(id).map(Value::from));
    assert_eq!(
        answer["data"][0],
        json!({
            "id": id(5), "title": "ValueError: number", "issue": "WEB-2", "issue.id": 1002, "project": "web",
            "project.name": "web", "level": "error", "timestamp": "2026-01-31T11:59:00Z", "trace": TRACE,
            "user.display": "ada@example.org", "error.type": ["KeyError"], "stack.function": ["load"],
            "browser": "Firefox 2", "made.up": null,
        })
    );
    assert_eq!(answer["meta"]["dataset"], "errors");
    assert_eq!(
        (&answer["meta"]["fields"]["issue.id"], &answer["meta"]["fields"]["timestamp"]),
        (&json!("integer"), &json!("date"))
    );

    let list = |sort: &str, cursor: String| {
        format!("/api/0/organizations/acme/events/?field=id&per_page=2&sort={sort}&cursor={cursor}")
    };
    for (sort, walked) in [("-timestamp", [5, 4, 3, 2, 1]), ("timestamp", [1, 2, 3, 4, 5])] {
        let first = app.get(&list(sort, String::new())).await;
        let second = app.get(&list(sort, first.cursor("next").unwrap())).await;
        let third = app.get(&list(sort, second.cursor("next").unwrap())).await;
        let ids: Vec<Value> = [&first, &second, &third].iter().flat_map(|page| column(&page.json(), "id")).collect();
        assert_eq!(ids, walked.map(id).map(Value::from), "{sort}");
        assert_eq!((first.cursor("previous"), third.cursor("next")), (None, None), "{sort}");
        let back = app.get(&list(sort, third.cursor("previous").unwrap())).await;
        assert_eq!(back.json(), second.json(), "{sort}");
    }
}

#[tokio::test]
async fn datasets_of_events_are_named_or_left_out() {
    let app = app().await;
    for what in ["events", "events-stats"] {
        let path = |dataset: &str| format!("/api/0/organizations/acme/{what}/?field=id&statsPeriod=10m{dataset}");
        let left_out = app.get(&path("")).await.json();
        assert_eq!(app.get(&path("&dataset=discover")).await.json(), left_out, "{what}");
        let of_detectors = app.get(&path("&dataset=issuePlatform")).await;
        assert_eq!(of_detectors.status, StatusCode::OK, "{what} {of_detectors:?}");
    }
    let none = get(&app, "events", "field=id&dataset=issuePlatform").await;
    assert_eq!((&none["data"], &none["meta"]["dataset"]), (&json!([]), &json!("issuePlatform")), "all are errors");
    let wrong = get(&app, "events", "field=id&dataset=discovery").await;
    assert!(wrong["dataset"][0].as_str().unwrap().contains("discover"), "{wrong}");
}

#[tokio::test]
async fn the_latest_release_is_that_of_the_projects_asked_about() {
    let app = app().await;
    for query in ["release:latest", "release:[latest, nothing]", "!release:latest"] {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let parameters = format!("dataset=errors&field=id&query={query}");
        assert_eq!(
            get(&app, "events", &parameters).await["data"].as_array().unwrap().len(),
            if query.starts_with("%21") { 5 } else { 0 }
        );
    }
    let made = json!({"version": "web@1.0", "projects": ["web"]});
    app.ann("POST", "/api/0/organizations/acme/releases/", &made).await;
    let latest = get(&app, "events", "dataset=errors&field=id&query=release:latest").await;
    assert_eq!(column(&latest, "id"), [5, 4, 3, 2, 1].map(id).map(Value::from));
    let newer = json!({"version": "web@2.0", "projects": ["web"]});
    app.pass(60);
    app.ann("POST", "/api/0/organizations/acme/releases/", &newer).await;
    let latest = get(&app, "events", "dataset=errors&field=id&query=release:latest").await;
    assert_eq!(latest["data"], json!([]));
}

#[tokio::test]
async fn a_search_narrows_events_by_what_they_have_and_where_they_are() {
    let app = app().await;
    for (query, found) in [
        ("", vec![5, 4, 3, 2, 1]),
        ("issue:WEB-2", vec![5, 3]),
        ("issue:[WEB-2, WEB-1] browser:\"Firefox 1\"", vec![4, 2, 1]),
        ("issue.id:1001", vec![4, 2, 1]),
        ("issue:WEB-9", vec![]),
        ("project:web", vec![5, 4, 3, 2, 1]),
        ("!project:web", vec![]),
        ("project:api", vec![]),
        (&format!("trace:{TRACE} level:error"), vec![5, 4, 3, 2, 1]),
        ("level:fatal OR browser:\"Firefox 2\"", vec![5, 3]),
    ] {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let answer = get(&app, "events", &format!("dataset=errors&field=id&query={query}")).await;
        assert_eq!(column(&answer, "id"), found.into_iter().map(id).map(Value::from).collect::<Vec<_>>(), "{query}");
    }
    for wrong in
        ["query=issue:WEB-1+OR+level:error", "query=!issue:WEB-1", "query=count():%3E1", "sort=title", "project=api"]
    {
        let answer = app.get(&format!("/api/0/organizations/acme/events/?dataset=errors&field=id&{wrong}")).await;
        assert!(matches!(answer.status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND), "{wrong} {answer:?}");
    }
}

#[tokio::test]
async fn events_are_grouped_as_soon_as_a_column_is_a_function() {
    let app = app().await;
    let fields = "field=issue&field=title&field=project&field=count()&field=count_unique(browser)&field=last_seen()";
    let answer = get(&app, "events", &format!("dataset=errors&{fields}&sort=-count()&statsPeriod=1h")).await;
    let row = |issue: &str, title: &str, count: u64, minute: u8| {
        json!({
            "issue": issue, "title": title, "project": "web", "count()": count, "count_unique(browser)": 1,
            "last_seen()": format!("2026-01-31T11:{minute}:00Z"),
        })
    };
    let rows = [row("WEB-1", "ValueError: number 1", 3, 58), row("WEB-2", "ValueError: number 2", 2, 59)];
    assert_eq!(answer["data"], json!(rows));
    assert_eq!(answer["meta"]["fields"]["last_seen()"], "date");
    let rate = get(&app, "events", "field=browser&field=epm()&sort=browser&statsPeriod=10m").await;
    assert_eq!(rate["data"], json!([{"browser": "Firefox 1", "epm()": 0.3}, {"browser": "Firefox 2", "epm()": 0.2}]));
    let nothing = get(&app, "events", "field=count()&field=last_seen()&query=level:fatal").await;
    assert_eq!(nothing["data"], json!([{"count()": 0, "last_seen()": null}]));
    for wrong in ["field=timestamp&field=count()", "field=p95(span.duration)", "field=count_unique(title)"] {
        let answer = get(&app, "events", &format!("dataset=errors&{wrong}")).await;
        assert!(answer["field"].is_array(), "{wrong} {answer}");
    }
}

#[tokio::test]
async fn events_are_counted_over_time() {
    let app = app().await;
    let counts = |series: &Value| -> Vec<Value> {
        series["data"].as_array().unwrap().iter().map(|point| point[1][0]["count"].clone()).collect()
    };
    let parameters = "dataset=errors&statsPeriod=10m&interval=5m";
    let one = get(&app, "events-stats", parameters).await;
    assert_eq!((&one["start"], counts(&one)), (&json!(NOON - 600), vec![json!(3), json!(2), json!(0)]));
    let two = get(&app, "events-stats", &format!("{parameters}&yAxis=epm()&yAxis=count_unique(browser)")).await;
    assert_eq!(counts(&two["epm()"]), [json!(0.6), json!(0.4), json!(0)]);
    assert_eq!(
        (counts(&two["count_unique(browser)"]), &two["count_unique(browser)"]["order"]),
        (vec![json!(2), json!(2), json!(0)], &json!(1))
    );

    let top = format!("{parameters}&topEvents=1&field=issue&field=project&field=count()&sort=-count()");
    let answer = get(&app, "events-stats", &top).await;
    assert_eq!(answer.as_object().unwrap().keys().collect::<Vec<_>>(), ["Other", "WEB-1,web"]);
    assert_eq!(counts(&answer["WEB-1,web"]), [2, 1, 0]);
    assert_eq!((counts(&answer["Other"]), &answer["Other"]["order"]), (vec![json!(1), json!(1), json!(0)], &json!(1)));
    let several = get(&app, "events-stats", &format!("{top}&yAxis=count()&yAxis=epm()&excludeOther=1")).await;
    assert_eq!(several.as_object().unwrap().keys().collect::<Vec<_>>(), ["WEB-1,web"]);
    assert_eq!(counts(&several["WEB-1,web"]["epm()"]), [json!(0.4), json!(0.2), json!(0)]);
    for (wrong, named) in
        [("topEvents=11&field=issue", "topEvents"), ("topEvents=2", "field"), ("yAxis=p95()", "yAxis")]
    {
        let answer = get(&app, "events-stats", &format!("{parameters}&{wrong}")).await;
        assert!(answer[named].is_array(), "{wrong} {answer}");
    }
}

#[tokio::test]
async fn tables_and_series_of_events_are_ones_own() {
    let app = app().await;
    for path in ["events/?field=id", "events/?field=count()", "events-stats/?"] {
        let path = format!("/api/0/organizations/acme/{path}&dataset=errors");
        let strange = app.with_token(&app.other.token, "GET", &path, &Value::Null).await;
        assert_eq!(strange.status, StatusCode::NOT_FOUND, "{path}");
    }
    let issue_of_another = get(&app, "events", "field=id&query=issue.id:2001").await;
    assert_eq!(issue_of_another["data"], json!([]));
}

#[tokio::test]
async fn issues_of_several_projects_are_told_apart_though_they_share_a_hash() {
    let app = app().await;
    let made = app.ann("POST", "/api/0/organizations/acme/projects/", &json!({"name": "Shop", "slug": "shop"})).await;
    let shop_id = made.json()["id"].as_str().unwrap().parse().unwrap();
    let shop = app.meta.project(shop_id).await.unwrap().unwrap();
    app.issue(&shop, 1, 1).await;
    app.issue(&shop, 2, 3).await;
    app.event(&shop, 21, 1, NOON - 30, &json!({})).await;
    app.event(&shop, 22, 3, NOON - 20, &json!({})).await;
    for (search, expected) in [
        ("issue:[WEB-1, SHOP-2]", vec![22, 4, 2, 1]),
        ("issue.id:[1001]", vec![4, 2, 1]),
        ("issue:[WEB-1, SHOP-1]", vec![21, 4, 2, 1]),
        ("issue:[WEB-1, WEB-2] issue:[WEB-2, SHOP-2]", vec![5, 3]),
        ("issue:WEB-1 issue:SHOP-1", vec![]),
    ] {
        let answer = get(&app, "events", &format!("field=id&query={}", search.replace(' ', "%20"))).await;
        let expected: Vec<Value> = expected.into_iter().map(|n| json!(id(n))).collect();
        assert_eq!(column(&answer, "id"), expected, "{search}");
    }
}

#[tokio::test]
async fn a_day_is_the_whole_day_also_in_a_list() {
    let app = app().await;
    for (search, rows) in [
        ("timestamp:2026-01-31", 5),
        ("timestamp:[2026-01-31]", 5),
        ("timestamp:[2026-01-30, 2026-01-31]", 5),
        ("!timestamp:[2026-01-31]", 0),
        ("timestamp:[2026-01-30]", 0),
        ("timestamp:[\"2026-01-31T11:59:00Z\", 2026-01-30]", 1),
    ] {
        let query = search.replace(' ', "%20").replace('"', "%22");
        let answer = get(&app, "events", &format!("field=id&query={query}")).await;
        assert_eq!(column(&answer, "id").len(), rows, "{search}: {answer}");
    }
}
