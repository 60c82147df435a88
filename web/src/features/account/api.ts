/** Requests about the person: sessions, passwords, what mails lead to. */
import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { api, got, gotWithVersion } from "@/api/client";
import type { components } from "@/api/schema";
import { keepCsrfToken } from "@/api/session";
import { type OpenedSession, sessionQuery } from "@/shell/session";

export type SessionResource = components["schemas"]["SessionResource"];
export type LinkedLogin = components["schemas"]["LinkedLoginResource"];

/** Takes a session that was just opened: the pages behind the login know of it at once, and of nothing of somebody else's. */
export function useOpened() {
  const queries = useQueryClient();
  return (session: OpenedSession) => {
    queries.clear();
    keepCsrfToken(session.csrf_token);
    queries.setQueryData(sessionQuery.queryKey, session);
  };
}

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: () => gotWithVersion(api.GET("/v1/me")),
});

export const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: async ({ signal }) => (await got(api.GET("/v1/sessions", { signal }))).items,
});

export const linkedLoginsQuery = queryOptions({
  queryKey: ["linked-logins"],
  queryFn: async ({ signal }) =>
    (await got(api.GET("/v1/me/logins", { signal, params: { query: { page_size: 100 } } }))).items,
});

/** Whether this service keeps its mail on a page of its own, as `firn dev` does. */
export const devMailQuery = queryOptions({
  queryKey: ["dev-mail"],
  queryFn: async () => {
    const answer = await fetch("/dev/mail", { method: "HEAD", headers: { Accept: "application/json" } });
    return answer.ok && (answer.headers.get("Content-Type") ?? "").startsWith("application/json");
  },
  staleTime: Number.POSITIVE_INFINITY,
  retry: false,
});

/** Why Terraform has nothing of accounts. */
export const undeclared = "People and their logins are their own: Terraform declares none.";
