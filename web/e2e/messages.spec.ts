import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { Page } from "@playwright/test";
import { expect, inspect, type Tenant, test } from "./fixtures";

const base64 = (...numbers: number[]) => Buffer.from(numbers).toString("base64");

interface Place {
  cluster: string;
  records: string;
  page: string;
}

let number = 0;

/** A topic of its own, in a cluster of its own. */
async function topic(tenant: Tenant, name: string, partitions = 2): Promise<Place> {
  number += 1;
  const { id: cluster } = await tenant.cluster(`messages-${number}-${Date.now().toString(36)}`);
  await tenant.rest("POST", `/v1/clusters/${cluster}/topics`, { name, partitions });
  return {
    cluster,
    records: `/v1/clusters/${cluster}/topics/${name}/records`,
    page: `/clusters/${cluster}/topics/${name}/messages`,
  };
}

const orders = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({
    key: { text: `order-${from + at}` },
    value: { json: { id: from + at, total: (from + at) * 1.5, customer: { name: from + at === 217 ? "Ada" : "Bob" } } },
    headers: [{ key: "source", value: { text: "web" } }],
  }));

const found = (page: Page) => page.getByRole("status").filter({ hasText: "found" });

test("messages are found beyond the first page, looked at, and exported", async ({ page, tenant }) => {
  const { records, page: address } = await topic(tenant, "orders");
  for (const from of [0, 100, 200]) await tenant.rest("POST", records, { records: orders(from, 100) });
  await page.goto(address);
  await expect(page.getByRole("heading", { level: 1, name: "Messages of orders" })).toBeVisible();
  await expect(found(page)).toContainText("50 found");
  await inspect(page, "messages");

  await page.getByRole("combobox", { name: "Begin at" }).click();
  await page.getByRole("option", { name: "Oldest message" }).click();
  await page.getByRole("textbox", { name: "Filter" }).fill('json.customer.name == "Ada" && headers["source"] == "web"');
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await expect(found(page)).toContainText("1 found, 300 looked at");
  await expect(found(page)).toContainText("to the end");
  await expect(page).toHaveURL(/filter=/);

  await page.getByRole("button", { name: /^Open offset/ }).click();
  const drawer = page.getByRole("dialog");
  await expect(drawer.getByLabel("Value, decoded")).toContainText('"name": "Ada"');
  await inspect(page, "message");
  await drawer.getByRole("combobox", { name: "Value as" }).click();
  await page.getByRole("option", { name: "Hex" }).click();
  await expect(drawer.getByLabel("Value, decoded")).toContainText("00000000  7b 22 69 64");
  await drawer.getByRole("tab", { name: "Headers (1)" }).click();
  await drawer.getByRole("button", { name: "Show" }).click();
  await expect(drawer.getByLabel("Header source, decoded")).toHaveText("web");
  await page.keyboard.press("Escape");

  const saved = async (kind: string) => {
    const download = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: kind, exact: true }).click();
    return readFileSync(await (await download).path(), "utf8");
  };
  await page.getByRole("button", { name: "Export" }).click();
  expect(JSON.parse(await saved("JSON lines")).value.customer).toEqual({ name: "Ada" });
  await page.getByRole("button", { name: "Export" }).click();
  const masked = await saved("CSV, masked");
  expect(masked).toContain("•••");
  expect(masked).not.toContain("Ada");
});

test("a wrong filter is told where it is wrong", async ({ page, tenant }) => {
  const { page: address } = await topic(tenant, "wrong");
  await page.goto(`${address}?filter=${encodeURIComponent("json.a = 1")}`);
  await expect(page.getByRole("alert")).toContainText("position 8");
  await page.getByRole("button", { name: "What a filter may say" }).click();
  await page.getByRole("button", { name: /value == null/ }).click();
  await expect(page.getByRole("textbox", { name: "Filter" })).toHaveValue("value == null");
});

