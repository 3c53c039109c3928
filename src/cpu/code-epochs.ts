import type { GuestMemory } from '../memory/guest-memory.js';
import { KEYS, TLB_PAGE } from '../memory/layout.js';
import { KEY_EPOCH, KEY_USER } from './translator.js';

/**
 * Epochs are part of `codeKey`, which has 27 bits for them; the uppermost is `KEY_OF_NOTHING`'s. From this key on there are
 * too few left.
 */
export const LAST_KEY = 0x3ff_ffff * KEY_EPOCH;

/**
 * Which jump-cache entries and translated regions are valid for certain, without touching each of them: every entry
 * carries the epoch it was found valid in, one for ring 3 and one for all others. An entry of an older epoch is looked
 * at again before it is used (`interpreter/recall.ts`, `CodeLookup`). In linear memory (`KEYS`), as part of `codeKey`,
 * where the interpreter's module ends epochs, too (`interpreter/tlb-forget.ts`).
 *
 * An epoch ends when the TLB forgets a page that code has come from. That is rarer than changes of mappings: a page
 * fault that brings in data, or a switch to another process, says nothing about the kernel's code.
 */
export class CodeEpochs {
  private readonly words: Int32Array;

  constructor(memory: GuestMemory) {
    this.words = memory.i32;
    this.startAnew();
  }

  /** Pages have been forgotten that code has come from for these (bits of `TLB_PAGE`). Returns whether one has ended. */
  end(code: number): boolean {
    if (code & TLB_PAGE.supervisorCode) this.words[KEYS.supervisor >> 2]! += KEY_EPOCH;
    if (code & TLB_PAGE.userCode) this.words[KEYS.user >> 2]! += KEY_EPOCH;
    return code !== 0;
  }

  /** Soon there will be no numbers left. */
  get isSpent(): boolean {
    return Math.max(this.words[KEYS.supervisor >> 2]!, this.words[KEYS.user >> 2]!) >= LAST_KEY;
  }

  /** Only when nothing carries an epoch any more. */
  startAnew(): void {
    this.words[KEYS.supervisor >> 2] = KEY_EPOCH;
    this.words[KEYS.user >> 2] = KEY_EPOCH + KEY_USER;
  }
}
