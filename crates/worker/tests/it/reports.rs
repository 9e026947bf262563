//! Reports of browsers about security policies are issues like errors are.

use nuthatch_store::outcomes::Total;
use serde_json::json;

use super::*;

fn report(blocked: &str) -> String {
    let report = json!({
        "document-uri": "https://shop.example/cart", "violated-directive": "img-src 'self'", "blocked-uri": blocked,
    });
    json!({"report": {"csp-report": report}, "sentry_release": "shop@1"}).to_string()
}

#[tokio::test(start_paused = true)]
async fn reports_of_one_host_are_one_issue_and_counted_as_what_they_are() {
    let stores = Stores::new().await;
    stores.accept_item(Topic::IngestEvents, "raw_security", 1, &report("https://evil.example/a.png")).await;
    stores.accept_item(Topic::IngestEvents, "raw_security", 2, &report("https://evil.example/b.png?c=1")).await;
    stores.accept_item(Topic::IngestEvents, "raw_security", 3, &report("https://other.example/a.png")).await;
    stores.accept_item(Topic::IngestEvents, "raw_security", 4, &report("chrome-extension://abc")).await;
    stores
        .accept_item(Topic::IngestEvents, "raw_security", 5, r#"{"report": {"type": "deprecation", "body": {}}}"#)
        .await;
    stores.drain(None).await.unwrap();

    let organization = stores.meta.project(stores.project).await.unwrap().unwrap().organization_id;
    let query = IssueQuery {
        organization,
        projects: Vec::new(),
        filter: Vec::new(),
        seen_since: None,
        sort: IssueSort::LastSeen,
        cursor: None,
        limit: 10,
    };
    let issues = stores.meta.issues(&query).await.unwrap().issues;
    let mut seen: Vec<(&str, u64)> = issues.iter().map(|issue| (issue.title.as_str(), issue.times_seen)).collect();
    seen.sort_unstable();
    assert_eq!(seen, [("Blocked 'image' from 'evil.example'", 2), ("Blocked 'image' from 'other.example'", 1)]);

    let event = stores.events.get(stores.project, EventId([2; 16])).await.unwrap().unwrap().summary;
    assert_eq!((event.event_type.as_str(), event.culprit.as_str()), ("csp", "img-src 'self'"));
    let tag = |key: &str| event.tags.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    assert_eq!(tag("blocked-host"), Some("evil.example"));
    assert_eq!((tag("effective-directive"), tag("logger")), (Some("img-src"), Some("csp")));
    assert_eq!((tag("release"), tag("url")), (Some("shop@1"), Some("https://shop.example/cart")));

    let books = stores.meta.books().await.unwrap();
    assert_eq!(books.imbalances(), []);
    // A report of a kind that is not known is counted, but no replay makes an event of it.
    assert!(stores.dead().await.is_empty());
    let is_refused = |total: &&Total| (total.category, total.outcome) == (DataCategory::Security, Outcome::Invalid);
    assert_eq!(books.totals.iter().filter(is_refused).map(|total| total.in_minutes).collect::<Vec<_>>(), [1]);
    let counted = |category| {
        let of_category = books.totals.iter().filter(|total| total.category == category);
        of_category.map(|total| total.in_minutes).sum::<i64>()
    };
    assert_eq!((counted(DataCategory::Security), counted(DataCategory::Error)), (5, 0));
}
