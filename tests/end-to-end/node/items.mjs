// Sends one of everything that this SDK knows. SENTRY_NODE says which version of it.
const Sentry = await import(process.env.SENTRY_NODE);
const name = process.env.SENTRY_NAME;

Sentry.init({
  dsn: process.env.SENTRY_DSN,
  release: `items-${name}@1.0.0`,
  environment: "production",
  tracesSampleRate: 1,
  enableLogs: true,
});
Sentry.setUser({ id: "9" });

Sentry.startSession();
Sentry.startSpan({ name: `${name}.nightly`, op: "task" }, () => {
  Sentry.startSpan({ name: "SELECT * FROM users WHERE id = 42", op: "db" }, () => {});
  Sentry.logger.info(Sentry.logger.fmt`${name} counted ${3} orders`);
});
const schedule = { schedule: { type: "crontab", value: "0 3 * * *" }, checkinMargin: 5 };
const checkInId = Sentry.captureCheckIn({ monitorSlug: `${name}-nightly`, status: "in_progress" }, schedule);
Sentry.captureCheckIn({ monitorSlug: `${name}-nightly`, checkInId, status: "ok", duration: 2.5 });
Sentry.withScope((scope) => {
  scope.addAttachment({ filename: "basket.txt", data: "three lanterns\n", contentType: "text/plain" });
  console.log(Sentry.captureMessage(`${name} message with a file`));
});
Sentry.captureFeedback({ message: `${name} feedback: the basket is empty`, name: "Sam", email: "sam@example.com" });
Sentry.endSession();
await Sentry.close(5000);
