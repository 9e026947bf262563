import { expect, it } from "vitest";
import { kindOf, previewOf } from "./attachment";

it("shows pictures and texts, and nothing that could hold a script", () => {
  expect(previewOf("image/png", 1)).toBe("picture");
  expect(previewOf("IMAGE/JPEG; q=1", 10_000_000)).toBe("picture");
  expect(previewOf("text/plain;charset=utf-8", 200_000)).toBe("text");
  expect(previewOf("application/json", 1)).toBe("text");
  for (const type of ["image/svg+xml", "text/html", "application/pdf", "text/html; image/png", ""]) {
    expect(previewOf(type, 1), type).toBeNull();
  }
});

it("shows nothing that is empty or large", () => {
  expect(previewOf("image/png", 0)).toBeNull();
  expect(previewOf("image/png", 10_000_001)).toBeNull();
  expect(previewOf("text/plain", 200_001)).toBeNull();
});

it("names what has a meaning, and the media type of the rest", () => {
  expect(kindOf("event.minidump", "application/octet-stream")).toBe("Minidump");
  expect(kindOf("event.attachment", "text/csv")).toBe("text/csv");
  expect(kindOf("constructor", "text/csv")).toBe("text/csv");
});
