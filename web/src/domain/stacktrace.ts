import type { Frame } from "./event";

export type FrameOrder = "newest" | "oldest";
export type FrameFilter = "app" | "all";

/** A visible frame, or a run of library frames folded in place. Indexes point into the frames as sent. */
export type Segment = { kind: "frame"; index: number } | { kind: "run"; indexes: number[] };

/** Frames shown when no frame is the application's own. */
const TOP_WITHOUT_APP = 3;

export function segments(frames: Frame[], filter: FrameFilter, order: FrameOrder): Segment[] {
  const newestFirst = frames.map((_, index) => frames.length - 1 - index);
  const hasApp = frames.some((frame) => frame.inApp);
  const visible = (index: number, rank: number) =>
    filter === "all" || (hasApp ? frames[index]?.inApp === true : rank < TOP_WITHOUT_APP);

  const result: Segment[] = [];
  newestFirst.forEach((index, rank) => {
    const last = result.at(-1);
    if (visible(index, rank)) result.push({ kind: "frame", index });
    else if (last?.kind === "run") last.indexes.push(index);
    else result.push({ kind: "run", indexes: [index] });
  });
  if (order === "newest") return result;
  return result
    .reverse()
    .map((segment) => (segment.kind === "run" ? { ...segment, indexes: segment.indexes.reverse() } : segment));
}

/** The frame to open first: the newest of the application that has something to show, else the newest that has. */
export function frameToOpen(frames: Frame[]): number | null {
  const open = (app: boolean) => frames.findLastIndex((frame) => hasDetails(frame) && (frame.inApp || !app));
  const own = open(true);
  const index = own === -1 ? open(false) : own;
  return index === -1 ? null : index;
}

export function hasDetails(frame: Frame): boolean {
  return frame.context.length > 0 || (frame.vars !== null && Object.keys(frame.vars).length > 0);
}

/** What names the place: the file as the client shortened it, else the module, the full path or the package. */
export function framePlace(frame: Frame): string {
  return frame.filename ?? frame.module ?? frame.absPath ?? frame.package ?? "<unknown>";
}

export function frameLocation(frame: Frame): string {
  const line = frame.line === null ? "" : `:${frame.line}`;
  const column = frame.line === null || frame.column === null ? "" : `:${frame.column}`;
  return framePlace(frame) + line + column;
}

/** Context without the indentation that all its lines share; tabs count as they are. */
export function dedent(context: [number, string][]): [number, string][] {
  const indents = context.filter(([, text]) => text.trim() !== "").map(([, text]) => text.search(/\S/));
  const shared = indents.length === 0 ? 0 : Math.min(...indents);
  return context.map(([line, text]) => [line, text.slice(shared)]);
}
