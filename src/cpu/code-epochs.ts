import { TLB_PAGE } from '../memory/layout.js';

/** Epochs are part of `codeKey`, which has 27 bits for them; the uppermost is `KEY_OF_NOTHING`'s. */
const LAST_EPOCH = 0x3ff_ffff;

/**
 * Which jump-cache entries and translated regions are valid for certain, without touching each of them: every entry
 * carries the epoch it was found valid in, one for ring 3 and one for all others. An entry of an older epoch is looked
 * at again before it is used (`interpreter/recall.ts`, `CodeLookup`).
 *
 * An epoch ends when the TLB forgets a page that code has come from. That is rarer than changes of mappings: a page
 * fault that brings in data, or a switch to another process, says nothing about the kernel's code.
 */
export class CodeEpochs {
  /** By privilege: rings 0 to 2, ring 3. Positive. */
  readonly current: [supervisor: number, user: number] = [1, 1];

  /** Pages have been forgotten that code has come from for these (bits of `TLB_PAGE`). Returns whether one has ended. */
  end(code: number): boolean {
    if (code & TLB_PAGE.supervisorCode) this.current[0]++;
    if (code & TLB_PAGE.userCode) this.current[1]++;
    return code !== 0;
  }

  /** Soon there will be no numbers left. */
  get isSpent(): boolean {
    return this.current[0] >= LAST_EPOCH || this.current[1] >= LAST_EPOCH;
  }

  /** Only when nothing carries an epoch any more. */
  startAnew(): void {
    this.current.fill(1);
  }
}
