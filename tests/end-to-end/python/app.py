"""Sends a handled chain, a message and an unhandled exception, as any application would."""
import logging
import os
import sys

import sentry_sdk

sentry_sdk.init(
    dsn=os.environ["SENTRY_DSN"],
    release="shop@4.12.0",
    environment="production",
    server_name="web-1",
    send_default_pii=True,
)
sentry_sdk.set_tag("region", "eu-central")
sentry_sdk.set_user({"id": "42", "email": "jane@example.com"})


class PaymentError(Exception):
    pass


def charge(order):
    amount = order["total"]
    currency = "EUR"
    try:
        return amount / order["items"]
    except ZeroDivisionError as error:
        raise PaymentError(f"cannot charge {amount} {currency}") from error


logging.getLogger("shop").warning("charging soon")
sentry_sdk.add_breadcrumb(category="shop", message="basket closed", level="info")
if "--repeat" in sys.argv:
    for _ in range(int(sys.argv[2])):
        try:
            charge({"total": 100, "items": 0})
        except PaymentError as error:
            print(sentry_sdk.capture_exception(error))
    sentry_sdk.flush()
    sys.exit(0)
print(sentry_sdk.capture_message("login rejected", level="warning"), flush=True)
charge({"total": 100, "items": 0})
