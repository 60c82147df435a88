import { deflateRawSync } from "node:zlib";
import { encode as encodeMessagePack } from "@msgpack/msgpack";
import { encode as encodeCbor } from "cborg";
import { describe, expect, it } from "vitest";
import { fromBase64, hexDump, toBase64 } from "./bytes";
import { type Decoded, decodeClosely, type Format, loadDecoder, noSchemas } from "./index";
import { pretty, reformat } from "./pretty";

const utf8 = (text: string) => new TextEncoder().encode(text);
const bytes = (...numbers: number[]) => Uint8Array.from(numbers);

async function read(format: Format, given: Uint8Array, schemas = {}): Promise<Decoded> {
  return (await loadDecoder(format, { ...noSchemas, ...schemas }))(given);
}

/** As JSON, without line breaks. */
const flat = (decoded: Decoded) => decoded.text.replaceAll(/\n\s*/g, "");

describe("bytes and text", () => {
  it("go to base64 and back, however long they are", () => {
    const long = Uint8Array.from({ length: 100_000 }, (_, at) => at % 256);
    expect(fromBase64(toBase64(long))).toEqual(long);
  });

  it("are dumped sixteen a line", () => {
    const dump = hexDump(utf8("snow falls, packs down"));
    expect(dump.split("\n")[0]).toBe("00000000  73 6e 6f 77 20 66 61 6c  6c 73 2c 20 70 61 63 6b  snow falls, pack");
    expect(hexDump(new Uint8Array(100), 32)).toContain("68 more bytes");
  });

  it("keep every digit of a number", () => {
    const json = '{"id":12345678901234567890,"a":[1.10,{}],"t":"{\\"x\\": [1]}","e":[]}';
    const shown = reformat(json);
    expect(shown).toContain("12345678901234567890");
    expect(shown).toContain('"{\\"x\\": [1]}"');
    expect(JSON.parse(shown)).toEqual(JSON.parse(json));
    expect(pretty(new Map<unknown, unknown>([[1n, bytes(1, 255)]]))).toBe('{\n  "1": "0x01ff"\n}');
  });
});

describe("automatic", () => {
  it.each<[string, Uint8Array, Decoded["format"]]>([
    ["JSON", utf8('{"a":1}'), "json"],
    ["a number is text", utf8("17"), "text"],
    ["text", utf8("Schnee, füllt\tTäler\n"), "text"],
    ["nothing", bytes(), "text"],
    ["broken JSON", utf8('{"a":'), "text"],
    ["MessagePack", encodeMessagePack({ a: 1, b: [true, null] }), "msgpack"],
    ["CBOR", encodeCbor({ a: 1, b: [true, null] }), "cbor"],
    ["Protobuf", bytes(0x08, 0x96, 0x01, 0x12, 0x03, 0x61, 0x62, 0x63), "protobuf"],
    ["something else", bytes(0xff, 0xfe, 0xfd), "hex"],
  ])("finds %s", async (_, given, format) => {
    expect((await read("auto", given)).format).toBe(format);
  });

  it("says that a registry's schema is missing", async () => {
    const decoded = await read("auto", bytes(0, 0, 0, 0, 42, 2, 1, 0x80));
    expect(decoded.format).toBe("hex");
    expect(decoded.note).toContain("schema 42");
  });

  it("never throws, whatever the bytes are", async () => {
    const decoders = await Promise.all(
      (["auto", "avro", "protobuf", "msgpack", "cbor", "json"] as const).map((format) =>
        loadDecoder(format, {
          ...noSchemas,
          avro: '{"type":"array","items":["null","string",{"type":"map","values":"long"}]}',
        }),
      ),
    );
    let seed = 7;
    const next = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed;
    };
    for (let round = 0; round < 3_000; round += 1) {
      const given = Uint8Array.from({ length: next() % 40 }, () => next() % 256);
      for (const decode of decoders) expect(typeof decode(given).text).toBe("string");
    }
  });
});

const order = JSON.stringify({
  type: "record",
  name: "Order",
  namespace: "shop",
  fields: [
    { name: "id", type: "long" },
    { name: "who", type: ["null", "string"] },
    { name: "tags", type: { type: "array", items: "string" } },
    { name: "state", type: { type: "enum", name: "State", symbols: ["NEW", "PAID"] } },
    { name: "at", type: { type: "long", logicalType: "timestamp-millis" } },
    { name: "price", type: { type: "bytes", logicalType: "decimal", precision: 9, scale: 2 } },
    { name: "again", type: ["null", "State"] },
    { name: "next", type: ["null", "Order"] },
  ],
});
/** 7, "Ada", ["a"], PAID, 1970-01-01T00:00:01Z, 12.34, PAID, none. */
const encoded = [14, 2, 6, 0x41, 0x64, 0x61, 2, 2, 0x61, 0, 2, 0xd0, 0x0f, 4, 0x04, 0xd2, 2, 2, 0];
const expected =
  '{"id": 7,"who": "Ada","tags": ["a"],"state": "PAID","at": "1970-01-01T00:00:01.000Z","price": "12.34","again": "PAID","next": null}';

