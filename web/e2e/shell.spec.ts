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

test("a session that ends while somebody types asks for the password in front of what is typed", async ({
  stranger: page,
  service,
}) => {
  const tenant = await Tenant.signUp(service, "Types Slowly");
  const { id } = await tenant.cluster("typed");
  await tenant.rest("POST", `/v1/clusters/${id}/topics`, { name: "orders", partitions: 1 });
  const reset = `/v1/clusters/${id}/groups/billing/offsets:reset`;
  await tenant.rest("POST", reset, { to: { kind: "latest" }, topics: [{ topic: "orders" }] });
  await logIn(page.context(), tenant);
  // A page that asks anew every few seconds, and a form in it.
  await page.goto(`/clusters/${id}/groups/billing/reset`);
  await page.getByRole("radio", { name: "An offset" }).check();
  await page.getByRole("textbox", { name: "Offset" }).fill("37");
  await tenant.rest("DELETE", "/v1/sessions/current");
  const ended = page.getByRole("dialog", { name: "Your session has ended" });
  await expect(ended).toBeVisible();
  await inspect(page, "session-ended");
  await ended.getByLabel(/^Password/).fill("not the one");
  await ended.getByRole("button", { name: "Log in" }).click();
  await expect(ended.getByRole("alert")).toContainText("Request");
  await ended.getByLabel(/^Password/).fill(tenant.password);
  await ended.getByRole("button", { name: "Log in" }).click();
  await expect(ended).toBeHidden();
  await expect(page.getByRole("textbox", { name: "Offset" })).toHaveValue("37");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByText("0 of 1 partition changes"), "the page goes on").toBeVisible();
});

test("a dialog stays under the login, also for whoever logs in in another tab, until one leaves it", async ({
  stranger: page,
  service,
}) => {
  const tenant = await Tenant.signUp(service, "Leaves Late");
  await logIn(page.context(), tenant);
  await page.goto("/projects");
  await page.getByRole("button", { name: "Create project" }).click();
  const name = page.getByRole("dialog", { name: "Create project" }).getByRole("textbox", { name: "Name" });
  await name.fill("kept");
  const ended = page.getByRole("dialog", { name: "Your session has ended" });
  /** Whoever comes back to a tab has its session asked for. */
  const comeBack = () => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
  await tenant.rest("DELETE", "/v1/sessions/current");
  await comeBack();
  await expect(ended).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(ended).toBeVisible();
  const opening = page.waitForEvent("popup");
  await ended.getByRole("link", { name: "log in in another tab" }).click();
  const tab = await opening;
  await tab.getByLabel("Email address").fill(tenant.email);
  await tab.getByLabel(/^Password/).fill(tenant.password);
  await tab.getByRole("button", { name: "Log in", exact: true }).click();
  await expect(tab).toHaveURL(/\/clusters$/);
  await comeBack();
  await expect(ended).toBeHidden();
  await expect(name).toHaveValue("kept");
  await page.context().clearCookies();
  await comeBack();
  await ended.getByRole("button", { name: "Leave, and lose it" }).click();
  await expect(page).toHaveURL(/\/login\?return_to=%2Fprojects/);
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
