import type { GuestMemory } from '../memory/guest-memory.js';
import {
  BLOCK_COUNT_MASK,
  HEAT_SHIFT,
  JUMP_CACHE,
  JUMP_CACHE_ENTRIES,
  JUMP_CACHE_ENTRY_BYTES,
  JUMP_HASH,
  REGION_FLAG,
  REGION_SHIFT,
  VICTIM_ENTRIES,
  VICTIM_HASH,
  VICTIMS,
} from '../memory/layout.js';

/** Indices, in 32-bit words, of the parts of an entry. */
const KEY = 1;
const RECORD = 2;
const LAST = 3;

const ENTRY_WORDS = JUMP_CACHE_ENTRY_BYTES / 4;

/**
 * From linear addresses to decoded blocks and translated regions: a table in linear memory that the interpreter and
 * regions look at, and one of what has been driven out of it, which `interpreter/recall.ts` looks at.
 */
export class JumpCache {
  private readonly i32: Int32Array;

  constructor(memory: GuestMemory) {
    this.i32 = memory.i32;
  }

  /** Word index of the entry that the address has or would have. */
  entryOf(linear: number): number {
    return (JUMP_CACHE + ((Math.imul(linear, JUMP_HASH.factor) >>> JUMP_HASH.shift) & JUMP_HASH.mask)) >> 2;
  }
  private victimOf(linear: number): number {
    return (VICTIMS + ((Math.imul(linear, VICTIM_HASH.factor) >>> VICTIM_HASH.shift) & VICTIM_HASH.mask)) >> 2;
  }

  has(entry: number, linear: number, key: number): boolean {
    return this.i32[entry] === (linear | 0) && this.i32[entry + KEY] === key;
  }

  /**
   * The entry is for `linear` from now on; what was there goes among the victims. Returns how often the block may still
   * run before it is hot: `threshold`, or what is left of it.
   */
  claim(entry: number, linear: number, threshold: number): number {
    const { i32 } = this;
    if (i32[entry] !== (linear | 0)) {
      if (i32[entry + KEY] !== 0) i32.copyWithin(this.victimOf(i32[entry]!), entry, entry + ENTRY_WORDS);
      return threshold;
    }
    const last = i32[entry + LAST]!;
    return last >= REGION_FLAG || last < 1 << HEAT_SHIFT ? threshold : last >> HEAT_SHIFT;
  }

  /** `count`: instructions of the block. */
  set(entry: number, linear: number, key: number, record: number, count: number, heat: number): void {
    const { i32 } = this;
    i32[entry] = linear;
    i32[entry + KEY] = key;
    i32[entry + RECORD] = record;
    i32[entry + LAST] = count | (heat << HEAT_SHIFT);
  }
  /** `slot`: of the region that begins where the block does. */
  setRegion(entry: number, slot: number): void {
    const count = this.i32[entry + LAST]! & BLOCK_COUNT_MASK;
    this.i32[entry + LAST] = count | REGION_FLAG | (slot << REGION_SHIFT);
  }

  /** How often the block at `linear` has run since it became hot, as far as is known. */
  runsSinceHot(linear: number): number {
    const entry = this.entryOf(linear);
    return this.i32[entry] === (linear | 0) ? Math.max(0, -(this.i32[entry + LAST]! >> HEAT_SHIFT)) : 0;
  }

  /** Forgets where the address leads. */
  forget(linear: number): void {
    for (const at of [this.entryOf(linear), this.victimOf(linear)])
      if (this.i32[at] === (linear | 0)) this.i32[at + KEY] = 0;
  }

  /** Forgets all. */
  clear(): void {
    this.i32.fill(0, JUMP_CACHE >> 2, (JUMP_CACHE >> 2) + JUMP_CACHE_ENTRIES * ENTRY_WORDS);
    this.i32.fill(0, VICTIMS >> 2, (VICTIMS >> 2) + VICTIM_ENTRIES * ENTRY_WORDS);
  }

  /** Every block is as far from being hot as one that has never run. */
  coolDown(threshold: number): void {
    this.coolPart(JUMP_CACHE, JUMP_CACHE_ENTRIES, threshold);
    this.coolPart(VICTIMS, VICTIM_ENTRIES, threshold);
  }
  private coolPart(from: number, entries: number, threshold: number): void {
    const { i32 } = this;
    const end = (from >> 2) + entries * ENTRY_WORDS;
    for (let at = (from >> 2) + LAST; at < end; at += ENTRY_WORDS)
      if (i32[at]! < REGION_FLAG) i32[at] = (i32[at]! & BLOCK_COUNT_MASK) | (threshold << HEAT_SHIFT);
  }
}
