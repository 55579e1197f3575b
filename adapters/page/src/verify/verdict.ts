/** What came of checking a file. */

import type { Fault } from "./exportedFile";

const MOST_FAULTS = 100;

export class Verdict {
  rows = 0;
  /** Rows behind the checkpoint: the manifest vouches for them, the tree does not yet. */
  unproven = 0;
  /** Rows whose personal data were not in the ledger any more when they were exported. */
  withoutPersonal = 0;
  /** Rows whose chain hash follows from the row of the position before. */
  chained = 0;
  /** The first ones. */
  readonly faults: Fault[] = [];
  faultsInAll = 0;

  get good(): boolean {
    return this.faultsInAll === 0;
  }

  add(place: string, column: string | null, message: string): void {
    this.faultsInAll += 1;
    if (this.faults.length < MOST_FAULTS) this.faults.push({ place, column, message });
  }
}
