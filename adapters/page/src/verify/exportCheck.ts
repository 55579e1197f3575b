/** Checking an exported file row by row: it trusts nothing but the signed manifest and checkpoint. */

import { concat, same, toHex, utf8 } from "../evidence/bytes";
import { type Facts, parseFacts, putBack } from "../evidence/facts";
import { chainHash, genesis, leafHash, personalDigest, rowHash, sha256 } from "../evidence/hashing";
import type { ExportedRow, ProofTexts } from "./exportedFile";
import type { Manifest } from "./manifest";
import { verifyMultiproof } from "./multiproof";
import { missing, parseRanges, rangesOf, rangesText, sizeOf } from "./positions";
import type { Verdict } from "./verdict";

const MOST_NAMED = 20;
const FINGERPRINT_BYTES = 8;
const HEX_HASH = /^[0-9a-f]{64}$/;
const WORDS = /[A-Z][a-z0-9]*/g;

interface Taken {
  position: number;
  leaf: Uint8Array;
  chain: Uint8Array;
}

/** Takes the rows of one file in their order, then concludes. */
export class ExportCheck {
  private readonly taken: Taken[] = [];
  private readonly positions = new Set<number>();
  private readonly known: BigUint64Array;
  private readonly fingerprints: Uint8Array;
  private readonly leaves = sha256.create();
  private readonly rowHashes = sha256.create();
  private last: { occurred: string; position: number } | null = null;

  constructor(
    private readonly manifest: Manifest,
    private readonly proof: ProofTexts,
    private readonly verdict: Verdict,
  ) {
    this.fingerprints = concat(...proof.fingerprints);
    this.known = fingerprintsIn(this.fingerprints).sort();
  }

  take(row: ExportedRow): void {
    this.verdict.rows += 1;
    if (row.record === null) {
      this.verdict.add(row.place, "Record", "is empty: a row of an event has its record");
      return;
    }
    const record = utf8(row.record);
    let facts: Facts;
    let digest: unknown;
    let position: number;
    try {
      ({ facts, digest } = this.factsOf(row.record, row.personal));
      position = positionOf(facts);
      for (const [column, message] of row.differences(facts)) this.verdict.add(row.place, column, message);
    } catch (error) {
      const suspect = toHex(leafHash(record)) === row.leafHash ? "Personal" : "Record";
      this.verdict.add(row.place, suspect, `this is not what was recorded: ${wordsOf(error)}`);
      return;
    }
    this.checkPersonal(row, digest);
    const belongs = this.checkPlace(row, facts, position);
    this.checkHashes(row, record, belongs ? position : null);
  }

  conclude(): Verdict {
    const ascending = this.taken.sort((one, other) => one.position - other.position);
    this.checkPositions(ascending);
    this.checkChain(ascending);
    if (this.verdict.good) this.checkDigests();
    if (this.verdict.good) this.checkTree(ascending);
    return this.verdict;
  }

  /** The facts with the personal ones in their places and the description. Throws for what is no record. */
  private factsOf(record: string, personal: string | null): { facts: Facts; digest: unknown } {
    const facts = parseFacts(record);
    if (personal !== null) putBack(facts, parseFacts(personal).fields as Facts);
    const digest = facts.personal;
    delete facts.personal;
    facts.description = this.describe(facts);
    return { facts, digest };
  }

  private describe(facts: Facts): string {
    const [command, phrase] = ownMember(this.manifest.words, String(facts.type));
    const [actor, entity] = [facts.actor as Facts, facts.entity as Facts];
    const who = String(actor.full_name || actor.id);
    const what = String(entity.name || entity.id);
    const failure = facts.failure as Facts | undefined;
    if (failure === undefined) return `${who} ${phrase.replaceAll("{entity}", () => what)}`;
    const attempt = (command.match(WORDS) ?? []).join(" ").toLowerCase();
    return `${who} failed to ${attempt} ${what}: ${String(failure.reason)} (${String(failure.code)})`;
  }

  private checkPersonal({ place, personal }: ExportedRow, digest: unknown): void {
    if (personal === null) {
      if (digest !== undefined) this.verdict.withoutPersonal += 1;
    } else if (toHex(personalDigest(utf8(personal))) !== digest) {
      this.verdict.add(place, "Personal", "these are not the personal data of the record");
    }
  }

  /** Whether the row's position can be one of this file. */
  private checkPlace({ place }: ExportedRow, facts: Facts, position: number): boolean {
    const { ledger, order, position: end } = this.manifest;
    if (facts.ledger !== ledger) this.verdict.add(place, "Record", `is of another ledger than ${ledger}`);
    if (position < 1 || position > end) {
      this.verdict.add(place, "Position", `${position} was not recorded when the file was made`);
      return false;
    }
    if (this.positions.has(position)) {
      this.verdict.add(place, "Position", `the event at position ${position} is in the file twice`);
      return true;
    }
    this.positions.add(position);
    const here = { occurred: order === "occurred" ? String(facts.occurred_at) : "", position };
    if (this.last !== null && !(order === "occurred" ? isBefore(here, this.last) : isBefore(this.last, here))) {
      this.verdict.add(place, null, "does not belong here: the rows are not in their order any more");
    }
    this.last = here;
    return true;
  }

