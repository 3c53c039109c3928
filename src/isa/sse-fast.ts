import type { Builder, FloatAssumption, Value } from './builder.js';
import { areUnorderedAt, isArithmeticSettled, isComparisonSettled, withRightNaNs } from './sse-any-numbers.js';
import type { SseKind } from './sse-arithmetic.js';
import type { LowestOperation, VectorOperation } from './vector.js';

/**
 * Floating-point arithmetic without helpers, where nothing is special: operands are zeros or normal numbers, so is the
 * result, MXCSR masks all exceptions and rounds to nearest. Then the only exception there can be is PE; it is sticky,
 * and either set already or the result is seen to be exact. For other numbers see `sse-any-numbers.ts`.
 */

/** The two widths of lanes. */
export interface FloatLanes {
  readonly add: VectorOperation;
  readonly sub: VectorOperation;
  readonly mul: VectorOperation;
  readonly div: VectorOperation;
  readonly sqrt: VectorOperation;
  readonly min: VectorOperation;
  readonly max: VectorOperation;
  readonly lessThan: VectorOperation;
  readonly equal: VectorOperation;
  readonly sameBits: VectorOperation;
  readonly greater: VectorOperation;
  /** All bits but the sign; infinity; the smallest normal number, less one unit; twice that number, less one unit. */
  readonly magnitude: bigint;
  readonly infinity: bigint;
  readonly belowNormal: bigint;
  readonly belowSafe: bigint;
  /** Bits that are zero in significands so short that their product is exact. */
  readonly longBits: bigint;
  readonly width: 32 | 64;
}

const SINGLE: FloatLanes = {
  add: 'f32x4_add',
  sub: 'f32x4_sub',
  mul: 'f32x4_mul',
  div: 'f32x4_div',
  sqrt: 'f32x4_sqrt',
  min: 'f32x4_pmin',
  max: 'f32x4_pmax',
  lessThan: 'f32x4_lt',
  equal: 'f32x4_eq',
  sameBits: 'i32x4_eq',
  greater: 'i32x4_gt_s',
  magnitude: 0x7fff_ffffn,
  infinity: 0x7f80_0000n,
  belowNormal: 0x007f_ffffn,
  belowSafe: 0x00ff_ffffn,
  longBits: 0xfffn,
  width: 32,
};
const DOUBLE: FloatLanes = {
  add: 'f64x2_add',
  sub: 'f64x2_sub',
  mul: 'f64x2_mul',
  div: 'f64x2_div',
  sqrt: 'f64x2_sqrt',
  min: 'f64x2_pmin',
  max: 'f64x2_pmax',
  lessThan: 'f64x2_lt',
  equal: 'f64x2_eq',
  sameBits: 'i64x2_eq',
  greater: 'i64x2_gt_s',
  magnitude: 0x7fff_ffff_ffff_ffffn,
  infinity: 0x7ff0_0000_0000_0000n,
  belowNormal: 0x000f_ffff_ffff_ffffn,
  belowSafe: 0x001f_ffff_ffff_ffffn,
  longBits: 0x7ff_ffffn,
  width: 64,
};

export function lanesOf(kind: SseKind): FloatLanes {
  return kind === 'ps' || kind === 'ss' ? SINGLE : DOUBLE;
}

/** `bits` in every lane that counts: all of them, or the lowest. */
export function pattern(b: Builder, kind: SseKind, bits: bigint): Value {
  const { width } = lanesOf(kind);
  const half = width === 64 ? bits : bits | (bits << 32n);
  if (kind === 'ps' || kind === 'pd') return b.vectorConst(half, half);
  return b.vectorConst(bits, 0n);
}

const ones = (kind: SseKind): bigint => (lanesOf(kind).width === 64 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn);

/** Whether a mask has ones in all lanes that count. */
export function everywhere(b: Builder, kind: SseKind, mask: Value): Value {
  return b.isZero(b.vector('v128_any_true', b.vector('v128_andnot', pattern(b, kind, ones(kind)), mask)));
}

export function magnitude(b: Builder, kind: SseKind, x: Value): Value {
  return b.vector('v128_and', x, pattern(b, kind, lanesOf(kind).magnitude));
}

/** Where x is a zero. */
export function isZeroAt(b: Builder, kind: SseKind, x: Value): Value {
  return b.vector(lanesOf(kind).sameBits, magnitude(b, kind, x), b.vectorConst(0n, 0n));
}

/** Where x is a zero or a normal number; `infinities`: or one of those. */
export function isOrdinary(b: Builder, kind: SseKind, x: Value, infinities = false): Value {
  const { greater, sameBits, belowNormal, infinity } = lanesOf(kind);
  const size = magnitude(b, kind, x);
  const normal = b.vector(greater, size, pattern(b, kind, belowNormal));
  const there = b.vector('v128_or', normal, b.vector(sameBits, size, b.vectorConst(0n, 0n)));
  const limit = pattern(b, kind, infinities ? infinity + 1n : infinity);
  return b.vector('v128_and', there, b.vector(greater, limit, size));
}

