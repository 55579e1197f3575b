/** Takes an exported file from the service, and finds what the ledger has recorded of it. */

import { sha256 } from "@noble/hashes/sha2.js";
import { getJson, getStream } from "../api/client";
import type { AuditEvent, EventsPage } from "../api/types";
import { toHex } from "../evidence/bytes";

export const FORMATS = ["xlsx", "jsonl", "csv"] as const;
export type Format = (typeof FORMATS)[number];
export const ORDERS = ["occurred", "recorded"] as const;
export type Order = (typeof ORDERS)[number];

export interface Exported {
  name: string;
  exportId: string;
  content: Blob;
  /** Of the bytes that arrived here, in hexadecimal. */
  sha256: string;
}

/** So many bytes are handed over to the browser at once, which keeps them out of the page's own memory. */
const HANDED_OVER = 8 * 2 ** 20;
const NAME = /filename="([^"]+)"/;

/** Throws what calls throw, and BrokenOff if the file did not come to its end. */
export async function download(
  filters: URLSearchParams,
  format: Format,
  order: Order,
  told: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Exported> {
  const asked = new URLSearchParams([...filters, ["order", order]]);
  const response = await getStream(`/v1/events/export.${format}`, asked, signal);
  const { content, digest } = await collected(response, told, signal);
  return {
    name: NAME.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? `audit.${format}`,
    exportId: response.headers.get("X-Export-Id") ?? "",
    content,
    sha256: digest,
  };
}

export class BrokenOff extends Error {}

async function collected(
  response: Response,
  told: (bytes: number) => void,
  signal: AbortSignal,
): Promise<{ content: Blob; digest: string }> {
  const digest = sha256.create();
  const type = response.headers.get("Content-Type") ?? "";
  let content = new Blob([], { type });
  let waiting: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  let kept = 0;
  const reader = response.body?.getReader();
  try {
    for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
      digest.update(part.value);
      waiting.push(part.value);
      bytes += part.value.length;
      told(bytes);
      if (bytes - kept < HANDED_OVER) continue;
      content = new Blob([content, ...waiting], { type });
      waiting = [];
      kept = bytes;
    }
  } catch (error) {
    if (signal.aborted) throw error;
    throw new BrokenOff(`The file broke off after ${bytes} bytes, and what arrived is not kept: it would prove nothing.`);
  }
  return { content: new Blob([content, ...waiting], { type }), digest: toHex(digest.digest()) };
}

/** The event of an export, once it is in the table; null if that takes too long. */
export async function recordOf(exportId: string, signal: AbortSignal): Promise<AuditEvent | null> {
  const asked = new URLSearchParams({
    activity: "audit_trail.exported",
    correlation_id: exportId,
    order: "recorded",
    wait: "10",
    limit: "1",
  });
  const page = await getJson<EventsPage>("/v1/events", asked, signal);
  return page.events[0] ?? null;
}

export function save({ name, content }: Exported): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has its own hold on the content by the time that anybody could click again.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
