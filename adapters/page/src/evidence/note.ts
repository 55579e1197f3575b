/** Signed notes and the checkpoints in them: C2SP signed-note and tlog-checkpoint. */

import { concat, fromBase64, same, sha256, utf8 } from "./bytes";

const ED25519 = Uint8Array.of(1);

export class InvalidNote extends Error {}

export interface Checkpoint {
  origin: string;
  size: number;
  root: Uint8Array;
}

interface Signature {
  name: string;
  keyId: Uint8Array;
  signature: Uint8Array<ArrayBuffer>;
}

interface Note {
  text: string;
  signatures: Signature[];
}

export interface VerifierKey {
  name: string;
  publicKey: Uint8Array<ArrayBuffer>;
}

/** `name+key id+key`, as a key is published. Throws InvalidNote. */
export async function parseVerifierKey(text: string): Promise<VerifierKey> {
  const [, name = "", keyId = "", encoded = ""] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? [];
  const material = name === "" ? new Uint8Array() : decoded(encoded);
  if (material.length !== 33 || material[0] !== 1) throw new InvalidNote("that is no verifier key for Ed25519");
  const key = { name, publicKey: material.slice(1) };
  const computed = Array.from(await keyIdOf(key), (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (computed !== keyId) throw new InvalidNote(`the key id of this name and key is ${computed}, not ${keyId}`);
  return key;
}

/** The checkpoint of a note that one of these keys has signed for its origin. Throws InvalidNote. */
export async function openCheckpoint(
  note: string,
  keys: readonly VerifierKey[],
): Promise<{ checkpoint: Checkpoint; key: VerifierKey }> {
  const { text, key } = await openNote(note, keys);
  return { checkpoint: parseCheckpoint(text), key };
}

/** The text of a note that one of these keys has signed under the name that is its first line. Throws InvalidNote. */
export async function openNote(note: string, keys: readonly VerifierKey[]): Promise<{ text: string; key: VerifierKey }> {
  const { text, signatures } = parseNote(note);
  const [origin] = text.split("\n", 1);
  for (const key of keys) {
    const id = await keyIdOf(key);
    for (const one of signatures) {
      if (key.name !== origin || one.name !== key.name || !same(one.keyId, id)) continue;
      if (!(await isSignedBy(key, one.signature, text))) throw new InvalidNote(`the signature of ${key.name} does not hold`);
      return { text, key };
    }
  }
  throw new InvalidNote("no key that is known has signed it");
}

export function parseNote(note: string): Note {
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n")) throw new InvalidNote("a note has a text, an empty line and signatures");
  const lines = note.slice(split + 2, -1).split("\n");
  return { text: note.slice(0, split + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): Signature {
  const [, name = "", encoded = ""] = /^\u2014 ([^+\s]+) (\S+)$/.exec(line) ?? [];
  const material = name === "" ? new Uint8Array() : decoded(encoded);
  if (material.length < 5) throw new InvalidNote(`${line.slice(0, 80)} is no signature line`);
  return { name, keyId: material.slice(0, 4), signature: material.slice(4) };
}

function parseCheckpoint(text: string): Checkpoint {
  const [origin = "", size = "", root = "", ...rest] = text.slice(0, -1).split("\n");
  if (origin === "" || rest.includes("") || !/^(?:0|[1-9][0-9]{0,15})$/.test(size)) {
    throw new InvalidNote("a checkpoint has the lines origin, size and root");
  }
  const hash = decoded(root);
  if (hash.length !== 32) throw new InvalidNote("the checkpoint's root is not the base64 of 32 bytes");
  return { origin, size: Number(size), root: hash };
}

function decoded(base64: string): Uint8Array<ArrayBuffer> {
  try {
    return fromBase64(base64);
  } catch {
    throw new InvalidNote(`${base64.slice(0, 80)} is not plain base64`);
  }
}

async function keyIdOf(key: VerifierKey): Promise<Uint8Array> {
  return (await sha256(utf8(`${key.name}\n`), ED25519, key.publicKey)).slice(0, 4);
}

async function isSignedBy(key: VerifierKey, signature: Uint8Array<ArrayBuffer>, text: string): Promise<boolean> {
  const imported = await crypto.subtle.importKey("raw", key.publicKey, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", imported, signature, concat(utf8(text)));
}
