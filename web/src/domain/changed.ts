/** The members of settings that differ from what they were: what has to be sent, so that what somebody else changed in
 * the meantime stays. */
export function changed<T extends object>(before: Partial<T>, after: T): Partial<T> {
  const isOther = (name: keyof T) => JSON.stringify(before[name]) !== JSON.stringify(after[name]);
  return Object.fromEntries(Object.entries(after).filter(([name]) => isOther(name as keyof T))) as Partial<T>;
}
