//! The list of dead letters.

use bytes::Bytes;
use nuthatch_issues::{Changes, Needs};
use nuthatch_protocol::{LetterId, Position, ProjectId, Topic, record::DeadLetter};

use super::fixture::{NOW, Place, letter};
use crate::{
    MetaStore, StoreError,
    dead_letters::{LetterBounds, LetterCursor, LetterFilter, LetterPage, LetterQuery, LetterScope, StoredLetter},
    issues::ConsumerPosition,
};

const ALL: LetterFilter = LetterFilter { scope: LetterScope::Installation, reason: None };

fn at(offset: u64) -> ConsumerPosition {
    let position = Position { topic: Topic::IngestEvents, partition: 0, offset };
    ConsumerPosition { consumer: "issues".to_owned(), position }
}

fn of(project: ProjectId, reason: Option<&str>) -> LetterFilter {
    LetterFilter { scope: LetterScope::Project(project), reason: reason.map(str::to_owned) }
}

async fn take(store: &impl MetaStore, letters: Vec<DeadLetter>) {
    assert_eq!(take_within(store, letters, at(0), LetterBounds::default()).await, 0);
}

/// Letters come with a transaction of the issues, and the list is cut.
async fn take_within(
    store: &impl MetaStore,
    letters: Vec<DeadLetter>,
    position: ConsumerPosition,
    bounds: LetterBounds,
) -> u64 {
    let changes = Changes { letters, ..Changes::default() };
    store.transact(Needs::default(), Some(position), Box::new(move |_| changes)).await.expect("keeps");
    store.cut_letters(bounds).await.expect("cuts")
}

async fn page(store: &impl MetaStore, filter: &LetterFilter, cursor: Option<LetterCursor>, limit: usize) -> LetterPage {
    store.letters(&LetterQuery { filter: filter.clone(), cursor, limit }).await.expect("lists")
}

/// The offsets of the records that the letters of a page are about.
fn sources(page: &LetterPage) -> Vec<u64> {
    page.letters.iter().map(|letter| letter.header.source.offset).collect()
}

async fn kept(store: &impl MetaStore, filter: &LetterFilter) -> Vec<u64> {
    sources(&page(store, filter, None, 100).await)
}

async fn requested(store: &impl MetaStore) -> Vec<StoredLetter> {
    store.requested_replays(100).await.expect("lists")
}

/// A letter reads back as it was written and moves its consumer; a second one of the same source changes nothing.
pub async fn letters_are_known_by_their_source(store: &impl MetaStore) {
    let (known, unknown) = (letter(1, Some(ProjectId(7)), "invalid_json"), letter(2, None, "invalid_record"));
    let empty = DeadLetter { original: Bytes::new(), ..letter(3, None, "damaged_record") };
    let letters = vec![known.clone(), unknown.clone(), empty.clone()];
    take_within(store, letters, at(3), LetterBounds::default()).await;
    assert_eq!(store.position("issues", at(0).position).await.expect("looks up"), at(3).position);

    let again = DeadLetter { original: Bytes::from_static(b"other"), ..letter(1, None, "too_deep") };
    let elsewhere = Position { partition: 1, ..known.header.source };
    let mut neighbour = known.clone();
    neighbour.header.source = elsewhere;
    take_within(store, vec![again, neighbour.clone()], at(5), LetterBounds::default()).await;
    assert_eq!(store.position("issues", at(0).position).await.expect("looks up"), at(5).position);

    let listed = page(store, &ALL, None, 100).await;
    let wanted = [neighbour, empty, unknown, known];
    assert_eq!(listed.letters.len(), wanted.len());
    for (shown, wanted) in listed.letters.iter().zip(wanted) {
        assert_eq!(shown.header, wanted.header);
        assert_eq!((shown.bytes, shown.replay_requested), (wanted.original.len() as u64, false));
        let whole = store.letter(shown.id).await.expect("looks up");
        assert_eq!(whole, Some(StoredLetter { letter: shown.clone(), record: wanted.original }));
    }
    assert_eq!(store.letter(LetterId(99)).await.expect("looks up"), None);
}

