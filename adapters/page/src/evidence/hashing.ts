/** Hashes without waiting, for files of many rows: the browser's own would be awaited one by one. */

import { sha256 } from "@noble/hashes/sha2.js";
import { utf8 } from "./bytes";

export { sha256 };

function prefixed(prefix: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = sha256.create().update(Uint8Array.of(prefix));
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** RFC 6962, section 2.1. */
export function leafHash(record: Uint8Array): Uint8Array {
  return prefixed(0, record);
}

/** RFC 6962, section 2.1. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return prefixed(1, left, right);
}

export function chainHash(before: Uint8Array, leaf: Uint8Array): Uint8Array {
  return prefixed(2, before, leaf);
}

export function personalDigest(personal: Uint8Array): Uint8Array {
  return prefixed(3, personal);
}

/** Of a row in an exported file. */
export function rowHash(leaf: Uint8Array, chain: Uint8Array, showsPersonal: boolean): Uint8Array {
  return prefixed(5, leaf, chain, Uint8Array.of(showsPersonal ? 1 : 0));
}

/** What a ledger's chain begins with. */
export function genesis(ledger: string): Uint8Array {
  return sha256(utf8(`certinext-audit/chain/v1\n${ledger}`));
}
