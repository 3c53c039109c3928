import type { GuestMemory } from '../memory/guest-memory.js';
import type { LinearAccess } from './access.js';
import type { Board } from './board.js';
import type { ProcessorModel } from './cpuid.js';
import type { Exit } from './exit.js';
import type { CpuState } from './state.js';

/**
 * What a helper may see and do: the processor as rarely executed, complicated instructions see it.
 *
 * Contract of every helper `(cpu, a, b, c) => number | void`, arguments and result i32
 * - On entry `state.eip` is the address of the next instruction, `instructionEip` that of the current one.
 * - It throws `GuestFault` before it changes anything visible; the processor then puts `state.eip` back to
 *   `instructionEip` and leaves.
 * - Helpers that transfer control set EIP (and CS, SS, ESP, CPL, EFLAGS) themselves; the block ends behind them.
 */
export interface CpuContext {
  readonly state: CpuState;
  readonly memory: GuestMemory;
  readonly access: LinearAccess;
  readonly board: Board;
  readonly exit: Exit;
  /** What CPUID tells. */
  readonly model: ProcessorModel;
  /**
   * Where a fault of the current instruction restarts. Writable for one case: a task switch that can no longer
   * be undone moves it to the new task's EIP, because later faults belong to the new task (SDM vol. 3, 7.3).
   */
  instructionEip: number;
  /** No interrupt before the next instruction has run: behind STI and loads of SS (SDM vol. 3, 6.8.3). */
  interruptShadow: boolean;
  /** Behind a load of SS: no interrupt, and no single step either. */
  stackSegmentLoaded(): void;
  /** After a change of hidden segment parts, CR0.PE or EFLAGS.VM: recompute the decoding mode. */
  segmentsChanged(): void;
  /** An interrupt waits for EFLAGS.IF: whoever sets IF makes `run` leave. Set by the board. */
  interruptRequested: boolean;
  /** After a change of CR0 or CR4 that concerns paging: empty the TLB. */
  pagingChanged(): void;
  /** After a load of CR3: forget all but global pages. */
  addressSpaceChanged(): void;
  flushTlb(): void;
  flushTlbPage(linear: number): void;
  /** After a change of CR0.TS, EM or MP. */
  fpuStateChanged(): void;
  /** Makes `run` return at the end of the running block. */
  requestStop(): void;
  /** `exit` describes a trap, and the instruction is complete: lets the board deliver it, or makes `run` return. */
  reportTrap(): void;
  /**
   * The usual way into the guest's handler of an event, quickly (interpreter/gates.ts: `NO_ERROR_CODE`, `ENTRY`). False:
   * nothing has changed, and the way is to be gone in full. Without it, it always is.
   */
  enterHandler?(vector: number, errorCode: number, eip: number, entry: number): boolean;
  /** Makes `run` return `reason` (one of `EXIT`) when this instruction has completed. */
  leave(reason: number): void;
}

/** A helper as instruction rows call it by name. */
// biome-ignore lint/suspicious/noConfusingVoidType: a helper without result may simply return
export type Helper = (cpu: CpuContext, a: number, b: number, c: number) => number | void;
