/**
 * What has to be there before a first message: a cluster, a topic, a service account and a password of its. What is there already is
 * taken; only the password is made anew each time, for it is shown once.
 */
import { api, got } from "@/api/client";
import { all } from "@/api/pages";
import { asProblem, Problem } from "@/api/problem";
import type { components } from "@/api/schema";
import type { Cluster, Project } from "@/shell/workspace";
import type { Connection } from "./snippets";

type ServiceAccount = components["schemas"]["ServiceAccount"];

export const topic = "hello";
const accountName = "first-steps";
const clusterName = "first";

/** What is ready in the end. */
export interface Ready {
  cluster: Cluster;
  /** The id of the credential, by which its connections are known. */
  credential: string;
  connection: Connection;
}

export const tasks = ["cluster", "topic", "account", "credential", "authority"] as const;
export type Task = (typeof tasks)[number];

export const taskNames: Record<Task, string> = {
  cluster: "A cluster",
  topic: `A topic, “${topic}”`,
  account: "A service account that may read and write topics",
  credential: "A user name and a password for it",
  authority: "The certificate to trust",
};

interface Place {
  organization: string;
  /** The project, if the organization has one. */
  project: Project | undefined;
  /** The cluster to take; none: one is made. */
  cluster: Cluster | undefined;
}

/** Does all of it, and tells what is under way. */
export async function prepare(place: Place, begins: (task: Task) => void): Promise<Ready> {
  begins("cluster");
  const project = place.project ?? (await newProject(place.organization));
  const cluster = await active(place.cluster ?? (await newCluster(project.id)));
  begins("topic");
  await newTopic(cluster.id);
  begins("account");
  const account = await serviceAccount(cluster.project);
  begins("credential");
  const { id, client } = await credential(cluster.id, account);
  begins("authority");
  const authority = await certificateAuthority();
  const { bootstrap_servers: bootstrap, username, password } = client;
  return { cluster, credential: id, connection: { bootstrap, username, password, topic, authority } };
}

function newProject(organization: string): Promise<Project> {
  return got(api.POST("/v1/projects", { body: { organization, name: "default" } }));
}

/** A cluster called `first`; where there is one, `first-2` and so on. */
async function newCluster(project: string): Promise<Cluster> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? clusterName : `${clusterName}-${number}`;
    try {
      return await got(inForce(api.POST("/v1/clusters", { body: { project, name } })));
    } catch (error) {
      if (asProblem(error).code !== "already_exists" || number >= 20) throw error;
    }
  }
}

const pause = (ms: number) => new Promise((resolved) => setTimeout(resolved, ms));

/** The cluster, once it is there for its clients. */
async function active(cluster: Cluster): Promise<Cluster> {
  for (let turn = 0; turn < 120; turn += 1) {
    const path = { cluster: cluster.id };
    const now = await got(api.GET("/v1/clusters/{cluster}", { params: { path } }));
    if (now.state === "active") return now;
    if (now.state !== "creating") break;
    await pause(500);
  }
  throw new Problem({
    status: 0,
    title: "The cluster is not ready",
    detail: `The cluster “${cluster.name}” is not active.`,
  });
}

async function newTopic(cluster: string): Promise<void> {
  const body = { name: topic, partitions: 1 };
  try {
    await got(inForce(api.POST("/v1/clusters/{cluster}/topics", { body, params: { path: { cluster } } })));
  } catch (error) {
    if (asProblem(error).code !== "already_exists") throw error;
  }
}

async function serviceAccount(project: string): Promise<string> {
  const accounts = await all<ServiceAccount>((cursor) => {
    const query = { project, page_size: 200, ...(cursor ? { cursor } : {}) };
    return got(api.GET("/v1/service-accounts", { params: { query } }));
  });
  const there = accounts.find(({ name }) => name === accountName);
  if (there) return there.id;
  const body = {
    project,
    name: accountName,
    description: "Made on the page of the first five minutes.",
    role: { role: "developer" },
  };
  return (await got(inForce(api.POST("/v1/service-accounts", { body })))).id;
}

async function credential(cluster: string, service_account: string) {
  const path = { cluster };
  const body = { service_account };
  const made = await got(inForce(api.POST("/v1/clusters/{cluster}/scram-credentials", { body, params: { path } })));
  if (!made.client) throw new Problem({ status: 0, detail: "The service did not tell the new password. Try again." });
  return { id: made.id, client: made.client };
}

/** Where the certificate of the service's own authority is; null where there is none. */
async function certificateAuthority(): Promise<string | null> {
  try {
    await got(api.GET("/v1/certificate-authority", { parseAs: "text" }));
    return `${window.location.origin}/v1/certificate-authority`;
  } catch (error) {
    if (asProblem(error).status === 404) return null;
    throw error;
  }
}

/** The answer, once what it says is in force: not every broker may know yet when a change is answered. */
async function inForce<T extends { response: Response }>(asked: Promise<T>): Promise<T> {
  const answer = await asked;
  const operation = /\/v1\/operations\/(op_\w+)$/.exec(answer.response.headers.get("Location") ?? "")?.[1];
  for (let turn = 0; answer.response.status === 202 && operation && turn < 6; turn += 1) {
    const params = { path: { operation }, query: { wait: 10 } };
    if ((await got(api.GET("/v1/operations/{operation}", { params }))).status === "done") break;
  }
  return answer;
}
