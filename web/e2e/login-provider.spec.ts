import type { Page } from "@playwright/test";
import { expect, inspect, type Tenant, test } from "./fixtures";
import { client, type Provider, startProvider } from "./provider";

/** The organization's own provider, for addresses of one domain. */
async function providerOf(tenant: Tenant, { issuer }: Provider, domain: string): Promise<string> {
  const path = `/v1/organizations/${tenant.organization}/login-providers`;
  const body = { name: "Corp", issuer, client_id: client.id, client_secret: client.secret, allowed_domains: [domain] };
  return (await tenant.rest<{ id: string }>("POST", path, body)).id;
}

async function through(page: Page, answer: string): Promise<void> {
  await page.getByRole("link", { name: "Log in with your organization" }).click();
  await expect(page).toHaveTitle("The provider");
  await page.getByRole("link", { name: answer }).click();
}

test("somebody who is invited logs in through the organization's provider, and again", async ({
  stranger: page,
  tenant,
}) => {
  const email = `katherine-${Date.now().toString(36)}@corp.example`;
  const provider = await startProvider({ subject: email, email, name: "Katherine Johnson" });
  try {
    const id = await providerOf(tenant, provider, "corp.example");
    await tenant.rest("POST", `/v1/organizations/${tenant.organization}/invitations`, { email, role: "developer" });
    await page.goto(`/login?provider=${id}&return_to=%2Fprojects`);
    await through(page, "No");
    await expect(page).toHaveURL(/\/login\?/);
    await expect(page.getByRole("alert")).toBeVisible();
    await inspect(page, "login-provider-refused");
    await page.goto(`/login?provider=${id}&return_to=%2Fprojects`);
    await through(page, "Yes, it is me");
    await expect(page).toHaveURL(/\/projects$/);
    await expect(page.getByRole("button", { name: "You: Katherine Johnson" })).toBeVisible();
    await expect(page.getByRole("combobox", { name: "Organization" })).toHaveValue("Ada Lovelace's organization");
    await page.getByRole("button", { name: /^You:/ }).click();
    await page.getByRole("menuitem", { name: "Log out" }).click();
    await expect(page.getByRole("heading", { name: "Log in" })).toBeVisible();
    // The browser knows through which provider it was.
    await through(page, "Yes, it is me");
    await expect(page).toHaveURL(/\/clusters$/);
    await expect(page.getByRole("button", { name: "You: Katherine Johnson" })).toBeVisible();
    // It is her only way in, so it cannot be taken back.
    await page.goto("/profile");
    await page.getByRole("button", { name: /^Unlink Corp of/ }).click();
    const dialog = page.getByRole("dialog", { name: "Unlink Corp" });
    await dialog.getByRole("button", { name: "Unlink it" }).click();
    await expect(dialog.getByRole("alert")).toContainText("last way");
    await inspect(page, "profile-unlink");
  } finally {
    await provider.stop();
  }
});
