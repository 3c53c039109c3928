/*H:110
 * How a guest dies.
 *
 * A guest can only hurt itself. Wherever it asks for something impossible (a descriptor that does not exist, a page
 * table that points behind its memory, a hypercall nobody has heard of) the Host does not try to be clever: it calls
 * `killGuest` with one sentence, the sentence travels up to the main loop as an exception, and the guest never runs
 * again. The sentences are those of the original (lguest-abi.md, Appendix A), because people search for them.
 */

import { GuestAddressError } from '../memory/guest-memory.js';

/** How a guest ended. `power-off` and `restart` are orderly, `killed` is everything else. */
export interface Stopped {
  readonly kind: 'killed' | 'power-off' | 'restart';
  /** One line without line end. */
  readonly text: string;
}

/** Thrown by `killGuest`, caught by the main loop only. */
export class GuestKilled extends Error {
  readonly stopped: Stopped;

  constructor(stopped: Stopped) {
    super(stopped.text);
    this.stopped = stopped;
  }
}

/** Ends the guest for ever. `reason` is one of the texts of Appendix A. */
export function killGuest(reason: string, kind: Stopped['kind'] = 'killed'): never {
  throw new GuestKilled({ kind, text: reason });
}

/** A number as the kernel's `%#lx` prints it: `0x1f`, but `0` without prefix. */
export function hex(value: number): string {
  return value === 0 ? '0' : `0x${value.toString(16)}`;
}

/** The fatal texts that more than one place needs. */
export const FATAL = {
  pageTableEntry: 'bad page table entry',
  pageDirectoryEntry: 'bad page directory entry',
  pageMiddleDirectoryEntry: 'bad page middle directory entry',
} as const;

/** The trap could not be reflected: no gate, or the gate leads nowhere. `detail` is CR2 for trap 14, else the error code. */
export function killForTrap(vector: number, eip: number, detail: number): never {
  return killGuest(`unhandled trap ${vector} at ${hex(eip)} (${hex(detail)})`);
}

/** What an exception says about the end of the guest, or undefined if it is not about the guest at all. */
export function stoppedBy(error: unknown): Stopped | undefined {
  if (error instanceof GuestKilled) return error.stopped;
  if (error instanceof GuestAddressError) {
    return { kind: 'killed', text: `bad ${error.access} address ${hex(error.gpa)} len ${error.length}` };
  }
  return undefined;
}
/*:*/
