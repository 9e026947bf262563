import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { signIn } from "@/api/account";
import { Button } from "@/ui/Button";
import { Field } from "@/ui/Field";
import styles from "./AuthFrame.module.css";

/** Asks for email and password; what is refused is said above them. */
export function SignInForm({ onSignedIn }: { onSignedIn: (email: string) => void }) {
  const login = useMutation({
    mutationFn: ({ email, password }: { email: string; password: string }) => signIn(email, password),
    onSuccess: (_, { email }) => onSignedIn(email),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    login.mutate({ email: String(form.get("email")), password: String(form.get("password")) });
  };
  return (
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
  );
}
