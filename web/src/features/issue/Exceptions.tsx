import type { Event, Exception, Frame } from "@/domain/event";
import { rawStack } from "@/domain/eventText";
import { type ChainLink, linkToOpen, readingOrder } from "@/domain/exceptionChain";
import type { FrameFilter, FrameOrder } from "@/domain/stacktrace";
import { Chip } from "@/ui/Chip";
import { CodeBlock } from "@/ui/CodeBlock";
import { CopyButton } from "@/ui/CopyButton";
import { ScrollBox } from "@/ui/ScrollBox";
import { Segmented } from "@/ui/Segmented";
import { useShortcuts } from "@/ui/shortcuts";
import { usePreference } from "@/ui/usePreference";
import styles from "./Exceptions.module.css";
import { Section } from "./Section";
import { StackFrames } from "./StackFrames";

const FORMS = ["pretty", "raw"] as const;
const FILTERS = ["app", "all"] as const;
const ORDERS = ["newest", "oldest"] as const;

/** How stacks are read: kept for the reader, not for the event. */
export function useStackReading() {
  const [form, setForm] = usePreference("stack.form", FORMS);
  const [filter, setFilter] = usePreference<FrameFilter>("stack.frames", FILTERS);
  const [order, setOrder] = usePreference<FrameOrder>("stack.order", ORDERS);
  return { form, setForm, filter, setFilter, order, setOrder };
}

function StackTools({ reading, text }: { reading: ReturnType<typeof useStackReading>; text: () => string }) {
  const { form, setForm, filter, setFilter, order, setOrder } = reading;
  useShortcuts("Issue", [
    {
      key: "f",
      label: "Only the application's frames, or all",
      run: () => setFilter(filter === "app" ? "all" : "app"),
    },
  ]);
  return (
    <>
      {form === "pretty" && (
        <>
          <Segmented
            label="Frames"
            onChange={setFilter}
            options={[
              { value: "app", name: "In app" },
              { value: "all", name: "All" },
            ]}
            value={filter}
          />
          <Segmented
            label="Order of the calls"
            onChange={setOrder}
            options={[
              { value: "newest", name: "Newest first" },
              { value: "oldest", name: "Oldest first" },
            ]}
            value={order}
          />
        </>
      )}
      <Segmented
        label="Form of the stack trace"
        onChange={setForm}
        options={[
          { value: "pretty", name: "Pretty" },
          { value: "raw", name: "Raw" },
        ]}
        value={form}
      />
      <CopyButton label="Copy stack trace" text={text} />
    </>
  );
}

/** The chain of exceptions: what was raised first, its causes below. */
export function Exceptions({ event }: { event: Event }) {
  const reading = useStackReading();
  const links = readingOrder(event.exceptions);
  const opened = linkToOpen(links);
  return (
    <Section title="Stack trace" tools={<StackTools reading={reading} text={() => rawStack(event)} />}>
      {reading.form === "raw" ? (
        <CodeBlock label="stack trace" text={rawStack(event)} />
      ) : (
        <ol className={styles.chain}>
          {links.map((link) => (
            <ExceptionItem
              filter={reading.filter}
              key={link.index}
              link={link}
              opened={link.index === opened}
              order={reading.order}
              platform={event.platform}
            />
          ))}
        </ol>
      )}
    </Section>
  );
}

interface ItemProps {
  link: ChainLink;
  platform: string | null;
  filter: FrameFilter;
  order: FrameOrder;
  opened: boolean;
}

function ExceptionItem({ link: { exception, index, relation }, platform, filter, order, opened }: ItemProps) {
  return (
    <li className={styles.exception} id={`exception-${index}`}>
      {relation && <p className={styles.relation}>{relation}</p>}
      <div className={styles.head}>
        <h3>{exception.type ?? "Unknown error"}</h3>
        <MechanismChips exception={exception} />
      </div>
      {exception.value && (
        <ScrollBox className={styles.value} label={`Message of ${exception.type ?? "the exception"}`}>
          {exception.value}
        </ScrollBox>
      )}
      {exception.frames ? (
        <StackFrames
          anchor={`frame-${index}`}
          filter={filter}
          frames={exception.frames}
          opened={opened}
          order={order}
          platform={platform}
        />
      ) : (
        <p className={styles.none}>No stack trace was sent with this one.</p>
      )}
    </li>
  );
}

function MechanismChips({ exception: { mechanism } }: { exception: Exception }) {
  if (!mechanism) return null;
  return (
    <>
      {mechanism.handled !== null && (
        <Chip tone={mechanism.handled ? "plain" : "error"}>{mechanism.handled ? "Handled" : "Unhandled"}</Chip>
      )}
      {mechanism.type && mechanism.type !== "generic" && mechanism.type !== "chained" && (
        <Chip tip="How the client caught it">{mechanism.type}</Chip>
      )}
    </>
  );
}

/** A stack without an exception, as messages may carry one. */
export function Stacktrace({ event }: { event: Event }) {
  const reading = useStackReading();
  const frames: Frame[] = event.stacktrace ?? [];
  return (
    <Section title="Stack trace" tools={<StackTools reading={reading} text={() => rawStack(event)} />}>
      {reading.form === "raw" ? (
        <CodeBlock label="stack trace" text={rawStack(event)} />
      ) : (
        <StackFrames
          anchor="frame"
          filter={reading.filter}
          frames={frames}
          opened
          order={reading.order}
          platform={event.platform}
        />
      )}
    </Section>
  );
}
