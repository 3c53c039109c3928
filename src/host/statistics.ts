import type { GuestMemory } from '../memory/guest-memory.js';
import { HOST_CALLS } from '../memory/layout.js';
import { HYPERCALL_NUMBERS, type HypercallRow } from './hypercalls.js';

/** Counts since the start, for `--stats`. */
export interface HostStatistics {
  /** By name; an unknown number is `hypercall N`. */
  readonly hypercalls: Readonly<Record<string, HypercallCount>>;
  /** Only what happened at least once. `reflected`: went on to the guest. */
  readonly traps: readonly { readonly vector: number; readonly count: number; readonly reflected: number }[];
  readonly interrupts: readonly { readonly irq: number; readonly count: number }[];
}

export interface HypercallCount {
  readonly number: number;
  /** Made with an instruction. */
  readonly sync: number;
  /** Left in the ring. */
  readonly ring: number;
}

/** Counts hypercalls by number. */
export class HypercallCounts {
  private readonly sync: Uint32Array;
  private readonly ring: Uint32Array;

  /** The processor counts what it serves by itself (`cpu/interpreter/hypercalls.ts`). */
  constructor({ u32 }: GuestMemory) {
    const counts = (at: number): Uint32Array => u32.subarray(at >> 2, (at >> 2) + HYPERCALL_NUMBERS);
    this.sync = counts(HOST_CALLS.counts);
    this.ring = counts(HOST_CALLS.ringCounts);
  }

  /** Numbers that do not exist are not counted: the guest dies of them. */
  count(call: number, viaRing: boolean): void {
    if (call >= HYPERCALL_NUMBERS) return;
    const counts = viaRing ? this.ring : this.sync;
    counts[call]! += 1;
  }

  /** The counts that are not zero. `rows` name the calls; without rows (before LGUEST_INIT) numbers do. */
  byName(rows: readonly (HypercallRow | undefined)[]): Record<string, HypercallCount> {
    const result: Record<string, HypercallCount> = {};
    for (let number = 0; number < HYPERCALL_NUMBERS; number++) {
      const [sync, ring] = [this.sync[number]!, this.ring[number]!];
      if (sync + ring > 0) result[rows[number]?.name ?? `hypercall ${number}`] = { number, sync, ring };
    }
    return result;
  }
}
