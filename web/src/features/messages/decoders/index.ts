/** Bytes of keys, values and headers as people read them. What is heavy is loaded when somebody first asks for it. */
import { hexDump, isPrintable, utf8 } from "./bytes";
import { pretty, reformat } from "./pretty";

export const formats = ["auto", "json", "text", "hex", "avro", "protobuf", "msgpack", "cbor"] as const;
export type Format = (typeof formats)[number];

export const formatNames: Record<Format, string> = {
  auto: "Automatic",
  json: "JSON",
  text: "Text",
  hex: "Hex",
  avro: "Avro",
  protobuf: "Protobuf",
  msgpack: "MessagePack",
  cbor: "CBOR",
};

/** What somebody has pasted for a topic. */
export interface Schemas {
  avro: string;
  proto: string;
  message: string;
}

export const noSchemas: Schemas = { avro: "", proto: "", message: "" };

export interface Decoded {
  /** As what it was read. */
  format: Exclude<Format, "auto">;
  text: string;
  /** What else there is to say: why it is shown so, or what was not understood. */
  note?: string;
}

/** Reads bytes; never throws. */
export type Decoder = (bytes: Uint8Array) => Decoded;

type Read = (bytes: Uint8Array) => string;

function asHex(bytes: Uint8Array, note?: string): Decoded {
  return { format: "hex", text: hexDump(bytes), ...(note ? { note } : {}) };
}

/** A decoder that says why it shows hex instead. */
function strict(format: Exclude<Format, "auto">, read: Read): Decoder {
  return (bytes) => {
    try {
      return { format, text: read(bytes) };
    } catch (error) {
      return asHex(bytes, `Not ${formatNames[format]}: ${error instanceof Error ? error.message : String(error)}.`);
    }
  };
}

function json(bytes: Uint8Array): string {
  const text = utf8(bytes);
  if (text === undefined) throw new Error("it is no UTF-8");
  JSON.parse(text);
  return reformat(text);
}

/** JSON, text and hex; `undefined`: it is none of the first two. */
export function plain(bytes: Uint8Array): Decoded | undefined {
  const text = utf8(bytes);
  if (text === undefined || !isPrintable(text)) return undefined;
  if (/^\s*[[{"]/.test(text)) {
    try {
      JSON.parse(text);
      return { format: "json", text: reformat(text) };
    } catch {
      // Then it is text.
    }
  }
  return { format: "text", text };
}

async function messagePack(): Promise<(bytes: Uint8Array) => unknown> {
  const { decode } = await import("@msgpack/msgpack");
  return (bytes) => decode(bytes, { useBigInt64: true });
}

async function cbor(): Promise<(bytes: Uint8Array) => unknown> {
  const { decode } = await import("cborg");
  const tagged = (inner: () => unknown) => inner();
  const tags = { 0: tagged, 1: tagged, 2: tagged, 3: tagged, 32: tagged, 37: tagged, 55799: tagged };
  return (bytes) => decode(bytes, { useMaps: true, allowUndefined: true, allowInfinity: true, allowNaN: true, tags });
}

async function avro(schemas: Schemas): Promise<Decoder> {
  const { AvroSchema, decodeAvro } = await import("./avro");
  if (schemas.avro.trim() === "") return (bytes) => asHex(bytes, "Paste the Avro schema to read it.");
  const schema = new AvroSchema(schemas.avro);
  return strict("avro", (bytes) => pretty(decodeAvro(schema, bytes)));
}

async function protobuf(schemas: Schemas): Promise<Decoder> {
  const { guessMessage } = await import("./wire");
  if (schemas.proto.trim() === "") {
    const decode = strict("protobuf", (bytes) => pretty(guessMessage(bytes)));
    return (bytes) => ({ note: "Without a schema: numbers of fields, kinds are guessed.", ...decode(bytes) });
  }
  const { ProtoSchema } = await import("./protobuf");
  const schema = new ProtoSchema(schemas.proto);
  const message = schemas.message || schema.messages[0];
  if (message === undefined) return (bytes) => asHex(bytes, "The .proto holds no message.");
  return strict("protobuf", (bytes) => pretty(schema.decode(message, bytes)));
}

/** Containers: what is a single number or text in a binary format is more likely something else. */
function isContainer(value: unknown): boolean {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array) && !(value instanceof Date);
}

async function automatic(schemas: Schemas): Promise<Decoder> {
  const [packed, compact, { guessMessage }, { isContainer: isAvroFile, registryId }] = await Promise.all([
    messagePack(),
    cbor(),
    import("./wire"),
    import("./avro"),
  ]);
  const chosen: Decoder[] = [];
  if (schemas.avro.trim() !== "") chosen.push(await avro(schemas));
  if (schemas.proto.trim() !== "") chosen.push(await protobuf(schemas));
  const guesses: [Exclude<Format, "auto">, (bytes: Uint8Array) => unknown][] = [
    ["msgpack", packed],
    ["cbor", compact],
    ["protobuf", guessMessage],
  ];
  return (bytes) => {
    const readable = plain(bytes);
    if (readable) return readable;
    if (isAvroFile(bytes)) return asHex(bytes, "An Avro object container file: open it to read it.");
    for (const decode of chosen) {
      const decoded = decode(bytes);
      if (decoded.format !== "hex") return decoded;
    }
    const id = registryId(bytes);
    if (id !== undefined && id < 10_000_000) {
      return asHex(bytes, `Written with schema ${id} of a schema registry: paste that schema to read it.`);
    }
    for (const [format, read] of guesses) {
      const value = attempt(read, bytes);
      if (isContainer(value)) return { format, text: pretty(value), note: `${formatNames[format]}, by its looks.` };
    }
    return asHex(bytes);
  };
}

function attempt(read: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    return read(bytes);
  } catch {
    return undefined;
  }
}

/** The decoder of a format. Throws if a schema is none. */
export async function loadDecoder(format: Format, schemas: Schemas): Promise<Decoder> {
  switch (format) {
    case "auto":
      return automatic(schemas);
    case "json":
      return strict("json", json);
    case "text":
      return (bytes) => ({ format: "text", text: new TextDecoder().decode(bytes) });
    case "hex":
      return (bytes) => asHex(bytes);
    case "avro":
      return avro(schemas);
    case "protobuf":
      return protobuf(schemas);
    case "msgpack": {
      const read = await messagePack();
      return strict("msgpack", (bytes) => pretty(read(bytes)));
    }
    case "cbor": {
      const read = await cbor();
      return strict("cbor", (bytes) => pretty(read(bytes)));
    }
  }
}

/** One record's bytes, looked at closely: an Avro file is read with the schema that is in it. */
export async function decodeClosely(bytes: Uint8Array, format: Format, schemas: Schemas): Promise<Decoded> {
  const { isContainer: isAvroFile, readContainer } = await import("./avro");
  if ((format === "auto" || format === "avro") && isAvroFile(bytes)) {
    try {
      const { schema, values } = await readContainer(bytes);
      const name = (JSON.parse(schema) as { name?: string }).name ?? "its own schema";
      return { format: "avro", text: pretty(values), note: `An Avro object container file, read by ${name}.` };
    } catch (error) {
      return asHex(bytes, `A damaged Avro file: ${error instanceof Error ? error.message : String(error)}.`);
    }
  }
  return (await loadDecoder(format, schemas))(bytes);
}
