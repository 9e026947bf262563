//! Search text to AST (`reference/web-api.md` §2).

use std::time::Duration;

use nuthatch_protocol::Timestamp;

use crate::{
    Expr, FREE_TEXT, Field, HANDLED, ItemField, Op, Term, Value, is_kept,
    token::{Given, Kind, Token, Written, tokens},
};

/// Longest search text, in bytes.
pub const QUERY_BYTES_MAX: usize = 4096;
/// Most conditions in a search, the values of lists counted one by one.
pub const TERMS_MAX: usize = 100;
/// Deepest nesting of parentheses.
pub const DEPTH_MAX: usize = 16;

/// Search text that cannot be understood, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at {offset})")]
pub struct QueryError {
    /// Byte offset in the search text.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
}

impl QueryError {
    pub(crate) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into() }
    }
}

/// What a search may be made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// Conditions that all hold: issue search. The result is an [`Expr::And`] of terms and negated terms.
    Flat,
    /// With `OR`, `AND` and parentheses: event search.
    Boolean,
    /// The same, over the fields of spans, logs and metrics.
    Items,
    /// The same, over what the names of releases say.
    Releases,
}

/// How the value of a field is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// As words.
    Words,
    /// As it is.
    Whole,
    /// As it is; when it is compared, too.
    Version,
    /// As a point in time.
    Time,
    /// As a number.
    Number,
    /// As a number with a unit of time: milliseconds.
    Duration,
    /// As true or false, which is kept as the tag of [`HANDLED`].
    Handled,
    /// The opposite.
    Unhandled,
}

impl Grammar {
    fn reading(self, key: &str) -> Reading {
        match self {
            Self::Items => match ItemField::named(key) {
                ItemField::Name => Reading::Words,
                ItemField::Time => Reading::Time,
                ItemField::Duration => Reading::Duration,
                _ => Reading::Whole,
            },
            Self::Releases if key == "release.version" => Reading::Version,
            Self::Releases => Reading::Whole,
            Self::Flat | Self::Boolean => match (key, Field::named(key)) {
                ("firstSeen" | "first_seen" | "lastSeen" | "last_seen" | "date" | "event.received", _)
                | (_, Field::Time) => Reading::Time,
                ("timesSeen" | "times_seen" | "issue.id" | "project.id" | "user_count" | "userCount", _) => {
                    Reading::Number
                }
                ("error.handled", _) => Reading::Handled,
                ("error.unhandled", _) => Reading::Unhandled,
                (_, Field::Texts(_)) => Reading::Words,
                _ => Reading::Whole,
            },
        }
    }
}

/// Reads search text. Relative times (`age:-24h`) count from `now`.
pub fn parse(text: &str, grammar: Grammar, now: Timestamp) -> Result<Expr, QueryError> {
    if text.len() > QUERY_BYTES_MAX {
        return Err(QueryError::new(QUERY_BYTES_MAX, format!("search text is longer than {QUERY_BYTES_MAX} bytes")));
    }
    let tokens = tokens(text)?;
    let terms: usize = tokens.iter().map(weight).sum();
    if terms > TERMS_MAX {
        return Err(QueryError::new(0, format!("{terms} conditions; at most {TERMS_MAX} are allowed")));
    }
    let mut parser = Parser { tokens: &tokens, grammar, now, end: text.len() };
    let expr = if tokens.is_empty() { Expr::all() } else { parser.any(0)? };
    if let Some(token) = parser.tokens.first() {
        return Err(QueryError::new(token.offset, "`)` without `(`"));
    }
    // Always a conjunction at the top, so that the terms of a flat search are read in one way.
    Ok(match expr {
        Expr::And(_) => expr,
        other => Expr::And(vec![other]),
    })
}

/// What a token costs to look for: a pattern has as many parts as stars.
fn weight(token: &Token) -> usize {
    let parts = |written: &Written| written.stars().max(1);
    match &token.kind {
        Kind::Filter { value: Given::List(values), .. } => values.len(),
        Kind::Filter { value: Given::One(written), .. } | Kind::Free { text: written, .. } => parts(written),
        Kind::Open | Kind::Close | Kind::And | Kind::Or => 0,
    }
}

struct Parser<'a> {
    tokens: &'a [Token],
    grammar: Grammar,
    now: Timestamp,
    end: usize,
}

