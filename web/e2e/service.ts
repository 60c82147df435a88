/** A real `firn dev` of a worker's own, and a tenant in it, made through the REST API as anybody would. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const binary = process.env.FIRN_BINARY ?? resolve(import.meta.dirname, "../../target/debug/firn");

export interface Service {
  /** `http://127.0.0.1:PORT`. */
  http: string;
  /** `127.0.0.1:PORT`. */
  kafka: string;
  stop: () => Promise<void>;
}

export async function startService(): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), "firn-console-"));
  const args = ["dev", "--data-dir", join(folder, "data"), "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  // One address makes all requests of a test run.
  const limits = ["--api-requests-per-principal", "100000", "--api-requests-per-address", "100000"];
  const child = spawn(binary, [...args, ...limits], { stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
  const ready = await new Promise<{ kafka: string; http: string }>((resolved, rejected) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const found = /^ready kafka=(\S+) http=(\S+)/.exec(line);
      if (found?.[1] && found[2]) resolved({ kafka: found[1], http: found[2] });
    });
    child.on("exit", (code) => rejected(new Error(`firn dev ended with ${code}:\n${said.slice(-30).join("\n")}`)));
    child.on("error", rejected);
  });
  return { ...ready, stop: () => stop(child, folder) };
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  const ended = new Promise((resolved) => child.once("exit", resolved));
  child.kill("SIGTERM");
  await ended;
  rmSync(folder, { recursive: true, force: true });
}

/** A person with an organization, and its requests. */
export class Tenant {
  readonly email: string;
  readonly password = "a glacier moves 7 metres";
  readonly service: Service;
  private cookie = "";
  private csrf = "";
  organization = "";
  project = "";

  private constructor(service: Service, email: string) {
    this.service = service;
    this.email = email;
  }

  /** Signs up, proves the address, and is logged in. */
  static async signUp(service: Service, name: string): Promise<Tenant> {
    const tenant = new Tenant(
      service,
      `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}-${Date.now().toString(36)}@example.com`,
    );
    const { email, password } = tenant;
    await tenant.rest("POST", "/v1/signup", { email, password, name, organization: `${name}'s organization` });
    const token = await mailedToken(service, email, "verify");
    const session = await tenant.rest<{ csrf_token: string }>("POST", "/v1/verifications", { token, password });
    tenant.csrf = session.csrf_token;
    tenant.organization =
      (await tenant.rest<{ items: { id: string }[] }>("GET", "/v1/organizations")).items[0]?.id ?? "";
    const projects = await tenant.rest<{ items: { id: string }[] }>(
      "GET",
      `/v1/projects?organization=${tenant.organization}`,
    );
    tenant.project = projects.items[0]?.id ?? "";
    return tenant;
  }

  /** One request; what is no success is an error with the problem in it. */
  async rest<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const response = await fetch(this.service.http + path, {
      method,
      headers: {
        ...(this.cookie ? { Cookie: this.cookie } : {}),
        ...(this.csrf && method !== "GET" ? { "X-CSRF-Token": this.csrf } : {}),
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    const given = response.headers.get("set-cookie");
    if (given) this.cookie = given.split(";")[0] ?? "";
    return (text ? JSON.parse(text) : undefined) as T;
  }

  /** The session, for a browser. */
  get session(): { name: string; value: string } {
    const at = this.cookie.indexOf("=");
    return { name: this.cookie.slice(0, at), value: this.cookie.slice(at + 1) };
  }

  /** A cluster, in the first project. */
  async cluster(name: string): Promise<{ id: string; bootstrap: string; slug: string }> {
    return this.rest("POST", "/v1/clusters", { project: this.project, name });
  }

  /** A service account with a role and a password for Kafka: what kcat needs, as `-X` settings. */
  async kafkaUser(
    cluster: string,
    role = "developer",
  ): Promise<{ account: string; username: string; password: string; kcat: string[] }> {
    const { id: account } = await this.rest<{ id: string }>("POST", "/v1/service-accounts", {
      project: this.project,
      name: `client-${Date.now().toString(36)}`,
      role: { role },
    });
    const made = await this.rest<{ client: { username: string; password: string; bootstrap_servers: string } }>(
      "POST",
      `/v1/clusters/${cluster}/scram-credentials`,
      { service_account: account },
    );
    const { username, password, bootstrap_servers } = made.client;
    const settings = {
      "bootstrap.servers": bootstrap_servers,
      "security.protocol": "SASL_SSL",
      "sasl.mechanisms": "SCRAM-SHA-512",
      "sasl.username": username,
      "sasl.password": password,
      "enable.ssl.certificate.verification": "false",
    };
    return {
      account,
      username,
      password,
      kcat: Object.entries(settings).flatMap(([key, value]) => ["-X", `${key}=${value}`]),
    };
  }
}

/** The token in the newest mail to somebody whose link leads to this page of the console. */
export async function mailedToken(service: Service, to: string, page: string): Promise<string> {
  return (await mailedLink(service, to, page)).searchParams.get("token") ?? "";
}

/** The link in the newest mail to somebody that leads to this page of the console. */
export async function mailedLink(service: Service, to: string, page: string): Promise<URL> {
  // It ends only what hangs.
  for (let turn = 0; turn < 1_200; turn += 1) {
    const response = await fetch(`${service.http}/dev/mail?to=${encodeURIComponent(to)}`, {
      headers: { Accept: "application/json" },
    });
    const { items } = (await response.json()) as { items: { text: string }[] };
    for (const { text } of items) {
      const found = text.split(/\s+/).find((word) => word.includes(`/${page}?token=`));
      if (found) return new URL(found);
    }
    await new Promise((resolved) => setTimeout(resolved, 50));
  }
  throw new Error(`no mail to ${to} has a link to /${page}`);
}
