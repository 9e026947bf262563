//! Reading JSON: strictly and fast first; when that fails, leniently, repairing what SDKs really produce.

use serde_json::{Map, Number, Value};

use crate::refused::{Reason, Refused};

/// Objects and lists may be nested so deep. Both readers agree on it, so no payload depends on which one read it.
pub const MAX_DEPTH: usize = 127;

/// Largest payload of one event. Intake accepts 1 MiB (`reference/ingest-protocol.md` §5.2); the rest is headroom
/// for records that were written with a higher limit.
pub const MAX_PAYLOAD_BYTES: usize = 16 << 20;

/// Stands for what is not a character: invalid UTF-8, half of a surrogate pair, NUL (which databases choke on).
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// Reads a payload. Duplicate keys: the last one wins.
pub(crate) fn read(payload: &[u8]) -> Result<Value, Refused> {
    if payload.len() > MAX_PAYLOAD_BYTES {
        let message = format!("payload of {} bytes is larger than {MAX_PAYLOAD_BYTES}", payload.len());
        return Err(Refused::at(Reason::TooLarge, message, MAX_PAYLOAD_BYTES));
    }
    if let Ok(text) = std::str::from_utf8(payload)
        && !text.contains("\\u0000")
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(value);
    }
    Reader { bytes: payload, at: 0 }.document()
}

/// A recursive-descent reader that repairs: invalid UTF-8 and lone surrogates become U+FFFD, `NaN`, `Infinity` and
/// numbers out of range become null, raw control characters in text are taken as they are.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn document(mut self) -> Result<Value, Refused> {
        if self.bytes.starts_with(b"\xEF\xBB\xBF") {
            self.at = 3;
        }
        let value = self.value(MAX_DEPTH)?;
        self.skip_space();
        if self.at < self.bytes.len() {
            return Err(self.invalid("nothing more after the end of the value"));
        }
        Ok(value)
    }

    fn value(&mut self, depth: usize) -> Result<Value, Refused> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.text().map(Value::String),
            Some(b'-' | b'+' | b'0'..=b'9' | b'.') => self.number(),
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, Refused> {
        let depth = self.enter(depth)?;
        let mut map = Map::new();
        self.skip_space();
        if self.eat(b'}') {
            return Ok(Value::Object(map));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.invalid("a key in quotes"));
            }
            let key = self.text()?;
            self.skip_space();
            if !self.eat(b':') {
                return Err(self.invalid("`:`"));
            }
            let value = self.value(depth)?;
            map.insert(key, value);
            self.skip_space();
            if self.eat(b'}') {
                return Ok(Value::Object(map));
            }
            if !self.eat(b',') {
                return Err(self.invalid("`,` or `}`"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Refused> {
        let depth = self.enter(depth)?;
        let mut items = Vec::new();
        self.skip_space();
        if self.eat(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.skip_space();
            if self.eat(b']') {
                return Ok(Value::Array(items));
            }
            if !self.eat(b',') {
                return Err(self.invalid("`,` or `]`"));
            }
        }
    }

    /// Steps over an opening bracket; the depth that is left inside.
    fn enter(&mut self, depth: usize) -> Result<usize, Refused> {
        let left = depth
            .checked_sub(1)
            .ok_or_else(|| Refused::at(Reason::TooDeep, format!("nested deeper than {MAX_DEPTH} levels"), self.at))?;
        self.at += 1;
        Ok(left)
    }

    fn text(&mut self) -> Result<String, Refused> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.bytes[self.at..];
            let plain = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0)).unwrap_or(rest.len());
            out.push_str(&String::from_utf8_lossy(&rest[..plain]));
            self.at += plain;
            match self.next() {
                Some(b'"') => return Ok(out),
                Some(b'\\') => self.escape(&mut out)?,
                Some(_) => out.push(REPLACEMENT),
                None => return Err(self.invalid("the closing quote of a text")),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), Refused> {
        out.push(match self.next() {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(quoted @ (b'"' | b'\\' | b'/')) => quoted as char,
            Some(b'u') => self.unicode(),
            _ => return Err(self.invalid("an escape such as `\\n` or `\\u00e9`")),
        });
        Ok(())
    }

    /// The character of a `\u` escape, or of two that make a surrogate pair.
    fn unicode(&mut self) -> char {
        let Some(first) = self.hex4() else { return REPLACEMENT };
        let pair_follows = (0xD800..0xDC00).contains(&first) && self.bytes[self.at..].starts_with(b"\\u");
        if !pair_follows {
            return char::from_u32(first).filter(|c| *c != '\0').unwrap_or(REPLACEMENT);
        }
        let back = self.at;
        self.at += 2;
        if let Some(second @ 0xDC00..0xE000) = self.hex4() {
            char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).unwrap_or(REPLACEMENT)
        } else {
            self.at = back;
            REPLACEMENT
        }
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        let code = digits.iter().try_fold(0, |code, digit| Some(code << 4 | (*digit as char).to_digit(16)?))?;
        self.at += 4;
        Some(code)
    }

    fn number(&mut self) -> Result<Value, Refused> {
        let start = self.at;
        let rest = &self.bytes[start..];
        if rest.starts_with(b"-Infinity") || rest.starts_with(b"+Infinity") {
            self.at += b"-Infinity".len();
            return Ok(Value::Null);
        }
        let length = rest
            .iter()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .unwrap_or(rest.len());
        let text = std::str::from_utf8(&rest[..length]).unwrap_or_default();
        let number = match (text.parse::<i64>(), text.parse::<u64>(), text.parse::<f64>()) {
            (Ok(whole), _, _) => Some(Number::from(whole)),
            (_, Ok(whole), _) => Some(Number::from(whole)),
            // Out of range reads as infinite, which JSON cannot hold.
            (_, _, Ok(float)) => Number::from_f64(float),
            _ => return Err(self.invalid("a number")),
        };
        self.at += length;
        Ok(number.map_or(Value::Null, Value::Number))
    }

    fn word(&mut self) -> Result<Value, Refused> {
        let words = [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Null),
            ("Infinity", Value::Null),
        ];
        for (word, value) in words {
            if self.bytes[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.invalid("a JSON value"))
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn invalid(&self, expected: &str) -> Refused {
        let message = if self.at >= self.bytes.len() {
            format!("payload ends early, expected {expected}")
        } else {
            format!("not JSON, expected {expected}")
        };
        Refused::at(Reason::InvalidJson, message, self.at)
    }
}
