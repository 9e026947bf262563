import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { issueTypes } from "@/api/issueTypes";
import type { IssueType } from "@/api/models";
import { kindOf, withKind } from "@/domain/issueQuery";
import { words } from "@/domain/words";
import { Menu } from "@/ui/Menu";

interface Props {
  org: string;
  query: string;
  onChange: (query: string) => void;
}

/** Narrows the list to a category or type of issues; the choice is a token of the search. */
export function KindMenu({ org, query, onChange }: Props) {
  const current = kindOf(query);
  const [wanted, setWanted] = useState(false);
  const types = useQuery({ ...issueTypes(org), enabled: wanted || current !== null }).data ?? [];
  const kinds = kindsOf(types);
  return (
    <Menu
      face={current === null ? "All types" : (kinds.find(({ token }) => token === current)?.name ?? current)}
      icon="filter"
      items={[
        { label: "All types", checked: current === null, onSelect: () => onChange(withKind(query, null)) },
        ...kinds.map(({ token, name }) => ({
          label: name,
          checked: token === current,
          onSelect: () => onChange(withKind(query, token)),
        })),
      ]}
      label="Type"
      onOpen={() => setWanted(true)}
    />
  );
}

/** Categories first, as they hold more; then the types that this organization can have issues of. */
function kindsOf(types: IssueType[]): { token: string; name: string }[] {
  const categories = [...new Set(types.map(({ category }) => category))].toSorted();
  const named = types.filter(({ isReleased }) => isReleased).toSorted((a, b) => a.name.localeCompare(b.name));
  return [
    ...categories.map((category) => ({ token: `issue.category:${category}`, name: `Category: ${words(category)}` })),
    ...named.map(({ slug, name }) => ({ token: `issue.type:${slug}`, name })),
  ];
}