test("a live tail shows what kcat produces, and what is produced here", async ({ page, tenant }) => {
  const { cluster, page: address } = await topic(tenant, "events", 1);
  await page.goto(`${address}?live=true`);
  await expect(page.getByText("Waiting for messages")).toBeVisible();
  const { kcat } = await tenant.kafkaUser(cluster);
  execFileSync("kcat", ["-P", "-t", "events", "-K", ":", "-z", "gzip", ...kcat], { input: "k:from kcat\n" });
  await expect(page.getByRole("cell", { name: "from kcat" })).toBeVisible({ timeout: 20_000 });

  await page.getByRole("button", { name: "Produce" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox", { name: "Value", exact: true }).fill('{"broken":');
  await expect(dialog.getByText(/no JSON/)).toBeVisible();
  await expect(dialog.getByRole("button", { name: "Produce" })).toBeDisabled();
  await dialog.getByRole("textbox", { name: "Value", exact: true }).fill('{"id": 12345678901234567890}');
  await dialog.getByRole("button", { name: "Add a header" }).click();
  await dialog.getByLabel("Name of header 1").fill("source");
  await dialog.getByLabel("Value of header 1").fill("console");
  await inspect(page, "messages-produce");
  await dialog.getByRole("button", { name: "Produce" }).click();
  await expect(page.getByText("Produced to partition 0, offset 1.")).toBeVisible();
  await dialog.getByRole("button", { name: "Close" }).last().click();
  await expect(page.getByRole("cell", { name: '{ "id": 12345678901234567890 }' })).toBeVisible({ timeout: 20_000 });
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.getByText("Stopped")).toBeVisible();
});

test("messages are replayed to another topic, one of them edited", async ({ page, tenant }) => {
  const { cluster, records, page: address } = await topic(tenant, "failed", 1);
  await tenant.rest("POST", `/v1/clusters/${cluster}/topics`, { name: "again", partitions: 1 });
  await tenant.rest("POST", records, {
    records: [
      { key: { text: "a" }, value: { text: "one" } },
      { key: { text: "b" }, value: { base64: base64(0, 255) }, headers: [{ key: "h", value: null }] },
      { key: { text: "c" }, value: null },
    ],
  });
  await page.goto(address);
  await page.getByRole("checkbox", { name: "Select all messages" }).check();
  await page.getByRole("button", { name: "Replay 3" }).click();
  await page.getByLabel("To the topic").fill("again");
  await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
  await expect(page.getByText("3 messages were produced to again.")).toBeVisible();
  await page.getByRole("button", { name: "Open offset 0 of partition 0" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
  await page.getByLabel("To the topic").fill("again");
  await page.getByRole("textbox", { name: "Value", exact: true }).fill("mended");
  await inspect(page, "messages-replay");
  await page.getByRole("dialog", { name: "Replay a message" }).getByRole("button", { name: "Replay" }).click();
  await expect(page.getByText("One message was produced to again.")).toBeVisible();
  const { items } = await tenant.rest<{ items: { value: string | null; headers: unknown[] }[] }>(
    "GET",
    `/v1/clusters/${cluster}/topics/again/records?start=earliest`,
  );
  const text = (each: string | null) => (each === null ? null : Buffer.from(each, "base64").toString("latin1"));
  expect(items.map(({ value }) => text(value))).toEqual(["one", "\u0000ÿ", null, "mended"]);
  expect(items[1]?.headers).toEqual([{ key: "h", value: null }]);
});

test("schemas that are pasted read Avro and Protobuf, under the page's own policy", async ({ page, tenant }) => {
  const { records, page: address } = await topic(tenant, "binary", 1);
  await tenant.rest("POST", records, {
    records: [
      { value: { base64: base64(14, 6, 0x41, 0x64, 0x61) } },
      { value: { base64: base64(0x08, 0x07, 0x12, 0x03, 0x41, 0x64, 0x61) } },
      { value: { base64: base64(0x82, 0xa1, 0x61, 0x01, 0xa1, 0x62, 0xc3) } },
      { value: { base64: base64(0xa1, 0x61, 0x61, 0x18, 0x2a) } },
      { value: { base64: gzipSync("x").toString("base64") } },
    ],
  });
  await page.goto(address);
  await expect(found(page)).toContainText("5 found");
  const open = async (offset: number) => {
    await page.getByRole("button", { name: `Open offset ${offset} of partition 0` }).click();
    return page.getByRole("dialog").getByLabel("Value, decoded");
  };
  await expect(await open(2)).toHaveText(/"a": 1,\s+"b": true/);
  await page.keyboard.press("Escape");
  await expect(await open(3)).toHaveText(/"a": 42/);
  await page.keyboard.press("Escape");

  await page.getByRole("button", { name: "Schemas" }).click();
  await page
    .getByLabel("Avro schema (JSON)")
    .fill('{"type":"record","name":"P","fields":[{"name":"id","type":"int"},{"name":"who","type":"string"}]}');
  await page
    .getByLabel("Protobuf (.proto)")
    .fill('syntax = "proto3"; message Person { int32 id = 1; string name = 2; }');
  await expect(page.getByRole("combobox", { name: "Message", exact: true })).toHaveValue("Person");
  await inspect(page, "messages-schemas");
  await page.getByRole("button", { name: "Use", exact: true }).click();
  await expect(await open(0)).toHaveText(/"id": 7,\s+"who": "Ada"/);
  await page.keyboard.press("Escape");
  await expect(await open(1)).toHaveText(/"id": 7,\s+"name": "Ada"/);
});

test("a topic without messages says what to do", async ({ page, tenant }) => {
  const { page: address } = await topic(tenant, "empty");
  await page.goto(address);
  await expect(page.getByText("There is nothing here")).toBeVisible();
  await inspect(page, "messages-empty");
  await page.getByRole("button", { name: "Produce a message" }).click();
  await expect(page.getByRole("dialog", { name: "Produce to empty" })).toBeVisible();
});
