import { readFileSync } from "node:fs";
import { confirm } from "./access";
import { expect, inspect, mailedToken, Tenant, test } from "./fixtures";

/** Somebody who joins the tenant's organization, as a viewer. */
async function join(tenant: Tenant, name: string): Promise<{ email: string }> {
  const email = `${name.toLowerCase()}-${Date.now().toString(36)}@example.com`;
  await tenant.rest("POST", `/v1/organizations/${tenant.organization}/invitations`, { email, role: "viewer" });
  const token = await mailedToken(tenant.service, email, "invitation");
  const body = JSON.stringify({ token, name, password: "a glacier moves 7 metres" });
  const answer = await fetch(`${tenant.service.http}/v1/invitations/accept`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
  });
  expect(answer.status).toBe(200);
  return { email };
}

test("members get roles in a project, lose them, and leave", async ({ page, tenant }) => {
  const { email } = await join(tenant, "Charles");
  await page.goto("/organization/members");
  const row = page.getByRole("row").filter({ hasText: email });
  await expect(row).toContainText("Viewer · The whole organization");
  await inspect(page, "members");
  await row.getByRole("button", { name: "Roles of Charles" }).click();
  const drawer = page.getByRole("dialog", { name: "Roles of Charles" });
  await drawer.getByRole("combobox", { name: "Where" }).click();
  await page.getByRole("option", { name: "Project default" }).click();
  await drawer.getByText("As curl and Terraform").last().click();
  await expect(drawer.getByRole("region", { name: "curl command" })).toContainText("/role-bindings");
  await inspect(page, "member-roles");
  await drawer.getByRole("button", { name: "Give the role" }).click();
  await expect(drawer.getByRole("combobox", { name: "Project default" })).toHaveValue("Developer");
  await drawer.getByRole("combobox", { name: "Project default" }).click();
  await page.getByRole("option", { name: /^Operator/ }).click();
  await expect(row).toContainText("Operator · Project default");
  await drawer.getByRole("button", { name: "Take the role away: Project default" }).click();
  const taking = page.getByRole("dialog", { name: "Take away a role" });
  await expect(taking).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(taking).toBeHidden();
  await expect(drawer, "a question that is not answered leaves the roles open").toBeVisible();
  await drawer.getByRole("button", { name: "Take the role away: Project default" }).click();
  await confirm(page, "operator", "Take away", taking);
  await expect(row).not.toContainText("Operator");
  await page.keyboard.press("Escape");
  await row.getByRole("button", { name: "Remove Charles" }).click();
  const sure = page.getByRole("dialog", { name: "Remove a member" });
  await expect(sure.getByRole("button", { name: "Remove" })).toBeDisabled();
  await sure.getByRole("textbox").fill(email);
  await sure.getByRole("button", { name: "Remove" }).click();
  await expect(row).toHaveCount(0);
});

test("somebody is invited, and the invitation is revoked", async ({ page }) => {
  await page.goto("/organization/invitations");
  await expect(page.getByText("Nobody is invited")).toBeVisible();
  await inspect(page, "invitations-empty");
  await page.getByRole("button", { name: "Invite somebody" }).first().click();
  const form = page.getByRole("dialog", { name: "Invite somebody" });
  await form.getByLabel("Email address").fill("mary@example.com");
  await form.getByRole("combobox", { name: "Role in the whole organization" }).click();
  await page.getByRole("option", { name: /^Operator/ }).click();
  await inspect(page, "invite");
  await form.getByRole("button", { name: "Send the invitation" }).click();
  const row = page.getByRole("row").filter({ hasText: "mary@example.com" });
  await expect(row).toContainText("Operator");
  await inspect(page, "invitations");
  await row.getByRole("button", { name: "Revoke the invitation of mary@example.com" }).click();
  await confirm(page, "mary@example.com", "Revoke");
  await expect(page.getByText("Nobody is invited")).toBeVisible();
});

test("usage is charted, grouped and exported", async ({ page, tenant }) => {
  const { id } = await tenant.cluster("metered");
  await tenant.rest("POST", `/v1/clusters/${id}/topics`, { name: "counted", partitions: 3 });
  const records = [{ value: { text: "x".repeat(1_000) } }];
  await tenant.rest("POST", `/v1/clusters/${id}/topics/counted/records`, { records });
  await page.goto("/organization/usage");
  await expect(page.getByRole("region", { name: /^Chart: Cost in [A-Z]{3}$/ })).toBeVisible();
  await page.getByRole("combobox", { name: "Grouped by" }).click();
  await page.getByRole("option", { name: "Cluster" }).click();
  await expect(page).toHaveURL(/group=cluster/);
  await page.getByRole("combobox", { name: "In steps of" }).click();
  await page.getByRole("option", { name: "A minute" }).click();
  await expect(page).toHaveURL(/granularity=minute/);
  await page.getByRole("combobox", { name: "Chart of" }).click();
  await page.getByRole("option", { name: "Produced" }).click();
  await expect(page.getByRole("region", { name: "Chart: Produced" })).toBeVisible();
  await inspect(page, "usage");
  const waiting = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export" }).click();
  await page.getByRole("menuitem", { name: "CSV", exact: true }).click();
  const file = await (await waiting).path();
  expect(readFileSync(file, "utf8")).toMatch(/^period_start,period_end,cluster,/);
});

