/** Browsers that the filter of old ones knows: the server's name, ours, and whether it is meant by "all". */
export const LEGACY_BROWSERS = [
  { id: "ie", name: "Internet Explorer", isUsual: true },
  { id: "edge", name: "Edge up to 110", isUsual: true },
  { id: "safari", name: "Safari up to 15", isUsual: true },
  { id: "firefox", name: "Firefox up to 110", isUsual: true },
  { id: "chrome", name: "Chrome up to 110", isUsual: true },
  { id: "opera", name: "Opera up to 99", isUsual: true },
  { id: "opera_mini", name: "Opera Mini up to 34", isUsual: true },
  { id: "android", name: "Android browser up to 3", isUsual: true },
  { id: "ie_pre_9", name: "Internet Explorer up to 8", isUsual: false },
  { id: "ie9", name: "Internet Explorer 9", isUsual: false },
  { id: "ie10", name: "Internet Explorer 10", isUsual: false },
  { id: "ie11", name: "Internet Explorer 11", isUsual: false },
  { id: "safari_pre_6", name: "Safari up to 5", isUsual: false },
  { id: "opera_pre_15", name: "Opera up to 14", isUsual: false },
  { id: "opera_mini_pre_8", name: "Opera Mini up to 7", isUsual: false },
  { id: "android_pre_4", name: "Android browser before 4", isUsual: false },
  { id: "edge_pre_79", name: "Edge up to 78", isUsual: false },
] as const;

/** The ids of the browsers that a state of the filter means; of one that is unknown as the server sent it. */
export function chosenBrowsers(active: boolean | string[]): string[] {
  if (Array.isArray(active)) return active;
  return active ? LEGACY_BROWSERS.filter(({ isUsual }) => isUsual).map(({ id }) => id) : [];
}
