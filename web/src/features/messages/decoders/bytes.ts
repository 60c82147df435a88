/** Bytes to and from text. */

/** Bytes of a base64 text that the API wrote. */
export function fromBase64(text: string): Uint8Array {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at += 1) bytes[at] = raw.charCodeAt(at);
  return bytes;
}

export function toBase64(bytes: Uint8Array): string {
  const step = 32_768;
  let raw = "";
  for (let at = 0; at < bytes.length; at += step) raw += String.fromCharCode(...bytes.subarray(at, at + step));
  return btoa(raw);
}

/** Lower-case hex digits, without spaces. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Offsets, hex and characters, sixteen bytes a line, as `hexdump -C` shows them. */
export function hexDump(bytes: Uint8Array, most = 65_536): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, most); at += 16) {
    const line = bytes.subarray(at, at + 16);
    const hex = Array.from(line, (byte) => byte.toString(16).padStart(2, "0"));
    const left = hex.slice(0, 8).join(" ").padEnd(23);
    const right = hex.slice(8).join(" ").padEnd(23);
    const characters = Array.from(line, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."));
    lines.push(`${at.toString(16).padStart(8, "0")}  ${left}  ${right}  ${characters.join("")}`);
  }
  if (bytes.length > most) lines.push(`… ${(bytes.length - most).toLocaleString("en")} more bytes`);
  return lines.join("\n");
}

/** The text, if all of it is UTF-8. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Whether a text has nothing that no text has: control characters beside line ends and tabs. */
export function isPrintable(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) return false;
    if (code === 0x7f) return false;
  }
  return true;
}
