//! Search of issues: from the text of the search field to conditions (`reference/web-api.md` §2, §2.1).
//!
//! Some keys are about the issue itself. The others are about its events: they select issues that have at least one
//! event in the period that meets all of them together.

use nuthatch_issues::{IssueType, Substatus, issue::parse_short_id};
use nuthatch_protocol::{IssueId, Level, Priority, TeamId, Timestamp, UserId};
use nuthatch_query::{Expr, FREE_TEXT, Field, Grammar, HANDLED, Op, Term, Value, is_kept, parse};
use nuthatch_store::{
    issue_types::IssueTypes,
    issues::{IssueCondition, IssueTest},
    projects::Project,
};

use crate::{error::ApiError, shape::issue::status_word};

/// What a list shows when nobody says what (`reference/web-api.md` §0.6).
pub(crate) const DEFAULT_QUERY: &str = "is:unresolved";

/// What a search text asks for.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct IssueSearch {
    /// Of the issue.
    pub(crate) issue: Vec<IssueCondition>,
    /// Of its events, all of one event.
    pub(crate) events: Vec<Expr>,
    /// Of its project.
    pub(crate) projects: Vec<ProjectCondition>,
    /// Short ids, one of which it has.
    pub(crate) short_ids: Vec<ShortIds>,
    /// Whether it says which type of issues, or which issue, it asks for; if not, types that are not listed are not meant.
    pub(crate) is_specific: bool,
}

/// The project is one of these, by slug or id; or is none of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ProjectCondition {
    pub(crate) negated: bool,
    pub(crate) names: Vec<String>,
}

impl ProjectCondition {
    /// Whether a project meets it.
    pub(crate) fn holds(&self, project: &Project) -> bool {
        let named = self.names.iter().any(|name| *name == project.slug || *name == project.id.to_string());
        named != self.negated
    }
}

/// The short id is one of these (project slug and number); or is none of them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ShortIds {
    pub(crate) negated: bool,
    pub(crate) ids: Vec<(String, u64)>,
}

/// What the names in a search stand for.
pub(crate) struct Names<'a> {
    /// What `me` means.
    pub(crate) me: UserId,
    /// Accounts by e-mail address.
    pub(crate) members: &'a [(UserId, String)],
    /// Teams by slug.
    pub(crate) teams: &'a [(TeamId, String)],
    /// Those that `me` is in.
    pub(crate) my_teams: &'a [TeamId],
    /// The issue types of the organization.
    pub(crate) types: &'a IssueTypes,
}

impl IssueSearch {
    /// Reads a search text; an empty one asks for everything.
    pub(crate) fn read(text: &str, names: &Names<'_>, now: Timestamp) -> Result<Self, ApiError> {
        let expr = parse(text, Grammar::Flat, now).map_err(|error| ApiError::Invalid(error.to_string()))?;
        let parts = match expr {
            Expr::And(parts) => parts,
            one => vec![one],
        };
        let mut search = Self::default();
        for part in &parts {
            search.add(part, names)?;
        }
        Ok(search)
    }

    fn add(&mut self, part: &Expr, names: &Names<'_>) -> Result<(), ApiError> {
        match part {
            Expr::Term(term) => self.add_term(term, false, part, names),
            Expr::Not(inner) => match &**inner {
                Expr::Term(term) => self.add_term(term, true, part, names),
                _ => Err(no_boolean_operators()),
            },
            Expr::And(_) | Expr::Or(_) => Err(no_boolean_operators()),
        }
    }

    /// `whole` is the term with its negation, for keys of events.
    fn add_term(&mut self, term: &Term, negated: bool, whole: &Expr, names: &Names<'_>) -> Result<(), ApiError> {
        self.is_specific |= matches!(term.key.as_str(), "issue" | "issue.id" | "issue.type" | "issue.category");
        match term.key.as_str() {
            "project" | "project.id" | "project.name" => {
                self.projects.push(ProjectCondition { negated, names: texts(term)? });
            }
            "issue" => {
                let read = |text: &String| parse_short_id(text).ok_or_else(|| wrong(term, "a short id such as WEB-4"));
                let ids = texts(term)?.iter().map(read).collect::<Result<_, _>>()?;
                self.short_ids.push(ShortIds { negated, ids });
            }
            _ => match issue_tests(term, names)? {
                None => self.events.push(whole.clone()),
                Some(tests) if negated && tests.len() > 1 => {
                    return Err(wrong(term, "a comparison when it is negated"));
                }
                Some(tests) => self
                    .issue
                    .extend(tests.into_iter().map(|(not, test)| IssueCondition { negated: negated != not, test })),
            },
        }
        Ok(())
    }
}

/// Tests that a term stands for, all of them, each with whether it must not hold.
type Tests = Vec<(bool, IssueTest)>;

fn one(test: IssueTest) -> Tests {
    vec![(false, test)]
}

