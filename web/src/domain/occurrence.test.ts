import { describe, expect, it } from "vitest";
import { evidenceNumber, evidenceRows, evidenceTime, readOccurrence } from "./occurrence";

const occurrence = readOccurrence({
  type: 100_000,
  evidenceData: { usedBytes: 12, path: "/var", constructor: 1 },
  evidenceDisplay: [
    { name: "Host", value: "db-2", important: false },
    { name: "Volume", value: "/var", important: true },
    { name: null, value: "no name" },
  ],
});

describe("evidence", () => {
  it("shows what is important first, then what the type names, then the rest", () => {
    const fields = [
      { key: "used_bytes", label: "Used", format: "bytes" },
      { key: "Host", label: "Machine", format: "code" },
      { key: "absent", label: null, format: "text" },
      { key: "path", label: null, format: "code" },
    ];
    const rows = occurrence && evidenceRows(occurrence, fields);
    expect(rows?.map(({ name, value, format }) => [name, value, format])).toEqual([
      ["Volume", "/var", "text"],
      ["Used", 12, "bytes"],
      ["path", "/var", "code"],
      ["Machine", "db-2", "code"],
    ]);
  });

  it("reads any shape", () => {
    expect(readOccurrence(null)).toBeNull();
    expect(readOccurrence([])).toBeNull();
    const odd = readOccurrence({ type: "1", evidenceData: [1], evidenceDisplay: "x" });
    expect(odd && evidenceRows(odd, [{ key: "toString", label: null, format: "text" }])).toEqual([]);
  });

  it("reads numbers and times as they come", () => {
    expect(evidenceNumber("340.5")).toBe(340.5);
    expect(evidenceNumber("soon")).toBeNull();
    expect(evidenceNumber("")).toBeNull();
    expect(evidenceTime(0)).toBe("1970-01-01T00:00:00.000Z");
    expect(evidenceTime("2026-01-31T12:00:00+01:00")).toBe("2026-01-31T11:00:00.000Z");
    expect(evidenceTime({})).toBeNull();
    expect(evidenceTime(1e300)).toBeNull();
  });
});