/// Lists are newest first, go both ways and keep to one project; a letter of an unknown project is in no project's list.
pub async fn letters_are_listed_newest_first(store: &impl MetaStore) {
    let Place { web, api, .. } = Place::make(store, "acme").await;
    let project = |n: u64| [Some(web), Some(web), Some(api), None][n as usize % 4];
    let reason = |n: u64| if n.is_multiple_of(3) { "too_deep" } else { "invalid_json" };
    take(store, (0..20).map(|n| letter(n, project(n), reason(n))).collect()).await;

    let filters = [ALL, of(web, None), of(api, Some("too_deep")), of(web, Some("nothing")), of(ProjectId(99), None)];
    for filter in filters {
        let reason_fits = |n: &u64| filter.reason.as_deref().is_none_or(|wanted| wanted == reason(*n));
        let wanted: Vec<u64> = match filter.scope {
            LetterScope::Installation => (0..20).rev().filter(reason_fits).collect(),
            LetterScope::Project(id) => (0..20).rev().filter(|n| project(*n) == Some(id)).filter(reason_fits).collect(),
        };
        assert_eq!(kept(store, &filter).await, wanted, "{filter:?}");
        for limit in [1, 3, 100, usize::MAX] {
            let (mut there, mut cursor) = (Vec::new(), None);
            loop {
                let next = page(store, &filter, cursor, limit).await;
                assert_eq!(next.has_previous, !there.is_empty());
                there.extend(sources(&next));
                let Some(last) = next.letters.last().filter(|_| next.has_next) else { break };
                cursor = Some(LetterCursor { id: last.id, backwards: false });
            }
            assert_eq!(there, wanted, "{filter:?} by {limit}");
            let mut back = Vec::new();
            cursor = Some(LetterCursor { id: LetterId(0), backwards: true });
            loop {
                let previous = page(store, &filter, cursor, limit).await;
                assert_eq!(previous.has_next, !back.is_empty());
                back.splice(0..0, sources(&previous));
                let Some(first) = previous.letters.first().filter(|_| previous.has_previous) else { break };
                cursor = Some(LetterCursor { id: first.id, backwards: true });
            }
            assert_eq!(back, wanted, "{filter:?} back by {limit}");
        }
    }
    assert!(page(store, &ALL, None, 0).await.letters.is_empty());
    let counts = async |scope| store.letter_counts(scope).await.expect("counts");
    let count = |reason: &str, count| (reason.to_owned(), count);
    assert_eq!(counts(LetterScope::Installation).await, [count("invalid_json", 13), count("too_deep", 7)]);
    assert_eq!(counts(LetterScope::Project(api)).await, [count("invalid_json", 3), count("too_deep", 2)]);
    assert_eq!(counts(LetterScope::Project(ProjectId(99))).await, []);
}

/// What is asked to be replayed is handed out, oldest first and with the record it shall become, until it is removed.
pub async fn replays_wait_until_they_are_done(store: &impl MetaStore) {
    let web = ProjectId(1);
    let nothing_left = DeadLetter { original: Bytes::new(), ..letter(3, Some(web), "damaged_record") };
    let letters = vec![letter(1, Some(web), "too_deep"), letter(2, Some(web), "invalid_json"), nothing_left];
    take(store, letters).await;
    assert_eq!(requested(store).await, []);
    let listed = page(store, &ALL, None, 3).await.letters;
    let (second, first) = (&listed[1], &listed[2]);

    let edited = Bytes::from_static(b"edited");
    store.request_replay(second.id, edited.clone()).await.expect("asks");
    let all_asked = requested(store).await;
    let asked = &all_asked[0];
    assert_eq!(all_asked.len(), 1);
    assert_eq!((asked.letter.id, asked.letter.replay_requested, asked.letter.bytes), (second.id, true, 6));
    assert_eq!(asked.record, edited);
    assert_eq!(store.letter(second.id).await.expect("looks up").as_ref(), Some(asked));

    assert_eq!(store.request_replays(&of(web, Some("too_deep"))).await.expect("asks"), 1);
    assert_eq!(store.request_replays(&of(ProjectId(2), None)).await.expect("asks"), 0);
    let ids = requested(store).await.iter().map(|kept| kept.letter.id).collect::<Vec<_>>();
    assert_eq!(ids, [first.id, second.id], "oldest first");
    assert_eq!(requested(store).await[0].record, letter(1, Some(web), "too_deep").original);
    assert_eq!(store.requested_replays(1).await.expect("lists").len(), 1);
    assert_eq!(store.request_replays(&ALL).await.expect("asks"), 2, "nothing is left of the third");

    assert_eq!(store.remove_letters(&[first.id, LetterId(99)]).await.expect("removes"), 1);
    assert_eq!(store.remove_letters(&[first.id]).await.expect("is gone"), 0);
    assert_eq!(requested(store).await.len(), 1);
    let gone = store.request_replay(first.id, edited).await;
    assert!(matches!(gone, Err(StoreError::NotFound(_))), "{gone:?}");
}

