import { resolve } from "node:path";
import { defineConfig } from "@playwright/test";

const out = resolve(import.meta.dirname, "../target/console");

/** Debian's Chromium (`scripts/need chromium`); no browser is downloaded. */
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell";

export default defineConfig({
  testDir: "e2e",
  outputDir: `${out}/results`,
  // Of cores that others use too: what fails says so by an assertion, long before.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  workers: 2,
  fullyParallel: false,
  forbidOnly: !!process.env.CI,
  reporter: process.env.CI ? [["dot"], ["json", { outputFile: `${out}/results.json` }]] : [["list"]],
  use: {
    viewport: { width: 1280, height: 800 },
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
