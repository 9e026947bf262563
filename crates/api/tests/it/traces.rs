use bytes::Bytes;
use http::StatusCode;
use nuthatch_issues::{Changes, Needs};
use nuthatch_protocol::{
    AttributeValue, EventId, Fact, Position, ProjectId, SpanId, Timestamp, Topic, TraceId, TraceItem, TraceItemKind,
};
use nuthatch_store::{IssueStore as _, TraceStore as _};
use serde_json::{Value, json};

use crate::app::{App, NOON};

const TRACE: &str = "01010101010101010101010101010101";

/// The root span of a request, `n` minutes before noon, with a query in it.
fn request(project: ProjectId, n: u8) -> Vec<TraceItem> {
    let text = |text: &str| AttributeValue::Text(text.to_owned());
    let start = NOON - 60 * i64::from(n);
    let root = TraceItem {
        project_id: project,
        kind: TraceItemKind::Span,
        id: EventId([n; 16]),
        trace_id: TraceId([n; 16]),
        span_id: Some(SpanId([n; 8])),
        parent_span_id: None,
        is_segment: true,
        event_id: Some(EventId([n + 100; 16])),
        timestamp: Timestamp::from_secs(start),
        duration_us: Some(u64::from(n) * 100_500),
        received: Timestamp::from_secs(start + 1),
        name: format!("/orders/{n}"),
        attributes: [
            ("span.op", text("http.server")),
            ("span.status", text(if n.is_multiple_of(2) { "ok" } else { "internal_error" })),
            ("transaction", text("/orders/{id}")),
            ("environment", text(if n < 3 { "production" } else { "staging" })),
            ("http.status_code", AttributeValue::Integer(if n.is_multiple_of(2) { 200 } else { 500 })),
            ("measurements.lcp", AttributeValue::Double(2.5)),
            ("cached", AttributeValue::Boolean(false)),
        ]
        .map(|(key, value)| (key.to_owned(), value))
        .into(),
        body: Bytes::from(
            json!({
                "type": "transaction", "transaction": "/orders/{id}", "platform": "python",
                "start_timestamp": start as f64, "timestamp": start as f64 + 0.5, "tags": [["region", "eu"]],
                "spans": [{"span_id": "0f0f0f0f0f0f0f0f", "op": "db"}], "_meta": {"user": {"": {"len": 3}}},
            })
            .to_string(),
        ),
    };
    let query = TraceItem {
        id: EventId([n + 50; 16]),
        span_id: Some(SpanId([n + 50; 8])),
        parent_span_id: root.span_id,
        is_segment: false,
        event_id: None,
        timestamp: Timestamp::from_secs(start).plus(std::time::Duration::from_millis(10)),
        duration_us: Some(20_000),
        name: "SELECT * FROM orders".to_owned(),
        attributes: [("span.op", text("db")), ("transaction", text("/orders/{id}"))]
            .map(|(key, value)| (key.to_owned(), value))
            .into(),
        body: Bytes::from_static(b"{}"),
        ..root.clone()
    };
    let log = TraceItem {
        kind: TraceItemKind::Log,
        id: EventId([n + 50; 16]),
        span_id: root.span_id,
        duration_us: None,
        name: format!("order {n} not found"),
        attributes: [("severity".to_owned(), text("warn"))].into(),
        ..query.clone()
    };
    vec![root, query, log]
}

/// Four requests of Ann's, one of Eve's.
async fn app() -> App {
    let app = App::new().await;
    fill(&app).await;
    app
}

/// Stores them.
pub async fn fill(app: &App) {
    let mut items: Vec<_> = (1..5).flat_map(|n| request(app.acme.project.id, n)).collect();
    items.extend(request(app.other.project.id, 9));
    let mut changes = Changes::default();
    for item in &items {
        if let Some(fact) = Fact::of_item(item) {
            changes.facts.saw(item.project_id, fact, item.timestamp);
        }
    }
    app.meta.transact(Needs::default(), None, Box::new(move |_| changes)).await.unwrap();
    app.traces.upsert(items, Position { topic: Topic::TraceItems, partition: 0, offset: 1 }).await.unwrap();
    app.traces.commit().await.unwrap();
}

