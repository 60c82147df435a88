/** What a session was opened with, in words: a guess from what the program calls itself. */

interface Device {
  name: string;
  kind: "computer" | "phone" | "program";
}

const browsers: [RegExp, string][] = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/HeadlessChrome\//, "Chrome, without a window"],
  [/Chrom(e|ium)\//, "Chrome"],
  [/Safari\//, "Safari"],
];

const systems: [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
];

/** `Mozilla/5.0 (X11; Linux x86_64) … Firefox/140.0` as `Firefox on Linux`. */
export function device(agent: string): Device {
  const found = (of: [RegExp, string][]) => of.find(([shape]) => shape.test(agent))?.[1];
  const browser = found(browsers);
  const system = found(systems);
  if (!browser) return { name: agent.split(" ")[0] || "An unnamed program", kind: "program" };
  const kind = /Mobile|Android|iPhone|iPad/.test(agent) ? "phone" : "computer";
  return { name: system ? `${browser} on ${system}` : browser, kind };
}
