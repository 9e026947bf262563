// Sends a captured error and then dies of an unhandled one, as any application might.
import * as Sentry from "@sentry/node";

Sentry.init({ dsn: process.env.SENTRY_DSN, release: "search@2.0.1", environment: "production" });
Sentry.setTag("region", "eu-central");
Sentry.setUser({ id: "9", username: "sam" });

function runQuery(query) {
  Sentry.addBreadcrumb({ category: "search", message: `query ${query}` });
  throw new RangeError("page 0 does not exist", { cause: new Error("index is empty") });
}

try {
  runQuery("lantern");
} catch (error) {
  console.log(Sentry.captureException(error));
}
setTimeout(function deferred() {
  null.length;
}, 50);
