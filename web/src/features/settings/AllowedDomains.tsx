import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ApiError } from "@/api/client";
import type { ProjectDetail } from "@/api/models";
import { updateOptions } from "@/api/privacy";
import { project as projectQuery } from "@/api/projects";
import { listFaults } from "@/domain/faults";
import { readLines } from "@/domain/lines";
import { Button } from "@/ui/Button";
import { notify } from "@/ui/toast";
import styles from "./SettingsPage.module.css";
import { TextArea } from "./TextArea";
import { useFaultFocus } from "./useFaultFocus";

/** Which web pages may send to the project. */
export function AllowedDomains({ org, project }: { org: string; project: ProjectDetail }) {
  const client = useQueryClient();
  const [text, setText] = useState(project.allowedDomains.join("\n"));
  const save = useMutation({
    mutationFn: (sent: string) => updateOptions(org, project.slug, { allowedDomains: readLines(sent) }),
    onSuccess: async ({ allowedDomains }) => {
      notify("Allowed domains saved");
      setText(allowedDomains.join("\n"));
      await client.invalidateQueries({ queryKey: projectQuery(org, project.slug).queryKey });
    },
  });
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  const isAsSent = save.variables === text;
  const form = useFaultFocus(save.error);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate(text);
  };
  return (
    <section aria-labelledby="domains" className={styles.part}>
      <div className={styles.partHead}>
        <h2 id="domains">Allowed domains</h2>
      </div>
      <form className={styles.form} onSubmit={submit} ref={form}>
        <TextArea
          error={isAsSent ? listFaults(fields, "allowedDomains", text) : undefined}
          label="Web pages that may send here, one a line"
          note="Such as example.com, *.example.com or https://example.com:8443; * stands for all. Without any, no web page may. Servers and apps always may."
          onChange={setText}
          value={text}
        />
        {save.isError && isAsSent && (
          <p className={styles.failure} role="alert">
            {Object.keys(fields).length > 0
              ? "Not saved: correct the field that is marked."
              : `Not saved: ${save.error.message}`}
          </p>
        )}
        <div className={styles.buttons}>
          <Button busy={save.isPending} type="submit">
            Save domains
          </Button>
        </div>
      </form>
    </section>
  );
}
