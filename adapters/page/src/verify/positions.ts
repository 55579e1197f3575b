/** Sets of positions as texts: `1-500,502`. */

export type Range = readonly [first: number, last: number];

const RANGE = /^([1-9][0-9]{0,15})(?:-([1-9][0-9]{0,15}))?$/;

/** Throws Error for what does not ascend or is not written in the one way. */
export function parseRanges(text: string): Range[] {
  const ranges: Range[] = [];
  for (const part of text === "" ? [] : text.split(",")) {
    const found = RANGE.exec(part);
    const first = Number(found?.[1]);
    const last = Number(found?.[2] ?? found?.[1]);
    const before = ranges.at(-1)?.[1] ?? -1;
    if (found === null || !(first <= last) || found[1] === found[2] || first <= before + 1) {
      throw new Error(`${part.slice(0, 50)} is no position, nor a range of them that follows`);
    }
    ranges.push([first, last]);
  }
  return ranges;
}

/** The runs without a gap of ascending positions. */
export function rangesOf(ascending: Iterable<number>): Range[] {
  const ranges: [number, number][] = [];
  for (const position of ascending) {
    const last = ranges.at(-1);
    if (last?.[1] === position - 1) last[1] = position;
    else ranges.push([position, position]);
  }
  return ranges;
}

/** What is in `of` and not in `ranges`; both ascend. */
export function missing(ranges: readonly Range[], of: readonly Range[]): Range[] {
  const found: Range[] = [];
  let place = 0;
  for (const [first, last] of of) {
    let wanted = first;
    while (wanted <= last) {
      while ((ranges[place]?.[1] ?? Infinity) < wanted) place += 1;
      const [begin, end] = ranges[place] ?? [Infinity, Infinity];
      if (begin > wanted) found.push([wanted, Math.min(last, begin - 1)]);
      wanted = end + 1;
    }
  }
  return found;
}

export function rangesText(ranges: readonly Range[]): string {
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(", ");
}

export function sizeOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}
