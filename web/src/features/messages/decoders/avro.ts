/**
 * Avro: values by a schema, with or without the prefix of a schema registry, and object container files.
 *
 * Rejected: `avsc` and `avro-js`, which compile each schema by `new Function`: our policy runs no text as code.
 */
import { utf8 } from "./bytes";
import { narrow, Reader } from "./reader";

type Schema = string | Schema[] | { [key: string]: unknown };

const primitives = new Set(["null", "boolean", "int", "long", "float", "double", "bytes", "string"]);
const named = new Set(["record", "error", "enum", "fixed"]);
const deepest = 64;
/** How many things one value may hold in all: what takes no bytes takes room all the same. */
const most = 200_000;

/** What reads one value of a type. */
type Read = (reader: Reader, at: Place) => unknown;

interface Place {
  depth: number;
  left: { count: number };
}

function inside(at: Place): Place {
  at.left.count -= 1;
  if (at.depth >= deepest || at.left.count < 0) throw new Error("the value is too large to be shown");
  return { depth: at.depth + 1, left: at.left };
}

/** A schema, with all its names found. */
export class AvroSchema {
  /** Readers of named types by their full names. */
  private readonly names = new Map<string, { read: Read }>();
  private readonly root: Read;

  constructor(text: string) {
    this.root = this.type(JSON.parse(text) as Schema, "", 0);
  }

  /** One value. */
  read(reader: Reader): unknown {
    return this.root(reader, { depth: 0, left: { count: most } });
  }

  private type(schema: Schema, space: string, depth: number): Read {
    if (depth > deepest) throw new Error("the schema is nested too deep");
    if (Array.isArray(schema)) {
      const branches = schema.map((branch) => this.type(branch, space, depth + 1));
      return (reader, at) => {
        const branch = branches[Number(reader.zigzag())];
        if (branch === undefined) throw new Error("a union has no such branch");
        return branch(reader, inside(at));
      };
    }
    if (typeof schema === "string") return this.byName(schema, space);
    if (typeof schema !== "object" || schema === null) throw new Error("a type must be a name, a list or an object");
    if (typeof schema.type === "string" && named.has(schema.type)) return this.definition(schema, space, depth);
    if (schema.type === "array") {
      const item = this.type(schema.items as Schema, space, depth + 1);
      return (reader, at) => blocks(reader, () => item(reader, inside(at)));
    }
    if (schema.type === "map") {
      const value = this.type(schema.values as Schema, space, depth + 1);
      const entry = (reader: Reader, at: Place): [string, unknown] => [text(reader), value(reader, inside(at))];
      return (reader, at) => new Map(blocks(reader, () => entry(reader, at)));
    }
    const plain = this.type(schema.type as Schema, space, depth + 1);
    return (reader, at) => logical(schema, plain(reader, at));
  }

  private byName(name: string, space: string): Read {
    if (primitives.has(name)) {
      return (reader, at) => {
        inside(at);
        return primitive(name, reader);
      };
    }
    const known = this.names.get(name.includes(".") || !space ? name : `${space}.${name}`) ?? this.names.get(name);
    if (known === undefined) throw new Error(`unknown type ${name}`);
    return (reader, at) => known.read(reader, inside(at));
  }

  /** A type with a name, which may stand in itself. */
  private definition(schema: { [key: string]: unknown }, space: string, depth: number): Read {
    const { name, namespace } = schema;
    if (typeof name !== "string") throw new Error(`a type ${String(schema.type)} needs a name`);
    const dot = name.lastIndexOf(".");
    const own = dot >= 0 ? name.slice(0, dot) : typeof namespace === "string" ? namespace : space;
    const short = name.slice(dot + 1);
    const kept: { read: Read } = { read: () => undefined };
    this.names.set(own ? `${own}.${short}` : short, kept);
    kept.read = this.body(schema, own, depth);
    return kept.read;
  }

  private body(schema: { [key: string]: unknown }, space: string, depth: number): Read {
    if (schema.type === "enum") {
      const symbols = schema.symbols as string[];
      return (reader) => symbols[Number(reader.zigzag())] ?? "(no such symbol)";
    }
    if (schema.type === "fixed") return (reader) => logical(schema, reader.take(Number(schema.size)));
    if (!Array.isArray(schema.fields)) throw new Error("a record needs fields");
    const fields = (schema.fields as { name: string; type: Schema }[]).map((field): [string, Read] => [
      field.name,
      this.type(field.type, space, depth + 1),
    ]);
    return (reader, at) => new Map(fields.map(([name, read]) => [name, read(reader, inside(at))]));
  }
}

