import { JUMP_TARGETS } from '../memory/layout.js';

/** Bytes for one jump: `ENTRIES` words with targets, by their hash, then how often it has been recorded. */
const PROFILE_BYTES = 1024;
const ENTRIES = 128;
/** What hashes a target: golden ratio. */
export const TARGET_HASH = 0x9e37_79b1 | 0;
/** The upper bits of target × `TARGET_HASH` number its entry. */
export const ENTRY_SHIFT = 32 - Math.log2(ENTRIES);
/** Offset of the count in a profile. */
export const PROFILE_COUNT = 4 * ENTRIES;
const PROFILES = 256;

/** A jump as a number: `jumpKey`, or `hubKey`. */
type Key = number;

export function jumpKey(eip: number, user: boolean): Key {
  return eip * 2 + Number(user);
}
/** The jump at the head of a hub made at `eip`. */
export function hubKey(eip: number, user: boolean): Key {
  return -1 - jumpKey(eip, user);
}

/**
 * Where computed jumps go, as the translated code itself records it. Two targets with the same hash drive each other
 * out, but not for ever: the one that is there when somebody looks is a matter of chance.
 */
export class JumpProfiles {
  private readonly numbers = new Map<Key, number>();
  private readonly keys: (Key | undefined)[] = [];
  private next = 0;

  constructor(private readonly i32: Int32Array) {}

  /** Offset in linear memory of the jump's profile, which begins empty; the oldest makes room for it. */
  open(key: Key): number {
    let number = this.numbers.get(key);
    if (number === undefined) {
      number = this.next++ % PROFILES;
      const old = this.keys[number];
      if (old !== undefined) this.numbers.delete(old);
      this.keys[number] = key;
      this.numbers.set(key, number);
      const first = wordOf(number);
      this.i32.fill(0, first, first + PROFILE_BYTES / 4);
    }
    return JUMP_TARGETS + number * PROFILE_BYTES;
  }

  /** Targets recorded so far, in ascending order. */
  targets(key: Key): number[] {
    const number = this.numbers.get(key);
    if (number === undefined) return [];
    const first = wordOf(number);
    const words = this.i32.subarray(first, first + ENTRIES);
    return [...words]
      .filter((word) => word !== 0)
      .map((word) => word >>> 0)
      .sort((a, b) => a - b);
  }

  /** Jumps recorded at least so often since they were last looked at here, and how often. */
  *takeBusy(times: number): Generator<{ readonly key: Key; readonly jumps: number }> {
    for (const [key, number] of this.numbers) {
      const count = wordOf(number) + PROFILE_COUNT / 4;
      const jumps = this.i32[count]!;
      if (jumps < times) continue;
      this.i32[count] = 0;
      yield { key, jumps };
    }
  }

  clear(): void {
    this.numbers.clear();
    this.keys.length = 0;
    this.next = 0;
  }
}

function wordOf(number: number): number {
  return (JUMP_TARGETS + number * PROFILE_BYTES) >> 2;
}