/// Removing takes what was named and nothing else; retention forgets what was refused before a time, but not what waits
/// to be replayed; ids are not given twice.
pub async fn letters_are_removed_and_expire(store: &impl MetaStore) {
    let (web, api) = (ProjectId(1), ProjectId(2));
    let reason = |n: u64| if n.is_multiple_of(2) { "too_deep" } else { "invalid_json" };
    take(store, (1..=6).map(|n| letter(n, Some(web), reason(n))).chain([letter(7, Some(api), "too_deep")]).collect())
        .await;
    let newest = page(store, &ALL, None, 1).await.letters[0].id;
    assert_eq!(store.remove_all_letters(&of(web, Some("too_deep"))).await.expect("removes"), 3);
    assert_eq!(kept(store, &ALL).await, [7, 5, 3, 1]);
    assert_eq!(store.remove_all_letters(&of(web, Some("too_deep"))).await.expect("removes"), 0);

    let oldest = page(store, &ALL, None, 100).await.letters[3].id;
    store.request_replay(oldest, Bytes::from_static(b"x")).await.expect("asks");
    assert_eq!(store.expire_letters(letter(5, None, "").header.at).await.expect("forgets"), 1);
    assert_eq!(kept(store, &ALL).await, [7, 5, 1]);
    assert_eq!(store.expire_letters(NOW).await.expect("forgets"), 0);

    assert_eq!(store.remove_all_letters(&ALL).await.expect("removes"), 3);
    assert!(kept(store, &ALL).await.is_empty());
    take(store, vec![letter(8, None, "too_deep")]).await;
    assert!(page(store, &ALL, None, 1).await.letters[0].id > newest, "ids are not given twice");
}

/// Beyond the bounds the oldest letters go, but not the newest one and not what waits to be replayed.
pub async fn the_oldest_letters_go_beyond_the_bounds(store: &impl MetaStore) {
    let few = LetterBounds { letters: 3, bytes: u64::MAX >> 1 };
    let take = async |n, bounds| take_within(store, vec![letter(n, None, "too_deep")], at(n), bounds).await;
    for n in 1..=3 {
        assert_eq!(take(n, few).await, 0);
    }
    assert_eq!(take(4, few).await, 1);
    assert_eq!(kept(store, &ALL).await, [4, 3, 2]);

    let second = page(store, &ALL, None, 3).await.letters[2].id;
    store.request_replay(second, Bytes::from_static(b"x")).await.expect("asks");
    let size = letter(5, None, "too_deep").original.len() as u64;
    let small = LetterBounds { letters: 100, bytes: 2 * size };
    assert_eq!(take(5, small).await, 1);
    assert_eq!(kept(store, &ALL).await, [5, 4, 2]);
    assert_eq!(take(6, LetterBounds { letters: 0, bytes: 0 }).await, 2);
    assert_eq!(kept(store, &ALL).await, [6, 2]);
}
