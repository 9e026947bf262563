/** A name made for programs, as people write it: `db_query` is `Db query`. */
export function words(slug: string): string {
  const text = slug.replaceAll(/[_-]+/g, " ").trim();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
