//! Scopes: what a credential may do.

use http::Method;
use nuthatch_store::projects::Role;

/// Every scope there is (`reference/web-api.md` §1.2), in the order they are shown.
pub const SCOPES: [&str; 23] = [
    "org:read",
    "org:write",
    "org:admin",
    "org:integrations",
    "org:ci",
    "project:read",
    "project:write",
    "project:admin",
    "project:releases",
    "team:read",
    "team:write",
    "team:admin",
    "member:read",
    "member:write",
    "member:admin",
    "member:invite",
    "event:read",
    "event:write",
    "event:admin",
    "alerts:read",
    "alerts:write",
    "alerts:admin",
    "occurrence:write",
];

/// What only an owner may.
const ADMINISTRATION: [&str; 9] = [
    "org:write",
    "org:admin",
    "org:integrations",
    "project:admin",
    "team:admin",
    "member:write",
    "member:admin",
    "member:invite",
    "alerts:admin",
];

/// A set of scopes. `admin` includes `write`, `write` includes `read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scopes(u32);

impl Scopes {
    /// Every scope there is.
    pub(crate) const ALL: Self = Self((1 << SCOPES.len()) - 1);

    /// What a member of an organization may do in it.
    pub(crate) fn of_role(role: Role) -> Self {
        let withheld = match role {
            Role::Owner => 0,
            Role::Member => ADMINISTRATION.iter().filter_map(|word| bit(word)).fold(0, |all, bit| all | bit),
        };
        Self(Self::ALL.0 & !withheld)
    }

    /// Reads words; the first unknown one is the error.
    pub(crate) fn read<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        let mut bits = 0;
        for word in words {
            bits |= bit(word).ok_or(word)?;
            if let Some((family, level)) = word.split_once(':') {
                let included: &[&str] = match level {
                    "admin" => &["write", "read"],
                    "write" => &["read"],
                    _ => &[],
                };
                bits |=
                    included.iter().filter_map(|level| bit(&format!("{family}:{level}"))).fold(0, |all, bit| all | bit);
            }
        }
        Ok(Self(bits))
    }

    /// What both allow.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether a scope is in the set. One that does not exist is in none.
    pub(crate) fn contain(self, word: &str) -> bool {
        bit(word).is_some_and(|bit| self.0 & bit != 0)
    }

    /// The words, as shown.
    pub(crate) fn words(self) -> Vec<String> {
        SCOPES.iter().filter(|word| self.contain(word)).map(|word| (*word).to_owned()).collect()
    }
}

fn bit(word: &str) -> Option<u32> {
    SCOPES.iter().position(|known| *known == word).map(|index| 1 << index)
}

/// A family of scopes that a route asks for; the method decides the level.
pub(crate) trait Right: Send + Sync + 'static {
    /// The part in front of the colon.
    const FAMILY: &'static str;

    /// The scope that a method needs: reading, writing, removing.
    fn scope(method: &Method) -> String {
        let level = match *method {
            Method::GET | Method::HEAD | Method::OPTIONS => "read",
            Method::DELETE => "admin",
            _ => "write",
        };
        format!("{}:{level}", Self::FAMILY)
    }
}

/// `org:…`
pub(crate) struct OrganizationRight;
/// `member:…`
pub(crate) struct MemberRight;
/// `project:…`
pub(crate) struct ProjectRight;
/// `project:read` to read releases; `project:releases` to make and change them.
pub(crate) struct ReleaseRight;
/// `team:…`
pub(crate) struct TeamRight;
/// `team:…`, where removing from a team is a change like others.
pub(crate) struct MembershipRight;
/// `event:…`
pub(crate) struct EventRight;
/// `org:…`, where removing is a change like others.
pub(crate) struct IssueTypeRight;
/// `event:read` to read; `event:admin` for everything else, as a replay with another payload makes an event.
pub(crate) struct DeadLetterRight;

impl Right for OrganizationRight {
    const FAMILY: &'static str = "org";
}
impl Right for MemberRight {
    const FAMILY: &'static str = "member";
}
impl Right for ProjectRight {
    const FAMILY: &'static str = "project";
}
impl Right for ReleaseRight {
    const FAMILY: &'static str = "project";

    fn scope(method: &Method) -> String {
        let level = if method.is_safe() { "read" } else { "releases" };
        format!("{}:{level}", Self::FAMILY)
    }
}
impl Right for EventRight {
    const FAMILY: &'static str = "event";
}
impl Right for IssueTypeRight {
    const FAMILY: &'static str = "org";

    fn scope(method: &Method) -> String {
        match *method {
            Method::DELETE => OrganizationRight::scope(&Method::PUT),
            _ => OrganizationRight::scope(method),
        }
    }
}
impl Right for TeamRight {
    const FAMILY: &'static str = "team";
}
impl Right for MembershipRight {
    const FAMILY: &'static str = "team";

    fn scope(method: &Method) -> String {
        let level = if method.is_safe() { "read" } else { "write" };
        format!("{}:{level}", Self::FAMILY)
    }
}
impl Right for DeadLetterRight {
    const FAMILY: &'static str = "event";

    fn scope(method: &Method) -> String {
        let level = if method.is_safe() { "read" } else { "admin" };
        format!("{}:{level}", Self::FAMILY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_higher_includes_the_lower_and_nothing_else() {
        let scopes = Scopes::read(["event:admin", "project:write"]).unwrap();
        assert_eq!(scopes.words(), ["project:read", "project:write", "event:read", "event:write", "event:admin"]);
        assert_eq!(Scopes::read(["event:read", "root"]), Err("root"));
    }

    #[test]
    fn a_member_does_everything_but_administration() {
        let member = Scopes::of_role(Role::Member);
        assert!(member.contain("event:admin") && member.contain("project:write") && member.contain("org:read"));
        assert!(!member.contain("org:write") && !member.contain("project:admin"));
        assert_eq!(Scopes::of_role(Role::Owner), Scopes::ALL);
        assert_eq!(Scopes::ALL.words().len(), SCOPES.len());
    }
}
