//! Lists of issues, against a filter that looks at every issue.

use nuthatch_issues::{Assignee, Changes, Issue, Status, Substatus};
use nuthatch_protocol::{Hash, IssueId, Level, Priority, ProjectId, TeamId, Timestamp, TypeId, UserId};

use super::fixture::{Place, apply, issue};
use crate::{
    MetaStore,
    issues::{IssueCondition, IssueCursor, IssuePage, IssueQuery, IssueSort, IssueTest},
};

const SORTS: [IssueSort; 4] = [IssueSort::LastSeen, IssueSort::FirstSeen, IssueSort::Events, IssueSort::Users];
const USER: UserId = UserId(7);

/// Issues that differ in everything a condition looks at, with plenty of ties in everything they are sorted by.
fn varied(first_id: u64, project: ProjectId) -> Vec<(Issue, u64)> {
    (0..24)
        .map(|n| {
            let substatus = Substatus::ALL.get(n as usize % 9).copied();
            let users = n % 4;
            let issue = Issue {
                status: substatus.map_or(Status::Resolved, Substatus::status),
                substatus,
                type_id: TypeId([1, 1001, 100_000][n as usize % 3]),
                level: if n % 2 == 0 { Level::Error } else { Level::Fatal },
                platform: if n % 3 == 0 { "node".to_owned() } else { "python".to_owned() },
                title: if n % 5 == 0 { format!("100%_sure\\ÄÖ {n}") } else { format!("100 sure {n}") },
                first_seen: Timestamp((n % 7) as i64 - 3),
                last_seen: Timestamp((n % 5) as i64 * 1_000_000),
                times_seen: n % 6 * 10,
                user_count: users,
                assignee: match n % 4 {
                    1 => Some(Assignee::User(UserId(USER.0 + n % 8 / 5))),
                    2 if n % 8 == 2 => Some(Assignee::Team(TeamId(3 + n % 3))),
                    _ => None,
                },
                priority: [Priority::Low, Priority::Medium, Priority::High][n as usize % 3],
                unhandled: n % 3 == 1,
                first_release: (n % 2 == 1).then(|| format!("1.{}", n % 3)),
                ..issue(first_id + n, project, n + 1)
            };
            (issue, users)
        })
        .collect()
}

async fn fill(store: &impl MetaStore, first_id: u64, project: ProjectId) -> Vec<Issue> {
    let varied = varied(first_id, project);
    let users = varied.iter().flat_map(|(issue, users)| (0..*users).map(|user| (issue.id, user)));
    let changes = Changes {
        created: varied.iter().map(|(issue, _)| issue.clone()).collect(),
        users: users.collect(),
        hashes: varied.iter().map(|(issue, _)| (project, hash_of(issue).1, issue.id)).collect(),
        ..Changes::default()
    };
    apply(store, changes).await;
    varied.into_iter().map(|(issue, _)| issue).collect()
}

fn hash_of(issue: &Issue) -> (ProjectId, Hash) {
    (issue.project_id, Hash([issue.short_id as u8; 16]))
}

/// A condition and what it must mean.
type Meaning = (IssueTest, fn(&Issue) -> bool);

fn assigned(users: &[UserId], teams: &[TeamId], nobody: bool) -> IssueTest {
    IssueTest::AssignedToAny { users: users.to_vec(), teams: teams.to_vec(), nobody }
}

