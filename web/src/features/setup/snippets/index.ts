import { javascript } from "./javascript";
import { others } from "./others";
import type { Platform } from "./platform";
import { python } from "./python";

export const PLATFORMS: Platform[] = [...python, ...javascript, ...others];

export const FAMILIES: string[] = [...new Set(PLATFORMS.map(({ family }) => family))];

/** The guide for a project's platform; a framework without a guide of its own gets its language's. */
export function platformFor(id: string | null | undefined): Platform {
  const found =
    PLATFORMS.find((platform) => platform.id === id) ?? PLATFORMS.find(({ id: own }) => id?.startsWith(`${own}-`));
  return found ?? (PLATFORMS[0] as Platform);
}
