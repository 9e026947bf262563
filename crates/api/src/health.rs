//! What the fields of session statistics mean (`reference/web-api.md` §4.4, `reference/ingest-protocol.md` §17).

use std::str::FromStr;

use nuthatch_protocol::session::Durations;
use nuthatch_store::sessions::SessionSum;
use serde_json::{Value, json};

/// What of sessions is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// `sum(session)`, `count_unique(user)`: how many.
    Count(Unit),
    /// `crash_free_rate(session)`, …: a share of them, 0 to 1.
    Rate(Share, Unit),
    /// `anr_rate()`: the share of users whose application did not respond.
    AnrRate,
    /// `p50(session.duration)`, …: milliseconds.
    Duration(Statistic),
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Session,
    User,
}

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    Of(Kind),
    CrashFree,
    Unhealthy,
}

/// A statistic of durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statistic {
    Average,
    Maximum,
    /// In hundredths.
    Quantile(u8),
}

/// How a session ended, each in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Healthy,
    Errored,
    Crashed,
    Abnormal,
    Unhandled,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Healthy, Self::Errored, Self::Crashed, Self::Abnormal, Self::Unhandled];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Errored => "errored",
            Self::Crashed => "crashed",
            Self::Abnormal => "abnormal",
            Self::Unhandled => "unhandled",
        }
    }
}

impl FromStr for Field {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (name, argument) = text.strip_suffix(')').and_then(|text| text.split_once('(')).ok_or(())?;
        let unit = match argument {
            "session" => Some(Unit::Session),
            "user" => Some(Unit::User),
            _ => None,
        };
        match (name, argument) {
            ("sum", "session") => return Ok(Self::Count(Unit::Session)),
            ("count_unique", "user") => return Ok(Self::Count(Unit::User)),
            ("anr_rate", "") => return Ok(Self::AnrRate),
            (_, "session.duration") => {
                return Ok(Self::Duration(match name {
                    "avg" => Statistic::Average,
                    "max" => Statistic::Maximum,
                    "p50" => Statistic::Quantile(50),
                    "p75" => Statistic::Quantile(75),
                    "p90" => Statistic::Quantile(90),
                    "p95" => Statistic::Quantile(95),
                    "p99" => Statistic::Quantile(99),
                    _ => return Err(()),
                }));
            }
            _ => {}
        }
        let share = match name {
            "crash_rate" => Share::Of(Kind::Crashed),
            "crash_free_rate" => Share::CrashFree,
            "unhealthy_rate" => Share::Unhealthy,
            "healthy_rate" => Share::Of(Kind::Healthy),
            "errored_rate" => Share::Of(Kind::Errored),
            "abnormal_rate" => Share::Of(Kind::Abnormal),
            "unhandled_rate" => Share::Of(Kind::Unhandled),
            _ => return Err(()),
        };
        Ok(Self::Rate(share, unit.ok_or(())?))
    }
}

impl Field {
    /// Whether the store has to count users for it.
    pub(crate) fn needs_users(self) -> bool {
        matches!(self, Self::Count(Unit::User) | Self::Rate(_, Unit::User) | Self::AnrRate)
    }

    /// Whether the store has to add up durations for it.
    pub(crate) fn needs_durations(self) -> bool {
        matches!(self, Self::Duration(_))
    }

    /// Whether it can be told for the sessions of one [`Kind`].
    pub(crate) fn has_kinds(self) -> bool {
        matches!(self, Self::Count(_))
    }

    /// The value, of one kind if wanted; null when there is nothing to take a share or statistic of.
    pub(crate) fn of(self, sum: &SessionSum, kind: Option<Kind>) -> Value {
        match self {
            Self::Count(unit) => json!(Counts::of(sum, unit).kind(kind)),
            Self::Rate(share, unit) => json!(Counts::of(sum, unit).share(share)),
            Self::AnrRate => json!(ratio(sum.users.anr as f64, sum.users.users as f64)),
            Self::Duration(statistic) => json!(statistic.of(&sum.health.durations)),
        }
    }
}

impl Statistic {
    fn of(self, durations: &Durations) -> Option<f64> {
        match self {
            Self::Average => durations.average(),
            Self::Maximum => durations.max(),
            Self::Quantile(hundredths) => durations.quantile(f64::from(hundredths) / 100.0),
        }
    }
}

