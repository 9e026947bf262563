import { type ReactNode, useEffect, useRef, useState } from "react";

/** A box of bounded height. While it has more than it shows it can be reached, and scrolled, by keys. */
export function ScrollBox({ label, className, children }: { label: string; className?: string; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setScrolls(element.scrollHeight > element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const reach = scrolls ? { "aria-label": label, role: "region", tabIndex: 0 } : {};
  return (
    <div className={className} ref={box} {...reach}>
      {children}
    </div>
  );
}
