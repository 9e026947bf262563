import { at, frame, lines } from "./frame.mjs";

/** An error of the front end, with columns and without local variables. */
export function browserEvent(issue) {
  const vendor = (file, line, col, fn) =>
    frame({ filename: file, absPath: `https://shop.example.com/${file}`, lineNo: line, colNo: col, function: fn });
  return {
    platform: "javascript",
    message: "",
    sdk: { name: "sentry.javascript.react", version: "11.12.0" },
    release: { version: "storefront@8.2.1" },
    user: { ip_address: "198.51.100.7", id: "guest-91" },
    tags: [
      ["browser", "Safari 18.4"],
      ["environment", "production"],
      ["level", "error"],
      ["os", "iOS 18.4"],
      ["release", "storefront@8.2.1"],
      ["url", "https://shop.example.com/cart"],
    ].map(([key, value]) => ({ key, value })),
    contexts: {
      browser: { name: "Mobile Safari", version: "18.4", type: "browser" },
      os: { name: "iOS", version: "18.4", type: "os" },
      device: { model: "iPhone", family: "iPhone", type: "device" },
      react: { version: "19.3.1", type: "react" },
    },
    context: {},
    packages: {},
    entries: [
      {
        type: "exception",
        data: {
          values: [
            {
              type: issue.metadata.type,
              value: issue.metadata.value,
              mechanism: { type: "auto.browser.global_handlers.onerror", handled: false },
              stacktrace: {
                frames: [
                  vendor("node_modules/react-dom/cjs/react-dom-client.js", 17_424, 18, "performWorkUntilDeadline"),
                  vendor("node_modules/react-dom/cjs/react-dom-client.js", 15_720, 7, "renderRootSync"),
                  vendor("node_modules/react-dom/cjs/react-dom-client.js", 12_210, 22, "updateFunctionComponent"),
                  frame({
                    filename: "src/cart/CartPage.tsx",
                    absPath: "https://shop.example.com/src/cart/CartPage.tsx",
                    lineNo: 22,
                    colNo: 11,
                    function: "CartPage",
                    inApp: true,
                    context: lines(
                      19,
                      `export function CartPage() {\n  const cart = useCart();\n  if (cart.isLoading) return <CartSkeleton rows={3} />;\n  return <CartSummary lines={cart.lines} voucher={cart.voucher} />;\n}`,
                    ),
                  }),
                  vendor("node_modules/react/cjs/react.js", 601, 3, "Array.map"),
                  frame({
                    filename: "src/cart/CartSummary.tsx",
                    absPath: "https://shop.example.com/src/cart/CartSummary.tsx",
                    lineNo: 34,
                    colNo: 52,
                    function: "lineTotal",
                    inApp: true,
                    context: lines(
                      29,
                      `// Prices come from the catalogue; a product that was withdrawn has none.\nconst money = new Intl.NumberFormat("de-AT", { style: "currency", currency: "EUR" });\n\nfunction lineTotal(line: CartLine, catalogue: Catalogue): string {\n  const product = catalogue.get(line.sku);\n  return money.format(line.quantity * product.current.price);\n}`,
                    ),
                  }),
                ],
              },
            },
          ],
        },
      },
      {
        type: "breadcrumbs",
        data: {
          values: [
            {
              timestamp: at(22_000),
              type: "navigation",
              category: "navigation",
              message: null,
              data: { from: "/", to: "/product/88-1042" },
              level: "info",
            },
            {
              timestamp: at(18_400),
              type: "default",
              category: "ui.click",
              message: 'button.add-to-cart[type="button"]',
              data: null,
              level: "info",
            },
            {
              timestamp: at(18_100),
              type: "http",
              category: "fetch",
              message: null,
              data: { method: "POST", url: "/api/cart/lines", status_code: 200 },
              level: "info",
            },
            {
              timestamp: at(12_300),
              type: "default",
              category: "console",
              message: "product 17-0031 is not in the catalogue",
              data: null,
              level: "warning",
            },
          ],
        },
      },
      {
        type: "request",
        data: {
          method: null,
          url: "https://shop.example.com/cart",
          query: [],
          headers: [
            ["Referer", "https://shop.example.com/"],
            ["User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X)"],
          ],
          cookies: [],
          data: null,
          env: null,
        },
      },
    ],
  };
}
