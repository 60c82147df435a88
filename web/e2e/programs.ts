/** Runs what the console shows, exactly as it is shown, the way its reader would. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect, type Page } from "@playwright/test";

const tools = resolve(import.meta.dirname, "../../.cache/tools");

/** Where Java's and Go's clients are. */
export const installed = {
  java: join(tools, "java/jars"),
  go: resolve(import.meta.dirname, "../../tests/clients/go"),
};

/** A folder of a reader's own, where `python` has the client installed, and `node` too. */
export class Desk {
  private readonly folder = mkdtempSync(join(tmpdir(), "firn-desk-"));
  private readonly running: ChildProcess[] = [];

  constructor() {
    const modules = join(tools, "node/node_modules");
    if (existsSync(modules)) symlinkSync(modules, join(this.folder, "node_modules"));
  }

  /** Whether a language's client is installed here (`scripts/provision`). */
  static has(what: "python/bin/python" | "node/node_modules/kafkajs" | "java/jars" | "bin/firn-test-go"): boolean {
    return existsSync(join(tools, what));
  }

  save(file: string, text: string): void {
    const path = join(this.folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${text}\n`);
  }

  /** Runs a shell's lines to their end; what they say. What fails is an error with what it said. */
  run(command: string): Promise<string> {
    const child = this.start(command);
    return new Promise((resolved, rejected) => {
      child.on("error", rejected);
      child.on("exit", (code) => {
        if (code === 0) resolved(child.said());
        else rejected(new Error(`${command}\nended with ${code}:\n${child.said()}`));
      });
    });
  }

  /** Runs them until `end`. */
  start(command: string): ChildProcess & { said: () => string } {
    const path = `${join(tools, "python/bin")}:${join(tools, "go/bin")}:/usr/local/go/bin:${process.env.PATH ?? ""}`;
    const child = spawn("bash", ["-ec", command], {
      cwd: this.folder,
      env: { ...process.env, PATH: path, KAFKAJS_NO_PARTITIONER_WARNING: "1" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.running.push(child);
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (some) => (text += String(some)));
    return Object.assign(child, { said: () => text });
  }

  end(): void {
    for (const { pid, exitCode } of this.running) {
      if (pid === undefined || exitCode !== null) continue;
      try {
        process.kill(-pid, "SIGTERM");
      } catch {
        // It has ended meanwhile.
      }
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What one part of a program shows, in its order: the text of each block, and the file that it belongs into; without: it is for a shell. */
export async function shownBlocks(
  page: Page,
  language: string,
  part: string,
): Promise<{ file: string | undefined; code: string }[]> {
  const regions = page.getByRole("group", { name: `${language}: ${part}` }).getByRole("region");
  await expect(regions.first()).toBeVisible();
  const blocks = [];
  for (const region of await regions.all()) {
    const label = (await region.getAttribute("aria-label")) ?? "";
    blocks.push({ file: / in (\S+)$/.exec(label)?.[1], code: (await region.textContent()) ?? "" });
  }
  return blocks;
}
