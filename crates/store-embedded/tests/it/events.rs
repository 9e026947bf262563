use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use nuthatch_protocol::{EventId, EventRow, Hash, Level, Position, ProjectId, Timestamp, Topic};
use nuthatch_query::{Expr, Op, Term, Value};
use nuthatch_store::{
    EventStore, StoreError,
    conformance::events::{BASE, row, run},
    event_groups::{GroupKey, Grouping},
    events::{EventPage, EventQuery, PAGE_MAX},
    memory::MemoryEvents,
};
use nuthatch_store_embedded::events::{EmbeddedEvents, Options};
use proptest::prelude::*;
use tempfile::TempDir;

const WEEK: i64 = 7 * 86_400;

fn open(dir: &Path) -> EmbeddedEvents {
    EmbeddedEvents::open(dir, Options { writer_bytes: 15_000_000, writers_max: 2 }).unwrap()
}

fn at(offset: u64) -> Position {
    Position { topic: Topic::IngestEvents, partition: 0, offset }
}

fn everything() -> EventQuery {
    EventQuery { projects: vec![ProjectId(1)], hashes: None, from: None, until: None, filter: Expr::all() }
}

async fn ids(store: &EmbeddedEvents) -> Vec<u8> {
    let page = EventPage { ascending: true, after: None, limit: PAGE_MAX };
    let rows = store.search(&everything(), &page).await.unwrap();
    rows.iter().map(|row| row.event_id.0[0]).collect()
}

/// The directories of partitions.
fn partitions(dir: &Path) -> Vec<PathBuf> {
    let mut dirs: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    dirs.retain(|path| path.is_dir());
    dirs.sort();
    dirs
}

/// The files below a folder, each with its length and the time of its last change.
fn files(dir: &Path) -> io::Result<Vec<(PathBuf, u64, SystemTime)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            let metadata = path.metadata()?;
            found.push((path, metadata.len(), metadata.modified()?));
        }
    }
    found.sort();
    Ok(found)
}

/// A folder as it is at one moment: taken anew when something changes meanwhile, as the store's threads write files and
/// rename them.
fn copy(from: &Path, to: &Path) {
    let once = || -> io::Result<bool> {
        let before = files(from)?;
        for (path, ..) in &before {
            let target = to.join(path.strip_prefix(from).expect("it lies below"));
            fs::create_dir_all(target.parent().expect("it lies below"))?;
            fs::copy(path, target)?;
        }
        Ok(files(from)? == before)
    };
    loop {
        fs::create_dir_all(to).unwrap();
        match once() {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}"),
        }
        fs::remove_dir_all(to).unwrap();
    }
}

/// A store in a directory that goes with it.
struct Temporary {
    store: EmbeddedEvents,
    _dir: TempDir,
}

#[tokio::test]
async fn conforms() {
    let dirs = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    run(async || {
        count.set(count.get() + 1);
        open(&dirs.path().join(count.get().to_string()))
    })
    .await;
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_crash_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.upsert((0..4).map(|n| row(n, i64::from(n) * WEEK)).collect(), at(4)).await.unwrap();
    store.commit().await.unwrap();
    store.upsert(vec![row(4, 0), EventRow { title: "replaced".to_owned(), ..row(0, 0) }], at(6)).await.unwrap();
    // What is on disk at this moment is what a crash leaves.
    let crashed = tempfile::tempdir().unwrap();
    copy(dir.path(), crashed.path());

    let store = open(crashed.path());
    assert_eq!(store.damages(), []);
    assert_eq!(store.position(at(0)).await.unwrap(), at(4));
    assert_eq!(ids(&store).await, [0, 1, 2, 3]);
    let event = store.get(ProjectId(1), EventId([0; 16])).await.unwrap().unwrap();
    assert_eq!(event.body, row(0, 0).body);
    assert_eq!(event.summary.title, row(0, 0).title);
}

