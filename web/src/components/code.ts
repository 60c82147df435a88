/** Requests as curl commands, and resources as HCL. Secrets that a form holds are never written: names of variables stand for them. */

export interface Request {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** With its query, from `/v1` on. */
  path: string;
  body?: unknown;
  /** Who may send it: a program with an API key, if nothing is said; only a person with a session; or anybody. */
  by?: "person" | "anybody";
}

export interface Hcl {
  /** The type, as `firn_topic`. */
  type: string;
  /** What Terraform calls this one. */
  name: string;
  attributes: Readonly<Record<string, HclValue>>;
}

/** A resource that goes: its type, and what Terraform calls it. */
export type Gone = Pick<Hcl, "type" | "name">;

/** A word of Terraform's that is no text: a reference, a variable, a call. */
export class Expression {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type HclValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | Expression
  | readonly HclValue[]
  | { readonly [key: string]: HclValue };

/** A reference or a variable: `expression("var.password")`. */
export const expression = (text: string) => new Expression(text);

/** A shell's word in single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Each header of a sender, in double quotes: a shell fills in its variables. */
const credentials: Record<"program" | "person" | "anybody", string[]> = {
  program: ["Authorization: Bearer $FIRN_API_KEY"],
  person: ["Cookie: __Host-firn_session=$FIRN_SESSION", "X-CSRF-Token: $FIRN_CSRF_TOKEN"],
  anybody: [],
};

/** The command that sends a request with the API key in `$FIRN_API_KEY` or, where only a person may, with the session's cookie. */
export function curl({ method, path, body, by }: Request, origin: string): string {
  const lines = [method === "GET" ? `curl ${quoted(origin + path)}` : `curl -X ${method} ${quoted(origin + path)}`];
  lines.push(...credentials[by ?? "program"].map((header) => `-H "${header}"`));
  if (method === "PATCH" || method === "DELETE") lines.push(`-H 'If-Match: *'`);
  if (body !== undefined) {
    lines.push(`-H 'Content-Type: application/json'`);
    lines.push(`-d ${quoted(JSON.stringify(body, null, 2))}`);
  }
  return lines.join(" \\\n  ");
}

const identifier = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** A text as Terraform's label: `Orders (EU)` as `orders_eu`. */
export function label(text: string, otherwise = "this"): string {
  const word = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "");
  if (word === "") return otherwise;
  return /^[0-9]/.test(word) ? `_${word}` : word;
}

/** A text in HCL's quotes: also what would begin an interpolation is taken literally. */
function text(value: string): string {
  return JSON.stringify(value).replaceAll("${", "$$$${").replaceAll("%{", "%%{");
}

function value(given: HclValue, indent: string): string {
  if (given === null || given === undefined) return "null";
  if (given instanceof Expression) return given.text;
  if (typeof given === "string") return text(given);
  if (typeof given === "number" || typeof given === "boolean") return String(given);
  const inner = `${indent}  `;
  if (isList(given)) {
    if (given.length === 0) return "[]";
    const items = given.map((item) => value(item, inner));
    const short = `[${items.join(", ")}]`;
    if (short.length <= 60 && !short.includes("\n")) return short;
    return `[\n${items.map((item) => `${inner}${item},\n`).join("")}${indent}]`;
  }
  const lines = attributes(given, inner);
  return lines.length === 0 ? "{}" : `{\n${lines.join("\n")}\n${indent}}`;
}

function isList(given: HclValue): given is readonly HclValue[] {
  return Array.isArray(given);
}

function attributes(given: { readonly [key: string]: HclValue }, indent: string): string[] {
  const entries = Object.entries(given).filter(([, each]) => each !== undefined && each !== null);
  const written = entries.map(([key, each]) => [identifier.test(key) ? key : text(key), value(each, indent)] as const);
  // Lines that follow each other are aligned; a value of several lines ends such a run.
  const runs: (readonly (readonly [string, string])[])[] = [];
  let run: (readonly [string, string])[] = [];
  for (const line of written) {
    if (line[1].includes("\n")) {
      runs.push(run, [line]);
      run = [];
    } else {
      run.push(line);
    }
  }
  runs.push(run);
  return runs.flatMap((lines) => {
    const width = Math.max(0, ...lines.map(([key]) => key.length));
    return lines.map(([key, each]) => `${indent}${key.padEnd(width)} = ${each}`);
  });
}

/** A resource, formatted as `terraform fmt` would. Attributes that are null or absent are left out. */
export function hcl({ type, name, attributes: given }: Hcl): string {
  return `resource "${type}" "${label(name)}" {\n${attributes(given, "  ").join("\n")}\n}`;
}

/** What takes the place of a resource's own block when it is to go, at the next apply, and not only to be forgotten. */
export function removed({ type, name }: Gone): string {
  return `removed {\n  from = ${type}.${label(name)}\n\n  lifecycle {\n    destroy = true\n  }\n}`;
}
