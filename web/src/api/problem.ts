/** What the API answers when it does not do what it was asked: RFC 9457, with a stable code and the request's id. */
import type { components } from "./schema";

type Body = components["schemas"]["Problem"];

export class Problem extends Error {
  readonly status: number;
  /** The stable name; `unreachable` where nothing answered. */
  readonly code: string;
  readonly title: string;
  readonly requestId: string | undefined;
  /** Each wrong place of the body, as a JSON pointer. */
  readonly faults: readonly { pointer: string; detail: string }[];
  /** The audit entry of a denial. */
  readonly denial: string | undefined;
  /** Seconds after which it may be tried again. */
  readonly retryAfter: number | undefined;

  constructor(body: Partial<Body> & { status: number; detail: string }, retryAfter?: number) {
    super(body.detail);
    this.name = "Problem";
    this.status = body.status;
    this.code = body.code ?? "unknown";
    this.title = body.title ?? "The request failed";
    this.requestId = body.request_id;
    this.faults = body.errors ?? [];
    this.denial = body.denial ?? undefined;
    this.retryAfter = retryAfter;
  }

  static unreachable(): Problem {
    return new Problem({
      status: 0,
      title: "No answer",
      detail: "The service did not answer. Check your connection, then try again.",
    });
  }

  /** What is wrong with the field at this JSON pointer. */
  fault(pointer: string): string | undefined {
    return this.faults.find((fault) => fault.pointer === pointer)?.detail;
  }
}

function isBody(body: unknown): body is Body {
  return typeof body === "object" && body !== null && "detail" in body && typeof body.detail === "string";
}

/** Reads the problem that an answer holds. */
export function problemOf(response: Response, body: unknown): Problem {
  const seconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  const retryAfter = Number.isFinite(seconds) ? seconds : undefined;
  if (isBody(body)) return new Problem({ ...body, status: response.status }, retryAfter);
  const requestId = response.headers.get("X-Request-Id");
  const detail = `The service answered with status ${response.status}.`;
  return new Problem({ status: response.status, detail, ...(requestId ? { request_id: requestId } : {}) }, retryAfter);
}

/** Whatever was thrown, as a problem. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const detail = error instanceof Error ? error.message : "Something went wrong in the console.";
  return new Problem({ status: 0, title: "The console failed", detail });
}
