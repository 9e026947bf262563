/** The nuthatch: it climbs down a trunk head first, which no other bird does. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg aria-hidden="true" height={size} style={{ flex: "none" }} viewBox="5 1 24 30" width={size * 0.8}>
      <path d="M6.5 2.4v27.2" stroke="var(--line-strong)" strokeLinecap="round" strokeWidth="2.6" />
      <path
        d="M17.2 3.2 22 2.4 21.4 8.6c4 2.8 5.3 8 3.4 12.2-1.5 3.4-5 5.6-8.8 5.4-3.8-.2-6.6-2.9-6.8-6.6C9 14.8 12.6 8.4 17.2 3.2Z"
        fill="var(--slate)"
      />
      <path
        d="M9.2 19.6C9 16.2 10.8 12 13.6 8c-.6 4.6.2 8.6 3.2 11.4-1.2 3-2 5-2.1 6.65C11.6 25.5 9.4 23 9.2 19.6Z"
        fill="var(--buff)"
      />
      <path d="M24.6 21.2c-2.3-1.2-6-.8-9.4 2.2l-2 2.6-3.4 3.6 6.6-1.8c3.8-.8 6.8-3 8.2-6.6Z" fill="var(--stripe)" />
      <circle cx="18.6" cy="22.7" fill="#fff" r="1" />
    </svg>
  );
}
