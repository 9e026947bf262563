//! Random histories: however they are cut into batches, and however groups run, they end where the serial model does.

use nuthatch_issues::{
    Action, Cause, FloodGuard, Job, MessageResult, Needs, Quota, Routed, Substatus,
    action::{Archive, Until},
    apply_action, run_job,
};
use nuthatch_protocol::{EventPath, Level, Message, Occurrence, Priority, ProjectId, TypeId};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::json;

use crate::{
    make::{CRON, NOW, Route, error_at, hash, seconds, status_change},
    model,
    state::State,
};

/// A type whose third sighting makes an issue, and one of which a project gets five issues an hour.
const NOISY: TypeId = TypeId(1004);
const SCARCE: TypeId = TypeId(2007);

/// How many hashes a project has: few, so that one chain joins nearly all messages, or many, so that groups are small.
fn fingerprint(variety: u8) -> impl Strategy<Value = Vec<u8>> {
    vec(0..variety, 1..4)
}

fn occurrence(variety: u8) -> impl Strategy<Value = Routed> {
    let what = (0..400u32, 1..4u64, fingerprint(variety), prop_oneof![-9000..9000i64, 2000..5000i64]);
    let how = (
        select(vec![TypeId::ERROR, TypeId::ERROR, TypeId::ERROR, CRON, NOISY, SCARCE, TypeId(5)]),
        select(vec!["<untitled>", "Broken", "Late"]),
        option::of(select(vec![Priority::Low, Priority::Medium, Priority::High])),
        option::of(select(vec!["1.0", "1.1"])),
        option::of(select(vec!["id:1", "id:2", "email:a@b.c"])),
    );
    (what, how).prop_map(|((number, project, hashes, at), (type_id, title, priority, release, user))| {
        let mut made = error_at(number, &hashes, at);
        made.event.release = release.map(str::to_owned);
        made.event.user = user.map(str::to_owned);
        made.event.search_text = format!("text {number}");
        made.event.metadata.insert(format!("key{}", number % 3), json!(number));
        let level = if number % 2 == 0 { Level::Error } else { Level::Warning };
        let project_id = ProjectId(project);
        let subtitle = "text".to_owned();
        let path = if type_id == TypeId::ERROR { EventPath::Error } else { EventPath::Full };
        Occurrence { project_id, type_id, title: title.to_owned(), subtitle, level, priority, path, ..made }.routed()
    })
}

fn change(variety: u8) -> impl Strategy<Value = Routed> {
    let known = select(vec![
        (1, None),
        (1, None),
        (1, None),
        (0, None),
        (0, Some(2)),
        (0, Some(3)),
        (0, Some(6)),
        (0, Some(7)),
        (2, Some(1)),
        (2, Some(1)),
        (2, Some(5)),
        (2, Some(3)),
        (1, Some(3)),
        (3, None),
        (9, Some(9)),
    ]);
    (0..400u32, 1..3u64, fingerprint(variety), known).prop_map(|(number, project, hashes, (status, substatus))| {
        let mut made = status_change(number, &hashes, status, substatus);
        made.project_id = ProjectId(project);
        made.routed()
    })
}

/// Messages, and the lengths of the batches they come in.
fn history() -> impl Strategy<Value = (Vec<Routed>, Vec<usize>)> {
    select(vec![4u8, 60, 250]).prop_flat_map(|variety| {
        let message = prop_oneof![4 => occurrence(variety), 1 => change(variety)];
        (vec(message, 1..300), vec(1..200usize, 1..5))
    })
}

/// Two known projects, some dead hashes, an issue whose priority is locked, and issues that are archived until they have so
/// many more events or users.
fn beginning() -> State {
    let mut state = State::with_projects(&[1, 2]);
    state.options.occurrence_rate_limit = Some(Quota::per_hour(4));
    state.options.flood_guard = Some(FloodGuard { kept_per_minute: 2 });
    for number in [0, 3, 17] {
        state.hashes.insert((ProjectId(1), hash(number)), None);
    }
    let created = state.one(error_at(100_000, &[1], 0).at(0), NOW);
    let MessageResult::Created(id) = created else { panic!("{created:?}") };
    let snapshot = state.snapshot(&Needs { issues: vec![id], ..Needs::default() });
    state.apply(&apply_action(&Action::SetPriority(Priority::Low), Cause::System, &snapshot, &[id], NOW));
    let conditions = [
        Until { events: Some(3), ..Until::default() },
        Until { users: Some(2), ..Until::default() },
        Until { events: Some(200), users: Some(1), ..Until::default() },
    ];
    for (number, until) in (2..).zip(conditions) {
        let mut made = error_at(100_000 + number, &[number as u8], 0);
        made.event.user = Some("id:1".to_owned());
        let MessageResult::Created(id) = state.one(made.at(0), NOW) else { panic!("it is new") };
        let snapshot = state.snapshot(&Needs { issues: vec![id], ..Needs::default() });
        let archive = Action::Archive(Archive::Until(until));
        state.apply(&apply_action(&archive, Cause::System, &snapshot, &[id], NOW));
    }
    state
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_ends_where_the_model_does((mut messages, lengths) in history()) {
        for (offset, message) in (1..).zip(&mut messages) {
            message.position.as_mut().unwrap().offset = offset;
        }
        let mut state = beginning();
        let mut expected = state.clone();
        let mut rest = &messages[..];
        for (number, length) in (1..).zip(lengths.iter().cycle()) {
            if rest.is_empty() {
                break;
            }
            let (batch, later) = rest.split_at((*length).min(rest.len()));
            rest = later;
            let now = seconds(number * 900);
            let outcome = state.process(batch, now);
            let results: Vec<MessageResult> =
                batch.iter().map(|message| model::handle(&mut expected, message, now)).collect();
            prop_assert_eq!(outcome.results, results);
            prop_assert_eq!(&state, &expected);
            state.check();
        }

        // A week later.
        let now = seconds(9 * 86_400);
        let ids: Vec<_> = state.issues.keys().copied().collect();
        let snapshot = state.snapshot(&Needs { issues: ids.clone(), ..Needs::default() });
        let aged = run_job(Job::ToOngoing, &snapshot, &ids, now);
        state.apply(&aged);
        let young = [Substatus::New, Substatus::Regressed, Substatus::Escalating];
        let due = expected.issues.values().filter(|issue| issue.substatus.is_some_and(|now| young.contains(&now)));
        for id in due.map(|issue| issue.id).collect::<Vec<_>>() {
            model::grow_old(&mut expected, id, now);
        }
        prop_assert_eq!(&state, &expected);

        // Everything again, in one batch: occurrences have no effect any more, but for those that were refused.
        let again = state.process(&messages, seconds(100_000));
        let of_occurrences = messages.iter().zip(&again.results).filter(|(routed, _)| matches!(routed.message, Message::Occurrence(_)));
        for (_, result) in of_occurrences {
            prop_assert!(matches!(result, MessageResult::Duplicate | MessageResult::Refused(_)), "{:?}", result);
        }
    }
}
