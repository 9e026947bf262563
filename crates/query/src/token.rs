//! Cuts search text into tokens, each with its place.

use crate::parse::QueryError;

/// A piece of search text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    /// Byte offset in the search text.
    pub(crate) offset: usize,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `AND`
    And,
    /// `OR`
    Or,
    /// `key:value`
    Filter { negated: bool, key: String, value: Given },
    /// Text without a key.
    Free { negated: bool, text: Written },
}

/// The value of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    /// One value, possibly behind a comparison sign.
    One(Written),
    /// `[a, b]`
    List(Vec<Written>),
}

/// A text as it was written: escapes of `*` and `\` are still there, those of quotes are not.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) quoted: bool,
}

impl Written {
    /// Whether there is a star that is not escaped.
    pub(crate) fn is_pattern(&self) -> bool {
        self.stars() > 0
    }

    /// How many stars stand for any text.
    pub(crate) fn stars(&self) -> usize {
        let mut escaped = false;
        let is_star = |c: &char| {
            let star = *c == '*' && !escaped;
            escaped = *c == '\\' && !escaped;
            star
        };
        self.text.chars().filter(is_star).count()
    }

    /// The text that a pattern without stars stands for.
    pub(crate) fn plain(&self) -> String {
        let mut plain = String::with_capacity(self.text.len());
        let mut chars = self.text.chars().peekable();
        while let Some(c) = chars.next() {
            let escaped = c == '\\' && chars.peek().is_some_and(|next| matches!(next, '*' | '\\'));
            plain.extend(if escaped { chars.next() } else { Some(c) });
        }
        plain
    }
}

/// Cuts the text into tokens.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token>, QueryError> {
    let mut cursor = Cursor { text, at: 0 };
    let mut tokens = Vec::new();
    while let Some(c) = cursor.skip_blanks() {
        let offset = cursor.at;
        let kind = match c {
            '(' => cursor.take(Kind::Open),
            ')' => cursor.take(Kind::Close),
            _ => cursor.term()?,
        };
        tokens.push(Token { offset, kind });
    }
    Ok(tokens)
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// Characters of a key. Brackets are only there in `tags[…]`.
fn is_key(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '/' | '$' | '@' | '+' | '=')
}

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip_blanks(&mut self) -> Option<char> {
        while self.peek()?.is_whitespace() {
            self.next();
        }
        self.peek()
    }

    fn take(&mut self, kind: Kind) -> Kind {
        self.next();
        kind
    }

    fn term(&mut self) -> Result<Kind, QueryError> {
        let start = self.at;
        let negated = self.peek() == Some('!') && self.text[self.at + 1..].starts_with(|c: char| !c.is_whitespace());
        if negated {
            self.next();
        }
        if let Some(key) = self.key()? {
            let value = self.value(start)?;
            return Ok(Kind::Filter { negated, key, value });
        }
        let text = self.written(|c| matches!(c, '(' | ')'))?;
        Ok(match text.text.as_str() {
            "AND" if !negated && !text.quoted => Kind::And,
            "OR" if !negated && !text.quoted => Kind::Or,
            _ => Kind::Free { negated, text },
        })
    }

    /// Takes `key:` if that is what comes.
    fn key(&mut self) -> Result<Option<String>, QueryError> {
        let rest = &self.text[self.at..];
        let length = match rest.strip_prefix("tags[") {
            Some(name) => match name.find([']', '"', '\n']) {
                Some(end) if name[end..].starts_with("]:") => "tags[".len() + end + 1,
                _ => return Err(QueryError::new(self.at, "expected `tags[name]:value`")),
            },
            None => rest.find(|c| !is_key(c)).unwrap_or(rest.len()),
        };
        if length == 0 || !rest[length..].starts_with(':') {
            return Ok(None);
        }
        self.at += length + 1;
        Ok(Some(rest[..length].to_owned()))
    }

    fn value(&mut self, start: usize) -> Result<Given, QueryError> {
        if self.peek() == Some('[') && self.text[self.at..].contains(']') {
            return self.list();
        }
        let value = self.written(|c| c == ')')?;
        if value.text.is_empty() && !value.quoted {
            let token = &self.text[start..self.at];
            return Err(QueryError::new(start, format!("`{token}` has no value; quote it to search for the text")));
        }
        Ok(Given::One(value))
    }

    fn list(&mut self) -> Result<Given, QueryError> {
        let start = self.at;
        let mut values = Vec::new();
        self.next();
        loop {
            self.skip_blanks();
            let value = self.written(|c| matches!(c, ',' | ']'))?;
            if value.text.is_empty() && !value.quoted {
                return Err(QueryError::new(self.at, "a list has an empty value"));
            }
            values.push(value);
            self.skip_blanks();
            match self.next() {
                Some(',') => {}
                Some(']') => return Ok(Given::List(values)),
                _ => return Err(QueryError::new(start, "a list needs commas between its values and `]` at its end")),
            }
        }
    }

    /// Text up to a blank or a character that ends it, or in quotes.
    fn written(&mut self, ends: impl Fn(char) -> bool) -> Result<Written, QueryError> {
        let start = self.at;
        if self.peek() == Some('"') {
            self.next();
            let mut text = String::new();
            loop {
                match (self.next(), self.peek()) {
                    (Some('\\'), Some('"')) => text.extend(self.next()),
                    (Some('\\'), Some('\\')) => {
                        text.push('\\');
                        text.extend(self.next());
                    }
                    (Some('"'), _) => return Ok(Written { text, quoted: true }),
                    (Some(c), _) => text.push(c),
                    (None, _) => return Err(QueryError::new(start, "a quote is not closed")),
                }
            }
        }
        while self.peek().is_some_and(|c| !c.is_whitespace() && !ends(c)) {
            self.next();
        }
        Ok(Written { text: self.text[start..self.at].to_owned(), quoted: false })
    }
}
