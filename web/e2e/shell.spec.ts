import { expect, inspect, logIn, Tenant, test } from "./fixtures";

test("a stranger who opens a page logs in and is where they wanted to be", async ({ stranger: page, tenant }) => {
  await page.goto("/projects");
  await expect(page).toHaveURL(/\/login\?return_to=%2Fprojects/);
  await page.getByLabel("Email address").fill(tenant.email);
  await page.getByLabel("Password").fill(tenant.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/projects$/);
});

test("a session that ends in the middle of a page leads to the login, and back", async ({
  stranger: page,
  service,
}) => {
  const tenant = await Tenant.signUp(service, "Ends Early");
  await logIn(page.context(), tenant);
  await page.goto("/projects");
  await expect(page.getByRole("link", { name: "default" })).toBeVisible();
  await tenant.rest("DELETE", "/v1/sessions/current");
  await page.getByRole("link", { name: "Members" }).click();
  await expect(page).toHaveURL(/\/login\?return_to=%2Forganization%2Fmembers/);
  await page.getByLabel("Email address").fill(tenant.email);
  await page.getByLabel("Password").fill(tenant.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page.getByRole("row").filter({ hasText: tenant.email })).toContainText("Owner");
  await page.getByRole("button", { name: /^You:/ }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await expect(page).toHaveURL(/\/login$/);
  await page.goBack();
  await expect(page, "nothing is shown of what was there").toHaveURL(/\/login/);
});

test("the navigation of a phone is reached only while it is open", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto("/clusters");
  await expect(page.getByRole("heading", { level: 1, name: "Clusters" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Members" })).toBeHidden();
  await page.getByRole("button", { name: "Navigation" }).click();
  await page.getByRole("link", { name: "Members" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Members" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Invitations" })).toBeHidden();
});

test("the palette finds places by keyboard alone", async ({ page }) => {
  await page.goto("/clusters");
  await expect(page.getByRole("heading", { level: 1, name: "Clusters" })).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(page.getByPlaceholder("Where to?")).toBeFocused();
  await page.keyboard.type("sessions");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/profile\/sessions$/);
  await page.keyboard.press("Control+k");
  await expect(page.getByPlaceholder("Where to?")).toBeFocused();
  await page.keyboard.type("new cluster");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/clusters\/create$/);
});

test("the page is served with a policy that allows no inline script", async ({ page }) => {
  const response = await page.goto("/login");
  const policy = response?.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toContain("unsafe");
  await inspect(page, "login");
});
