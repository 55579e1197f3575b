/** The address of the page holds all of its state, so that whoever gets it sees the same. */

import { type MouseEvent, useMemo, useSyncExternalStore } from "react";

export interface Address {
  /** The first part of the path: `explore`, `event`, ... */
  view: string;
  /** The other parts, decoded. */
  rest: string[];
  query: URLSearchParams;
}

const CHANGED = "certinext-address";

export function useAddress(): Address {
  const text = useSyncExternalStore(subscribe, () => window.location.pathname + window.location.search);
  return useMemo(() => parse(text), [text]);
}

export function parse(text: string): Address {
  const url = new URL(text, "http://page");
  const [view = "", ...rest] = url.pathname.split("/").slice(1).map(decoded);
  return { view: view || "explore", rest, query: url.searchParams };
}

/** What is no encoded text stays as it is: an address may be anybody's. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (error instanceof URIError) return part;
    throw error;
  }
}

export function addressOf(view: string, rest: readonly string[] = [], query?: URLSearchParams): string {
  const path = [view, ...rest].map(encodeURIComponent).join("/");
  const text = query?.toString();
  return `/${path}${text ? `?${text}` : ""}`;
}

export function go(address: string, how: "push" | "replace" = "push"): void {
  if (how === "push") window.history.pushState(null, "", address);
  else window.history.replaceState(null, "", address);
  window.dispatchEvent(new Event(CHANGED));
}

/** For a link within the page: the browser's own ways (new tab, copy) stay. */
export function follow(event: MouseEvent<HTMLAnchorElement>): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
    return;
  }
  event.preventDefault();
  go(event.currentTarget.pathname + event.currentTarget.search);
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("popstate", changed);
  window.addEventListener(CHANGED, changed);
  return () => {
    window.removeEventListener("popstate", changed);
    window.removeEventListener(CHANGED, changed);
  };
}
