/** The same cases as the Python verifier's: `tests/cases/evidence.json`. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fromHex, utf8 } from "./bytes";
import { leafHash, personalDigest, verifyInclusion } from "./merkle";
import { openCheckpoint, parseVerifierKey } from "./note";

interface Cases {
  leaves: { data: string; hash: string }[];
  personal: { data: string; digest: string }[];
  inclusion: { leaf: string; index: number; size: number; path: string[]; root: string; holds: boolean }[];
  checkpoints: { note: string; key: string; origin: string | null; size: number }[];
  bad_keys: string[];
}

const cases = JSON.parse(readFileSync(new URL("../../../../tests/cases/evidence.json", import.meta.url), "utf8")) as Cases;

describe("a leaf hash", () => {
  test.each(cases.leaves)("of $data", async ({ data, hash }) => {
    expect(await leafHash(utf8(data))).toEqual(fromHex(hash));
  });
});

describe("a personal digest", () => {
  test.each(cases.personal)("of $data", async ({ data, digest }) => {
    expect(await personalDigest(utf8(data))).toEqual(fromHex(digest));
  });
});

describe("an inclusion proof", () => {
  test.each(cases.inclusion)("of $index in $size holds: $holds", async ({ leaf, index, size, path, root, holds }) => {
    const checked = verifyInclusion(fromHex(leaf), index, size, path.map(fromHex), fromHex(root));
    if (holds) await checked;
    else await expect(checked).rejects.toThrow();
  });
});

describe("a signed checkpoint", () => {
  test.each(cases.checkpoints)("of $origin at $size", async ({ note, key, origin, size }) => {
    const opened = openCheckpoint(note, [await parseVerifierKey(key)]);
    if (origin === null) await expect(opened).rejects.toThrow();
    else expect((await opened).checkpoint).toMatchObject({ origin, size });
  });
});

describe("a text that is no verifier key", () => {
  test.each(cases.bad_keys)("%s", async (text) => {
    await expect(parseVerifierKey(text)).rejects.toThrow();
  });
});