/** Where x is a normal number that no denormal was rounded to. */
export function isSafe(b: Builder, kind: SseKind, x: Value): Value {
  const { greater, belowSafe, infinity } = lanesOf(kind);
  const size = magnitude(b, kind, x);
  const large = b.vector(greater, size, pattern(b, kind, belowSafe));
  return b.vector('v128_and', large, b.vector(greater, pattern(b, kind, infinity), size));
}

/** Where the product of x and y is exact because both are short. */
function areShort(b: Builder, kind: SseKind, x: Value, y: Value): Value {
  const long = b.vector('v128_and', b.vector('v128_or', x, y), pattern(b, kind, lanesOf(kind).longBits));
  return b.vector(lanesOf(kind).sameBits, long, b.vectorConst(0n, 0n));
}

/** Where a result may be a zero, and where it is exact. */
interface Verdict {
  readonly zeroIsRight: Value;
  readonly exact: Value;
}

function judgeSum(b: Builder, kind: SseKind, x: Value, y: Value, result: Value, subtract: boolean): Verdict {
  const { add, sub, sameBits } = lanesOf(kind);
  const term = subtract ? b.vector('v128_xor', y, pattern(b, kind, lanesOf(kind).magnitude + 1n)) : y;
  // What rounding took from the sum (Knuth, The Art of Computer Programming, 4.2.2, theorem B).
  const second = b.vector(sub, result, x);
  const first = b.vector(sub, result, second);
  const rest = b.vector(add, b.vector(sub, x, first), b.vector(sub, term, second));
  return {
    zeroIsRight: b.vectorConst(0xffff_ffff_ffff_ffffn, 0xffff_ffff_ffff_ffffn),
    exact: b.vector(sameBits, magnitude(b, kind, rest), b.vectorConst(0n, 0n)),
  };
}

function judgeProduct(b: Builder, kind: SseKind, x: Value, y: Value): Verdict {
  return {
    zeroIsRight: b.vector('v128_or', isZeroAt(b, kind, x), isZeroAt(b, kind, y)),
    exact: areShort(b, kind, x, y),
  };
}

function judgeQuotient(b: Builder, kind: SseKind, x: Value, y: Value, result: Value): Verdict {
  const { mul, equal } = lanesOf(kind);
  const back = b.vector(equal, b.vector(mul, result, y), x);
  return {
    zeroIsRight: isZeroAt(b, kind, x),
    exact: b.vector('v128_and', back, areShort(b, kind, result, y)),
  };
}

function judgeRoot(b: Builder, kind: SseKind, y: Value, result: Value): Verdict {
  const { mul, equal } = lanesOf(kind);
  const back = b.vector(equal, b.vector(mul, result, result), y);
  return {
    zeroIsRight: isZeroAt(b, kind, y),
    exact: b.vector('v128_and', back, areShort(b, kind, result, result)),
  };
}

/** All exceptions masked, nearest. Whether denormals are zeros makes no difference where there are none. */
const MODES = 0x7f80;
const ORDINARY_MODES = 0x1f80;
export const PRECISION_FLAG = 0x20;

export function isModeOrdinary(b: Builder): Value {
  return b.eq(b.and(b.state('mxcsr'), b.const(MODES)), b.const(ORDINARY_MODES));
}

/** The lanes of `result` that count, the others from x. */
export function merge(b: Builder, kind: SseKind, x: Value, result: Value): Value {
  if (kind === 'ss') return b.withLane(x, 32, 0, b.lane(result, 32, 0));
  return kind === 'sd' ? b.withLane(x, 64, 0, b.lane(result, 64, 0)) : result;
}

/** `fast` where the assumption holds, now or later; otherwise `slowly`. */
export function attempt(
  b: Builder,
  kind: SseKind,
  numbers: readonly Value[],
  holds: () => Value,
  fast: () => void,
  slowly: () => void,
  { doubts, sum, orZeros }: Pick<FloatAssumption, 'doubts' | 'sum' | 'orZeros'> = {},
): void {
  const { width } = lanesOf(kind);
  const lowest = kind === 'ss' || kind === 'sd';
  const more = { ...(doubts && { doubts }), ...(sum && { sum }), ...(orZeros && { orZeros }) };
  if (b.assume?.({ width, lowest, numbers, holds, ...more })) fast();
  else b.when(holds(), fast, slowly);
}

