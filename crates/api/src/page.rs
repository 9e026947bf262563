//! Pages of lists: cursors and the `Link` header (`reference/web-api.md` §1.3).

use std::{fmt::Display, str::FromStr};

use http::{HeaderValue, Uri, header};
use url::{Url, form_urlencoded};

use crate::error::ApiError;

/// Default and largest number of rows on a page.
pub(crate) const PER_PAGE_MAX: usize = 100;

/// A place in an ordered list: the row with this sort value and key. Written `value:key:direction`; clients take it
/// as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor<K> {
    pub(crate) value: i64,
    pub(crate) key: K,
    /// The page in front of the place is wanted, not the one behind.
    pub(crate) backwards: bool,
}

impl<K: FromStr> Cursor<K> {
    /// Reads a cursor; an empty one means the first page.
    pub(crate) fn read(text: Option<&str>) -> Result<Option<Self>, ApiError> {
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
        let invalid = || ApiError::Invalid("cursor is not one that this list gave".to_owned());
        let [value, key, direction] =
            <[&str; 3]>::try_from(text.split(':').collect::<Vec<_>>()).map_err(|_| invalid())?;
        let backwards = match direction {
            "0" => false,
            "1" => true,
            _ => return Err(invalid()),
        };
        let value = value.parse().map_err(|_| invalid())?;
        let key = key.parse().map_err(|_| invalid())?;
        Ok(Some(Self { value, key, backwards }))
    }
}

impl<K: Display> Display for Cursor<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.value, self.key, u8::from(self.backwards))
    }
}

/// How many rows a request wants; nonsense is an error, too many are cut.
pub(crate) fn per_page(text: Option<&str>) -> Result<usize, ApiError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(PER_PAGE_MAX) };
    match text.parse::<usize>() {
        Ok(count) if count > 0 => Ok(count.min(PER_PAGE_MAX)),
        _ => Err(ApiError::Invalid(format!("{text:?} is not a number of rows"))),
    }
}

/// Where the neighbours of a page begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Links {
    /// Cursor of the page in front.
    pub(crate) previous: String,
    /// Whether there is one.
    pub(crate) has_previous: bool,
    /// Cursor of the page behind.
    pub(crate) next: String,
    /// Whether there is one.
    pub(crate) has_next: bool,
}

impl Links {
    /// Of a list in which nothing is.
    pub(crate) fn none() -> Self {
        Self::around(&[], None::<Cursor<u64>>, false, |()| (0, 0))
    }

    /// Around a page of rows in the order of their list, which was asked for with a cursor. `goes_on`: whether there are
    /// more rows in the direction that it looks; in the other one there is at least the row of the cursor. An empty page
    /// gives back the place it was asked for, so that one may ask there again.
    pub(crate) fn around<T, K: Copy + Display>(
        rows: &[T],
        cursor: Option<Cursor<K>>,
        goes_on: bool,
        place: impl Fn(&T) -> (i64, K),
    ) -> Self {
        let backwards = cursor.is_some_and(|cursor| cursor.backwards);
        let at = |row: Option<&T>, backwards| {
            let place = row.map(&place).or(cursor.map(|cursor| (cursor.value, cursor.key)));
            place.map_or_else(String::new, |(value, key)| Cursor { value, key, backwards }.to_string())
        };
        // Behind nothing in front of a row comes the row itself, with which the list begins.
        let next = if backwards && rows.is_empty() { String::new() } else { at(rows.last(), false) };
        let has_previous = if backwards { goes_on } else { cursor.is_some() };
        Self { previous: at(rows.first(), true), has_previous, next, has_next: backwards || goes_on }
    }

