// A page with the unmodified browser SDK: one click, one unhandled exception.
import * as Sentry from "@sentry/browser";

Sentry.init({ dsn: window.SENTRY_DSN, release: "shop-web@1.0.0", environment: "production" });
Sentry.setTag("region", "eu-central");
Sentry.setUser({ id: "11" });

function addToBasket(product) {
  return product.variant.price;
}

document.querySelector("button").addEventListener("click", () => addToBasket({ name: "lantern" }));
