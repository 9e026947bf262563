import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { currentUser } from "@/api/account";
import { issueEvent } from "@/api/events";
import { issueDetail } from "@/api/issues";
import { organizations, projects } from "@/api/projects";
import { parseSearch, stringifySearch } from "@/domain/searchParams";
import { IssuesPage } from "@/features/issues/IssuesPage";
import { readSearch } from "@/features/issues/search";
import { BrokenPage, CrashPage, NotFoundPage } from "./FailurePages";
import { Pending } from "./Pending";
import { queryClient } from "./queryClient";
import { Shell } from "./Shell";

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFoundPage, errorComponent: BrokenPage });

const text = (value: unknown) => (typeof value === "string" ? value : undefined);

const login = createRoute({
  getParentRoute: () => root,
  path: "/auth/login",
  validateSearch: (search): { next?: string } => ({ next: text(search.next) }),
  component: lazyRouteComponent(() => import("@/features/auth/LoginPage"), "LoginPage"),
});

const setup = createRoute({
  getParentRoute: () => root,
  path: "/auth/setup/$token",
  component: lazyRouteComponent(() => import("@/features/auth/SetupPage"), "SetupPage"),
});

/** Everything that needs a person: without one, to the sign-in page and back afterwards. */
const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  component: Shell,
  beforeLoad: async ({ location }) => {
    const user = await queryClient.ensureQueryData(currentUser);
    if (user === null) throw redirect({ to: "/auth/login/", search: { next: location.href }, replace: true });
  },
});

const index = createRoute({
  getParentRoute: () => signedIn,
  path: "/",
  beforeLoad: async () => {
    const [first] = await queryClient.ensureQueryData(organizations);
    if (first) throw redirect({ to: "/organizations/$org/issues/", params: { org: first.slug }, replace: true });
  },
  component: NotFoundPage,
});

const organization = createRoute({
  getParentRoute: () => signedIn,
  path: "/organizations/$org",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/organizations/$org/issues/", params, replace: true });
  },
});

const issues = createRoute({
  getParentRoute: () => signedIn,
  path: "/organizations/$org/issues",
  validateSearch: readSearch,
  loader: ({ params }) => void queryClient.prefetchQuery(projects(params.org)),
  component: IssuesPage,
});

const IssuePage = lazyRouteComponent(() => import("@/features/issue/IssuePage"), "IssuePage");

/** Asked for when the pointer rests on a row: the page is there before the click. */
function prefetchIssue({ org, issue, event = "recommended" }: { org: string; issue: string; event?: string }) {
  void queryClient.prefetchQuery(issueDetail(org, issue));
  void queryClient.prefetchQuery(issueEvent(org, issue, event));
}

const issue = createRoute({
  getParentRoute: () => signedIn,
  path: "/organizations/$org/issues/$issue",
  loader: ({ params }) => prefetchIssue(params),
  component: IssuePage,
});

const issueEventPage = createRoute({
  getParentRoute: () => signedIn,
  path: "/organizations/$org/issues/$issue/events/$event",
  loader: ({ params }) => prefetchIssue(params),
  component: IssuePage,
});

const issueEventsPage = createRoute({
  getParentRoute: () => signedIn,
  path: "/organizations/$org/issues/$issue/events",
  validateSearch: (search): { cursor?: string } => ({ cursor: text(search.cursor) }),
  component: lazyRouteComponent(() => import("@/features/issue/EventsPage"), "EventsPage"),
});

const projectsPage = createRoute({
  getParentRoute: () => signedIn,
  path: "/organizations/$org/projects",
  component: lazyRouteComponent(() => import("@/features/settings/ProjectsPage"), "ProjectsPage"),
});

const stats = createRoute({
  getParentRoute: () => signedIn,
  path: "/organizations/$org/stats",
  validateSearch: (search): { project?: string; category?: string; statsPeriod?: string } => ({
    project: text(search.project),
    category: text(search.category),
    statsPeriod: text(search.statsPeriod),
  }),
  component: lazyRouteComponent(() => import("@/features/settings/StatsPage"), "StatsPage"),
});

const releases = createRoute({
  getParentRoute: () => signedIn,
  path: "/organizations/$org/releases",
  validateSearch: (
    search,
  ): Partial<Record<"query" | "project" | "environment" | "statsPeriod" | "sort" | "cursor", string>> => ({
    query: text(search.query),
    project: text(search.project),
    environment: text(search.environment),
    statsPeriod: text(search.statsPeriod),
    sort: text(search.sort),
    cursor: text(search.cursor),
  }),
  component: lazyRouteComponent(() => import("@/features/releases/ReleasesPage"), "ReleasesPage"),
});

