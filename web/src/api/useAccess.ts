import { useQuery } from "@tanstack/react-query";
import { organizations } from "./projects";

/** Whether whoever is signed in has a scope in an organization; `undefined` while that is not known. */
export function useAccess(org: string, scope: string): boolean | undefined {
  return useQuery(organizations)
    .data?.find(({ slug }) => slug === org)
    ?.access.includes(scope);
}
