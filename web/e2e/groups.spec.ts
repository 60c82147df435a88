import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { expect, inspect, type Tenant, test } from "./fixtures";

interface Stage {
  cluster: string;
  kcat: string[];
}

/** A cluster with the topic `orders` of three partitions, and how kcat logs in there. */
async function stage(tenant: Tenant, name: string): Promise<Stage> {
  const { id } = await tenant.cluster(name);
  const { kcat } = await tenant.kafkaUser(id);
  await tenant.rest("POST", `/v1/clusters/${id}/topics`, { name: "orders", partitions: 3 });
  return { cluster: id, kcat };
}

function produce({ kcat }: Stage, values: string[]): void {
  const done = spawnSync("kcat", [...kcat, "-P", "-t", "orders", "-p", "1"], { input: `${values.join("\n")}\n` });
  expect(done.status, done.stderr.toString()).toBe(0);
}

/** A consumer that goes on. */
function consume({ kcat }: Stage, group: string): ChildProcess {
  const settings = ["client.id=billing-app", "auto.offset.reset=earliest", "auto.commit.interval.ms=200"];
  const given = settings.flatMap((setting) => ["-X", setting]);
  return spawn("kcat", [...kcat, ...given, "-u", "-G", group, "orders"], { stdio: "ignore" });
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolved) => child.once("exit", resolved));
  child.kill("SIGTERM");
  await gone;
}

interface Lag {
  lag_records: number;
  partitions: { committed: number | null }[];
}

/** Until the group has read and committed so many records of its partition. */
async function read(tenant: Tenant, group: string, records: number): Promise<void> {
  const lag = () => tenant.rest<Lag>("GET", `${group}/lag`).catch(() => undefined);
  await expect
    .poll(async () => (await lag())?.partitions.some((partition) => partition.committed === records))
    .toBe(true);
}

test("a group is seen with its members and its lag, reset after a preview, and deleted", async ({ page, tenant }) => {
  // Lag is noted once a minute.
  test.setTimeout(300_000);
  const here = await stage(tenant, "groups");
  const groups = `/v1/clusters/${here.cluster}/groups`;

  await page.goto(`/clusters/${here.cluster}/groups`);
  await expect(page.getByText("No consumer group yet")).toBeVisible();
  await inspect(page, "groups-empty");

  produce(here, ["one", "two", "three", "four", "five", "six"]);
  const consumer = consume(here, "billing");
  await read(tenant, `${groups}/billing`, 6);

  await page.goto(`/clusters/${here.cluster}/groups`);
  await expect(page.getByRole("row", { name: /billing stable 1 0 orders range/ })).toBeVisible();
  await page.getByLabel("Find groups").fill("nothing like it");
  await expect(page.getByText("No group is like that")).toBeVisible();
  await page.getByLabel("Find groups").fill("bill");
  await expect(page).toHaveURL(/contains=bill/);
  await page.getByRole("link", { name: "billing" }).click();

  await expect(page.getByRole("heading", { level: 1, name: "billing" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Members" }).getByText("billing-app", { exact: true })).toBeVisible();
  await expect(page.getByText("0–2")).toBeVisible();
  await expect(page.getByRole("button", { name: "Delete" })).toBeDisabled();
  await page.getByRole("link", { name: "Reset offsets" }).click();
  await expect(page.getByText("Stop the group's members first")).toBeVisible();
  await expect(page.getByRole("button", { name: "Preview" })).toBeDisabled();

  await ended(consumer);
  produce(here, ["seven", "eight"]);
  await expect(page.getByRole("button", { name: "Preview" })).toBeEnabled();
  await page.getByRole("radio", { name: "Those of some topics" }).check();
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByText("Choose at least one topic")).toBeVisible();
  await page
    .getByLabel(/^Topics/)
    .first()
    .click();
  await page.getByRole("option", { name: "orders" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("textbox", { name: "Partitions" }).fill("1");
  await page.getByRole("radio", { name: "An offset" }).check();
  await page.getByRole("textbox", { name: "Offset" }).fill("3");
  await page.getByRole("button", { name: "Preview" }).click();
  await expect(page.getByText(/1 of 1 partition changes. The lag goes from 2 to 5 records/)).toBeVisible();
  await inspect(page, "group-reset");
  await page.getByRole("button", { name: "Set offsets" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("button", { name: "Set offsets" })).toBeDisabled();
  await dialog.getByRole("textbox").fill("billing");
  await dialog.getByRole("button", { name: "Set offsets" }).click();
  await expect(page.getByText("The offset is set.")).toBeVisible();

  await expect(page.getByText("5 records", { exact: true })).toBeVisible();
  await expect(page.getByText("Nobody is in the group now")).toBeVisible();
  // It is noted once a minute, and asked for every quarter of one.
  await expect(page.getByRole("figure", { name: /Lag by topic. orders: at most/ })).toBeVisible({ timeout: 150_000 });
  await page.getByText("Time", { exact: true }).click();
  await expect(page.getByRole("figure", { name: /orders: at most \d+/ })).toBeVisible();
  await inspect(page, "group");
  await page.goto(`/clusters/${here.cluster}/groups`);
  await expect(page.getByRole("row", { name: /billing empty 0 5/ })).toBeVisible();
  await inspect(page, "groups");

  await page.getByRole("link", { name: "billing" }).click();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("textbox").fill("billing");
  await page.getByRole("button", { name: "Delete group" }).click();
  await expect(page.getByText("No consumer group yet")).toBeVisible();
});

test("a group whose name needs escapes has its page", async ({ page, tenant }) => {
  const here = await stage(tenant, "odd-names");
  const name = "eu/billing 100% ü";
  const path = `/v1/clusters/${here.cluster}/groups/${encodeURIComponent(name)}/offsets:reset`;
  await tenant.rest("POST", path, { to: { kind: "latest" }, topics: [{ topic: "orders" }] });
  await page.goto(`/clusters/${here.cluster}/groups`);
  await page.getByRole("link", { name }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
  await page.getByRole("link", { name: "Reset offsets" }).click();
  await page.getByRole("link", { name }).click();
  await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
});
