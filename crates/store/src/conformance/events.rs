//! What every adapter of the port must do.
#![expect(clippy::assigning_clones, clippy::unwrap_used, reason = "a suite of assertions")]

use std::collections::HashMap;

use bytes::Bytes;
use nuthatch_protocol::{EventId, EventRow, Hash, Level, Position, ProjectId, Timestamp, Topic};
use nuthatch_query::{Expr, Op, Term, Value};

use crate::{
    EventStore, StoreError,
    event_groups::{EventGroup, GroupKey, GroupValue, Grouping},
    events::{EventPage, EventQuery, EventSummary, PAGE_MAX, TagValue},
};

/// Runs the suite. `make` gives a new, empty store each time.
pub async fn run<S: EventStore, F: AsyncFn() -> S>(make: F) {
    rows_are_found_at_once_and_counted_after_a_commit(&make().await).await;
    the_position_is_that_of_the_last_commit(&make().await).await;
    a_row_replaces_the_one_of_the_same_id(&make().await).await;
    an_event_is_found_by_the_rows_that_show_it(&make().await).await;
    pages_follow_one_another(&make().await).await;
    conditions_hold_together(&make().await).await;
    tags_are_found_by_their_whole_name_and_value(&make().await).await;
    texts_are_searched_by_words(&make().await).await;
    events_are_counted(&make().await).await;
    groups_are_counted(&make().await).await;
    old_events_are_dropped(&make().await).await;
    what_is_out_of_bounds_is_refused(&make().await).await;
}

/// An event for tests: `n` tells it apart, its time is so many seconds after [`BASE`].
pub fn row(n: u8, secs: i64) -> EventRow {
    EventRow {
        project_id: ProjectId(1),
        event_id: EventId([n; 16]),
        shows: None,
        timestamp: Timestamp(BASE.0 + secs * 1_000_000),
        received: Timestamp(BASE.0 + secs * 1_000_000 + 1),
        hashes: vec![Hash([n % 3; 16]), Hash([0xff; 16])],
        event_type: "error".to_owned(),
        level: Level::Error,
        platform: "python".to_owned(),
        title: format!("ValueError: order {n} not found"),
        culprit: "shop.orders in load".to_owned(),
        message: format!("order {n} not found"),
        release: Some("shop@1.0".to_owned()),
        environment: None,
        transaction: Some("/orders/{id}".to_owned()),
        trace: None,
        user: Some(format!("id:{n}")),
        tags: vec![("release".to_owned(), "shop@1.0".to_owned()), ("browser.name".to_owned(), "Firefox".to_owned())],
        stack_text: "load shop/orders.py".to_owned(),
        body: Bytes::from(format!("{{\"n\":{n}}}")),
    }
}

/// The time that [`row`] counts from.
pub const BASE: Timestamp = Timestamp(1_760_000_000_000_000);

fn at(offset: u64) -> Position {
    Position { topic: Topic::IngestEvents, partition: 0, offset }
}

fn term(key: &str, op: Op) -> Expr {
    Expr::Term(Term { key: key.to_owned(), op })
}

fn equals(key: &str, value: &str) -> Expr {
    term(key, Op::In(vec![Value::Text(value.to_owned())]))
}

fn query(filter: Expr) -> EventQuery {
    EventQuery { projects: vec![ProjectId(1)], hashes: None, from: None, until: None, filter }
}

const FIRST_PAGE: EventPage = EventPage { ascending: false, after: None, limit: PAGE_MAX };

/// First bytes of the ids of the events found, newest first.
async fn found<S: EventStore>(store: &S, query: &EventQuery) -> Vec<u8> {
    let rows = store.search(query, &FIRST_PAGE).await.unwrap();
    assert_eq!(store.count(query).await.unwrap(), rows.len() as u64, "count and search agree on {query:?}");
    rows.iter().map(|row| row.event_id.0[0]).collect()
}

async fn fill<S: EventStore>(store: &S, rows: Vec<EventRow>) {
    store.upsert(rows, at(1)).await.unwrap();
    store.commit().await.unwrap();
}

