import type { Page } from "@playwright/test";
import { expect, inspect, mailedLink, type Service, test } from "./fixtures";
import { Desk, installed, shownBlocks } from "./programs";

const password = "a glacier moves 7 metres";
const greeting = "Hello, Firn!";

async function signUp(page: Page, service: Service, name: string): Promise<void> {
  const email = `${name}-${Date.now().toString(36)}@example.com`;
  await page.goto("/signup");
  await page.getByLabel("Your name").fill("Ada Lovelace");
  await page.getByLabel("Organization").fill("Analytical Engines");
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole("button", { name: "Sign up" }).click();
  await expect(page.getByRole("heading", { name: "Look into your mail" })).toBeVisible();
  await page.goto((await mailedLink(service, email, "verify")).href);
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole("button", { name: "Confirm and go on" }).click();
  await expect(page).toHaveURL(/\/start$/);
}

/** Runs each block of kcat's as it is shown: saves the settings, sends a message, reads it back. */
async function runKcat(page: Page, desk: Desk): Promise<void> {
  for (const part of ["Prepare", "Produce"]) {
    for (const { code } of await shownBlocks(page, "kcat", part)) await desk.run(code);
  }
  for (const { code } of await shownBlocks(page, "kcat", "Consume")) {
    expect(await desk.run(code)).toContain(greeting);
  }
}

async function sawItArrive(page: Page, software: string): Promise<void> {
  await expect(page.getByRole("group", { name: "First connection" })).toContainText("here it is");
  await expect(page.getByRole("group", { name: "First connection" })).toContainText(software);
  await expect(page.getByRole("group", { name: "First message" })).toContainText("here it is");
  await expect(page.getByRole("table", { name: "Newest messages" })).toContainText(greeting);
  await expect(page.getByRole("heading", { name: "See it arrive (done)" })).toBeVisible();
}

test("from signup to the first message that kcat sends and reads", async ({ stranger: page, service }) => {
  const desk = new Desk();
  try {
    await signUp(page, service, "five-minutes");
    await expect(page.getByRole("button", { name: "Set it up" })).toBeEnabled();
    await inspect(page, "start");
    await page.getByRole("button", { name: "Set it up" }).click();
    await expect(page.getByText("is ready. Clients log in over TLS")).toBeVisible();
    await expect(page.getByRole("group", { name: "First connection" })).toContainText("Waiting");
    await inspect(page, "start-ready");
    await runKcat(page, desk);
    await sawItArrive(page, "librdkafka");
    await inspect(page, "start-done");
    await page.getByRole("link", { name: "See how the cluster is" }).click();
    await expect(page).toHaveURL(/\/clusters\/clu_/);
  } finally {
    desk.end();
  }
});

test("the same by keyboard alone", async ({ stranger: page, service }) => {
  const desk = new Desk();
  const email = `keys-${Date.now().toString(36)}@example.com`;
  const press = (key: string) => page.keyboard.press(key);
  /** Goes on with Tab until this has the focus, as somebody without a mouse would. */
  const tabTo = async (name: string) => {
    for (let turn = 0; turn < 80; turn += 1) {
      const focused = await page.evaluate(() => {
        const at = document.activeElement;
        const labels = at instanceof HTMLInputElement ? [...(at.labels ?? [])].map((each) => each.textContent) : [];
        return [at?.getAttribute("aria-label"), ...labels, at instanceof HTMLInputElement ? "" : at?.textContent]
          .filter(Boolean)
          .map((text) => (text ?? "").replace(/\s*\*$/, "").trim());
      });
      if (focused.includes(name)) return;
      await press("Tab");
    }
    throw new Error(`Tab does not lead to “${name}”`);
  };
  const type = async (field: string, text: string) => {
    await tabTo(field);
    await page.keyboard.type(text);
  };
  try {
    await page.goto("/login");
    await expect(page.getByRole("heading", { name: "Log in" })).toBeVisible();
    await tabTo("Sign up");
    await press("Enter");
    await expect(page.getByRole("heading", { name: "Sign up" })).toBeFocused();
    await type("Your name", "Ada Lovelace");
    await type("Organization", "Analytical Engines");
    await type("Email address", email);
    await type("Password", password);
    await press("Enter");
    await expect(page.getByRole("heading", { name: "Look into your mail" })).toBeVisible();
    // The mail is read elsewhere: its link is typed into the address bar.
    await page.goto((await mailedLink(service, email, "verify")).href);
    await expect(page.getByRole("heading", { name: "Confirm your address" })).toBeVisible();
    await type("Password", password);
    await press("Enter");
    await expect(page.getByRole("heading", { name: "First five minutes" })).toBeFocused();
    await expect(page.getByRole("button", { name: "Set it up" })).toBeEnabled();
    await tabTo("Set it up");
    await press("Enter");
    await expect(page.getByText("is ready. Clients log in over TLS")).toBeVisible();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    for (const step of ["Prepare: Save how to connect", "Produce: Send a message", "Consume: Read all messages"]) {
      await tabTo(`Copy kcat, ${step}`);
      await press("Enter");
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      const said = await desk.run(copied);
      if (step.startsWith("Consume")) expect(said).toContain(greeting);
    }
    await sawItArrive(page, "librdkafka");
    await tabTo("Look into the topic");
    await press("Enter");
    await expect(page).toHaveURL(/\/clusters\/clu_\w+\/topics\/hello/);
  } finally {
    desk.end();
  }
});

/** The clients are installed already; what a program's reader types to install one is done from there. */
const languages = [
  {
    language: "Python",
    has: "python/bin/python",
    installs: /^python3 -m venv .*\npip install .*$/m,
    instead: "true",
    client: "confluent-kafka",
  },
  {
    language: "Node",
    has: "node/node_modules/kafkajs",
    installs: /^npm install .*$/m,
    instead: "true",
    client: "kafkajs",
  },
  {
    language: "Java",
    has: "java/jars",
    installs: /^mvn .*$/m,
    instead: `mkdir target && ln -s '${installed.java}' target/dependency`,
    client: "apache-kafka-java",
  },
  {
    language: "Go",
    has: "bin/firn-test-go",
    installs: /^go mod init .*\ngo get .*$/m,
    instead: `cp '${installed.go}'/go.{mod,sum} .`,
    client: "kgo",
  },
] as const;

for (const { language, has, installs, instead, client } of languages) {
  test(`${language}'s programs run as they are shown`, async ({ page, tenant }) => {
    expect(Desk.has(has), `${language}'s client is missing: scripts/provision installs it`).toBe(true);
    const desk = new Desk();
    /** Saves a program, and gives the command that runs it. */
    const saved = async (part: string): Promise<string> => {
      const [program, command] = await shownBlocks(page, language, part);
      expect(program?.file, "the program belongs into a file").toBeDefined();
      desk.save(program?.file ?? "", program?.code ?? "");
      return command?.code ?? "false";
    };
    try {
      await page.goto("/start");
      await page.getByRole("button", { name: "Set it up" }).click();
      await expect(page.getByText("is ready. Clients log in over TLS")).toBeVisible();
      await page.getByRole("tab", { name: language, exact: true }).click();
      for (const { file, code } of await shownBlocks(page, language, "Prepare")) {
        if (file) desk.save(file, code);
        else await desk.run(code.replace(installs, instead));
      }
      expect(await desk.run(await saved("Produce"))).toContain("stored at offset");
      const consumer = desk.start(await saved("Consume"));
      await expect.poll(consumer.said, { timeout: 60_000 }).toContain(greeting);
      await sawItArrive(page, client);
      expect(tenant.organization).not.toBe("");
    } finally {
      desk.end();
    }
  });
}