    /// The header for a request; always both directions.
    pub(crate) fn header(&self, public_url: &Url, uri: &Uri) -> [(header::HeaderName, HeaderValue); 1] {
        let link = |relation: &str, cursor: &str, results: bool| {
            let url = url_with_cursor(public_url, uri, cursor);
            format!("<{url}>; rel=\"{relation}\"; results=\"{results}\"; cursor=\"{cursor}\"")
        };
        let text = format!(
            "{}, {}",
            link("previous", &self.previous, self.has_previous),
            link("next", &self.next, self.has_next)
        );
        // Made of encoded URLs and cursors, so always visible ASCII.
        [(header::LINK, HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("")))]
    }
}

fn url_with_cursor(public_url: &Url, uri: &Uri, cursor: &str) -> String {
    let given = uri.query().unwrap_or_default();
    let kept = form_urlencoded::parse(given.as_bytes()).filter(|(key, _)| key != "cursor");
    let query =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).append_pair("cursor", cursor).finish();
    format!("{}{}?{query}", public_url.as_str().trim_end_matches('/'), uri.path())
}

/// Cuts a page out of a list that is short enough to be held whole. The cursor is `0:offset:direction`.
pub(crate) fn cut<T>(rows: Vec<T>, cursor: Option<&str>, per_page: usize) -> Result<(Vec<T>, Links), ApiError> {
    let offset = match Cursor::<usize>::read(cursor)? {
        None => 0,
        Some(cursor) => cursor.key,
    };
    let total = rows.len();
    let page: Vec<T> = rows.into_iter().skip(offset).take(per_page).collect();
    let next = offset.saturating_add(page.len());
    let at = |key: usize, backwards: bool| Cursor { value: 0, key, backwards }.to_string();
    let links = Links {
        previous: at(offset.saturating_sub(per_page), true),
        has_previous: offset > 0,
        next: at(next, false),
        has_next: next < total,
    };
    Ok((page, links))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_go_both_ways() {
        let cursor = Cursor { value: -5, key: 12_u64, backwards: true };
        assert_eq!(Cursor::read(Some(&cursor.to_string())).unwrap(), Some(cursor));
        assert_eq!(Cursor::<u64>::read(Some("")).unwrap(), None);
        for text in ["x", "1:2", "1:2:3", "1:x:0", "1:2:0:0", ":::"] {
            assert!(Cursor::<u64>::read(Some(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn an_empty_page_keeps_its_place() {
        let cursor = |backwards| Some(Cursor { value: 7, key: 3_u64, backwards });
        let place = |row: &(i64, u64)| *row;
        let newer = Links::around(&[], cursor(true), false, place);
        assert_eq!((newer.previous.as_str(), newer.has_previous), ("7:3:1", false), "to ask again");
        assert_eq!((newer.next.as_str(), newer.has_next), ("", true), "the list from its beginning");
        let older = Links::around(&[], cursor(false), false, place);
        assert_eq!((older.previous.as_str(), older.has_previous), ("7:3:1", true));
        assert_eq!((older.next.as_str(), older.has_next), ("7:3:0", false), "to ask again");
        let page = Links::around(&[(9, 1), (8, 2)], cursor(false), true, place);
        assert_eq!((page.previous.as_str(), page.next.as_str(), page.has_next), ("9:1:1", "8:2:0", true));
    }

    #[test]
    fn a_link_keeps_the_question_and_replaces_the_cursor() {
        let links = Links { previous: "0:0:1".into(), has_previous: false, next: "0:2:0".into(), has_next: true };
        let uri: Uri = "/api/0/x/?query=is%3Anew&cursor=1".parse().unwrap();
        let [(_, value)] = links.header(&"https://n.example/".parse().unwrap(), &uri);
        assert_eq!(
            value.to_str().unwrap(),
            "<https://n.example/api/0/x/?query=is%3Anew&cursor=0%3A0%3A1>; rel=\"previous\"; results=\"false\"; \
             cursor=\"0:0:1\", <https://n.example/api/0/x/?query=is%3Anew&cursor=0%3A2%3A0>; rel=\"next\"; \
             results=\"true\"; cursor=\"0:2:0\""
        );
    }
}
