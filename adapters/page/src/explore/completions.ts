/** What the search box offers for what was typed. */

import { useQuery } from "@tanstack/react-query";
import { getJson } from "../api/client";
import { MODULES, type ModulesPage, type Suggestion } from "../api/types";
import { phrase, title } from "../words";
import { FILTERS, type FilterName, STATUSES, type Term, isFilter } from "./filters";

export interface Completion {
  id: string;
  title: string;
  hint: string;
  /** The filter that choosing it adds; without one the box goes on with `input`. */
  term?: Term;
  input?: string;
}

const ASKED: readonly FilterName[] = ["user", "entity", "source", "ip", "correlation_id"];
const MOST = 12;

const HINTS: Record<FilterName, string> = {
  user: "who did it: the beginning of a name or an id",
  module: "the family of activities",
  activity: "what was done",
  status: "how it ended",
  entity: "what was acted on, as certificate:c-42",
  source: "the credential that reported it",
  ip: "where the actor was",
  correlation_id: "the story that it belongs to",
  text: "words of the description and the details",
  q: 'all in one text, as user:asha status:failure after:2026-01-01 "web server"',
};

export function useCompletions(input: string, activities: readonly string[]): Completion[] {
  const { name, rest } = split(input);
  const asked = name !== null && ASKED.includes(name) ? name : null;
  const served = useQuery({
    queryKey: ["suggest", asked, rest],
    queryFn: ({ signal }) =>
      getJson<{ suggestions: Suggestion[] }>(
        "/v1/suggest",
        new URLSearchParams({ filter: asked ?? "", beginning: rest }),
        signal,
      ),
    enabled: asked !== null && rest !== "",
    placeholderData: (before, query) =>
      query?.queryKey[1] === asked && rest.startsWith(query.queryKey[2] ?? "") ? before : undefined,
  });
  if (name === "q" || isSearch(input, name)) return [search(name === "q" ? rest : input.trim())];
  if (name === null) return general(rest, activities);
  if (name === "text") return [completion({ name, value: rest }, rest, HINTS.text)];
  const exact = completion({ name, value: rest }, `${name}: ${rest}`, "as typed");
  if (asked === null) {
    const mayBe = name === "activity" && activities.length === 0 && NAME_OF_ACTIVITY.test(rest);
    return mayBe ? [exact] : fixed(name, rest, activities);
  }
  const values = (served.data?.suggestions ?? []).map(suggested(name));
  if (rest === "") return values;
  return served.isPlaceholderData ? [exact, ...values] : [...values, exact]; // Those were found for less than was typed.
}

/** A whole one, which may be asked for before the names are known. */
const NAME_OF_ACTIVITY = /^[a-z_]+\.[a-z_]+$/;

const TERM = /(?:^|\s)([a-z_]+):(?=\S)/gi;
const ONLY_WRITTEN = ["after", "before"];

/** Whether this is more than one filter: a text in the search language. */
function isSearch(input: string, name: FilterName | null): boolean {
  const named = Array.from(input.matchAll(TERM), ([, found = ""]) => found.toLowerCase());
  const known = named.filter((one) => isFilter(one) || ONLY_WRITTEN.includes(one)).length;
  return known > 1 || (known === 1 && name === null) || (known === 1 && input.includes('"'));
}

function search(text: string): Completion {
  return completion({ name: "q", value: text }, text, text === "" ? HINTS.q : "search");
}

export function useActivities(enabled: boolean): string[] {
  const found = useQuery({
    queryKey: ["modules"],
    queryFn: () => getJson<ModulesPage>("/v1/modules"),
    enabled,
    staleTime: 600_000,
  });
  return (found.data?.modules ?? []).map((row) => row.activity);
}

function split(input: string): { name: FilterName | null; rest: string } {
  const colon = input.indexOf(":");
  const name = input.slice(0, colon).trim().toLowerCase();
  return colon > 0 && isFilter(name) ? { name, rest: input.slice(colon + 1).trim() } : { name: null, rest: input.trim() };
}

/** Without a filter's name: words to look for, what is known by that name, and the names of filters. */
function general(typed: string, activities: readonly string[]): Completion[] {
  const names = FILTERS.filter((name) => name.startsWith(typed.toLowerCase())).map((name) => ({
    id: `name:${name}`,
    title: `${name}:`,
    hint: HINTS[name],
    input: `${name}:`,
  }));
  if (typed === "") return names;
  const known = (["status", "module", "activity"] as const).flatMap((name) => fixed(name, typed, activities));
  return [
    completion({ name: "text", value: typed }, `Events about “${typed}”`, "words"),
    completion({ name: "user", value: typed }, `Events by “${typed}”`, "user"),
    ...known.slice(0, MOST),
    ...names,
  ];
}

function fixed(name: FilterName, typed: string, activities: readonly string[]): Completion[] {
  const wanted = typed.toLowerCase();
  const choices: readonly [string, string][] =
    name === "status"
      ? STATUSES.map((status) => [status, title(status)])
      : name === "module"
        ? MODULES.map((module) => [module, title(module)])
        : name === "activity"
          ? activities.map((activity) => [activity, phrase(activity)])
          : [];
  const isWhole = (value: string): number => Number(value === wanted);
  return choices
    .filter(([value, words]) => value.includes(wanted) || words.toLowerCase().includes(wanted))
    .sort(([one], [other]) => isWhole(other) - isWhole(one)) // What was written out is what Enter means.
    .slice(0, MOST)
    .map(([value, words]) => completion({ name, value }, words, name));
}

function suggested(name: FilterName): (found: Suggestion) => Completion {
  return ({ value, label }) => completion({ name, value }, label ?? value, label === null ? name : value);
}

function completion(term: Term, words: string, hint: string): Completion {
  return { id: `${term.name}=${term.value}`, title: words, hint, term };
}
