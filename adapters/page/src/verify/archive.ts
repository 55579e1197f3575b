/** The members of a workbook's archive, and how they relate: what programs would not all read alike is refused. */

import { BlobReader, type Entry, type FileEntry, ZipReader } from "@zip.js/zip.js/lib/zip-core-native.js";
import { SaxesParser } from "saxes";
import { Unreadable } from "./exportedFile";
import { texts } from "./streams";

export type Members = ReadonlyMap<string, FileEntry>;
export type Attributes = ReadonlyMap<string, string>;

/** Of two members of one name one program reads the first, and another the last; some do not tell letters apart. */
export async function membersOf(file: Blob): Promise<Members> {
  let entries: Entry[];
  try {
    entries = await new ZipReader(new BlobReader(file), { useWebWorkers: false }).getEntries();
  } catch (error) {
    throw new Unreadable(`the workbook is damaged or cut off: ${wordsOf(error)}`);
  }
  const known = new Set<string>();
  for (const { filename } of entries) {
    if (known.has(filename.toLowerCase())) throw new Unreadable(`the workbook holds ${filename.slice(0, 100)} more than once`);
    known.add(filename.toLowerCase());
  }
  return new Map(entries.flatMap((entry) => (entry.directory ? [] : [[entry.filename, entry]])));
}

/** The members that stand in this kind of relation. */
export async function partsOf(members: Members, member: string, folder: string, kind: string): Promise<string[]> {
  return (await relations(members, member, folder)).filter((one) => one.type.endsWith(kind)).map((one) => one.member);
}

export async function relations(members: Members, member: string, folder: string): Promise<{ id: string; type: string; member: string }[]> {
  return (await elements(members, member))
    .filter(([name]) => name === "Relationship")
    .map(([, attributes]) => {
      const target = attributes.get("Target") ?? "";
      const place = target.startsWith("/") ? target.slice(1) : folder === "" ? target : `${folder}/${target}`;
      return { id: attributes.get("Id") ?? "", type: attributes.get("Type") ?? "", member: place };
    });
}

/** The elements and their attributes, by their names in whatever namespace. */
export async function elements(members: Members, member: string): Promise<(readonly [name: string, attributes: Attributes])[]> {
  const found: (readonly [string, Attributes])[] = [];
  const parser = new SaxesParser();
  parser.on("opentag", ({ name, attributes }) =>
    found.push([local(name), new Map(Object.entries(attributes).map(([key, value]) => [local(key), value]))]),
  );
  await drained(parsed(members, member, parser, () => null));
  return found;
}

/** A name without its prefix: programs read elements whatever prefix they have. */
export function local(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

export async function drained(stretches: AsyncGenerator): Promise<void> {
  while ((await stretches.next()).done !== true);
}

/** What was taken from the stretches of a member, one after the other. Throws Unreadable. */
export async function* parsed<T>(
  members: Members,
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

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
