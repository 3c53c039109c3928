import type { Builder, Value } from './builder.js';
import {
  BIAS,
  type Float80Value,
  INTEGER_BIT,
  type X87Binary,
  type X87Circular,
  type X87Remainder,
  type X87Comparison,
  type X87RoutineName,
  type X87Stack,
  type X87Store,
  type X87Unary,
} from './x87-stack.js';

const C2 = 0x400;
const C0_C2_C3 = 0x4500;
/** Among the flags of FPREM: C0 and C3 stay as they are. */
const CONDITIONS_KEPT = 0x8000;

/** What is the same for all builders of x87 instructions: how TOP moves, and what becomes of flags of routines. */
export abstract class TrackedX87Stack implements X87Stack {
  /** By how much TOP has moved. */
  protected moved = 0;

  constructor(protected readonly builder: Builder) {}

  abstract attempt(meaning: () => void, slowly: () => void): void;
  abstract begin(full: readonly number[], empty: readonly number[], keepsC1?: boolean): void;
  abstract refuse(condition: Value): void;
  abstract noteOperand(linear: Value): void;
  abstract get(index: number): Float80Value;
  abstract set(index: number, value: Float80Value): void;
  abstract secondResult(): Float80Value;

  /** The status word without TOP. */
  protected abstract status: Value;
  /** From now on registers (their sets) hold something, or do not; numbered from where TOP was at first. */
  protected abstract know(full: number, empty: number): void;
  // Calls of routines. Flags are in the lowest 16 bits.
  protected abstract callForValue(
    routine: X87RoutineName,
    operands: readonly Float80Value[],
  ): { value: Float80Value; flags: Value };
  protected abstract callForBits(routine: X87Store, value: Float80Value): { bits: Value; flags: Value };
  protected abstract callForFlags(routine: X87RoutineName, operands: readonly Float80Value[]): Value;

  protected registerOf(index: number): number {
    return (index + this.moved) & 7;
  }

  fromSingle(bits: Value): Float80Value {
    const { builder: b } = this;
    return this.fromFraction(
      b.shl(b.toWideU(bits), b.const64(40n)),
      b.and(b.shrU(bits, b.const(23)), b.const(0xff)),
      b.and(b.shrU(bits, b.const(16)), b.const(0x8000)),
      b.isZero(b.shl(bits, b.const(1))),
      254,
    );
  }

  fromDouble(bits: Value): Float80Value {
    const { builder: b } = this;
    const upper = b.toNarrow(b.shrU(bits, b.const64(48n)));
    return this.fromFraction(
      b.shl(bits, b.const64(11n)),
      b.and(b.shrU(upper, b.const(4)), b.const(0x7ff)),
      b.and(upper, b.const(0x8000)),
      b.isZero(b.shl(bits, b.const64(1n))),
      2046,
    );
  }

  /** `exponent` is still biased as it was; `largest` is the largest normal one. */
  private fromFraction(significand: Value, exponent: Value, sign: Value, isZero: Value, largest: number): Float80Value {
    const { builder: b } = this;
    this.refuse(b.isZero(b.or(isZero, b.ltU(b.sub(exponent, b.const(1)), b.const(largest)))));
    // The bias is half of it.
    const rebiased = b.add(exponent, b.const(BIAS - largest / 2));
    return {
      significand: b.select(isZero, b.const64(0n), b.or(significand, b.const64(INTEGER_BIT))),
      exponent: b.or(sign, b.select(isZero, b.const(0), rebiased)),
    };
  }

  /** Builders that have no use for it do not hear of it. */
  noteOrdinary(_value: Float80Value): void {}

  push(value: Float80Value): void {
    this.rotate(-1);
    this.set(0, value);
  }
  pop(count: number): void {
    for (let i = 0; i < count; i++) {
      this.free(0);
      this.rotate(1);
    }
  }
  free(index: number): void {
    this.know(0, 1 << this.registerOf(index));
  }
  rotate(by: number): void {
    this.moved = (this.moved + by) & 7;
  }

  compute(routine: X87Unary | X87Binary, ...operands: Float80Value[]): Float80Value {
    const { value, flags } = this.callForValue(routine, operands);
    this.raise(flags);
    return value;
  }

  computeCircular(routine: X87Circular, angle: Float80Value): Float80Value {
    const { builder: b } = this;
    const { value, flags } = this.callForValue(routine, [angle]);
    this.refuse(b.and(flags, b.const(C2)));
    this.status = b.and(this.status, b.const(~C2));
    this.raise(flags);
    return value;
  }

  computeRemainder(routine: X87Remainder, x: Float80Value, y: Float80Value): Float80Value {
    const { builder: b } = this;
    const { value, flags } = this.callForValue(routine, [x, y]);
    const kept = b.and(flags, b.const(CONDITIONS_KEPT));
    this.status = b.and(this.status, b.select(kept, b.const(~C2), b.const(~C0_C2_C3)));
    this.raise(b.and(flags, b.const(CONDITIONS_KEPT - 1)));
    return value;
  }

  store(routine: X87Store, value: Float80Value): Value {
    const { bits, flags } = this.callForBits(routine, value);
    this.raise(flags);
    return bits;
  }

  compare(routine: X87Comparison, x: Float80Value, y: Float80Value): Value {
    return this.callForFlags(routine, [x, y]);
  }

  examine(value: Float80Value): Value {
    return this.callForFlags('examine', [value]);
  }

  raise(flags: Value): void {
    this.status = this.builder.or(this.status, flags);
  }

  setConditions(conditions: Value): void {
    const { builder: b } = this;
    this.status = b.and(this.status, b.const(~C0_C2_C3));
    this.raise(conditions);
  }
}
