/** What every test of the console has: a service and a tenant of the worker's own, a browser that is logged in, and proofs. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { test as base, expect, type Page } from "@playwright/test";
import { type Service, startService, Tenant } from "./service";

export { expect } from "@playwright/test";
export { mailedLink, mailedToken, type Service, Tenant } from "./service";

/** Where screenshots of every page are kept. */
const shots = resolve(import.meta.dirname, "../../target/console/screenshots");

interface WorkerFixtures {
  service: Service;
  /** By the files of their specs. */
  tenants: Map<string, Tenant>;
}

interface Fixtures {
  /** A person with an organization in which no other spec makes anything: an organization has a limit of clusters. */
  tenant: Tenant;
  /** Nobody is logged in. A script's error, or a policy that refuses something, fails the test. */
  stranger: Page;
  /** Not used: `page` is the tenant's. */
  page: Page;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  service: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
    async ({}, use) => {
      const service = await startService();
      await use(service);
      await service.stop();
    },
    { scope: "worker" },
  ],
  tenants: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the pattern
    async ({}, use) => {
      await use(new Map());
    },
    { scope: "worker" },
  ],
  tenant: async ({ service, tenants }, use, { file }) => {
    const tenant = tenants.get(file) ?? (await Tenant.signUp(service, "Ada Lovelace"));
    tenants.set(file, tenant);
    await use(tenant);
  },
  baseURL: async ({ service }, use) => {
    await use(service.http);
  },
  stranger: async ({ browser, service }, use) => {
    const context = await browser.newContext({ baseURL: service.http });
    const page = await context.newPage();
    const faults = watch(page);
    await use(page);
    expect(faults, "the browser's console has errors").toEqual([]);
    await context.close();
  },
  page: async ({ browser, service, tenant }, use) => {
    const context = await browser.newContext({ baseURL: service.http });
    await logIn(context, tenant);
    const page = await context.newPage();
    const faults = watch(page);
    await use(page);
    expect(faults, "the browser's console has errors").toEqual([]);
    await context.close();
  },
});

/** Gives a browser the tenant's session. */
export async function logIn(context: Page["context"] extends () => infer C ? C : never, tenant: Tenant): Promise<void> {
  await context.addCookies([
    {
      ...tenant.session,
      // Chromium takes a `__Host-` cookie for a secure address only, and sends it to the loopback one all the same.
      url: tenant.service.http.replace(/^http:/, "https:"),
      httpOnly: true,
      sameSite: "Lax",
      secure: tenant.session.name.startsWith("__Host-"),
    },
  ]);
}

/** Errors of scripts and refusals of the content security policy. Answers of the API that are no success are the page's to show. */
function watch(page: Page): string[] {
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(`${error}\n${error.stack ?? ""}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      faults.push(message.text());
  });
  return faults;
}

/** The rules that a colour decides; all others find in one scheme what they find in the other. */
const ofColours = ["color-contrast", "link-in-text-block"];

async function axe(page: Page, what: string, onlyColours: boolean): Promise<void> {
  const all = new AxeBuilder({ page });
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];
  const found = await (onlyColours ? all.withRules(ofColours) : all.withTags(tags)).analyze();
  const told = found.violations.map(
    ({ id, help, nodes }) =>
      `${id}: ${help}\n${nodes.map((node) => `    ${node.html}\n    ${node.failureSummary}`).join("\n")}`,
  );
  expect(told, `axe, ${what}`).toEqual([]);
}

/** A page as it must be: axe finds nothing in either theme, no sideways scrolling on a phone, and pictures of all three are kept. */
export async function inspect(page: Page, name: string): Promise<void> {
  mkdirSync(shots, { recursive: true });
  const before = page.viewportSize() ?? { width: 1280, height: 800 };
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
    await expect(page.locator("html")).toHaveAttribute("data-mantine-color-scheme", scheme);
    await settle(page);
    await axe(page, `${name}, ${scheme}`, scheme === "dark");
    await page.screenshot({ path: join(shots, `${name}-${scheme}.png`), fullPage: true, animations: "disabled" });
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize({ width: 390, height: 844 });
  await settle(page);
  await page.screenshot({ path: join(shots, `${name}-phone.png`), fullPage: true, animations: "disabled" });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wider, `${name} scrolls sideways on a phone`).toBeLessThanOrEqual(0);
  await page.setViewportSize(before);
}

/** Until nothing moves: colours change over some frames, and axe would measure one in between. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    // A picture of the whole page has the header where it stands: at the top.
    window.scrollTo(0, 0);
    const frame = () => new Promise((resolved) => requestAnimationFrame(resolved));
    for (let turn = 0; turn < 60; turn += 1) {
      await frame();
      const moving = document
        .getAnimations()
        .some(
          (each) =>
            each.playState === "running" && each.effect?.getComputedTiming().iterations !== Number.POSITIVE_INFINITY,
        );
      if (!moving) break;
    }
    await frame();
  });
}
