//! What ends an archiving, from the body of a request (`reference/web-api.md` §3.6).

use std::time::Duration;

use nuthatch_issues::{
    action::Until,
    snooze::{WINDOW_MAX_MINS, WINDOW_USERS_MAX},
};
use nuthatch_protocol::Timestamp;

use crate::{error::ApiError, shape::issue::StatusDetailsRequest};

/// Longest time for which an issue is archived, in minutes: a year.
const DURATION_MAX_MINS: u64 = 365 * 24 * 60;

/// Most events or users for which an archiving waits.
const COUNT_MAX: u64 = 1_000_000;

/// Reads the conditions; `None` when there is none.
pub(super) fn until(details: &StatusDetailsRequest, now: Timestamp) -> Result<Option<Until>, ApiError> {
    let user_window_mins = window("ignoreUserWindow", details.ignore_user_window, details.ignore_user_count)?;
    let users_max = if user_window_mins.is_some() { WINDOW_USERS_MAX } else { COUNT_MAX };
    let until = Until {
        time: time(details, now)?,
        events: within("ignoreCount", details.ignore_count, COUNT_MAX)?,
        event_window_mins: window("ignoreWindow", details.ignore_window, details.ignore_count)?,
        users: within("ignoreUserCount", details.ignore_user_count, users_max)?,
        user_window_mins,
    };
    Ok(Some(until).filter(|until| *until != Until::default()))
}

fn time(details: &StatusDetailsRequest, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    let minutes = within("ignoreDuration", details.ignore_duration, DURATION_MAX_MINS)?;
    let after = |minutes: u64| now.plus(Duration::from_mins(minutes));
    let Some(text) = &details.ignore_until else { return Ok(minutes.map(after)) };
    if minutes.is_some() {
        return Err(wrong("ignoreUntil", "or ignoreDuration, not both"));
    }
    let time = text.parse::<Timestamp>().ok().filter(|time| *time > now && *time <= after(DURATION_MAX_MINS));
    time.map(Some).ok_or_else(|| wrong("ignoreUntil", "must be a time (RFC 3339) within the next year"))
}

fn window(name: &str, minutes: Option<i64>, count: Option<i64>) -> Result<Option<u32>, ApiError> {
    if minutes.is_some() && count.is_none() {
        return Err(wrong(name, "needs the count that is to come within it"));
    }
    // The bound is below the largest number of the type.
    Ok(within(name, minutes, u64::from(WINDOW_MAX_MINS))?.map(|minutes| minutes as u32))
}

fn within(name: &str, value: Option<i64>, most: u64) -> Result<Option<u64>, ApiError> {
    let number = |value: i64| u64::try_from(value).ok().filter(|number| (1..=most).contains(number));
    match value.map(number) {
        None => Ok(None),
        Some(Some(number)) => Ok(Some(number)),
        Some(None) => Err(wrong(name, &format!("must be from 1 to {most}"))),
    }
}

fn wrong(name: &str, message: &str) -> ApiError {
    ApiError::InvalidFields([(format!("statusDetails.{name}"), message.to_owned())].into())
}
