/** What people call those whom an audit log knows by their ids. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { projectsQuery, useWorkspace } from "@/shell/workspace";
import { membersQuery, serviceAccountsQuery } from "../api";

/** Names by principal, as far as they are known: not of those who have gone, nor to who may not see them. */
export function usePrincipals(): ReadonlyMap<string, string> {
  const { organization } = useWorkspace();
  const id = organization?.id ?? "";
  const members = useQuery({ ...membersQuery(id), enabled: id !== "" });
  const projects = useQuery(projectsQuery(organization?.id));
  const accounts = useQueries({ queries: (projects.data ?? []).map(({ id }) => serviceAccountsQuery(id)) });
  const named = [
    ...(members.data ?? []).map(({ id, email }) => [`User:${id}`, email] as const),
    ...accounts.flatMap(({ data }) => (data ?? []).map(({ id, name }) => [`User:${id}`, name] as const)),
  ];
  return new Map(named);
}
