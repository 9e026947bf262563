import { useEffect, useRef } from "react";

/** Leads to the first field that a refusal marks, clear of the messages at the window's edge. The reference is the
 * form's. */
export function useFaultFocus(refusal: unknown) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (!refusal) return;
    const field = form.current?.querySelector<HTMLElement>("[aria-invalid]");
    field?.focus({ preventScroll: true });
    field?.scrollIntoView({ block: "center" });
  }, [refusal]);
  return form;
}
