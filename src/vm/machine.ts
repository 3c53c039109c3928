/*L:148
 * A machine, whatever its board
 *
 * There are two boards: the one of lguest, and that of a plain PC for kernels that have never heard of lguest. What
 * lets them run, wakes them, saves them and looks at them does not care which one it is.
 */
import type { Processor } from '../cpu/processor.js';
import type { DetectedGeneration, HostStatistics, Stopped } from '../host/host.js';
import { GuestMemory } from '../memory/guest-memory.js';
import { LaunchError } from './launch-error.js';
import { MEGABYTE } from './options.js';
import type { TurnResult } from './run-loop.js';
import type { Translation } from './translation.js';

export type BoardName = 'lguest' | 'pc';

/** What the guest asked for last, for the message when it dies. */
export interface LastHypercall {
  name: string;
  viaRing: boolean;
  /** Address of the instruction behind it. */
  eip: number;
}

/** What a board counts. */
export type BoardStatistics = HostStatistics;

/** How a guest came to its end. `status`: what a test kernel has said on its way out (0…255). */
export interface MachineStopped extends Stopped {
  readonly status?: number;
}

/** One life of a guest, from boot to its end or restart. */
export interface Machine {
  readonly board: BoardName;
  readonly cpu: Processor;
  /** Undefined: interpret only. */
  readonly translation: Translation | undefined;
  /** What was loaded where, one line each. */
  readonly loadReport: readonly string[];
  /** What LGUEST_INIT has shown of the guest; undefined before, and on other boards. */
  readonly guest: DetectedGeneration | undefined;
  /** The kernel's release, once it is known. */
  readonly release: string | undefined;
  readonly lastHypercall: LastHypercall | undefined;
  readonly statistics: BoardStatistics;
  /** Set when the guest has come to its end; it never runs again. */
  readonly stopped: MachineStopped | undefined;
  /** Instructions of this life. */
  readonly retired: number;

  run(maxInstructions: number): TurnResult;
  /** When the next timer fires, in machine time; Infinity if none will. */
  wakeAtNs(): number;
  /** Offers input to whichever console the guest uses; returns how many bytes were taken. */
  offerInput(bytes: Uint8Array): number;
  /**
   * Does something with a device from outside the guest's run and returns what came of it; 0 for a guest that is dead
   * or whose rings make no sense.
   */
  deliver(action: () => number): number;
  /** At most `length` bytes of guest memory from `gpa` on. */
  peek(gpa: number, length: number): Uint8Array;
  /** Where interrupt `irq` leads, for a trace; undefined: unknown. */
  interruptHandler(irq: number): number | undefined;
  /** Everything but clock and console input on its way, as a structured-cloneable value. */
  save(): unknown;
  /**
   * Continues from what a machine with the same memory and devices has saved. `loadClock` is called when the processor
   * knows how many instructions it has run, and before the board looks at the time.
   */
  load(state: unknown, loadClock: () => void): void;
}

/** Guest memory; a `LaunchError` if there is not enough of it. */
export function allocateMemory(bytes: number): GuestMemory {
  try {
    return new GuestMemory(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new LaunchError(
      `this computer has no ${Math.floor(bytes / MEGABYTE)} MB to give: give the guest less memory.`,
    );
  }
}

export function peekMemory(memory: GuestMemory, gpa: number, length: number): Uint8Array {
  const end = Math.min(memory.size, gpa + length);
  return gpa < end ? memory.bytes(gpa, end - gpa) : new Uint8Array(0);
}

/** `besides`: bytes that do not count as memory. */
export function checkMemorySize(saved: number, present: number, besides = 0): void {
  if (saved === present) return;
  throw new LaunchError(`the snapshot is of a machine with ${(saved - besides) / MEGABYTE} MB: give this one as much.`);
}
