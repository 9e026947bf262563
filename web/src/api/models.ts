import type { components } from "./schema";

type Schemas = components["schemas"];

/** Counts per interval are pairs on the wire; the client's types widen a pair to a list. */
type WithSeries<T> = Omit<T, "stats"> & { stats: Record<string, number[][]> | null };

export type User = Schemas["User"];
export type Project = Schemas["Project"];
export type ProjectDetail = Schemas["ProjectDetail"];
export type ProjectRequest = Schemas["ProjectRequest"];
export type OrganizationDetail = Schemas["OrganizationDetail"];
/** The settings of scrubbing, as a project and an organization have them. */
export type ScrubbingSettings = Required<
  Pick<
    ProjectDetail,
    "dataScrubber" | "dataScrubberDefaults" | "scrubIPAddresses" | "sensitiveFields" | "safeFields" | "relayPiiConfig"
  >
>;
export type ScrubbingPreview = Schemas["ScrubbingPreview"];
export type ScrubbingPreviewRequest = Schemas["ScrubbingPreviewRequest"];
export type ApiToken = Schemas["Token"];
export type CreatedToken = Schemas["CreatedToken"];
export type Issue = WithSeries<Schemas["Issue"]>;
export type IssueDetail = WithSeries<Schemas["IssueDetail"]>;
export type IssueRequest = Schemas["IssueRequest"];
export type Attachment = Schemas["Attachment"];
export type DeadLetter = Schemas["DeadLetter"];
export type DeadLetterDetail = Schemas["DeadLetterDetail"];
export type InboundFilter = Schemas["InboundFilter"];
export type InboundFilterRequest = Schemas["InboundFilterRequest"];
export type Key = Omit<Schemas["Key"], "browserSdk">;
export type KeyRequest = Schemas["KeyRequest"];
export type Quota = Schemas["Quota"];
export type QuotaRequest = Schemas["QuotaRequest"];
export type IssueType = Schemas["IssueType"];
export type IssueTypeRequest = Schemas["IssueTypeRequest"];
export type Team = Schemas["Team"];
export type Tag = Schemas["Tag"];
export type ReleaseProject = Omit<Schemas["ReleaseProject"], "healthData"> & {
  healthData: (Omit<Schemas["ReleaseHealth"], "stats"> & { stats: Record<string, number[][]> }) | null;
};
export type Release = Omit<Schemas["Release"], "projects"> & { projects: ReleaseProject[] };