async fn rows_are_found_at_once_and_counted_after_a_commit<S: EventStore>(store: &S) {
    let row = row(1, 0);
    store.upsert(vec![row.clone()], at(1)).await.unwrap();
    for committed in [false, true] {
        let event = store.get(row.project_id, row.event_id).await.unwrap().expect("the event is there");
        assert_eq!(event.body, row.body);
        assert_eq!(event.summary, EventSummary::of(&row));
        assert_eq!(store.get(ProjectId(2), row.event_id).await.unwrap(), None, "not in another project");
        assert_eq!(store.get(row.project_id, EventId([9; 16])).await.unwrap(), None);
        assert_eq!(store.search(&query(Expr::all()), &FIRST_PAGE).await.unwrap(), [EventSummary::of(&row)]);
        assert_eq!(store.count(&query(Expr::all())).await.unwrap(), u64::from(committed));
        store.commit().await.unwrap();
    }
    let changed = EventRow { title: "changed".to_owned(), ..row.clone() };
    store.upsert(vec![changed.clone()], at(2)).await.unwrap();
    assert_eq!(store.search(&query(Expr::all()), &FIRST_PAGE).await.unwrap(), [EventSummary::of(&changed)]);
    store.commit().await.unwrap();
    assert_eq!(store.size().await.unwrap().rows, 1);
}

async fn the_position_is_that_of_the_last_commit<S: EventStore>(store: &S) {
    assert_eq!(store.position(at(7)).await.unwrap(), at(7), "the start, as long as nothing was applied");
    store.upsert(vec![row(1, 0)], at(10)).await.unwrap();
    assert_eq!(store.position(at(7)).await.unwrap(), at(7));
    store.commit().await.unwrap();
    assert_eq!(store.position(at(7)).await.unwrap(), at(10));
    store.upsert(Vec::new(), at(20)).await.unwrap();
    store.commit().await.unwrap();
    assert_eq!(store.position(at(0)).await.unwrap(), at(20), "records without rows count too");
    let other = Position { partition: 1, ..at(3) };
    assert_eq!(store.position(other).await.unwrap(), other, "every partition of the log on its own");
    store.upsert(vec![row(1, 0)], at(10)).await.unwrap();
    store.commit().await.unwrap();
    assert_eq!(store.position(at(0)).await.unwrap(), at(20), "a replay does not move it back");
}

async fn an_event_is_found_by_the_rows_that_show_it<S: EventStore>(store: &S) {
    let shown = EventId([50; 16]);
    let occurrence = EventRow { shows: Some(shown), ..row(1, 0) };
    store.upsert(vec![occurrence.clone(), row(2, 0)], at(1)).await.unwrap();
    for _ in 0..2 {
        let found = store.get(ProjectId(1), shown).await.unwrap().map(|event| event.summary.event_id);
        assert_eq!(found, Some(occurrence.event_id));
        assert_eq!(store.get(ProjectId(2), shown).await.unwrap(), None);
        let ids = [row(2, 0).event_id, shown, EventId([51; 16])];
        let hashes = store.primary_hashes(ProjectId(1), &ids).await.unwrap();
        assert_eq!(hashes, HashMap::from([(ids[0], Hash([2; 16])), (shown, Hash([1; 16]))]));
        assert!(store.primary_hashes(ProjectId(2), &ids).await.unwrap().is_empty());
        store.commit().await.unwrap();
    }
    store.upsert(vec![EventRow { event_id: shown, ..row(3, 0) }], at(2)).await.unwrap();
    for _ in 0..2 {
        let found = store.get(ProjectId(1), shown).await.unwrap().map(|event| event.summary.event_id);
        assert_eq!(found, Some(shown), "the event itself, when it has a row");
        let hashes = store.primary_hashes(ProjectId(1), &[shown]).await.unwrap();
        assert_eq!(hashes, HashMap::from([(shown, Hash([0; 16]))]), "the event's own");
        store.commit().await.unwrap();
    }
    // A row that was stored again, in another partition, and is not committed.
    let moved = EventRow { hashes: vec![Hash([9; 16])], ..row(2, 40 * 86_400) };
    store.upsert(vec![moved, EventRow { hashes: Vec::new(), ..row(1, 0) }], at(3)).await.unwrap();
    for _ in 0..2 {
        let ids = [row(1, 0).event_id, row(2, 0).event_id];
        let hashes = store.primary_hashes(ProjectId(1), &ids).await.unwrap();
        assert_eq!(hashes, HashMap::from([(ids[1], Hash([9; 16]))]));
        store.commit().await.unwrap();
    }
    let many = vec![shown; PAGE_MAX + 1];
    assert!(store.primary_hashes(ProjectId(1), &many).await.is_err(), "so many are too many");
}

