import type { Builder, Value } from './builder.js';
import type { SseKind } from './sse-arithmetic.js';
import type { VectorOperation } from './vector.js';

/**
 * Floating-point arithmetic without helpers, where nothing is special: operands are zeros or normal numbers, so is the
 * result, MXCSR masks all exceptions, rounds to nearest and makes no zeros of denormals. Then the only exception there
 * can be is PE; it is sticky, and either set already or the result is seen to be exact.
 */

/** The two widths of lanes. */
export interface FloatLanes {
  readonly add: VectorOperation;
  readonly sub: VectorOperation;
  readonly mul: VectorOperation;
  readonly div: VectorOperation;
  readonly sqrt: VectorOperation;
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
function pattern(b: Builder, kind: SseKind, bits: bigint): Value {
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

/** What a row asks to be tried: the result, where it may be a zero, and where it is exact. */
interface Attempt {
  readonly result: Value;
  readonly zeroIsRight: Value;
  readonly exact: Value;
}

function attemptSum(b: Builder, kind: SseKind, x: Value, y: Value, subtract: boolean): Attempt {
  const { add, sub, sameBits } = lanesOf(kind);
  const term = subtract ? b.vector('v128_xor', y, pattern(b, kind, lanesOf(kind).magnitude + 1n)) : y;
  const result = b.vector(add, x, term);
  // What rounding took from the sum (Knuth, The Art of Computer Programming, 4.2.2, theorem B).
  const second = b.vector(sub, result, x);
  const first = b.vector(sub, result, second);
  const rest = b.vector(add, b.vector(sub, x, first), b.vector(sub, term, second));
  return {
    result,
    zeroIsRight: b.vectorConst(0xffff_ffff_ffff_ffffn, 0xffff_ffff_ffff_ffffn),
    exact: b.vector(sameBits, magnitude(b, kind, rest), b.vectorConst(0n, 0n)),
  };
}

function attemptProduct(b: Builder, kind: SseKind, x: Value, y: Value): Attempt {
  return {
    result: b.vector(lanesOf(kind).mul, x, y),
    zeroIsRight: b.vector('v128_or', isZeroAt(b, kind, x), isZeroAt(b, kind, y)),
    exact: areShort(b, kind, x, y),
  };
}

function attemptQuotient(b: Builder, kind: SseKind, x: Value, y: Value): Attempt {
  const { div, mul, equal } = lanesOf(kind);
  const result = b.vector(div, x, y);
  const back = b.vector(equal, b.vector(mul, result, y), x);
  return {
    result,
    zeroIsRight: isZeroAt(b, kind, x),
    exact: b.vector('v128_and', back, areShort(b, kind, result, y)),
  };
}

function attemptRoot(b: Builder, kind: SseKind, y: Value): Attempt {
  const { sqrt, mul, equal } = lanesOf(kind);
  const result = b.vector(sqrt, y);
  const back = b.vector(equal, b.vector(mul, result, result), y);
  return {
    result,
    zeroIsRight: isZeroAt(b, kind, y),
    exact: b.vector('v128_and', back, areShort(b, kind, result, result)),
  };
}

/** All exceptions masked, nearest, neither flush-to-zero nor denormals-are-zero. */
const MODES = 0xffc0;
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

/** Operand 0 becomes x op y at once if nothing is special about it; otherwise `slowly` is called. */
export function arithmeticFast(
  b: Builder,
  kind: SseKind,
  operation: 'add' | 'sub' | 'mul' | 'div' | 'sqrt',
  y: Value,
  slowly: () => void,
): void {
  const x = b.read128(0, true);
  const attempt =
    operation === 'mul'
      ? attemptProduct(b, kind, x, y)
      : operation === 'div'
        ? attemptQuotient(b, kind, x, y)
        : operation === 'sqrt'
          ? attemptRoot(b, kind, y)
          : attemptSum(b, kind, x, y, operation === 'sub');
  const { result, zeroIsRight, exact } = attempt;
  const zero = b.vector('v128_and', zeroIsRight, isZeroAt(b, kind, result));
  let fine = b.vector('v128_and', isOrdinary(b, kind, y), b.vector('v128_or', isSafe(b, kind, result), zero));
  if (operation !== 'sqrt') fine = b.vector('v128_and', fine, isOrdinary(b, kind, x));
  const known = b.or(b.and(b.state('mxcsr'), b.const(PRECISION_FLAG)), everywhere(b, kind, exact));
  const fast = b.and(b.and(isModeOrdinary(b), everywhere(b, kind, fine)), b.ne(known, b.const(0)));
  b.when(fast, () => b.write128(0, merge(b, kind, x, result), true), slowly);
}

/** MIN and MAX: without NaNs and denormals no exception is possible, whatever MXCSR says. */
export function extremeFast(b: Builder, kind: SseKind, least: boolean, y: Value, slowly: () => void): void {
  const { lessThan } = lanesOf(kind);
  const x = b.read128(0, true);
  const fine = b.vector('v128_and', isOrdinary(b, kind, x, true), isOrdinary(b, kind, y, true));
  const first = least ? b.vector(lessThan, x, y) : b.vector(lessThan, y, x);
  const result = b.vector('v128_bitselect', x, y, first);
  b.when(everywhere(b, kind, fine), () => b.write128(0, merge(b, kind, x, result), true), slowly);
}

/** COMISx and UCOMISx likewise: gives x < y and x = y to `set`. */
export function compareFast(
  b: Builder,
  kind: SseKind,
  y: Value,
  set: (less: Value, equal: Value) => void,
  slowly: () => void,
): void {
  const { lessThan, equal, width } = lanesOf(kind);
  const x = b.read128(0, true);
  const fine = b.vector('v128_and', isOrdinary(b, kind, x, true), isOrdinary(b, kind, y, true));
  const lowest = (mask: Value): Value =>
    width === 32 ? b.and(b.lane(mask, 32, 0), b.const(1)) : b.toNarrow(b.and(b.lane(mask, 64, 0), b.const64(1n)));
  const less = lowest(b.vector(lessThan, x, y));
  const same = lowest(b.vector(equal, x, y));
  b.when(everywhere(b, kind, fine), () => set(less, same), slowly);
}

/** CMPxx: the predicate's lower two bits choose equal, less, less or equal, unordered; the third turns it round. */
export function compareMaskFast(b: Builder, kind: SseKind, predicate: Value, y: Value, slowly: () => void): void {
  const { lessThan, equal } = lanesOf(kind);
  const x = b.read128(0, true);
  const fine = b.vector('v128_and', isOrdinary(b, kind, x, true), isOrdinary(b, kind, y, true));
  const bit = (n: number): Value => b.and(b.shrU(predicate, b.const(n)), b.const(1));
  const none = b.vectorConst(0n, 0n);
  // 0: equal; 1: less; 2: both; 3: neither, since nothing is unordered here.
  const wantsEqual = b.isZero(bit(0));
  const wantsLess = b.xor(bit(0), bit(1));
  const holds = b.vector(
    'v128_or',
    b.select(wantsEqual, b.vector(equal, x, y), none),
    b.select(wantsLess, b.vector(lessThan, x, y), none),
  );
  const result = b.vector('v128_xor', holds, b.vector('i32x4_splat', b.sub(b.const(0), bit(2))));
  b.when(everywhere(b, kind, fine), () => b.write128(0, merge(b, kind, x, result), true), slowly);
}
