/** Media types that the page shows as pictures: none of them can hold a script. */
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** Media types that the page shows as text. */
const TEXTS = ["text/plain", "application/json"];

/** The largest picture and text that are shown, in bytes; larger ones can be saved. */
const PICTURE_BYTES_MAX = 10_000_000;
const TEXT_BYTES_MAX = 200_000;

const KINDS: Record<string, string> = {
  "event.minidump": "Minidump",
  "event.applecrashreport": "Apple crash report",
  "event.view_hierarchy": "View hierarchy",
  "event.payload": "Event of a crashed process",
  "event.breadcrumbs": "Breadcrumbs of a crashed process",
  "unreal.context": "Context of the Unreal engine",
  "unreal.logs": "Log of the Unreal engine",
  "playstation.prosperodump": "PlayStation dump",
  unreal_report: "Crash report of the Unreal engine",
};

/** How an attachment can be shown on the page; `null` when it can only be saved. */
export function previewOf(mimetype: string, size: number): "picture" | "text" | null {
  const type = mimetype.split(";")[0]?.trim().toLowerCase() ?? "";
  if (PICTURES.includes(type) && size > 0 && size <= PICTURE_BYTES_MAX) return "picture";
  if (TEXTS.includes(type) && size > 0 && size <= TEXT_BYTES_MAX) return "text";
  return null;
}

/** What an attachment is, in words; its media type when it is a plain file. */
export function kindOf(type: string, mimetype: string): string {
  return Object.hasOwn(KINDS, type) ? (KINDS[type] ?? mimetype) : mimetype;
}
