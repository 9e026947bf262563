import { IDS } from "./events.mjs";
import { at } from "./frame.mjs";

/** A picture of one grey pixel. */
const PICTURE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==",
  "base64",
);

function attachment(id, name, mimetype, content, type = "event.attachment") {
  return {
    id,
    event_id: IDS[2],
    type,
    name,
    mimetype,
    size: content.length,
    sha1: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    headers: { "Content-Type": mimetype },
    dateCreated: at(11_000),
    content,
  };
}

/** The files of the newest event of every issue. */
export const attachments = [
  attachment("4", "screenshot.png", "image/png", PICTURE),
  attachment("3", "settings.json", "application/json", Buffer.from('{"theme":"<script>window.broken=1</script>"}')),
  attachment("2", "page.html", "text/html", Buffer.from("<script>window.broken=1</script>")),
  attachment("1", "crash.dmp", "application/octet-stream", Buffer.alloc(74_213), "event.minidump"),
];
