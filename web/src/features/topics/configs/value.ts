/** Values of topic configs: which ones a key takes, and what they mean to a person. The rules are the catalogue's. */
import { bytes, duration } from "@/components/format";
import type { ConfigKey } from "../api";

const wholeNumber = /^[+-]?\d+$/;
const bits = { int: 32n, long: 64n } as const;

function wrongNumber(key: ConfigKey, text: string, width: bigint): string | undefined {
  if (!wholeNumber.test(text)) return `A whole number is expected.`;
  const number = BigInt(text);
  const limit = 1n << (width - 1n);
  if (number < -limit || number >= limit) return `It must fit into ${width} bits.`;
  if (key.special !== null && key.special !== undefined && number === BigInt(key.special)) return undefined;
  const or = key.special === null || key.special === undefined ? "" : `${key.special}, or `;
  const { minimum: least, maximum: most } = key;
  if (typeof least === "number" && typeof most === "number" && (number < BigInt(least) || number > BigInt(most)))
    return `It must be ${or}from ${least.toLocaleString("en")} to ${most.toLocaleString("en")}.`;
  if (typeof least === "number" && number < BigInt(least)) return `It must be at least ${least.toLocaleString("en")}.`;
  return undefined;
}

/** The elements of a list. */
export function elements(text: string): string[] {
  return text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}

function wrongList(key: ConfigKey, text: string): string | undefined {
  const given = elements(text);
  const twice = given.find((each, place) => given.indexOf(each) !== place);
  if (twice !== undefined) return `It names ${twice} twice.`;
  const unknown = given.find((each) => key.values && !key.values.includes(each));
  return unknown === undefined ? undefined : `${unknown} is none of ${key.values?.join(", ")}.`;
}

/** Why the key does not take the value; `undefined`: it does. */
export function wrong(key: ConfigKey, value: string): string | undefined {
  const text = value.trim();
  switch (key.type) {
    case "boolean":
      return /^(true|false)$/i.test(text) ? undefined : "It must be true or false.";
    case "int":
    case "long":
      return wrongNumber(key, text, bits[key.type]);
    case "double": {
      const number = Number(text);
      return text !== "" && number >= 0 && number <= 1 ? undefined : "It must be a number from 0 to 1.";
    }
    case "list":
      return wrongList(key, text);
    case "string":
      return !key.values || key.values.includes(text) ? undefined : `It must be one of ${key.values.join(", ")}.`;
  }
}

const largest = "9223372036854775807";

/** What a value comes to, where its number says little: `604800000` is `7 d`. */
export function meaning(key: Pick<ConfigKey, "name" | "unit">, value: string): string | undefined {
  const text = value.trim();
  if (!wholeNumber.test(text)) return undefined;
  if (text === largest) return "never";
  const number = Number(text);
  if (number < 0) {
    if (number === -2 && key.name.startsWith("local.retention")) return "as the whole topic";
    if (number === -1 && key.name === "retention.ms") return "for ever";
    if (number === -1 && key.name.endsWith("retention.bytes")) return "without limit";
    return undefined;
  }
  if (key.unit === "bytes") return bytes(number);
  if (key.unit === "ms") return number < 1_000 ? `${number} ms` : duration(number / 1_000);
  return undefined;
}

/** Why no topic can have this name; `undefined`: it can. */
export function wrongName(name: string): string | undefined {
  if (name === "") return "A topic needs a name.";
  if (name.length > 249) return "It may have at most 249 characters.";
  if (name === "." || name === "..") return "It must not be . or ..";
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) return "Letters, digits, . _ and - are possible.";
  return undefined;
}

/** Why a topic cannot have so many partitions; `least`: as many as it has. */
export function wrongPartitions(count: number | string, least = 1): string | undefined {
  const fits = typeof count === "number" && Number.isInteger(count) && count >= least && count <= 100_000;
  return fits ? undefined : `A whole number from ${least.toLocaleString("en")} to 100,000 is expected.`;
}