async fn a_row_replaces_the_one_of_the_same_id<S: EventStore>(store: &S) {
    let day = 86_400;
    fill(store, vec![row(1, 0), row(2, 1)]).await;
    // Same batch, same commit, and a time so far off that it is another partition.
    for (title, secs) in [("second", 0), ("third", 40 * day), ("fourth", 40 * day), ("fifth", 0)] {
        let twice = EventRow { title: "never seen".to_owned(), ..row(1, -40 * day) };
        let last = EventRow { title: title.to_owned(), body: Bytes::from(title), ..row(1, secs) };
        store.upsert(vec![twice.clone(), last.clone()], at(2)).await.unwrap();
        assert_eq!(store.get(ProjectId(1), EventId([1; 16])).await.unwrap().unwrap().body, last.body);
        store.commit().await.unwrap();
        let event = store.get(ProjectId(1), EventId([1; 16])).await.unwrap().unwrap();
        assert_eq!((event.summary, event.body), (EventSummary::of(&last), last.body), "{title}");
        assert_eq!(store.count(&query(Expr::all())).await.unwrap(), 2, "{title}");
        assert_eq!(store.size().await.unwrap().rows, 2, "{title}");
    }
    // Another project may use the same id.
    fill(store, vec![EventRow { project_id: ProjectId(2), ..row(1, 5) }]).await;
    assert_eq!(store.size().await.unwrap().rows, 3);
    assert_eq!(found(store, &query(Expr::all())).await, [2, 1]);
}

async fn pages_follow_one_another<S: EventStore>(store: &S) {
    // Pairs with equal times, spread over several partitions.
    let rows: Vec<_> = (0..20).map(|n| row(n, i64::from(n / 2) * 5 * 86_400)).collect();
    fill(store, rows).await;
    for ascending in [false, true] {
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = EventPage { ascending, after, limit: 3 };
            let rows = store.search(&query(Expr::all()), &page).await.unwrap();
            let Some(last) = rows.last() else { break };
            after = Some((last.timestamp, last.event_id));
            seen.extend(rows.iter().map(|row| row.event_id.0[0]));
        }
        let expected: Vec<u8> = if ascending { (0..20).collect() } else { (0..20).rev().collect() };
        assert_eq!(seen, expected);
    }
}

async fn conditions_hold_together<S: EventStore>(store: &S) {
    let mut rows: Vec<_> = (0..6).map(|n| row(n, i64::from(n))).collect();
    rows[2].level = Level::Fatal;
    rows[3].release = None;
    rows[4].environment = Some("production".to_owned());
    rows[5].project_id = ProjectId(2);
    rows[1].trace = Some("4c79f60c11214eb38604f4ae0781bfb2".to_owned());
    let all = query(Expr::all());
    fill(store, rows).await;

    assert_eq!(found(store, &all).await, [4, 3, 2, 1, 0]);
    let both = EventQuery { projects: vec![ProjectId(1), ProjectId(2)], ..all.clone() };
    assert_eq!(found(store, &both).await, [5, 4, 3, 2, 1, 0]);
    for (projects, hashes, expected) in [
        (&all, vec![(1, 0)], vec![3, 0]),
        (&both, vec![(1, 0), (1, 2), (2, 2)], vec![5, 3, 2, 0]),
        (&both, vec![(1, 0), (1, 2)], vec![3, 2, 0]),
        (&both, vec![(1, 0), (2, 2)], vec![5, 3, 0]),
        (&all, vec![(1, 0), (2, 2)], vec![3, 0]),
        (&all, vec![], vec![]),
        (&all, vec![(1, 0xff)], vec![]),
    ] {
        let of_projects = hashes.iter().map(|(project, n)| (ProjectId(*project), Hash([*n; 16]))).collect();
        let query = EventQuery { hashes: Some(of_projects), ..projects.clone() };
        assert_eq!(found(store, &query).await, expected, "{hashes:?}");
    }
    let window = EventQuery { from: Some(row(1, 1).timestamp), until: Some(row(3, 3).timestamp), ..all };
    assert_eq!(found(store, &window).await, [2, 1]);

    let not = |expr| Expr::Not(Box::new(expr));
    for (filter, expected) in [
        (equals("level", "fatal"), vec![2]),
        (not(equals("level", "fatal")), vec![4, 3, 1, 0]),
        (term("release", Op::Exists), vec![4, 2, 1, 0]),
        (not(term("release", Op::Exists)), vec![3]),
        (term("environment", Op::Like("prod*".to_owned())), vec![4]),
        (equals("trace", "4c79f60c11214eb38604f4ae0781bfb2"), vec![1]),
        (equals("user.id", "1"), vec![1]),
        (equals("user", "id:1"), vec![1]),
        (Expr::Or(vec![equals("level", "fatal"), equals("environment", "production")]), vec![4, 2]),
        (Expr::And(vec![equals("level", "error"), term("environment", Op::Exists)]), vec![4]),
        (Expr::Or(vec![]), vec![]),
        (equals("id", "01010101-0101-0101-0101-010101010101"), vec![1]),
        (term("timestamp", Op::Ge(Value::Time(row(3, 3).timestamp))), vec![4, 3]),
        (term("user.id", Op::Lt(Value::Number(2.0))), vec![1, 0]),
    ] {
        assert_eq!(found(store, &query(filter.clone())).await, expected, "{filter:?}");
    }
}

