/** An event's proof, step by step: each in words, with what was computed. */

import { fromHex, same, toHex, utf8 } from "./bytes";
import { type Facts, putBack, sameJson } from "./facts";
import { leafHash, personalDigest, rootByPath } from "./merkle";
import { type VerifierKey, openCheckpoint } from "./note";

export interface Evidence {
  event: object;
  record: string;
  personal: string | null;
  leaf_hash: string;
}

export interface InclusionProof {
  index: number;
  size: number;
  path: string[];
  checkpoint: string;
}

export interface Step {
  title: string;
  words: string;
  /** What was computed, for who wants to compare. */
  value?: string;
  holds: boolean;
}

/** All steps up to the first that does not hold. */
export async function verifyEvent(
  evidence: Evidence,
  proof: InclusionProof,
  keys: readonly VerifierKey[],
): Promise<Step[]> {
  const steps: Step[] = [];
  const computed: { leaf?: Uint8Array; root?: Uint8Array } = {};
  const checks: (() => Promise<Step>)[] = [
    () => shownStep(evidence),
    () => personalStep(evidence),
    () => leafStep(evidence, computed),
    () => pathStep(proof, computed),
    () => checkpointStep(proof, keys, computed),
  ];
  for (const check of checks) {
    const step = await check().catch((error: unknown) => failed(error));
    steps.push(step);
    if (!step.holds) break;
  }
  return steps;
}

/** The read table is only a copy: what it shows must be what the record and the personal data say. */
function shownStep({ event, record, personal }: Evidence): Promise<Step> {
  const facts = JSON.parse(record) as Facts;
  const shown = { ...(event as Facts) };
  const title = "What is shown is what the record says";
  if (shown.schema_version !== facts.schema_version) {
    const words = "The record is of an older shape and is shown in today's: compare the two below. The proof is of the record.";
    return Promise.resolve({ title, words, holds: true });
  }
  // Made from the other facts, and the digest is checked in the next step.
  delete shown.description;
  delete facts.personal;
  if (personal !== null) putBack(facts, (JSON.parse(personal) as { fields: Facts }).fields);
  const holds = sameJson(shown, facts);
  return Promise.resolve({
    title,
    words: holds ? "Fact by fact, the page shows the record and nothing else." : "The page was given other facts than the record holds: the read table was changed.",
    holds,
  });
}

async function personalStep({ record, personal }: Evidence): Promise<Step> {
  const facts = JSON.parse(record) as { personal?: string };
  const title = "The personal data are those that the record stands for";
  if (facts.personal === undefined) {
    return { title, words: "The record has none beside it.", holds: personal === null };
  }
  if (personal === null) {
    return { title, words: "The personal data are not there any more: erased, or taken away. The record itself is checked below.", holds: true };
  }
  const digest = toHex(await personalDigest(utf8(personal)));
  return {
    title,
    words: "SHA-256 of them, with their random salt, is the digest that the record holds.",
    value: digest,
    holds: digest === facts.personal,
  };
}

async function leafStep({ record, leaf_hash }: Evidence, computed: { leaf?: Uint8Array }): Promise<Step> {
  computed.leaf = await leafHash(utf8(record));
  return {
    title: "The record gives the leaf hash",
    words: "SHA-256 of a zero byte and the record's own bytes: one changed letter gives another hash.",
    value: toHex(computed.leaf),
    holds: toHex(computed.leaf) === leaf_hash,
  };
}

async function pathStep(proof: InclusionProof, computed: { leaf?: Uint8Array; root?: Uint8Array }): Promise<Step> {
  computed.root = await rootByPath(computed.leaf ?? new Uint8Array(), proof.index, proof.size, proof.path.map(fromHex));
  return {
    title: "The leaf leads to the root of the tree",
    words: `Hashed with ${proof.path.length} neighbours, leaf ${proof.index + 1} of ${proof.size} gives this root.`,
    value: toHex(computed.root),
    holds: true,
  };
}

async function checkpointStep(
  proof: InclusionProof,
  keys: readonly VerifierKey[],
  computed: { root?: Uint8Array },
): Promise<Step> {
  const { checkpoint, key } = await openCheckpoint(proof.checkpoint, keys);
  const holds = checkpoint.size === proof.size && same(checkpoint.root, computed.root ?? new Uint8Array());
  return {
    title: "The root is the one that was signed",
    words: holds
      ? `The checkpoint of ${checkpoint.origin} at ${checkpoint.size} events has this root, and the Ed25519 signature of ${key.name} holds.`
      : `The signed checkpoint of ${checkpoint.origin} has another root or size: the event is not what was signed.`,
    value: toHex(checkpoint.root),
    holds,
  };
}

function failed(error: unknown): Step {
  return { title: "The proof cannot be followed", words: error instanceof Error ? error.message : String(error), holds: false };
}
