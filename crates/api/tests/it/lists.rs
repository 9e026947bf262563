//! Pages of lists: the links that lead to their neighbours (`reference/web-api.md` §1.3).

use http::{StatusCode, header};
use nuthatch_issues::{Changes, Needs};
use nuthatch_protocol::{
    CheckIn, DataCategory, EventId, Origin, Position, Timestamp, Topic, Units,
    check_in::{CheckInStatus, MonitorConfig, Schedule},
};
use nuthatch_store::{
    IssueStore as _, MonitorStore as _,
    issues::ConsumerPosition,
    monitors::ReceivedCheckIn,
    settlements::{Counted, Settlement},
};
use serde_json::{Value, json};

use crate::{
    app::{Answer, App, NOON},
    isolation::filled_in,
};

/// Every list, and what it needs to be asked.
fn lists(app: &App) -> Vec<(String, &'static str)> {
    let api = serde_json::to_value(nuthatch_api::openapi()).unwrap();
    let mut lists = Vec::new();
    for (path, methods) in api["paths"].as_object().unwrap() {
        let parameters = methods["get"]["parameters"].as_array().cloned().unwrap_or_default();
        if parameters.iter().all(|parameter| parameter["name"] != "cursor") {
            continue;
        }
        let needed = match path.rsplit('/').nth(1).unwrap() {
            "sessions" => "field=sum(session)&",
            "files" => "kind=attachment&",
            _ if path.contains("/trace-items/") => "dataset=spans&",
            "events" if path.ends_with("{org}/events/") => "field=id&",
            _ => "",
        };
        let path = filled_in(app, &path.replace("tags/{key}", "tags/browser").replace("{monitor}", "nightly"));
        if let Some((_, of_issue)) = path.split_once("/acme/issues/").filter(|(_, below)| !below.is_empty()) {
            lists.push((format!("/api/0/issues/{of_issue}"), needed));
            lists.push((format!("/api/0/organizations/acme/groups/{of_issue}"), needed));
        }
        lists.push((path, needed));
    }
    lists
}

/// The address of a direction of the `Link` header.
fn address(answer: &Answer, relation: &str) -> String {
    let link = answer.headers[header::LINK].to_str().unwrap();
    let part = link.split(", ").find(|part| part.contains(&format!("rel=\"{relation}\""))).unwrap();
    part.trim_start_matches('<').split_once('>').unwrap().0.to_owned()
}

async fn check_in(app: &App) {
    let received = Timestamp::from_secs(NOON - 60);
    let config = MonitorConfig {
        schedule: Schedule::Crontab { value: "0 3 * * *".to_owned() },
        checkin_margin: None,
        max_runtime: None,
        timezone: None,
        failure_issue_threshold: None,
        recovery_threshold: None,
        owner: None,
    };
    let check_in = CheckIn {
        id: None,
        slug: "nightly".to_owned(),
        status: CheckInStatus::Ok,
        duration_ms: None,
        environment: "production".to_owned(),
        release: None,
        trace_id: None,
        config: Some(config),
    };
    let project_id = app.acme.project.id;
    let what = ReceivedCheckIn { project_id, record_id: EventId([3; 16]), received, handled: received, check_in };
    let origin = Origin { received, project_id: Some(project_id), key_id: None };
    let units = Units { origin, counts: vec![(DataCategory::Monitor, 1)] };
    let position = Position { topic: Topic::IngestMonitors, partition: 0, offset: 1 };
    let consumer = ConsumerPosition { consumer: "monitors".to_owned(), position };
    let settlement = Settlement::of(consumer, 1);
    app.meta.apply_check_ins(vec![Counted { what, units }], settlement).await.unwrap();
}

#[tokio::test]
async fn the_links_of_every_list_lead_to_a_page_of_it() {
    let app = App::new().await;
    let project = &app.acme.project;
    for n in 1..3 {
        app.issue(project, u64::from(n), n).await;
        app.event(project, n, 1, NOON - 60 * i64::from(n), &json!({})).await;
        app.attachment(project, 7, "a.txt", "text/plain", b"bytes").await;
        app.report(project, n, "it broke").await;
    }
    check_in(&app).await;
    app.ann("POST", "/api/0/organizations/acme/teams/", &json!({"name": "Core"})).await;
    let releases = vec![(project.id, "web@1.0".to_owned(), Timestamp(0))];
    let changes = Changes { releases, ..Changes::default() };
    app.meta.transact(Needs::default(), None, Box::new(move |_| changes)).await.unwrap();

    let lists = lists(&app);
    assert!(lists.len() > 40, "{}", lists.len());
    for (path, needed) in lists {
        let page = app.get(&format!("{path}?{needed}per_page=1")).await;
        assert_eq!(page.status, StatusCode::OK, "{path} {:?}", page.body);
        for relation in ["next", "previous"] {
            let address = address(&page, relation);
            let target = address.strip_prefix("https://nuthatch.example").unwrap();
            assert_eq!(target.split('?').next(), Some(path.as_str()), "{relation}");
            let followed = app.get(target).await;
            assert_eq!(followed.status, StatusCode::OK, "{target} {:?}", followed.body);
            assert!(matches!(followed.json(), Value::Array(_) | Value::Object(_)), "{target}");
        }
    }
    let first = app.get("/api/0/organizations/acme/issues/1001/events/?per_page=1").await;
    let second = app.get(address(&first, "next").strip_prefix("https://nuthatch.example").unwrap()).await;
    assert_eq!((&first.json()[0]["id"], &second.json()[0]["id"]), (&json!("01".repeat(16)), &json!("02".repeat(16))));
}