/// What a key of issues means; `None` for keys of events.
fn issue_tests(term: &Term, names: &Names<'_>) -> Result<Option<Tests>, ApiError> {
    let tests = match term.key.as_str() {
        FREE_TEXT => one(IssueTest::Text(free_text(term)?)),
        "is" if text(term)? == "unassigned" => one(NOBODY),
        "is" if text(term)? == "assigned" => vec![(true, NOBODY)],
        "is" => one(is(term)?),
        "status" => one(status(&text(term)?).ok_or_else(|| wrong(term, "unresolved, resolved or archived"))?),
        "assigned" | "assigned_to" | "assigned_or_suggested" => one(assigned(term, names)?),
        "bookmarks" | "subscribed" | "team" => {
            return Err(ApiError::Invalid(format!(
                "search key {:?} is not supported yet; a tag of that name is tags[{0}]",
                term.key
            )));
        }
        "issue.priority" => {
            let read = |text: &String| priority(text).ok_or_else(|| wrong(term, "high, medium or low"));
            one(IssueTest::Priority(texts(term)?.iter().map(read).collect::<Result<_, _>>()?))
        }
        "level" => {
            let read = |text: &String| text.parse::<Level>().map_err(|()| wrong(term, "a level such as error"));
            one(IssueTest::Level(texts(term)?.iter().map(read).collect::<Result<_, _>>()?))
        }
        "platform" | "platform.name" if matches!(term.op, Op::In(_)) => one(IssueTest::Platform(texts(term)?)),
        "issue.id" => {
            let read = |text: &String| text.parse::<IssueId>().map_err(|_| wrong(term, "the number of an issue"));
            one(IssueTest::Ids(texts(term)?.iter().map(read).collect::<Result<_, _>>()?))
        }
        "issue.type" => one(types(term, names, |issue_type, slug| issue_type.slug == slug)?),
        "issue.category" => one(types(term, names, |issue_type, category| {
            issue_type.category == category || issue_type.former_category.as_deref() == Some(category)
        })?),
        "error.unhandled" if !matches!(term.op, Op::Exists) => vec![(text(term)? != HANDLED[0], IssueTest::Unhandled)],
        "firstRelease" | "first-release" | "first_release" => one(IssueTest::FirstRelease(texts(term)?)),
        "age" | "firstSeen" | "first_seen" => since(term, IssueTest::FirstSeenSince)?,
        "lastSeen" | "last_seen" => since(term, IssueTest::LastSeenSince)?,
        "timesSeen" | "times_seen" => times_seen(term)?,
        _ => return Ok(None),
    };
    Ok(Some(tests))
}

/// The types that one of the term's texts names; each must name one.
fn types(term: &Term, names: &Names<'_>, is_named: fn(&IssueType, &str) -> bool) -> Result<IssueTest, ApiError> {
    let mut ids = Vec::new();
    for text in texts(term)? {
        let before = ids.len();
        ids.extend(names.types.all().filter(|issue_type| is_named(issue_type, &text)).map(|issue_type| issue_type.id));
        if ids.len() == before {
            return Err(wrong(term, &format!("what an issue type of the organization has, not {text:?}")));
        }
    }
    Ok(IssueTest::Types(ids))
}

/// Assigned to nobody.
const NOBODY: IssueTest = IssueTest::AssignedToAny { users: Vec::new(), teams: Vec::new(), nobody: true };

/// The priority of a word.
pub(crate) fn priority(word: &str) -> Option<Priority> {
    [Priority::Low, Priority::Medium, Priority::High].into_iter().find(|priority| priority.as_str() == word)
}

fn status(word: &str) -> Option<IssueTest> {
    status_word(word).map(IssueTest::Status)
}

fn is(term: &Term) -> Result<IssueTest, ApiError> {
    let word = text(term)?;
    if let Some(status) = status(&word) {
        return Ok(status);
    }
    if let Some(substatus) = Substatus::ALL.into_iter().find(|substatus| substatus.as_str() == word) {
        return Ok(IssueTest::Substatus(vec![substatus]));
    }
    match word.as_str() {
        "for_review" => Ok(IssueTest::Substatus(vec![Substatus::New, Substatus::Regressed, Substatus::Escalating])),
        "reprocessing" | "linked" => Ok(IssueTest::Ids(Vec::new())),
        _ => Err(wrong(term, "a status such as unresolved, resolved or archived")),
    }
}

/// One of the people, teams and nobody that the term lists. Nobody has anything assigned whom the organization does not
/// know.
fn assigned(term: &Term, names: &Names<'_>) -> Result<IssueTest, ApiError> {
    let (mut users, mut teams, mut nobody) = (Vec::new(), Vec::new(), false);
    for word in texts(term)? {
        match word.as_str() {
            "none" => nobody = true,
            "me" => users.push(names.me),
            "my_teams" => teams.extend(names.my_teams),
            word => match word.strip_prefix('#') {
                Some(slug) => teams.extend(names.teams.iter().filter(|(_, known)| known == slug).map(|(id, _)| *id)),
                None => {
                    let is_meant = |(_, email): &&(UserId, String)| email.eq_ignore_ascii_case(word);
                    users.extend(names.members.iter().filter(is_meant).map(|(id, _)| *id));
                }
            },
        }
    }
    Ok(IssueTest::AssignedToAny { users, teams, nobody })
}

