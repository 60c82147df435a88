/**
 * Rules from what a proof says of a client to a name (`ssl.principal.mapping.rules`), tried in the browser so that one sees what they
 * do before they are saved. The service's own matcher decides; what this one cannot read it says so.
 */

export type Tried =
  | { kind: "name"; name: string; rule: string }
  | { kind: "none" }
  | { kind: "unreadable"; why: string };

interface Rule {
  text: string;
  /** None: `DEFAULT`. */
  pattern?: string;
  replacement: string;
  letters: string;
}

const one = /\s*(?:(DEFAULT)|RULE:((?:\\.|[^\\/])*)\/((?:\\.|[^\\/])*)\/([LU]?))\s*(?:,|$)/y;

function rulesOf(text: string): Rule[] | undefined {
  const rules: Rule[] = [];
  one.lastIndex = 0;
  while (one.lastIndex < text.length) {
    const found = one.exec(text);
    if (!found) return undefined;
    const [whole, byDefault, pattern, replacement = "", letters = ""] = found;
    const rule = { text: whole.trim().replace(/,$/, ""), replacement: replacement.replaceAll("\\/", "/"), letters };
    rules.push(byDefault || pattern === undefined ? rule : { ...rule, pattern: pattern.replaceAll("\\/", "/") });
  }
  return rules;
}

/** A replacement as Java reads it: `$1` is a group, a backslash takes the next character as it is. */
function replaced(replacement: string, groups: readonly (string | undefined)[]): string {
  return replacement.replaceAll(/\\(.)|\$(\d)/g, (_, literal: string | undefined, group: string | undefined) =>
    literal === undefined ? (groups[Number(group)] ?? "") : literal,
  );
}

function named(rule: Rule, text: string): string | undefined {
  if (rule.pattern === undefined) return text;
  if (!new RegExp(`^(?:${rule.pattern})$`).test(text)) return undefined;
  const name = text.replaceAll(new RegExp(rule.pattern, "g"), (...found: unknown[]) => {
    const groups = found.filter((each) => typeof each === "string" || each === undefined).slice(0, -1);
    return replaced(rule.replacement, groups as (string | undefined)[]);
  });
  if (rule.letters === "L") return name.toLowerCase();
  return rule.letters === "U" ? name.toUpperCase() : name;
}

/** What rules make of a text: the first one that matches all of it gives the name. */
export function tried(rules: string, text: string): Tried {
  const read = rulesOf(rules.trim());
  if (!read)
    return {
      kind: "unreadable",
      why: "A rule is DEFAULT or RULE:pattern/replacement/, and rules are separated by commas.",
    };
  try {
    for (const rule of read) {
      const name = named(rule, text);
      if (name !== undefined) return { kind: "name", name, rule: rule.text };
    }
  } catch {
    return { kind: "unreadable", why: "Your browser cannot read this pattern; the service may." };
  }
  return { kind: "none" };
}
