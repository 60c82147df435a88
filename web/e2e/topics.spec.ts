import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Page } from "@playwright/test";
import { expect, inspect, type Tenant, test } from "./fixtures";

const run = promisify(execFile);

async function clusterOf(tenant: Tenant, name: string): Promise<string> {
  return (await tenant.cluster(name)).id;
}

async function topic(tenant: Tenant, cluster: string, name: string, partitions = 1): Promise<string> {
  await tenant.rest("POST", `/v1/clusters/${cluster}/topics`, { name, partitions });
  return `/clusters/${cluster}/topics/${name}`;
}

const table = (page: Page) => page.getByRole("table", { name: "Topics" });
/** The names in the list, as far as they are seen. */
const names = (page: Page) => table(page).getByRole("link");

test("a topic is made, and what would be refused is said while one types", async ({ page, tenant }) => {
  const cluster = await clusterOf(tenant, "topics create");
  await page.goto(`/clusters/${cluster}/topics`);
  await expect(page.getByText("No topic yet")).toBeVisible();
  await inspect(page, "topics-empty");
  await topic(tenant, cluster, "taken");
  await page.getByRole("button", { name: "Create topic" }).first().click();
  const form = page.getByRole("dialog", { name: "Create topic" });
  const submit = form.getByRole("button", { name: "Create topic" });
  await form.getByLabel("Name").fill("no spaces");
  await expect(form.getByText("Letters, digits, . _ and - are possible.")).toBeVisible();
  await expect(submit).toBeDisabled();
  await form.getByLabel("Name").fill("taken");
  await expect(form.getByRole("alert")).toContainText("already exists");
  await form.getByLabel("Name").fill("orders");
  await expect(form.getByText("Checked: the service would take this.")).toBeVisible();
  await form.getByRole("textbox", { name: "retention.ms" }).fill("-5");
  await expect(form.getByText("It must be at least -1.")).toBeVisible();
  await form.getByRole("textbox", { name: "retention.ms" }).fill("86400000");
  await expect(form.getByText("= 1 d", { exact: true })).toBeVisible();
  await form.getByLabel("Set another config").fill("largest batch");
  await page.getByRole("option", { name: "max.message.bytes" }).click();
  await form.getByRole("textbox", { name: "max.message.bytes" }).fill("2097152");
  await form.getByRole("button", { name: "As curl and Terraform" }).click();
  await expect(form.getByRole("region", { name: "curl command" })).toContainText('"retention.ms": "86400000"');
  await inspect(page, "topics-create");
  await submit.click();
  await expect(page.getByRole("heading", { level: 1, name: "orders" })).toBeVisible();
  const made = await tenant.rest<{ configs: Record<string, string> }>("GET", `/v1/clusters/${cluster}/topics/orders`);
  expect(made.configs).toEqual({ "max.message.bytes": "2097152", "retention.ms": "86400000" });
  await expect(page.getByText("How long records stay")).toBeVisible();
  await inspect(page, "topic-overview");
  await page.getByRole("link", { name: "Messages" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Messages of orders" })).toBeVisible();
  await page.getByRole("link", { name: "orders", exact: true }).click();
  await expect(page.getByText("How long records stay"), "each page has its own of the topic").toBeVisible();
});

test("the list is filtered, sorted, scrolled to its end, and many topics are deleted at once", async ({
  page,
  tenant,
}) => {
  const cluster = await clusterOf(tenant, "topics list");
  for (let from = 0; from < 400; from += 100) {
    const create = Array.from({ length: 100 }, (_, each) => ({
      name: `events-${String(from + each).padStart(3, "0")}`,
      partitions: from + each === 123 ? 5 : 1,
    }));
    await tenant.rest("POST", `/v1/clusters/${cluster}/topics/batch`, { create });
  }
  await page.goto(`/clusters/${cluster}/topics`);
  await expect(page.getByText("400 topics", { exact: true })).toBeVisible();
  await expect(names(page).first()).toHaveText("events-000");
  expect(await names(page).count(), "only what is seen is there").toBeLessThan(60);
  await inspect(page, "topics");

  await names(page).first().focus();
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("link", { name: "events-001" })).toBeFocused();
  await page.getByRole("rowgroup", { name: "Topics" }).evaluate((body) => body.scrollTo(0, body.scrollHeight));
  await expect(page.getByRole("link", { name: "events-399" })).toBeVisible();

  await page.getByRole("button", { name: "Partitions" }).click();
  await expect(page.getByRole("columnheader", { name: "Partitions" })).toHaveAttribute("aria-sort", "descending");
  await expect(names(page).first()).toHaveText("events-123");
  await page.getByLabel("Filter").pressSequentially("events-39");
  await expect(page.getByText("10 topics with", { exact: false })).toBeVisible();
  await page.getByRole("button", { name: "Name" }).click();
  await expect(names(page).first()).toHaveText("events-390");
  await page.reload();
  await expect(names(page), "the address keeps filter and order").toHaveCount(10);

  await page.getByLabel("Choose all 10 that are loaded").check();
  await tenant.rest("DELETE", `/v1/clusters/${cluster}/topics/events-395`);
  await page.getByRole("button", { name: "Delete 10" }).click();
  const confirm = page.getByRole("dialog", { name: "Delete 10 topics" });
  await expect(confirm.getByRole("button", { name: "Delete", exact: true })).toBeDisabled();
  await confirm.getByRole("textbox").fill("delete 10 topics");
  await confirm.getByRole("button", { name: "Delete", exact: true }).click();
  const results = page.getByRole("dialog", { name: "Deleting topics" });
  await expect(results.getByText("9 of 10 deleted, 1 failed.")).toBeVisible();
  await expect(results.getByRole("row").nth(1)).toContainText("events-395");
  await inspect(page, "topics-deleted");
  await results.getByRole("button", { name: "Done" }).click();
  await expect(page.getByText("No topic has that in its name.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Delete 1" }), "what is gone is not chosen").toBeHidden();
});

