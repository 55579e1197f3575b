/** Checks an exported file with nothing but the file and a key. */

import { fromHex } from "../evidence/bytes";
import { InvalidNote, type VerifierKey, openCheckpoint, parseNote, parseVerifierKey } from "../evidence/note";
import { ExportCheck } from "./exportCheck";
import { type ExportedFile, type ProofTexts, Unreadable } from "./exportedFile";
import { JsonLinesFile } from "./lines";
import { type Manifest, keyForCheckpoints, openManifest, unverifiedManifest } from "./manifest";
import { rest } from "./streams";
import { Verdict } from "./verdict";
import { WorkbookFile } from "./workbook";

export interface Checked {
  verdict: Verdict;
  /** Null if the file has none that can be read. */
  manifest: Manifest | null;
  /** The key by which the manifest is signed; null if it is by none that is known. */
  key: VerifierKey | null;
}

/** Finds the keys to check a file of a ledger with, whose notes are signed under this name. */
export type Keys = (ledger: string, name: string) => Promise<readonly VerifierKey[]>;

/** Throws Unreadable for what is no exported file, and what `keys` throws. */
export async function checkFile(
  file: Blob,
  keys: Keys,
  tell: (done: number, all: number) => void = () => undefined,
  signal?: AbortSignal,
): Promise<Checked> {
  const exported = await openExport(file);
  const proof = await exported.proofTexts();
  const verdict = new Verdict();
  const claimed = claimedManifest(proof);
  if (claimed === null) {
    verdict.add("Proof", "manifest", "is none that can be read");
    return { verdict, manifest: null, key: null };
  }
  const known = await keys(claimed.ledger, parseNote(proof.manifest).text.split("\n", 1)[0] ?? "");
  const { manifest, key } = await signed(proof, claimed, known, verdict);
  const check = new ExportCheck(manifest, proof, verdict);
  for await (const rows of exported.rows()) {
    for (const row of rows) {
      check.take(row);
      await rest();
    }
    signal?.throwIfAborted();
    tell(verdict.rows, manifest.rows);
  }
  check.conclude();
  await checkCheckpoint(proof, manifest, known, verdict);
  for (const { place, column, message } of await exported.claims(manifest)) verdict.add(place, column, message);
  return { verdict, manifest, key };
}

async function openExport(file: Blob): Promise<ExportedFile> {
  const begin = await file.slice(0, 64).text();
  if (begin.startsWith('{"export"')) return new JsonLinesFile(file);
  if (begin.startsWith("PK")) return WorkbookFile.open(file);
  if (begin.startsWith("User,User id,")) {
    throw new Unreadable("comma-separated values hold no proof: export a workbook or JSON Lines");
  }
  throw new Unreadable("this is neither a workbook nor JSON Lines of the audit trail");
}

function claimedManifest(proof: ProofTexts): Manifest | null {
  try {
    return unverifiedManifest(proof.manifest);
  } catch (error) {
    if (error instanceof InvalidNote) return null;
    throw error;
  }
}

/** The manifest, be it one that is not signed as it should be: its rows may still name what was changed. */
async function signed(
  proof: ProofTexts,
  claimed: Manifest,
  keys: readonly VerifierKey[],
  verdict: Verdict,
): Promise<{ manifest: Manifest; key: VerifierKey | null }> {
  try {
    return await openManifest(proof.manifest, keys);
  } catch (error) {
    if (!(error instanceof InvalidNote)) throw error;
    verdict.add("Proof", "manifest", error.message);
    return { manifest: claimed, key: null };
  }
}

async function checkCheckpoint(
  proof: ProofTexts,
  manifest: Manifest,
  keys: readonly VerifierKey[],
  verdict: Verdict,
): Promise<void> {
  if (manifest.checkpointSize === 0 && proof.checkpoint === "") return;
  try {
    const { checkpoint } = await openCheckpoint(proof.checkpoint, keys.map(keyForCheckpoints));
    const root = fromHex(manifest.checkpointRoot);
    if (checkpoint.size !== manifest.checkpointSize || checkpoint.root.some((byte, place) => byte !== root[place])) {
      verdict.add("Proof", "checkpoint", "is another than the one of the signed manifest");
    }
  } catch (error) {
    if (!(error instanceof InvalidNote)) throw error;
    verdict.add("Proof", "checkpoint", error.message);
  }
}

/** A key that somebody gave: a verifier key, or 64 hexadecimal digits, which sign under the name that a file has. Throws InvalidNote. */
export async function readKey(text: string, name: string): Promise<VerifierKey> {
  const found = text.trim();
  return /^[0-9a-f]{64}$/.test(found) ? { name, publicKey: fromHex(found) } : parseVerifierKey(found);
}
