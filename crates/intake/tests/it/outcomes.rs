//! What intake refuses or does not take is counted before it is answered.

use std::sync::Arc;

use nuthatch_intake::IntakeConfig;

use crate::app::{App, KEY, OTHER_KEY, envelope_request, good_envelope};

async fn counted(body: &str) -> (u16, Vec<String>) {
    let app = App::with(IntakeConfig { event_max_bytes: 100, ..IntakeConfig::default() }, |log| log).await;
    let status = app.post(body.to_owned()).await.status.as_u16();
    (status, app.outcomes().await.0)
}

#[tokio::test]
async fn every_item_that_is_not_taken_is_counted_in_its_category() {
    let long = format!("{{}}\n{{\"type\":\"event\"}}\n{}\n{{\"type\":\"attachment\"}}\n12345\n", "x".repeat(101));
    let second = "{}\n{\"type\":\"event\"}\n{}\n{\"type\":\"transaction\"}\n{}\n";
    let report = r#"{"discarded_events":[{"reason":"before_send","category":"error","quantity":7}]}"#;
    let cases: [(String, u16, &[&str]); 9] = [
        (good_envelope(), 200, &[]),
        (
            good_envelope() + "{\"type\":\"made-up\"}\n{}\n{\"type\":\"made-up\"}\n{}\n",
            200,
            &["1/1 unknown invalid unknown_item_type 2"],
        ),
        ("{}\n{\"type\":\"statsd\"}\nx\n".to_owned(), 200, &["1/1 metric_bucket invalid withdrawn_item_type 1"]),
        (format!("{{}}\n{{\"type\":\"client_report\"}}\n{report}\n"), 200, &["1/1 error client_discard before_send 7"]),
        ("{}\n{\"type\":\"client_report\"}\nnonsense\n".to_owned(), 200, &[]),
        (
            long,
            413,
            &[
                "1/1 error invalid too_large:event 1",
                "1/1 attachment invalid too_large:event 5",
                "1/1 attachment_item invalid too_large:event 1",
            ],
        ),
        (second.to_owned(), 413, &["1/1 error invalid duplicate_item 1", "1/1 transaction invalid duplicate_item 1"]),
        ("nonsense".to_owned(), 400, &["1/1 unknown invalid invalid_envelope 1"]),
        (String::new(), 400, &["1/1 unknown invalid empty_envelope 1"]),
    ];
    for (body, status, lines) in cases {
        let mut wanted: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        let (found, mut counted) = counted(&body).await;
        wanted.sort();
        counted.sort();
        assert_eq!((found, counted), (status, wanted), "{body:?}");
    }
}

#[tokio::test]
async fn who_has_no_key_is_counted_nowhere() {
    let app = App::new().await;
    for key in ["44444444444444444444444444444444", OTHER_KEY] {
        for body in [good_envelope(), "nonsense".to_owned()] {
            let mut request = envelope_request(body);
            request.headers_mut().insert("x-sentry-auth", format!("Sentry sentry_key={key}").parse().unwrap());
            assert!(app.send(request).await.status.is_client_error());
        }
    }
    assert_eq!(app.outcomes().await, (Vec::new(), 0));
    let store = http::Request::post("/api/1/store/").header("x-sentry-auth", format!("Sentry sentry_key={KEY}"));
    assert_eq!(app.send(store.body("{".into()).unwrap()).await.status, 400);
    assert_eq!(app.outcomes().await.0, ["1/1 error invalid invalid_json 1"]);
}

#[tokio::test]
async fn a_flood_of_refusals_shares_few_appends_and_counts_each() {
    let app = Arc::new(App::new().await);
    let flood = (0..500).map(|_| {
        let app = Arc::clone(&app);
        tokio::spawn(async move { app.post("nonsense").await.status })
    });
    for status in futures_util::future::join_all(flood.collect::<Vec<_>>()).await {
        assert_eq!(status.unwrap(), 400);
    }
    let (lines, records) = app.outcomes().await;
    assert_eq!(lines, ["1/1 unknown invalid invalid_envelope 500"]);
    assert!(records < 100, "{records} records");
}
