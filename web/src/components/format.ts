/** Numbers, sizes and times for people. */

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** `1536` as `1.5 KiB`. */
export function bytes(count: number | null | undefined): string {
  if (count === null || count === undefined) return "–";
  let value = count;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || Math.abs(value) >= 100 ? 0 : 1;
  return `${value.toLocaleString("en", { maximumFractionDigits: digits })} ${units[unit]}`;
}

/** `1234567` as `1,234,567`. */
export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : value.toLocaleString("en", { maximumFractionDigits: 1 });
}

/** An offset: a name more than a number, so without separators. Beyond 2⁵³ the browser has lost digits, and that is said. */
export function offset(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return Number.isSafeInteger(value) ? String(value) : `about ${value.toPrecision(3)}`;
}

/** A moment as the browser's own field (`datetime-local`) has it, in the reader's time zone; empty where there is none. */
export function localTime(at: string | null | undefined, seconds = false): string {
  const time = new Date(at ?? "");
  if (Number.isNaN(time.getTime())) return "";
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, seconds ? 19 : 16);
}

/** The reader's own time zone at a moment: `UTC`, `UTC+1`, `UTC-3:30`. */
export function zone(at: Date = new Date()): string {
  const ahead = -at.getTimezoneOffset();
  if (ahead === 0) return "UTC";
  const minutes = Math.abs(ahead) % 60;
  const hours = Math.floor(Math.abs(ahead) / 60);
  return `UTC${ahead < 0 ? "-" : "+"}${hours}${minutes === 0 ? "" : `:${String(minutes).padStart(2, "0")}`}`;
}

/** A moment in the reader's own time zone, which it names: `2026-11-28 22:31:07 UTC+1`. */
export function moment(at: string | null | undefined): string {
  if (!at) return "–";
  const time = new Date(at);
  const two = (part: number) => String(part).padStart(2, "0");
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())} ${zone(time)}`;
}

/** Seconds as `3 min 5 s`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 1) return seconds === 0 ? "0 s" : "< 1 s";
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3_600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [Math.floor(seconds) % 60, "s"],
  ];
  const shown = parts.filter(([value]) => value > 0).slice(0, 2);
  return shown.map(([value, unit]) => `${value} ${unit}`).join(" ");
}

/** How long ago something was: `5 min ago`. */
export function ago(at: string | null | undefined, now: number = Date.now()): string {
  if (!at) return "never";
  const seconds = (now - new Date(at).getTime()) / 1_000;
  if (seconds < 5) return "just now";
  return `${duration(seconds).split(" ").slice(0, 2).join(" ")} ago`;
}
