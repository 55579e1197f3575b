/** Hashes and inclusion proofs of a ledger's tree: RFC 6962, section 2.1, and RFC 9162, section 2.1.3.2. */

import { same, sha256, toHex } from "./bytes";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
const PERSONAL = Uint8Array.of(3);
const HASH_BYTES = 32;

export class ProofError extends Error {}

export function leafHash(record: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return sha256(LEAF, record);
}

export function personalDigest(personal: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return sha256(PERSONAL, personal);
}

/** The root that a leaf at an index (from 0) of a tree of a size has by its path. Throws ProofError. */
export async function rootByPath(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Promise<Uint8Array> {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) {
    throw new ProofError(`there is no leaf ${index} in a tree of ${size} leaves`);
  }
  // As numbers of any size: bitwise operators of JavaScript end at 32 bits.
  let place = BigInt(index);
  let last = BigInt(size - 1);
  let computed = checked(leaf);
  for (const hash of path) {
    if (last === 0n) throw new ProofError("the path has more hashes than lead to the root");
    if (place % 2n === 1n || place === last) {
      computed = await sha256(NODE, checked(hash), computed);
      while (place % 2n === 0n && place !== 0n) [place, last] = [place / 2n, last / 2n];
    } else {
      computed = await sha256(NODE, computed, checked(hash));
    }
    [place, last] = [place / 2n, last / 2n];
  }
  if (last !== 0n) throw new ProofError("the path has fewer hashes than lead to the root");
  return computed;
}

/** Throws ProofError unless the leaf is at the index of the tree with this root. */
export async function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
): Promise<void> {
  const computed = await rootByPath(leaf, index, size, path);
  if (!same(computed, checked(root))) {
    throw new ProofError(`leaf ${index} with its path gives the root ${toHex(computed)}, not ${toHex(root)}`);
  }
}

function checked(hash: Uint8Array): Uint8Array {
  if (hash.length !== HASH_BYTES) throw new ProofError(`a hash has ${HASH_BYTES} bytes, not ${hash.length}`);
  return hash;
}
