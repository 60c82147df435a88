/** Benchmarks: figures of a real browser against a real `firn dev`, printed. One at a time, nothing beside it. */
import { defineConfig } from "@playwright/test";
import base from "../playwright.config";

export default defineConfig(base, {
  testDir: ".",
  testMatch: /topics\.ts$/,
  timeout: 600_000,
  workers: 1,
  outputDir: "../../target/console/bench",
  retries: 0,
  reporter: [["line"]],
  use: { trace: "off", screenshot: "off" },
});
