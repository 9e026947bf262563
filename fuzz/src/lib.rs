//! A server to fuzz: the real router on in-memory stores.

use std::{cell::OnceCell, sync::Arc};

use axum::{Router, body::Body};
use http::Request;
use nuthatch_intake::{Intake, IntakeConfig, router};
use nuthatch_protocol::{EventId, Timestamp};
use nuthatch_store::{
    ProjectStore as _,
    memory::{MemoryBlobs, MemoryLog, MemoryMeta},
    projects::NewProject,
};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const KEY: &str = "11111111111111111111111111111111";
const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

/// Requests that one server answers before another takes its place, so that what it keeps does not pile up.
const REQUESTS_MAX: usize = 1000;

struct Server {
    runtime: Runtime,
    router: Router,
    requests: std::cell::Cell<usize>,
}

impl Server {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let meta = Arc::new(MemoryMeta::new());
        runtime.block_on(async {
            let organization_id = meta.create_organization("org", "Org", NOW).await.expect("new").id;
            let project = NewProject {
                organization_id,
                slug: "one".to_owned(),
                name: "one".to_owned(),
                platform: None,
                first_key: KEY.parse().expect("a key"),
                created: NOW,
            };
            meta.create_project(project).await.expect("new");
        });
        let random = Arc::new(|| EventId([7; 16]));
        let (log, blobs) = (Arc::new(MemoryLog::new()), Arc::new(MemoryBlobs::new()));
        let intake = Intake::new(log, blobs, meta, Arc::new(|| NOW), random, IntakeConfig::default());
        Self { runtime, router: router(intake), requests: std::cell::Cell::new(0) }
    }
}

/// Posts to project 1 and checks that the server had an answer of its own.
pub fn post(path: &str, content_type: &str, body: &[u8]) {
    thread_local! {
        static SERVER: std::cell::RefCell<OnceCell<Server>> = const { std::cell::RefCell::new(OnceCell::new()) };
    }
    SERVER.with_borrow_mut(|slot| {
        let server = slot.get_or_init(Server::new);
        let request = Request::post(path)
            .header("x-sentry-auth", format!("Sentry sentry_key={KEY}"))
            .header("content-type", content_type)
            .body(Body::from(body.to_vec()))
            .expect("a request");
        let answer = server.runtime.block_on(server.router.clone().oneshot(request)).expect("infallible");
        assert!(!answer.status().is_server_error(), "{}", answer.status());
        server.requests.set(server.requests.get() + 1);
        if server.requests.get() == REQUESTS_MAX {
            slot.take();
        }
    });
}
