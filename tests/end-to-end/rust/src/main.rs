//! Sends a message, a captured error and a panic, as any application would.

fn scale(row: &[u8], column: usize) -> u8 {
    row[column]
}

fn main() {
    let dsn = std::env::var("SENTRY_DSN").expect("SENTRY_DSN is set");
    let mut options = sentry::ClientOptions::default();
    options.release = Some("thumbnailer@1.2.3".into());
    options.environment = Some("production".into());
    options.attach_stacktrace = true;
    let guard = sentry::init((dsn, options));
    sentry::configure_scope(|scope| {
        scope.set_tag("region", "eu-central");
        scope.set_user(Some(sentry::User { id: Some("7".into()), ..Default::default() }));
    });
    let error = "not-a-number".parse::<u32>().expect_err("not a number");
    println!("{}", sentry::capture_error(&error).simple());
    let result = std::panic::catch_unwind(|| scale(&[1, 2, 3], std::env::args().count() + 5));
    assert!(result.is_err());
    println!("{}", sentry::last_event_id().expect("the panic was captured").simple());
    drop(guard);
}