#[tokio::test]
async fn a_crash_between_the_commits_of_two_partitions_is_mended_by_the_replay() {
    let dir = tempfile::tempdir().unwrap();
    let before = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.upsert(vec![row(0, 0), row(1, WEEK)], at(2)).await.unwrap();
    store.commit().await.unwrap();
    copy(dir.path(), before.path());
    // Event 0 moves to the week of event 1, event 2 is new.
    let moved = vec![row(0, WEEK + 1), row(2, 1)];
    store.upsert(moved.clone(), at(4)).await.unwrap();
    store.commit().await.unwrap();
    drop(store);

    // Each partition, and the file with the position, is the one from before or the one from after.
    for mask in 0..8 {
        let mixed = tempfile::tempdir().unwrap();
        let source = |bit: u8| if mask & (1 << bit) == 0 { before.path() } else { dir.path() };
        for (bit, partition) in (0..2).zip(partitions(dir.path())) {
            let name = partition.file_name().unwrap();
            copy(&source(bit).join(name), &mixed.path().join(name));
        }
        // The position is written last: it is new only when both partitions are.
        let state = if mask == 7 { dir.path() } else { before.path() };
        fs::copy(state.join("state.json"), mixed.path().join("state.json")).unwrap();

        let store = open(mixed.path());
        let position = store.position(at(0)).await.unwrap();
        assert_eq!(position, at(if mask == 7 { 4 } else { 2 }), "{mask}");
        store.upsert(moved.clone(), at(4)).await.unwrap();
        store.commit().await.unwrap();
        assert_eq!(ids(&store).await, [2, 1, 0], "{mask}");
        assert_eq!(store.size().await.unwrap().rows, 3, "{mask}");
        assert_eq!(store.position(at(0)).await.unwrap(), at(4), "{mask}");
    }
}

#[tokio::test]
async fn retention_removes_whole_weeks_from_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.upsert((0..6).map(|n| row(n, i64::from(n) * WEEK)).collect(), at(6)).await.unwrap();
    store.commit().await.unwrap();
    assert_eq!(partitions(dir.path()).len(), 6);
    store.drop_before(Timestamp(BASE.0 + 3 * WEEK * 1_000_000)).await.unwrap();
    assert_eq!(ids(&store).await, [3, 4, 5]);
    assert_eq!(partitions(dir.path()).len(), 3);
    store.close(Duration::from_mins(1)).await.unwrap();
    assert!(matches!(store.upsert(vec![row(9, 0)], at(7)).await, Err(StoreError::Unavailable { .. })));
    assert_eq!(ids(&open(dir.path())).await, [3, 4, 5]);
}

/// What cannot be removed goes the next time; it keeps neither other weeks nor new rows.
#[tokio::test]
async fn a_week_that_cannot_be_removed_holds_up_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.upsert((0..4).map(|n| row(n, i64::from(n) * WEEK)).collect(), at(4)).await.unwrap();
    store.commit().await.unwrap();
    let in_the_way = partitions(dir.path())[0].with_extension("dropped");
    fs::write(&in_the_way, "").unwrap();
    let before = Timestamp(BASE.0 + 2 * WEEK * 1_000_000);
    assert!(matches!(store.drop_before(before).await, Err(StoreError::Unavailable { .. })));
    store.upsert(vec![row(9, 9 * WEEK)], at(5)).await.unwrap();
    store.commit().await.unwrap();
    assert_eq!(ids(&store).await, [0, 2, 3, 9]);
    fs::remove_file(&in_the_way).unwrap();
    store.drop_before(before).await.unwrap();
    assert_eq!(ids(&store).await, [2, 3, 9]);
    assert_eq!(partitions(dir.path()).len(), 3);
}

#[tokio::test]
async fn rows_that_jump_between_weeks_open_each_week_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.upsert((0..60).map(|n| row(n, i64::from(n % 6) * WEEK)).collect(), at(60)).await.unwrap();
    store.commit().await.unwrap();
    store.close(Duration::from_mins(1)).await.unwrap();
    let segments =
        files(dir.path()).unwrap().into_iter().filter(|(path, ..)| path.extension().is_some_and(|e| e == "store"));
    assert_eq!(segments.count(), 6, "one for each week");
}

