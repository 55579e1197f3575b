/** Times as people read them, in UTC or in the reader's own zone; the zone is always said. */

import type { Clock } from "./preferences";

const formats = new Map<string, Intl.DateTimeFormat>();

function format(clock: Clock, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = clock + JSON.stringify(options);
  let found = formats.get(key);
  if (found === undefined) {
    // Swedish writes dates as ISO 8601 does.
    found = new Intl.DateTimeFormat("sv-SE", clock === "utc" ? { ...options, timeZone: "UTC" } : options);
    formats.set(key, found);
  }
  return found;
}

const SECONDS: Intl.DateTimeFormatOptions = {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
};

/** `2026-11-24 10:00:00`; what is no time stays as it is, since anybody can write an address. */
export function moment(rfc3339: string, clock: Clock): string {
  if (Number.isNaN(Date.parse(rfc3339))) return rfc3339;
  return format(clock, SECONDS).format(new Date(rfc3339));
}

/** `2026-11-24 10:00:00.123456`: all that was recorded, in either zone. */
export function exactMoment(rfc3339: string, clock: Clock): string {
  const fraction = /\.(\d+)/.exec(rfc3339)?.[1] ?? "0";
  return `${moment(rfc3339, clock)}.${fraction.padEnd(6, "0")}`;
}

export function zone(clock: Clock): string {
  if (clock === "utc") return "UTC";
  const parts = new Intl.DateTimeFormat("en", { timeZoneName: "shortOffset" }).formatToParts(new Date());
  return parts.find((part) => part.type === "timeZoneName")?.value ?? "local";
}

/** What `<input type="datetime-local">` takes, and back. */
export function toInput(rfc3339: string, clock: Clock): string {
  if (Number.isNaN(Date.parse(rfc3339))) return "";
  return moment(rfc3339, clock).replace(" ", "T");
}

export function fromInput(text: string, clock: Clock): string {
  return new Date(clock === "utc" ? `${text}Z` : text).toISOString();
}

/** `3 minutes ago`, `in 2 days`. */
export function ago(rfc3339: string, now: number): string {
  const seconds = (new Date(rfc3339).getTime() - now) / 1000;
  const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return relative.format(Math.round(seconds), "second");
}

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];
