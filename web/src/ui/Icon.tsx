/** Line icons on a 16 px grid, drawn for this project. Decorative: the control they sit in has the name. */
const PATHS = {
  alert: "M8 2 1.8 13.2h12.4L8 2ZM8 6.3v3.2M8 11.6v.1",
  archive: "M2 3h12v3H2zM3 6v7.2h10V6M6.3 8.8h3.4",
  arrowLeft: "M13 8H3m0 0 4-4M3 8l4 4",
  chart: "M2 13.5h12M4.5 11V8M8 11V3M11.5 11V6",
  check: "m3 8.6 3.2 3.2L13 4.6",
  chevronDown: "m4 6 4 4 4-4",
  chevronLeft: "m10 4-4 4 4 4",
  chevronRight: "m6 4 4 4-4 4",
  close: "m4 4 8 8M12 4l-8 8",
  code: "m5.5 4.5-4 3.5 4 3.5m5-7 4 3.5-4 3.5",
  contrast: "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8ZM8 1.8v12.4M10.2 3.3v9.4M12.4 5v6",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  cursor: "m3.5 2.5 9 4.2-3.9 1.5-1.6 4z",
  database:
    "M2.8 4c0-1.1 2.3-2 5.2-2s5.2.9 5.2 2-2.3 2-5.2 2-5.2-.9-5.2-2ZM2.8 4v8c0 1.1 2.3 2 5.2 2s5.2-.9 5.2-2V4M2.8 8c0 1.1 2.3 2 5.2 2s5.2-.9 5.2-2",
  external: "M6 3H3v10h10v-3M9 2.5h4.5V7M13.2 2.8 7.5 8.5",
  filter: "M2 3.5h12M4.5 8h7M6.7 12.5h2.6",
  folder: "M1.8 3.5h4.4l1.4 1.6h6.6v7.9H1.8z",
  globe:
    "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8ZM1.8 8h12.4M8 1.8c3.4 3.6 3.4 8.8 0 12.4-3.4-3.6-3.4-8.8 0-12.4Z",
  inbox: "M1.8 9.2 3.8 3h8.4l2 6.2v4H1.8zM1.8 9.2h3.7c.3 1.4 1.2 2 2.5 2s2.2-.6 2.5-2h3.7",
  info: "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8ZM8 7.2v3.9M8 4.8v.1",
  key: "M9.7 9.3a3.5 3.5 0 1 0-3-3L2 11v3h3v-2h2v-2h2zM11 4.9v.1",
  keyboard: "M1.5 4h13v8h-13zM4 6.6v.1M6.7 6.6v.1M9.3 6.6v.1M12 6.6v.1M4.8 9.4h6.4",
  letter: "M1.8 3.5h12.4v9H1.8zM2.2 4 8 8.8 13.8 4",
  list: "M5.5 4H14M5.5 8H14M5.5 12H14M2.3 4v.1M2.3 8v.1M2.3 12v.1",
  menu: "M2 4h12M2 8h12M2 12h12",
  moon: "M13.5 9.6A5.8 5.8 0 0 1 6.4 2.5a5.8 5.8 0 1 0 7.1 7.1Z",
  more: "M3.3 8v.1M8 8v.1M12.7 8v.1",
  plus: "M8 3v10M3 8h10",
  route: "M3.5 12.5h7a2.5 2.5 0 0 0 0-5h-5a2.5 2.5 0 0 1 0-5h7M11 1l1.6 1.5L11 4",
  search: "M7 2.2a4.8 4.8 0 1 1 0 9.6 4.8 4.8 0 0 1 0-9.6ZM10.5 10.5 14 14",
  settings:
    "M8 5.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4ZM8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2M3.4 3.4l1.4 1.4M11.2 11.2l1.4 1.4M12.6 3.4l-1.4 1.4M4.8 11.2l-1.4 1.4",
  signOut: "M9.5 2.5h-7v11h7M6.5 8h8m0 0-3-3m3 3-3 3",
  shield: "M8 1.8 13 3.6v4c0 3.1-2 5.3-5 6.6-3-1.3-5-3.5-5-6.6v-4z",
  sort: "M4.5 3v10m0 0L2 10.5M4.5 13 7 10.5M11.5 13V3m0 0L9 5.5M11.5 3 14 5.5",
  sun: "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6ZM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8 13 13M13 3l-1.2 1.2M4.2 11.8 3 13",
  tag: "M2 2.5h5.3l6.4 6.4-4.9 4.9L2.4 7.4zM5 5.5v.1",
  terminal: "M1.8 2.8h12.4v10.4H1.8zM4.5 6l2 2-2 2M8.2 10.2h3",
  undo: "M5.5 3 2.5 6l3 3M2.8 6h6.4a3.6 3.6 0 0 1 0 7.2H5.5",
  user: "M8 2.2a2.9 2.9 0 1 1 0 5.8 2.9 2.9 0 0 1 0-5.8ZM2.5 14c.4-3 2.6-4.2 5.5-4.2s5.1 1.2 5.5 4.2",
} as const;

export type IconName = keyof typeof PATHS;

/** Icons made of single dots need a heavier stroke to be seen. */
const DOTTED = new Set<IconName>(["more"]);

export function Icon({ name, size = 16, className }: { name: IconName; size?: number; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      className={className}
      fill="none"
      height={size}
      stroke="currentColor"
      strokeLinecap="round"
      strokeLinejoin="round"
      strokeWidth={DOTTED.has(name) ? 2.2 : 1.4}
      style={{ flex: "none" }}
      viewBox="0 0 16 16"
      width={size}
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