#[tokio::test]
async fn a_phrase_that_stands_for_too_many_words_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let words: String = (0..50_001).map(|n| format!("w{n}error ")).collect();
    store.upsert(vec![EventRow { message: words, ..row(0, 0) }], at(1)).await.unwrap();
    store.commit().await.unwrap();
    let search = async |sought: &str| {
        let filter =
            Expr::And(vec![Expr::Term(Term { key: "message".to_owned(), op: Op::Contains(sought.to_owned()) })]);
        let page = EventPage { ascending: true, after: None, limit: PAGE_MAX };
        store.search(&EventQuery { filter, ..everything() }, &page).await
    };
    let refused = search("error w1").await;
    assert!(matches!(&refused, Err(StoreError::Invalid(message)) if message.contains("write more")), "{refused:?}");
    assert_eq!(search("w9error w10").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_damaged_partition_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.upsert((0..3).map(|n| row(n, i64::from(n) * WEEK)).collect(), at(3)).await.unwrap();
    store.commit().await.unwrap();
    drop(store);
    let dirs = partitions(dir.path());
    fs::write(dirs[0].join("meta.json"), "{").unwrap();
    fs::remove_file(dirs[1].join("meta.json")).unwrap();
    fs::write(dir.path().join("state.json"), "").unwrap();

    let store = open(dir.path());
    assert_eq!(store.damages().len(), 3, "{:?}", store.damages());
    assert_eq!(ids(&store).await, [2]);
    assert_eq!(store.position(at(1)).await.unwrap(), at(1), "all of the log is applied again");
    store.upsert((0..3).map(|n| row(n, i64::from(n) * WEEK)).collect(), at(3)).await.unwrap();
    store.commit().await.unwrap();
    assert_eq!(ids(&store).await, [0, 1, 2]);
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.damages(), [], "it is reported once");
    let damaged = || partitions(dir.path()).iter().filter(|path| path.to_string_lossy().contains("damaged")).count();
    assert_eq!(damaged(), 2);
    store.drop_before(Timestamp(BASE.0 + WEEK * 1_000_000)).await.unwrap();
    assert_eq!(damaged(), 1, "it goes with its week");
}

#[tokio::test]
async fn what_cannot_be_read_now_is_not_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.upsert(vec![row(0, 0)], at(1)).await.unwrap();
    store.commit().await.unwrap();
    drop(store);
    let partition = partitions(dir.path()).remove(0);
    let (meta, away) = (partition.join("meta.json"), dir.path().join("away"));
    fs::rename(&meta, &away).unwrap();
    // Reading a folder as a file is refused by the system, as a disk that fails is.
    fs::create_dir(&meta).unwrap();
    let error = EmbeddedEvents::open(dir.path(), Options::default()).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    fs::remove_dir(&meta).unwrap();
    fs::rename(&away, &meta).unwrap();
    let store = open(dir.path());
    assert_eq!((ids(&store).await, store.damages()), (vec![0], &[][..]));
}

#[tokio::test]
async fn another_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("state.json"), r#"{"version":2,"positions":[]}"#).unwrap();
    let error = EmbeddedEvents::open(dir.path(), Options::default()).unwrap_err();
    assert!(matches!(error, StoreError::Invalid(_)), "{error}");
}

const WORDS: [&str; 8] = ["order", "Order not", "re-order", "TIMED out", "x_y", "", "!", "ordered at"];
const KEYS: [&str; 14] = [
    "",
    "title",
    "message",
    "stack",
    "level",
    "release",
    "user",
    "user.id",
    "a",
    "a.b",
    "tags[level]",
    "timestamp",
    "id",
    "transaction",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![prop::sample::select(&WORDS[..]).prop_map(str::to_owned), "[a-cA-C1-3 .]{0,6}"]
}

fn phrase() -> impl Strategy<Value = String> {
    prop::collection::vec(word(), 1..4).prop_map(|words| words.join(" "))
}

fn rows() -> impl Strategy<Value = Vec<EventRow>> {
    let fields = (0..12_u8, -3..3_i64, phrase(), phrase(), prop::option::of(word()), 1..3_u64);
    let tags = prop::collection::vec((prop::sample::select(&["a", "a.b", "level", "\0"][..]), word()), 0..4);
    let one = (fields, tags).prop_map(|((n, weeks, title, message, value, project), tags)| EventRow {
        project_id: ProjectId(project),
        // The order of pages tells projects apart only by the ids of their events.
        event_id: EventId([n + 100 * project as u8; 16]),
        title,
        stack_text: message.clone(),
        message,
        release: value.clone(),
        user: value.map(|value| format!("id:{value}")),
        level: if n % 2 == 0 { Level::Error } else { Level::Fatal },
        tags: tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        ..row(n, weeks * WEEK / 2)
    });
    prop::collection::vec(one, 0..30)
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => word().prop_map(Value::Text),
        1 => (0..4_u8).prop_map(|n| Value::Number(n.into())),
        1 => (-3..3_i64).prop_map(|weeks| Value::Time(row(0, weeks * WEEK / 2).timestamp)),
        1 => (100..112_u8).prop_map(|n| Value::Text(EventId([n; 16]).to_string())),
        1 => Just(Value::Text("fatal".to_owned())),
    ]
}

