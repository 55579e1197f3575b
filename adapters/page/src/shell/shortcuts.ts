/** Keys that work in every view: each once, for the handler and for the sheet that lists them. */

import { useEffect, useState } from "react";
import { addressOf, go } from "../address";

export interface Shortcut {
  keys: string;
  words: string;
}

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: "/", words: "Filter events" },
  { keys: "g e", words: "Go to Explore" },
  { keys: "g f", words: "Go to Findings" },
  { keys: "g s", words: "Go to the Estate" },
  { keys: "g i", words: "Go to Investigate" },
  { keys: "g h", words: "Go to Health" },
  { keys: "g v", words: "Go to Verify a file" },
  { keys: "j ↓", words: "Next event" },
  { keys: "k ↑", words: "Event before" },
  { keys: "Enter", words: "Open the event" },
  { keys: "PgUp PgDn Home End", words: "Move far in the table" },
  { keys: "t", words: "Go to a time in the table" },
  { keys: "x", words: "Export the events that are shown" },
  { keys: "?", words: "These shortcuts" },
];

const GO = new Map([
  ["e", "explore"],
  ["f", "findings"],
  ["s", "estate"],
  ["i", "investigate"],
  ["h", "health"],
  ["v", "verify"],
]);

/** Whether the sheet of shortcuts is open; the keys themselves are heard as long as the caller is shown. */
export function useShortcuts(): [boolean, (open: boolean) => void] {
  const [open, setOpen] = useState(false);
  useEffect(() => {
    let before = "";
    function onKeyDown(event: KeyboardEvent): void {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const view = before === "g" ? GO.get(event.key) : undefined;
      before = event.key;
      if (view !== undefined) go(addressOf(view));
      else if (event.key === "?") setOpen(true);
      else if (event.key === "/") focusFilter();
      else if (event.key === "x") press(".export-button");
      else if (event.key === "t") press(".jump-button");
      else return;
      event.preventDefault();
    }
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
  return [open, setOpen];
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [role=menu], [role=dialog]") !== null;
}

function press(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.click();
}

function focusFilter(): void {
  document.querySelector<HTMLInputElement>(".search-input")?.focus();
}
