/**
 * Control and status as arithmetic sees them (Intel SDM vol. 1, 8.1.3–8.1.5, 8.5).
 *
 * `status` holds the sticky exception flags and the condition codes in the
 * bit positions of the status word. TOP, tags and the busy bit belong to the
 * owner of the register stack; `statusWord(top)` puts the word together.
 *
 * Protocol: call `begin()` once per instruction that computes, then the
 * operation. If `suppressed` is set afterwards an unmasked exception left the
 * instruction without result: store nothing, pop nothing, push nothing. What
 * the operation returned is then meaningless. Condition codes are already as
 * the instruction leaves them.
 */

export const invalidOperation = 0x01;
export const denormalOperand = 0x02;
export const zeroDivide = 0x04;
export const overflow = 0x08;
export const underflow = 0x10;
export const precisionLoss = 0x20;
export const stackFault = 0x40;
export const errorSummary = 0x80;
export const allExceptions = 0x3f;

export const conditionC0 = 0x0100;
export const conditionC1 = 0x0200;
export const conditionC2 = 0x0400;
export const conditionC3 = 0x4000;

/** The control word after FNINIT: all masked, 64-bit precision, nearest. */
export const initialControlWord = 0x037f;

/** The RC field: 0 nearest even, 1 toward −∞, 2 toward +∞, 3 toward zero. */
export type Rounding = 0 | 1 | 2 | 3;
export const roundNearest = 0;
export const roundDown = 1;
export const roundUp = 2;
export const roundTowardZero = 3;

/** Significand bits by PC field; the reserved value 1 behaves like 3. */
const precisionBits = [24, 64, 53, 64] as const;

export class FpuEnvironment {
  control = initialControlWord;
  status = 0;
  /** An unmasked exception stopped the instruction: no result, stack unchanged. */
  suppressed = false;
  /** The operand from memory was a denormal of its own, narrower format. */
  memoryOperandDenormal = false;
  /** Left by `shiftRightRounded`: bits were lost; the magnitude was incremented. */
  inexact = false;
  incremented = false;

  begin(): void {
    this.suppressed = false;
    this.memoryOperandDenormal = false;
    this.status &= ~conditionC1;
  }

  get rounding(): Rounding {
    return ((this.control >>> 10) & 3) as Rounding;
  }

  /** 24, 53 or 64 bits: what FADD, FSUB, FMUL, FDIV and FSQRT round to. */
  get precision(): number {
    return precisionBits[(this.control >>> 8) & 3] as number;
  }

  isMasked(exception: number): boolean {
    return (this.control & exception) !== 0;
  }

  /** Sets flags without further consequence. */
  raise(exceptions: number): void {
    this.status |= exceptions;
  }

  /**
   * Raises an exception that is noticed before there is a result (IE, DE, ZE)
   * and tells whether the instruction ends here because it is unmasked.
   */
  stop(exception: number): boolean {
    this.status |= exception;
    if ((this.control & exception) === 0) this.suppressed = true;
    return this.suppressed;
  }

  /**
   * Stack underflow (an operand is empty) or overflow (a push onto a register
   * that is not): IE, SF and C1 = overflow. True if the instruction ends here;
   * else its result is the default NaN, the integer indefinite or "unordered".
   */
  stackFault(overflowed: boolean): boolean {
    this.status |= stackFault;
    this.setC1(overflowed);
    return this.stop(invalidOperation);
  }

  setConditions(c0: boolean, c2: boolean, c3: boolean): void {
    this.status &= ~(conditionC0 | conditionC2 | conditionC3);
    if (c0) this.status |= conditionC0;
    if (c2) this.status |= conditionC2;
    if (c3) this.status |= conditionC3;
  }

  setC1(on: boolean): void {
    if (on) this.status |= conditionC1;
    else this.status &= ~conditionC1;
  }

  setC2(on: boolean): void {
    if (on) this.status |= conditionC2;
    else this.status &= ~conditionC2;
  }

  /** An unmasked exception is pending: the next waiting instruction faults (#MF). */
  get pending(): boolean {
    return (this.status & ~this.control & allExceptions) !== 0;
  }

  /** The status word with TOP, error summary and busy filled in. */
  statusWord(top: number): number {
    const word = (this.status & 0x477f) | ((top & 7) << 11);
    return this.pending ? word | 0x8000 | errorSummary : word;
  }
}
