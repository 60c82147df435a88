/** Who is logged in. */
import { queryOptions, useSuspenseQuery } from "@tanstack/react-query";
import { api, got } from "@/api/client";
import { Problem } from "@/api/problem";
import type { components } from "@/api/schema";
import { keepCsrfToken } from "@/api/session";

export type OpenedSession = components["schemas"]["OpenedSession"];

/** The session, or null where nobody is logged in. */
export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }): Promise<OpenedSession | null> => {
    try {
      const session = await got(api.GET("/v1/sessions/current", { signal }));
      keepCsrfToken(session.csrf_token);
      return session;
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

/** The person, in pages behind the login. */
export function usePerson(): OpenedSession["person"] {
  const { data } = useSuspenseQuery(sessionQuery);
  if (!data) throw new Problem({ status: 401, detail: "Log in first." });
  return data.person;
}