fn conditions() -> Vec<Meaning> {
    vec![
        (IssueTest::Ids(vec![IssueId(2), IssueId(30), IssueId(9999)]), |i| [2, 30].contains(&i.id.0)),
        (IssueTest::Ids(vec![]), |_| false),
        (IssueTest::Status(Status::Unresolved), |i| i.status == Status::Unresolved),
        (IssueTest::Status(Status::Resolved), |i| i.status == Status::Resolved),
        (IssueTest::Substatus(vec![Substatus::New, Substatus::ArchivedForever]), |i| {
            [Some(Substatus::New), Some(Substatus::ArchivedForever)].contains(&i.substatus)
        }),
        (IssueTest::Types(vec![TypeId(1001), TypeId(100_000), TypeId(7)]), |i| i.type_id != TypeId::ERROR),
        (IssueTest::Types(vec![]), |_| false),
        (IssueTest::Level(vec![Level::Fatal, Level::Debug]), |i| i.level == Level::Fatal),
        (IssueTest::Platform(vec!["node".to_owned(), "\"".to_owned()]), |i| i.platform == "node"),
        (IssueTest::Priority(vec![Priority::Low, Priority::High]), |i| i.priority != Priority::Medium),
        (assigned(&[], &[], true), |i| i.assignee.is_none()),
        (assigned(&[USER], &[], false), |i| i.assignee == Some(Assignee::User(USER))),
        (assigned(&[], &[TeamId(3), TeamId(8)], false), |i| i.assignee == Some(Assignee::Team(TeamId(3)))),
        (assigned(&[USER], &[TeamId(3)], true), |i| {
            [None, Some(Assignee::User(USER)), Some(Assignee::Team(TeamId(3)))].contains(&i.assignee)
        }),
        (assigned(&[], &[], false), |_| false),
        (IssueTest::Unhandled, |i| i.unhandled),
        (IssueTest::Text("100%_SURE\\äö".to_owned()), |i| i.title.starts_with("100%")),
        (IssueTest::Text("APP.views".to_owned()), |_| true),
        (IssueTest::Text("_".to_owned()), |i| i.title.contains('_')),
        (IssueTest::Text("'; DROP TABLE issue".to_owned()), |_| false),
        (IssueTest::FirstRelease(vec!["1.1".to_owned(), "7".to_owned()]), |i| {
            i.first_release.as_deref() == Some("1.1")
        }),
        (IssueTest::FirstRelease(vec![]), |_| false),
        (IssueTest::TimesSeenAtLeast(30), |i| i.times_seen >= 30),
        (IssueTest::TimesSeenAtLeast(u64::MAX), |_| false),
        (IssueTest::FirstSeenSince(Timestamp(-1)), |i| i.first_seen.0 >= -1),
        (IssueTest::LastSeenSince(Timestamp(2_000_000)), |i| i.last_seen.0 >= 2_000_000),
    ]
}

fn query(place: Place) -> IssueQuery {
    IssueQuery {
        organization: place.organization,
        projects: Vec::new(),
        filter: Vec::new(),
        seen_since: None,
        sort: IssueSort::LastSeen,
        cursor: None,
        limit: 100,
    }
}

fn sorted(issues: &[Issue], sort: IssueSort, keep: impl Fn(&Issue) -> bool) -> Vec<Issue> {
    let mut kept: Vec<Issue> = issues.iter().filter(|issue| keep(issue)).cloned().collect();
    kept.sort_by_key(|issue| std::cmp::Reverse((sort.value(issue), issue.id)));
    kept
}

async fn ask(store: &impl MetaStore, query: &IssueQuery) -> IssuePage {
    store.issues(query).await.expect("lists")
}

