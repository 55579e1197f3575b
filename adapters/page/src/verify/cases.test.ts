/** The same files as the Python verifier's: `tests/cases/exports.json`. */

import { BlobWriter, TextReader, ZipWriter } from "@zip.js/zip.js/lib/zip-core-native.js";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { concat, utf8 } from "../evidence/bytes";
import { checkFile, readKey } from "./checkFile";
import { Unreadable } from "./exportedFile";

interface Case {
  name: string;
  base: "workbook" | "lines";
  key: string;
  changes: { member: string; at: number; remove: number; put: string }[];
  verdict: "good" | "bad" | "refused";
  first?: [place: string, column: string | null];
  rows?: number;
  unproven?: number;
  without_personal?: number;
  chained?: number;
}

const { bases, cases } = JSON.parse(readFileSync(new URL("../../../../tests/cases/exports.json", import.meta.url), "utf8")) as {
  bases: Record<Case["base"], Record<string, string>>;
  cases: Case[];
};

async function fileOf({ base, changes }: Case): Promise<Blob> {
  const members = new Map(Object.entries(bases[base]).map(([name, text]) => [name, utf8(text)]));
  for (const { member, at, remove, put } of changes) {
    const data = members.get(member) ?? utf8("");
    members.set(member, concat(data.slice(0, at), utf8(put), data.slice(at + remove)));
  }
  if (base === "lines") return new Blob([...members.values()]);
  const archive = new ZipWriter(new BlobWriter(), { useWebWorkers: false });
  for (const [name, data] of members) await archive.add(name, new TextReader(new TextDecoder().decode(data)));
  return archive.close();
}

describe.each(["workbook", "lines"] as const)("of a %s, the verdict is that of the Python verifier:", (base) => {
  test.each(cases.filter((one) => one.base === base))("$name: $verdict", async (one) => {
    const checked = checkFile(await fileOf(one), async (_, name) => [await readKey(one.key, name)]);
    if (one.verdict === "refused") {
      await expect(checked).rejects.toThrow(Unreadable);
      return;
    }
    const { verdict } = await checked;
    if (one.verdict === "bad") {
      expect(verdict.faults[0]).toMatchObject({ place: one.first?.[0], column: one.first?.[1] });
      return;
    }
    expect(verdict.faults).toEqual([]);
    expect(verdict).toMatchObject({ rows: one.rows, unproven: one.unproven, withoutPersonal: one.without_personal, chained: one.chained });
  });
});

describe("a file that is none", () => {
  test.each([
    ["", "neither"],
    ["PK\u0003\u0004broken", "damaged or cut off"],
    ["User,User id,User kind\r\n", "hold no proof"],
  ])("%j is refused", async (content, words) => {
    await expect(checkFile(new Blob([content]), () => Promise.resolve([]))).rejects.toThrow(words);
  });
});
