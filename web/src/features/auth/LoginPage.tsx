import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { localPath } from "@/domain/links";
import { useTitle } from "@/ui/useTitle";
import { AuthFrame } from "./AuthFrame";
import { SignInForm } from "./SignInForm";

const route = getRouteApi("/auth/login");

export function LoginPage() {
  const { next } = route.useSearch();
  const client = useQueryClient();
  const router = useRouter();
  useTitle("Sign in");
  const enter = () => {
    // What was read before was for somebody else, or for nobody.
    client.clear();
    router.history.push(localPath(next));
  };
  return (
    <AuthFrame title="Sign in to Nuthatch">
      <SignInForm onSignedIn={enter} />
    </AuthFrame>
  );
}
