import type { LinearAccess } from '../cpu/access.js';
import type { Exit } from '../cpu/exit.js';
import type { CpuState } from '../cpu/state.js';

/** What the Host needs of the processor; `cpu/processor.ts` is the real one, tests put others in its place. */
export interface GuestProcessor {
  readonly state: CpuState;
  readonly exit: Exit;
  readonly access: LinearAccess;
  /** Runs at most `budget` instructions, returns one of EXIT. */
  run(budget: number): number;
  /** Makes a running `run` return soon. */
  requestStop(): void;
  flushTlb(): void;
  /** Forgets all translations but global ones. */
  addressSpaceChanged(): void;
  flushTlbPage(linear: number): void;
  /** After a change of hidden segment parts from outside. */
  segmentsChanged(): void;
  /** After a change of CR0.TS from outside. */
  fpuStateChanged(): void;
  reset(): void;
}
