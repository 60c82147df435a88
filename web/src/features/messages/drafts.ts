/** Records as a form holds them before they are produced, from nothing or from a record that was found. */
import type { Message, NewMessage } from "./api";
import { fromBase64, isPrintable, utf8 } from "./decoders/bytes";

export type Way = "none" | "text" | "json" | "base64";

export interface Part {
  way: Way;
  text: string;
}

export interface Draft {
  key: Part;
  value: Part;
  headers: { key: string; value: Part }[];
  /** Empty: by the key. */
  partition: string;
}

export const emptyDraft = (): Draft => ({
  key: { way: "none", text: "" },
  value: { way: "json", text: "" },
  headers: [],
  partition: "",
});

/** Bytes as they can be edited without changing any of them. */
function partOf(base64: string | null | undefined): Part {
  if (base64 === null || base64 === undefined) return { way: "none", text: "" };
  const text = utf8(fromBase64(base64));
  return text !== undefined && isPrintable(text) ? { way: "text", text } : { way: "base64", text: base64 };
}

/** A record that was found, to be produced again. Where it was is not where it goes: its key says that. */
export function draftOf(message: Message): Draft {
  return {
    key: partOf(message.key),
    value: partOf(message.value),
    headers: message.headers.map(({ key, value }) => ({ key, value: partOf(value) })),
    partition: "",
  };
}

/** Why a part cannot be sent. */
export function faultOf({ way, text }: Part): string | undefined {
  if (way === "base64") {
    try {
      atob(text);
    } catch {
      return "This is no base64.";
    }
    return text.trim().length % 4 === 0 ? undefined : "Base64 comes in fours; = fills up.";
  }
  if (way !== "json") return undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return `This is no JSON: ${error instanceof Error ? error.message : "it cannot be read"}.`;
  }
}

/** Whether all parts can be sent. */
export function isWhole({ key, value, headers }: Draft): boolean {
  return [key, value, ...headers.map((header) => header.value)].every((part) => faultOf(part) === undefined);
}

type Data = NonNullable<NewMessage["value"]>;

/** JSON goes as the text that was typed: so no digit of a number is lost. */
function dataOf({ way, text }: Part): Data | null {
  if (way === "none") return null;
  return way === "base64" ? { base64: text.trim() } : { text };
}

export function recordOf(draft: Draft): NewMessage {
  const key = dataOf(draft.key);
  return {
    ...(draft.partition === "" ? {} : { partition: Number(draft.partition) }),
    ...(key === null ? {} : { key }),
    value: dataOf(draft.value),
    ...(draft.headers.length === 0
      ? {}
      : { headers: draft.headers.map(({ key: name, value }) => ({ key: name, value: dataOf(value) })) }),
  };
}

/** What each request may hold. */
const recordsAtOnce = 100;
const bytesAtOnce = 700_000;

/** Records in requests of a size that the API takes, in order. */
export function requests(records: readonly NewMessage[]): NewMessage[][] {
  const all: NewMessage[][] = [];
  let size = 0;
  for (const record of records) {
    const own = JSON.stringify(record).length;
    const last = all.at(-1);
    if (last === undefined || last.length >= recordsAtOnce || size + own > bytesAtOnce) {
      all.push([record]);
      size = own;
    } else {
      last.push(record);
      size += own;
    }
  }
  return all;
}
