/** The signed manifest of an exported file: what is in it (docs/exports.md). */

import { isObject } from "../evidence/facts";
import { InvalidNote, type VerifierKey, openNote, parseNote } from "../evidence/note";

const VERSION = 1;
const SUFFIX = "/export";
const SHA256 = /^[0-9a-f]{64}$/;

export interface Manifest {
  exportId: string;
  ledger: string;
  madeAt: string;
  askedBy: Record<string, string>;
  filters: Record<string, unknown>;
  onlyActor: string | null;
  order: "occurred" | "recorded";
  position: number;
  setAside: number;
  checkpointSize: number;
  checkpointRoot: string;
  rows: number;
  leavesSha256: string;
  rowsSha256: string;
  fingerprintsSha256: string;
  positionsSha256: string;
  /** For each type of event its command and its phrase: descriptions are told in these words. */
  words: Record<string, readonly [command: string, phrase: string]>;
  /** As it was signed. */
  facts: Record<string, unknown>;
}

/** The manifest of a note and the key that has signed it. Throws InvalidNote. */
export async function openManifest(note: string, keys: readonly VerifierKey[]): Promise<{ manifest: Manifest; key: VerifierKey }> {
  const { text, key } = await openNote(note, keys.map(keyForExports));
  return { manifest: parseManifest(text), key };
}

/** The manifest of a note, whoever has signed it: it may still name what was changed. Throws InvalidNote. */
export function unverifiedManifest(note: string): Manifest {
  return parseManifest(parseNote(note).text);
}

/** The key of a ledger's checkpoints, under the name by which it signs exports. */
export function keyForExports({ name, publicKey }: VerifierKey): VerifierKey {
  return { name: name.endsWith(SUFFIX) ? name : name + SUFFIX, publicKey };
}

/** The inverse. */
export function keyForCheckpoints({ name, publicKey }: VerifierKey): VerifierKey {
  return { name: name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : name, publicKey };
}

function parseManifest(text: string): Manifest {
  const [origin = "", line = "", end, ...rest] = text.split("\n");
  if (end !== "" || rest.length > 0) throw new InvalidNote("the manifest is not of two lines: its origin and a JSON object");
  const facts = parsed(line);
  if (facts.version !== VERSION) throw new InvalidNote(`the manifest is of another version than ${VERSION}`);
  const manifest: Manifest = {
    exportId: textOf(facts, "export_id"),
    ledger: textOf(facts, "ledger"),
    madeAt: textOf(facts, "made_at"),
    askedBy: object(facts, "asked_by") as Record<string, string>,
    filters: object(facts, "filters"),
    onlyActor: facts.only_actor === null ? null : textOf(facts, "only_actor"),
    order: textOf(facts, "order") === "occurred" ? "occurred" : "recorded",
    position: whole(facts, "position"),
    setAside: whole(facts, "set_aside"),
    checkpointSize: whole(facts, "checkpoint_size"),
    checkpointRoot: hash(facts, "checkpoint_root"),
    rows: whole(facts, "rows"),
    leavesSha256: hash(facts, "leaves_sha256"),
    rowsSha256: hash(facts, "rows_sha256"),
    fingerprintsSha256: hash(facts, "fingerprints_sha256"),
    positionsSha256: hash(facts, "positions_sha256"),
    words: object(facts, "words") as Manifest["words"],
    facts,
  };
  if (!origin.endsWith(`/${manifest.ledger}${SUFFIX}`)) throw new InvalidNote("the manifest's origin is not that of its ledger");
  return manifest;
}

function parsed(line: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new InvalidNote("the manifest is no JSON");
  }
  if (!isObject(value)) throw new InvalidNote("the manifest is no JSON object");
  return value;
}

function textOf(facts: Record<string, unknown>, name: string): string {
  const value = facts[name];
  if (typeof value !== "string") throw new InvalidNote(`the manifest has no text ${name}`);
  return value;
}

function whole(facts: Record<string, unknown>, name: string): number {
  const value = facts[name];
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new InvalidNote(`the manifest has no number ${name}`);
  return value as number;
}

function hash(facts: Record<string, unknown>, name: string): string {
  const value = textOf(facts, name);
  if (!SHA256.test(value)) throw new InvalidNote(`the manifest's ${name} is no SHA-256`);
  return value;
}

function object(facts: Record<string, unknown>, name: string): Record<string, unknown> {
  const value = facts[name];
  if (!isObject(value)) throw new InvalidNote(`the manifest has no object ${name}`);
  return value;
}
