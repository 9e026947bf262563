//! Descriptions of spans without what differs from one time to the next, so that equal work has equal words
//! (`reference/ingest-protocol.md` §12.13).

mod sql;
mod url;

use md5::{Digest, Md5};
use serde_json::{Map, Value};

/// The cleaned description; `None` for operations whose descriptions say nothing that could be grouped.
pub(super) fn clean(op: &str, description: Option<&str>, data: Option<&Map<String, Value>>) -> Option<String> {
    let text = |key: &str| data.and_then(|data| data.get(key)?.as_str());
    let is = |name: &str| op == name || op.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    if is("ui.interaction") || op.starts_with("ui.react") {
        return text("ui.component_name").map(str::to_owned);
    }
    let description = description.map(str::trim).filter(|text| !text.is_empty())?;
    if is("http") {
        return url::request(description);
    }
    if is("cache") || is("db.redis") || (is("db") && text("db.system") == Some("redis")) {
        return Some(command(description));
    }
    if is("db") {
        return query(op, description, text("db.system").or_else(|| text("db.system.name")));
    }
    if is("resource") {
        return url::resource(description);
    }
    if is("file") {
        return Some(file(description));
    }
    let stays = is("app")
        || ["ui.load", "contentprovider.load", "application.load", "activity.load", "ai.run", "ai.pipeline"]
            .iter()
            .any(|name| is(name));
    stays.then(|| description.to_owned())
}

/// What groups equal descriptions: 16 hex digits.
pub(super) fn group(description: &str) -> String {
    Md5::digest(description.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Databases whose queries are no SQL.
const OTHER_LANGUAGES: [&str; 5] = ["clickhouse", "couchdb", "dynamodb", "elasticsearch", "mongodb"];

fn query(op: &str, description: &str, system: Option<&str>) -> Option<String> {
    if op == "db.sql.prisma" || op == "db.prisma" {
        return Some(description.to_owned());
    }
    let part = op.split('.').nth(1);
    if [part, system].into_iter().flatten().any(|name| OTHER_LANGUAGES.contains(&name)) {
        return None;
    }
    // An ORM's own words such as `User Load` are no query.
    if op == "db.sql.active_record" && !sql::is_statement(description) {
        return None;
    }
    Some(sql::clean(description))
}

/// `SET key value` → `SET *`: the words of the command are in capitals.
fn command(description: &str) -> String {
    let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_uppercase());
    let words: Vec<&str> = description.split_whitespace().take_while(is_word).collect();
    if words.is_empty() { "*".to_owned() } else { format!("{} *", words.join(" ")) }
}

/// `/home/jane/cat.png` → `*.png`
fn file(description: &str) -> String {
    let name = description.rsplit(['/', '\\']).next().unwrap_or_default();
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && url::is_extension(extension) => format!("*.{extension}"),
        _ => "*".to_owned(),
    }
}
