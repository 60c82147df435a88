/** What an entry of the trail says has changed, as lines. */

export interface Change {
  /** Where: `limits.topics`. */
  path: string;
  /** Absent: there was, or is, nothing. */
  before?: unknown;
  after?: unknown;
}

type Tree = { [key: string]: unknown };

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The leaves of a tree, by their paths. */
function leaves(value: unknown, path: string, into: Map<string, unknown>): void {
  if (isTree(value) && Object.keys(value).length > 0) {
    for (const [key, inner] of Object.entries(value)) leaves(inner, path === "" ? key : `${path}.${key}`, into);
  } else if (value !== null && value !== undefined) {
    into.set(path === "" ? "value" : path, value);
  }
}

function between(before: unknown, after: unknown, prefix: string): Change[] {
  const [old, young] = [new Map<string, unknown>(), new Map<string, unknown>()];
  leaves(before, prefix, old);
  leaves(after, prefix, young);
  const changes: Change[] = [];
  for (const path of new Set([...old.keys(), ...young.keys()])) {
    const [was, is] = [old.get(path), young.get(path)];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    changes.push({
      path,
      ...(was === undefined ? {} : { before: was }),
      ...(is === undefined ? {} : { after: is }),
    });
  }
  return changes;
}

/** What changed, and what else the entry tells. `{before, after}` and `{name: {from, to}}` are changes; the rest is not. */
export function difference(detail: unknown): { changes: Change[]; rest: Tree } {
  if (!isTree(detail)) return { changes: [], rest: {} };
  const { before, after, ...others } = detail;
  const changes = "before" in detail || "after" in detail ? between(before, after, "") : [];
  const rest: Tree = {};
  for (const [key, value] of Object.entries(others)) {
    if (isTree(value) && "from" in value && "to" in value) changes.push(...between(value.from, value.to, key));
    else rest[key] = value;
  }
  return { changes, rest };
}
