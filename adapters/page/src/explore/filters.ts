/** The filters in the address: they have the names that the API gives them, so an address is also a query. */

import { MODULES, type Status } from "../api/types";
import { phrase, title } from "../words";

export const FILTERS = [
  "user",
  "module",
  "activity",
  "status",
  "entity",
  "source",
  "ip",
  "correlation_id",
  "text",
  // All of them in one text, in the search language; given once.
  "q",
] as const;
export type FilterName = (typeof FILTERS)[number];

export interface Term {
  name: FilterName;
  value: string;
}

export const STATUSES: readonly Status[] = ["success", "failure"];

export function isFilter(name: string): name is FilterName {
  return (FILTERS as readonly string[]).includes(name);
}

export function termsOf(query: URLSearchParams): Term[] {
  return [...query].flatMap(([name, value]) => (isFilter(name) ? [{ name, value }] : []));
}

/** The part of an address that the API understands. */
export function apiQuery(query: URLSearchParams): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const [name, value] of query) {
    if (isFilter(name) || name === "from" || name === "to") parameters.append(name, value);
  }
  return parameters;
}

const A_SECOND = 1000;

/** What the table asks for: who has jumped to a time sees what happened up to and in that second. */
export function listQuery(query: URLSearchParams): URLSearchParams {
  const parameters = apiQuery(query);
  const at = Date.parse(query.get("at") ?? "");
  if (Number.isNaN(at)) return parameters;
  const to = parameters.get("to");
  if (to === null || Date.parse(to) > at + A_SECOND) parameters.set("to", new Date(at + A_SECOND).toISOString());
  return parameters;
}

export function withTerm(query: URLSearchParams, term: Term): URLSearchParams {
  if (term.name === "q") return withValues(query, { q: term.value });
  const changed = new URLSearchParams(query);
  if (!changed.getAll(term.name).includes(term.value)) changed.append(term.name, term.value);
  return changed;
}

export function withoutTerm(query: URLSearchParams, term: Term): URLSearchParams {
  const changed = new URLSearchParams();
  for (const [name, value] of query) {
    if (name !== term.name || value !== term.value) changed.append(name, value);
  }
  return changed;
}

/** With these parameters set, or taken away where they are null. */
export function withValues(query: URLSearchParams, values: Record<string, string | null>): URLSearchParams {
  const changed = new URLSearchParams(query);
  for (const [name, value] of Object.entries(values)) {
    if (value === null) changed.delete(name);
    else changed.set(name, value);
  }
  return changed;
}

/** The name of a filter as people read it. */
export function nameTitle({ name }: Term): string {
  return name === "q" ? "search" : name.replace("_id", "");
}

/** The value of a filter as people read it. */
export function valueTitle(term: Term): string {
  if (term.name === "module" && (MODULES as readonly string[]).includes(term.value)) return title(term.value);
  if (term.name === "activity") return phrase(term.value);
  return term.value;
}
