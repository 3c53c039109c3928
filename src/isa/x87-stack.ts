import type { Value } from './builder.js';

/** What exponents are biased by, and the integer bit of significands (SDM vol. 1, 4.2.2). */
export const BIAS = 16383;
export const INTEGER_BIT = 1n << 63n;

/** A value of an x87 register. */
export interface Float80Value {
  /** i64, the integer bit is bit 63. */
  readonly significand: Value;
  /** i32: exponent in bits 0–14, sign in bit 15. */
  readonly exponent: Value;
}

/** Two values → value. */
export type X87Binary =
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'scale'
  | 'remainder'
  | 'remainderNearest'
  | 'arctangent'
  | 'logarithm'
  | 'logarithmPlusOne';
/** Two values → value, with the quotient's low bits in the condition codes. */
export type X87Remainder = 'remainder' | 'remainderNearest';
/** Value → value. */
export type X87Unary = 'sqrt' | 'round' | 'exponentialMinusOne';
/** Angle → value; C2 among the flags: it is too large. With both results the sine is the first. */
export type X87Circular = 'sine' | 'cosine' | 'tangent' | 'sineAndCosine';
/** Value → bits of a store, i64. */
export type X87Store =
  | 'toSingle'
  | 'toDouble'
  | 'toInteger16'
  | 'toInteger32'
  | 'toInteger64'
  | 'truncate16'
  | 'truncate32'
  | 'truncate64';
/** Two values → condition codes. */
export type X87Comparison = 'compare' | 'compareQuietly';

/** Routines of the x87's arithmetic. All of them leave flags for the status word too. */
export type X87RoutineName = X87Binary | X87Unary | X87Circular | X87Store | X87Comparison | 'examine';

/**
 * The x87's register stack for instructions that nothing is special about: registers that are read hold something,
 * those that are pushed to are empty, and all exceptions are masked. `begin` and `refuse` leave any other case to the
 * instruction's helper; behind them, and behind all accesses to memory, come the changes.
 */
export interface X87Stack {
  /** Does an instruction as `meaning` describes it, or, where that will not do, by `slowly`. */
  attempt(meaning: () => void, slowly: () => void): void;
  /**
   * Begins an instruction, which from now on is the last one: ST(i) in `full` must hold values, those in `empty` none.
   * Clears C1, unless `keepsC1`.
   */
  begin(full: readonly number[], empty: readonly number[], keepsC1?: boolean): void;
  /** Leaves the instruction to its helper if the condition holds. */
  refuse(condition: Value): void;
  /** The address of the instruction's operand, for FNSTENV. */
  noteOperand(linear: Value): void;

  get(index: number): Float80Value;
  /** ST(index) holds the value from now on. */
  set(index: number, value: Float80Value): void;
  push(value: Float80Value): void;
  pop(count: number): void;
  free(index: number): void;
  /** Adds to TOP. */
  rotate(by: number): void;

  // Routines, in the rounding and precision of the control word.
  /** Sets flags and C1. */
  compute(routine: X87Unary | X87Binary, ...operands: Float80Value[]): Float80Value;
  /** The same; refuses angles that are too large, and clears C2. */
  computeCircular(routine: X87Circular, angle: Float80Value): Float80Value;
  /** The second result of the routine just called. */
  secondResult(): Float80Value;
  /** FPREM and FPREM1: sets the condition codes, too. */
  computeRemainder(routine: X87Remainder, a: Float80Value, b: Float80Value): Float80Value;
  store(routine: X87Store, value: Float80Value): Value;
  /** Condition codes and flags as they are in the status word, which does not change. */
  compare(routine: X87Comparison, a: Float80Value, b: Float80Value): Value;
  examine(value: Float80Value): Value;
  /** Sets flags. */
  raise(flags: Value): void;
  /** Replaces C0, C2 and C3, and sets flags. */
  setConditions(conditions: Value): void;

  /** The value of bits of a single (i32) or double (i64). Refuses what is neither normal nor zero. */
  fromSingle(bits: Value): Float80Value;
  fromDouble(bits: Value): Float80Value;
  /** The value is a normal number or zero. */
  noteOrdinary(value: Float80Value): void;
}
