/** Whom quotas are for, and what each of them counts. */
import { accountName, type Quota, type QuotaEntity, type QuotaValues, type ServiceAccount } from "../api";

export type Sort = "user" | "client_id" | "user_client" | "ip";

export const sorts: { value: Sort; label: string }[] = [
  { value: "user", label: "User" },
  { value: "client_id", label: "Client id" },
  { value: "user_client", label: "User with client id" },
  { value: "ip", label: "IP address" },
];

/** Everybody who has no quota of their own. */
export interface Named {
  name: string;
  isDefault: boolean;
}

export const nobody: Named = { name: "", isDefault: false };

export interface EntityValues {
  sort: Sort;
  user: Named;
  client: Named;
  ip: Named;
}

const wire = ({ name, isDefault }: Named) => (isDefault ? { default: true } : { name: name.trim() });

/** As the API has it. */
export function entityOf({ sort, user, client, ip }: EntityValues): QuotaEntity {
  if (sort === "ip") return { ip: wire(ip) };
  return {
    ...(sort === "client_id" ? {} : { user: wire(user) }),
    ...(sort === "user" ? {} : { client_id: wire(client) }),
  };
}

/** As a form has it. */
export function valuesOf(entity: QuotaEntity): EntityValues {
  const named = (given: QuotaEntity["user"]): Named =>
    given ? { name: given.name ?? "", isDefault: given.default ?? false } : nobody;
  const both = entity.user && entity.client_id;
  const sort = entity.ip ? "ip" : both ? "user_client" : entity.user ? "user" : "client_id";
  return { sort, user: named(entity.user), client: named(entity.client_id), ip: named(entity.ip) };
}

/** How people know a user of a quota. */
export function userName(accounts: readonly ServiceAccount[]): (user: string) => string {
  return (user) => accountName(`User:${user}`, accounts) ?? user;
}

/** For people. `nameOf` tells what a user is called. */
export function entityText(entity: QuotaEntity, nameOf: (user: string) => string = (user) => user): string {
  const { sort, user, client, ip } = valuesOf(entity);
  const userText = user.isDefault ? "any user" : `user ${nameOf(user.name)}`;
  const clientText = client.isDefault ? "any client id" : `client id ${client.name}`;
  if (sort === "ip") return ip.isDefault ? "any address" : `address ${ip.name}`;
  if (sort === "user") return userText;
  return sort === "client_id" ? clientText : `${userText}, ${clientText}`;
}

/** For Terraform, where the default has a name. */
export function entityAttributes(entity: QuotaEntity): Record<string, string | undefined> {
  const text = (given: QuotaEntity["user"]) => (given ? (given.default ? "<default>" : (given.name ?? "")) : undefined);
  return { user: text(entity.user), client_id: text(entity.client_id), ip: text(entity.ip) };
}

export type Key = keyof QuotaValues;

export interface Counted {
  key: Key;
  label: string;
  /** What is counted, and where. */
  about: string;
  /** By how much the number in each unit is multiplied. */
  units: readonly { label: string; factor: number }[];
  /** Of addresses alone, or of all but these. */
  ofAddresses: boolean;
}

const byteRates = [
  { label: "MiB/s", factor: 1_048_576 },
  { label: "KiB/s", factor: 1_024 },
  { label: "B/s", factor: 1 },
];

export const counted: readonly Counted[] = [
  {
    key: "producer_byte_rate",
    label: "Produce",
    about: "What it may send to each broker",
    units: byteRates,
    ofAddresses: false,
  },
  {
    key: "consumer_byte_rate",
    label: "Fetch",
    about: "What it may fetch from each broker",
    units: byteRates,
    ofAddresses: false,
  },
  {
    key: "request_percentage",
    label: "Processor time",
    about: "Of one processor of each broker; 200 % are two",
    units: [{ label: "%", factor: 1 }],
    ofAddresses: false,
  },
  {
    key: "controller_mutation_rate",
    label: "Partitions changed",
    about: "Created and deleted",
    units: [{ label: "per second", factor: 1 }],
    ofAddresses: false,
  },
  {
    key: "connection_creation_rate",
    label: "New connections",
    about: "To each broker",
    units: [{ label: "per second", factor: 1 }],
    ofAddresses: true,
  },
];

/** The largest unit in which a number is a short one. */
export function inUnit(value: number, { units }: Counted): { amount: number; unit: string } {
  const fits = units.find(({ factor }) => value >= factor && Number.isInteger((value / factor) * 100));
  const unit = fits ?? units[units.length - 1];
  return unit ? { amount: value / unit.factor, unit: unit.label } : { amount: value, unit: "" };
}

/** `1.5 MiB/s`. */
export function quotaText(value: number, what: Counted): string {
  const { amount, unit } = inUnit(value, what);
  return `${amount.toLocaleString("en", { maximumFractionDigits: 2 })} ${unit}`;
}

/** What a quota limits, in the order of {@link counted}. */
export function limits({ quotas }: Pick<Quota, "quotas">): { what: Counted; value: number }[] {
  return counted.flatMap((what) => {
    const value = quotas[what.key];
    return typeof value === "number" ? [{ what, value }] : [];
  });
}
