import { expect, inspect, test } from "./fixtures";

test("a stranger who opens a page logs in and is where they wanted to be", async ({ stranger: page, tenant }) => {
  await page.goto("/projects");
  await expect(page).toHaveURL(/\/login\?return_to=%2Fprojects/);
  await page.getByLabel("Email address").fill(tenant.email);
  await page.getByLabel("Password").fill(tenant.password);
  await page.getByRole("button", { name: "Log in" }).click();
  await expect(page).toHaveURL(/\/projects$/);
});

test("the palette finds places by keyboard alone", async ({ page }) => {
  await page.goto("/clusters");
  await expect(page.getByRole("heading", { level: 1, name: "Clusters" })).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(page.getByPlaceholder("Where to?")).toBeFocused();
  await page.keyboard.type("sessions");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/profile\/sessions$/);
});

test("the page is served with a policy that allows no inline script", async ({ page }) => {
  const response = await page.goto("/login");
  const policy = response?.headers()["content-security-policy"] ?? "";
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toContain("unsafe");
  await inspect(page, "login");
});
