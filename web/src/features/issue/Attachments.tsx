import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { attachmentPath, attachmentText, eventAttachments } from "@/api/attachments";
import type { Attachment } from "@/api/models";
import { kindOf, previewOf } from "@/domain/attachment";
import { byteSize } from "@/domain/number";
import { Button, buttonClass } from "@/ui/Button";
import { CodeBlock } from "@/ui/CodeBlock";
import { Skeleton } from "@/ui/Skeleton";
import { Failure } from "@/ui/State";
import styles from "./Attachments.module.css";
import { Section } from "./Section";

interface Place {
  org: string;
  project: string;
  event: string;
}

/** The files that came with the event. */
export function Attachments(place: Place) {
  const { org, project, event } = place;
  const { data: files, error, refetch } = useQuery(eventAttachments(org, project, event));
  return (
    <Section size={files?.length} title="Attachments">
      {files === undefined ? (
        error ? (
          <Failure error={error} retry={refetch} what="The attachments" />
        ) : (
          <div aria-label="Loading the attachments" role="status">
            <Skeleton height={32} />
          </div>
        )
      ) : files.length === 0 ? (
        <p className={styles.none}>No files came with this event.</p>
      ) : (
        <ul className={styles.list}>
          {files.map((file) => (
            <File file={file} key={file.id} place={place} />
          ))}
        </ul>
      )}
    </Section>
  );
}

function File({ file, place }: { file: Attachment; place: Place }) {
  const [open, setOpen] = useState(false);
  const preview = previewOf(file.mimetype, file.size);
  const path = attachmentPath(place.org, place.project, place.event, file.id);
  return (
    <li className={styles.file}>
      <div className={styles.line}>
        <span className={styles.name}>{file.name}</span>
        <span className={styles.kind}>{kindOf(file.type, file.mimetype)}</span>
        <span className={styles.size}>{byteSize(file.size)}</span>
        {preview !== null && (
          <Button
            aria-expanded={open}
            aria-label={`Preview of ${file.name}`}
            look="ghost"
            onClick={() => setOpen(!open)}
          >
            {open ? "Hide" : "Show"}
          </Button>
        )}
        <a aria-label={`Download ${file.name}`} className={buttonClass("plain")} download={file.name} href={path}>
          Download
        </a>
      </div>
      {open && preview === "picture" && <img alt={file.name} className={styles.picture} src={path} />}
      {open && preview === "text" && <Text file={file} place={place} />}
    </li>
  );
}

function Text({ file, place }: { file: Attachment; place: Place }) {
  const { data, error, refetch } = useQuery(attachmentText(place.org, place.project, place.event, file.id));
  if (data !== undefined) return <CodeBlock label={file.name} text={data} wrap />;
  if (error) return <Failure error={error} retry={refetch} what="The file" />;
  return (
    <div aria-label="Loading the file" role="status">
      <Skeleton height={64} />
    </div>
  );
}
