/** What the tests of access do again and again: clients that log in, dialogs that ask, authorities and issuers to trust. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "@playwright/test";
import { expect } from "./fixtures";

/** Runs kcat with these lines as its input: whether it succeeded, and what it said. */
export async function kcat(args: string[], input = ""): Promise<{ ok: boolean; said: string }> {
  const child = spawn("kcat", args, { stdio: ["pipe", "pipe", "pipe"] });
  const said: string[] = [];
  child.stdout.on("data", (part) => said.push(String(part)));
  child.stderr.on("data", (part) => said.push(String(part)));
  child.stdin.end(input);
  const code = await new Promise((resolved) => child.on("close", resolved));
  return { ok: code === 0, said: said.join("") };
}

/** Chooses in a select of Mantine's. */
export async function choose(page: Page, label: string, option: string | RegExp): Promise<void> {
  await page.getByRole("combobox", { name: label, exact: true }).click();
  await page.getByRole("option", { name: option }).click();
}

/** Types what a deletion asks for, and goes on. */
export async function confirm(
  page: Page,
  word: string,
  action: string,
  dialog = page.getByRole("dialog"),
): Promise<void> {
  const go = dialog.getByRole("button", { name: action });
  await expect(go).toBeDisabled();
  await expectRemoved(dialog);
  await dialog.getByLabel(`Type ${word} to go on`).fill(word);
  await go.click();
  await expect(dialog).toBeHidden();
}

/** A question before a deletion shows the same for programs: the request, and what Terraform takes instead of the resource. */
async function expectRemoved(dialog: Locator): Promise<void> {
  await dialog.getByRole("button", { name: "As curl and Terraform" }).click();
  await expect(dialog.getByRole("region", { name: "curl command" })).toContainText("curl -X DELETE");
  await dialog.getByRole("tab", { name: "Terraform" }).click();
  await expect(dialog.getByRole("region", { name: "Terraform" })).toContainText("destroy = true");
}

/** What a form says it does, as both languages. */
export async function code(page: Page): Promise<string> {
  await page.getByRole("button", { name: /As curl/ }).click();
  const curl = (await page.getByRole("region", { name: "curl command" }).textContent()) ?? "";
  await page.getByRole("tab", { name: "Terraform" }).click();
  return `${curl}\n${await page.getByRole("region", { name: "Terraform" }).textContent()}`;
}

/** Reads what a client is set to from the dialog that shows it once, as kcat's settings. */
export async function save(page: Page): Promise<string[]> {
  const shown = page.getByRole("dialog", { name: "Save your password" });
  const lines = ((await shown.getByRole("region", { name: "client.properties" }).textContent()) ?? "").split("\n");
  const of = (key: string) => lines.find((line) => line.startsWith(`${key}=`))?.slice(key.length + 1) ?? "";
  const [, username = "", password = ""] = /username="(.*)" password="(.*)"/.exec(of("sasl.jaas.config")) ?? [];
  await shown.getByLabel("I have saved it").check();
  await shown.getByRole("button", { name: "Done" }).click();
  return [
    ...["-X", `bootstrap.servers=${of("bootstrap.servers")}`, "-X", `security.protocol=${of("security.protocol")}`],
    ...["-X", `sasl.mechanisms=${of("sasl.mechanism")}`, "-X", `sasl.username=${username}`],
    ...["-X", `sasl.password=${password}`, "-X", "enable.ssl.certificate.verification=false"],
  ];
}

/** An issuer on loopback, which `firn dev` may ask. */
export async function issuer(): Promise<{ url: string; server: Server }> {
  const { publicKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const key = { ...(await crypto.subtle.exportKey("jwk", publicKey)), kid: "one", alg: "ES256", use: "sig" };
  let url = "";
  const server = createServer((request, response) => {
    response.setHeader("Content-Type", "application/json");
    const metadata = { issuer: url, jwks_uri: `${url}/keys` };
    response.end(JSON.stringify(request.url === "/keys" ? { keys: [key] } : metadata));
  });
  await new Promise<void>((resolved) => server.listen(0, "127.0.0.1", resolved));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens on a port");
  url = `http://127.0.0.1:${address.port}`;
  return { url, server };
}

/** The certificate of an authority of this name, in PEM, that holds for so many days. */
export function authority(name: string, days: number): string {
  const folder = mkdtempSync(join(tmpdir(), "firn-ca-"));
  const file = join(folder, "ca.pem");
  const made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const args = [...made, "-days", `${days}`, "-subj", `/CN=${name}`, "-keyout", join(folder, "key"), "-out", file];
  execFileSync("openssl", args, { stdio: "ignore" });
  const pem = readFileSync(file, "utf8");
  rmSync(folder, { recursive: true });
  return pem;
}
