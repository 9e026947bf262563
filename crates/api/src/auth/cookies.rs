//! The two cookies of the web page: the session, which scripts cannot read, and its CSRF token, which they must.

use std::time::Duration;

use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, header};

use super::secret::csrf_token;

/// Holds the secret of the session.
pub(crate) const SESSION_COOKIE: &str = "nuthatch_session";

/// Holds the CSRF token of the session.
pub(crate) const CSRF_COOKIE: &str = "nuthatch_csrf";

/// The header in which a page sends the CSRF token back.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

/// How long a session lasts.
pub(crate) const SESSION_LENGTH: Duration = Duration::from_hours(30 * 24);

/// The secret in the session cookie of a request.
pub(crate) fn session_secret(headers: &HeaderMap) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut cookies = texts.flat_map(Cookie::split_parse).flatten();
    cookies.find(|cookie| cookie.name() == SESSION_COOKIE).map(|cookie| cookie.value().to_owned())
}

/// Headers that begin a session; `None` ends it.
pub(crate) fn set_session(secret: Option<&str>, secure: bool) -> HeaderMap {
    let csrf = secret.map(csrf_token);
    let pairs =
        [(SESSION_COOKIE, secret.unwrap_or_default(), true), (CSRF_COOKIE, csrf.as_deref().unwrap_or_default(), false)];
    let length = if secret.is_some() { SESSION_LENGTH.as_secs() } else { 0 };
    let cookies = pairs.into_iter().filter_map(|(name, value, http_only)| {
        let cookie = Cookie::build((name, value))
            .path("/")
            .same_site(SameSite::Lax)
            .http_only(http_only)
            .secure(secure)
            .max_age(cookie::time::Duration::seconds(length as i64));
        // Names are ours and values hex digits, so the text is always a header.
        let value = HeaderValue::from_str(&cookie.to_string()).ok()?;
        Some((header::SET_COOKIE, value))
    });
    let mut headers = HeaderMap::new();
    for (name, value) in cookies {
        headers.append(name, value);
    }
    headers
}
