/** The sheets of a workbook that may have been made or changed by anybody, row by row in little memory. */

import { SaxesParser, type SaxesTagPlain } from "saxes";
import { type Members, drained, elements, local, membersOf, parsed, partsOf, relations } from "./archive";
import { Unreadable } from "./exportedFile";

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

const WORKBOOK = "xl/workbook.xml";
const RELATIONS = "xl/_rels/workbook.xml.rels";

export class Sheets {
  private constructor(
    private readonly members: Members,
    private readonly places: ReadonlyMap<string, string>,
    private readonly shared: readonly string[],
  ) {}

  /** Throws Unreadable, also for what programs would not all read as the same workbook. */
  static async open(file: Blob): Promise<Sheets> {
    const members = await membersOf(file);
    const roots = await partsOf(members, "_rels/.rels", "", "/officeDocument");
    if (roots.length !== 1 || roots[0] !== WORKBOOK) {
      throw new Unreadable(`the workbook is not at ${WORKBOOK}, where it was exported to`);
    }
    const targets = new Map((await relations(members, RELATIONS, "xl")).map(({ id, member }) => [id, member]));
    const places = new Map<string, string>();
    for (const [name, attributes] of await elements(members, WORKBOOK)) {
      if (name !== "sheet") continue;
      const title = attributes.get("name") ?? "";
      if (places.has(title)) throw new Unreadable(`the workbook has two sheets of the name ${title.slice(0, 100)}`);
      places.set(title, targets.get(attributes.get("id") ?? "") ?? "");
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

  /** The formats of numbers, dates and texts that the workbook defines. Throws Unreadable. */
  async numberFormats(): Promise<string[]> {
    const found: string[] = [];
    for (const member of await partsOf(this.members, RELATIONS, "xl", "/styles")) {
      for (const [name, attributes] of await elements(this.members, member)) {
        if (name === "numFmt") found.push(attributes.get("formatCode") ?? "");
      }
    }
    return found;
  }
}

/** What programs that save the workbook anew keep apart. */
async function sharedTexts(members: Members): Promise<string[]> {
  const parts = await partsOf(members, RELATIONS, "xl", "/sharedStrings");
  if (parts.length > 1) throw new Unreadable("the workbook has more than one table of shared texts");
  const found: string[] = [];
  const parser = new SaxesParser();
  let text = "";
  let inside = false;
  parser.on("opentag", ({ name }) => (inside = local(name) === "t"));
  parser.on("text", (data) => (text += inside ? data : ""));
  parser.on("closetag", ({ name }) => {
    inside = false;
    if (local(name) !== "si") return;
    found.push(unescaped(text));
    text = "";
  });
  for (const member of parts) await drained(parsed(members, member, parser, () => null));
  return found;
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
    this.parser.on("closetag", ({ name }) => this.end(local(name)));
  }

  taken(): Cell[][] {
    const { rows } = this;
    this.rows = [];
    return rows;
  }

  private begin(tag: SaxesTagPlain): void {
    const { attributes } = tag;
    const name = local(tag.name);
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
    // Of another kind it shows something else: 1 as TRUE.
    if (this.kind !== undefined && this.kind !== "n" && this.kind !== "s") return `${text} as ${this.kind}`;
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
