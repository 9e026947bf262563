import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import type { User } from "@/api/models";
import { SignInForm } from "@/features/auth/SignInForm";
import { Dialog } from "@/ui/Dialog";

/** Asks to sign in again over the page as it is, so that nothing typed into it is lost when the session ends. */
export function SessionEnded({ user }: { user: User | null | undefined }) {
  const client = useQueryClient();
  const before = useRef<User>(undefined);
  const [isPutOff, setPutOff] = useState(false);
  useEffect(() => {
    if (!user) return;
    before.current = user;
    setPutOff(false);
  }, [user]);
  if (user !== null || isPutOff) return null;
  const resume = (email: string) => {
    // The page belongs to whom it was loaded for; anybody else begins anew.
    if (before.current?.email.toLowerCase() === email.trim().toLowerCase()) void client.invalidateQueries();
    else window.location.assign("/");
  };
  return (
    <Dialog onClose={() => setPutOff(true)} title="Sign in again">
      <p>Your session has ended. What is on this page stays as it is; what you were saving has to be saved again.</p>
      <SignInForm onSignedIn={resume} />
    </Dialog>
  );
}
