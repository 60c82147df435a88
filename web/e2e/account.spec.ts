import type { Page } from "@playwright/test";
import { expect, inspect, mailedLink, Tenant, test } from "./fixtures";

const password = "a glacier moves 7 metres";
const another = "an iceberg drifts 40 miles";

/** An address of the test's own. */
const address = (name: string) => `${name}-${Date.now().toString(36)}@example.com`;

async function logIn(page: Page, email: string, secret: string): Promise<void> {
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel(/^Password/).fill(secret);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
}

test("somebody signs up, has the mail sent again, and confirms the address", async ({ stranger: page, service }) => {
  const email = address("signs-up");
  await page.goto("/login");
  await page.getByRole("link", { name: "Sign up" }).click();
  await page.getByLabel("Your name").fill("Grace Hopper");
  await page.getByLabel("Organization").fill("Compilers");
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel(/^Password/).fill("password12");
  await inspect(page, "signup");
  await page.getByRole("button", { name: "Sign up" }).click();
  await expect(page.getByRole("alert")).toContainText("Request");
  await expect(page.getByLabel(/^Password/)).toHaveAttribute("aria-invalid", "true");
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole("button", { name: "Sign up" }).click();
  await expect(page.getByRole("heading", { name: "Look into your mail" })).toBeVisible();
  await expect(page.getByText(email)).toBeVisible();
  await expect(page.getByRole("link", { name: "Read it at /dev/mail" })).toHaveAttribute("href", /\/dev\/mail\?to=/);
  await inspect(page, "signup-mail-sent");
  const first = await mailedLink(service, email, "verify");
  await page.getByRole("button", { name: "Send it again" }).click();
  await expect(page.getByText("If this address waits to be verified")).toBeVisible();
  await expect.poll(async () => (await mailedLink(service, email, "verify")).href).not.toBe(first.href);
  const link = await mailedLink(service, email, "verify");
  await page.goto(link.href);
  await expect(page.getByRole("heading", { name: "Confirm your address" })).toBeVisible();
  await inspect(page, "verify");
  await page.getByLabel(/^Password/).fill("not the right one");
  await page.getByRole("button", { name: "Confirm and go on" }).click();
  await expect(page.getByRole("alert")).toContainText("not the password");
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole("button", { name: "Confirm and go on" }).click();
  await expect(page).toHaveURL(/\/start$/);
  await page.goto(link.href);
  await page.getByLabel(/^Password/).fill(password);
  await page.getByRole("button", { name: "Confirm and go on" }).click();
  await expect(page.getByRole("heading", { name: "This link does not work" })).toBeVisible();
  await inspect(page, "verify-used");
});

test("a forgotten password is replaced by mail", async ({ stranger: page, service }) => {
  const { email } = await Tenant.signUp(service, "Forgets Much");
  await page.goto("/login");
  await logIn(page, email, "something else entirely");
  await expect(page.getByRole("alert")).toContainText("is wrong");
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  await page.getByLabel("Email address").fill(email);
  await inspect(page, "reset");
  await page.getByRole("button", { name: "Send me the link" }).click();
  await expect(page.getByRole("heading", { name: "Look into your mail" })).toBeVisible();
  await page.goto((await mailedLink(service, email, "reset")).href);
  await page.getByLabel(/^New password( \*)?$/).fill(another);
  await page.getByLabel("New password, again").fill(`${another}!`);
  await page.getByRole("button", { name: "Change the password" }).click();
  await expect(page.getByText("The two passwords differ.")).toBeVisible();
  await page.getByLabel("New password, again").fill(another);
  await inspect(page, "reset-choose");
  await page.getByRole("button", { name: "Change the password" }).click();
  await expect(page).toHaveURL(/\/login$/);
  await logIn(page, email, another);
  await expect(page).toHaveURL(/\/clusters$/);
});