fn expr() -> impl Strategy<Value = Expr> {
    let op = prop_oneof![
        prop::collection::vec(value(), 0..3).prop_map(Op::In),
        phrase().prop_map(Op::Contains),
        (word(), word()).prop_map(|(a, b)| Op::Like(format!("{a}*{b}"))),
        value().prop_map(Op::Lt),
        value().prop_map(Op::Le),
        value().prop_map(Op::Gt),
        value().prop_map(Op::Ge),
        Just(Op::Exists),
    ];
    let term = (prop::sample::select(&KEYS[..]), op).prop_map(|(key, op)| Expr::Term(Term { key: key.to_owned(), op }));
    term.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Expr::And),
            prop::collection::vec(inner.clone(), 0..3).prop_map(Expr::Or),
            inner.prop_map(|expr| Expr::Not(Box::new(expr))),
        ]
    })
}

fn query() -> impl Strategy<Value = EventQuery> {
    let time = || prop::option::of((-3..3_i64).prop_map(|weeks| row(0, weeks * WEEK / 2).timestamp));
    let hash = (1..=2_u64, 0..3_u8).prop_map(|(project, n)| (ProjectId(project), Hash([n; 16])));
    let hashes = prop::option::of(prop::collection::vec(hash, 0..3));
    let projects = prop::sample::subsequence(vec![ProjectId(1), ProjectId(2)], 1..=2);
    (projects, hashes, time(), time(), expr()).prop_map(|(projects, hashes, from, until, filter)| EventQuery {
        projects,
        hashes,
        from,
        until,
        filter,
    })
}

fn groupings() -> [Grouping; 4] {
    let tag = |key: &str| GroupKey::Tag(key.to_owned());
    let unique = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    [
        Grouping::default(),
        Grouping { by: vec![GroupKey::Hash], unique: unique(&["level", "a"]), interval_secs: None },
        Grouping { by: vec![tag("a"), tag("none"), tag("a.b")], unique: unique(&["\0"]), interval_secs: Some(400_000) },
        Grouping { by: vec![], unique: unique(&["a"]), interval_secs: Some(100_000) },
    ]
}

/// Whatever was put in, in however many commits, every question has the same answer as from the reference.
async fn same_answers(batches: &[Vec<EventRow>], queries: &[EventQuery]) {
    let dir = tempfile::tempdir().unwrap();
    let temporary = Temporary { store: open(dir.path()), _dir: dir };
    let (store, oracle) = (&temporary.store, MemoryEvents::new());
    for (offset, batch) in (1..).zip(batches) {
        for adapter in [store as &dyn EventStore, &oracle] {
            adapter.upsert(batch.clone(), at(offset)).await.unwrap();
            adapter.commit().await.unwrap();
        }
    }
    for query in queries {
        for ascending in [true, false] {
            let mut page = EventPage { ascending, after: None, limit: 7 };
            for _ in 0..3 {
                let found = store.search(query, &page).await.unwrap();
                assert_eq!(found, oracle.search(query, &page).await.unwrap(), "{query:?} {page:?}");
                page.after = found.last().map(|row| (row.timestamp, row.event_id));
            }
        }
        let context = || format!("{query:?}");
        assert_eq!(store.count(query).await.unwrap(), oracle.count(query).await.unwrap(), "{}", context());
        let interval = 100_000;
        let histogram = store.histogram(query, interval).await.unwrap();
        assert_eq!(histogram, oracle.histogram(query, interval).await.unwrap(), "{}", context());
        for key in ["a", "a.b", "level", "none"] {
            let values = store.tag_values(query, key, 2).await.unwrap();
            assert_eq!(values, oracle.tag_values(query, key, 2).await.unwrap(), "{} {key}", context());
        }
        for grouping in groupings() {
            let groups = store.groups(query, &grouping).await.unwrap();
            assert_eq!(groups, oracle.groups(query, &grouping).await.unwrap(), "{} {grouping:?}", context());
        }
        assert_eq!(store.hashes(query, 2).await.unwrap(), oracle.hashes(query, 2).await.unwrap(), "{}", context());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_the_reference(
        batches in prop::collection::vec(rows(), 1..4),
        queries in prop::collection::vec(query(), 60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(same_answers(&batches, &queries));
    }
}
