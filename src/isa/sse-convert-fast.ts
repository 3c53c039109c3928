import type { Builder, Value } from './builder.js';
import {
  everywhere,
  isModeOrdinary,
  isOrdinary,
  isSafe,
  isZeroAt,
  lanesOf,
  merge,
  PRECISION_FLAG,
} from './sse-fast.js';

/** Conversions without helpers where nothing is special; as `sse-fast.ts`. */

/** PE is set already and masked. */
const SETTLED = 0x1020;

/** Single to double: exact, whatever MXCSR says, but for NaNs and denormals. `lowest`: one lane, not two. */
export function widenFast(b: Builder, y: Value, lowest: boolean, slowly: () => void): void {
  // Both singles that count, or one.
  const pair = lowest ? y : b.withLane(y, 64, 1, b.const64(0n));
  const kind = lowest ? 'ss' : 'ps';
  const result = b.vector('f64x2_promote_low_f32x4', y);
  b.when(
    everywhere(b, kind, isOrdinary(b, kind, pair, true)),
    () => b.write128(0, lowest ? merge(b, 'sd', b.read128(0, true), result) : result, true),
    slowly,
  );
}

/** Double to single. */
export function narrowFast(b: Builder, y: Value, lowest: boolean, slowly: () => void): void {
  const kind = lowest ? 'ss' : 'ps';
  const result = b.vector('f32x4_demote_f64x2_zero', y);
  const back = b.vector('f64x2_promote_low_f32x4', result);
  const wide = lowest ? 'sd' : 'pd';
  const exact = everywhere(b, wide, b.vector(lanesOf(wide).equal, back, y));
  // What becomes zero must have been; the upper singles are zeros of no importance.
  const zeros = b.vector('v128_and', isZeroAt(b, wide, y), isZeroAt(b, wide, back));
  const normal = b.vector('v128_or', isSafe(b, kind, result), isZeroAt(b, kind, result));
  const kept = b.vector('v128_or', zeros, b.vector('v128_not', isZeroAt(b, wide, back)));
  const fine = b.and(
    everywhere(b, kind, normal),
    everywhere(b, wide, b.vector('v128_and', kept, isOrdinary(b, wide, y))),
  );
  const known = b.ne(b.or(b.and(b.state('mxcsr'), b.const(PRECISION_FLAG)), exact), b.const(0));
  b.when(
    b.and(b.and(isModeOrdinary(b), fine), known),
    () => b.write128(0, lowest ? merge(b, 'ss', b.read128(0, true), result) : result, true),
    slowly,
  );
}

/** The lower integers to doubles: always exact. */
export function integersToDoubles(b: Builder, y: Value): Value {
  return b.vector('f64x2_convert_low_i32x4_s', y);
}

/** Integers to singles: rounds. */
export function integersToSinglesFast(b: Builder, y: Value, lowest: boolean, slowly: () => void): void {
  const kind = lowest ? 'ss' : 'ps';
  const result = b.vector('f32x4_convert_i32x4_s', y);
  // Large ones may saturate on the way back: those count as inexact.
  const exact = b.vector('i32x4_eq', b.vector('i32x4_trunc_sat_f32x4_s', result), y);
  const small = b.vector('i32x4_gt_s', splat(b, 1 << 24), b.vector('i32x4_abs', y));
  const known = b.or(
    b.and(b.state('mxcsr'), b.const(PRECISION_FLAG)),
    everywhere(b, kind, b.vector('v128_and', exact, small)),
  );
  b.when(
    b.and(isModeOrdinary(b), b.ne(known, b.const(0))),
    () => b.write128(0, lowest ? merge(b, 'ss', b.read128(0, true), result) : result, true),
    slowly,
  );
}

function splat(b: Builder, value: number): Value {
  return b.vector('i32x4_splat', b.const(value));
}

/** The lowest float truncated to an integer, if it fits and needs no flag that is not set. */
export function truncateFast(
  b: Builder,
  kind: 'ss' | 'sd',
  y: Value,
  write: (integer: Value) => void,
  slowly: () => void,
): void {
  const double = kind === 'sd';
  const truncated = b.vector(double ? 'i32x4_trunc_sat_f64x2_s_zero' : 'i32x4_trunc_sat_f32x4_s', y);
  const integer = b.lane(truncated, 32, 0);
  const back = b.vector(double ? 'f64x2_convert_low_i32x4_s' : 'f32x4_convert_i32x4_s', truncated);
  const exact = everywhere(b, kind, b.vector(lanesOf(kind).equal, back, y));
  const settled = b.eq(b.and(b.state('mxcsr'), b.const(SETTLED)), b.const(SETTLED));
  // The ends of the range saturate, and NaNs become 0: not here.
  const inside = b.ltU(b.add(integer, b.const(0x7fff_fffe)), b.const(-4));
  const number = everywhere(b, kind, isOrdinary(b, kind, y));
  b.when(b.and(b.and(inside, number), b.or(exact, settled)), () => write(integer), slowly);
}
