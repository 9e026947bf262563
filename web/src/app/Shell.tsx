import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useParams, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { currentUser, signOut } from "@/api/account";
import { organizations } from "@/api/projects";
import { Avatar } from "@/ui/Avatar";
import { IconButton } from "@/ui/Button";
import { Icon, type IconName } from "@/ui/Icon";
import { Mark } from "@/ui/Mark";
import { Menu } from "@/ui/Menu";
import { useShortcuts } from "@/ui/shortcuts";
import { flipTheme, setTheme, type Theme, useTheme } from "@/ui/theme";
import { notifyFailure } from "@/ui/toast";
import { SessionEnded } from "./SessionEnded";
import styles from "./Shell.module.css";
import { ShortcutSheet } from "./ShortcutSheet";

const THEMES: { value: Theme; name: string; icon: IconName }[] = [
  { value: "system", name: "As the system", icon: "contrast" },
  { value: "light", name: "Light", icon: "sun" },
  { value: "dark", name: "Dark", icon: "moon" },
];

/** The frame of every page behind the sign-in: navigation, account, and the page itself. */
export function Shell() {
  const [sheet, setSheet] = useState(false);
  const [menu, setMenu] = useState(false);
  const bar = useRef<HTMLElement>(null);
  const navigate = useNavigate();
  const user = useQuery(currentUser).data;
  const orgs = useQuery(organizations).data ?? [];
  const { org: named } = useParams({ strict: false });
  const path = useRouterState({ select: (state) => state.location.pathname });
  const org = named ?? orgs[0]?.slug;
  const orgName = orgs.find(({ slug }) => slug === org)?.name ?? org;

  useShortcuts("Everywhere", [
    { key: "?", label: "Show keyboard shortcuts", run: () => setSheet(true) },
    { key: "t", label: "Switch between light and dark", run: flipTheme },
    {
      key: "g i",
      label: "Go to issues",
      run: () => org && navigate({ to: "/organizations/$org/issues/", params: { org } }),
    },
    {
      key: "g p",
      label: "Go to projects",
      run: () => org && navigate({ to: "/organizations/$org/projects/", params: { org } }),
    },
    {
      key: "g r",
      label: "Go to releases",
      run: () => org && navigate({ to: "/organizations/$org/releases/", params: { org }, search: {} }),
    },
    {
      key: "g t",
      label: "Go to stats",
      run: () => org && navigate({ to: "/organizations/$org/stats/", params: { org }, search: {} }),
    },
    {
      key: "g d",
      label: "Go to dead letters",
      run: () => org && navigate({ to: "/settings/$org/dead-letters/", params: { org }, search: {} }),
    },
    { key: "g s", label: "Go to settings", run: () => navigate({ to: "/settings/account/api/auth-tokens/" }) },
  ]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: going to another page folds the phone's menu.
  useEffect(() => setMenu(false), [path]);

  // The phone's menu covers the page: Escape folds it, and so does the focus when it goes to what is covered.
  useEffect(() => {
    if (!menu) return;
    const isIn = (target: EventTarget | null, place: string) =>
      target instanceof Element && target.closest(place) !== null;
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || isIn(event.target, "[role=menu], dialog")) return;
      event.stopPropagation();
      setMenu(false);
      bar.current?.querySelector("button")?.focus();
    };
    const onFocus = (event: FocusEvent) => isIn(event.target, "#main") && setMenu(false);
    // Before the shortcuts of the page that is covered.
    document.addEventListener("keydown", onKey, true);
    document.addEventListener("focusin", onFocus);
    return () => {
      document.removeEventListener("keydown", onKey, true);
      document.removeEventListener("focusin", onFocus);
    };
  }, [menu]);

  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#main">
        Skip to the content
      </a>
      <header className={styles.bar} ref={bar}>
        <Link aria-label="Nuthatch, issues" className={styles.brand} to="/">
          <Mark size={22} />
          <span>Nuthatch</span>
        </Link>
        <IconButton
          aria-controls="navigation"
          aria-expanded={menu}
          className={styles.menuButton}
          icon={menu ? "close" : "menu"}
          label={menu ? "Close menu" : "Open menu"}
          onClick={() => setMenu(!menu)}
        />
      </header>
      <nav aria-label="Main" className={menu ? `${styles.nav} ${styles.open}` : styles.nav} id="navigation">
        <Link aria-label="Nuthatch, issues" className={`${styles.brand} ${styles.navBrand}`} to="/">
          <Mark size={24} />
          <span>Nuthatch</span>
        </Link>
        {orgs.length > 1 && org ? (
          <Menu
            className={styles.org}
            face={<span className={styles.orgName}>{orgName}</span>}
            items={orgs.map((other) => ({
              label: other.name,
              checked: other.slug === org,
              onSelect: () => navigate({ to: "/organizations/$org/issues/", params: { org: other.slug } }),
            }))}
            label="Organization"
          />
        ) : (
          <p className={styles.orgPlain}>{orgName}</p>
        )}
        {org && (
          <ul className={styles.links}>
            <li>
              <Link className={styles.link} params={{ org }} to="/organizations/$org/issues/">
                <Icon name="inbox" /> Issues
              </Link>
            </li>
            <li>
              <Link className={styles.link} params={{ org }} to="/organizations/$org/projects/">
                <Icon name="folder" /> Projects
              </Link>
            </li>
            <li>
              <Link className={styles.link} params={{ org }} search={{}} to="/organizations/$org/releases/">
                <Icon name="tag" /> Releases
              </Link>
            </li>
            <li>
              <Link className={styles.link} params={{ org }} search={{}} to="/organizations/$org/stats/">
                <Icon name="chart" /> Stats
              </Link>
            </li>
            <li>
              <Link className={styles.link} params={{ org }} search={{}} to="/settings/$org/dead-letters/">
                <Icon name="letter" /> Dead letters
              </Link>
            </li>
            <li>
              <Link className={styles.link} params={{ org }} to="/settings/$org/issue-types/">
                <Icon name="settings" /> Issue types
              </Link>
            </li>
            <li>
              <Link className={styles.link} params={{ org }} to="/settings/$org/quotas/">
                <Icon name="filter" /> Quotas
              </Link>
            </li>
            <li>
              <Link className={styles.link} params={{ org }} to="/settings/$org/security-and-privacy/">
                <Icon name="shield" /> Security & privacy
              </Link>
            </li>
            <li>
              <Link className={styles.link} params={{ org }} to="/settings/$org/teams/">
                <Icon name="user" /> Teams
              </Link>
            </li>
            <li>
              <Link className={styles.link} to="/settings/account/api/auth-tokens/">
                <Icon name="key" /> Access tokens
              </Link>
            </li>
          </ul>
        )}
        <div className={styles.foot}>
          <ThemeMenu />
          <IconButton icon="keyboard" label="Keyboard shortcuts" onClick={() => setSheet(true)} shortcut="?" />
          {user && <AccountMenu email={user.email} name={user.name || user.email} />}
        </div>
      </nav>
      <main className={styles.main} id="main" tabIndex={-1}>
        <Outlet />
      </main>
      <SessionEnded user={user} />
      {sheet && <ShortcutSheet onClose={() => setSheet(false)} />}
    </div>
  );
}

function ThemeMenu() {
  const theme = useTheme();
  return (
    <Menu
      face={<Icon name={theme === "light" ? "sun" : theme === "dark" ? "moon" : "contrast"} />}
      items={THEMES.map(({ value, name, icon }) => ({
        label: name,
        icon,
        checked: theme === value,
        onSelect: () => setTheme(value),
      }))}
      label="Theme"
      look="ghost"
      shortcut="t"
    />
  );
}

function AccountMenu({ name, email }: { name: string; email: string }) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const leave = async () => {
    try {
      await signOut();
      client.clear();
      await navigate({ to: "/auth/login/" });
    } catch {
      notifyFailure("You could not be signed out: the server did not answer. Try again.");
    }
  };
  return (
    <Menu
      align="end"
      className={styles.account}
      face={<Avatar name={name} size={24} />}
      items={[{ label: `Sign out ${email}`, icon: "signOut", onSelect: leave }]}
      label="Account"
      look="ghost"
    />
  );
}
