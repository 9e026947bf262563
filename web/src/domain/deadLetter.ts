/** What a letter holds, by the topic that it was read from. */
const KINDS = new Map([
  ["ingest-events", "Event"],
  ["ingest-events-backlog", "Event"],
  ["ingest-transactions", "Transaction"],
  ["snuba-items", "Span, log line or metric"],
  ["ingest-attachments", "Attachment, profile or replay"],
  ["ingest-sessions", "Session"],
  ["ingest-monitors", "Check-in"],
  ["ingest-occurrences", "Occurrence"],
]);

/** What was refused, from a record's position, as `ingest-events/0/4003`; nothing where the topic says nothing. */
export function letterKind(source: string): string | null {
  return KINDS.get(source.split("/")[0] ?? "") ?? null;
}