test("an invitation is accepted by a new person and by one who has an account", async ({ stranger: page, service }) => {
  const host = await Tenant.signUp(service, "Host");
  const guest = await Tenant.signUp(service, "Guest");
  const fresh = address("fresh");
  for (const email of [fresh, guest.email]) {
    await host.rest("POST", `/v1/organizations/${host.organization}/invitations`, { email, role: "viewer" });
  }
  const link = (await mailedLink(service, fresh, "invitation")).href;
  await page.goto(link);
  await page.getByLabel("Your name").fill("Fresh Person");
  await page.getByLabel(/^Password/).fill(password);
  await inspect(page, "invitation-new");
  await page.getByRole("button", { name: "Join" }).click();
  await expect(page.getByRole("status")).toContainText("Host's organization");
  await page.getByRole("link", { name: "Log in" }).click();
  await logIn(page, fresh, password);
  await expect(page).toHaveURL(/\/clusters$/);
  await page.goto((await mailedLink(service, guest.email, "invitation")).href);
  await page.getByRole("button", { name: "Accept the invitation" }).click();
  await expect(page.getByRole("alert")).toContainText("Request");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("tab", { name: "I have an account" }).click();
  await page.getByRole("link", { name: "Log in" }).click();
  await logIn(page, guest.email, guest.password);
  await expect(page.getByText("You are logged in as")).toContainText(guest.email);
  await inspect(page, "invitation-known");
  await page.getByRole("button", { name: "Accept the invitation" }).click();
  await expect(page).toHaveURL(/\/clusters$/);
  await expect(page.getByRole("combobox", { name: "Organization" })).toHaveValue("Host's organization");
});

test("a login through a provider that comes to nothing is told", async ({ stranger: page }) => {
  const provider = `idp_a${"a".repeat(25)}`;
  await page.goto(`/login?provider=${provider}`);
  await inspect(page, "login-provider");
  await page.getByRole("link", { name: "Log in with your organization" }).click();
  await expect(page).toHaveURL(/\/login\?failed=not_found/);
  await expect(page.getByRole("alert")).toContainText("not there any more");
  await page.goto(`/login?failed=already_exists&provider=${provider}`);
  await page.getByRole("link", { name: "Link it after logging in" }).click();
  await expect(page).toHaveURL(/return_to=%2Fprofile%3Flink%3Didp_/);
});

test("a person changes its name and its password", async ({ stranger: page, service }) => {
  const { email, password: old } = await Tenant.signUp(service, "Changes");
  await page.goto("/login?return_to=%2Fprofile");
  await logIn(page, email, old);
  await page.getByRole("textbox", { name: "Name" }).fill("Changed");
  await page.getByRole("button", { name: "Save the name" }).click();
  await expect(page.getByText("Your name is changed.")).toBeVisible();
  await expect(page.getByRole("button", { name: "You: Changed" })).toBeVisible();
  await page.getByLabel("Current password").fill("not the one");
  await page.getByLabel("New password").fill(another);
  await page.getByRole("button", { name: "Change the password" }).click();
  await expect(page.getByText("it is not your password").first()).toBeVisible();
  await page.getByLabel("Current password").fill(old);
  await page.getByRole("button", { name: "Change the password" }).click();
  await expect(page.getByText("Your password is changed.")).toBeVisible();
  await inspect(page, "profile");
});

test("sessions are listed, and others ended", async ({ stranger: page, service }) => {
  const { email, password: secret } = await Tenant.signUp(service, "Sessions");
  await page.goto("/login?return_to=%2Fprofile%2Fsessions");
  await logIn(page, email, secret);
  await expect(page.getByRole("article")).toHaveCount(2);
  await expect(page.getByRole("article").filter({ hasText: "This one" })).toHaveCount(1);
  await inspect(page, "sessions");
  await page.getByRole("button", { name: /^End the session/ }).click();
  await expect(page.getByText("You are logged in nowhere else.")).toBeVisible();
});
