//! Globs as all filters use them: whole texts, any case, `*`, `?`, `[a-z]`, `{a,b}`, backslash before a plain character.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::{MAX_ENTRIES, check_length};
use crate::Problem;

/// Longest glob, in bytes.
const MAX_GLOB_BYTES: usize = 500;

/// A set of globs.
#[derive(Debug, Clone)]
pub(super) struct Globs(GlobSet);

impl Globs {
    /// Prepares globs; empty ones are left out, and those that cannot be read are told.
    pub(super) fn new(setting: &str, globs: &[String], problems: &mut Vec<Problem>) -> Self {
        check_length(setting, globs.len(), MAX_ENTRIES, problems);
        let mut builder = GlobSetBuilder::new();
        for (number, text) in globs.iter().take(MAX_ENTRIES).map(|glob| glob.trim()).enumerate() {
            if text.is_empty() {
                continue;
            }
            let mut problem = |message| problems.push(Problem { place: format!("{setting}.{number}"), message });
            if text.len() > MAX_GLOB_BYTES {
                problem(format!("at most {MAX_GLOB_BYTES} bytes"));
                continue;
            }
            match GlobBuilder::new(text).case_insensitive(true).empty_alternates(true).backslash_escape(true).build() {
                Ok(glob) => {
                    builder.add(glob);
                }
                Err(error) => problem(format!("not a glob: {}", error.kind())),
            }
        }
        let set = builder.build().unwrap_or_else(|error| {
            problems.push(Problem { place: setting.to_owned(), message: format!("too much together: {error}") });
            GlobSet::empty()
        });
        Self(set)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn match_any(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}
