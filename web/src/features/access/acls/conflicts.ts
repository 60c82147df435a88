/** Which denying ACLs beat a new one: in Kafka a deny wins, whatever allows. */
import type { Acl, AclBinding } from "../api";
import { impliedBy } from "./words";

export interface Beaten {
  by: Acl;
  /** Nothing of it is left; otherwise it still allows something. */
  wholly: boolean;
}

type Overlap = "none" | "part" | "whole";

/** How much of what a pattern stands for another one covers. */
export function covered(
  pattern: Pick<AclBinding, "pattern_type" | "resource_name">,
  by: Pick<AclBinding, "pattern_type" | "resource_name">,
): Overlap {
  const all = (each: typeof pattern) => each.pattern_type === "literal" && each.resource_name === "*";
  if (all(by)) return "whole";
  if (all(pattern)) return "part";
  const [name, other] = [pattern.resource_name, by.resource_name];
  if (by.pattern_type === "prefixed") {
    if (name.startsWith(other)) return "whole";
    return pattern.pattern_type === "prefixed" && other.startsWith(name) ? "part" : "none";
  }
  if (pattern.pattern_type === "prefixed") return other.startsWith(name) ? "part" : "none";
  return name === other ? "whole" : "none";
}

function equalOr(value: string, by: string, all: string): Overlap {
  if (by === all || by === value) return "whole";
  return value === all ? "part" : "none";
}

function operationCovered(operation: string, by: string): Overlap {
  const overlap = equalOr(operation, by, "all");
  return overlap === "none" && impliedBy(operation).includes(by) ? "part" : overlap;
}

/** The denying ACLs that leave nothing or less of what a new one would allow. */
export function beatenBy(acl: AclBinding, denying: readonly Acl[]): Beaten[] {
  if (acl.permission !== "allow") return [];
  return denying.flatMap((by) => {
    if (by.permission !== "deny" || by.resource_type !== acl.resource_type) return [];
    const overlaps = [
      covered(acl, by),
      equalOr(acl.principal, by.principal, "User:*"),
      equalOr(acl.host, by.host, "*"),
      operationCovered(acl.operation, by.operation),
    ];
    if (overlaps.includes("none")) return [];
    return [{ by, wholly: overlaps.every((overlap) => overlap === "whole") }];
  });
}
