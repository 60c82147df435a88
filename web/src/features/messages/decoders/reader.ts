/** Reads numbers out of bytes, and never past their end. */

export class Reader {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** The place of so many bytes, which are read then. */
  private step(size: number): number {
    if (size < 0 || size > this.left) throw new Error(`it ends at byte ${this.bytes.length}, in the middle of a value`);
    const at = this.at;
    this.at += size;
    return at;
  }

  byte(): number {
    return this.view.getUint8(this.step(1));
  }

  take(size: number): Uint8Array {
    const at = this.step(size);
    return this.bytes.subarray(at, at + size);
  }

  /** A varint of at most ten bytes. */
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error("a number has more than ten bytes");
  }

  /** A zigzag varint. */
  zigzag(): bigint {
    const value = this.varint();
    return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
  }

  /** A length: a number that fits into what is left. */
  length(value: bigint): number {
    if (value < 0n || value > BigInt(this.left)) throw new Error("a length is larger than what is left");
    return Number(value);
  }

  float(): number {
    return this.view.getFloat32(this.step(4), true);
  }

  double(): number {
    return this.view.getFloat64(this.step(8), true);
  }

  fixed32(): number {
    return this.view.getUint32(this.step(4), true);
  }

  fixed64(): bigint {
    return this.view.getBigUint64(this.step(8), true);
  }
}

/** A bigint as a number where no digit is lost. */
export function narrow(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}
