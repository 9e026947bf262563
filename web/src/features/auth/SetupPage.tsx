import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import type { FormEvent } from "react";
import { currentUser, setUp } from "@/api/account";
import { ApiError } from "@/api/client";
import { organizations, projects } from "@/api/projects";
import { Button } from "@/ui/Button";
import { Field } from "@/ui/Field";
import { useTitle } from "@/ui/useTitle";
import { AuthFrame } from "./AuthFrame";
import styles from "./AuthFrame.module.css";

const route = getRouteApi("/auth/setup/$token");

/** The same as the server's; it has the last word. */
const PASSWORD_MIN = 8;

/** The first account of a fresh server, through the link that the server printed. */
export function SetupPage() {
  const { token } = route.useParams();
  const client = useQueryClient();
  const navigate = useNavigate();
  useTitle("Create the first account");

  const create = useMutation({
    mutationFn: setUp,
    onSuccess: async () => {
      await client.resetQueries({ queryKey: currentUser.queryKey });
      const [org] = await client.fetchQuery(organizations);
      const [project] = org ? await client.fetchQuery(projects(org.slug)) : [];
      if (!org || !project) return navigate({ to: "/" });
      await navigate({
        to: "/organizations/$org/projects/$project/getting-started/",
        params: { org: org.slug, project: project.slug },
        search: {},
      });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? "");
    create.mutate({ token, name: text("name"), email: text("email"), password: text("password") });
  };
  const fields = create.error instanceof ApiError ? create.error.fields : {};
  const general = create.isError && Object.keys(fields).length === 0 ? create.error.message : null;
  return (
    <AuthFrame lead="It has full rights on this server. The link works once." title="Create the first account">
      <form className={styles.form} onSubmit={submit}>
        {general && (
          <p className={styles.failure} role="alert">
            {general}
          </p>
        )}
        <Field autoComplete="name" autoFocus error={fields.name} label="Name" name="name" required />
        <Field autoComplete="username" error={fields.email} label="Email" name="email" required type="email" />
        <Field
          autoComplete="new-password"
          error={fields.password}
          hint={`At least ${PASSWORD_MIN} characters`}
          label="Password"
          minLength={PASSWORD_MIN}
          name="password"
          required
          type="password"
        />
        <Button busy={create.isPending} look="primary" type="submit">
          Create account
        </Button>
      </form>
    </AuthFrame>
  );
}