async fn tags_are_found_by_their_whole_name_and_value<S: EventStore>(store: &S) {
    let tags = [("a.b", "c"), ("a", "b.c"), ("a", "b"), ("a", ""), ("a", "B*"), ("level", "mine"), ("a=b", "c\u{0}d")];
    let rows = (0_u8..)
        .zip(tags)
        .map(|(n, (key, value))| EventRow { tags: vec![(key.to_owned(), value.to_owned())], ..row(n, i64::from(n)) });
    fill(store, rows.collect()).await;
    for (filter, expected) in [
        (equals("a.b", "c"), vec![0]),
        (equals("a", "b.c"), vec![1]),
        (equals("a", "b"), vec![2]),
        (equals("a", ""), vec![3]),
        (equals("a=b", "c\u{0}d"), vec![6]),
        (term("a", Op::Exists), vec![4, 3, 2, 1]),
        (term("a", Op::Like("b*".to_owned())), vec![4, 2, 1]),
        (term("a", Op::Like(r"b\*".to_owned())), vec![4]),
        (equals("level", "mine"), vec![]),
        (equals("tags[level]", "mine"), vec![5]),
    ] {
        assert_eq!(found(store, &query(filter.clone())).await, expected, "{filter:?}");
    }
}

async fn texts_are_searched_by_words<S: EventStore>(store: &S) {
    let mut rows: Vec<_> = (0..3).map(|n| row(n, i64::from(n))).collect();
    rows[1].message = "Connection to db-7 timed out".to_owned();
    rows[2].title = "TimeoutError".to_owned();
    rows[2].stack_text = "open_connection net/socket.rs".to_owned();
    fill(store, rows).await;
    let contains = |key: &str, text: &str| term(key, Op::Contains(text.to_owned()));
    for (filter, expected) in [
        (contains("", "TIMED out"), vec![1]),
        (contains("", "timeout"), vec![2]),
        (contains("", "meout"), vec![2]),
        (contains("", "nection to DB 7 ti"), vec![1]),
        (contains("", "to timed"), vec![]),
        (contains("", "open_connection"), vec![]),
        (contains("stack", "connection net"), vec![2]),
        (contains("message", "order 0"), vec![0]),
        (equals("message", "timed out"), vec![1]),
        (term("title", Op::Like("*value*found".to_owned())), vec![1, 0]),
        (contains("", "!?"), vec![2, 1, 0]),
    ] {
        assert_eq!(found(store, &query(filter.clone())).await, expected, "{filter:?}");
    }
}

async fn events_are_counted<S: EventStore>(store: &S) {
    let mut rows: Vec<_> = (0..7).map(|n| row(n, i64::from(n) * 1000)).collect();
    rows[6].tags.push(("browser.name".to_owned(), "a second value does not count".to_owned()));
    rows[5].tags[1].1 = "Safari".to_owned();
    rows[4].tags.pop();
    rows[3].timestamp = row(3, 40 * 86_400).timestamp;
    let times: Vec<_> = rows.iter().map(|row| row.timestamp).collect();
    fill(store, rows).await;

    let all = query(Expr::all());
    let histogram = store.histogram(&all, 3600).await.unwrap();
    let mut expected = std::collections::BTreeMap::new();
    for time in &times {
        *expected.entry(Timestamp::from_secs(time.hours() * 3600)).or_insert(0) += 1;
    }
    assert_eq!(histogram, expected.into_iter().collect::<Vec<_>>());

    let values = store.tag_values(&all, "browser.name", 1).await.unwrap();
    assert_eq!((values.total, values.unique), (6, 2));
    let firefox = TagValue { value: "Firefox".to_owned(), count: 5, first_seen: times[0], last_seen: times[3] };
    assert_eq!(values.top, [firefox]);
    assert_eq!(store.tag_values(&all, "browser", 10).await.unwrap().total, 0);
    assert_eq!(store.tag_keys(&all).await.unwrap(), [("release".to_owned(), 7), ("browser.name".to_owned(), 6)]);

    let hash = |project, n| (ProjectId(project), Hash([n; 16]));
    assert_eq!(store.hashes(&all, 2).await.unwrap(), [hash(1, 0), hash(1, 1)]);
    // One hash in two projects is two.
    fill(store, vec![EventRow { project_id: ProjectId(2), ..row(7, 0) }]).await;
    let both = EventQuery { projects: vec![ProjectId(2), ProjectId(1)], ..all };
    assert_eq!(store.hashes(&both, 9).await.unwrap(), [hash(1, 0), hash(1, 1), hash(1, 2), hash(2, 1)]);
}

