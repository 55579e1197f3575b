/** What a verifier needs of an exported file, whatever its format. */

import { fromBase64 } from "../evidence/bytes";
import type { Facts } from "../evidence/facts";
import type { Manifest } from "./manifest";

/** The file cannot be read as what it says it is. */
export class Unreadable extends Error {}

/** A column that does not say what the record says, and what is wrong. */
export type Difference = readonly [column: string, message: string];

export interface ExportedRow {
  /** As `Events, row 7`. */
  place: string;
  record: string | null;
  personal: string | null;
  leafHash: string | null;
  chainHash: string | null;
  differences: (facts: Facts) => Iterable<Difference>;
}

export interface Fault {
  place: string;
  column: string | null;
  message: string;
}

export interface ExportedFile {
  /** Throws Unreadable. */
  proofTexts: () => Promise<ProofTexts>;
  /** Its rows in their order, some at a time. Throws Unreadable. */
  rows: () => AsyncIterable<readonly ExportedRow[]>;
  /** What it says about itself beside its rows that the manifest does not say. */
  claims: (manifest: Manifest) => Promise<readonly Fault[]>;
}

/** What stands in a file to check it with. */
export class ProofTexts {
  manifest = "";
  checkpoint = "";
  key = "";
  readonly positions: string[] = [];
  readonly fingerprints: Uint8Array[] = [];
  readonly nodes: Uint8Array[] = [];

  /** Takes a part; of a name that is unknown nothing. */
  add(part: string, text: string): void {
    if (part === "manifest" || part === "checkpoint" || part === "key") this[part] = text;
    else if (part === "positions" && text !== "") this.positions.push(text);
    else if (part === "fingerprints") this.fingerprints.push(decoded(text));
    else if (part === "node") this.nodes.push(decoded(text));
  }
}

function decoded(base64: string): Uint8Array {
  try {
    return fromBase64(base64);
  } catch {
    throw new Unreadable(`${base64.slice(0, 60)} in the proof is not base64`);
  }
}
