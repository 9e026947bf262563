import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { projectKeys, project as projectQuery } from "@/api/projects";
import { CodeBlock } from "@/ui/CodeBlock";
import { CopyButton } from "@/ui/CopyButton";
import { Segmented } from "@/ui/Segmented";
import { Skeleton } from "@/ui/Skeleton";
import { Failure } from "@/ui/State";
import { useTitle } from "@/ui/useTitle";
import styles from "./GettingStartedPage.module.css";
import { FAMILIES, PLATFORMS, platformFor } from "./snippets";
import { WaitForEvent } from "./WaitForEvent";

const route = getRouteApi("/signed-in/organizations/$org/projects/$project/getting-started");

/** From an empty project to its first event: what to install, what to write, and whether it arrived. */
export function GettingStartedPage() {
  const { org, project: slug } = route.useParams();
  const { platform: chosen } = route.useSearch();
  const navigate = route.useNavigate();
  const found = useQuery(projectQuery(org, slug));
  const keys = useQuery(projectKeys(org, slug));
  const project = found.data;
  const dsn = keys.data?.find(({ isActive }) => isActive)?.dsn.public;
  useTitle("Set up", project?.name);

  const failed = found.error ?? keys.error;
  if (failed) {
    const retry = () => {
      void found.refetch();
      void keys.refetch();
    };
    return <Failure error={failed} isPage retry={retry} what="The project" />;
  }
  const platform = platformFor(chosen ?? project?.platform);
  const choose = (id: string) => navigate({ search: { platform: id }, replace: true, resetScroll: false });
  const relatives = PLATFORMS.filter(({ family }) => family === platform.family);

  return (
    <div className={styles.page}>
      <header className={styles.header}>
        <h1>Set up {project?.name ?? <Skeleton height={18} width={120} />}</h1>
        <p>
          Any Sentry client works, unchanged: it only needs this address, the <abbr title="data source name">DSN</abbr>.
        </p>
      </header>
      <div className={styles.dsn}>
        <span className={styles.dsnLabel}>DSN</span>
        {dsn ? (
          <code>{dsn}</code>
        ) : keys.isPending ? (
          <Skeleton width="70%" />
        ) : (
          <span>This project has no active key.</span>
        )}
        {dsn && <CopyButton label="Copy DSN" text={dsn} withWords />}
      </div>
      <div className={styles.columns}>
        <div className={styles.guide}>
          <nav aria-label="Platform" className={styles.families}>
            {FAMILIES.map((family) => (
              <button
                type="button"
                aria-current={family === platform.family ? "true" : undefined}
                className={styles.family}
                key={family}
                onClick={() => choose(PLATFORMS.find((each) => each.family === family)?.id ?? platform.id)}
              >
                {family}
              </button>
            ))}
          </nav>
          {relatives.length > 1 && (
            <div className={styles.frameworks}>
              <Segmented
                label="Framework"
                onChange={choose}
                options={relatives.map(({ id, name }) => ({ value: id, name }))}
                value={platform.id}
              />
            </div>
          )}
          <ol className={styles.steps}>
            {platform.steps(dsn ?? "…").map(({ title, code, language }) => (
              <li className={styles.step} key={title}>
                <h2>{title}</h2>
                <CodeBlock label={`code: ${title}`} platform={language} text={code} />
              </li>
            ))}
          </ol>
        </div>
        <aside className={styles.side}>
          {project && <WaitForEvent dsn={dsn} org={org} project={project} />}
          <p className={styles.later}>
            <Link params={{ org }} search={{ project: project?.id }} to="/organizations/$org/issues/">
              Go to the issues
            </Link>
            <Link params={{ org, project: slug }} to="/settings/$org/projects/$project/">
              Project settings
            </Link>
          </p>
        </aside>
      </div>
    </div>
  );
}
