import type { Event, Exception, Frame } from "./event";
import { readingOrder } from "./exceptionChain";
import { framePlace } from "./stacktrace";

/** The stack as the platform itself would print it, for reading and for pasting into an editor. */
export function rawStack(event: Pick<Event, "exceptions" | "platform" | "stacktrace" | "threads">): string {
  if (event.exceptions.length > 0) {
    return event.platform === "python" ? pythonChain(event.exceptions) : callChain(event.exceptions, event.platform);
  }
  const frames = event.stacktrace ?? event.threads.find((thread) => thread.frames !== null)?.frames ?? [];
  return event.platform === "python" ? pythonFrames(frames) : callFrames(frames, event.platform);
}

/** One thread or one exception in the same words. */
export function rawFrames(frames: Frame[], platform: string | null): string {
  return platform === "python" ? pythonFrames(frames) : callFrames(frames, platform);
}

function headline(exception: Exception): string {
  return [exception.type, exception.value].filter((part) => part !== null).join(": ") || "Unknown error";
}

function pythonChain(exceptions: Exception[]): string {
  const links = readingOrder(exceptions).reverse();
  return links
    .map((link, index) => {
      const next = links[index + 1];
      const between = !next
        ? ""
        : link.relation === "raised while handling"
          ? "\n\nDuring handling of the above exception, another exception occurred:\n\n"
          : "\n\nThe above exception was the direct cause of the following exception:\n\n";
      const frames = link.exception.frames ? `${pythonFrames(link.exception.frames)}\n` : "";
      return frames + headline(link.exception) + between;
    })
    .join("");
}

function pythonFrames(frames: Frame[]): string {
  const lines = frames.map((frame) => {
    const place = `  File "${frame.absPath ?? framePlace(frame)}", line ${frame.line ?? "?"}, in ${frame.function ?? "?"}`;
    const source = frame.context.find(([line]) => line === frame.line)?.[1].trim();
    return source ? `${place}\n    ${source}` : place;
  });
  return ["Traceback (most recent call last):", ...lines].join("\n");
}

function callChain(exceptions: Exception[], platform: string | null): string {
  return readingOrder(exceptions)
    .map(({ exception, relation }) => {
      const head = (relation === null ? "" : "Caused by: ") + headline(exception);
      return exception.frames ? `${head}\n${callFrames(exception.frames, platform)}` : head;
    })
    .join("\n");
}

function callFrames(frames: Frame[], platform: string | null): string {
  return frames
    .toReversed()
    .map((frame) => {
      const at = [framePlace(frame), frame.line, frame.line === null ? null : frame.column]
        .filter((part) => part !== null)
        .join(":");
      const name =
        platform === "java" && frame.module !== null ? `${frame.module}.${frame.function ?? "?"}` : frame.function;
      return name === null ? `    at ${at}` : `    at ${name} (${at})`;
    })
    .join("\n");
}

/** The event as Markdown: what a person pastes into a ticket. */
export function eventMarkdown(event: Event, link: string): string {
  const facts: [string, string | null][] = [
    ["Event", `[\`${event.id}\`](${link})`],
    ["Time", event.dateCreated],
    ["Level", event.level],
    ["Release", event.release],
    ["Environment", event.tags.find((tag) => tag.key === "environment")?.value ?? null],
    ["Transaction", event.tags.find((tag) => tag.key === "transaction")?.value ?? event.culprit],
    ["Request", event.request?.url ? `${event.request.method ?? "GET"} ${event.request.url}` : null],
  ];
  const parts = [
    `## ${oneLine(event.title)}`,
    facts.flatMap(([name, value]) => (value === null ? [] : `- **${name}**: ${oneLine(value)}`)).join("\n"),
  ];
  const stack = rawStack(event);
  if (event.exceptions.length > 0 || event.stacktrace !== null) parts.push(fenced(stack));
  else if (event.message !== null) parts.push(fenced(event.message));
  if (event.tags.length > 0) {
    parts.push(
      `| tag | value |\n| --- | --- |\n${event.tags.map((tag) => `| ${cell(tag.key)} | ${cell(tag.value)} |`).join("\n")}`,
    );
  }
  return `${parts.join("\n\n")}\n`;
}

/** A fence longer than any run of backticks inside, so that the content can't close it. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function cell(text: string): string {
  return oneLine(text).replaceAll("\\", "\\\\").replaceAll("|", "\\|");
}
