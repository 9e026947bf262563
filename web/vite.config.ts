import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds the API: a server started with its default address. */
const API = process.env.NUTHATCH_URL ?? "http://127.0.0.1:8484";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { proxy: { "/api": API } },
  build: {
    // The first browsers with `light-dark()`, which the colour tokens are written in.
    target: ["chrome123", "firefox120", "safari17.5"],
    // Nothing is inlined as a data URL: the page runs under a policy that allows only its own origin.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
