import type { ClockState } from './clock.js';
import type { GenerationTag, HypercallInstruction } from './generation.js';
import type { IdtState } from './idt.js';
import type { InterruptsState } from './interrupts.js';
import type { Stopped } from './kill.js';
import type { PageTablesState } from './page-tables.js';
import type { KernelStack } from './traps.js';

/** What a snapshot holds of the Host. The descriptor table is part of the processor's state page. */
export interface HostState {
  readonly version: 1;
  /** What LGUEST_INIT found out; undefined before. */
  readonly generation:
    | {
        readonly tag: GenerationTag;
        readonly instruction: HypercallInstruction;
        readonly dataGpa: number;
        readonly pae: boolean | null;
        readonly release: string | null;
      }
    | undefined;
  readonly idt: IdtState;
  readonly stack: KernelStack;
  readonly interrupts: InterruptsState;
  readonly pageTables: PageTablesState;
  readonly clock: ClockState;
  /** The ring slot to look at next. */
  readonly ring: number;
  readonly stopped: Stopped | undefined;
}
