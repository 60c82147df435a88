/** Who may do what: service accounts and their secrets, ACLs, trust, quotas. Each page does its main job against the real service. */
import { authority, choose, code, confirm, issuer, kcat, save } from "./access";
import { expect, inspect, type Tenant, test } from "./fixtures";

/** The cluster that a test is about, and the one that most of them share. */
let cluster = "";
let shared = "";

async function clusterWithTopics(tenant: Tenant, name: string): Promise<string> {
  const { id } = await tenant.cluster(name);
  const topics = ["orders.placed", "orders.paid", "orders.secret", "clicks"];
  const create = topics.map((topic) => ({ name: topic, partitions: 2 }));
  await tenant.rest("POST", `/v1/clusters/${id}/topics/batch`, { create });
  return id;
}

test.beforeEach(async ({ tenant }) => {
  shared ||= await clusterWithTopics(tenant, "Payments");
  cluster = shared;
});

const at = (place: string) => `/clusters/${cluster}/access/${place}`;

async function account(tenant: Tenant, name: string, role?: string): Promise<string> {
  const body = { project: tenant.project, name, ...(role ? { role: { role } } : {}) };
  return (await tenant.rest<{ id: string }>("POST", "/v1/service-accounts", body)).id;
}

/** What kcat needs to be this service account. */
async function kcatAs(tenant: Tenant, service_account: string): Promise<string[]> {
  const { client } = await tenant.rest<{ client: Record<string, string> }>(
    "POST",
    `/v1/clusters/${cluster}/scram-credentials`,
    { service_account },
  );
  const settings = {
    "bootstrap.servers": client.bootstrap_servers,
    "security.protocol": client.security_protocol,
    "sasl.mechanisms": "SCRAM-SHA-512",
    "sasl.username": client.username,
    "sasl.password": client.password,
    "enable.ssl.certificate.verification": "false",
  };
  return Object.entries(settings).flatMap(([key, value]) => ["-X", `${key}=${value}`]);
}

test("a service account is made with a role, renamed, and deleted by its name", async ({ page, tenant }) => {
  const body = { organization: tenant.organization, name: "Reporting" };
  const project = await tenant.rest<{ id: string }>("POST", "/v1/projects", body);
  await tenant.rest("POST", "/v1/clusters", { project: project.id, name: "Warehouse" });
  await page.goto(`/service-accounts?project=${project.id}`);
  await expect(page.getByText("No program has an account here yet")).toBeVisible();
  await inspect(page, "service-accounts-empty");
  await page.getByRole("button", { name: "Create service account" }).first().click();
  await page.getByLabel("Name", { exact: false }).first().fill("reports");
  await choose(page, "Role to begin with", /Viewer/);
  const written = await code(page);
  expect(written).toContain('resource "firn_service_account" "reports"');
  expect(written).toContain("principal = firn_service_account.reports.id");
  await inspect(page, "service-account-new");
  await page.getByRole("dialog").getByRole("button", { name: "Create service account" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "reports" })).toBeVisible();

  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("monthly-reports");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "monthly-reports" })).toBeVisible();

  await page.getByRole("tab", { name: "Roles" }).click();
  await expect(page.getByRole("cell", { name: "viewer" })).toBeVisible();
  await inspect(page, "service-account-roles");
  await page.getByRole("button", { name: "Give a role" }).click();
  await choose(page, "Where it holds", "Cluster Warehouse");
  await page.getByRole("button", { name: "Give the role" }).click();
  await expect(page.getByRole("cell", { name: "Cluster Warehouse" })).toBeVisible();
  await page
    .getByRole("row", { name: /developer/ })
    .getByRole("button", { name: "Take away" })
    .click();
  await confirm(page, "developer", "Take away");
  await expect(page.getByRole("cell", { name: "Cluster Warehouse" })).toBeHidden();

  await page.getByRole("button", { name: "Delete" }).click();
  await confirm(page, "monthly-reports", "Delete service account");
  await expect(page).toHaveURL(/\/service-accounts\?/);
  await expect(page.getByText("No program has an account here yet")).toBeVisible();
});