impl Parser<'_> {
    /// Alternatives: `OR` binds weaker than `AND`.
    fn any(&mut self, depth: usize) -> Result<Expr, QueryError> {
        let mut parts = vec![self.all(depth)?];
        while self.tokens.first().is_some_and(|token| token.kind == Kind::Or) {
            self.boolean()?;
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) })
    }

    /// Conditions side by side, with or without `AND` between them.
    fn all(&mut self, depth: usize) -> Result<Expr, QueryError> {
        let mut parts = Vec::new();
        let mut wants_more = true;
        while let Some(token) = self.tokens.first() {
            match token.kind {
                Kind::Or | Kind::Close => break,
                Kind::And => {
                    let offset = self.boolean()?;
                    if wants_more {
                        return Err(QueryError::new(offset, "`AND` needs a condition on both sides"));
                    }
                    wants_more = true;
                }
                _ => {
                    self.one(depth, &mut parts)?;
                    wants_more = false;
                }
            }
        }
        if wants_more {
            let offset = self.tokens.first().map_or(self.end, |token| token.offset);
            return Err(QueryError::new(offset, "a condition is missing here"));
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
    }

    /// Steps over an operator or parenthesis, which only one grammar has. Returns its place.
    fn boolean(&mut self) -> Result<usize, QueryError> {
        let offset = self.tokens.first().map_or(self.end, |token| token.offset);
        if self.grammar == Grammar::Flat {
            let message = "issue search knows no `OR`, `AND` and parentheses; quote them to search for the text";
            return Err(QueryError::new(offset, message));
        }
        self.tokens = self.tokens.get(1..).unwrap_or_default();
        Ok(offset)
    }

    fn one(&mut self, depth: usize, parts: &mut Vec<Expr>) -> Result<(), QueryError> {
        let Some((token, rest)) = self.tokens.split_first() else { return Ok(()) };
        match &token.kind {
            Kind::Filter { negated, key, value } => {
                self.tokens = rest;
                self.filter(token.offset, *negated, key, value, parts)
            }
            Kind::Free { negated, text } => {
                self.tokens = rest;
                let mut text = text.clone();
                if !negated {
                    self.take_phrase(&mut text);
                }
                let op = if text.is_pattern() { Op::Like(text.text) } else { Op::Contains(text.plain()) };
                parts.push(term(FREE_TEXT, op, *negated));
                Ok(())
            }
            _ => {
                let offset = self.boolean()?;
                if depth == DEPTH_MAX {
                    return Err(QueryError::new(offset, format!("parentheses are nested deeper than {DEPTH_MAX}")));
                }
                parts.push(self.any(depth + 1)?);
                match self.tokens.first() {
                    Some(token) if token.kind == Kind::Close => self.boolean().map(drop),
                    _ => Err(QueryError::new(offset, "`(` without `)`")),
                }
            }
        }
    }

    /// Bare words side by side are one phrase.
    fn take_phrase(&mut self, text: &mut Written) {
        if text.quoted {
            return;
        }
        while let Some((Token { kind: Kind::Free { negated: false, text: next }, .. }, rest)) =
            self.tokens.split_first()
        {
            if next.quoted {
                break;
            }
            text.text.push(' ');
            text.text.push_str(&next.text);
            self.tokens = rest;
        }
    }

    fn filter(
        &self,
        offset: usize,
        negated: bool,
        key: &str,
        value: &Given,
        parts: &mut Vec<Expr>,
    ) -> Result<(), QueryError> {
        let wrong = |message: String| QueryError::new(offset, message);
        let reading = self.grammar.reading(key);
        let sought = match value {
            Given::One(value) if key == "has" => value.plain(),
            _ => key.to_owned(),
        };
        if matches!(self.grammar, Grammar::Flat | Grammar::Boolean) && !is_kept(&sought) {
            return Err(wrong(format!("`{sought}` is not kept of events; a tag of that name is `tags[{sought}]`")));
        }
        match value {
            Given::List(values) => {
                if key == "is" || key == "has" {
                    return Err(wrong(format!("`{key}:` takes one value, not a list")));
                }
                if values.iter().any(Written::is_pattern) {
                    return Err(wrong(format!("`{key}`: a list takes no wildcards")));
                }
                if reading == Reading::Time && values.iter().any(|value| is_day(&value.plain())) {
                    parts.push(self.times(key, values, negated).map_err(wrong)?);
                    return Ok(());
                }
                let values = values.iter().map(|value| value_of(key, reading, &value.plain()).map_err(wrong));
                parts.push(term(key, Op::In(values.collect::<Result<_, _>>()?), negated));
            }
            Given::One(value) if key == "has" => parts.push(term(&value.plain(), Op::Exists, negated)),
            Given::One(value) => {
                let ops = if reading == Reading::Time {
                    self.time(key, value).map_err(wrong)?
                } else {
                    vec![condition(key, reading, value).map_err(wrong)?]
                };
                if negated && ops.len() > 1 {
                    return Err(wrong(format!("`!{key}:` needs a time, not a day")));
                }
                // `key:""` asks for events without the field.
                let absent = value.text.is_empty();
                let negated = negated != absent;
                parts.extend(ops.into_iter().map(|op| term(key, if absent { Op::Exists } else { op }, negated)));
            }
        }
        Ok(())
    }

    /// A point in time: relative (`-24h` newer, `+24h` older), compared, or a whole day.
    fn time(&self, key: &str, value: &Written) -> Result<Vec<Op>, String> {
        let text = value.plain();
        if text.is_empty() {
            return Ok(vec![Op::Exists]);
        }
        if let Some(age) = text.strip_prefix('-') {
            return Ok(vec![Op::Ge(Value::Time(self.now.minus(age_of(key, age)?)))]);
        }
        if let Some(age) = text.strip_prefix('+') {
            return Ok(vec![Op::Le(Value::Time(self.now.minus(age_of(key, age)?)))]);
        }
        let (compare, rest) = comparison(&text);
        let time: Timestamp = rest.parse().map_err(|error| format!("`{key}:{text}`: {error} or -24h"))?;
        let value = Value::Time(time);
        Ok(match compare {
            Some(compare) => vec![compare(value)],
            None => moment(time, is_day(rest)),
        })
    }

    /// One of some points in time and whole days.
    fn times(&self, key: &str, values: &[Written], negated: bool) -> Result<Expr, String> {
        if self.grammar == Grammar::Flat {
            return Err(format!(
                "`{key}`: a list takes times such as 2026-01-31T12:00:00Z here, not days; `{key}:2026-01-31` is a day"
            ));
        }
        let mut any = Vec::new();
        for value in values {
            let text = value.plain();
            let time: Timestamp = text.parse().map_err(|error| format!("`{key}:{text}`: {error}"))?;
            let ops = moment(time, is_day(&text)).into_iter();
            any.push(Expr::And(ops.map(|op| term(key, op, false)).collect()));
        }
        let any = Expr::Or(any);
        Ok(if negated { Expr::Not(Box::new(any)) } else { any })
    }
}

