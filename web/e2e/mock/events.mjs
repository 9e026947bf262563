import { browserEvent } from "./browserEvent.mjs";
import { detectorEvent } from "./detectorEvent.mjs";
import { issues } from "./fixtures.mjs";
import { at } from "./frame.mjs";
import { pythonEvent } from "./pythonEvent.mjs";
import { reportEvent } from "./reportEvent.mjs";

/** Ids of the three events that every issue has here, oldest first. */
export const IDS = [
  "5c1f0b9e2d7a4f4bb6d0a1e83c92f701",
  "a94be07c51d34b8e9f6217c3d80e4b12",
  "e3d27f60b8c94a1fa05d9b74c6f1283e",
];

/** One event of an issue, in the shape of the API; Python for the service, JavaScript for the front end. */
export function event(issueId, name) {
  const issue = issues.find((each) => each.id === issueId);
  const index = name === "oldest" ? 0 : name === "latest" || name === "recommended" ? 2 : IDS.indexOf(name);
  if (!issue || index === -1) return null;
  const body = bodyOf(issue)(issue);
  return {
    ...body,
    id: IDS[index],
    eventID: IDS[index],
    groupID: issue.id,
    projectID: issue.project.id,
    title: issue.title,
    culprit: issue.culprit,
    type: issue.type,
    metadata: issue.metadata,
    dateCreated: at((2 - index) * 3_600_000 + 12_000),
    dateReceived: at((2 - index) * 3_600_000 + 11_600),
    size: 18_342,
    previousEventID: IDS[index - 1] ?? null,
    nextEventID: IDS[index + 1] ?? null,
    fingerprints: ["6f2b90c4a1d74e3b8c5f0e9d7a2b1c34"],
    errors: [],
  };
}

function bodyOf(issue) {
  if (issue.issueType !== "error") return detectorEvent;
  if (issue.type === "csp") return reportEvent;
  return issue.project.slug === "storefront" ? browserEvent : pythonEvent;
}

export function eventRows(issueId) {
  return IDS.toReversed().map((id) => {
    const { title, dateCreated, tags, user } = event(issueId, id);
    return { id, eventID: id, title, dateCreated, tags, user };
  });
}
