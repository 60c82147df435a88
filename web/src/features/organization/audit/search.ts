/** Which entries of a trail are looked at, as the address has it. */

export const words = ["principal", "action", "resource_kind", "resource", "request_id", "id"] as const;
export type Word = (typeof words)[number];

export type AuditSearch = { [key in Word]?: string } & {
  decision?: "allowed" | "denied";
  /** RFC 3339. */
  from?: string;
  to?: string;
};

function moment(text: unknown): string | undefined {
  const at = typeof text === "string" ? new Date(text) : undefined;
  return at && !Number.isNaN(at.getTime()) ? at.toISOString() : undefined;
}

/** What the address says; what it says wrong is left out. */
export function readAudit(search: Record<string, unknown>): AuditSearch {
  const found: Record<string, string> = {};
  for (const word of words) {
    const given = search[word];
    const text = typeof given === "string" || typeof given === "number" ? String(given).trim() : "";
    if (text !== "" && text.length <= 300) found[word] = text;
  }
  if (search.decision === "allowed" || search.decision === "denied") found.decision = search.decision;
  for (const end of ["from", "to"]) {
    const at = moment(search[end]);
    if (at) found[end] = at;
  }
  return found;
}
