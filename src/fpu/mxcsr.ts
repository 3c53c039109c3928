/**
 * MXCSR as SSE arithmetic sees it (Intel SDM vol. 1, 10.2.3 and 11.5).
 *
 * Flags of an instruction gather in `before` (IE, DE, ZE: known before there is a result) and `after` (OE, UE, PE),
 * for all elements of a packed operand. If one of `before` is unmasked nothing is computed, so that `after` does not
 * count; `settle` knows.
 */

import type { Rounding } from './environment.js';

export const MXCSR_EXCEPTIONS = 0x3f;
const DAZ = 1 << 6;
const MASKS_SHIFT = 7;
const ROUNDING_SHIFT = 13;
const FLUSH_TO_ZERO = 1 << 15;

export class SseEnvironment {
  readonly mxcsr: number;
  before = 0;
  after = 0;

  constructor(mxcsr: number) {
    this.mxcsr = mxcsr;
  }

  get rounding(): Rounding {
    return ((this.mxcsr >>> ROUNDING_SHIFT) & 3) as Rounding;
  }
  get denormalsAreZero(): boolean {
    return (this.mxcsr & DAZ) !== 0;
  }
  get flushToZero(): boolean {
    return (this.mxcsr & FLUSH_TO_ZERO) !== 0;
  }
  isMasked(exception: number): boolean {
    return (this.mxcsr & (exception << MASKS_SHIFT)) !== 0;
  }
  /** An exception that is not masked ends the instruction without result (#XM). */
  get unmasked(): boolean {
    return (this.flags & ~(this.mxcsr >>> MASKS_SHIFT)) !== 0;
  }
  /** MXCSR behind the instruction. */
  get settled(): number {
    return this.mxcsr | this.flags;
  }

  private get flags(): number {
    const stopped = (this.before & ~(this.mxcsr >>> MASKS_SHIFT)) !== 0;
    return (stopped ? this.before : this.before | this.after) & MXCSR_EXCEPTIONS;
  }
}
