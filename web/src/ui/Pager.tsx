import { Button } from "./Button";
import styles from "./Pager.module.css";

interface Props {
  /** Cursors of the neighbouring pages; `null` where there is none. */
  previous: string | null;
  next: string | null;
  onGo: (cursor: string) => void;
  /** What lies in each direction. */
  words?: [previous: string, next: string];
}

/** The way to the neighbouring pages of a list; nothing when it is the only one. */
export function Pager({ previous, next, onGo, words = ["Newer", "Older"] }: Props) {
  if (previous === null && next === null) return null;
  return (
    <nav aria-label="Pages" className={styles.pages}>
      <Button disabled={previous === null} icon="chevronLeft" onClick={() => previous !== null && onGo(previous)}>
        {words[0]}
      </Button>
      <Button disabled={next === null} icon="chevronRight" onClick={() => next !== null && onGo(next)}>
        {words[1]}
      </Button>
    </nav>
  );
}