  private checkHashes(row: ExportedRow, record: Uint8Array, position: number | null): void {
    const { place } = row;
    const leaf = leafHash(record);
    let chain = bytesOf(row.chainHash);
    if (chain === null) {
      this.verdict.add(place, "Chain hash", "is not a SHA-256 in hexadecimal");
      chain = new Uint8Array(32);
    }
    const showsPersonal = row.personal !== null;
    const digest = rowHash(leaf, chain, showsPersonal);
    const isKnown = this.isKnown(digest);
    const stated = bytesOf(row.leafHash);
    if (stated === null || !same(stated, leaf)) {
      const edited = !isKnown && stated !== null;
      this.verdict.add(place, edited ? "Record" : "Leaf hash", `the record hashes to ${toHex(leaf)}, and the leaf hash is ${row.leafHash ?? "empty"}`);
    } else if (!isKnown) {
      this.nameUnknown(place, leaf, chain, showsPersonal);
    }
    this.leaves.update(leaf);
    this.rowHashes.update(digest);
    if (position !== null) this.taken.push({ position, leaf, chain });
  }

  /** Says which part of a row that is at one with itself was not exported like this. */
  private nameUnknown(place: string, leaf: Uint8Array, chain: Uint8Array, showsPersonal: boolean): void {
    if (this.isKnown(rowHash(leaf, chain, !showsPersonal))) {
      this.verdict.add(place, "Personal", `the personal data ${showsPersonal ? "were not in the file" : "were taken out"}`);
    } else {
      this.verdict.add(place, "Chain hash", "is not what was exported, or the whole row was put in the place of another");
    }
  }

  private isKnown(digest: Uint8Array): boolean {
    const wanted = fingerprintsIn(digest.slice(0, FINGERPRINT_BYTES))[0] ?? 0n;
    let [low, high] = [0, this.known.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.known[middle] ?? 0n) < wanted) low = middle + 1;
      else high = middle;
    }
    return this.known[low] === wanted;
  }

  private checkPositions(ascending: readonly Taken[]): void {
    const text = this.proof.positions.join(",");
    if (toHex(sha256(utf8(text))) !== this.manifest.positionsSha256) {
      this.verdict.add("Proof", null, "the list of positions is not the one of the signed manifest");
      return;
    }
    const wanted = parseRanges(text);
    const found = rangesOf(new Set(ascending.map(({ position }) => position)));
    for (const [what, ranges] of [
      ["were taken out", missing(found, wanted)],
      ["were put in", missing(wanted, found)],
    ] as const) {
      if (ranges.length === 0) continue;
      const named = rangesText(ranges.slice(0, MOST_NAMED)) + (ranges.length > MOST_NAMED ? ", ..." : "");
      this.verdict.add("Events", null, `${sizeOf(ranges)} rows ${what}: those of the positions ${named}`);
    }
  }

  private checkChain(ascending: readonly Taken[]): void {
    let before = 0;
    let link = genesis(this.manifest.ledger);
    for (const { position, leaf, chain } of ascending) {
      if (position === before + 1) {
        this.verdict.chained += 1;
        if (!same(chainHash(link, leaf), chain)) {
          const where = before === 0 ? "that a ledger begins with" : `at position ${before}`;
          this.verdict.add(`Position ${position}`, "Chain hash", `does not follow from its record and the link ${where}`);
        }
      }
      [before, link] = [position, chain];
    }
  }

  private checkDigests(): void {
    const { manifest, verdict } = this;
    if (toHex(sha256(this.fingerprints)) !== manifest.fingerprintsSha256) {
      verdict.add("Proof", null, "the fingerprints of the rows are not those of the signed manifest");
    }
    for (const [what, found, signed] of [
      ["number of rows", String(verdict.rows), String(manifest.rows)],
      ["digest of the leaf hashes", toHex(this.leaves.digest()), manifest.leavesSha256],
      ["digest of the rows", toHex(this.rowHashes.digest()), manifest.rowsSha256],
    ] as const) {
      if (found !== signed) verdict.add("Events", null, `the ${what} is ${found}, and the signed manifest says ${signed}`);
    }
  }

  private checkTree(ascending: readonly Taken[]): void {
    const { checkpointSize: size, checkpointRoot } = this.manifest;
    const covered = ascending.filter(({ position }) => position <= size);
    this.verdict.unproven = ascending.length - covered.length;
    try {
      const root = bytesOf(checkpointRoot) ?? new Uint8Array();
      verifyMultiproof(size, covered.map(({ position, leaf }) => [position - 1, leaf] as const), this.proof.nodes, root);
    } catch (error) {
      this.verdict.add("Proof", null, `the rows are not in the tree of the checkpoint: ${wordsOf(error)}`);
    }
  }
}

/** In any one order of bytes: they are only compared with one another. */
function fingerprintsIn(bytes: Uint8Array): BigUint64Array {
  return new BigUint64Array(bytes.slice(0, bytes.length - (bytes.length % FINGERPRINT_BYTES)).buffer);
}

function positionOf(facts: Facts): number {
  const { position } = facts;
  if (!Number.isSafeInteger(position)) throw new Error("it has no position");
  return position as number;
}

function ownMember<T>(members: Record<string, T>, name: string): T {
  const found = Object.hasOwn(members, name) ? members[name] : undefined;
  if (found === undefined) throw new Error(`the manifest has no words for ${name.slice(0, 80)}`);
  return found;
}

/** By code units, which for times of one form is by time. */
function isBefore(one: { occurred: string; position: number }, other: { occurred: string; position: number }): boolean {
  return one.occurred === other.occurred ? one.position < other.position : one.occurred < other.occurred;
}

function bytesOf(hash: string | null): Uint8Array | null {
  if (hash === null || !HEX_HASH.test(hash)) return null;
  return Uint8Array.from({ length: 32 }, (_, place) => Number.parseInt(hash.slice(2 * place, 2 * place + 2), 16));
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
