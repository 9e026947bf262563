import type { Platform, Step } from "./platform";

const install = (name: string): Step => ({ title: "Install the client", code: `npm install ${name}` });

const step = (title: string, code: string): Step => ({ title, code, language: "javascript" });

const init = (name: string, dsn: string) => `import * as Sentry from "${name}";

Sentry.init({
  dsn: "${dsn}",
});`;

export const javascript: Platform[] = [
  {
    id: "javascript",
    name: "Browser",
    family: "JavaScript",
    steps: (dsn) => [
      install("@sentry/browser"),
      step("Initialise it before your own code", init("@sentry/browser", dsn)),
      step(
        "Throw an error to see it arrive",
        `setTimeout(() => {\n  throw new Error("A first error from the browser");\n});`,
      ),
    ],
  },
  {
    id: "javascript-react",
    name: "React",
    family: "JavaScript",
    steps: (dsn) => [
      install("@sentry/react"),
      step(
        "Initialise it before React starts, and let it hear of React's errors",
        `import * as Sentry from "@sentry/react";
import { createRoot } from "react-dom/client";

Sentry.init({
  dsn: "${dsn}",
});

createRoot(document.getElementById("root"), {
  onUncaughtError: Sentry.reactErrorHandler(),
  onCaughtError: Sentry.reactErrorHandler(),
}).render(<App />);`,
      ),
      step(
        "Put in a button that fails, and press it",
        `<button onClick={() => { throw new Error("A first error from React"); }}>
  Break
</button>`,
      ),
    ],
  },
  {
    id: "javascript-nextjs",
    name: "Next.js",
    family: "JavaScript",
    steps: (dsn) => [
      install("@sentry/nextjs"),
      step(
        "Write instrumentation-client.ts for the browser",
        `import * as Sentry from "@sentry/nextjs";

Sentry.init({
  dsn: "${dsn}",
});

export const onRouterTransitionStart = Sentry.captureRouterTransitionStart;`,
      ),
      step(
        "Write instrumentation.ts for the server",
        `import * as Sentry from "@sentry/nextjs";

export function register() {
  Sentry.init({
    dsn: "${dsn}",
  });
}

export const onRequestError = Sentry.captureRequestError;`,
      ),
      step(
        "Add a page that fails, app/broken/page.tsx, and open /broken",
        `export const dynamic = "force-dynamic";

export default function Page() {
  throw new Error("A first error from Next.js");
}`,
      ),
    ],
  },
  {
    id: "javascript-vue",
    name: "Vue",
    family: "JavaScript",
    steps: (dsn) => [
      install("@sentry/vue"),
      step(
        "Initialise it with the application",
        `import * as Sentry from "@sentry/vue";
import { createApp } from "vue";
import App from "./App.vue";

const app = createApp(App);

Sentry.init({
  app,
  dsn: "${dsn}",
});

app.mount("#app");`,
      ),
      step(
        "Put in a button that fails, and press it",
        `<button @click="() => { throw new Error('A first error from Vue'); }">Break</button>`,
      ),
    ],
  },
  {
    id: "javascript-svelte",
    name: "Svelte",
    family: "JavaScript",
    steps: (dsn) => [
      install("@sentry/svelte"),
      step("Initialise it in main.js, before the application is mounted", init("@sentry/svelte", dsn)),
      step(
        "Put in a button that fails, and press it",
        `<button onclick={() => { throw new Error("A first error from Svelte"); }}>Break</button>`,
      ),
    ],
  },
  {
    id: "node",
    name: "Node.js",
    family: "JavaScript",
    steps: (dsn) => [
      install("@sentry/node"),
      step("Write instrument.mjs", init("@sentry/node", dsn)),
      { title: "Load it before everything else", code: "node --import ./instrument.mjs app.mjs" },
      step("Throw an error in app.mjs to see it arrive", `throw new Error("A first error from Node.js");`),
    ],
  },
  {
    id: "node-express",
    name: "Express",
    family: "JavaScript",
    steps: (dsn) => [
      install("@sentry/node"),
      step("Write instrument.mjs", init("@sentry/node", dsn)),
      step(
        "Add a route that fails, and the error handler after all routes",
        `import * as Sentry from "@sentry/node";
import express from "express";

const app = express();

app.get("/broken", () => {
  throw new Error("A first error from Express");
});

Sentry.setupExpressErrorHandler(app);

app.listen(3000);`,
      ),
      { title: "Load it before everything else, then open /broken", code: "node --import ./instrument.mjs app.mjs" },
    ],
  },
];
