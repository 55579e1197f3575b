/** A workbook of ours, read to be checked. */

import { type Facts, canonical } from "../evidence/facts";
import columns from "./columns.json";
import { type Difference, type ExportedFile, type ExportedRow, type Fault, ProofTexts, Unreadable } from "./exportedFile";
import { type Cell, Formula, Sheets } from "./sheets";

interface Column {
  title: string;
  place: string;
  name: string;
  kind: string;
}

const COLUMNS: readonly Column[] = columns.columns;
const TITLES = [...COLUMNS.map((column) => column.title), ...columns.evidence, columns.continued];
const CONTINUED_AT = TITLES.length - 1;
const EVENTS = /^Events( [0-9]+)?$/;
const PROOF = /^Proof( [0-9]+)?$/;
const OURS = /^(?:(?:Events|Proof)(?: [0-9]+)?|About|Summary)$/;
/** Without a text of its own, without another for some of the values, without scaling. */
const HONEST_FORMAT = /^(?:General|@|(?:\[\$-[0-9A-Fa-f]+\])?(?:[ymdhs0#?:./ -]|\\[:/. -]|,(?=[0#?]))+)$/;
const MORE = /^(.+) ([1-9][0-9]{0,4})$/;
const FIRST_DAY = Date.UTC(1899, 11, 30) * 1000;
const DAY = 86_400_000_000;
/** How far a time may be off, in days: 86 microseconds, which programs lose that save a workbook anew. */
const A_MOMENT = 1e-9;

export class WorkbookFile implements ExportedFile {
  constructor(private readonly sheets: Sheets) {}

  static async open(file: Blob): Promise<WorkbookFile> {
    return new WorkbookFile(await Sheets.open(file));
  }

  async proofTexts(): Promise<ProofTexts> {
    const found = new ProofTexts();
    const names = this.sheets.names.filter((name) => PROOF.test(name));
    if (names.length === 0) throw new Unreadable("the workbook has no sheet `Proof`: it is none that the audit trail has exported");
    for (const name of names) {
      for await (const rows of this.sheets.rows(name)) {
        for (const [part, ...content] of rows) {
          found.add(typeof part === "string" ? part : "", content.map((cell) => (typeof cell === "string" ? cell : "")).join(""));
        }
      }
    }
    return found;
  }

  async *rows(): AsyncGenerator<readonly ExportedRow[]> {
    for (const name of this.sheets.names.filter((one) => EVENTS.test(one))) {
      let number = 0;
      for await (const rows of this.sheets.rows(name)) {
        const found: ExportedRow[] = [];
        for (const cells of rows) {
          number += 1;
          if (number === 1) checkHead(name, cells);
          else if (cells.some((cell) => cell !== null)) found.push(rowOf(`${name}, row ${number}`, cells));
        }
        yield found;
      }
      if (number === 0) checkHead(name, []);
    }
  }

  /** What was put in beside the rows that could show other than they say. */
  async claims(): Promise<readonly Fault[]> {
    const foreign = this.sheets.names.filter((name) => !OURS.test(name));
    const formats = (await this.sheets.numberFormats()).filter((code) => !HONEST_FORMAT.test(code));
    return [
      ...foreign.map((name) => ({ place: name.slice(0, 100), column: null, message: "this sheet was put in" })),
      ...formats.map((code) => ({
        place: "Workbook",
        column: null,
        message: `the number format ${code.slice(0, 100)} may show other than what is in a cell`,
      })),
    ];
  }
}

function checkHead(sheet: string, head: readonly Cell[]): void {
  const wrong = TITLES.findIndex((title, place) => head[place] !== title);
  if (wrong < 0 && head.length === TITLES.length) return;
  throw new Unreadable(`the header of the sheet ${sheet} is not as it was exported: ${short(head[wrong] ?? null)}`);
}

function rowOf(place: string, cells: Cell[]): ExportedRow {
  while (cells.length < TITLES.length) cells.push(null);
  const shown = cells.slice(0, CONTINUED_AT);
  const [continued, ...further] = cells.slice(CONTINUED_AT);
  if ((continued ?? null) !== null || further.length > 0) join(shown, continued ?? null, further);
  const [record = null, personal = null, leafHash = null, chainHash = null] = shown.slice(COLUMNS.length).map(textOf);
  return { place, record, personal, leafHash, chainHash, differences: (facts) => differences(shown, facts) };
}

/** Puts the parts of long texts together; what does not fit makes them differ from what they must be. */
function join(shown: Cell[], continued: Cell, further: readonly Cell[]): void {
  let place = 0;
  for (const text of String(textOf(continued)).split(", ")) {
    const [, title = "", count = "0"] = MORE.exec(text) ?? [];
    const index = TITLES.indexOf(title);
    if (index < 0) {
      shown[0] = new Formula(`${textOf(shown[0] ?? null) ?? ""} and what is not known: ${text.slice(0, 50)}`);
      return;
    }
    const parts = further.slice(place, place + Number(count));
    shown[index] = [shown[index] ?? null, ...parts].map((part) => textOf(part) ?? "").join("");
    place += parts.length;
  }
  if (place < further.length) shown[0] = new Formula(`${textOf(shown[0] ?? null) ?? ""} and further cells`);
}

function* differences(shown: readonly Cell[], facts: Facts): Generator<Difference> {
  for (const [place, column] of COLUMNS.entries()) {
    const found = shown[place] ?? null;
    const expected = cellOf(column, facts);
    if (found instanceof Formula || found === expected || isSameMoment(column, found, expected)) continue;
    yield [column.title, `says ${short(found)}, and the record says ${short(expected)}`];
  }
  for (const [place, cell] of shown.entries()) {
    if (cell instanceof Formula) yield [TITLES[place] ?? "", "is a formula, and nothing that is exported is one"];
  }
}

/** What must stand in a column of an event with these facts. */
function cellOf({ place, name, kind }: Column, facts: Facts): Cell {
  const from = place === "event" ? facts : (facts[place] as Facts | undefined);
  const value = (from?.[name] ?? null) as Cell;
  if (value === null) return null;
  if (kind === "json") return canonical(value);
  return kind === "time" ? inDays(value as string) : value;
}

/** A time in days, as spreadsheets have it; to the microsecond, which a Date does not hold. */
function inDays(rfc3339: string): number {
  const microseconds = Date.parse(`${rfc3339.slice(0, 19)}Z`) * 1000 + Number(rfc3339.slice(20, -1).padEnd(6, "0"));
  return (microseconds - FIRST_DAY) / DAY;
}

function isSameMoment({ kind }: Column, found: Cell, expected: Cell): boolean {
  return kind === "time" && typeof found === "number" && typeof expected === "number" && Math.abs(found - expected) < A_MOMENT;
}

function textOf(cell: Cell): string | null {
  if (cell instanceof Formula) return cell.text;
  return cell === null ? null : String(cell);
}

function short(cell: Cell): string {
  if (cell === null) return "nothing";
  const text = JSON.stringify(textOf(cell));
  return text.length <= 100 ? text : `${text.slice(0, 100)}...`;
}
