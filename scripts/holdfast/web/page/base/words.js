// Sizes, counts, moments and proofs in words, the same as the reports of the scripts say them.

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const RUNGS = {
  whole: "read to its end",
  hash: "every byte as written",
  contents: "counts and digests hold",
  restored: "restored and equal",
  sound: "restored, equal and sound",
};
const STEPS = {
  whole: "It can be read to its end",
  hash: "Every byte is as it was written",
  contents: "Counts and digests of all tables hold",
  restored: "A database was built from it, and is equal",
  sound: "SQLite finds that database sound; references were checked",
};

export const RUNG_NAMES = Object.keys(RUNGS);

/** 1 row, 5,012 rows. */
export function counted(count, noun, plural = `${noun}s`) {
  return `${number(count)} ${count === 1 ? noun : plural}`;
}

export function number(value) {
  return Number(value).toLocaleString("en");
}

/** 812 bytes, 1.9 MB. */
export function size(bytes) {
  if (bytes === null || bytes === undefined) return "not known";
  if (bytes < 1000) return counted(bytes, "byte");
  const power = Math.min(Math.floor(Math.log10(bytes * 1.00005) / 3), UNITS.length - 1);
  return `${(bytes / 1000 ** power).toFixed(1)} ${UNITS[power]}`;
}

/** just now, 5 minutes ago, 3 days ago. */
export function ago(moment, now = Date.now()) {
  const seconds = Math.round((now - Date.parse(moment)) / 1000);
  if (Number.isNaN(seconds)) return "at an unknown time";
  if (seconds < -60) return `in ${span(-seconds)}`;
  return seconds < 60 ? "just now" : `${span(seconds)} ago`;
}

function span(seconds) {
  if (seconds < 3600) return counted(Math.round(seconds / 60), "minute");
  if (seconds < 48 * 3600) return counted(Math.round(seconds / 3600), "hour");
  return counted(Math.round(seconds / 86400), "day");
}

/** 21 Nov 2026, 09:27, in the reader's own time. */
export function date(moment) {
  const parsed = new Date(moment);
  if (Number.isNaN(parsed.getTime())) return "unknown date";
  const [hour, minute] = [parsed.getHours(), parsed.getMinutes()].map((part) =>
    String(part).padStart(2, "0"),
  );
  return `${day(moment)}, ${hour}:${minute}`;
}

/** 21 Nov 2026 */
export function day(moment) {
  const parsed = new Date(moment);
  return `${parsed.getDate()} ${MONTHS[parsed.getMonth()]} ${parsed.getFullYear()}`;
}

/** What the highest rung proves; damage and nothing have words of their own. */
export function proof(rung) {
  if (rung === "damaged") return "damaged";
  return RUNGS[rung] ?? "not verified here";
}

/** Whether a rung counts as verified: what only came out of a file proves nothing. */
export function isProven(rung) {
  return RUNG_NAMES.indexOf(rung) >= RUNG_NAMES.indexOf("contents");
}

export function step(rung) {
  return STEPS[rung] ?? rung;
}

/** The last part of a path, on any system. */
export function nameOf(path) {
  return String(path).split(/[\\/]/).pop();
}

/** a, b and c. */
export function listed(words) {
  const all = [...words];
  if (all.length < 2) return all.join("");
  return `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}

/** Words with a capital, unless they begin with a name, and a full stop where they lack one. */
export function sentence(text) {
  const words = String(text ?? "").trim();
  if (!words) return "";
  const first = /^[a-z]+[ ,:]/.test(words) ? words[0].toUpperCase() + words.slice(1) : words;
  return /[.!?…]$/.test(first) ? first : `${first}.`;
}
