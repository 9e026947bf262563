"""Sends one of everything that this SDK knows: a transaction, a log line, a session, check-ins, a message with a file."""
import os

import sentry_sdk
from sentry_sdk.crons import capture_checkin

sentry_sdk.init(
    dsn=os.environ["SENTRY_DSN"],
    release="items-python@1.0.0",
    environment="production",
    traces_sample_rate=1.0,
    enable_logs=True,
)
sentry_sdk.set_user({"id": "42"})

sentry_sdk.Scope.get_isolation_scope().start_session(session_mode="application")
with sentry_sdk.start_transaction(op="task", name="python.nightly"):
    with sentry_sdk.start_span(op="db", name="SELECT * FROM users WHERE id = 42"):
        pass
    sentry_sdk.logger.info("python counted {count} orders", count=3)
run = capture_checkin(
    monitor_slug="python-nightly",
    status="in_progress",
    monitor_config={"schedule": {"type": "crontab", "value": "0 3 * * *"}, "checkin_margin": 5},
)
capture_checkin(monitor_slug="python-nightly", check_in_id=run, status="ok", duration=2.5)
with sentry_sdk.new_scope() as scope:
    scope.add_attachment(bytes=b"three lanterns\n", filename="basket.txt")
    print(sentry_sdk.capture_message("python message with a file"))
sentry_sdk.Scope.get_isolation_scope().end_session()
sentry_sdk.flush()
