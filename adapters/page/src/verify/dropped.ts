/** A file that was dropped anywhere on the page, for the view that verifies it. */

import { useEffect, useState, useSyncExternalStore } from "react";
import { addressOf, go } from "../address";

let dropped: File | null = null;
const listeners = new Set<() => void>();

export function offer(file: File | null): void {
  dropped = file;
  for (const listener of listeners) listener();
}

export function useDropped(): File | null {
  return useSyncExternalStore(subscribe, () => dropped);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether a file is held over the page. Without this the browser would leave the page for a file that is dropped. */
export function useFileDrop(): boolean {
  const [isOver, setIsOver] = useState(false);
  useEffect(() => {
    function over(event: DragEvent): void {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setIsOver(true);
    }
    function leave(event: DragEvent): void {
      if (event.relatedTarget === null) setIsOver(false);
    }
    function drop(event: DragEvent): void {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      setIsOver(false);
      const file = event.dataTransfer?.files[0];
      if (file === undefined) return;
      offer(file);
      go(addressOf("verify"));
    }
    document.addEventListener("dragover", over);
    document.addEventListener("dragleave", leave);
    document.addEventListener("drop", drop);
    return () => {
      document.removeEventListener("dragover", over);
      document.removeEventListener("dragleave", leave);
      document.removeEventListener("drop", drop);
    };
  }, []);
  return isOver;
}

function holdsFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}