async fn groups_are_counted<S: EventStore>(store: &S) {
    let tagged = |n: u8, secs, tags: &[(&str, &str)]| EventRow {
        tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        ..row(n, secs)
    };
    // Of hashes 1, 2, 0, 1; the last lies in another partition.
    let rows = [
        tagged(1, 0, &[("user", "id:1"), ("os", "Linux")]),
        tagged(2, 1, &[("user", "id:2"), ("os", "Linux")]),
        tagged(3, 2, &[("user", "id:1")]),
        tagged(4, 40 * 86_400, &[("user", "id:1"), ("os", "Linux"), ("os", "never seen")]),
    ];
    fill(store, rows.to_vec()).await;
    let tag = |key: &str| GroupKey::Tag(key.to_owned());
    let groups = async |by: Vec<GroupKey>, interval_secs| {
        let grouping = Grouping { by, unique: vec!["user".to_owned(), "none".to_owned()], interval_secs };
        let found = store.groups(&query(Expr::all()), &grouping).await.unwrap();
        assert!(found.is_complete);
        let row = |group: EventGroup| {
            let [users, none] = &group.counted.unique[..] else { unreachable!("two were asked for") };
            assert!(none.is_empty());
            let secs = |time: Timestamp| (time.0 - BASE.0) / 1_000_000;
            (secs(group.start), group.values, group.counted.count, users.len(), secs(group.counted.last_seen))
        };
        found.rows.into_iter().map(row).collect::<Vec<_>>()
    };
    let epoch = -BASE.0 / 1_000_000;
    let day = 86_400;
    assert_eq!(groups(vec![], None).await, [(epoch, vec![], 4, 2, 40 * day)]);
    let os = |value: &str| Some(GroupValue::Tag(value.to_owned()));
    let by_os = [(epoch, vec![os("Linux")], 3, 2, 40 * day), (epoch, vec![None], 1, 1, 2)];
    assert_eq!(groups(vec![tag("os")], None).await, by_os);
    let hash = |n: u8| Some(GroupValue::Hash(ProjectId(1), Hash([n; 16])));
    let by_both = [
        (epoch, vec![hash(1), os("Linux")], 2, 1, 40 * day),
        (epoch, vec![hash(0), None], 1, 1, 2),
        (epoch, vec![hash(2), os("Linux")], 1, 1, 1),
    ];
    assert_eq!(groups(vec![GroupKey::Hash, tag("os")], None).await, by_both);
    let first = BASE.secs().div_euclid(day) * day - BASE.secs();
    let by_day = [(first, vec![], 3, 2, 2), (first + 40 * day, vec![], 1, 1, 40 * day)];
    assert_eq!(groups(vec![], Some(86_400)).await, by_day);
}

async fn old_events_are_dropped<S: EventStore>(store: &S) {
    let day = 86_400;
    fill(store, (0..5).map(|n| row(n, i64::from(n) * 30 * day)).collect()).await;
    store.upsert(vec![row(9, day)], at(2)).await.unwrap();
    store.drop_before(row(0, 75 * day).timestamp).await.unwrap();
    assert_eq!(found(store, &query(Expr::all())).await, [4, 3]);
    for n in [0, 9] {
        assert_eq!(store.get(ProjectId(1), EventId([n; 16])).await.unwrap(), None, "{n}");
    }
    // What comes later is kept until the next time.
    fill(store, vec![row(0, 0)]).await;
    assert_eq!(found(store, &query(Expr::all())).await, [4, 3, 0]);
}

async fn what_is_out_of_bounds_is_refused<S: EventStore>(store: &S) {
    fill(store, vec![row(1, 0)]).await;
    let page = EventPage { limit: PAGE_MAX + 1, ..FIRST_PAGE };
    assert!(matches!(store.search(&query(Expr::all()), &page).await, Err(StoreError::Invalid(_))));
    assert!(matches!(store.histogram(&query(Expr::all()), 0).await, Err(StoreError::Invalid(_))));
    let none = EventPage { limit: 0, ..FIRST_PAGE };
    assert_eq!(store.search(&query(Expr::all()), &none).await.unwrap(), []);
}
