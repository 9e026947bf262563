// A page with the unmodified browser SDK that asks its visitor after a crash.
import * as Sentry from "@sentry/browser";

Sentry.init({ dsn: window.SENTRY_DSN });
document.querySelector("button").addEventListener("click", () => {
  const eventId = Sentry.captureException(new Error("basket is gone"));
  const onClose = () => { document.title = "closed"; };
  Sentry.showReportDialog({ eventId, title: "Oh no <b>", user: { name: "Jane", email: "jane@example.com" }, onClose });
});
