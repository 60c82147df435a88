/** The limits of a cluster that can be set: how they are called, and what the API takes. */
import type { components } from "@/api/schema";
import { bytes, count } from "@/components/format";
import type { LimitUse } from "./api";

export type ClusterLimits = components["schemas"]["ClusterLimits"];
export type LimitName = keyof ClusterLimits;

interface Limit {
  label: string;
  description: string;
  most: number;
  /** In what it is typed. */
  unit: "count" | "bytes" | "bytes_per_second";
}

export const limits: Record<LimitName, Limit> = {
  topics: { label: "Topics", description: "Of the cluster", most: 10_000, unit: "count" },
  partitions: { label: "Partitions", description: "Of all topics together", most: 100_000, unit: "count" },
  groups: { label: "Consumer groups", description: "Of the cluster", most: 10_000, unit: "count" },
  connections: { label: "Connections", description: "To one broker", most: 10_000, unit: "count" },
  storage_bytes: {
    label: "Storage",
    description: "Bytes of records, as stored",
    most: 1_125_899_906_842_624,
    unit: "bytes",
  },
  ingress_bytes_per_second: {
    label: "Ingress",
    description: "Bytes a second from clients",
    most: 1_099_511_627_776,
    unit: "bytes_per_second",
  },
  egress_bytes_per_second: {
    label: "Egress",
    description: "Bytes a second to clients",
    most: 1_099_511_627_776,
    unit: "bytes_per_second",
  },
};

export const limitNames = Object.keys(limits) as LimitName[];

/** A value of a limit, for people. */
export function amount(value: number, unit: Limit["unit"]): string {
  if (unit === "count") return count(Math.round(value));
  return unit === "bytes" ? bytes(value) : `${bytes(value)}/s`;
}

const others: Record<string, string> = {
  connections_per_broker: "Connections to one broker",
  acls: "ACLs",
  credentials: "Credentials",
  quotas: "Quotas",
  ca_pools: "CA pools",
  identity_providers: "Identity providers",
  networks: "Networks",
};

/** What a limit of the overview is called. */
export function limitLabel(name: string): string {
  const known = limitNames.find((each) => each === name);
  return known ? limits[known].label : (others[name] ?? name);
}

/** How much of a limit is used, from 0 to 1; a limit of 0 is always full. */
export function share({ used, limit }: Pick<LimitUse, "used" | "limit">): number {
  if (limit <= 0) return 1;
  return Math.min(used / limit, 1);
}

/** From where on somebody should look at it, and from where on something is about to be refused. */
export const CLOSE = 0.8;
export const FULL = 0.95;
