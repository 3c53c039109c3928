import type { GuestMemory } from '../memory/guest-memory.js';
import {
  JUMP_CACHE,
  JUMP_CACHE_ENTRIES,
  JUMP_CACHE_ENTRY_BYTES,
  JUMP_HASH,
  JUMP_HEAT,
  REGION_FLAG,
  REGION_SHIFT,
  VICTIM_ENTRIES,
  VICTIM_HASH,
  VICTIM_HEAT,
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
  private heatOf(entry: number): number {
    return (JUMP_HEAT >> 2) + (entry - (JUMP_CACHE >> 2)) / ENTRY_WORDS;
  }

  has(entry: number, linear: number, key: number): boolean {
    return this.i32[entry] === (linear | 0) && this.i32[entry + KEY] === key;
  }

  /** The entry is for `linear` from now on; what was there goes among the victims. Blocks become hot from `heat` on. */
  claim(entry: number, linear: number, heat: number): void {
    const { i32 } = this;
    const at = this.heatOf(entry);
    if (i32[entry] === (linear | 0)) {
      if (i32[at]! <= 0) i32[at] = heat;
      return;
    }
    if (i32[entry + KEY] !== 0) {
      const victim = this.victimOf(i32[entry]!);
      i32.copyWithin(victim, entry, entry + ENTRY_WORDS);
      i32[(VICTIM_HEAT >> 2) + (victim - (VICTIMS >> 2)) / ENTRY_WORDS] = i32[at]!;
    }
    i32[at] = heat;
  }

  /** `count`: instructions of the block; `slot`: of the region that begins here, or 0. */
  set(entry: number, linear: number, key: number, record: number, count: number, slot: number): void {
    const { i32 } = this;
    i32[entry] = linear;
    i32[entry + KEY] = key;
    i32[entry + RECORD] = record;
    i32[entry + LAST] = count;
    if (slot !== 0) this.setRegion(entry, slot);
  }
  setRegion(entry: number, slot: number): void {
    this.i32[entry + LAST]! |= REGION_FLAG | (slot << REGION_SHIFT);
  }

  /** How often the block at `linear` has run since it became hot, as far as is known. */
  runsSinceHot(linear: number): number {
    const entry = this.entryOf(linear);
    return this.i32[entry] === (linear | 0) ? Math.max(0, -this.i32[this.heatOf(entry)]!) : 0;
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
  coolDown(heat: number): void {
    this.i32.fill(heat, JUMP_HEAT >> 2, (JUMP_HEAT >> 2) + JUMP_CACHE_ENTRIES);
    this.i32.fill(heat, VICTIM_HEAT >> 2, (VICTIM_HEAT >> 2) + VICTIM_ENTRIES);
  }
}
