#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp(1_760_000_000_000_000);

fn boolean(text: &str) -> Expr {
    parse(text, Grammar::Boolean, NOW).unwrap_or_else(|error| unreachable!("{text}: {error}"))
}

fn all(terms: Vec<Expr>) -> Expr {
    Expr::And(terms)
}

fn is(key: &str, value: &str) -> Expr {
    term(key, Op::In(vec![Value::Text(value.to_owned())]), false)
}

fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

fn ago(secs: u64) -> Value {
    Value::Time(NOW.minus(Duration::from_secs(secs)))
}

#[test]
fn conditions_side_by_side_all_hold() {
    assert_eq!(boolean("  "), Expr::all());
    assert_eq!(
        boolean(r#"level:error !release:web@1.0 user.username:"Jane \"J\" Doe:x" tags[level]:a"#),
        all(vec![
            is("level", "error"),
            not(is("release", "web@1.0")),
            is("user.username", r#"Jane "J" Doe:x"#),
            is("tags[level]", "a"),
        ])
    );
    assert_eq!(
        boolean(r#"level:[error, "fatal"]"#),
        all(vec![term("level", Op::In(vec![Value::Text("error".to_owned()), Value::Text("fatal".to_owned())]), false)])
    );
    assert_eq!(
        boolean(r"has:release !has:dist dist:$! url:http://x/(a"),
        all(vec![
            term("release", Op::Exists, false),
            term("dist", Op::Exists, true),
            is("dist", "$!"),
            is("url", "http://x/(a"),
        ])
    );
    assert_eq!(boolean(r#"dist:"""#), all(vec![term("dist", Op::Exists, true)]));
    assert_eq!(boolean(r#"!dist:"""#), all(vec![term("dist", Op::Exists, false)]));
}

#[test]
fn whether_it_was_handled_is_true_or_false() {
    for (text, value) in [
        ("error.handled:true", "yes"),
        ("error.handled:1", "yes"),
        ("error.handled:No", "no"),
        ("error.unhandled:yes", "no"),
        ("error.unhandled:0", "yes"),
    ] {
        let key = text.split(':').next().unwrap();
        assert_eq!(boolean(text), all(vec![is(key, value)]), "{text}");
    }
    for text in ["error.handled:perhaps", "error.unhandled:t*", "error.handled:>0", "error.handled:[true, maybe]"] {
        assert!(parse(text, Grammar::Boolean, NOW).is_err(), "{text}");
    }
}

#[test]
fn what_is_not_kept_of_events_is_no_tag_that_none_has() {
    for text in ["sdk.version:1", "!sdk.name:python", "has:geo.city", "release.version:>1.2", "http.method:[GET, PUT]"]
    {
        for grammar in [Grammar::Flat, Grammar::Boolean] {
            let refused = parse(text, grammar, NOW).unwrap_err().to_string();
            assert!(refused.contains("tags["), "{text}: {refused}");
        }
        assert!(parse(text, Grammar::Items, NOW).is_ok(), "{text}");
    }
    assert_eq!(boolean("tags[sdk.name]:x"), all(vec![is("tags[sdk.name]", "x")]));
}

#[test]
fn stars_are_wildcards_unless_escaped() {
    assert_eq!(boolean("release:web@*"), all(vec![term("release", Op::Like("web@*".to_owned()), false)]));
    assert_eq!(boolean(r"release:2\*3"), all(vec![is("release", "2*3")]));
    assert_eq!(boolean(r"release:2\*3*"), all(vec![term("release", Op::Like(r"2\*3*".to_owned()), false)]));
}

#[test]
fn bare_words_side_by_side_are_one_phrase() {
    let contains = |text: &str| term("", Op::Contains(text.to_owned()), false);
    assert_eq!(
        boolean(r#"no such order level:error "in: quotes" last"#),
        all(vec![contains("no such order"), is("level", "error"), contains("in: quotes"), contains("last")])
    );
    assert_eq!(boolean("!word"), all(vec![not(contains("word"))]));
    assert_eq!(boolean("message:boom"), all(vec![term("message", Op::Contains("boom".to_owned()), false)]));
    assert_eq!(boolean("time*out"), all(vec![term("", Op::Like("time*out".to_owned()), false)]));
}

#[test]
fn numbers_and_times_are_compared() {
    assert_eq!(
        boolean("timesSeen:>10 device.memory:<=2kb transaction.duration:>5s timesSeen:3"),
        all(vec![
            term("timesSeen", Op::Gt(Value::Number(10.0)), false),
            term("device.memory", Op::Le(Value::Number(2000.0)), false),
            term("transaction.duration", Op::Gt(Value::Number(5000.0)), false),
            term("timesSeen", Op::In(vec![Value::Number(3.0)]), false),
        ])
    );
    assert_eq!(
        boolean("age:-24h age:+2w lastSeen:-30m"),
        all(vec![
            term("age", Op::Ge(ago(86_400)), false),
            term("age", Op::Le(ago(14 * 86_400)), false),
            term("lastSeen", Op::Ge(ago(1800)), false),
        ])
    );
    let time = |text: &str| Value::Time(text.parse().unwrap());
    assert_eq!(
        boolean("timestamp:>2024-01-01 event.timestamp:2024-01-01 timestamp:2024-01-01T12:00:00Z"),
        all(vec![
            term("timestamp", Op::Gt(time("2024-01-01T00:00:00Z")), false),
            term("event.timestamp", Op::Ge(time("2024-01-01T00:00:00Z")), false),
            term("event.timestamp", Op::Lt(time("2024-01-02T00:00:00Z")), false),
            term("timestamp", Op::In(vec![time("2024-01-01T12:00:00Z")]), false),
        ])
    );
}

#[test]
fn a_day_in_a_list_is_the_whole_day() {
    let time = |text: &str| Value::Time(text.parse().unwrap());
    let day = |begin: &str, end: &str| {
        let (begin, end) = (Op::Ge(time(begin)), Op::Lt(time(end)));
        Expr::And(vec![term("timestamp", begin, false), term("timestamp", end, false)])
    };
    let first = day("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z");
    assert_eq!(boolean("timestamp:[2024-01-01]"), all(vec![Expr::Or(vec![first.clone()])]));
    assert_eq!(boolean("!timestamp:[2024-01-01]"), all(vec![not(Expr::Or(vec![first.clone()]))]));
    let noon = Expr::And(vec![term("timestamp", Op::In(vec![time("2024-03-01T12:00:00Z")]), false)]);
    let second = day("2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z");
    for grammar in [Grammar::Boolean, Grammar::Items] {
        let text = r#"timestamp:[2024-01-01, 2024-02-29, "2024-03-01T12:00:00Z"]"#;
        let read = parse(text, grammar, NOW).unwrap();
        assert_eq!(read, all(vec![Expr::Or(vec![first.clone(), second.clone(), noon.clone()])]), "{grammar:?}");
    }
    let times = r#"timestamp:["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"]"#;
    let moments = vec![time("2024-01-01T00:00:00Z"), time("2024-01-02T00:00:00Z")];
    assert_eq!(boolean(times), all(vec![term("timestamp", Op::In(moments), false)]));
    // A flat search has no alternatives.
    let refused = parse("timestamp:[2024-01-01]", Grammar::Flat, NOW).unwrap_err().to_string();
    assert!(refused.contains("not days"), "{refused}");
    assert!(parse("timestamp:[2024-01-01, tomorrow!]", Grammar::Boolean, NOW).is_err());
}

#[test]
fn fields_of_trace_items_have_readings_of_their_own() {
    let items = |text: &str| parse(text, Grammar::Items, NOW).unwrap();
    let number = |number: f64| Op::In(vec![Value::Number(number)]);
    assert_eq!(
        items("span.duration:>1.5s span.duration:2m tags[retries,number]:>3 http.status_code:200 message:boom has:a"),
        all(vec![
            term("span.duration", Op::Gt(Value::Number(1500.0)), false),
            term("span.duration", number(120_000.0), false),
            term("tags[retries,number]", Op::Gt(Value::Number(3.0)), false),
            is("http.status_code", "200"),
            term("message", Op::Contains("boom".to_owned()), false),
            term("a", Op::Exists, false),
        ])
    );
    assert_eq!(items("title:Boom"), all(vec![is("title", "Boom")]), "an attribute like any other");
    let error = parse("span.duration:slow", Grammar::Items, NOW).unwrap_err();
    assert!(error.message.contains("`span.duration:slow` is no number"), "{error}");
}

#[test]
fn and_binds_tighter_than_or() {
    let (a, b, c) = (is("a", "1"), is("b", "2"), is("c", "3"));
    assert_eq!(
        boolean("a:1 OR b:2 AND c:3"),
        all(vec![Expr::Or(vec![a.clone(), Expr::And(vec![b.clone(), c.clone()])])])
    );
    assert_eq!(boolean("(a:1 OR b:2) c:3"), all(vec![Expr::Or(vec![a, b]), c]));
}

#[test]
fn a_flat_search_is_a_list_of_terms() {
    let parsed = parse("is:unresolved assigned:me !level:info foo bar", Grammar::Flat, NOW).unwrap();
    let Expr::And(terms) = parsed else { unreachable!("a conjunction") };
    assert_eq!(terms.len(), 4);
    for text in ["a:1 OR b:2", "a:1 AND b:2", "(a:1)"] {
        let error = parse(text, Grammar::Flat, NOW).unwrap_err();
        assert!(error.message.contains("issue search"), "{error}");
    }
    assert!(parse(r#""OR""#, Grammar::Flat, NOW).is_ok());
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let many = "a:1 ".repeat(TERMS_MAX + 1);
    let starry = format!("title:{}", "a*".repeat(TERMS_MAX + 1));
    let long = "x".repeat(QUERY_BYTES_MAX + 1);
    let deep = "(".repeat(DEPTH_MAX + 1) + "a:1" + &")".repeat(DEPTH_MAX + 1);
    for (text, offset) in [
        ("level:error ValueError: no", 12),
        (r#"a:1 b:"open"#, 6),
        (&starry, 0),
        ("a:1 OR", 6),
        ("OR a:1", 0),
        ("a:1 AND AND b:2", 8),
        ("(a:1", 0),
        ("a:1)", 3),
        ("()", 1),
        ("is:[a, b]", 0),
        ("a:[b*, c]", 0),
        ("a:[b, ]", 6),
        ("a:[b c]", 2),
        ("a:1 x:>many", 4),
        ("timesSeen:many", 0),
        ("age:-24x", 0),
        ("age:-99999999999999999999h", 0),
        ("timestamp:>soon", 0),
        ("!timestamp:2024-01-01", 0),
        ("tags[x:1", 0),
        (many.as_str(), 0),
        (long.as_str(), QUERY_BYTES_MAX),
        (deep.as_str(), DEPTH_MAX),
    ] {
        let error = parse(text, Grammar::Boolean, NOW).unwrap_err();
        assert_eq!(error.offset, offset, "{text}: {error}");
    }
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in r#"([a-z:"\\*()\[\], !><.0-9é-]|OR |AND |tags\[|age:-|has:|is:){0,40}"#) {
        if let Err(error) = parse(&text, Grammar::Boolean, NOW) {
            prop_assert!(error.offset <= text.len());
        }
    }

    #[test]
    fn a_quoted_value_is_taken_as_it_is(value in "[a-z \"():,\\[\\]\u{e9}]{1,20}") {
        let text = format!("key:\"{}\"", value.replace('"', "\\\""));
        prop_assert_eq!(boolean(&text), all(vec![is("key", &value)]));
    }
}

#[test]
fn versions_of_releases_are_compared_as_they_are_written() {
    let releases = |text: &str| parse(text, Grammar::Releases, NOW).unwrap();
    let compared = |op| all(vec![term("release.version", op, false)]);
    assert_eq!(releases("release.version:>=1.10"), compared(Op::Ge(Value::Text("1.10".to_owned()))));
    assert_eq!(releases("release.version:1.2.3"), all(vec![is("release.version", "1.2.3")]));
    assert!(parse("release.build:>x", Grammar::Releases, NOW).is_err());
}
