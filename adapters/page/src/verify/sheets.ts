/** The sheets of a workbook that may have been made or changed by anybody, row by row in little memory. */

import { BlobReader, type FileEntry, ZipReader } from "@zip.js/zip.js/lib/zip-core-native.js";
import { SaxesParser, type SaxesTagPlain } from "saxes";
import { Unreadable } from "./exportedFile";
import { texts } from "./streams";

/** The last result of a formula; none is ever exported. */
export class Formula {
  constructor(readonly text: string) {}
}

/** Null where there is nothing, which is not the same as an empty text. */
export type Cell = string | number | Formula | null;

const MOST_COLUMNS = 16_384;
/** A cell holds 32,767 units, and each may stand escaped. */
const LONGEST_TEXT = 32_767 * 7;
const REFERENCE = /^([A-Z]{1,3})[0-9]{1,7}$/;
const ESCAPED = /_x([0-9A-Fa-f]{4})_/g;

export class Sheets {
  private constructor(
    private readonly members: ReadonlyMap<string, FileEntry>,
    private readonly places: ReadonlyMap<string, string>,
    private readonly shared: readonly string[],
  ) {}

  /** Throws Unreadable. */
  static async open(file: Blob): Promise<Sheets> {
    let members: ReadonlyMap<string, FileEntry>;
    try {
      const entries = await new ZipReader(new BlobReader(file), { useWebWorkers: false }).getEntries();
      members = new Map(entries.flatMap((entry) => (entry.directory ? [] : [[entry.filename, entry]])));
    } catch (error) {
      throw new Unreadable(`the workbook is damaged or cut off: ${wordsOf(error)}`);
    }
    const targets = new Map<string, string>();
    for (const { name, attributes } of await elements(members, "xl/_rels/workbook.xml.rels")) {
      if (name === "Relationship") targets.set(attributes.Id ?? "", attributes.Target ?? "");
    }
    const places = new Map<string, string>();
    for (const { name, attributes } of await elements(members, "xl/workbook.xml")) {
      if (name === "sheet") places.set(attributes.name ?? "", memberOf(targets.get(attributes["r:id"] ?? "") ?? ""));
    }
    return new Sheets(members, places, await sharedTexts(members));
  }

  /** In the order of the workbook. */
  get names(): string[] {
    return [...this.places.keys()];
  }

  /** The rows of a sheet, some at a time. Rows that are left out do not count. Throws Unreadable. */
  rows(name: string): AsyncGenerator<Cell[][]> {
    const rows = new Rows(this.shared);
    return parsed(this.members, this.places.get(name) ?? "", rows.parser, () => rows.taken());
  }
}

function memberOf(target: string): string {
  return target.startsWith("/") ? target.slice(1) : `xl/${target}`;
}

async function elements(members: ReadonlyMap<string, FileEntry>, member: string): Promise<SaxesTagPlain[]> {
  const found: SaxesTagPlain[] = [];
  const parser = new SaxesParser();
  parser.on("opentag", (tag) => found.push(tag));
  await drained(parsed(members, member, parser, () => null));
  return found;
}

/** What programs that save the workbook anew keep apart. */
async function sharedTexts(members: ReadonlyMap<string, FileEntry>): Promise<string[]> {
  const member = "xl/sharedStrings.xml";
  const found: string[] = [];
  if (!members.has(member)) return found;
  const parser = new SaxesParser();
  let text = "";
  let inside = false;
  parser.on("opentag", ({ name }) => (inside = name === "t"));
  parser.on("text", (data) => (text += inside ? data : ""));
  parser.on("closetag", ({ name }) => {
    inside = false;
    if (name !== "si") return;
    found.push(unescaped(text));
    text = "";
  });
  await drained(parsed(members, member, parser, () => null));
  return found;
}

async function drained(stretches: AsyncGenerator): Promise<void> {
  while ((await stretches.next()).done !== true);
}

/** What was taken from the stretches of a member, one after the other. Throws Unreadable. */
async function* parsed<T>(
  members: ReadonlyMap<string, FileEntry>,
  member: string,
  parser: SaxesParser,
  taken: () => T,
): AsyncGenerator<T> {
  const entry = members.get(member);
  if (entry === undefined) throw new Unreadable(`the workbook has no ${member}`);
  parser.on("doctype", () => {
    throw new Unreadable("the workbook holds a document type declaration, which no workbook needs");
  });
  parser.on("error", (error) => {
    throw new Unreadable(`the workbook is damaged: ${error.message}`);
  });
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  // What goes wrong breaks the stream, too, and is met there.
  const unpacked = entry.getData(writable, { useWebWorkers: false, checkSignature: true }).catch(() => null);
  try {
    for await (const text of texts(readable)) {
      parser.write(text);
      yield taken();
    }
    parser.close();
    yield taken();
  } catch (error) {
    throw error instanceof Unreadable ? error : new Unreadable(`the workbook is damaged: ${wordsOf(error)}`);
  }
  await unpacked;
}

/** Makes rows of what the parser meets. */
class Rows {
  readonly parser = new SaxesParser();
  private rows: Cell[][] = [];
  private row: Cell[] = [];
  private kind: string | undefined;
  private column = 0;
  private text: string | null = null;
  private inside = false;
  private isFormula = false;

  constructor(private readonly shared: readonly string[]) {
    this.parser.on("opentag", (tag) => this.begin(tag));
    this.parser.on("text", (data) => this.data(data));
    this.parser.on("cdata", (data) => this.data(data));
    this.parser.on("closetag", ({ name }) => this.end(name));
  }

  taken(): Cell[][] {
    const { rows } = this;
    this.rows = [];
    return rows;
  }

  private begin({ name, attributes }: SaxesTagPlain): void {
    if (name === "c") {
      this.kind = attributes.t;
      this.column = attributes.r === undefined ? this.row.length : columnOf(attributes.r);
      if (this.column < this.row.length || this.column >= MOST_COLUMNS) {
        throw new Unreadable(`the cell ${attributes.r ?? this.column} is out of its place`);
      }
      this.text = null;
      this.isFormula = false;
    } else if (name === "t" || name === "v") {
      this.inside = true;
      this.text ??= "";
    } else if (name === "f") {
      this.isFormula = true;
    } else if (name === "row") {
      this.row = [];
    }
  }

  private data(data: string): void {
    if (!this.inside || this.text === null) return;
    this.text += data;
    if (this.text.length > LONGEST_TEXT) throw new Unreadable("a cell holds more than any cell can hold");
  }

  private end(name: string): void {
    this.inside = false;
    if (name === "row") this.rows.push(this.row);
    if (name !== "c") return;
    while (this.row.length < this.column) this.row.push(null);
    this.row.push(this.value());
  }

  private value(): Cell {
    const { text } = this;
    if (this.isFormula) return new Formula(text ?? "");
    if (text === null) return null;
    if (this.kind === "inlineStr" || this.kind === "str") return unescaped(text);
    const number = text.trim() === "" ? NaN : Number(text);
    if (Number.isNaN(number)) return text;
    return this.kind === "s" ? (this.shared[number] ?? text) : number;
  }
}

function columnOf(reference: string): number {
  const letters = REFERENCE.exec(reference)?.[1];
  if (letters === undefined) throw new Unreadable(`${reference.slice(0, 20)} is no place of a cell`);
  return Array.from(letters).reduce((number, letter) => number * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

/** ECMA-376, part 1, 22.9.2.19: what XML cannot hold stands as `_xHHHH_`. */
function unescaped(text: string): string {
  return text.includes("_x") ? text.replace(ESCAPED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16))) : text;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