function text(reader: Reader): string {
  const bytes = reader.take(reader.length(reader.zigzag()));
  const found = utf8(bytes);
  if (found === undefined) throw new Error("a string is no UTF-8");
  return found;
}

function primitive(name: string, reader: Reader): unknown {
  switch (name) {
    case "null":
      return null;
    case "boolean": {
      const byte = reader.byte();
      if (byte > 1) throw new Error("a boolean is neither true nor false");
      return byte === 1;
    }
    case "int":
    case "long":
      return narrow(reader.zigzag());
    case "float":
      return reader.float();
    case "double":
      return reader.double();
    case "bytes":
      return reader.take(reader.length(reader.zigzag()));
    default:
      return text(reader);
  }
}

/** Items in blocks; a negative count comes with the block's size. */
function blocks<T>(reader: Reader, item: () => T): T[] {
  const items: T[] = [];
  for (;;) {
    let count = reader.zigzag();
    if (count === 0n) return items;
    if (count < 0n) {
      count = -count;
      reader.zigzag();
    }
    if (count > BigInt(most)) throw new Error("a block claims too many items");
    for (let number = 0n; number < count; number += 1n) items.push(item());
  }
}

/** What a logical type makes of a value. */
function logical(schema: { [key: string]: unknown }, value: unknown): unknown {
  const number = Number(value);
  switch (schema.logicalType) {
    case "timestamp-millis":
    case "local-timestamp-millis":
      return new Date(number);
    case "timestamp-micros":
    case "local-timestamp-micros":
      return new Date(number / 1_000);
    case "date":
      return new Date(number * 86_400_000).toISOString().slice(0, 10);
    case "decimal":
      return value instanceof Uint8Array ? decimal(value, Number(schema.scale ?? 0)) : value;
    default:
      return value;
  }
}

function decimal(bytes: Uint8Array, scale: number): string {
  let number = 0n;
  for (const byte of bytes) number = (number << 8n) | BigInt(byte);
  number = BigInt.asIntN(bytes.length * 8, number);
  const digits = (number < 0n ? -number : number).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  return `${number < 0n ? "-" : ""}${whole}${scale > 0 ? `.${digits.slice(digits.length - scale)}` : ""}`;
}

/** The id of a schema registry that is in front of a value, if one is. */
export function registryId(bytes: Uint8Array): number | undefined {
  if (bytes.length < 5 || bytes[0] !== 0) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
}

/** A value that takes all of these bytes: behind a registry's prefix, a fingerprint, or from the first byte on. */
export function decodeAvro(schema: AvroSchema, bytes: Uint8Array): unknown {
  const starts = [0];
  if (registryId(bytes) !== undefined) starts.unshift(5);
  if (bytes[0] === 0xc3 && bytes[1] === 0x01 && bytes.length >= 10) starts.unshift(10);
  let failure: unknown;
  for (const start of starts) {
    const reader = new Reader(bytes, start);
    try {
      const value = schema.read(reader);
      if (reader.left === 0) return value;
      failure = new Error(`${reader.left} bytes are left over: it is another schema's`);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

const magic = [0x4f, 0x62, 0x6a, 0x01];
/** How much a container file may hold once it is decompressed. */
const mostInflated = 16 << 20;

export function isContainer(bytes: Uint8Array): boolean {
  return magic.every((byte, at) => bytes[at] === byte);
}

/** The schema and the values of an object container file. */
export async function readContainer(bytes: Uint8Array): Promise<{ schema: string; values: unknown[] }> {
  const reader = new Reader(bytes, magic.length);
  const meta = new Map(
    blocks(reader, (): [string, Uint8Array] => [text(reader), reader.take(reader.length(reader.zigzag()))]),
  );
  const written = utf8(meta.get("avro.schema") ?? new Uint8Array()) ?? "";
  const codec = utf8(meta.get("avro.codec") ?? new Uint8Array()) || "null";
  const schema = new AvroSchema(written);
  reader.take(16);
  const values: unknown[] = [];
  while (reader.left > 0) {
    const count = reader.zigzag();
    const packed = reader.take(reader.length(reader.zigzag()));
    const block = new Reader(await unpacked(codec, packed));
    if (count < 0n || count > BigInt(most)) throw new Error("a block claims too many values");
    for (let number = 0n; number < count; number += 1n) values.push(schema.read(block));
    reader.take(16);
  }
  return { schema: written, values };
}

async function unpacked(codec: string, packed: Uint8Array): Promise<Uint8Array> {
  if (codec === "null") return packed;
  if (codec !== "deflate") throw new Error(`blocks that are compressed with ${codec} are not read`);
  const stream = new Blob([packed.slice()]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > mostInflated) {
      await reader.cancel();
      throw new Error("a block is too large to be shown");
    }
    parts.push(value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
