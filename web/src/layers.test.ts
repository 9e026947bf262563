import { expect, it } from "vitest";

const sources = import.meta.glob<string>("./**/*.{ts,tsx}", { query: "?raw", import: "default", eager: true });

/** What each layer may import from, besides itself. Every feature is alone: features never import each other. */
const ALLOWED: Record<string, string[]> = {
  domain: [],
  api: ["domain"],
  ui: ["domain"],
  features: ["ui", "domain", "api"],
  app: ["features", "ui", "domain", "api"],
};

/** `domain`, `ui`, … or `features/<name>`. */
function layerOf(path: string): string {
  const [first = "", second = ""] = path.split("/");
  return first === "features" ? `features/${second}` : first;
}

it("lets modules import only downwards", () => {
  const forbidden = Object.entries(sources).flatMap(([path, source]) => {
    const layer = layerOf(path.slice(2));
    const allowed = ALLOWED[layer.split("/")[0] ?? ""];
    const imports = [...source.matchAll(/(?:from|import)\s*\(?\s*"@\/([^"]+)"/g)].map(([, target = ""]) => target);
    return imports
      .filter((target) => layerOf(target) !== layer && !allowed?.includes(target.split("/")[0] ?? ""))
      .map((target) => `${path} imports ${target}`);
  });
  expect(Object.keys(sources).length).toBeGreaterThan(60);
  expect(forbidden).toEqual([]);
});

it("leaves a layer only through its alias, so that the rule above sees it", () => {
  const hidden = Object.entries(sources).filter(
    ([path, source]) => !/layers\.test/.test(path) && /from "\.\.\/\.\.?\/?(?!.*module\.css")/.test(source),
  );
  expect(hidden.map(([path]) => path)).toEqual([]);
});
