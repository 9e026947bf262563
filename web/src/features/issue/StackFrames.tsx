import { useState } from "react";
import type { Frame } from "@/domain/event";
import { count } from "@/domain/number";
import { type FrameFilter, type FrameOrder, frameToOpen, segments } from "@/domain/stacktrace";
import { Icon } from "@/ui/Icon";
import { FrameItem } from "./FrameItem";
import styles from "./StackFrames.module.css";

interface Props {
  frames: Frame[];
  platform: string | null;
  filter: FrameFilter;
  order: FrameOrder;
  /** Whether the most telling frame starts open. */
  opened: boolean;
  /** Prefix of the frames' anchors in the address. */
  anchor: string;
}

/** Frames in one list; runs of library frames unfold in their place, so that nobody loses theirs. */
export function StackFrames({ frames, platform, filter, order, opened, anchor }: Props) {
  const [unfolded, setUnfolded] = useState<ReadonlySet<number>>(new Set());
  const first = opened ? frameToOpen(frames) : null;
  const item = (index: number) => {
    const frame = frames[index];
    if (!frame) return null;
    return (
      <FrameItem
        frame={frame}
        id={`${anchor}-${index}`}
        key={index}
        opened={index === first}
        platform={frame.platform ?? platform}
      />
    );
  };
  return (
    <ol className={styles.frames}>
      {segments(frames, filter, order).map((segment) => {
        if (segment.kind === "frame") return item(segment.index);
        const [key = 0] = segment.indexes;
        if (unfolded.has(key)) return segment.indexes.map(item);
        return (
          <li key={`run-${key}`}>
            <button type="button" className={styles.run} onClick={() => setUnfolded(new Set([...unfolded, key]))}>
              <Icon name="plus" size={12} /> {count(segment.indexes.length, "library frame")}
            </button>
          </li>
        );
      })}
    </ol>
  );
}
