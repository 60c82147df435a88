/**
 * Protobuf by a schema. `protobufjs` reads `.proto` text; messages are read here, by its reflection, since its own decoders are made by
 * `Function`, which our policy forbids.
 */
import { Enum, MapField, type Namespace, parse, type Root, Type } from "protobufjs";
import { utf8 } from "./bytes";
import { narrow, Reader } from "./reader";
import { fields, type WireValue } from "./wire";

const deepest = 64;

/** What reading asks of a field. */
interface Field {
  name: string;
  type: string;
  resolvedType: Type | Enum | null;
}

/** What a `.proto` says. Imports are not followed. */
export class ProtoSchema {
  private readonly root: Root;
  /** Full names of all messages, in the order in which they stand there. */
  readonly messages: string[];

  constructor(source: string) {
    const { root } = parse(source, { keepCase: true });
    root.resolveAll();
    this.root = root;
    this.messages = names(root);
  }

  /** A message of this type that takes all of these bytes. */
  decode(message: string, bytes: Uint8Array): unknown {
    const type = this.root.lookupType(message);
    let failure: unknown;
    for (const start of starts(bytes)) {
      try {
        return read(type, bytes.subarray(start), 0);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}

function names(space: Namespace): string[] {
  return space.nestedArray.flatMap((inner) => {
    const own = inner instanceof Type ? [inner.fullName.replace(/^\./, "")] : [];
    return "nestedArray" in inner ? [...own, ...names(inner as Namespace)] : own;
  });
}

/** Where a message may begin: behind a schema registry's id and path to the message, and at the first byte. */
function starts(bytes: Uint8Array): number[] {
  if (bytes[0] !== 0 || bytes.length < 6) return [0];
  const reader = new Reader(bytes, 5);
  try {
    const count = reader.length(reader.zigzag());
    for (let step = 0; step < count; step += 1) reader.zigzag();
    return [reader.at, 0];
  } catch {
    return [0];
  }
}

function read(type: Type, bytes: Uint8Array, depth: number): Map<string, unknown> {
  if (depth > deepest) throw new Error("the message is nested too deep");
  const message = new Map<string, unknown>();
  for (const { number, wire, value } of fields(bytes)) {
    const field = type.fieldsById[number];
    if (field === undefined) {
      message.set(`#${number}`, value instanceof Uint8Array ? value : narrow(BigInt(value)));
    } else if (field instanceof MapField) {
      const [key, entry] = mapEntry(field, value, depth);
      const map = (message.get(field.name) as Map<unknown, unknown> | undefined) ?? new Map();
      message.set(field.name, map.set(key, entry));
    } else if (field.repeated) {
      const items = (message.get(field.name) as unknown[] | undefined) ?? [];
      items.push(...(wire === 2 && isNumeric(field) ? packed(field, value) : [single(field, value, depth)]));
      message.set(field.name, items);
    } else {
      message.set(field.name, single(field, value, depth));
    }
  }
  return message;
}

function mapEntry(field: MapField, value: WireValue, depth: number): [unknown, unknown] {
  if (!(value instanceof Uint8Array)) throw new Error(`${field.name} is no map here`);
  let key: unknown = "";
  let entry: unknown = null;
  for (const inner of fields(value)) {
    if (inner.number === 1) key = scalar(field.keyType, inner.value);
    if (inner.number === 2) entry = single(field, inner.value, depth);
  }
  return [key, entry];
}

const numeric = new Map([
  ["double", 1],
  ["float", 5],
  ["fixed64", 1],
  ["sfixed64", 1],
  ["fixed32", 5],
  ["sfixed32", 5],
]);
const byVarint = new Set(["int32", "int64", "uint32", "uint64", "sint32", "sint64", "bool"]);

function isNumeric(field: Field): boolean {
  return numeric.has(field.type) || byVarint.has(field.type) || field.resolvedType instanceof Enum;
}

function packed(field: Field, value: WireValue): unknown[] {
  if (!(value instanceof Uint8Array)) throw new Error(`${field.name} is not packed here`);
  const reader = new Reader(value);
  const width = numeric.get(field.type);
  const items: unknown[] = [];
  while (reader.left > 0) {
    const item = width === 1 ? reader.fixed64() : width === 5 ? reader.fixed32() : reader.varint();
    items.push(single(field, item, 0));
  }
  return items;
}

function single(field: Field, value: WireValue, depth: number): unknown {
  const { resolvedType } = field;
  if (resolvedType instanceof Type) {
    if (!(value instanceof Uint8Array)) throw new Error(`${field.name} is no message here`);
    return read(resolvedType, value, depth + 1);
  }
  if (resolvedType instanceof Enum) {
    if (value instanceof Uint8Array) throw new Error(`${field.name} is no enum here`);
    const number = Number(BigInt.asIntN(32, BigInt(value)));
    return resolvedType.valuesById[number] ?? number;
  }
  return scalar(field.type, value);
}

function scalar(type: string, value: WireValue): unknown {
  if (value instanceof Uint8Array) {
    if (type === "bytes") return value;
    const text = type === "string" ? utf8(value) : undefined;
    if (text === undefined) throw new Error(`there is no ${type} in a field that should hold one`);
    return text;
  }
  const bits = BigInt(value);
  switch (type) {
    case "string":
    case "bytes":
      throw new Error(`there is no ${type} in a field that should hold one`);
    case "bool":
      return bits !== 0n;
    case "float":
    case "double":
      return floating(type, bits);
    case "sint32":
    case "sint64":
      return narrow(BigInt.asIntN(64, (bits >> 1n) ^ -(bits & 1n)));
    case "int32":
    case "sfixed32":
      return Number(BigInt.asIntN(32, bits));
    case "int64":
    case "sfixed64":
      return narrow(BigInt.asIntN(64, bits));
    default:
      return narrow(bits);
  }
}

function floating(type: string, bits: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, bits, true);
  return type === "float" ? view.getFloat32(0, true) : view.getFloat64(0, true);
}
