//! Damaged requests: always an answer, never a lost neighbour.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::Request;
use proptest::{prelude::*, test_runner::TestCaseError};

use crate::{
    app::{App, KEY, good_envelope},
    bombs::compress,
    cases::{Sample, samples},
};

/// An envelope as the Python SDK sends it.
fn python_envelope() -> Vec<u8> {
    let event = serde_json::json!({
        "level": "error",
        "exception": {"values": [{"type": "ValueError", "value": "bad: \u{1F41B}", "module": null, "mechanism":
            {"type": "excepthook", "handled": false}, "stacktrace": {"frames": [{"filename": "app.py", "lineno": 12,
            "function": "main", "in_app": true, "vars": {"x": "1"}, "context_line": "    raise ValueError(x)"}]}}]},
        "event_id": "0123456789abcdef0123456789abcdef", "timestamp": "2026-01-31T12:00:00.000000Z",
        "breadcrumbs": {"values": []}, "contexts": {"runtime": {"name": "CPython", "version": "3.12.1"}},
        "modules": {"urllib3": "2.0.0"}, "platform": "python", "environment": "production", "server_name": "host",
        "sdk": {"name": "sentry.python", "version": "2.75.0"},
    });
    let event = event.to_string();
    let header = r#"{"event_id":"0123456789abcdef0123456789abcdef","sent_at":"2026-01-31T12:00:00.5Z","trace":{}}"#;
    format!("{header}\n{{\"type\":\"event\",\"length\":{}}}\n{event}\n", event.len()).into_bytes()
}

/// An envelope as browsers send it: no lengths, authentication in the header, several items.
fn browser_envelope() -> Vec<u8> {
    format!(
        "{{\"dsn\":\"http://{KEY}@localhost/1\",\"sdk\":{{\"name\":\"sentry.javascript.browser\"}}}}\n\
         {{\"type\":\"event\"}}\n{{\"message\":\"boom\",\"tags\":{{\"a\":\"b\"}}}}\n\
         {{\"type\":\"session\"}}\n{{\"sid\":\"x\",\"init\":true}}\n\
         {{\"type\":\"client_report\"}}\n{{\"discarded_events\":[]}}\n\
         {{\"type\":\"attachment\",\"length\":4,\"filename\":\"a.bin\"}}\n\n\0\n\0"
    )
    .into_bytes()
}

#[derive(Debug, Clone)]
enum Damage {
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, Vec<u8>),
    Cut(prop::sample::Index),
    Double(prop::sample::Index),
}

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let places = bytes.len() + 1;
        let at = |index: &prop::sample::Index| index.index(places);
        match self {
            Self::Set(index, byte) => {
                let at = at(index);
                if let Some(found) = bytes.get_mut(at) {
                    *found = *byte;
                }
            }
            Self::Insert(index, more) => {
                let at = at(index);
                drop(bytes.splice(at..at, more.iter().copied()));
            }
            Self::Cut(index) => bytes.truncate(at(index)),
            Self::Double(index) => bytes.extend_from_within(at(index)..),
        }
    }
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let pieces = prop::sample::select(vec![
        &b"\n"[..],
        b"\r\n",
        b"\0",
        b"\xff\xfe",
        b"{",
        b"}",
        b"\"",
        b"[[[[[[[[",
        b"\\ud800",
        b"1e999",
        b"-1",
        b"null",
    ]);
    prop_oneof![
        (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(index, byte)| Damage::Set(index, byte)),
        (any::<prop::sample::Index>(), pieces).prop_map(|(index, piece)| Damage::Insert(index, piece.to_vec())),
        any::<prop::sample::Index>().prop_map(Damage::Cut),
        any::<prop::sample::Index>().prop_map(Damage::Double),
    ]
}

/// How the damaged body travels.
#[derive(Debug, Clone, Copy)]
enum Way {
    Plain,
    Compressed(&'static str),
    Mislabelled(&'static str),
    Store,
    StoreBase64,
}

fn any_way() -> impl Strategy<Value = Way> {
    let encoding = || prop::sample::select(vec!["gzip", "deflate", "br", "zstd"]);
    prop_oneof![
        3 => Just(Way::Plain),
        1 => encoding().prop_map(Way::Compressed),
        1 => encoding().prop_map(Way::Mislabelled),
        1 => Just(Way::Store),
        1 => Just(Way::StoreBase64),
    ]
}

fn request(way: Way, authenticate: bool, body: Vec<u8>) -> Request<axum::body::Body> {
    let (path, encoding, body) = match way {
        Way::Plain => ("/api/1/envelope/", None, body),
        Way::Compressed(encoding) => ("/api/1/envelope/", Some(encoding), compress(encoding, &body)),
        Way::Mislabelled(encoding) => ("/api/1/envelope/", Some(encoding), body),
        Way::Store => ("/api/1/store/", None, body),
        Way::StoreBase64 => ("/api/1/store/", None, BASE64_STANDARD.encode(body).into_bytes()),
    };
    let mut request = Request::post(path);
    if authenticate {
        request = request.header("x-sentry-auth", format!("Sentry sentry_key={KEY}"));
    }
    if let Some(encoding) = encoding {
        request = request.header("content-encoding", encoding);
    }
    request.body(body.into()).unwrap()
}

/// Longest body that is damaged here, in bytes: longer ones only cost time.
const SAMPLE_MAX_BYTES: usize = 16 << 10;

proptest! {
    #[test]
    fn damage_is_answered_and_the_neighbour_is_served(
        base in prop_oneof![Just(python_envelope()), Just(browser_envelope())],
        damages in proptest::collection::vec(any_damage(), 0..4),
        way in any_way(),
        authenticate in prop::bool::weighted(0.8),
    ) {
        let mut body = base;
        for damage in &damages {
            damage.apply(&mut body);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app = App::new().await;
            let answer = app.send(request(way, authenticate, body)).await;
            let allowed = [200, 400, 401, 403, 413];
            prop_assert!(allowed.contains(&answer.status.as_u16()), "{}: {:?}", answer.status, answer.body);
            let before = app.records().await.len();
            prop_assert!(answer.status == 200 || before == 0, "refused, yet in the log");
            prop_assert_eq!(app.post(good_envelope()).await.status.as_u16(), 200);
            prop_assert_eq!(app.records().await.len(), before + 1);
            Ok::<_, TestCaseError>(())
        })?;
    }
    #[test]
    fn damage_at_any_endpoint_is_answered(
        sample in prop::sample::select(samples(SAMPLE_MAX_BYTES)),
        damages in proptest::collection::vec(any_damage(), 1..5),
    ) {
        let Sample { method, path, headers, mut body } = sample;
        for damage in &damages {
            damage.apply(&mut body);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let app = App::new().await;
            let is_upload = path.starts_with("/api/1/upload/");
            let mut request = Request::builder().method(method.as_str()).uri(path);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let answer = app.send(request.body(body.into()).unwrap()).await;
            let allowed = [200, 201, 202, 400, 401, 403, 404, 405, 413, 415];
            // What the standard of tus has for other versions, what is there already, and a part that was taken.
            let of_uploads = [204, 409, 412];
            let status = answer.status.as_u16();
            let is_allowed = allowed.contains(&status) || is_upload && of_uploads.contains(&status);
            prop_assert!(is_allowed, "{}: {:?}", answer.status, answer.body);
            let appended = app.topics().await.len();
            prop_assert!(answer.status.is_success() || appended == 0, "refused, yet in the log");
            prop_assert_eq!(app.post(good_envelope()).await.status.as_u16(), 200);
            Ok::<_, TestCaseError>(())
        })?;
    }
}