async fn table(app: &App, parameters: &str) -> Value {
    let answer = app.get(&format!("/api/0/organizations/acme/events/?{parameters}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

#[tokio::test]
async fn spans_are_listed_with_their_types_and_units() {
    let app = app().await;
    let fields = "field=id&field=span.op&field=span.duration&field=timestamp&field=http.status_code&field=project\
                  &field=is_transaction&field=cached&field=none";
    let shown = table(&app, &format!("dataset=spans&{fields}&query=is_transaction:true&per_page=2")).await;
    assert_eq!(
        shown["data"][0],
        json!({
            "id": "0101010101010101", "span.op": "http.server", "span.duration": 100.5,
            "timestamp": "2026-01-31T11:59:00Z", "http.status_code": 500, "project": "web", "is_transaction": true,
            "cached": false, "none": null, "project.name": "web", "transaction.span_id": "0101010101010101",
            "trace": "01010101010101010101010101010101",
        })
    );
    let meta = &shown["meta"];
    assert_eq!(
        meta["fields"],
        json!({
            "id": "string", "span.op": "string", "span.duration": "duration", "timestamp": "date",
            "http.status_code": "number", "project": "string", "is_transaction": "boolean", "cached": "boolean",
            "none": "string", "project.name": "string", "transaction.span_id": "string", "trace": "string",
        })
    );
    assert_eq!((&meta["units"]["span.duration"], &meta["units"]["id"]), (&json!("millisecond"), &json!(null)));
    assert_eq!((&meta["dataset"], &meta["isMetricsData"]), (&json!("spans"), &json!(false)));
    assert_eq!((&meta["datasetReason"], &meta["dataScanned"]), (&json!("unchanged"), &json!("full")));
}

#[tokio::test]
async fn transactions_name_the_event_that_can_be_opened() {
    let app = app().await;
    let fields = "field=id&field=event_id&field=span_id&field=transaction.status&field=span.status";
    let shown = table(&app, &format!("dataset=transactions&{fields}&per_page=1")).await;
    let row = &shown["data"][0];
    let event = EventId([101; 16]).to_string();
    assert_eq!((&row["id"], &row["event_id"]), (&json!(event), &json!(event)));
    assert_eq!(
        (&row["span_id"], &row["transaction.status"], &row["span.status"]),
        (&json!("0101010101010101"), &json!("internal_error"), &json!("internal_error"))
    );
    assert_eq!(shown["meta"]["fields"]["event_id"], "string");
    let opened = app.get(&format!("/api/0/projects/acme/web/events/{event}/")).await;
    assert_eq!((opened.status, &opened.json()["type"]), (StatusCode::OK, &json!("transaction")));
    let spans = table(&app, &format!("dataset=spans&{fields}&query=is_transaction:true&per_page=1")).await;
    assert_eq!(spans["data"][0]["id"], "0101010101010101", "a span is named by its own id");
}

#[tokio::test]
async fn pages_of_items_go_both_ways_in_any_order() {
    let app = app().await;
    let ids = |answer: &crate::app::Answer| -> Vec<String> {
        let rows = answer.json()["data"].as_array().unwrap().clone();
        rows.iter().map(|row| row["span_id"].as_str().unwrap()[..2].to_owned()).collect()
    };
    for (sort, expected) in [("", ["01", "02", "03", "04"]), ("-span.duration", ["04", "03", "02", "01"])] {
        let path = |cursor: &str| {
            format!(
                "/api/0/organizations/acme/events/?dataset=transactions&field=span_id&per_page=3&sort={sort}&cursor={cursor}"
            )
        };
        let first = app.get(&path("")).await;
        assert_eq!(ids(&first), expected[..3], "{sort}");
        assert_eq!(first.cursor("previous"), None);
        let second = app.get(&path(&first.cursor("next").unwrap())).await;
        assert_eq!((ids(&second), second.cursor("next")), (vec![expected[3].to_owned()], None), "{sort}");
        let back = app.get(&path(&second.cursor("previous").unwrap())).await;
        assert_eq!(
            (ids(&back), back.cursor("previous")),
            (expected[..3].to_vec().iter().map(|id| (*id).to_owned()).collect(), None)
        );
    }
}

#[tokio::test]
async fn functions_make_groups() {
    let app = app().await;
    let shown = table(
        &app,
        "dataset=spans&statsPeriod=1h&field=span.op&field=project&field=count()&field=p50(span.duration)&field=epm()\
         &field=failure_rate()&field=count_unique(trace)&field=max(http.status_code)&sort=-p50(span.duration)",
    )
    .await;
    let row = |op: &str, p50: Value, failed: f64, status: Value| {
        json!({
            "span.op": op, "project": "web", "count()": 4, "p50(span.duration)": p50, "epm()": 4.0 / 60.0,
            "failure_rate()": if failed == 0.0 { json!(0) } else { json!(failed) }, "count_unique(trace)": 4,
            "max(http.status_code)": status,
        })
    };
    assert_eq!(
        shown["data"],
        json!([row("http.server", json!(201), 0.5, json!(500)), row("db", json!(20), 0.0, json!(null))])
    );
    let described = |column: &str| (shown["meta"]["fields"][column].clone(), shown["meta"]["units"][column].clone());
    assert_eq!(described("p50(span.duration)"), (json!("duration"), json!("millisecond")));
    assert_eq!(described("epm()"), (json!("rate"), json!("1/minute")));
    assert_eq!(described("failure_rate()"), (json!("percentage"), json!(null)));
    assert_eq!(described("count()"), (json!("integer"), json!(null)));
    let path =
        "/api/0/organizations/acme/events/?dataset=spans&field=span_id&field=count()&sort=span_id&per_page=5&cursor=";
    let first = app.get(path).await;
    let second = app.get(&format!("{path}{}", first.cursor("next").unwrap())).await;
    assert_eq!(
        (first.json()["data"].as_array().unwrap().len(), second.json()["data"].as_array().unwrap().len()),
        (5, 3)
    );
    assert_eq!(second.cursor("next"), None);
}

#[tokio::test]
async fn searches_and_parameters_choose_items() {
    let app = app().await;
    for (parameters, count) in [
        ("query=", 8),
        ("query=span.op:db", 4),
        ("query=span.duration:%3E250ms", 2),
        ("query=project:web", 8),
        ("query=project:api", 0),
        ("query=!project:w*", 0),
        ("query=http.status_code:5*%20OR%20span.op:db", 6),
        ("query=orders%20select", 0),
        ("query=from%20orders", 4),
        ("environment=production", 2),
        ("statsPeriod=150s", 4),
        ("start=2026-01-31T11:57:00Z&end=2026-01-31T11:58:00Z", 2),
        ("project=web", 8),
        ("project=-1", 8),
    ] {
        let shown = table(&app, &format!("dataset=spans&field=count()&{parameters}")).await;
        assert_eq!(shown["data"], json!([{ "count()": count }]), "{parameters}");
    }
    let logs =
        table(&app, "dataset=ourlogs&field=sentry.item_id&field=message&field=severity&query=not%20found&per_page=1")
            .await;
    assert_eq!(
        logs["data"],
        json!([{
            "id": "33333333333333333333333333333333", "sentry.item_id": "33333333333333333333333333333333",
            "message": "order 1 not found", "severity": "warn", "project.name": "web",
        }])
    );
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let app = app().await;
    let good = "dataset=spans&field=id";
    for (parameters, member) in [
        ("dataset=replays&field=id".to_owned(), "dataset"),
        ("field=timestamp&field=count()".to_owned(), "field"),
        ("dataset=spans".to_owned(), "field"),
        ("dataset=spans&field=apdex(300)".to_owned(), "field"),
        ("dataset=spans&field=count()&sort=-p95()".to_owned(), "sort"),
        (format!("{good}&sort=count()"), "sort"),
        (format!("{good}&start=2026-01-31&end=2026-01-30"), "start"),
        (format!("dataset=spans&{}", (0..21).map(|n| format!("field=a{n}&")).collect::<String>()), "field"),
    ] {
        let answer = app.get(&format!("/api/0/organizations/acme/events/?{parameters}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{parameters}");
        assert!(answer.json()[member].is_array() && answer.json()["detail"].is_string(), "{parameters} {answer:?}");
    }
    for (parameters, status) in [
        (format!("{good}&query=a:1%20OR"), StatusCode::BAD_REQUEST),
        (format!("{good}&cursor=1:x:0"), StatusCode::BAD_REQUEST),
        ("dataset=spans&field=id&field=count()".to_owned(), StatusCode::BAD_REQUEST),
        (format!("{good}&project=api"), StatusCode::NOT_FOUND),
    ] {
        let answer = app.get(&format!("/api/0/organizations/acme/events/?{parameters}")).await;
        assert_eq!(answer.status, status, "{parameters}");
    }
}

#[tokio::test]
async fn series_have_no_gaps() {
    let app = app().await;
    let get = async |parameters: &str| {
        let path = format!("/api/0/organizations/acme/events-stats/?dataset=spans&{parameters}");
        app.get(&path).await.json()
    };
    let one = get("start=2026-01-31T11:55:00Z&end=2026-01-31T11:59:59Z&interval=1m").await;
    let counts: Vec<_> = one["data"].as_array().unwrap().iter().map(|point| point[1][0]["count"].clone()).collect();
    assert_eq!(counts, [0, 2, 2, 2, 2]);
    assert_eq!(
        (&one["data"][0][0], &one["start"], &one["end"]),
        (&json!(NOON - 300), &json!(NOON - 300), &json!(NOON))
    );
    let two = get("statsPeriod=5m&interval=5m&yAxis=count()&yAxis=max(span.duration)").await;
    assert_eq!((&two["count()"]["order"], &two["max(span.duration)"]["order"]), (&json!(0), &json!(1)));
    assert_eq!(two["max(span.duration)"]["data"][0][1][0]["count"], 402);
    assert_eq!(two["max(span.duration)"]["meta"]["units"]["max(span.duration)"], "millisecond");
    assert!(get("yAxis=id").await["yAxis"].is_array());
    assert!(get("topEvents=5").await["topEvents"].is_array());
}

#[tokio::test]
async fn a_trace_is_a_tree() {
    let app = app().await;
    let tree = app.get(&format!("/api/0/organizations/acme/trace/{TRACE}/?additional_attributes=cached")).await.json();
    let root = &tree[0];
    assert_eq!(tree.as_array().unwrap().len(), 1);
    assert_eq!((&root["event_type"], &root["event_id"]), (&json!("span"), &json!("0101010101010101")));
    assert_eq!(
        (&root["transaction_id"], &root["project_id"]),
        (&json!("65".repeat(16)), &json!(app.acme.project.id.0))
    );
    assert_eq!((&root["duration"], &root["is_transaction"]), (&json!(100.5), &json!(true)));
    assert_eq!(
        (&root["measurements"], &root["additional_attributes"]),
        (&json!({"lcp": 2.5}), &json!({"cached": false}))
    );
    assert_eq!((&root["children"][0]["op"], &root["children"][0]["children"]), (&json!("db"), &json!([])));
    let meta = app.get(&format!("/api/0/organizations/acme/trace-meta/{TRACE}/")).await.json();
    assert_eq!((&meta["spansCount"], &meta["logsCount"], &meta["span_count"]), (&json!(2), &json!(1), &json!(2)));
    assert_eq!(meta["spansCountMap"], json!({"db": 1, "http.server": 1}));
    assert_eq!(meta["transactionChildCountMap"], json!([{"transaction.event_id": "65".repeat(16), "count()": 1}]));
    let logs = app.get(&format!("/api/0/organizations/acme/trace-logs/?traceId={TRACE}")).await.json();
    assert_eq!(logs["data"][0]["message"], "order 1 not found");
    let of_eve = "09".repeat(16);
    assert_eq!(app.get(&format!("/api/0/organizations/acme/trace/{of_eve}/")).await.json(), json!([]), "not Ann's");
    assert_eq!(app.get("/api/0/organizations/acme/trace/nothing/").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_trace_shows_what_went_wrong_in_it() {
    let app = app().await;
    let web = &app.acme.project;
    app.issue(web, 1, 1).await;
    let within =
        |span: &str| json!({"transaction": "/orders", "contexts": {"trace": {"trace_id": TRACE, "span_id": span}}});
    app.event(web, 1, 1, NOON - 10, &within("0101010101010101")).await;
    app.event(web, 2, 1, NOON - 9, &within("ffffffffffffffff")).await;
    app.event(web, 3, 2, NOON - 8, &within("0101010101010101")).await;
    app.event(&app.other.project, 4, 1, NOON - 8, &within("0101010101010101")).await;
    let tree = app.get(&format!("/api/0/organizations/acme/trace/{TRACE}/")).await.json();
    let error = |n: u8, secs: i64| {
        json!({
            "event_type": "error", "event_id": EventId([n; 16]).to_string(), "issue_id": 1001, "short_id": "WEB-1",
            "level": "error", "description": "ValueError: number", "culprit": "app.views in index", "issue_type": 1,
            "start_timestamp": secs as f64, "transaction": "/orders", "project_id": web.id.0, "project_slug": "web",
        })
    };
    assert_eq!(tree[0]["errors"], json!([error(1, NOON - 10)]), "of another organization, or without an issue: no");
    assert_eq!((&tree[1], tree.as_array().unwrap().len()), (&error(2, NOON - 9), 2), "in no span that is known");
    let meta = app.get(&format!("/api/0/organizations/acme/trace-meta/{TRACE}/")).await.json();
    assert_eq!((&meta["errorsCount"], &meta["performanceIssuesCount"]), (&json!(2), &json!(0)));
}

#[tokio::test]
async fn one_item_is_shown_with_all_its_attributes() {
    let app = app().await;
    let get = async |path: &str| app.get(&format!("/api/0/projects/acme/web/trace-items/{path}")).await;
    let id = "33".repeat(16);
    let log = get(&format!("{id}/?item_type=logs")).await.json();
    assert_eq!((&log["itemId"], &log["links"]), (&json!(id), &json!(null)));
    assert_eq!(log["attributes"], json!([{"name": "severity", "type": "str", "value": "warn"}]));
    let span = get(&format!("0101010101010101/?trace_id={TRACE}")).await.json();
    assert_eq!(span["itemId"], "01".repeat(16));
    assert!(
        span["attributes"].as_array().unwrap().contains(&json!({"name": "cached", "type": "bool", "value": false}))
    );
    for missing in
        ["0101010101010101/".to_owned(), format!("{}/", "09".repeat(16)), format!("{id}/?item_type=tracemetrics")]
    {
        assert_eq!(get(&missing).await.status, StatusCode::NOT_FOUND, "{missing}");
    }
    assert_eq!(get(&format!("{id}/?item_type=errors")).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_transaction_is_an_event() {
    let app = app().await;
    let id = "65".repeat(16);
    let event = app.get(&format!("/api/0/projects/acme/web/events/{id}/")).await.json();
    assert_eq!(
        (&event["eventID"], &event["type"], &event["groupID"]),
        (&json!(id), &json!("transaction"), &json!(null))
    );
    assert_eq!((&event["title"], &event["platform"]), (&json!("/orders/{id}"), &json!("python")));
    assert_eq!((&event["startTimestamp"], &event["tags"][0]["key"]), (&json!(NOON as f64 - 60.0), &json!("region")));
    assert_eq!(event["entries"], json!([{"type": "spans", "data": [{"span_id": "0f0f0f0f0f0f0f0f", "op": "db"}]}]));
    let stored = app.get(&format!("/api/0/projects/acme/web/events/{id}/json/")).await.json();
    assert_eq!(stored["_meta"], json!({"user": {"": {"len": 3}}}));
    let found = app.get(&format!("/api/0/organizations/acme/eventids/{id}/")).await.json();
    assert_eq!(found["projectSlug"], "web");
    let of_eve = "6d".repeat(16);
    assert_eq!(app.get(&format!("/api/0/projects/acme/web/events/{of_eve}/")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn attributes_complete_searches() {
    let app = app().await;
    let get =
        async |path: &str| app.get(&format!("/api/0/organizations/acme/trace-items/attributes/{path}")).await.json();
    let names = |rows: &Value| -> Vec<String> {
        rows.as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect()
    };
    let texts = get("?dataset=spans&substringMatch=SPAN").await;
    assert_eq!(names(&texts), ["span.op", "span.status"]);
    assert_eq!(texts[0]["attributeType"], "string");
    let numbers = get("?dataset=spans&attributeType=number").await;
    assert_eq!(names(&numbers), ["http.status_code", "measurements.lcp"]);
    let values = get("http.status_code/values/?dataset=spans").await;
    assert_eq!((&values[0]["value"], &values[0]["count"]), (&json!("200"), &json!(2)));
    assert_eq!(get("span.op/values/?dataset=spans&substringMatch=d").await.as_array().unwrap().len(), 1);
    assert!(get("?dataset=spans&attributeType=list").await["attributeType"].is_array());
}
