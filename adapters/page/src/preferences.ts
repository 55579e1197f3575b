/** What a reader prefers, kept in this browser: it changes how things look, never what is shown. */

import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";
export type Clock = "utc" | "local";

interface Preferences {
  theme: Theme;
  clock: Clock;
}

const KEY = "certinext-audit-preferences";
const listeners = new Set<() => void>();
let current = read();
apply();

export function usePreferences(): Preferences {
  return useSyncExternalStore(subscribe, () => current);
}

export function prefer(change: Partial<Preferences>): void {
  current = { ...current, ...change };
  window.localStorage.setItem(KEY, JSON.stringify(current));
  apply();
  for (const listener of listeners) listener();
}

function read(): Preferences {
  const kept: unknown = JSON.parse(window.localStorage.getItem(KEY) ?? "{}");
  const found = (typeof kept === "object" && kept !== null ? kept : {}) as Partial<Preferences>;
  return {
    theme: found.theme === "light" || found.theme === "dark" ? found.theme : "system",
    clock: found.clock === "local" ? "local" : "utc",
  };
}

function apply(): void {
  if (current.theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = current.theme;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
