/** The facts of a record, as JSON. */

export type Facts = Record<string, unknown>;

/** A number as it is written, where JavaScript would write another: 1.0, or 1e16. */
class Written {
  constructor(readonly source: string) {}
}

const MAY_BE_WRITTEN_OTHERWISE = /(?:":|[[,])-?\d+[.eE]/;

/** As `JSON.parse`, but numbers keep the form in which they were hashed. Throws SyntaxError. */
export function parseExact(text: string): unknown {
  if (!MAY_BE_WRITTEN_OTHERWISE.test(text)) return JSON.parse(text);
  return JSON.parse(text, keepForm);
}

function keepForm(_: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || context?.source === undefined || String(value) === context.source) return value;
  return new Written(context.source);
}

/** Throws Error for what is no JSON object. */
export function parseFacts(text: string): Facts {
  const value = parseExact(text);
  if (!isObject(value)) throw new Error("a JSON object was expected");
  return value;
}

export function isObject(value: unknown): value is Facts {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Written);
}

/** Each personal field at its place, which a JSON Pointer names. Throws Error where there is no such place. */
export function putBack(facts: Facts, fields: Facts): void {
  for (const [path, value] of Object.entries(fields)) {
    const steps = path.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = steps.pop() ?? "";
    let place: unknown = facts;
    // Own members only: a name such as `__proto__` leads to what all objects share.
    for (const step of steps) place = isPlace(place) && Object.hasOwn(place, step) ? place[step] : undefined;
    if (!isPlace(place)) throw new Error(`there is no place ${path} for personal data`);
    Object.defineProperty(place, last, { value, enumerable: true, configurable: true, writable: true });
  }
}

function isPlace(value: unknown): value is Facts {
  return typeof value === "object" && value !== null && !(value instanceof Written);
}

/** JSON in its one form: no white space, keys by code point. */
export function canonical(value: unknown): string {
  if (value instanceof Written) return value.source;
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort(byCodePoint).map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${members.join(",")}}`;
}

/** JavaScript itself compares halves of characters, and has those beyond 16 bits before some that are not. */
function byCodePoint(one: string, other: string): number {
  const [ours, theirs] = [Array.from(one), Array.from(other)];
  for (const [place, letter] of ours.entries()) {
    const difference = (letter.codePointAt(0) ?? 0) - (theirs[place]?.codePointAt(0) ?? -1);
    if (difference !== 0) return difference;
  }
  return ours.length - theirs.length;
}

export function sameJson(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return one === other;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && sameJson((one as Facts)[name], (other as Facts)[name]))
  );
}
