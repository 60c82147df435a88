/** Who is logged in. */
import { queryOptions } from "@tanstack/react-query";
import { createContext, useContext } from "react";
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
  // Another tab may have logged in anew meanwhile: this one's token would be refused.
  refetchOnWindowFocus: "always",
});

/** The person, from the shell on down: pages behind the login never see that there is none. */
const PersonContext = createContext<OpenedSession["person"] | undefined>(undefined);
export const PersonProvider = PersonContext.Provider;

/** The person, in pages behind the login. */
export function usePerson(): OpenedSession["person"] {
  const person = useContext(PersonContext);
  if (!person) throw new Error("only pages behind the login ask who the person is");
  return person;
}
