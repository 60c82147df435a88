/** The first page, as a stranger loads it: all that `index.html` and the login page need, compressed. Ends with 1 above the budget. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const most = 250_000;
const dist = new URL("../dist/", import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(dist, ".vite/manifest.json"), "utf8"));

/** The files of an entry and of what it imports at once. */
function files(key, seen = new Set()) {
  const entry = manifest[key];
  if (!entry || seen.has(entry.file)) return seen;
  seen.add(entry.file);
  for (const file of entry.css ?? []) seen.add(file);
  for (const other of entry.imports ?? []) files(other, seen);
  return seen;
}

const first = ["index.html", "src/shell/PublicLayout.tsx", "src/features/account/LoginPage.tsx"];
for (const key of first) {
  if (!manifest[key]) throw new Error(`${key} is not in the build's manifest`);
}
const needed = [...new Set(first.flatMap((key) => [...files(key)]))];
const total = needed.reduce((sum, file) => sum + statSync(join(dist, `${file}.gz`)).size, 0);
console.log(
  `first page: ${needed.length} files, ${(total / 1000).toFixed(1)} kB compressed (gzip), of ${most / 1000} kB`,
);
process.exitCode = total > most ? 1 : 0;
