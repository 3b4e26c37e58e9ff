// Numbers and times as charts write them; times in the zone of the page.
import { zone } from "./time.js";

function format(options) {
  const made = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options });
  return (at) => made.format(at * 1000);
}

const day = format({ day: "numeric", month: "short" });
const minute = format({ hour: "2-digit", minute: "2-digit" });
const second = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });

// A mark of a time axis whose marks are `span` seconds apart.
export function clockText(at, span) {
  return { date: day(at), text: span < 60 ? second(at) : minute(at) };
}

// "10:32 – 10:33", with the day when that is not today.
export function spanText(start, end) {
  const clock = start % 60 || end % 60 ? second : minute;
  const today = day(Date.now() / 1000);
  const date = day(start) === today && day(end) === today ? "" : `${day(start)} `;
  const other = day(end) === day(start) ? "" : `${day(end)} `;
  return `${date}${clock(start)} – ${other}${clock(end)}`;
}

export function durationText(seconds) {
  if (seconds < 1e-3) return `${trim(seconds * 1e6)} µs`;
  if (seconds < 1) return `${trim(seconds * 1000)} ms`;
  if (seconds < 60) return `${trim(seconds)} s`;
  if (seconds < 3600) return pair(seconds, 60, "m", 1, "s");
  if (seconds < 86400) return pair(seconds, 3600, "h", 60, "m");
  return pair(seconds, 86400, "d", 3600, "h");
}

function pair(seconds, size, name, small, smallName) {
  const rest = Math.floor((seconds % size) / small);
  return `${Math.floor(seconds / size)}${name}${rest ? ` ${rest}${smallName}` : ""}`;
}

function trim(value) {
  return String(Number(value.toPrecision(3)));
}

export function valueText(value, unit, short = false) {
  if (unit === "s") return durationText(value);
  const number = value.toLocaleString("en-US", short && Math.abs(value) >= 10000 ? { notation: "compact" } : { maximumFractionDigits: 2 });
  return unit ? `${number} ${unit}` : number;
}