/** Operand 0 becomes x op y at once if nothing is special about it; otherwise `slowly` is called. */
export function arithmeticFast(
  b: Builder,
  kind: SseKind,
  operation: LowestOperation,
  x: Value,
  y: Value,
  slowly: () => void,
): void {
  const { width } = lanesOf(kind);
  const root = operation === 'sqrt';
  const packed = lanesOf(kind)[operation];
  const plain =
    kind === 'ss' || kind === 'sd'
      ? b.lowest(operation, width, x, y)
      : root
        ? b.vector(packed, y)
        : b.vector(packed, x, y);
  const first = root ? undefined : x;
  const result = b.anyNumbers ? withRightNaNs(b, kind, first, y, plain) : plain;
  const holds = (): Value => {
    if (b.anyNumbers) return isArithmeticSettled(b, kind, operation, first, y, result);
    const { zeroIsRight, exact } = root
      ? judgeRoot(b, kind, y, result)
      : operation === 'mul'
        ? judgeProduct(b, kind, x, y)
        : operation === 'div'
          ? judgeQuotient(b, kind, x, y, result)
          : judgeSum(b, kind, x, y, result, operation === 'sub');
    const zero = b.vector('v128_and', zeroIsRight, isZeroAt(b, kind, result));
    let fine = b.vector('v128_and', isOrdinary(b, kind, y), b.vector('v128_or', isSafe(b, kind, result), zero));
    if (!root) fine = b.vector('v128_and', fine, isOrdinary(b, kind, x));
    const known = b.or(b.and(b.state('mxcsr'), b.const(PRECISION_FLAG)), everywhere(b, kind, exact));
    return b.and(b.and(isModeOrdinary(b), everywhere(b, kind, fine)), b.ne(known, b.const(0)));
  };
  const write = (): void => b.write128(0, result, true);
  if (operation === 'add' || operation === 'sub') attempt(b, kind, [x, y], holds, write, slowly, { sum: result });
  else attempt(b, kind, root ? [y, result] : [x, y, result], holds, write, slowly);
}

/** Neither NaNs nor denormals: then comparisons and the like raise nothing, whatever MXCSR says. */
function areComparable(b: Builder, kind: SseKind, x: Value, y: Value): Value {
  return everywhere(b, kind, b.vector('v128_and', isOrdinary(b, kind, x, true), isOrdinary(b, kind, y, true)));
}

/** MIN and MAX. */
export function extremeFast(b: Builder, kind: SseKind, least: boolean, y: Value, slowly: () => void): void {
  const { min, max } = lanesOf(kind);
  const x = b.read128(0, true);
  const result = merge(b, kind, x, b.vector(least ? min : max, y, x));
  attempt(
    b,
    kind,
    [],
    () => {
      if (!b.anyNumbers) return areComparable(b, kind, x, y);
      return isComparisonSettled(b, kind, pattern(b, kind, ones(kind)), x, y);
    },
    () => b.write128(0, result, true),
    slowly,
    { orZeros: [x, y] },
  );
}

/** COMISx and UCOMISx: gives x < y and x = y to `set`. */
export function compareFast(
  b: Builder,
  kind: SseKind,
  y: Value,
  set: (less: Value, equal: Value) => void,
  slowly: () => void,
): void {
  const { width } = lanesOf(kind);
  const x = b.read128(0, true);
  const less = b.compareLowest('lt', width, x, y);
  const same = b.compareLowest('eq', width, x, y);
  attempt(
    b,
    kind,
    [],
    () => areComparable(b, kind, x, y),
    () => set(less, same),
    slowly,
    { orZeros: [x, y] },
  );
}

/** CMPxx: the predicate's lower two bits choose equal, less, less or equal, unordered; the third turns it round. */
export function compareMaskFast(b: Builder, kind: SseKind, predicate: Value, y: Value, slowly: () => void): void {
  const { lessThan, equal } = lanesOf(kind);
  const x = b.read128(0, true);
  const bit = (n: number): Value => b.and(b.shrU(predicate, b.const(n)), b.const(1));
  const none = b.vectorConst(0n, 0n);
  // 0: equal; 1: less; 2: both; 3: unordered, which usually nothing is.
  const wantsEqual = b.isZero(bit(0));
  const wantsLess = b.xor(bit(0), bit(1));
  let holds = b.vector(
    'v128_or',
    b.select(wantsEqual, b.vector(equal, x, y), none),
    b.select(wantsLess, b.vector(lessThan, x, y), none),
  );
  if (b.anyNumbers) {
    const wantsUnordered = b.and(bit(0), bit(1));
    holds = b.vector('v128_or', holds, b.select(wantsUnordered, areUnorderedAt(b, kind, x, y), none));
  }
  const result = b.vector('v128_xor', holds, b.vector('i32x4_splat', b.sub(b.const(0), bit(2))));
  attempt(
    b,
    kind,
    [],
    () => {
      if (!b.anyNumbers) return areComparable(b, kind, x, y);
      const signaling = b.vector('i32x4_splat', b.sub(b.const(0), wantsLess));
      return isComparisonSettled(b, kind, signaling, x, y);
    },
    () => b.write128(0, merge(b, kind, x, result), true),
    slowly,
    { orZeros: [x, y] },
  );
}
