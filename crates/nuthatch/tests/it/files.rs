//! What comes as bytes beside events: what went in comes out, byte for byte, whenever its event comes.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use nuthatch::client::{Answer, Client};
use serde_json::{Value, json};

use crate::server::{Server, Site, json as command_json};

const EVENT: &str = "0123456789abcdef0123456789abcdef";

/// Bytes with everything in them that framing could stumble over.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = b"\n{\"type\":\"event\"}\n\r\n\0\xff".to_vec();
    bytes.extend((0..length as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8));
    bytes
}

fn envelope(header: &Value, items: &[(Value, &[u8])]) -> Bytes {
    let mut body = header.to_string().into_bytes();
    for (header, payload) in items {
        let mut header = header.clone();
        header["length"] = payload.len().into();
        body.extend(format!("\n{header}\n").into_bytes());
        body.extend_from_slice(payload);
    }
    body.into()
}

fn attachment(name: &str, content_type: &str) -> Value {
    json!({"type": "attachment", "filename": name, "content_type": content_type})
}

async fn send(server: &Server<'_>, client: &mut Client, items: &[(Value, &[u8])]) -> u16 {
    let body = envelope(&json!({"event_id": EVENT}), items);
    client.envelope(&server.dsn, body, false).await.unwrap().status.into()
}

async fn ask(server: &Server<'_>, client: &mut Client, method: Method, path: &str) -> Answer {
    client.api(method, &format!("/api/0{path}"), &server.site.token, None).await.unwrap()
}

/// Units by category, outcome and reason.
async fn units(server: &Server<'_>, client: &mut Client) -> BTreeMap<String, u64> {
    let by = "groupBy=outcome&groupBy=reason&groupBy=category";
    let path = format!("/organizations/{}/stats_v2/?{by}&statsPeriod=1d", server.site.organization);
    let stats = server.api(client, &path).await;
    let groups = stats["groups"].as_array().unwrap().iter().map(|group| {
        let by = &group["by"];
        let words = ["category", "outcome", "reason"].map(|key| by[key].as_str().unwrap());
        (words.join(" ").trim_end().to_owned(), group["totals"]["sum(quantity)"].as_u64().unwrap())
    });
    groups.collect()
}

