import { at, frame, lines } from "./frame.mjs";

/** A request to the shop that ends in a chain of two exceptions. */
export function pythonEvent(issue) {
  const site = "/usr/local/lib/python3.12/site-packages";
  const django = (name, line, fn) =>
    frame({
      filename: `django/${name}`,
      absPath: `${site}/django/${name}`,
      module: `django.${name.slice(0, -3).replaceAll("/", ".")}`,
      lineNo: line,
      function: fn,
    });
  if (issue.type === "default")
    return {
      ...pythonCommon(),
      message: issue.title,
      entries: [{ type: "message", data: { formatted: issue.title } }, breadcrumbs()],
    };
  return {
    ...pythonCommon(),
    message: "",
    errors: [],
    entries: [
      {
        type: "exception",
        data: {
          values: [
            {
              type: "HTTPStatusError",
              value: "Client error '402 Payment Required' for url 'https://api.bank.example/v1/charges'",
              module: "httpx",
              mechanism: { type: "chained", handled: false, exception_id: 1, parent_id: 0, source: "__cause__" },
              stacktrace: {
                frames: [
                  frame({
                    filename: "payments/gateway.py",
                    absPath: "/srv/shop/payments/gateway.py",
                    module: "payments.gateway",
                    function: "charge",
                    lineNo: 58,
                    inApp: true,
                    context: lines(
                      55,
                      `    def charge(self, order, card):\n        # The bank answers 402 when the card has no cover.\n        response = self.client.post("/v1/charges", json=payload)\n        response.raise_for_status()\n        return Charge.from_json(response.json())`,
                    ),
                    vars: {
                      self: "<payments.gateway.Gateway object at 0x7f3a>",
                      payload: { amount: 12990, currency: "EUR", card: "[Filtered]" },
                    },
                  }),
                  frame({
                    filename: "httpx/_models.py",
                    absPath: `${site}/httpx/_models.py`,
                    module: "httpx._models",
                    lineNo: 829,
                    function: "raise_for_status",
                    context: lines(
                      827,
                      `        }\n        error_type = error_types.get(status_class, "Invalid status code")\n        message = message.format(self, error_type=error_type)\n        raise HTTPStatusError(message, request=request, response=self)`,
                    ),
                  }),
                ],
              },
            },
            {
              type: issue.metadata.type,
              value: issue.metadata.value,
              module: "payments.errors",
              mechanism: { type: "django", handled: !issue.isUnhandled, exception_id: 0 },
              stacktrace: {
                frames: [
                  django("core/handlers/exception.py", 55, "inner"),
                  django("core/handlers/base.py", 197, "_get_response"),
                  django("views/decorators/csrf.py", 65, "_view_wrapper"),
                  frame({
                    filename: "checkout/views.py",
                    absPath: "/srv/shop/checkout/views.py",
                    module: "checkout.views",
                    function: "pay",
                    lineNo: 132,
                    inApp: true,
                    context: lines(
                      127,
                      `@require_POST\n@transaction.atomic\ndef pay(request, order_id):\n    order = get_object_or_404(Order, pk=order_id, user=request.user)\n    card = request.user.cards.get(pk=request.POST["card"])\n    receipt = take_payment(order, card, attempts=3)\n    order.mark_paid(receipt)\n    return redirect("checkout:done", order.id)`,
                    ),
                    vars: {
                      order: "<Order: 88421>",
                      order_id: 88421,
                      card: "<Card: **** 4242>",
                      request: "<WSGIRequest: POST '/checkout/pay'>",
                    },
                  }),
                  django("db/transaction.py", 307, "__exit__"),
                  frame({
                    filename: "payments/service.py",
                    absPath: "/srv/shop/payments/service.py",
                    module: "payments.service",
                    function: "take_payment",
                    lineNo: 41,
                    inApp: true,
                    context: lines(
                      35,
                      `    for attempt in range(1, attempts + 1):\n        try:\n            return gateway.charge(order, card)\n        except HTTPStatusError as error:\n            reason = error.response.json()["reason"]\n            if reason not in RETRYABLE:\n                raise PaymentDeclined(f"card {card.last4} was declined by the bank: {reason}") from error\n            sleep(BACKOFF_SECONDS * attempt)\n    raise PaymentUnavailable(order.id)`,
                    ),
                    vars: {
                      attempt: 1,
                      attempts: 3,
                      card: { last4: "4242", brand: "visa", holder: "[Filtered]", expires: { month: 4, year: 2028 } },
                      order: {
                        id: 88421,
                        total: "129.90",
                        currency: "EUR",
                        lines: ["88-1042 × 2", "17-0031 × 1"],
                        coupon: null,
                      },
                      reason: "insufficient_funds",
                      RETRYABLE: ["rate_limited", "bank_unavailable"],
                    },
                  }),
                ],
              },
            },
          ],
        },
      },
      breadcrumbs(),
      {
        type: "request",
        data: {
          method: "POST",
          url: "https://shop.example.com/checkout/pay",
          query: [["order", "88421"]],
          headers: [
            ["Content-Type", "application/x-www-form-urlencoded"],
            ["Host", "shop.example.com"],
            ["Referer", "https://shop.example.com/checkout/summary"],
            [
              "User-Agent",
              "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/136.0 Safari/537.36",
            ],
          ],
          cookies: [
            ["sessionid", "[Filtered]"],
            ["theme", "dark"],
          ],
          data: { card: "17", csrfmiddlewaretoken: "[Filtered]", order_id: "88421" },
          env: { SERVER_NAME: "api-7c9f", SERVER_PORT: "8000" },
        },
      },
    ],
  };
}

