import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import type { FormEvent } from "react";
import { signIn } from "@/api/account";
import { localPath } from "@/domain/links";
import { Button } from "@/ui/Button";
import { Field } from "@/ui/Field";
import { useTitle } from "@/ui/useTitle";
import { AuthFrame } from "./AuthFrame";
import styles from "./AuthFrame.module.css";

const route = getRouteApi("/auth/login");

export function LoginPage() {
  const { next } = route.useSearch();
  const client = useQueryClient();
  const router = useRouter();
  useTitle("Sign in");

  const login = useMutation({
    mutationFn: ({ email, password }: { email: string; password: string }) => signIn(email, password),
    onSuccess: () => {
      // What was read before was for somebody else, or for nobody.
      client.clear();
      router.history.push(localPath(next));
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    login.mutate({ email: String(form.get("email")), password: String(form.get("password")) });
  };
  return (
    <AuthFrame title="Sign in to Nuthatch">
      <form className={styles.form} onSubmit={submit}>
        {login.isError && (
          <p className={styles.failure} role="alert">
            {login.error.message}
          </p>
        )}
        <Field autoComplete="username" autoFocus label="Email" name="email" required type="email" />
        <Field autoComplete="current-password" label="Password" name="password" required type="password" />
        <Button busy={login.isPending} look="primary" type="submit">
          Sign in
        </Button>
      </form>
    </AuthFrame>
  );
}
