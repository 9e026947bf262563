// Releases of the shop and their sessions: one that fares well, one that does not, one that sends no sessions, and one
// whose name is long and hostile.
import { NOW, projects } from "./fixtures.mjs";

const HOUR = 3_600_000;
const ago = (hours) => new Date(NOW - hours * HOUR).toISOString();
const LONG = `storefront@nightly <b>${"very-".repeat(30)}long</b>`;
const hours = (weight) =>
  Array.from({ length: 24 }, (_, n) => [
    Math.floor(NOW / HOUR) * 3_600 - (23 - n) * 3_600,
    Math.round(weight * (1 + Math.sin(n / 4))),
  ]);

function health(weight, crashFree, adoption) {
  const sessions = weight * 300;
  return {
    durationP50: 64_000,
    durationP90: 913_000,
    crashFreeUsers: crashFree,
    crashFreeSessions: crashFree,
    totalUsers: weight * 40,
    totalUsers24h: weight * 9,
    totalProjectUsers24h: 500,
    totalSessions: sessions,
    totalSessions24h: weight * 24,
    totalProjectSessions24h: 1_200,
    adoption,
    sessionsAdoption: adoption,
    sessionsCrashed: Math.round(sessions * (1 - crashFree / 100)),
    sessionsErrored: weight,
    hasHealthData: true,
    stats: { "24h": hours(weight) },
  };
}

const release = (version, shortVersion, project, age, newGroups, healthData) => ({
  id: age + 1,
  version,
  shortVersion,
  dateCreated: ago(age),
  lastEvent: ago(1),
  newGroups,
  projects: [
    {
      id: Number(project.id),
      slug: project.slug,
      name: project.name,
      newGroups,
      hasHealthData: healthData !== null,
      healthData,
    },
  ],
});

const RELEASES = [
  release("storefront@2.4.1+118", "2.4.1 (118)", projects[1], 5, 3, health(40, 99.9821, 78)),
  release("storefront@2.4.0+117", "2.4.0 (117)", projects[1], 120, 1, health(10, 96.2, 21.5)),
  release("shop-api@1.9.0", "1.9.0", projects[0], 200, 0, null),
  release(LONG, LONG, projects[1], 400, 0, health(1, 100, 0.4)),
];

export function releaseList(scenario, url) {
  const query = (url.searchParams.get("query") ?? "").toLowerCase();
  const project = url.searchParams.get("project");
  const isMeant = ({ version, projects: [own] }) =>
    version.toLowerCase().includes(query) && (project === null || own.slug === project);
  return scenario === "full" ? RELEASES.filter(isMeant) : [];
}

export const releaseDetail = (version) => RELEASES.find((each) => each.version === version);

/** Sessions by how they ended, a week by the hour. */
export function sessionStats() {
  const intervals = Array.from({ length: 24 * 7 }, (_, n) => ago(24 * 7 - 1 - n));
  const group = (status, weight) => {
    const counts = intervals.map((_, n) => Math.round(weight * (1 + Math.sin(n / 4))));
    return { by: { "session.status": status }, totals: {}, series: { "sum(session)": counts } };
  };
  const groups = [group("healthy", 40), group("errored", 3), group("crashed", 1), group("abnormal", 0)];
  return { start: intervals[0], end: ago(0), intervals, groups, query: "" };
}
