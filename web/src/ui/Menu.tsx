import { type KeyboardEvent, type ReactNode, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";
import buttons from "./Button.module.css";
import { Icon, type IconName } from "./Icon";
import styles from "./Menu.module.css";

export interface MenuItem {
  label: string;
  onSelect: () => void;
  icon?: IconName;
  /** Set on every item of a choice of one: shows which holds. */
  checked?: boolean;
  /** What leads the label, such as an avatar. */
  lead?: ReactNode;
  shortcut?: string;
}

interface Props {
  /** The button's accessible name; without `face` also what stands on it. */
  label: string;
  items: MenuItem[];
  face?: ReactNode;
  icon?: IconName;
  look?: "plain" | "ghost";
  align?: "start" | "end";
  shortcut?: string;
  className?: string;
  /** Told when the menu opens, to load what it lists. */
  onOpen?: () => void;
}

/** A button that opens a list of actions, or of choices when the items carry `checked`. */
export function Menu({
  label,
  items,
  face,
  icon,
  look = "plain",
  align = "start",
  shortcut,
  className,
  onOpen,
}: Props) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = (how: "done" | "left") => {
    setOpen(false);
    // Who pressed somewhere else wants to be there.
    if (how === "done") button.current?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        aria-controls={open ? id : undefined}
        aria-expanded={open}
        aria-haspopup="menu"
        aria-keyshortcuts={shortcut}
        aria-label={label}
        className={[buttons.button, buttons[look], className].filter(Boolean).join(" ")}
        data-key={shortcut}
        data-menu={label}
        data-tip={face === undefined && !shortcut ? undefined : label}
        onClick={() => {
          if (!open) onOpen?.();
          setOpen(!open);
        }}
      >
        {icon && <Icon name={icon} size={14} />}
        {face ?? label}
        {look === "plain" && <Icon className={styles.caret} name="chevronDown" size={12} />}
      </button>
      {open && button.current && (
        <MenuList align={align} anchor={button.current} close={close} id={id} items={items} label={label} />
      )}
    </>
  );
}

interface ListProps extends Pick<Props, "label" | "items"> {
  id: string;
  align: "start" | "end";
  anchor: HTMLElement;
  close: (how: "done" | "left") => void;
}

function MenuList({ id, label, items, align, anchor, close }: ListProps) {
  const list = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState({ left: 0, top: 0 });

  useLayoutEffect(() => {
    const box = anchor.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = list.current as HTMLDivElement;
    const left = align === "end" ? box.right - width : box.left;
    const fitsBelow = box.bottom + 4 + height <= window.innerHeight - 8;
    setPlace({
      left: Math.max(8, Math.min(left, window.innerWidth - width - 8)),
      top: fitsBelow ? box.bottom + 4 : Math.max(8, box.top - 4 - height),
    });
    const rows = [...(list.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
    (rows.find((row) => row.ariaChecked === "true") ?? rows[0])?.focus();
  }, [anchor, align]);

  useEffect(() => {
    const outside = (event: PointerEvent) => {
      const target = event.target as Node;
      if (!list.current?.contains(target) && !anchor.contains(target)) close("left");
    };
    const resized = () => close("left");
    document.addEventListener("pointerdown", outside);
    window.addEventListener("resize", resized);
    return () => {
      document.removeEventListener("pointerdown", outside);
      window.removeEventListener("resize", resized);
    };
  }, [anchor, close]);

  const onKeyDown = (event: KeyboardEvent) => {
    const rows = [...(list.current?.querySelectorAll<HTMLElement>("[role^=menuitem]") ?? [])];
    const at = rows.indexOf(document.activeElement as HTMLElement);
    const moves: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 };
    const next = moves[event.key];
    event.stopPropagation();
    if (next !== undefined) {
      event.preventDefault();
      rows[(next + rows.length) % rows.length]?.focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      close("done");
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) {
      const key = event.key.toLowerCase();
      const starts = (row: HTMLElement) => row.textContent?.trim().toLowerCase().startsWith(key);
      (rows.slice(at + 1).find(starts) ?? rows.find(starts))?.focus();
    }
  };

  return createPortal(
    <div ref={list} aria-label={label} className={styles.list} id={id} onKeyDown={onKeyDown} role="menu" style={place}>
      {items.map((item, index) => (
        <button
          type="button"
          className={styles.item}
          key={index}
          onClick={() => {
            close("done");
            item.onSelect();
          }}
          {...(item.checked === undefined
            ? { role: "menuitem" }
            : { role: "menuitemradio", "aria-checked": item.checked })}
          tabIndex={-1}
        >
          {item.icon && <Icon name={item.icon} size={14} />}
          {item.lead}
          <span className={styles.label}>{item.label}</span>
          {item.shortcut && <kbd>{item.shortcut}</kbd>}
          {item.checked && <Icon name="check" size={14} />}
        </button>
      ))}
    </div>,
    document.body,
  );
}
