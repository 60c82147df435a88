/**
 * The one client of the REST API. Types are generated from the API's description (`npm run generate`); nothing here is a second
 * way in: what the console does, a program can do.
 */
import createClient, { type Middleware } from "openapi-fetch";
import { Problem, problemOf } from "./problem";
import type { paths } from "./schema";
import { csrfToken } from "./session";

const safe = new Set(["GET", "HEAD"]);

/** Adds what writes need: the session's CSRF token, and a key by which a POST that is repeated happens once. */
const writes: Middleware = {
  onRequest({ request }) {
    if (safe.has(request.method)) return;
    const token = csrfToken();
    if (token) request.headers.set("X-CSRF-Token", token);
    if (request.method === "POST" && !request.headers.has("Idempotency-Key")) {
      request.headers.set("Idempotency-Key", crypto.randomUUID());
    }
  },
};

export const api = createClient<paths>({ baseUrl: "", credentials: "same-origin" });
api.use(writes);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a good answer; everything else is thrown as a {@link Problem}. */
export async function got<T>(asked: Promise<Answer<T>>): Promise<T> {
  return (await gotWithVersion(asked)).value;
}

/** Likewise, with the version (`ETag`) that a later change must name in `If-Match`. */
export async function gotWithVersion<T>(asked: Promise<Answer<T>>): Promise<{ value: T; etag: string }> {
  let answer: Answer<T>;
  try {
    answer = await asked;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw Problem.unreachable();
  }
  if (!answer.response.ok) throw problemOf(answer.response, answer.error);
  return { value: answer.data as T, etag: answer.response.headers.get("ETag") ?? "*" };
}