fn since(term: &Term, test: fn(Timestamp) -> IssueTest) -> Result<Tests, ApiError> {
    let time = |value: &Value| match value {
        Value::Time(time) => Ok(*time),
        _ => Err(wrong(term, "a time such as -24h or 2026-01-31")),
    };
    let just_after = |time: Timestamp| Timestamp(time.0.saturating_add(1));
    Ok(vec![match &term.op {
        Op::Ge(value) => (false, test(time(value)?)),
        Op::Gt(value) => (false, test(just_after(time(value)?))),
        Op::Lt(value) => (true, test(time(value)?)),
        Op::Le(value) => (true, test(just_after(time(value)?))),
        _ => return Err(wrong(term, "a time such as -24h or >2026-01-31")),
    }])
}

fn times_seen(term: &Term) -> Result<Tests, ApiError> {
    let number = |value: &Value| match value {
        Value::Number(number) if *number >= 0.0 => Ok(number.ceil() as u64),
        Value::Text(text) => text.parse::<u64>().map_err(|_| wrong(term, "a number")),
        _ => Err(wrong(term, "a number")),
    };
    let at_least = IssueTest::TimesSeenAtLeast;
    Ok(match &term.op {
        Op::Ge(value) => vec![(false, at_least(number(value)?))],
        Op::Gt(value) => vec![(false, at_least(number(value)?.saturating_add(1)))],
        Op::Lt(value) => vec![(true, at_least(number(value)?))],
        Op::Le(value) => vec![(true, at_least(number(value)?.saturating_add(1)))],
        Op::In(values) => {
            let [value] = values.as_slice() else { return Err(wrong(term, "one number")) };
            let count = number(value)?;
            vec![(false, at_least(count)), (true, at_least(count.saturating_add(1)))]
        }
        _ => return Err(wrong(term, "a number")),
    })
}

fn free_text(term: &Term) -> Result<String, ApiError> {
    match &term.op {
        Op::Contains(text) => Ok(text.clone()),
        Op::Like(pattern) => Ok(pattern.trim_matches('*').to_owned()),
        _ => text(term),
    }
}

/// The one text a term names.
fn text(term: &Term) -> Result<String, ApiError> {
    match texts(term)?.as_slice() {
        [text] => Ok(text.clone()),
        _ => Err(wrong(term, "one value")),
    }
}

/// The texts a term names.
fn texts(term: &Term) -> Result<Vec<String>, ApiError> {
    match &term.op {
        Op::In(values) => Ok(values.iter().map(Value::to_text).collect()),
        Op::Contains(text) => Ok(vec![text.clone()]),
        _ => Err(wrong(term, "a plain value")),
    }
}

fn wrong(term: &Term, expected: &str) -> ApiError {
    ApiError::Invalid(format!("search key {:?} takes {expected}", term.key))
}

fn no_boolean_operators() -> ApiError {
    ApiError::Invalid("OR, AND and parentheses cannot be used in the search of issues".to_owned())
}

/// The key that finds a tag in search text: its name, unless that means something else there.
pub(crate) fn tag_key(name: &str) -> String {
    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    // What events have anyway they also have as tags.
    let is_both = matches!(name, "level" | "release" | "environment" | "transaction" | "user");
    let is_plain = is_word && is_kept(name) && !ISSUE_KEYS.contains(&name) && Field::named(name) == Field::Tag(name);
    if is_both || is_plain { name.to_owned() } else { format!("tags[{name}]") }
}

/// Names that mean something of the issue, or of the search, and never a tag.
const ISSUE_KEYS: &[&str] = &[
    "is",
    "has",
    "status",
    "assigned",
    "assigned_to",
    "assigned_or_suggested",
    "bookmarks",
    "subscribed",
    "team",
    "issue",
    "issue.id",
    "issue.type",
    "issue.category",
    "issue.priority",
    "project",
    "project.id",
    "project.name",
    "firstRelease",
    "first-release",
    "first_release",
    "firstSeen",
    "first_seen",
    "lastSeen",
    "last_seen",
    "timesSeen",
    "times_seen",
    "date",
    "event.received",
    "user_count",
    "userCount",
];

/// Reads the search text of events; an empty one asks for everything.
pub(crate) fn parse_event_search(text: &str, now: Timestamp) -> Result<Expr, ApiError> {
    parse(text, Grammar::Boolean, now).map_err(|error| ApiError::Invalid(error.to_string()))
}
