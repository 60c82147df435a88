/** Whether an address is in a network: to warn whoever is about to shut themselves out. */

/** The bits of an address, and how many; undefined if it is none. */
function bitsOf(address: string): { value: bigint; width: number } | undefined {
  if (/^\d+(\.\d+){3}$/.test(address)) {
    const parts = address.split(".").map(Number);
    if (parts.some((part) => part > 255)) return undefined;
    return { value: parts.reduce((value, part) => (value << 8n) | BigInt(part), 0n), width: 32 };
  }
  if (!address.includes(":") || !/^[0-9a-fA-F:]+$/.test(address)) return undefined;
  const halves = address.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const gap = 8 - head.length - tail.length;
  if (halves.length === 2 ? gap < 1 : gap !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: gap }, () => "0"), ...tail];
  if (groups.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return { value: groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n), width: 128 };
}

/** Whether a network, or a single address, has this address in it; undefined if it is no network. */
export function isIn(network: string, address: string): boolean | undefined {
  const [base = "", length, ...rest] = network.split("/");
  const [inside, outside] = [bitsOf(address), bitsOf(base)];
  if (!outside || rest.length > 0) return undefined;
  const bits = length === undefined ? outside.width : Number(length);
  if (!/^\d*$/.test(length ?? "") || length === "" || bits > outside.width) return undefined;
  if (!inside || inside.width !== outside.width) return false;
  const shift = BigInt(outside.width - bits);
  return inside.value >> shift === outside.value >> shift;
}