fn project(server: &Server<'_>) -> String {
    format!("/projects/{}/{}", server.site.organization, server.site.project)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attachments_come_back_byte_for_byte_before_and_after_their_event_and_after_a_crash() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    let (early, late) = (noise(300_000), noise(10));
    let html = b"<script>alert(document.cookie)</script>";
    let sent: [&[(Value, &[u8])]; 4] = [
        &[(attachment("early.bin", "application/x-early"), &early)],
        &[(json!({"type": "event"}), br#"{"message":"with files"}"#), (attachment("page.html", "text/html"), html)],
        &[(json!({"type": "attachment", "attachment_type": "event.minidump"}), &late)],
        &[(attachment("empty.png", "image/png"), b"")],
    ];
    for items in sent {
        assert_eq!(send(&server, &mut client, items).await, 200);
    }
    // Nobody has waited for the worker.
    server.kill();
    let server = site.start();
    let mut client = server.client();
    let list = format!("{}/events/{EVENT}/attachments/", project(&server));
    let listed = server.until(&mut client, &list, |rows| rows.as_array().unwrap().len() == 4).await;
    let wanted: [(&str, &str, &str, &[u8]); 4] = [
        ("empty.png", "event.attachment", "image/png", b""),
        ("unnamed", "event.minidump", "application/octet-stream", &late),
        ("page.html", "event.attachment", "application/octet-stream", html),
        ("early.bin", "event.attachment", "application/octet-stream", &early),
    ];
    for (row, (name, kind, served, bytes)) in listed.as_array().unwrap().iter().zip(wanted) {
        let found = (row["name"].as_str(), row["type"].as_str(), row["size"].as_u64(), row["event_id"].as_str());
        assert_eq!(found, (Some(name), Some(kind), Some(bytes.len() as u64), Some(EVENT)));
        let path = format!("{list}{}/", row["id"].as_str().unwrap());
        assert_eq!(server.api(&mut client, &path).await, *row);
        let answer = ask(&server, &mut client, Method::GET, &format!("{path}?download=1")).await;
        assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, bytes), "{name}");
        assert_eq!(answer.headers[header::CONTENT_TYPE], served);
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(answer.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("sandbox;"));
        assert!(answer.headers[header::CONTENT_DISPOSITION].to_str().unwrap().starts_with("attachment;"));
    }
    assert_eq!(listed[0]["sha1"], "da39a3ee5e6b4b0d3255bfef95601890afd80709");

    let bytes = (early.len() + html.len() + late.len() + 1) as u64;
    server.until_processed(&mut client).await;
    let counted = units(&server, &mut client).await;
    // A dump without an event makes one, which is another of the same id here.
    let wanted = [
        ("attachment accepted", bytes),
        ("attachment_item accepted", 4),
        ("error accepted", 1),
        ("error invalid duplicate", 1),
    ];
    assert_eq!(counted, wanted.map(|(words, units)| (words.to_owned(), units)).into());

    let path = format!("{list}{}/", listed[3]["id"].as_str().unwrap());
    assert_eq!(ask(&server, &mut client, Method::DELETE, &path).await.status, StatusCode::NO_CONTENT);
    for path in [path.clone(), format!("{path}?download")] {
        assert_eq!(ask(&server, &mut client, Method::GET, &path).await.status, StatusCode::NOT_FOUND);
    }
    server.stop();
    assert_eq!(command_json(&site.data(), &["verify"], "")["balanced"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attachments_of_a_trace_come_back_where_the_trace_is_read() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    let (trace, span, file) = ("a".repeat(32), "b".repeat(16), noise(300_000));
    let meta = json!({
        "trace_id": trace, "attachment_id": "fedcba98-7654-3210-fedc-ba9876543210", "filename": "shot.png",
        "timestamp": nuthatch::now().as_secs_f64(), "content_type": "image/png",
        "attributes": {"screen": {"type": "integer", "value": 2}},
    });
    let meta = meta.to_string();
    let header = json!({
        "type": "attachment", "content_type": "application/vnd.sentry.trace-attachment", "meta_length": meta.len(),
        "span_id": span,
    });
    let payload = [meta.as_bytes(), &file].concat();
    let wrong =
        json!({"type": "attachment", "content_type": "application/vnd.sentry.trace-attachment", "meta_length": 2});
    let items = [(header, &payload[..]), (wrong, &b"{}lost"[..])];
    // Sent again after an answer that was lost, and the server dies before anybody has looked at either.
    for _ in 0..2 {
        assert_eq!(send(&server, &mut client, &items).await, 200);
    }
    server.kill();
    let server = site.start();
    let mut client = server.client();
    let list = format!("{}/traces/{trace}/attachments/", project(&server));
    let listed = server.until(&mut client, &list, |rows| rows.as_array().unwrap().len() == 1).await;
    let row = &listed[0];
    assert_eq!((&row["name"], &row["spanId"], &row["traceId"]), (&json!("shot.png"), &json!(span), &json!(trace)));
    assert_eq!((&row["attributes"], &row["size"]), (&json!({"screen": 2}), &json!(file.len())));
    let path = format!("{list}{}/", row["id"].as_str().unwrap());
    assert_eq!(server.api(&mut client, &path).await, *row);
    let answer = ask(&server, &mut client, Method::GET, &format!("{path}?download=1")).await;
    assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &file[..]));
    assert_eq!(answer.headers[header::CONTENT_TYPE], "image/png");

    server.until_processed(&mut client).await;
    let wanted = [
        ("attachment accepted", file.len() as u64),
        ("attachment invalid duplicate", file.len() as u64),
        ("attachment invalid invalid_trace_attachment", 8),
        ("attachment_item accepted", 1),
        ("attachment_item invalid duplicate", 1),
        ("attachment_item invalid invalid_trace_attachment", 2),
    ];
    assert_eq!(units(&server, &mut client).await, wanted.map(|(words, units)| (words.to_owned(), units)).into());
    server.stop();
    assert_eq!(command_json(&site.data(), &["verify"], "")["balanced"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_is_an_attachment_of_the_event_that_refers_to_it_after_a_crash() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    let file = noise(300_000);
    let (key, place) = server.dsn.text.trim_start_matches("http://").split_once('@').unwrap();
    let (host, project_id) = place.rsplit_once('/').unwrap();
    let request = |method: Method, path: &str, header: (&str, usize), body: &[u8]| {
        let request = Request::builder().method(method).uri(path).header("host", host);
        let request = request.header("tus-resumable", "1.0.0").header(header.0, header.1);
        let request = request.header("content-type", "application/offset+octet-stream");
        request.body(Full::new(Bytes::copy_from_slice(body))).unwrap()
    };
    // As SDKs do: begun without the bytes, which follow.
    let path = format!("/api/{project_id}/upload/?sentry_key={key}");
    let begun = client.send(request(Method::POST, &path, ("upload-length", file.len()), b"")).await.unwrap();
    assert_eq!(begun.status, StatusCode::CREATED, "{:?}", begun.body);
    let location = begun.headers[header::LOCATION].to_str().unwrap().to_owned();
    let bytes = request(Method::PATCH, &format!("{location}?sentry_key={key}"), ("upload-offset", 0), &file);
    assert_eq!(client.send(bytes).await.unwrap().status, StatusCode::NO_CONTENT);
    server.kill();

    let server = site.start();
    let mut client = server.client();
    let reference = json!({"location": location, "content_type": "image/png"}).to_string();
    let header = json!({
        "type": "attachment", "content_type": "application/vnd.sentry.attachment-ref+json", "filename": "big.png",
        "attachment_length": file.len(),
    });
    let items = [(json!({"type": "event"}), &br#"{"message":"big"}"#[..]), (header, reference.as_bytes())];
    for _ in 0..2 {
        assert_eq!(send(&server, &mut client, &items).await, 200);
    }
    let list = format!("{}/events/{EVENT}/attachments/", project(&server));
    let listed = server.until(&mut client, &list, |rows| rows.as_array().unwrap().len() == 1).await;
    assert_eq!((&listed[0]["name"], &listed[0]["size"]), (&json!("big.png"), &json!(file.len())));
    let path = format!("{list}{}/?download=1", listed[0]["id"].as_str().unwrap());
    let answer = ask(&server, &mut client, Method::GET, &path).await;
    assert_eq!((&answer.body[..], answer.headers[header::CONTENT_TYPE].to_str().unwrap()), (&file[..], "image/png"));

    server.until_processed(&mut client).await;
    let wanted = [
        ("attachment accepted", file.len() as u64),
        ("attachment invalid missing_upload", file.len() as u64),
        ("attachment_item accepted", 1),
        ("attachment_item invalid missing_upload", 1),
        ("error accepted", 1),
        ("error invalid duplicate", 1),
    ];
    assert_eq!(units(&server, &mut client).await, wanted.map(|(words, units)| (words.to_owned(), units)).into());
    server.stop();
    assert_eq!(command_json(&site.data(), &["verify"], "")["balanced"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_over_the_limits_refuse_their_envelope_and_are_counted_in_bytes() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    let many: Vec<(Value, &[u8])> = (0..31).map(|n| (attachment(&format!("{n}"), "text/plain"), &b"abc"[..])).collect();
    assert_eq!(send(&server, &mut client, &many).await, 413);
    let large = vec![b' '; (10 << 20) + 1];
    let recording = [(json!({"type": "replay_recording"}), &large[..]), (attachment("a", "text/plain"), &b"abcd"[..])];
    assert_eq!(send(&server, &mut client, &recording).await, 413);
    server.until_processed(&mut client).await;
    let list = format!("{}/events/{EVENT}/attachments/", project(&server));
    assert_eq!(server.api(&mut client, &list).await, json!([]), "nothing of the envelope is kept");
    let wanted = [
        ("attachment invalid too_large:attachment:event.attachment", 93),
        ("attachment_item invalid too_large:attachment:event.attachment", 31),
        ("attachment invalid too_large:replay_recording", 4),
        ("attachment_item invalid too_large:replay_recording", 1),
    ];
    assert_eq!(units(&server, &mut client).await, wanted.map(|(words, units)| (words.to_owned(), units)).into());
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_users_say_is_shown_with_the_event_and_the_newest_word_counts() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    let said = |text: &str| json!({"event_id": EVENT, "name": "Ada", "email": null, "comments": text}).to_string();
    let report = json!({"type": "user_report"});
    assert_eq!(send(&server, &mut client, &[(report.clone(), said("before").as_bytes())]).await, 200);
    let event: (Value, &[u8]) = (json!({"type": "event"}), br#"{"message":"it broke"}"#);
    assert_eq!(send(&server, &mut client, &[event]).await, 200);
    assert_eq!(send(&server, &mut client, &[(report.clone(), b"nonsense")]).await, 200);
    let long = said(&"x".repeat(4097));
    assert_eq!(send(&server, &mut client, &[(report, long.as_bytes())]).await, 200);
    let path = format!("{}/events/{EVENT}/", project(&server));
    server.until_processed(&mut client).await;
    assert_eq!(server.api(&mut client, &path).await["userReport"]["comments"], "before");

    let feedback = format!("{}/user-feedback/", project(&server));
    let body = json!({"event_id": EVENT, "name": "Ada", "email": "ada@example.org", "comments": "after <b>"});
    let taken = client.api(Method::POST, &format!("/api/0{feedback}"), &site.token, Some(&body)).await.unwrap();
    assert_eq!(taken.status, StatusCode::OK);
    server.until_processed(&mut client).await;
    let listed = server.api(&mut client, &feedback).await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let row = &listed[0];
    assert_eq!(
        (&row["comments"], &row["email"], &row["eventID"]),
        (&json!("after <b>"), &body["email"], &json!(EVENT))
    );
    assert_eq!(row["issue"]["title"], "it broke");
    assert_eq!(row["dateCreated"], taken.json().unwrap()["dateCreated"]);
    assert_eq!(server.api(&mut client, &path).await["userReport"]["comments"], "after <b>");

    let counted = units(&server, &mut client).await;
    let wanted = [
        ("error accepted", 1),
        ("feedback accepted", 2),
        ("feedback invalid invalid_json", 1),
        ("feedback invalid too_large:user_report", 1),
    ];
    assert_eq!(counted, wanted.map(|(words, units)| (words.to_owned(), units)).into());
    server.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn profiles_and_replays_are_kept_once_and_counted_as_one() {
    let site = Site::new();
    let server = site.start();
    let mut client = server.client();
    let other = "fedcba9876543210fedcba9876543210";
    let sample = |ns: u64| json!({"elapsed_since_start_ns": ns, "stack_id": 0, "thread_id": "1"});
    let profile = json!({
        "version": "1", "event_id": other, "platform": "python", "transaction": {"id": EVENT, "name": "t"},
        "profile": {"samples": [sample(0), sample(1_000)], "stacks": [[0]], "frames": [{"function": "f"}]},
    });
    let broken = json!({"version": "9", "event_id": other, "platform": "python"}).to_string();
    let profile = profile.to_string();
    let (trace, now) = ("a".repeat(32), nuthatch::now().as_secs_f64());
    let transaction = json!({
        "transaction": "t", "start_timestamp": now - 1.0, "timestamp": now,
        "contexts": {"trace": {"trace_id": trace, "span_id": "b".repeat(16)}},
    });
    let transaction = transaction.to_string();
    for payload in [&profile, &profile, &broken] {
        let items = [
            (json!({"type": "profile"}), payload.as_bytes()),
            (json!({"type": "transaction"}), transaction.as_bytes()),
        ];
        assert_eq!(send(&server, &mut client, &items).await, 200);
    }
    let segment = json!({"type": "replay_event", "replay_id": EVENT, "segment_id": 3, "urls": ["https://a.example/"]});
    let segment = segment.to_string();
    let recording: Vec<u8> = [&b"{\"segment_id\":3}\n"[..], &[0x78, 0x9c, 1, 2, b'\n', 3]].concat();
    let replay: [(Value, &[u8]); 2] =
        [(json!({"type": "replay_event"}), segment.as_bytes()), (json!({"type": "replay_recording"}), &recording)];
    assert_eq!(send(&server, &mut client, &replay).await, 200);
    let alone = [&recording[..], b"other"].concat().strip_prefix(b"{\"segment_id\":3}").unwrap().to_vec();
    let alone = [&b"{\"segment_id\":4}"[..], &alone].concat();
    assert_eq!(send(&server, &mut client, &[(json!({"type": "replay_recording"}), &alone)]).await, 200);
    server.until_processed(&mut client).await;

    for (kind, owner, part, bytes) in
        [("profile", other, "", profile.as_bytes()), ("replay_recording", EVENT, "4", &alone)]
    {
        let listed = server.api(&mut client, &format!("{}/files/?kind={kind}", project(&server))).await;
        let row = &listed[0];
        assert_eq!((&row["owner"], &row["part"]), (&json!(owner), &json!(part)), "{kind}");
        let path = format!("{}/files/{}/?download=1", project(&server), row["id"].as_str().unwrap());
        assert_eq!(&ask(&server, &mut client, Method::GET, &path).await.body[..], bytes, "{kind}");
    }
    let tree = server.api(&mut client, &format!("/organizations/{}/trace/{trace}/", server.site.organization)).await;
    assert_eq!(tree[0]["profile_id"], other, "{tree}");
    let events = server.api(&mut client, &format!("{}/files/?kind=replay_event", project(&server))).await;
    let path = format!("{}/files/{}/?download=1", project(&server), events[0]["id"].as_str().unwrap());
    let event = ask(&server, &mut client, Method::GET, &path).await.json().unwrap();
    assert_eq!((&event["replay_id"], &event["segment_id"]), (&json!(EVENT), &json!(3)));

    let counted = units(&server, &mut client).await;
    let wanted = [
        ("profile accepted", 1),
        ("profile invalid duplicate", 1),
        ("profile invalid profiling_platform_not_supported", 1),
        ("profile_backend accepted", 1),
        ("profile_backend invalid duplicate", 1),
        ("profile_backend invalid profiling_platform_not_supported", 1),
        ("replay accepted", 1),
        ("transaction accepted", 1),
        ("transaction invalid duplicate", 2),
    ];
    assert_eq!(counted, wanted.map(|(words, units)| (words.to_owned(), units)).into());
    server.stop();
    assert_eq!(command_json(&site.data(), &["verify"], "")["balanced"], true);
}
