import { useEffect, useState } from "react";
import { Button, IconButton } from "./Button";

const SAID_MS = 1_600;

interface Props {
  /** What is copied, or what makes it when asked. */
  text: string | (() => string);
  /** What it is, as in "Copy DSN". */
  label: string;
  /** Whose it is, where there are several: said to readers, not shown. */
  of?: string;
  withWords?: boolean;
}

export function CopyButton({ text, label, of, withWords = false }: Props) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = window.setTimeout(() => setCopied(false), SAID_MS);
    return () => window.clearTimeout(timer);
  }, [copied]);
  const copy = async () => setCopied(await writeClipboard(typeof text === "string" ? text : text()));
  const icon = copied ? "check" : "copy";
  return (
    <>
      {withWords ? (
        <Button aria-label={of && !copied ? `${label} of ${of}` : undefined} icon={icon} onClick={copy}>
          {copied ? "Copied" : label}
        </Button>
      ) : (
        <IconButton icon={icon} label={copied ? "Copied" : of ? `${label} of ${of}` : label} onClick={copy} />
      )}
      <span aria-live="polite" className="quiet">
        {copied ? "Copied" : ""}
      </span>
    </>
  );
}

/** The clipboard proper needs https or localhost; a self-hosted server on plain http has only the old way. */
export async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.style.position = "fixed";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
