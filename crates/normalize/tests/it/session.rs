//! What session items say, and which are refused.

use nuthatch_normalize::{Reason, Refused, Session, filter::*, read_session, session_user};
use nuthatch_protocol::{
    EventId, IngestRecord, ProjectId, SessionState, SessionUpdate, Timestamp,
    session::{HealthChange, SessionStatus},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{RECEIVED, record};

fn item(item_type: &str, payload: &Value) -> IngestRecord {
    let mut record = record(payload.to_string());
    item_type.clone_into(&mut record.header.item_type);
    record
}

fn at(secs: i64) -> String {
    Timestamp::from_secs(RECEIVED + secs).to_string()
}

/// A valid session with other members.
fn session(changes: &Value) -> Value {
    let mut payload = json!({
        "sid": "01234567-89ab-cdef-0123-456789abcdef", "init": true, "started": at(-10), "timestamp": at(-1),
        "status": "exited", "errors": 1, "duration": 9.0004, "did": "ada",
        "attrs": {"release": "web@1.0", "environment": "production"},
    });
    for (key, value) in changes.as_object().unwrap() {
        payload[key] = value.clone();
    }
    payload
}

fn state(changes: &Value) -> Result<(EventId, SessionState), Refused> {
    read_session(&item("session", &session(changes))).map(|session| match session.update {
        SessionUpdate::One { sid, state } => (sid, state),
        SessionUpdate::Counted { .. } => panic!("one session"),
    })
}

#[test]
fn a_session_is_read_as_sent() {
    let (sid, state) = state(&json!({})).unwrap();
    assert_eq!(sid.to_string(), "0123456789abcdef0123456789abcdef");
    assert_eq!((state.place.release.as_str(), state.place.environment.as_str()), ("web@1.0", "production"));
    assert_eq!(
        (state.started, state.timestamp),
        (Timestamp::from_secs(RECEIVED - 10), Timestamp::from_secs(RECEIVED - 1))
    );
    assert_eq!((state.seq, state.status, state.errors, state.duration_ms), (0, SessionStatus::Exited, 1, Some(9000)));
    assert_eq!(state.user, session_user(ProjectId(7), "ada"));
    assert_ne!(state.user, session_user(ProjectId(8), "ada"), "projects do not share users");
}

#[test]
fn what_is_said_before_the_session_is_said_at_its_start() {
    let week = 7 * 24 * 3600;
    let (_, state) = state(&json!({"timestamp": at(-week)})).unwrap();
    assert_eq!((state.started, state.timestamp), (Timestamp::from_secs(RECEIVED - 10), state.started));
}

#[test]
fn what_is_left_out_has_a_default() {
    let absent = json!({"sid": null, "init": false, "timestamp": null, "status": null, "errors": null, "duration": -1, "did": ""});
    let (sid, state) = state(&absent).unwrap();
    assert_eq!(sid, EventId([0xab; 16]), "the id of the record");
    assert_eq!((state.seq, state.timestamp), (RECEIVED as u64 * 1000, Timestamp::from_secs(RECEIVED)));
    assert_eq!((state.status, state.errors, state.duration_ms), (SessionStatus::Ok, 0, None));
    assert_eq!((state.user, state.is_anr), (None, false));
}

#[test]
fn fields_have_their_rules() {
    let of = |changes: Value| state(&changes).unwrap().1;
    assert_eq!(of(json!({"init": false, "seq": 7})).seq, 7);
    assert_eq!(of(json!({"init": true, "seq": 7})).seq, 0);
    assert_eq!(
        of(json!({"timestamp": at(-20)})).timestamp,
        Timestamp::from_secs(RECEIVED - 10),
        "not before its start"
    );
    assert!(of(json!({"abnormal_mechanism": "anr_background"})).is_anr);
    assert!(!of(json!({"abnormal_mechanism": "other"})).is_anr);
    assert_eq!(of(json!({"did": 42})).user, session_user(ProjectId(7), "42"));
    assert_eq!(of(json!({"duration": 1e300})).duration_ms, Some(30 * 24 * 3_600_000));
    assert_eq!(of(json!({"attrs": {"release": " web@1.0 ", "environment": "a/b"}})).place.environment, "");
}

#[test]
fn what_cannot_be_counted_right_is_refused() {
    let refused = |changes: Value| state(&changes).unwrap_err();
    for (changes, reason, place) in [
        (json!({"started": null}), Reason::InvalidSession, "$.started"),
        (json!({"started": at(-5 * 86_400 - 1)}), Reason::Timestamp, "$.started"),
        (json!({"started": at(61)}), Reason::Timestamp, "$.started"),
        (json!({"timestamp": at(61)}), Reason::Timestamp, "$.timestamp"),
        (json!({"status": "fine"}), Reason::InvalidSession, "$.status"),
        (json!({"status": 7}), Reason::InvalidSession, "$.status"),
        (json!({"sid": "x"}), Reason::InvalidSession, "$.sid"),
        (json!({"init": false, "seq": u64::MAX}), Reason::InvalidSession, "$.seq"),
        (json!({"attrs": {}}), Reason::InvalidSession, "$.attrs.release"),
        (json!({"attrs": null}), Reason::InvalidSession, "$.attrs.release"),
        (json!({"attrs": {"release": "a/b"}}), Reason::InvalidSession, "$.attrs.release"),
        (json!({"attrs": {"release": "latest"}}), Reason::InvalidSession, "$.attrs.release"),
    ] {
        let refusal = refused(changes.clone());
        assert_eq!((refusal.reason, refusal.place.as_deref()), (reason, Some(place)), "{changes}");
    }
    assert_eq!(read_session(&item("session", &json!([]))).unwrap_err().reason, Reason::InvalidSession);
    assert_eq!(read_session(&record("{")).unwrap_err().reason, Reason::InvalidJson);
}

#[test]
fn a_wrong_clock_is_corrected() {
    let week = 7 * 86_400;
    let mut record = item("session", &session(&json!({"started": at(-week - 10), "timestamp": at(-week - 1)})));
    assert_eq!(read_session(&record).unwrap_err().reason, Reason::Timestamp);
    record.header.sent_at = Some(Timestamp::from_secs(RECEIVED - week));
    let SessionUpdate::One { state, .. } = read_session(&record).unwrap().update else { panic!("one session") };
    assert_eq!(state.started, Timestamp::from_secs(RECEIVED - 10));
}

fn counted(payload: &Value) -> Result<Vec<HealthChange>, Refused> {
    read_session(&item("sessions", payload)).map(|session| match session.update {
        SessionUpdate::Counted { changes, .. } => changes,
        SessionUpdate::One { .. } => panic!("counted sessions"),
    })
}

#[test]
fn aggregates_are_added_up_by_hour_and_user() {
    let changes = counted(&json!({
        "aggregates": [
            {"started": at(-60), "exited": 5, "errored": 2},
            {"started": at(-120), "exited": 1, "crashed": 1, "abnormal": 3, "unhandled": 4},
            {"started": at(-60), "did": "ada", "crashed": 2},
            {"started": at(-6 * 86_400), "exited": 100},
            {"started": at(-60)},
            7,
        ],
        "attrs": {"release": "web@1.0"},
    }))
    .unwrap();
    let numbers = |change: &HealthChange| {
        let tally = &change.tally;
        (change.user, [tally.sessions, tally.errored, tally.crashed, tally.abnormal, tally.unhandled])
    };
    let ada = session_user(ProjectId(7), "ada");
    assert_eq!(changes.iter().map(numbers).collect::<Vec<_>>(), [(None, [16, 10, 1, 3, 4]), (ada, [2, 2, 2, 0, 0])]);
}

#[test]
fn aggregates_of_nothing_are_refused() {
    let of = |aggregates: Value| counted(&json!({"aggregates": aggregates, "attrs": {"release": "a"}})).unwrap_err();
    assert_eq!(of(json!([])).reason, Reason::InvalidSession);
    assert_eq!(of(json!("x")).reason, Reason::InvalidSession);
    assert_eq!(of(json!([{"exited": 1}])).place.as_deref(), Some("$.aggregates[0].started"));
    assert_eq!(of(json!([{"started": at(-6 * 86_400), "exited": 1}])).reason, Reason::Timestamp);
    let many: Vec<Value> = (0..=10_000).map(|n| json!({"started": at(0), "did": n, "exited": 1})).collect();
    assert_eq!(of(json!(many)).place.as_deref(), Some("$.aggregates"));
}

#[test]
fn filters_apply_where_a_session_has_what_they_look_at() {
    let Session { context, .. } = read_session(&item(
        "session",
        &session(&json!({"attrs": {
            "release": "web@1.0", "environment": "production", "ip_address": "{{auto}}", "user_agent": "Googlebot/2.1",
        }})),
    ))
    .unwrap();
    let reason = |settings: FilterSettings| {
        let (filters, problems) = Filters::new(&settings);
        assert!(problems.is_empty(), "{problems:?}");
        filters.reason(&context, None).map(|reason| reason.as_str().to_owned())
    };
    let usual = FilterSettings::default;
    assert_eq!(reason(usual()), None);
    let releases = FilterSettings { releases: vec!["web@1.*".to_owned()], ..usual() };
    assert_eq!(reason(releases).as_deref(), Some("release-version"));
    let addresses = FilterSettings { client_ips: vec!["203.0.113.0/24".to_owned()], ..usual() };
    assert_eq!(reason(addresses).as_deref(), Some("ip-address"));
    assert_eq!(reason(FilterSettings { web_crawlers: true, ..usual() }).as_deref(), Some("web-crawlers"));
    let condition = json!({"op": "eq", "name": "event.environment", "value": "production"});
    let custom = CustomFilter { id: "x".to_owned(), is_enabled: true, condition };
    let custom = reason(FilterSettings { custom: vec![custom], ..usual() });
    assert_eq!(custom.as_deref(), Some("custom-inbound-filter:x"));
}

proptest! {
    /// Whatever is sent, the answer is a session or words about it.
    #[test]
    fn nothing_makes_it_fail(payload in "\\PC*", key in "(sid|seq|started|status|did|attrs|aggregates|duration)", value in "\\PC*") {
        for kind in ["session", "sessions"] {
            let mut raw = record(payload.clone());
            raw.header.item_type = kind.to_owned();
            let _ = read_session(&raw);
            for value in [json!(value), json!([value]), json!({ &value: 1 }), json!(-1), json!(1e308), json!(null)] {
                let mut sent = session(&json!({ &key: value }));
                sent["aggregates"] = json!([sent.clone()]);
                let _ = read_session(&item(kind, &sent));
            }
        }
    }
}
