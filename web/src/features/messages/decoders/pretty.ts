/** Values as JSON that people read: every digit of a number kept, bytes as hex. */
import { toHex } from "./bytes";

/** How deep values are shown. */
const deepest = 64;

function key(name: unknown): string {
  return typeof name === "string" ? name : pretty(name).replaceAll(/\s+/g, " ");
}

function block(open: string, close: string, lines: string[], indent: string): string {
  if (lines.length === 0) return `${open}${close}`;
  return `${open}\n${lines.map((line) => `${indent}  ${line}`).join(",\n")}\n${indent}${close}`;
}

/** A decoded value, indented. */
export function pretty(value: unknown, indent = "", depth = 0): string {
  if (depth > deepest) return '"…"';
  const inner = `${indent}  `;
  if (value === undefined || value === null) return "null";
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : `"${value}"`;
  if (value instanceof Uint8Array) return JSON.stringify(`0x${toHex(value)}`);
  if (value instanceof Date) return JSON.stringify(Number.isNaN(value.getTime()) ? "no date" : value.toISOString());
  if (Array.isArray(value)) {
    const items = value.map((item) => pretty(item, inner, depth + 1));
    return block("[", "]", items, indent);
  }
  if (value instanceof Map) {
    const lines = [...value].map(([name, each]) => `${JSON.stringify(key(name))}: ${pretty(each, inner, depth + 1)}`);
    return block("{", "}", lines, indent);
  }
  if (typeof value === "object") {
    const entries = Object.entries(value);
    const lines = entries.map(([name, each]) => `${JSON.stringify(name)}: ${pretty(each, inner, depth + 1)}`);
    return block("{", "}", lines, indent);
  }
  return JSON.stringify(value) ?? JSON.stringify(String(value));
}

/** JSON text with line breaks; every number and text stays as it is written. It must be JSON. */
export function reformat(json: string): string {
  let out = "";
  let depth = 0;
  const newLine = () => `\n${"  ".repeat(Math.min(depth, deepest))}`;
  for (let at = 0; at < json.length; at += 1) {
    const c = json.charAt(at);
    if (c === '"') {
      const end = endOfText(json, at);
      out += json.slice(at, end);
      at = end - 1;
    } else if (c === "{" || c === "[") {
      const close = c === "{" ? "}" : "]";
      const next = afterSpace(json, at + 1);
      if (json.charAt(next) === close) {
        out += c + close;
        at = next;
      } else {
        depth += 1;
        out += c + newLine();
      }
    } else if (c === "}" || c === "]") {
      depth -= 1;
      out += newLine() + c;
    } else if (c === ",") out += c + newLine();
    else if (c === ":") out += ": ";
    else if (!/\s/.test(c)) out += c;
  }
  return out;
}

function afterSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text.charAt(at))) at += 1;
  return at;
}

function endOfText(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text.charAt(at) !== '"') at += text.charAt(at) === "\\" ? 2 : 1;
  return Math.min(at + 1, text.length);
}
