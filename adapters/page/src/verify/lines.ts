/** JSON Lines of ours, read to be checked. */

import { type Facts, canonical, isObject, parseFacts, sameJson } from "../evidence/facts";
import { type Difference, type ExportedFile, type ExportedRow, type Fault, ProofTexts, Unreadable } from "./exportedFile";
import type { Manifest } from "./manifest";
import { texts } from "./streams";

const BESIDE_EVENTS = ['{"export"', '{"positions"', '{"fingerprints"', '{"nodes"', '{"checkpoint"'];

/** The rows and the proof of one file. It is read twice, since the proof stands at its end. */
export class JsonLinesFile implements ExportedFile {
  constructor(private readonly file: Blob) {}

  async proofTexts(): Promise<ProofTexts> {
    const found = new ProofTexts();
    for await (const lines of this.lines()) {
      for (const [number, line] of lines) {
        if (line.startsWith('{"event"')) continue;
        for (const [name, value] of Object.entries(decoded(number, line))) {
          if (name === "nodes" && Array.isArray(value)) for (const node of value) found.add("node", String(node));
          else if (typeof value === "string") found.add(name, value);
        }
      }
    }
    if (found.manifest === "") throw new Unreadable("the file has no line with a manifest: it is none of ours, or its end is missing");
    return found;
  }

  async *rows(): AsyncGenerator<readonly ExportedRow[]> {
    for await (const lines of this.lines()) {
      yield lines
        .filter(([, line]) => !BESIDE_EVENTS.some((begin) => line.startsWith(begin)))
        .map(([number, line]) => rowOf(number, decoded(number, line)));
    }
  }

  /** The first line tells the manifest's facts before the rows. */
  async claims(manifest: Manifest): Promise<readonly Fault[]> {
    for await (const [first] of this.lines()) {
      if (first === undefined) continue;
      const head = decoded(...first).export;
      return Object.entries(isObject(head) ? head : {})
        .filter(([name, value]) => !sameJson(value, manifest.facts[name]))
        .map(([name]) => ({ place: "line 1", column: `export.${name}`, message: "is not what the manifest says" }));
    }
    return [];
  }

  /** Lines that are not empty, with their numbers, as they arrive. */
  private async *lines(): AsyncGenerator<(readonly [number: number, line: string])[]> {
    let number = 0;
    let rest = "";
    for await (const text of texts(this.file.stream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      yield lines.map((line) => [(number += 1), line] as const).filter(([, line]) => line.trim() !== "");
    }
    if (rest.trim() !== "") yield [[number + 1, rest]];
  }
}

function decoded(number: number, line: string): Facts {
  try {
    return parseFacts(line);
  } catch (error) {
    throw new Unreadable(`line ${number} is no JSON object: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function rowOf(number: number, line: Facts): ExportedRow {
  const text = (name: string): string | null => (typeof line[name] === "string" ? line[name] : null);
  return {
    place: `line ${number}`,
    record: text("record"),
    personal: text("personal"),
    leafHash: text("leaf_hash"),
    chainHash: text("chain_hash"),
    differences: (facts) => differences(line.event, facts),
  };
}

function* differences(event: unknown, facts: Facts): Generator<Difference> {
  if (!isObject(event)) {
    yield ["event", "is no object"];
    return;
  }
  for (const name of [...new Set([...Object.keys(facts), ...Object.keys(event)])].sort()) {
    const [found, expected] = [event, facts].map((one) => (Object.hasOwn(one, name) ? canonical(one[name]) : "nothing"));
    if (found !== expected) yield [`event.${name}`, `says ${short(found)}, and the record says ${short(expected)}`];
  }
}

function short(text = ""): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}...`;
}
