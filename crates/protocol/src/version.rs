//! Versions of releases, and their order (`reference/issue-platform.md` §7.7).

use std::cmp::Ordering;

/// The package and the version of a release such as `package@1.2.3`.
pub fn split(release: &str) -> (Option<&str>, &str) {
    release.rsplit_once('@').map_or((None, release), |(package, version)| (Some(package), version))
}

/// Longest name of a release, in characters.
pub const RELEASE_MAX_CHARS: usize = 250;

/// Whether a text can be the name of a release: what fits a path, what every client can name, and what means nothing else
/// in a search (`reference/ingest-protocol.md` §12.6).
pub fn is_release_name(text: &str) -> bool {
    let is_odd = |c: char| c.is_control() || matches!(c, '/' | '\\');
    !text.is_empty()
        && text.chars().count() <= RELEASE_MAX_CHARS
        && !text.contains(is_odd)
        && !matches!(text, "." | ".." | "latest")
}

/// Most parts of a version that are compared.
const PARTS_MAX: usize = 4;

/// A semantic version with two to four numbers. A build does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version<'a> {
    numbers: [u64; PARTS_MAX],
    pre_release: Option<&'a str>,
}

impl<'a> Version<'a> {
    /// Reads what is behind the package. `None` when it has no order.
    pub fn read(text: &'a str) -> Option<Self> {
        let text = text.split('+').next().unwrap_or_default();
        let (numbers, pre_release) = text.split_once('-').map_or((text, None), |(numbers, pre)| (numbers, Some(pre)));
        // A lone number may be a date, a build or the start of a commit.
        if !numbers.contains('.') {
            return None;
        }
        let mut read = [0; PARTS_MAX];
        for (index, part) in numbers.split('.').enumerate() {
            *read.get_mut(index)? = part.parse().ok()?;
        }
        Some(Self { numbers: read, pre_release })
    }
}

impl Ord for Version<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let pre_release = || match (self.pre_release, other.pre_release) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => compare_pre_release(a, b),
        };
        self.numbers.cmp(&other.numbers).then_with(pre_release)
    }
}

impl PartialOrd for Version<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn compare_pre_release(a: &str, b: &str) -> Ordering {
    let part = |(a, b): (&str, &str)| match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    };
    let parts = a.split('.').zip(b.split('.')).map(part).find(|order| order.is_ne());
    parts.unwrap_or_else(|| a.split('.').count().cmp(&b.split('.').count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_releases_fit_paths_and_searches() {
        let longest = "é".repeat(RELEASE_MAX_CHARS);
        for name in ["1", "app@1.2.3+4", "latest@1", "a b", &longest] {
            assert!(is_release_name(name), "{name}");
        }
        let long = "é".repeat(RELEASE_MAX_CHARS + 1);
        for text in ["", ".", "..", "latest", "a/b", "a\\b", "a\nb", &long] {
            assert!(!is_release_name(text), "{text:?}");
        }
    }
}