test("an API key is shown once, is rotated with a second one, and revoked", async ({ page, tenant, service }) => {
  const id = await account(tenant, "deployer", "developer");
  await page.goto(`/service-accounts/${id}`);
  const secrets: string[] = [];
  for (const name of ["laptop", "runner"]) {
    await page.getByRole("button", { name: "Create API key" }).first().click();
    await page.getByRole("dialog").getByLabel("Name").fill(name);
    await choose(page, "Expires", "In 90 days");
    await page.getByRole("dialog").getByRole("button", { name: "Create API key" }).click();
    const shown = page.getByRole("dialog", { name: "Save your API key" });
    const secret =
      (await shown
        .getByText(/^firn_live_/)
        .first()
        .textContent()) ?? "";
    secrets.push(secret);
    await page.keyboard.press("Escape");
    await expect(shown, "nobody closes it by accident").toBeVisible();
    if (name === "laptop") await inspect(page, "secret-once");
    await expect(shown.getByRole("button", { name: "Done" })).toBeDisabled();
    await shown.getByLabel("I have saved it").check();
    await shown.getByRole("button", { name: "Done" }).click();
    await expect(shown).toBeHidden();
    expect(await page.content()).not.toContain(secret);
  }
  await expect(page.getByText("Rotation under way")).toBeVisible();
  await inspect(page, "service-account-keys");
  const works = async (secret: string | undefined) =>
    (
      await fetch(`${service.http}/v1/projects?organization=${tenant.organization}`, {
        headers: { Authorization: `Bearer ${secret}` },
      })
    ).status;
  expect(await works(secrets[0])).toBe(200);
  await page.getByRole("button", { name: "Revoke laptop" }).click();
  await confirm(page, "laptop", "Revoke API key");
  await expect(page.getByText("1 key is active")).toBeVisible();
  expect(await works(secrets[0])).toBe(401);
  expect(await works(secrets[1])).toBe(200);
});

