import type { Walk } from '../memory/page-walk.js';

/**
 * What the processor asks of the board it sits on. The processor knows no board; a board implements this.
 */

export { ACCESS_FETCH, ACCESS_READ, ACCESS_USER, ACCESS_WRITE, type Walk } from '../memory/page-walk.js';

export interface Board {
  /**
   * Translates a linear page for `access` (a sum of ACCESS_*), setting accessed and dirty bits as the
   * architecture or the Host demands. Fills and returns `walk`. May end the guest by throwing.
   */
  walk(linear: number, access: number): Walk;
  /**
   * `Processor.exit` describes a trap. True: the board has delivered it, and the processor runs on; false, or no such
   * method: `run` returns.
   */
  trap?(): boolean;
  /**
   * The guest makes a hypercall with VMCALL; EIP is behind it. True: the board has served it, and the processor runs
   * on; false, or no such method: `run` returns at the instruction.
   */
  hypercall?(): boolean;
  /** Port read of 1, 2 or 4 bytes; all ones where nothing listens. Only called when the guest may. */
  portRead(port: number, size: number): number;
  portWrite(port: number, size: number, value: number): void;
  /** Physical access outside guest memory. */
  mmioRead(gpa: number, size: number): number;
  mmioWrite(gpa: number, size: number, value: number): void;
  /** Time-stamp counter, as [low, high] u32. */
  readTimestamp(): readonly [number, number];
  /** Model-specific register as [low, high], or undefined: #GP(0). */
  readMsr(index: number): readonly [number, number] | undefined;
  /** False: #GP(0). */
  writeMsr(index: number, low: number, high: number): boolean;
  /** Control register load at ring 0 (CR0, CR3, CR4 already checked and stored): the board flushes what it caches. */
  controlRegisterWritten(index: number): void;
}