function pythonCommon() {
  return {
    platform: "python",
    sdk: { name: "sentry.python.django", version: "2.75.0" },
    release: { version: "shop@2.14.0" },
    dist: null,
    user: {
      id: "5113",
      email: "ada.fischer@example.net",
      username: "ada",
      ip_address: "203.0.113.24",
      geo: { country_code: "AT", city: "Vienna" },
    },
    tags: [
      ["browser", "Chrome 136"],
      ["environment", "production"],
      ["handled", "no"],
      ["level", "error"],
      ["os", "macOS"],
      ["plan", "business"],
      ["release", "shop@2.14.0"],
      ["runtime", "CPython 3.12.4"],
      ["server_name", "api-7c9f"],
      ["transaction", "checkout.views.pay"],
      ["url", "https://shop.example.com/checkout/pay"],
    ].map(([key, value]) => ({ key, value })),
    contexts: {
      browser: { name: "Chrome", version: "136.0.0", type: "browser" },
      client_os: { name: "macOS", version: "10.15.7", type: "os" },
      runtime: {
        name: "CPython",
        version: "3.12.4",
        build: "3.12.4 (main, Jun  8 2026, 18:29:57) [GCC 12.2.0]",
        type: "runtime",
      },
      trace: {
        trace_id: "771a43a4192642f0b136d5159a501700",
        span_id: "9c1d72a6b0e84f35",
        parent_span_id: "0000000000000000",
        op: "http.server",
        status: "internal_error",
        type: "trace",
      },
      cart: {
        items: 3,
        total: "129.90",
        voucher: null,
        lines: [
          { sku: "88-1042", quantity: 2 },
          { sku: "17-0031", quantity: 1 },
        ],
        type: "cart",
      },
    },
    context: {
      "sys.argv": ["gunicorn", "shop.wsgi", "--workers", "4"],
      attempt_limit: 3,
      feature_flags: { new_checkout: true, wallet: false },
    },
    packages: Object.fromEntries(
      [
        "asgiref 3.9.1",
        "certifi 2026.4.26",
        "django 5.2.1",
        "gunicorn 23.0.0",
        "httpx 0.28.1",
        "pillow 11.2.1",
        "psycopg 3.2.9",
        "redis 6.1.0",
        "sentry-sdk 2.75.0",
        "sqlparse 0.5.3",
        "urllib3 2.4.0",
      ].map((line) => line.split(" ")),
    ),
  };
}

function breadcrumbs() {
  const crumb = (ms, type, category, message, data = null, level = "info") => ({
    timestamp: at(12_000 + ms),
    type,
    category,
    message,
    data,
    level,
  });
  return {
    type: "breadcrumbs",
    data: {
      values: [
        ...Array.from({ length: 9 }, (_, index) =>
          crumb(
            4_100 - index * 30,
            "default",
            "query",
            `SELECT "catalog_price"."id", "catalog_price"."amount" FROM "catalog_price" WHERE "catalog_price"."product_id" = ${1_042 + index}`,
          ),
        ),
        crumb(2_950, "navigation", "navigation", null, { from: "/cart", to: "/checkout/summary" }),
        crumb(
          2_210,
          "default",
          "query",
          'SELECT "checkout_order"."id", "checkout_order"."total" FROM "checkout_order" WHERE "checkout_order"."id" = %s LIMIT 21',
        ),
        crumb(
          2_180,
          "default",
          "query",
          'SELECT "accounts_card"."id", "accounts_card"."last4" FROM "accounts_card" WHERE "accounts_card"."user_id" = %s',
        ),
        crumb(1_904, "http", "httplib", null, {
          method: "POST",
          url: "https://api.bank.example/v1/tokens",
          status_code: 201,
          reason: "Created",
        }),
        crumb(1_320, "default", "redis", "SET 'lock:order:88421' '1' EX 30 NX"),
        crumb(340, "http", "httplib", null, {
          method: "POST",
          url: "https://api.bank.example/v1/charges",
          status_code: 402,
          reason: "Payment Required",
          "http.fragment": "",
        }),
        crumb(
          36,
          "default",
          "payments.service",
          "charge refused: insufficient_funds (attempt 1 of 3)",
          { order: 88421, attempt: 1 },
          "warning",
        ),
      ],
    },
  };
}
