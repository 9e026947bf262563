use http::StatusCode;
use nuthatch_protocol::{DataCategory, KeyId, Origin, Outcome, Outcomes, Position, ProjectId, Timestamp, Topic};
use nuthatch_store::{
    IssueStore as _, Log as _, SettlementStore as _, issues::ConsumerPosition, log::ReadLimit, settlements::Settlement,
};
use serde_json::{Value, json};

use crate::app::{App, NOON, token};

/// Adds so many errors, so many minutes ago.
async fn add(app: &App, project: ProjectId, minutes: i64, outcome: Outcome, reason: &'static str, quantity: u64) {
    let received = Timestamp::from_secs(NOON - 60 * minutes);
    let origin = Origin { received, project_id: Some(project), key_id: Some(KeyId(1)) };
    let mut outcomes = Outcomes::default();
    outcomes.add(origin.key(DataCategory::Error, outcome, reason), quantity);
    let consumer = "outcomes".to_owned();
    let mut position = Position { topic: Topic::Outcomes, partition: 0, offset: 0 };
    position = app.meta.position(&consumer, position).await.unwrap();
    position.offset += 1;
    let consumer = ConsumerPosition { consumer, position };
    app.meta.settle(Settlement { outcomes, ..Settlement::of(consumer, 1) }).await.unwrap();
}

async fn filled() -> App {
    let app = App::new().await;
    let (web, theirs) = (app.acme.project.id, app.other.project.id);
    add(&app, web, 0, Outcome::Accepted, "", 5).await;
    add(&app, web, 90, Outcome::Accepted, "", 7).await;
    add(&app, web, 90, Outcome::Invalid, "duplicate", 2).await;
    add(&app, web, 90, Outcome::ClientDiscard, "before_send", 9).await;
    add(&app, web, 60 * 50, Outcome::Filtered, "noise", 3).await;
    add(&app, theirs, 0, Outcome::Accepted, "", 100).await;
    app
}

const STATS: &str = "/api/0/organizations/acme/stats_v2/";

fn total(group: &Value) -> &Value {
    &group["totals"]["sum(quantity)"]
}

#[tokio::test]
async fn sums_are_grouped_and_laid_out_over_time() {
    let app = filled().await;
    let stats = app.get(&format!("{STATS}?field=sum(quantity)&groupBy=outcome&groupBy=reason&statsPeriod=3h")).await;
    let stats = stats.json();
    let groups = stats["groups"].as_array().unwrap();
    assert_eq!(groups[0]["by"], json!({"outcome": "accepted", "reason": ""}));
    assert_eq!(groups.iter().map(total).collect::<Vec<_>>(), [&json!(12), &json!(9), &json!(2)]);
    assert_eq!(stats["intervals"].as_array().unwrap().len(), 4);
    assert_eq!((&stats["intervals"][0], &stats["start"]), (&json!("2026-01-31T09:00:00Z"), &stats["intervals"][0]));
    assert_eq!(groups[0]["series"]["sum(quantity)"], json!([0, 7, 0, 5]));

    let count = async |query: &str| {
        let stats = app.get(&format!("{STATS}?{query}")).await.json();
        let groups = stats["groups"].as_array().unwrap().clone();
        groups.iter().map(|group| total(group).as_u64().unwrap()).sum::<u64>()
    };
    let seen = app.get(&format!("{STATS}?field=sum(times_seen)&field=sum(quantity)&groupBy=outcome")).await.json();
    assert_eq!(seen["groups"][0]["totals"], json!({"sum(quantity)": 12, "sum(times_seen)": 12}));
    let alone = app.get(&format!("{STATS}?field=sum(times_seen)&statsPeriod=3h")).await.json();
    assert_eq!(alone["groups"][0]["series"], json!({"sum(times_seen)": [0, 18, 0, 5]}));
    assert_eq!(count("").await, 23, "a day");
    assert_eq!(count("statsPeriod=90d").await, 26);
    assert_eq!(count("statsPeriod=1h&interval=1m").await, 5);
    assert_eq!(count("outcome=invalid&outcome=client_discard").await, 11);
    assert_eq!(count("reason=duplicate&project=web&category=error&key=1").await, 2);
    assert_eq!(count("category=session").await, 0);
    assert_eq!(count("project=-1&groupBy=project&groupBy=category&groupBy=key").await, 23);
    assert_eq!(count("start=2026-01-31T11:00:00Z&end=2026-01-31T11:30:00Z").await, 0);
}

#[tokio::test]
async fn what_cannot_be_answered_is_said() {
    let app = filled().await;
    let wrong = [
        "field=sum(bytes)",
        "groupBy=colour",
        "category=x",
        "outcome=x",
        "key=x",
        "interval=7s",
        "interval=x",
        "statsPeriod=90d&interval=1m",
        "start=2026-01-31T12:00:00Z&end=2026-01-30T12:00:00Z",
        "statsPeriod=soon",
    ];
    for query in wrong {
        let answer = app.get(&format!("{STATS}?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query} {:?}", answer.body);
    }
    assert_eq!(app.get(&format!("{STATS}?project=api")).await.status, StatusCode::NOT_FOUND, "another's project");
    let weak = token(&app.meta, app.acme.user, app.acme.organization.id, &["event:read"]).await;
    assert_eq!(app.with_token(&weak, "GET", STATS, &Value::Null).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_project_shows_what_it_received_and_refused() {
    let app = filled().await;
    for (stat, expected) in [("received", 14), ("generated", 12), ("rejected", 2), ("blacklisted", 0)] {
        for resolution in ["10s", "1m", "1h"] {
            let since = NOON - 100 * 60;
            let path = format!("/api/0/projects/acme/web/stats/?stat={stat}&resolution={resolution}&since={since}");
            let stats = app.get(&path).await.json();
            let sum: u64 = stats.as_array().unwrap().iter().map(|pair| pair[1].as_u64().unwrap()).sum();
            assert_eq!(sum, expected, "{stat} {resolution}");
        }
    }
    assert_eq!(app.get("/api/0/projects/acme/web/stats/?stat=x").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn messages_that_are_refused_at_the_door_are_counted() {
    let app = App::new().await;
    let path = "/api/0/projects/acme/web/occurrences/";
    let answer = app.ann("POST", path, &json!([{"fingerprint": []}, 7])).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let start = Position { topic: Topic::Outcomes, partition: 0, offset: 0 };
    let read = app.log.read(start, ReadLimit { records: 9, bytes: 1 << 20 }).await.unwrap();
    let outcomes = Outcomes::decode(&read.records[0].value).unwrap();
    assert_eq!((read.records.len(), outcomes.quantity()), (1, 2));
    let (key, _) = outcomes.iter().next().unwrap();
    assert_eq!((key.project_id, key.category), (Some(app.acme.project.id), DataCategory::Occurrence));
}
