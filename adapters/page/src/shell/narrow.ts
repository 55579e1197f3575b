import { useSyncExternalStore } from "react";

/** The width at which the styles change, too. */
const narrow = window.matchMedia("(max-width: 640px)");

/** Whether the screen is that of a telephone. */
export function useNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => narrow.matches);
}

function subscribe(changed: () => void): () => void {
  narrow.addEventListener("change", changed);
  return () => narrow.removeEventListener("change", changed);
}