const DAY: Duration = Duration::from_hours(24);

/// Whether a time is written as a day, which is meant as a whole.
fn is_day(text: &str) -> bool {
    text.len() == "2026-01-31".len()
}

/// A point in time, or the day that begins there; all of it holds.
fn moment(time: Timestamp, is_day: bool) -> Vec<Op> {
    let value = Value::Time(time);
    if is_day { vec![Op::Ge(value), Op::Lt(Value::Time(time.plus(DAY)))] } else { vec![Op::In(vec![value])] }
}

fn term(key: &str, op: Op, negated: bool) -> Expr {
    let term = Expr::Term(Term { key: key.to_owned(), op });
    if negated { Expr::Not(Box::new(term)) } else { term }
}

/// A condition on what is neither a time nor `has`.
fn condition(key: &str, reading: Reading, value: &Written) -> Result<Op, String> {
    if matches!(reading, Reading::Handled | Reading::Unhandled) {
        return Ok(Op::In(vec![value_of(key, reading, &value.plain())?]));
    }
    if !value.quoted
        && let (Some(compare), number) = comparison(&value.text)
    {
        if reading == Reading::Version {
            return Ok(compare(Value::Text(number.to_owned())));
        }
        let number = number_of(number).ok_or_else(|| format!("`{key}:{}` compares with no number", value.text))?;
        return Ok(compare(Value::Number(number)));
    }
    Ok(match reading {
        _ if value.is_pattern() => Op::Like(value.text.clone()),
        Reading::Words => Op::Contains(value.plain()),
        _ => Op::In(vec![value_of(key, reading, &value.plain())?]),
    })
}

fn value_of(key: &str, reading: Reading, text: &str) -> Result<Value, String> {
    let no_number = || format!("`{key}:{text}` is no number");
    match reading {
        Reading::Time => text.parse().map(Value::Time).map_err(|error| format!("`{key}:{text}`: {error}")),
        Reading::Number if !text.is_empty() => text.parse().map(Value::Number).map_err(|_| no_number()),
        Reading::Handled | Reading::Unhandled if !text.is_empty() => {
            let is_true = match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => true,
                "false" | "0" | "no" => false,
                _ => return Err(format!("`{key}:{text}` is neither true nor false")),
            };
            let [no, yes] = HANDLED;
            Ok(Value::Text(if is_true == (reading == Reading::Handled) { yes } else { no }.to_owned()))
        }
        Reading::Duration if !text.is_empty() => number_of(text).map(Value::Number).ok_or_else(no_number),
        _ => Ok(Value::Text(text.to_owned())),
    }
}

type Compare = fn(Value) -> Op;

fn comparison(text: &str) -> (Option<Compare>, &str) {
    for (sign, compare) in [(">=", Op::Ge as Compare), ("<=", Op::Le), (">", Op::Gt), ("<", Op::Lt)] {
        if let Some(rest) = text.strip_prefix(sign) {
            return (Some(compare), rest);
        }
    }
    (None, text)
}

/// A number, a duration (in milliseconds) or a size (in bytes).
fn number_of(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "ms" | "b" => 1.0,
        "s" | "kb" => 1e3,
        "m" | "min" => 60e3,
        "h" | "hr" => 3_600e3,
        "d" | "day" => 86_400e3,
        "w" | "wk" => 604_800e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1_048_576.0,
        "gib" => 1_073_741_824.0,
        _ => return None,
    };
    number.parse().ok().map(|number: f64| number * factor)
}

/// An age such as `24h`; at most [`AGE_SECS_MAX`].
fn age_of(key: &str, text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{key}:`: expected an age such as -24h, not `{text}`");
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?);
    let unit_secs = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return Err(wrong()),
    };
    let secs = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit_secs));
    secs.filter(|secs| *secs <= AGE_SECS_MAX).map(Duration::from_secs).ok_or_else(wrong)
}

/// Oldest age to search for: 100 years, in seconds.
const AGE_SECS_MAX: u64 = 100 * 366 * 86_400;

#[cfg(test)]
mod tests;