test("a password is made and rotated, kcat logs in with both, and the first one is revoked", async ({
  page,
  tenant,
}) => {
  await account(tenant, "shop", "developer");
  await page.goto(at("scram"));
  await expect(page.getByText("No client has a password here yet")).toBeVisible();
  await inspect(page, "scram-empty");
  await page.getByRole("button", { name: "Create credential" }).first().click();
  await choose(page, "Service account", "shop");
  const written = await code(page);
  expect(written).toContain("password_wo         = var.kafka_password");
  expect(written).toContain("firn_scram_credential");
  await page.getByRole("dialog").getByRole("button", { name: "Create credential" }).click();
  const first = await save(page);
  await page.getByRole("button", { name: /^Rotate/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Create second password" }).click();
  const second = await save(page);
  await expect(page.getByText("Rotation under way")).toBeVisible();
  await inspect(page, "scram");
  for (const client of [first, second]) expect((await kcat([...client, "-L"])).said).toContain("orders.placed");

  await page
    .getByRole("button", { name: /^Revoke/ })
    .first()
    .click();
  const word = (await page.getByRole("dialog").locator("b").textContent()) ?? "";
  await confirm(page, word, "Revoke credential");
  await expect(page.getByText("Rotation under way")).toBeHidden();
  const left = [await kcat([...first, "-L", "-m", "3"]), await kcat([...second, "-L", "-m", "3"])];
  expect(left.filter(({ ok }) => ok)).toHaveLength(1);

  await page.getByRole("link", { name: "shop" }).click();
  await page.getByRole("tab", { name: "Passwords" }).click();
  await expect(page.getByRole("cell", { name: "Payments" })).toBeVisible();
  await inspect(page, "service-account-scram");
});

test("a client is denied, the wizard allows it, and then it produces and consumes", async ({ page, tenant }) => {
  const id = await account(tenant, "payments-writer");
  const client = await kcatAs(tenant, id);
  const produce = () => kcat([...client, "-P", "-t", "orders.placed", "-X", "message.timeout.ms=60000"], "one\n");
  const denied = await produce();
  expect(denied.ok).toBe(false);
  expect(denied.said).toMatch(/authoriz/i);

  await page.goto(at("acls"));
  await expect(page.getByText("This cluster has no ACL yet")).toBeVisible();
  await inspect(page, "acls-empty");
  await page.getByRole("link", { name: "Allow or deny" }).first().click();
  await choose(page, "Service account", "payments-writer");
  await page.getByRole("radio", { name: "Both" }).click();
  await page.getByText("By prefix").first().click();
  await page.getByLabel("Topic: prefix").fill("orders.");
  await expect(page.getByText(/Matches 3 topics: orders.paid, orders.placed, orders.secret/)).toBeVisible();
  await page.getByLabel("Consumer group: name").fill("payments");
  expect(await code(page)).toContain("for_each = {");
  await inspect(page, "acl-wizard");
  await page.getByRole("button", { name: "Create 3 ACLs" }).click();
  await expect(page.getByText("In force")).toBeVisible();
  await inspect(page, "acl-wizard-done");

  expect((await produce()).said).toBe("");
  const read = await kcat([
    ...client,
    "-G",
    "payments",
    "-c",
    "1",
    "-X",
    "auto.offset.reset=earliest",
    "orders.placed",
  ]);
  expect(read.said).toContain("one");

  await page.getByRole("link", { name: "See its ACLs" }).click();
  await expect(page.getByText("3 ACLs")).toBeVisible();
});

test("the wizard warns of a deny, the matrix marks it, and the list deletes many at once", async ({ page, tenant }) => {
  cluster = await clusterWithTopics(tenant, "Audited");
  const writer = { principal: `User:${await account(tenant, "orders-writer")}`, pattern_type: "prefixed" };
  const create = ["read", "write"].map((operation) => ({
    ...writer,
    resource_type: "topic",
    resource_name: "orders.",
    operation,
    permission: "allow",
  }));
  await tenant.rest("POST", `/v1/clusters/${cluster}/acls/batch`, { create });
  const principal = `User:${await account(tenant, "auditor")}`;
  await page.goto(`${at("acls/new")}?principal=${encodeURIComponent(principal)}&topic=orders.secret`);
  await page.getByRole("radio", { name: "A single ACL" }).click();
  await page.getByText("Deny", { exact: true }).click();
  await page.getByRole("button", { name: "Create 1 ACL" }).click();
  await expect(page.getByText("In force")).toBeVisible();

  await page.goto(`${at("acls/new")}?principal=${encodeURIComponent(principal)}`);
  await page.getByRole("radio", { name: "Consume" }).click();
  await page.getByText("All", { exact: true }).first().click();
  await page.getByLabel("Consumer group: name").fill("auditor");
  await expect(page.getByText("Denied in part: read on all topics")).toBeVisible();
  await inspect(page, "acl-wizard-deny");
  await page.getByRole("button", { name: "Create 2 ACLs" }).click();
  await expect(page.getByText("In force")).toBeVisible();

  await page.goto(at("acls"));
  await expect(page.getByRole("button", { name: "auditor on orders.secret: deny read" })).toBeVisible();
  await inspect(page, "acls-matrix");
  await page.getByRole("button", { name: "auditor on orders.secret: deny read" }).click();
  await expect(page.getByRole("dialog", { name: "auditor on orders.secret" })).toBeVisible();
  await inspect(page, "acls-cell");
  await page.getByRole("button", { name: "Close" }).click();

  await page.getByLabel("Applies to").fill("orders.secret");
  await expect(page.getByText("4 ACLs"), "prefix, star and name").toBeVisible();
  await page.getByRole("combobox", { name: "Who" }).fill("auditor");
  await expect(page.getByText("2 ACLs")).toBeVisible();
  await page.getByText("List", { exact: true }).click();
  await page.getByLabel("Select all that are shown").check();
  await inspect(page, "acls-list");
  await page.getByRole("button", { name: "Delete 2 selected" }).click();
  await expect(page.getByText("One of them denies")).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Delete 2 ACLs" }).click();
  await expect(page.getByText("No ACL is like that")).toBeVisible();
  const left = await tenant.rest<{ items: unknown[] }>("GET", `/v1/clusters/${cluster}/acls`);
  expect(left.items, "the writer's two, and the auditor's group").toHaveLength(3);
});

test("a matrix of a thousand ACLs draws only what is in sight", async ({ page, tenant }) => {
  const other = (await tenant.cluster("Many")).id;
  for (let batch = 0; batch < 5; batch += 1) {
    const create = Array.from({ length: 200 }, (_, at) => ({
      resource_type: "topic",
      resource_name: `topic-${String(batch * 200 + at).padStart(4, "0")}`,
      principal: `User:client-${at % 50}`,
      operation: "read",
      permission: at % 10 === 0 ? "deny" : "allow",
    }));
    await tenant.rest("POST", `/v1/clusters/${other}/acls/batch`, { create });
  }
  await page.goto(`/clusters/${other}/access/acls`);
  await expect(page.getByText("1,000 ACLs")).toBeVisible();
  expect(await page.getByRole("row").count()).toBeLessThan(60);
  const matrix = page.getByRole("region", { name: "Matrix of ACLs" });
  await matrix.evaluate((frame) => frame.scrollTo(0, frame.scrollHeight));
  await expect(page.getByText("topic-0999")).toBeVisible();
  await matrix.evaluate((frame) => frame.scrollTo(frame.scrollWidth, frame.scrollHeight));
  await expect(page.getByRole("columnheader", { name: "User:client-9", exact: true })).toBeVisible();
  await inspect(page, "acls-many");
});

test("why denied: by the audit entry, with a button that makes the smallest ACL", async ({ page, tenant }) => {
  const id = await account(tenant, "late-reader");
  const client = await kcatAs(tenant, id);
  const denied = await kcat([...client, "-C", "-t", "clicks", "-p", "0", "-o", "0", "-c", "1", "-X", "retries=1"]);
  expect(denied.ok).toBe(false);
  const principal = encodeURIComponent(`User:${id}`);
  let entry = "";
  await expect(async () => {
    const found = await tenant.rest<{ items: { id: string; resource: string }[] }>(
      "GET",
      `/v1/clusters/${cluster}/audit?principal=${principal}&decision=denied`,
    );
    entry = found.items.find(({ resource }) => resource === "clicks")?.id ?? "";
    expect(entry).not.toBe("");
  }).toPass();

  await page.goto(at("why-denied"));
  await inspect(page, "why-denied-empty");
  await page.getByLabel("Audit entry").fill(entry);
  await page.getByRole("button", { name: "Look up" }).click();
  await expect(page).toHaveURL(new RegExp(entry));
  await expect(page.getByText("The smallest ACL that would allow it")).toBeVisible();
  await inspect(page, "why-denied");
  await page.getByRole("button", { name: "Create this ACL" }).click();
  await expect(page.getByText("Decided by: an ACL")).toBeVisible();

  const question = `?principal=${principal}&operation=read&resource_type=topic&resource_name=orders.paid`;
  await tenant.rest("POST", `/v1/clusters/${cluster}/acls`, {
    resource_type: "topic",
    resource_name: "orders.",
    pattern_type: "prefixed",
    principal: "User:*",
    host: "192.0.2.7",
    operation: "all",
    permission: "deny",
  });
  await page.goto(`${at("why-denied")}${question}`);
  await expect(page.getByText("Decided by: nothing allows it")).toBeVisible();
  await page.getByLabel("From where").fill("192.0.2.7");
  await page.getByRole("button", { name: "Explain" }).click();
  await expect(page.getByText("What denies it would have to go first")).toBeVisible();
  await inspect(page, "why-denied-by-acl");
});

test("quotas: a default for any user and all limits of one entity, edited and deleted", async ({ page }) => {
  await page.goto(at("quotas"));
  await expect(page.getByText("No client has a quota here")).toBeVisible();
  await inspect(page, "quotas-empty");
  await page.getByRole("button", { name: "Set quotas" }).first().click();
  await page.getByLabel("Any user without one of its own").check();
  await page.getByLabel("Produce", { exact: true }).fill("1.5");
  await page.getByLabel("Fetch", { exact: true }).fill("512");
  await choose(page, "Unit of Fetch", "KiB/s");
  await page.getByLabel("Processor time", { exact: true }).fill("150");
  await page.getByLabel("Partitions changed", { exact: true }).fill("2");
  expect(await code(page)).toContain('user                     = "<default>"');
  await inspect(page, "quota-form");
  await page.getByRole("dialog").getByRole("button", { name: "Set quotas" }).click();
  await expect(page.getByText("Produce: 1.5 MiB/s")).toBeVisible();
  await expect(page.getByText("Fetch: 512 KiB/s")).toBeVisible();

  await page.getByRole("button", { name: "Set quotas" }).first().click();
  await choose(page, "Quotas for", "IP address");
  await page.getByRole("textbox", { name: "IP address" }).fill("192.0.2.9");
  await page.getByLabel("New connections", { exact: true }).fill("10");
  await page.getByRole("dialog").getByRole("button", { name: "Set quotas" }).click();
  await expect(page.getByText("New connections: 10 per second")).toBeVisible();
  await page.getByRole("button", { name: "Edit address 192.0.2.9" }).click();
  await page.getByLabel("New connections", { exact: true }).fill("20");
  await page.getByRole("dialog").getByRole("button", { name: "Set quotas" }).click();
  await expect(page.getByText("New connections: 20 per second")).toBeVisible();
  await inspect(page, "quotas");
  for (const text of ["address 192.0.2.9", "any user"]) {
    await page.getByRole("button", { name: `Delete ${text}` }).click();
    await confirm(page, text, "Delete quotas");
  }
  await expect(page.getByText("No client has a quota here")).toBeVisible();
});

test("why throttled: who waits appears while they wait", async ({ page, tenant }) => {
  const { kcat: client, account: id } = await tenant.kafkaUser(cluster);
  await page.goto(at("why-throttled"));
  await expect(page.getByText("Nobody waits")).toBeVisible();
  await inspect(page, "why-throttled-empty");
  const quota = { entity: { user: { name: id } }, quotas: { producer_byte_rate: 2_048 } };
  await tenant.rest("PUT", `/v1/clusters/${cluster}/quotas`, quota);
  const producing = kcat(
    [...client, "-P", "-t", "clicks", "-X", "client.id=crawler", "-X", "batch.num.messages=50"],
    `${"x".repeat(99)}\n`.repeat(400),
  );
  await expect(page.getByText("Produce: 2 KiB/s")).toBeVisible();
  await expect(page.getByText("client id crawler")).toBeVisible();
  await inspect(page, "why-throttled");
  await tenant.rest("PUT", `/v1/clusters/${cluster}/quotas`, {
    ...quota,
    quotas: { producer_byte_rate: 100_000_000 },
  });
  expect((await producing).ok).toBe(true);
});

test("a CA pool is pasted, its rules are tried, changed and deleted", async ({ page }) => {
  const [old, next] = [authority("Clients 2026", 10), authority("Clients 2027", 400)];
  await page.goto(at("ca-pools"));
  await expect(page.getByText("No client logs in by certificate here")).toBeVisible();
  await inspect(page, "ca-pools-empty");
  await page.getByRole("button", { name: "Add CA pool" }).first().click();
  await page.getByLabel("Name", { exact: false }).first().fill("clients");
  await page.getByRole("textbox", { name: "Authorities" }).fill(`some text around it\n${old}`);
  await expect(page.getByText("1 certificate", { exact: true })).toBeVisible();
  await page.getByLabel("Mapping rules").fill("RULE:^CN=(.*?),.*$/$1@clients/L");
  await expect(page.getByText("User:payments@clients")).toBeVisible();
  await inspect(page, "ca-pool-form");
  await page.getByRole("dialog").getByRole("button", { name: "Add CA pool" }).click();
  await expect(page.getByText("Ends within 30 days")).toBeVisible();

  await page.getByRole("button", { name: "Edit clients" }).click();
  await page.getByRole("textbox", { name: "Authorities" }).fill(`${old}\n${next}`);
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("CN=Clients 2027")).toBeVisible();
  await inspect(page, "ca-pools");
  await page.getByRole("button", { name: "Delete clients" }).click();
  await confirm(page, "clients", "Delete CA pool");
  await expect(page.getByText("No client logs in by certificate here")).toBeVisible();
});

test("an identity provider is trusted, changed and deleted; one that says it is another is refused", async ({
  page,
}) => {
  const { url, server } = await issuer();
  await page.goto(at("identity-providers"));
  await expect(page.getByText("No client logs in by token here")).toBeVisible();
  await inspect(page, "identity-providers-empty");
  await page.getByRole("button", { name: "Add identity provider" }).first().click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name", { exact: false }).first().fill("login");
  await dialog.getByLabel("Issuer").fill(`${url}/other`);
  await dialog.getByLabel("Audiences").first().fill("kafka");
  await dialog.getByLabel("Audiences").first().press("Enter");
  await dialog.getByRole("button", { name: "Add identity provider" }).click();
  await expect(dialog.getByRole("alert")).toBeVisible();
  await inspect(page, "identity-provider-form");
  await dialog.getByLabel("Issuer").fill(url);
  await dialog.getByRole("button", { name: "Add identity provider" }).click();
  await expect(page.getByRole("cell", { name: url })).toBeVisible();

  await page.getByRole("button", { name: "Edit login" }).click();
  await dialog.getByLabel("Claim that names the client").fill("client_id");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("cell", { name: "client_id" })).toBeVisible();
  await inspect(page, "identity-providers");
  await page.getByRole("button", { name: "Delete login" }).click();
  await confirm(page, "login", "Delete identity provider");
  await expect(page.getByText("No client logs in by token here")).toBeVisible();
  server.close();
});

test("networks: one is warned before one shuts oneself out, and clients go by the list", async ({ page, tenant }) => {
  const { kcat: client } = await tenant.kafkaUser(cluster);
  await page.goto(at("networks"));
  await expect(page.getByText("clients may come from anywhere")).toBeVisible();
  await page.getByLabel("Networks", { exact: true }).fill("192.0.2.0/24");
  await expect(page.getByText("Your own address is not in")).toBeVisible();
  await inspect(page, "networks");
  await page.getByRole("button", { name: "Save networks" }).click();
  await expect(page.getByText("The networks are in force")).toBeVisible();
  expect((await kcat([...client, "-L", "-m", "3"])).ok).toBe(false);
  await page.getByRole("button", { name: "Add 127.0.0.1" }).click();
  await page.getByRole("button", { name: "Save networks" }).click();
  await expect(page.getByText("which is in")).toBeVisible();
  await expect(async () => expect((await kcat([...client, "-L", "-m", "30"])).ok).toBe(true)).toPass();
});
