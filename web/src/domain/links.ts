/** The address if a browser may be sent there: only http and https. Event data may hold `javascript:` and worse. */
export function safeHref(value: string): string | null {
  if (!/^https?:\/\//i.test(value)) return null;
  try {
    return new URL(value).href;
  } catch {
    return null;
  }
}

/** A path of this very site to go to after sign-in; anything else would let a link send people elsewhere. */
export function localPath(value: string | undefined): string {
  if (value === undefined || !value.startsWith("/") || /^\/[/\\]/.test(value) || /[\r\n\t]/.test(value)) return "/";
  return value;
}