test("configs are changed with what changes in sight, and never over somebody else's change", async ({
  page,
  tenant,
}) => {
  const cluster = await clusterOf(tenant, "topics configs");
  const at = await topic(tenant, cluster, "orders");
  await page.goto(`${at}?tab=configuration`);
  await page.getByLabel("Find a config").fill("retention.ms");
  await expect(page.getByRole("row", { name: /^retention\.ms/ })).toContainText("usual");
  await inspect(page, "topic-configuration");
  await page.getByRole("button", { name: "Change retention.ms", exact: true }).click();
  const form = page.getByRole("dialog", { name: "Configuration of orders" });
  await form.getByRole("textbox", { name: "retention.ms" }).fill("3600000");
  const changes = form.getByRole("table", { name: "What will change" });
  await expect(changes.getByRole("row").nth(1)).toContainText("as usual: 604800000 (7 d)");
  await expect(changes.getByRole("row").nth(1)).toContainText("3600000 (1 h)");
  await inspect(page, "topic-configuration-edit");
  const path = `/v1/clusters/${cluster}/topics/orders`;
  await tenant.rest("PATCH", path, { configs: { "cleanup.policy": "compact" } }, { "If-Match": "*" });
  await form.getByRole("button", { name: "Save 1 change" }).click();
  await expect(form.getByText("Somebody else has changed this topic")).toBeVisible();
  await form.getByRole("button", { name: "Load it as it is now" }).click();
  await expect(form.getByRole("textbox", { name: "retention.ms" }), "the change stays in the form").toHaveValue(
    "3600000",
  );
  await form.getByRole("button", { name: "Save 1 change" }).click();
  await expect(form).toBeHidden();
  await expect(page.getByRole("row", { name: /^retention\.ms/ })).toContainText("the topic");
  const { configs } = await tenant.rest<{ configs: unknown }>("GET", path);
  expect(configs).toEqual({ "cleanup.policy": "compact", "retention.ms": "3600000" });
});

test("partitions are added and shown with their tiers, and who reads them with its lag", async ({ page, tenant }) => {
  const cluster = await clusterOf(tenant, "topics partitions");
  const at = await topic(tenant, cluster, "orders", 2);
  const { kcat } = await tenant.kafkaUser(cluster);
  const produce = (value: string) =>
    new Promise<void>((resolved, rejected) => {
      const child = execFile("kcat", ["-P", "-t", "orders", "-p", "0", ...kcat], (error) =>
        error ? rejected(error) : resolved(),
      );
      child.stdin?.end(value);
    });
  await produce("one\ntwo\nthree\n");
  await run("kcat", [...kcat, "-X", "auto.offset.reset=earliest", "-c", "3", "-G", "readers", "orders"]);
  await produce("four\n");

  await page.goto(`${at}?tab=partitions`);
  const first = page.getByRole("table", { name: "Partitions" }).getByRole("row").nth(1);
  await expect(first).toContainText("Broker 0");
  await expect(first.getByRole("cell").nth(3)).toHaveText("4");
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByRole("menuitem", { name: "Add partitions" }).click();
  const form = page.getByRole("dialog", { name: "Add partitions to orders" });
  await form.getByLabel("Partitions").fill("2");
  await expect(form.getByText("A whole number from 3 to 100,000 is expected.")).toBeVisible();
  await form.getByLabel("Partitions").fill("4");
  await expect(form.getByText("Checked: the service would take this.")).toBeVisible();
  await inspect(page, "topic-partitions-add");
  await form.getByRole("button", { name: "Add partitions" }).click();
  await expect(page.getByRole("table", { name: "Partitions" }).getByRole("row")).toHaveCount(5);
  await inspect(page, "topic-partitions");

  await page.getByRole("tab", { name: "Consumers" }).click();
  const group = page.getByRole("table", { name: "Consumers" }).getByRole("row", { name: /readers/ });
  await expect(group.getByRole("cell").nth(2)).toHaveText("1");
  await inspect(page, "topic-consumers");

  await page.goto(`/clusters/${cluster}/topics?sort=-size`);
  const listed = table(page)
    .getByRole("row", { name: /orders/ })
    .getByRole("cell");
  await expect(listed.nth(3), "records").toHaveText("4");
  await expect(listed.nth(4), "size").toHaveText(/^[1-9][0-9.]* (B|KiB)$/);
});

test("a topic is deleted by who types its name", async ({ page, tenant }) => {
  const cluster = await clusterOf(tenant, "topics delete");
  const at = await topic(tenant, cluster, "old-orders");
  await page.goto(at);
  await page.getByRole("button", { name: "Change" }).click();
  await page.getByRole("menuitem", { name: "Delete topic" }).click();
  const confirm = page.getByRole("dialog", { name: "Delete topic" });
  await confirm.getByRole("textbox").fill("old-order");
  await expect(confirm.getByRole("button", { name: "Delete topic" })).toBeDisabled();
  await confirm.getByRole("textbox").fill("old-orders");
  await confirm.getByRole("button", { name: "Delete topic" }).click();
  await expect(page).toHaveURL(/\/topics$/);
  await expect(page.getByText("No topic yet")).toBeVisible();
  await page.goto(at);
  await expect(page.getByRole("alert")).toContainText("no such topic");
});
