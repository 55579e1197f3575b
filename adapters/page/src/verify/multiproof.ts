/** One proof for many leaves of a tree: the roots of the largest subtrees without any of them, from left to right. */

import { same, toHex } from "../evidence/bytes";
import { nodeHash, sha256 } from "../evidence/hashing";
import { ProofError } from "../evidence/merkle";

const HASH_BYTES = 32;

interface Subtree {
  level: number;
  /** Whether it has all the leaves that a subtree of its level can have. */
  isFull: boolean;
}

/**
 * Throws ProofError unless the leaves, by ascending index, are those of the tree with this root.
 * Sizes go beyond 32 bits, where JavaScript's bitwise operators end.
 */
export function verifyMultiproof(
  size: number,
  leaves: Iterable<readonly [index: number, leaf: Uint8Array]>,
  nodes: readonly Uint8Array[],
  root: Uint8Array,
): void {
  const tree = new Frontier();
  const rest = nodes.values();
  let expected = 0;
  for (const [index, leaf] of leaves) {
    if (index < expected) throw new ProofError(`the index ${index} does not follow ${expected - 1}`);
    if (index >= size) throw new ProofError(`there is no leaf ${index} in a tree of ${size} leaves`);
    for (const { level } of gap(expected, index, size)) tree.append(level, next(rest));
    tree.append(0, checked(leaf));
    expected = index + 1;
  }
  const computed = ended(tree, size, rest);
  if (rest.next().done !== true) throw new ProofError("the proof has more hashes than the leaves need");
  if (!same(computed, root)) {
    throw new ProofError(`the leaves with their proof give the root ${toHex(computed)}, not ${toHex(root)}`);
  }
}

/** The root, once what follows the last leaf is added. */
function ended(tree: Frontier, size: number, rest: Iterator<Uint8Array>): Uint8Array {
  for (const { level, isFull } of gap(tree.size, size, size)) {
    if (!isFull) return tree.root(next(rest));
    tree.append(level, next(rest));
  }
  return tree.root();
}

/** The largest subtrees of which the leaves from `begin` up to `end`, which is a leaf or the tree's end, are made. */
function* gap(begin: number, end: number, size: number): Generator<Subtree> {
  while (begin < end) {
    const left = end - begin;
    const aligned = begin === 0 ? Infinity : lowestBit(begin);
    if (end === size && left <= aligned) {
      const level = Math.ceil(log2(left));
      yield { level, isFull: 2 ** level === left };
      return;
    }
    const level = Math.min(Math.floor(log2(left)), log2(aligned));
    yield { level, isFull: true };
    begin += 2 ** level;
  }
}

function lowestBit(number: number): number {
  let bit = 1;
  while (number % (2 * bit) === 0) bit *= 2;
  return bit;
}

/** Exact at powers of two, which `Math.log2` alone does not promise. */
function log2(number: number): number {
  const rounded = Math.round(Math.log2(number));
  return 2 ** rounded === number ? rounded : Math.log2(number);
}

function next(hashes: Iterator<Uint8Array>): Uint8Array {
  const found = hashes.next();
  if (found.done === true) throw new ProofError("the proof has fewer hashes than the leaves need");
  return checked(found.value);
}

function checked(hash: Uint8Array): Uint8Array {
  if (hash.length !== HASH_BYTES) throw new ProofError(`a hash has ${HASH_BYTES} bytes, not ${hash.length}`);
  return hash;
}

/** The right edge of a growing tree: the roots of its full subtrees, largest first. */
class Frontier {
  size = 0;
  private readonly subtrees: Uint8Array[] = [];

  /** Adds 2^level leaves at once, by the root over them. */
  append(level: number, root: Uint8Array): void {
    const leaves = 2 ** level;
    if (this.size % leaves !== 0) throw new ProofError(`after ${this.size} leaves no subtree of ${leaves} can begin`);
    let joined = root;
    for (let place = this.size / leaves; place % 2 === 1; place = (place - 1) / 2) {
      joined = nodeHash(this.subtrees.pop() ?? new Uint8Array(), joined);
    }
    this.subtrees.push(joined);
    this.size += leaves;
  }

  /** Of the tree, which may end with a subtree that is not full. */
  root(last?: Uint8Array): Uint8Array {
    const parts = last === undefined ? this.subtrees : [...this.subtrees, last];
    const rightmost = parts.at(-1);
    if (rightmost === undefined) return sha256(new Uint8Array());
    return parts.slice(0, -1).reduceRight((root, subtree) => nodeHash(subtree, root), rightmost);
  }
}
