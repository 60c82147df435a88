/** The programs that are shown, in the order in which they are offered. */
import { go } from "./go";
import { java } from "./java";
import { kcat } from "./kcat";
import { node } from "./node";
import { python } from "./python";
import { rust } from "./rust";
import type { Connection, Snippet } from "./settings";

export { type Block, type Connection, greeting, type Snippet } from "./settings";

export function snippets(to: Connection): Snippet[] {
  return [kcat, python, java, go, node, rust].map((written) => written(to));
}