/// The share of the first number in the second; `None` of nothing.
pub(crate) fn ratio(part: f64, all: f64) -> Option<f64> {
    (all > 0.0).then(|| part / all)
}

/// How many there are of each kind.
struct Counts {
    all: u64,
    healthy: u64,
    errored: u64,
    crashed: u64,
    abnormal: u64,
    unhandled: u64,
}

impl Counts {
    fn of(sum: &SessionSum, unit: Unit) -> Self {
        let (health, users) = (&sum.health, &sum.users);
        let count = |sessions: i64| u64::try_from(sessions).unwrap_or_default();
        match unit {
            Unit::Session => Self {
                all: count(health.sessions),
                healthy: count(health.healthy()),
                errored: count(health.only_errored()),
                crashed: count(health.crashed),
                abnormal: count(health.abnormal),
                unhandled: count(health.unhandled),
            },
            Unit::User => Self {
                all: users.users,
                healthy: users.healthy(),
                errored: users.only_errored,
                crashed: users.crashed,
                abnormal: users.abnormal,
                unhandled: users.unhandled,
            },
        }
    }

    fn kind(&self, kind: Option<Kind>) -> u64 {
        match kind {
            None => self.all,
            Some(Kind::Healthy) => self.healthy,
            Some(Kind::Errored) => self.errored,
            Some(Kind::Crashed) => self.crashed,
            Some(Kind::Abnormal) => self.abnormal,
            Some(Kind::Unhandled) => self.unhandled,
        }
    }

    fn share(&self, share: Share) -> Option<f64> {
        let of = |kind| ratio(self.kind(Some(kind)) as f64, self.all as f64);
        match share {
            Share::Of(kind) => of(kind),
            Share::CrashFree => of(Kind::Crashed).map(|rate| 1.0 - rate),
            Share::Unhealthy => of(Kind::Healthy).map(|rate| 1.0 - rate),
        }
    }
}

#[cfg(test)]
mod tests {
    use nuthatch_protocol::session::HealthTally;
    use nuthatch_store::sessions::UserTally;

    use super::*;

    #[test]
    fn fields_are_what_their_names_say() {
        let mut durations = Durations::default();
        durations.add(1000);
        let health = HealthTally { sessions: 8, errored: 6, crashed: 2, abnormal: 1, unhandled: 1, anr: 1, durations };
        let users = UserTally { users: 4, errored: 3, only_errored: 1, crashed: 1, abnormal: 1, unhandled: 1, anr: 1 };
        let sum = SessionSum { health, users, ..SessionSum::default() };
        let field = |text: &str| text.parse::<Field>().expect(text);
        for (text, value) in [
            ("sum(session)", json!(8)),
            ("count_unique(user)", json!(4)),
            ("crash_rate(session)", json!(0.25)),
            ("crash_free_rate(session)", json!(0.75)),
            ("crash_free_rate(user)", json!(0.75)),
            ("healthy_rate(session)", json!(0.25)),
            ("unhealthy_rate(user)", json!(0.75)),
            ("errored_rate(session)", json!(0.25)),
            ("abnormal_rate(session)", json!(0.125)),
            ("unhandled_rate(user)", json!(0.25)),
            ("anr_rate()", json!(0.25)),
            ("avg(session.duration)", json!(1000.0)),
        ] {
            assert_eq!(field(text).of(&sum, None), value, "{text}");
            let nothing = field(text).of(&SessionSum::default(), None);
            let expected = if field(text).has_kinds() { json!(0) } else { Value::Null };
            assert_eq!(nothing, expected, "{text} of nothing");
        }
        for text in ["p50", "p75", "p90", "p95", "p99", "max"] {
            let value = field(&format!("{text}(session.duration)")).of(&sum, None);
            assert!(value.as_f64().is_some_and(|ms| (ms - 1000.0).abs() <= 20.0), "{text} {value}");
        }
        let kinds = Kind::ALL.map(|kind| field("sum(session)").of(&sum, Some(kind)));
        assert_eq!(kinds, [2, 2, 2, 1, 1].map(|count| json!(count)), "each session is of one kind");
        for text in ["", "sum", "sum(user)", "sum(session", "crash_rate()", "p42(session.duration)", "x_rate(user)"] {
            assert!(text.parse::<Field>().is_err(), "{text}");
        }
    }
}
