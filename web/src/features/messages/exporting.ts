/** What was found, as files: JSON lines and CSV. */
import type { Message } from "./api";
import type { Decoder } from "./decoders";
import { fromBase64, isPrintable, utf8 } from "./decoders/bytes";

export interface Decoders {
  key: Decoder;
  value: Decoder;
}

interface Options {
  decoders: Decoders;
  /** Whether keys, values and headers are left out: only where records are, when and how large. */
  masked: boolean;
}

const hidden = "•••";

/** What stands for bytes: text as it was decoded, or base64 where it is none. */
function shown(bytes: string | null, decode: Decoder): string | null {
  if (bytes === null) return null;
  const { format, text } = decode(fromBase64(bytes));
  return format === "hex" ? `base64:${bytes}` : text;
}

function header(value: string | null | undefined): string | null {
  if (value === null || value === undefined) return null;
  const text = utf8(fromBase64(value));
  return text !== undefined && isPrintable(text) ? text : `base64:${value}`;
}

/** JSON where it is JSON whose numbers survive being read, else text. */
function nested(text: string | null): unknown {
  if (text === null || !/^\s*[[{]/.test(text)) return text;
  try {
    const value: unknown = JSON.parse(text);
    return /\d{16,}/.test(text) ? text : value;
  } catch {
    return text;
  }
}

/** One JSON object a line. */
export function jsonLines(messages: readonly Message[], { decoders, masked }: Options): string {
  const line = (message: Message) => {
    const { partition, offset, timestamp, timestamp_type, key_bytes, value_bytes, truncated } = message;
    const place = { partition, offset, timestamp, timestamp_type, key_bytes, value_bytes, truncated };
    if (masked)
      return {
        ...place,
        key: hidden,
        value: hidden,
        headers: message.headers.map(({ key }) => ({ key, value: hidden })),
      };
    return {
      ...place,
      key: nested(shown(message.key ?? null, decoders.key)),
      value: nested(shown(message.value ?? null, decoders.value)),
      headers: message.headers.map(({ key, value }) => ({ key, value: header(value) })),
    };
  };
  return messages.map((message) => `${JSON.stringify(line(message))}\n`).join("");
}

/** A cell of CSV (RFC 4180). What a spreadsheet would take for a formula is text. */
export function cell(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const columns = [
  "partition",
  "offset",
  "timestamp",
  "timestamp_type",
  "key",
  "value",
  "headers",
  "key_bytes",
  "value_bytes",
  "truncated",
] as const;

/** A table with a heading. */
export function csv(messages: readonly Message[], { decoders, masked }: Options): string {
  const row = (message: Message) => {
    const headers = message.headers.map(({ key, value }) => [key, masked ? hidden : header(value)]);
    const cells = [
      message.partition,
      message.offset,
      message.timestamp,
      message.timestamp_type,
      masked ? hidden : shown(message.key ?? null, decoders.key),
      masked ? hidden : shown(message.value ?? null, decoders.value),
      headers.length === 0 ? "" : JSON.stringify(headers),
      message.key_bytes,
      message.value_bytes,
      message.truncated,
    ];
    return cells.map(cell).join(",");
  };
  return [columns.join(","), ...messages.map(row)].map((line) => `${line}\r\n`).join("");
}

/** Lets the browser save a text. */
export function save(name: string, kind: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: kind }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
