import { useEffect } from "react";

/** The window's title: the thing first, the product last. Nothing while the thing is not known. */
export function useTitle(...parts: (string | null | undefined)[]) {
  const title = [...parts, "Nuthatch"].filter(Boolean).join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}
