/** What a browser reports when a policy stops something. */
export function reportEvent() {
  return {
    platform: "javascript",
    message: "Blocked 'script' from 'cdn.tracker.example'",
    sdk: null,
    release: null,
    user: { ip_address: "203.0.113.7" },
    tags: [
      ["blocked-host", "cdn.tracker.example"],
      ["blocked-uri", "https://cdn.tracker.example/t.js?shop=acme"],
      ["effective-directive", "script-src-elem"],
      ["level", "error"],
    ].map(([key, value]) => ({ key, value })),
    contexts: { browser: { name: "Firefox", version: "139.0", type: "browser" } },
    context: {},
    packages: {},
    entries: [
      { type: "message", data: { formatted: "Blocked 'script' from 'cdn.tracker.example'" } },
      {
        type: "csp",
        data: {
          effective_directive: "script-src-elem",
          violated_directive: "script-src-elem 'self' https://js.payments.example",
          blocked_uri: "https://cdn.tracker.example/t.js?shop=acme",
          document_uri: "https://shop.example.com/checkout?step=2",
          source_file: "https://shop.example.com/assets/index.f3a9c1.js",
          line_number: 118,
          column_number: 24,
          disposition: "enforce",
          status_code: 200,
          script_sample: "var t = document.createElement('script');",
          original_policy:
            "default-src 'self'; script-src-elem 'self' https://js.payments.example; img-src 'self' data:; " +
            "report-uri https://nuthatch.example.com/api/2/security/",
        },
      },
      {
        type: "request",
        data: { url: "https://shop.example.com/checkout?step=2", headers: [["User-Agent", "Firefox"]] },
      },
    ],
  };
}
