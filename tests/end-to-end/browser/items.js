// A page that sends one of everything that the browser SDK knows.
import * as Sentry from "@sentry/browser";

Sentry.init({
  dsn: window.SENTRY_DSN,
  release: "items-browser@1.0.0",
  environment: "production",
  integrations: [Sentry.browserTracingIntegration()],
  tracesSampleRate: 1,
  enableLogs: true,
});
Sentry.setUser({ id: "11" });

Sentry.startSpan({ name: "browser.nightly", op: "task", forceTransaction: true }, () => {
  Sentry.startSpan({ name: "fetch basket", op: "http.client" }, () => {});
  Sentry.logger.info(Sentry.logger.fmt`browser counted ${3} orders`);
});
Sentry.withScope((scope) => {
  scope.addAttachment({ filename: "basket.txt", data: "three lanterns\n" });
  document.title = Sentry.captureMessage("browser message with a file");
});
Sentry.captureFeedback({ message: "browser feedback: the basket is empty", name: "Sam", email: "sam@example.com" });
Sentry.flush(5000).then(() => document.body.append("sent"));
