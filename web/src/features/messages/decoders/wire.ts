/** Protobuf's wire format without a schema: numbers of fields and what is in them. */
import { isPrintable, utf8 } from "./bytes";
import { narrow, Reader } from "./reader";

const deepest = 32;
const mostFields = 100_000;

export type WireValue = bigint | number | Uint8Array;

/** Field by field; throws where the bytes are no message. */
export function* fields(bytes: Uint8Array): Generator<{ number: number; wire: number; value: WireValue }> {
  const reader = new Reader(bytes);
  let count = 0;
  while (reader.left > 0) {
    count += 1;
    if (count > mostFields) throw new Error("there are too many fields");
    const tag = reader.varint();
    const number = Number(tag >> 3n);
    const wire = Number(tag & 7n);
    if (number < 1 || number > 536_870_911) throw new Error("a field has no number");
    if (wire === 0) yield { number, wire, value: reader.varint() };
    else if (wire === 1) yield { number, wire, value: reader.fixed64() };
    else if (wire === 2) yield { number, wire, value: reader.take(reader.length(reader.varint())) };
    else if (wire === 5) yield { number, wire, value: reader.fixed32() };
    else throw new Error(`a field has the wire type ${wire}`);
  }
}

/** What a message looks like: `#1` and so on; what is between is a guess. */
export function guessMessage(bytes: Uint8Array, depth = 0): Map<string, unknown> {
  const message = new Map<string, unknown>();
  for (const { number, value } of fields(bytes)) {
    const shown = value instanceof Uint8Array ? guessBytes(value, depth) : narrow(BigInt(value));
    const name = `#${number}`;
    if (!message.has(name)) message.set(name, shown);
    else {
      const before = message.get(name);
      message.set(name, before instanceof Repeated ? before.with(shown) : new Repeated([before, shown]));
    }
  }
  return new Map([...message].map(([name, value]) => [name, value instanceof Repeated ? value.items : value]));
}

/** Several values of one field, not to be mistaken for one value that is a list. */
class Repeated {
  readonly items: unknown[];
  constructor(items: unknown[]) {
    this.items = items;
  }
  with(item: unknown): Repeated {
    this.items.push(item);
    return this;
  }
}

function guessBytes(bytes: Uint8Array, depth: number): unknown {
  const text = utf8(bytes);
  if (text !== undefined && isPrintable(text)) return text;
  if (depth < deepest) {
    try {
      return guessMessage(bytes, depth + 1);
    } catch {
      // Then it is bytes.
    }
  }
  return bytes;
}
