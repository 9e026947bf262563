import { absoluteTime, relativeTime } from "@/domain/time";
import { useNow } from "./useNow";

/** How long ago; the exact moment in the tooltip and for machines. */
export function Time({ value, className }: { value: string; className?: string }) {
  const now = useNow();
  return (
    <time className={className} data-tip={absoluteTime(value)} dateTime={value}>
      {relativeTime(value, now)}
    </time>
  );
}
