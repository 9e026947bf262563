//! Sends one of everything that the Rust SDK knows: a transaction, a log line, a session, check-ins, a message with a file.

use std::time::Duration;

use sentry::protocol::{
    Attachment, MonitorCheckIn, MonitorCheckInStatus, MonitorConfig, MonitorSchedule, SessionStatus,
};

fn main() {
    let dsn = std::env::var("SENTRY_DSN").expect("SENTRY_DSN is set");
    let mut options = sentry::ClientOptions::new().traces_sample_rate(1.0);
    options.release = Some("items-rust@1.0.0".into());
    options.environment = Some("production".into());
    let guard = sentry::init((dsn, options));
    sentry::configure_scope(|scope| {
        scope.set_user(Some(sentry::User { id: Some("7".into()), ..Default::default() }));
    });
    sentry::start_session();

    let transaction = sentry::start_transaction(sentry::TransactionContext::new("rust.nightly", "task"));
    transaction.start_child("db", "SELECT * FROM users WHERE id = 42").finish();
    transaction.finish();
    sentry::logger_info!("rust counted {} orders", 3);

    let client = sentry::Hub::current().client().expect("a client");
    let id = sentry::types::random_uuid();
    for status in [MonitorCheckInStatus::InProgress, MonitorCheckInStatus::Ok] {
        let is_over = matches!(status, MonitorCheckInStatus::Ok);
        let schedule = MonitorSchedule::Crontab { value: "0 3 * * *".into() };
        let mut envelope = sentry::Envelope::new();
        envelope.add_item(MonitorCheckIn {
            check_in_id: id,
            monitor_slug: "rust-nightly".into(),
            status,
            environment: Some("production".into()),
            duration: is_over.then_some(2.5),
            monitor_config: Some(MonitorConfig {
                schedule,
                checkin_margin: Some(5),
                max_runtime: None,
                timezone: None,
                failure_issue_threshold: None,
                recovery_threshold: None,
            }),
        });
        client.send_envelope(envelope);
    }
    sentry::with_scope(
        |scope| {
            scope.add_attachment(Attachment {
                buffer: b"three lanterns\n".to_vec(),
                filename: "basket.txt".into(),
                ..Default::default()
            });
        },
        || println!("{}", sentry::capture_message("rust message with a file", sentry::Level::Info).simple()),
    );
    sentry::end_session_with_status(SessionStatus::Exited);
    client.flush(Some(Duration::from_secs(5)));
    drop(guard);
}
