import { WRITE_MAPPINGS } from './layout.js';
import type { GuestMemory } from './guest-memory.js';

/** No linear page, or more than are remembered; else, the number of the page plus 1. */
export const NO_MAPPING = 0;
export const MANY_MAPPINGS = -1;

/**
 * Which linear pages a guest page may be written through: by guest page, the first two that have got a write entry
 * since the page was protected last. Two are what pages usually have, a program's and the kernel's own. In linear
 * memory, where the interpreter's module notes them, too (`cpu/interpreter/tlb-fill.ts`).
 */
export class WriteMappings {
  /** Two words for each page. */
  private readonly words: Int32Array;

  constructor(memory: GuestMemory) {
    this.words = new Int32Array(memory.memory.buffer, WRITE_MAPPINGS, 2 * memory.codePages.length);
  }

  add(gpaPage: number, linearPage: number): void {
    const { words } = this;
    const at = 2 * gpaPage;
    const one = words[at]!;
    const other = words[at + 1]!;
    const mapping = linearPage + 1;
    if (one === mapping || other === mapping || other === MANY_MAPPINGS) return;
    if (one === NO_MAPPING) words[at] = mapping;
    else words[at + 1] = other === NO_MAPPING ? mapping : MANY_MAPPINGS;
  }

  /** Forgets the mappings of a page: calls `visit` with each, or returns false if they are more than it knows. */
  take(gpaPage: number, visit: (linearPage: number) => void): boolean {
    const { words } = this;
    const at = 2 * gpaPage;
    const one = words[at]!;
    const other = words[at + 1]!;
    words[at] = NO_MAPPING;
    words[at + 1] = NO_MAPPING;
    if (other === MANY_MAPPINGS) return false;
    if (one !== NO_MAPPING) visit(one - 1);
    if (other !== NO_MAPPING) visit(other - 1);
    return true;
  }

  clear(): void {
    this.words.fill(NO_MAPPING);
  }
}
