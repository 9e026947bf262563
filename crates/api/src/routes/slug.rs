//! Slugs: names in URLs.

use crate::{Api, auth::secret::hex, error::ApiError};

/// Longest slug, in characters.
const SLUG_MAX_CHARS: usize = 50;

/// A slug for what has a name: that of the name, with the kind of thing in front when it is digits alone; of a name without
/// letters that a slug may have, the kind with a random end.
pub(super) fn made_up(api: &Api, kind: &str, name: &str) -> String {
    let slug = slug_of(name);
    if slug.is_empty() {
        return format!("{kind}-{}", hex(&api.random::<4>()));
    }
    if slug.chars().all(|c| c.is_ascii_digit()) { slug_of(&format!("{kind}-{slug}")) } else { slug }
}

/// The slug of a name: lower case, what is not a letter or digit as single dashes.
fn slug_of(name: &str) -> String {
    let letters =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect::<String>();
    let words: Vec<&str> = letters.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-").chars().take(SLUG_MAX_CHARS).collect::<String>().trim_end_matches('-').to_owned()
}

/// A slug: lower-case letters, digits, `-` and `_`, not digits alone (that would be an id).
pub(super) fn check_slug(slug: &str) -> Result<String, ApiError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let fits = !slug.is_empty() && slug.len() <= SLUG_MAX_CHARS && slug.chars().all(allowed);
    if fits && !slug.chars().all(|c| c.is_ascii_digit()) {
        return Ok(slug.to_owned());
    }
    Err(ApiError::Invalid(format!(
        "slug {slug:?} must be 1 to {SLUG_MAX_CHARS} of a-z, 0-9, - and _, and not digits alone"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_come_from_names_and_are_checked() {
        assert_eq!(slug_of("  My Web-App (2)! "), "my-web-app-2");
        assert_eq!(slug_of("Ünïcode"), "n-code");
        for slug in ["", "12", "A", "a b", "a/b", &"x".repeat(51)] {
            assert!(check_slug(slug).is_err(), "{slug}");
        }
        assert!(check_slug("web-2_x").is_ok());
    }
}