test("the audit log is filtered, an entry is shown with its difference, and all of it is exported", async ({
  page,
  tenant,
}) => {
  const project = await tenant.rest<{ id: string }>("POST", "/v1/projects", {
    organization: tenant.organization,
    name: `audited-${Date.now().toString(36)}`,
  });
  await tenant.rest("PATCH", `/v1/projects/${project.id}`, { name: "renamed" }, { "If-Match": "*" });
  await page.goto("/organization/audit");
  await expect(page.getByRole("table", { name: "Entries" }).getByRole("row").nth(1)).toContainText(tenant.email);
  await inspect(page, "audit");
  await page.getByLabel("Which thing").fill(project.id);
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page).toHaveURL(new RegExp(`resource=${project.id}`));
  await expect(page.getByRole("table", { name: "Entries" }).getByRole("row")).toHaveCount(3);
  await page.getByRole("button", { name: /^update_project|^rename_project|^alter_project/ }).click();
  const entry = page.getByRole("dialog");
  await expect(entry.getByRole("table", { name: "What changed" })).toContainText("renamed");
  await inspect(page, "audit-entry");
  await page.keyboard.press("Escape");
  await page.getByRole("combobox", { name: "Decision" }).click();
  await page.getByRole("option", { name: "Denied" }).click();
  await page.getByRole("button", { name: "Filter" }).click();
  await expect(page.getByText("No entry matches")).toBeVisible();
  await page.getByRole("button", { name: "Show all" }).first().click();
  const waiting = page.waitForEvent("download");
  await page.getByRole("link", { name: "Export as JSON lines" }).click();
  const lines = readFileSync(await (await waiting).path(), "utf8")
    .trim()
    .split("\n");
  expect(lines.map((line) => JSON.parse(line).position)).toEqual(lines.map((_, index) => index + 1));
});

test("a cluster has an audit log of its own", async ({ page, tenant }) => {
  const { id } = await tenant.cluster("watched");
  await tenant.rest("POST", `/v1/clusters/${id}/topics`, { name: "watched", partitions: 1 });
  await page.goto(`/clusters/${id}/audit?action=create_topic`);
  await expect(page.getByRole("table", { name: "Entries" })).toContainText("watched");
  await inspect(page, "cluster-audit");
});

test("limits show what is used of them", async ({ page }) => {
  await page.goto("/organization/limits");
  const clusters = page.getByRole("progressbar", { name: "Clusters: used" });
  await expect(clusters, "there may be none").toHaveAttribute("aria-valuenow", /^\d+$/);
  await expect(page.getByRole("region", { name: "The REST API" })).toContainText("requests in");
  await inspect(page, "limits");
});

test("an organization is renamed, keeps its networks and its own address, and ends", async ({
  stranger: page,
  service,
}) => {
  const tenant = await Tenant.signUp(service, "Ends Soon");
  await page.goto("/login?return_to=%2Forganization%2Fsettings");
  await page.getByLabel("Email address").fill(tenant.email);
  await page.getByLabel(/^Password/).fill(tenant.password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Ends now");
  await page.getByRole("button", { name: "Save the name" }).click();
  await expect(page.getByRole("combobox", { name: "Organization" })).toHaveValue("Ends now");
  const networks = page.getByRole("region", { name: "Networks" });
  await networks.getByRole("textbox", { name: "Networks" }).fill("192.0.2.0/24\n300.1.1.1");
  await networks.getByRole("button", { name: "Save the networks" }).click();
  await expect(networks.getByRole("alert")).toContainText("Request");
  await networks.getByRole("textbox", { name: "Networks" }).fill("192.0.2.0/24");
  await networks.getByRole("button", { name: "Save the networks" }).click();
  await expect(networks.getByRole("alert")).toContainText("address");
  await inspect(page, "organization-settings");
  await networks.getByRole("textbox", { name: "Networks" }).fill("192.0.2.0/24\n127.0.0.0/8");
  await networks.getByRole("button", { name: "Save the networks" }).click();
  await expect(page.getByText("The networks are in force.")).toBeVisible();
  await page.getByRole("button", { name: "Add a login provider" }).click();
  const form = page.getByRole("dialog", { name: "Add a login provider" });
  await form.getByLabel("Name").fill("Okta");
  await form.getByLabel("Issuer").fill("http://login.example.com");
  await form.getByLabel("Client id").fill("firn");
  await form.getByLabel("Client secret").fill("a secret of the provider's");
  await inspect(page, "login-provider-form");
  await form.getByRole("button", { name: "Add it" }).click();
  await expect(form.getByRole("alert")).toContainText("Request");
  await form.getByLabel("Issuer").fill("https://login.example.com");
  await form.getByRole("button", { name: "Add it" }).click();
  const provider = page.getByRole("article", { name: "Okta" });
  await expect(provider).toContainText("/login?provider=idp_");
  await provider.getByRole("button", { name: "Remove Okta" }).click();
  await page.getByRole("dialog", { name: "Remove a login provider" }).getByRole("textbox").fill("Okta");
  await page.getByRole("button", { name: "Remove it" }).click();
  await expect(provider).toHaveCount(0);
  await page.getByRole("button", { name: "End the organization" }).click();
  await page.getByRole("dialog", { name: "End the organization" }).getByRole("textbox").fill("Ends now");
  await page.getByRole("button", { name: "End it for good" }).click();
  await expect(page).toHaveURL(/\/clusters$/);
  await expect(page.getByText("You are in no organization")).toBeVisible();
  await inspect(page, "organization-none");
  await page.getByRole("link", { name: "Make an organization" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Begins Again");
  await inspect(page, "organization-create");
  await page.getByRole("button", { name: "Make the organization" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "First five minutes" })).toBeVisible();
  await expect(page.getByRole("combobox", { name: "Organization" })).toHaveValue("Begins Again");
});