/// Every condition, its opposite, and with another one; in every order; on pages of several sizes, there and back.
pub async fn lists_agree_with_a_plain_filter(store: &impl MetaStore) {
    let place = Place::make(store, "acme").await;
    let mut issues = fill(store, 1, place.web).await;
    issues.extend(fill(store, 25, place.api).await);

    // The projects share their hashes: a pair means the issue of its own project.
    let pairs = [(place.web, 3), (place.api, 4), (place.api, 200), (ProjectId(99), 5)];
    let pairs = IssueTest::Hashes(pairs.map(|(project, n)| (project, Hash([n; 16]))).to_vec());
    let mut conditions = conditions();
    conditions.push((pairs, |issue| [3, 28].contains(&issue.id.0)));
    for (n, (test, meaning)) in conditions.iter().enumerate() {
        let (other, other_meaning) = &conditions[(n + 7) % conditions.len()];
        for (negated, sort) in [false, true].into_iter().zip(SORTS.into_iter().cycle().skip(n)) {
            let condition = IssueCondition { negated, test: test.clone() };
            let alone = IssueQuery { filter: vec![condition.clone()], sort, ..query(place) };
            let expected = sorted(&issues, sort, |issue| meaning(issue) != negated);
            assert_page(&ask(store, &alone).await, &expected, (0, expected.len()), &alone);

            let and = IssueCondition { negated: !negated, test: other.clone() };
            let both = IssueQuery { filter: vec![condition, and], ..alone };
            let expected = sorted(&issues, sort, |issue| meaning(issue) != negated && other_meaning(issue) == negated);
            assert_page(&ask(store, &both).await, &expected, (0, expected.len()), &both);
        }
    }
    for sort in SORTS {
        let seen_since = Some(Timestamp(1_000_000));
        let one_project = IssueQuery { projects: vec![place.web], seen_since, sort, ..query(place) };
        let expected = sorted(&issues, sort, |i| i.project_id == place.web && i.last_seen.0 >= 1_000_000);
        walk(store, &one_project, &expected).await;
        let text = IssueTest::Text("SURE".to_owned());
        let all = IssueQuery { filter: vec![IssueCondition { negated: false, test: text }], sort, ..query(place) };
        walk(store, &all, &sorted(&issues, sort, |_| true)).await;
    }
}

/// Goes through a list forwards and backwards from every issue, and from places between and beyond.
async fn walk(store: &impl MetaStore, query: &IssueQuery, expected: &[Issue]) {
    let key = |issue: &Issue| (query.sort.value(issue), issue.id);
    let beyond = [(i64::MAX, IssueId(1)), (i64::MIN, IssueId(1)), (0, IssueId(0))];
    for limit in [1, 7, 100] {
        for (value, id) in expected.iter().map(key).chain(beyond) {
            let forwards =
                IssueQuery { cursor: Some(IssueCursor { value, id, backwards: false }), limit, ..query.clone() };
            let start = expected.iter().filter(|issue| key(issue) >= (value, id)).count();
            let range = (start, expected.len().min(start + limit));
            assert_page(&ask(store, &forwards).await, expected, range, &forwards);

            let backwards = IssueQuery { cursor: Some(IssueCursor { value, id, backwards: true }), ..forwards };
            let end = expected.iter().filter(|issue| key(issue) > (value, id)).count();
            assert_page(&ask(store, &backwards).await, expected, (end.saturating_sub(limit), end), &backwards);
        }
    }
}

fn assert_page(page: &IssuePage, expected: &[Issue], (start, end): (usize, usize), query: &IssueQuery) {
    assert_eq!(page.issues, expected[start..end], "{query:?}");
    let around = (page.has_previous, page.has_next, page.hits);
    assert_eq!(around, (start > 0, end < expected.len(), expected.len() as u64), "{query:?}");
}

/// A query sees issues of its organization only, whatever projects, ids and hashes it names.
pub async fn lists_keep_to_their_organization(store: &impl MetaStore) {
    let ours = Place::make(store, "ours").await;
    let theirs = Place::make(store, "theirs").await;
    let issues = fill(store, 1, ours.web).await;
    let others = fill(store, 25, theirs.web).await;

    let expected = sorted(&issues, IssueSort::LastSeen, |_| true);
    assert_page(&ask(store, &query(ours)).await, &expected, (0, expected.len()), &query(ours));
    let named = IssueQuery { projects: vec![theirs.web, ours.web], ..query(ours) };
    assert_page(&ask(store, &named).await, &expected, (0, expected.len()), &named);
    let only_theirs = IssueQuery { projects: vec![theirs.web], ..query(ours) };
    assert_page(&ask(store, &only_theirs).await, &[], (0, 0), &only_theirs);
    for test in [IssueTest::Ids(vec![others[0].id]), IssueTest::Hashes(others.iter().map(hash_of).collect())] {
        let filter = vec![IssueCondition { negated: false, test }];
        let page = ask(store, &IssueQuery { filter, ..query(ours) }).await;
        assert!(page.issues.iter().all(|issue| issue.project_id == ours.web), "{page:?}");
    }
}
