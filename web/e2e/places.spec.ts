import { expect, inspect, test } from "./fixtures";

test("an address that leads nowhere says so, and where to go", async ({ page }) => {
  await page.goto("/no/such/place");
  await expect(page.getByRole("heading", { level: 1, name: "There is nothing here" })).toBeVisible();
  await inspect(page, "nowhere");
  await page.getByRole("link", { name: "To your clusters" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Clusters" })).toBeVisible();
});

test("the palette finds a topic of the cluster", async ({ page, tenant }) => {
  const { id } = await tenant.cluster("places");
  await tenant.rest("POST", `/v1/clusters/${id}/topics`, { name: "snow-depths", partitions: 1 });
  await page.goto(`/clusters/${id}`);
  await expect(page.getByRole("heading", { level: 1, name: "places" })).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(page.getByPlaceholder("Where to?")).toBeFocused();
  await inspect(page, "palette");
  await page.keyboard.type("snow");
  await page.getByRole("button", { name: "snow-depths" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "snow-depths" })).toBeVisible();
});

test("service accounts are listed", async ({ page, tenant }) => {
  for (const name of ["billing", "reports"])
    await tenant.rest("POST", "/v1/service-accounts", { project: tenant.project, name });
  await page.goto("/service-accounts");
  await expect(page.getByRole("link", { name: "reports" })).toBeVisible();
  await inspect(page, "service-accounts");
});