const release = createRoute({
  getParentRoute: () => signedIn,
  path: "/organizations/$org/releases/$version",
  validateSearch: (search): Partial<Record<"project" | "environment" | "statsPeriod", string>> => ({
    project: text(search.project),
    environment: text(search.environment),
    statsPeriod: text(search.statsPeriod),
  }),
  component: lazyRouteComponent(() => import("@/features/releases/ReleasePage"), "ReleasePage"),
});

const gettingStarted = createRoute({
  getParentRoute: () => signedIn,
  path: "/organizations/$org/projects/$project/getting-started",
  validateSearch: (search): { platform?: string } => ({ platform: text(search.platform) }),
  component: lazyRouteComponent(() => import("@/features/setup/GettingStartedPage"), "GettingStartedPage"),
});

const projectSettings = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/$org/projects/$project",
  component: lazyRouteComponent(() => import("@/features/settings/ProjectPage"), "ProjectPage"),
});

const projectPrivacy = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/$org/projects/$project/security-and-privacy",
  component: lazyRouteComponent(() => import("@/features/settings/PrivacyPage"), "PrivacyPage"),
});

const organizationPrivacy = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/$org/security-and-privacy",
  component: lazyRouteComponent(() => import("@/features/settings/PrivacyPage"), "OrganizationPrivacyPage"),
});

const projectFilters = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/$org/projects/$project/filters",
  component: lazyRouteComponent(() => import("@/features/settings/FiltersPage"), "FiltersPage"),
});

const projectQuotas = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/$org/projects/$project/quotas",
  component: lazyRouteComponent(() => import("@/features/settings/QuotasPage"), "ProjectQuotasPage"),
});

const organizationQuotas = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/$org/quotas",
  component: lazyRouteComponent(() => import("@/features/settings/QuotasPage"), "OrganizationQuotasPage"),
});

const deadLetters = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/$org/dead-letters",
  validateSearch: (search): { project?: string; reason?: string; cursor?: string } => ({
    project: text(search.project),
    reason: text(search.reason),
    cursor: text(search.cursor),
  }),
  component: lazyRouteComponent(() => import("@/features/settings/DeadLettersPage"), "DeadLettersPage"),
});

const deadLetter = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/$org/projects/$project/dead-letters/$letter",
  component: lazyRouteComponent(() => import("@/features/settings/DeadLetterPage"), "DeadLetterPage"),
});

const issueTypesPage = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/$org/issue-types",
  component: lazyRouteComponent(() => import("@/features/settings/IssueTypesPage"), "IssueTypesPage"),
});

const issueTypePage = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/$org/issue-types/$type",
  component: lazyRouteComponent(() => import("@/features/settings/IssueTypePage"), "IssueTypePage"),
});

const teamsPage = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/$org/teams",
  component: lazyRouteComponent(() => import("@/features/settings/TeamsPage"), "TeamsPage"),
});

const teamPage = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/$org/teams/$team",
  component: lazyRouteComponent(() => import("@/features/settings/TeamPage"), "TeamPage"),
});

/** Every other address: the frame stays, so that there is a way on. */
const unknown = createRoute({ getParentRoute: () => signedIn, path: "$", component: NotFoundPage });

const accountTokens = createRoute({
  getParentRoute: () => signedIn,
  path: "/settings/account/api/auth-tokens",
  component: lazyRouteComponent(() => import("@/features/settings/TokensPage"), "TokensPage"),
});

export const router = createRouter({
  routeTree: root.addChildren([
    login,
    setup,
    signedIn.addChildren([
      index,
      organization,
      issues,
      issue,
      issueEventPage,
      issueEventsPage,
      projectsPage,
      stats,
      releases,
      release,
      gettingStarted,
      projectSettings,
      projectPrivacy,
      organizationPrivacy,
      projectFilters,
      projectQuotas,
      organizationQuotas,
      deadLetters,
      deadLetter,
      issueTypesPage,
      issueTypePage,
      teamsPage,
      teamPage,
      accountTokens,
      unknown,
    ]),
  ]),
  trailingSlash: "always",
  parseSearch,
  stringifySearch,
  defaultErrorComponent: CrashPage,
  defaultPendingComponent: Pending,
  defaultPendingMs: 400,
  defaultPreload: "intent",
  defaultPreloadDelay: 60,
  // Freshness is the query cache's business.
  defaultPreloadStaleTime: 0,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
