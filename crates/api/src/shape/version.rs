//! What the name of a release says (`reference/web-api.md` §3.10): `package@1.2.3-rc.1+5`, or the hash of a commit.

use serde::Serialize;
use utoipa::ToSchema;

/// Characters of a commit's hash that are shown.
const HASH_SHOWN: usize = 12;
/// Most numbers of a version.
const NUMBERS_MAX: usize = 4;

/// What the name of a release says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionInfo {
    /// What is in front of the `@`.
    pub(crate) package: Option<String>,
    pub(crate) version: VersionParts,
    /// For people.
    pub(crate) description: String,
    /// Hash of a commit, when it is one.
    pub(crate) build_hash: Option<String>,
}

/// The parts of a version. Numbers are null when it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionParts {
    pub(crate) raw: String,
    pub(crate) major: Option<u64>,
    pub(crate) minor: Option<u64>,
    pub(crate) patch: Option<u64>,
    /// What is behind the `-`.
    pub(crate) pre: Option<String>,
    /// What is behind the `+`.
    pub(crate) build_code: Option<String>,
    /// How many numbers there are.
    pub(crate) components: usize,
}

impl VersionInfo {
    /// What a name says; `None` when it says nothing that is known.
    pub(crate) fn read(name: &str) -> Option<Self> {
        let (package, raw) = match name.rsplit_once('@') {
            Some((package, raw)) if !package.is_empty() && !raw.is_empty() => (Some(package.to_owned()), raw),
            _ => (None, name),
        };
        let is_hash = raw.len() >= HASH_SHOWN && raw.bytes().all(|byte| byte.is_ascii_hexdigit());
        let parts = numbers(raw);
        if package.is_none() && parts.is_none() && !is_hash {
            return None;
        }
        let description = match (&parts, is_hash) {
            (_, true) => raw.get(..HASH_SHOWN).unwrap_or(raw).to_owned(),
            (Some(VersionParts { build_code: Some(code), .. }), _) => {
                format!("{} ({code})", raw.split('+').next().unwrap_or(raw))
            }
            _ => raw.to_owned(),
        };
        let version = parts.filter(|_| !is_hash).unwrap_or_default();
        let version = VersionParts { raw: raw.to_owned(), ..version };
        Some(Self { package, version, description, build_hash: is_hash.then(|| raw.to_owned()) })
    }

    /// The short form of a name.
    pub(crate) fn short(name: &str) -> String {
        Self::read(name).map_or_else(|| name.to_owned(), |info| info.description)
    }
}

/// Numbers, what is behind the `-`, what is behind the `+`.
fn split(raw: &str) -> Option<(Vec<u64>, Option<&str>, Option<&str>)> {
    let (rest, build_code) = raw.split_once('+').map_or((raw, None), |(rest, code)| (rest, Some(code)));
    let (numbers, pre) = rest.split_once('-').map_or((rest, None), |(numbers, pre)| (numbers, Some(pre)));
    let numbers: Vec<u64> = numbers.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    (numbers.len() <= NUMBERS_MAX).then_some((numbers, pre, build_code))
}

fn numbers(raw: &str) -> Option<VersionParts> {
    let (numbers, pre, build_code) = split(raw)?;
    let number = |index: usize| Some(numbers.get(index).copied().unwrap_or_default());
    Some(VersionParts {
        raw: raw.to_owned(),
        major: number(0),
        minor: number(1),
        patch: number(2),
        pre: pre.map(str::to_owned),
        build_code: build_code.map(str::to_owned),
        components: numbers.len(),
    })
}

/// A version as it is compared: by its numbers, those that are not there being 0, and in front of one without what is
/// behind the `-` those with. Builds do not count.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct VersionOrder {
    numbers: [u64; NUMBERS_MAX],
    pre: Pre,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Pre {
    Of(Vec<Identifier>),
    None,
}

/// What stands between the dots behind the `-`: numbers come first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Text(String),
}

impl VersionOrder {
    /// Reads what is behind the `@`; `None` when it is no version with numbers.
    pub(crate) fn read(raw: &str) -> Option<Self> {
        let identifier = |text: &str| match text.parse() {
            Ok(number) => Identifier::Number(number),
            Err(_) => Identifier::Text(text.to_owned()),
        };
        let (found, pre, _) = split(raw)?;
        let mut numbers = [0; NUMBERS_MAX];
        numbers.iter_mut().zip(found).for_each(|(place, number)| *place = number);
        Some(Self { numbers, pre: pre.map_or(Pre::None, |pre| Pre::Of(pre.split('.').map(identifier).collect())) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_an_order() {
        let ascending =
            ["0.9", "1.2.0", "1.2.0.1", "1.10-alpha", "1.10-rc.2", "1.10-rc.10", "1.10-rc.x", "1.10.0", "2", "10.0"];
        for pair in ascending.windows(2) {
            let [lower, higher] = [pair[0], pair[1]].map(|raw| VersionOrder::read(raw).unwrap());
            assert!(lower < higher, "{pair:?}");
        }
        assert_eq!(VersionOrder::read("1.2+5"), VersionOrder::read("1.2.0+6"));
        for raw in ["", "nightly", "1.x", "1.2.3.4.5", "-1"] {
            assert_eq!(VersionOrder::read(raw), None, "{raw}");
        }
    }

    #[test]
    fn names_are_taken_apart() {
        let info = VersionInfo::read("app@1.2.3-rc.1+5").unwrap();
        let version = info.version;
        assert_eq!((info.package.as_deref(), info.description.as_str()), (Some("app"), "1.2.3-rc.1 (5)"));
        assert_eq!((version.major, version.minor, version.patch, version.components), (Some(1), Some(2), Some(3), 3));
        assert_eq!((version.pre.as_deref(), version.build_code.as_deref()), (Some("rc.1"), Some("5")));
        assert_eq!(version.raw, "1.2.3-rc.1+5");
    }

    #[test]
    fn short_forms_are_for_people() {
        for (name, short) in [
            ("app@1.2.3", "1.2.3"),
            ("1.2", "1.2"),
            ("4b825dc642cb6eb9a060e54bf8d69288fbee4904", "4b825dc642cb"),
            ("app@4b825dc642cb6eb9a060e54bf8d69288fbee4904", "4b825dc642cb"),
            ("app@nightly", "nightly"),
            ("nightly", "nightly"),
            ("@x", "@x"),
            ("1.2.3.4.5", "1.2.3.4.5"),
            ("ü@ü", "ü"),
        ] {
            assert_eq!(VersionInfo::short(name), short, "{name}");
        }
        assert_eq!(VersionInfo::read("nightly"), None);
        assert_eq!(VersionInfo::read("app@nightly").unwrap().version.major, None);
    }
}