describe("Avro", () => {
  it("reads a value by its schema, with a registry's prefix and without", async () => {
    for (const prefix of [[], [0, 0, 0, 0, 9], [0xc3, 1, 1, 2, 3, 4, 5, 6, 7, 8]]) {
      const decoded = await read("avro", bytes(...prefix, ...encoded), { avro: order });
      expect(decoded.format).toBe("avro");
      expect(flat(decoded)).toBe(expected);
    }
  });

  it("says why it shows hex", async () => {
    expect((await read("avro", bytes(1, 2, 3))).note).toContain("Paste");
    expect((await read("avro", bytes(...encoded, 0), { avro: order })).note).toContain("left over");
    await expect(
      loadDecoder("avro", { ...noSchemas, avro: '{"type":"record","name":"A","fields":[{"name":"b","type":"C"}]}' }),
    ).rejects.toThrow("unknown type C");
  });

  it("bounds what takes no bytes", async () => {
    const bomb = await read("avro", bytes(0xfe, 0xff, 0xff, 0xff, 0x0f, 0), {
      avro: '{"type":"array","items":"null"}',
    });
    expect(bomb.note).toContain("too many");
  });

  it.each(["null", "deflate"])("reads an object container file (%s)", async (codec) => {
    const string = (text: string) => [text.length * 2, ...utf8(text)];
    const schema = '{"type":"record","name":"Snow","fields":[{"name":"cm","type":"int"}]}';
    const long = (number: number) => (number < 64 ? [number * 2] : [((number * 2) % 128) | 128, (number * 2) >> 7]);
    const block = codec === "null" ? [10, 20] : [...deflateRawSync(bytes(10, 20))];
    const sync = Array.from({ length: 16 }, (_, at) => at);
    const file = bytes(
      0x4f,
      0x62,
      0x6a,
      1,
      4,
      ...string("avro.schema"),
      ...long(schema.length),
      ...utf8(schema),
      ...string("avro.codec"),
      ...string(codec),
      0,
      ...sync,
      4,
      ...long(block.length),
      ...block,
      ...sync,
    );
    const decoded = await decodeClosely(file, "auto", noSchemas);
    expect(decoded.note).toContain("Snow");
    expect(flat(decoded)).toBe('[{"cm": 5},{"cm": 10}]');
    expect((await decodeClosely(file.subarray(0, 80), "auto", noSchemas)).note).toContain("damaged");
  });
});

const proto = `
syntax = "proto3";
package shop;
message Order {
  int64 id = 1;
  string who = 2;
  repeated sint32 deltas = 3;
  map<string, Line> lines = 4;
  State state = 5;
  bytes raw = 6;
  double total = 7;
  enum State { NEW = 0; PAID = 1; }
  message Line { uint32 count = 1; }
}`;

describe("Protobuf", () => {
  const message = bytes(
    0x08,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0x01,
    0x12,
    0x03,
    0x41,
    0x64,
    0x61,
    0x1a,
    0x02,
    0x01,
    0x04,
    0x22,
    0x07,
    0x0a,
    0x01,
    0x61,
    0x12,
    0x02,
    0x08,
    0x03,
    0x28,
    0x01,
    0x32,
    0x01,
    0xff,
    0x39,
    0,
    0,
    0,
    0,
    0,
    0,
    0xf8,
    0x3f,
    0x98,
    0x06,
    0x05,
  );

  it("reads a message by its .proto, unknown fields too", async () => {
    for (const given of [message, bytes(0, 0, 0, 0, 9, 0, ...message)]) {
      const decoded = await read("protobuf", given, { proto, message: "shop.Order" });
      expect(flat(decoded)).toBe(
        '{"id": -1,"who": "Ada","deltas": [-1,2],"lines": {"a": {"count": 3}},"state": "PAID","raw": "0xff","total": 1.5,"#99": 5}',
      );
    }
  });

  it("shows the wire's fields without one", async () => {
    const decoded = await read(
      "protobuf",
      bytes(0x0a, 0x03, 0x61, 0x62, 0x63, 0x12, 0x02, 0x08, 0x07, 0x0a, 0x01, 0x64),
    );
    expect(decoded.note).toContain("Without a schema");
    expect(flat(decoded)).toBe('{"#1": ["abc","d"],"#2": {"#1": 7}}');
  });

  it("refuses what is no .proto", async () => {
    await expect(loadDecoder("protobuf", { ...noSchemas, proto: "message {" })).rejects.toThrow();
  });
});
