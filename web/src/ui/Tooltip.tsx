import { useEffect, useRef, useState } from "react";
import styles from "./Tooltip.module.css";

interface Tip {
  text: string;
  shortcut: string | undefined;
  x: number;
  y: number;
  below: boolean;
}

const DELAY_MS = 350;

/**
 * One tooltip for the whole page: any element with `data-tip` (and `data-key` for its shortcut) has one, on hover and on
 * keyboard focus. It repeats or adds to what is written; nothing is told by it alone.
 */
export function TooltipLayer() {
  const [tip, setTip] = useState<Tip | null>(null);
  const timer = useRef(0);

  useEffect(() => {
    const show = (target: EventTarget | null, delay: number) => {
      window.clearTimeout(timer.current);
      const anchor = target instanceof Element ? target.closest<HTMLElement>("[data-tip]") : null;
      if (!anchor) return setTip(null);
      timer.current = window.setTimeout(() => {
        const box = anchor.getBoundingClientRect();
        const below = box.top < 60;
        setTip({
          text: anchor.dataset.tip ?? "",
          shortcut: anchor.dataset.key,
          x: Math.min(Math.max(box.left + box.width / 2, 90), window.innerWidth - 90),
          y: below ? box.bottom + 6 : box.top - 6,
          below,
        });
      }, delay);
    };
    const over = (event: PointerEvent) => event.pointerType === "mouse" && show(event.target, DELAY_MS);
    const focus = (event: FocusEvent) => {
      if (event.target instanceof Element && event.target.matches(":focus-visible")) show(event.target, DELAY_MS);
    };
    const hide = () => show(null, 0);
    document.addEventListener("pointerover", over);
    document.addEventListener("focusin", focus);
    document.addEventListener("focusout", hide);
    document.addEventListener("pointerdown", hide);
    document.addEventListener("keydown", hide);
    document.addEventListener("scroll", hide, true);
    return () => {
      window.clearTimeout(timer.current);
      document.removeEventListener("pointerover", over);
      document.removeEventListener("focusin", focus);
      document.removeEventListener("focusout", hide);
      document.removeEventListener("pointerdown", hide);
      document.removeEventListener("keydown", hide);
      document.removeEventListener("scroll", hide, true);
    };
  }, []);

  if (!tip) return null;
  return (
    <div
      aria-hidden="true"
      className={styles.tip}
      style={{ left: tip.x, top: tip.y, transform: `translate(-50%, ${tip.below ? "0" : "-100%"})` }}
    >
      {tip.text}
      {tip.shortcut && <kbd>{tip.shortcut}</kbd>}
    </div>
  );
}
