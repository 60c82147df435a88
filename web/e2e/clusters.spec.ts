import { execFileSync, spawn } from "node:child_process";
import { expect, inspect, test } from "./fixtures";

test.describe.configure({ mode: "serial" });

test("a project is made, renamed and deleted", async ({ page }) => {
  await page.goto("/projects");
  await page.getByRole("button", { name: "Create project" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("payments");
  await page.getByRole("button", { name: "As curl and Terraform" }).click();
  await expect(page.getByRole("region", { name: "curl command" })).toContainText('"name": "payments"');
  await page.getByRole("dialog").getByRole("button", { name: "Create project" }).click();
  await expect(page.getByRole("link", { name: "payments" })).toBeVisible();
  // The same name again is refused where it was typed, with the sentence of the API.
  await page.getByRole("button", { name: "Create project" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("payments");
  await page.getByRole("dialog").getByRole("button", { name: "Create project" }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toContainText("Request");
  await page.getByRole("button", { name: "Cancel" }).click();

  await page.getByRole("button", { name: "Actions of payments" }).click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("invoices");
  await page.getByRole("button", { name: "Rename", exact: true }).click();
  await expect(page.getByRole("link", { name: "invoices" })).toBeVisible();
  await inspect(page, "projects");

  await page.getByRole("button", { name: "Actions of invoices" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  const confirm = page.getByRole("dialog").getByRole("button", { name: "Delete project" });
  await expect(confirm).toBeDisabled();
  await page.getByLabel("Type invoices to go on").fill("invoices");
  await confirm.click();
  await expect(page.getByRole("link", { name: "invoices" })).toBeHidden();
});

test("a cluster is made with a form that shows its curl and Terraform", async ({ page }) => {
  await page.goto("/clusters");
  await expect(page.getByText("No cluster yet")).toBeVisible();
  await inspect(page, "clusters-empty");
  await page.getByRole("link", { name: "Create cluster" }).first().click();
  await expect(page).toHaveURL(/\/clusters\/create$/);
  await page.getByRole("button", { name: "Create cluster" }).click();
  await expect(page.getByText("Give it a name")).toBeVisible();
  await page.getByRole("textbox", { name: "Name" }).fill("Orders EU");
  await page.getByRole("button", { name: "Limits" }).click();
  await page.getByLabel("Partitions").fill("50");
  await page.getByRole("button", { name: "As curl and Terraform" }).click();
  await expect(page.getByRole("region", { name: "curl command" })).toContainText('"partitions": 50');
  await page.getByRole("tab", { name: "Terraform" }).click();
  await expect(page.getByRole("region", { name: "Terraform" })).toContainText('resource "firn_cluster" "orders_eu"');
  await inspect(page, "cluster-create");
  await page.getByRole("button", { name: "Create cluster" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Orders EU" })).toBeVisible();
  await expect(page.getByText("No client has connected lately")).toBeVisible();
});

test("the overview shows clients as they come, and how much they do", async ({ page, tenant }) => {
  const { items } = await tenant.rest<{ items: { id: string; name: string }[] }>("GET", "/v1/clusters");
  const cluster = items.find(({ name }) => name === "Orders EU")?.id ?? "";
  await tenant.rest("POST", `/v1/clusters/${cluster}/topics`, { name: "orders", partitions: 45 });
  const user = await tenant.kafkaUser(cluster);
  await page.goto(`/clusters/${cluster}`);
  await expect(page.getByText("Healthy")).toBeVisible();

  execFileSync("kcat", ["-P", "-t", "orders", ...user.kcat, "-X", "client.id=producer"], {
    input: `${"x".repeat(1_000)}\n`.repeat(500),
  });
  const reader = spawn("kcat", ["-C", "-t", "orders", ...user.kcat, "-X", "client.id=reader"], { stdio: "ignore" });
  const table = page.getByRole("region", { name: "Connections", exact: true });
  const rows = table.getByRole("row");
  await expect(rows.filter({ hasText: "reader" }).filter({ hasText: "open" }).first()).toContainText("librdkafka");
  await expect(rows.filter({ hasText: "producer" }).first()).toContainText("closed");
  reader.kill("SIGTERM");
  await table.getByText("Closed lately").click();
  await expect(rows.filter({ hasText: "reader" }).first()).toContainText("closed");
  await table.getByText("All", { exact: true }).click();

  // 45 partitions of 50.
  await expect(page.getByRole("region", { name: "Limits" })).toContainText("close");
  await page.getByRole("region", { name: "Throughput" }).getByText("Live").click();
  await expect(page.getByRole("region", { name: "Throughput" }).getByRole("figure")).toBeVisible();
  await inspect(page, "cluster-overview");
  await page.goto("/clusters");
  await expect(page.getByRole("link", { name: "Orders EU" })).toBeVisible();
  await inspect(page, "clusters");
});

test("a cluster is renamed, limited, suspended, resumed, deleted and undeleted", async ({ page, tenant }) => {
  const { id } = await tenant.cluster("scratch");
  await page.goto(`/clusters/${id}/settings`);
  await page.getByRole("textbox", { name: "Name" }).fill("scratch two");
  await page.getByRole("button", { name: "Save settings" }).click();
  await expect(page.getByText("The settings are in force")).toBeVisible();
  await page.getByLabel("Topics").fill("12");
  await page.getByRole("button", { name: "Save limits" }).click();
  await expect(page.getByText("The limits are in force")).toBeVisible();
  expect(await tenant.rest("GET", `/v1/clusters/${id}`)).toMatchObject({ name: "scratch two", limits: { topics: 12 } });
  await inspect(page, "cluster-settings");

  await page.getByRole("button", { name: "Suspend cluster" }).click();
  await page.getByLabel("Type scratch two to go on").fill("scratch two");
  await page.getByRole("dialog").getByRole("button", { name: "As curl and Terraform" }).click();
  await expect(page.getByRole("region", { name: "curl command" })).toContainText("/suspend'");
  await page.getByRole("tab", { name: "Terraform" }).click();
  await expect(page.getByRole("dialog")).toContainText("is not declared in Terraform");
  await inspect(page, "cluster-suspend");
  await page.getByRole("dialog").getByRole("button", { name: "Suspend cluster" }).click();
  await expect(page.getByRole("button", { name: "Resume cluster" })).toBeVisible();
  await page.goto(`/clusters/${id}`);
  await expect(page.getByRole("status").filter({ hasText: "suspended" })).toBeVisible();
  await inspect(page, "cluster-suspended");
  await page.getByRole("link", { name: "Settings" }).first().click();
  await page.getByRole("button", { name: "Resume cluster" }).click();
  await expect(page.getByRole("button", { name: "Suspend cluster" })).toBeVisible();

  await page.getByRole("button", { name: "Delete cluster" }).click();
  await page.getByLabel("Type scratch two to go on").fill("scratch two");
  await page.getByRole("dialog").getByRole("button", { name: "Delete cluster" }).click();
  await expect(page.getByRole("button", { name: "Undelete cluster" })).toBeVisible();
  await inspect(page, "cluster-deleted");
  await page.getByRole("button", { name: "Undelete cluster" }).click();
  await expect(page.getByRole("button", { name: "Suspend cluster" })).toBeVisible();
});

test("a cluster that is not there shows the problem's sentence and the request's id", async ({ page }) => {
  await page.goto("/clusters/clu_aaaaaaaaaaaaaaaaaaaaaaaaaa");
  await expect(page.getByRole("alert")).toContainText("Request");
});
