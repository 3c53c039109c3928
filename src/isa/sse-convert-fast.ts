import type { Builder, Value } from './builder.js';
import type { SseKind } from './sse-arithmetic.js';
import {
  attempt,
  everywhere,
  isModeOrdinary,
  isOrdinary,
  isSafe,
  isZeroAt,
  lanesOf,
  merge,
  PRECISION_FLAG,
} from './sse-fast.js';
import { lanes, zeroVector } from './sse-rows.js';

/** Conversions without helpers where nothing is special; as `sse-fast.ts`. */

/** PE is set already and masked. */
const SETTLED = 0x1020;

/** The two lower lanes of 32 bits, twice. */
function lowerTwice(b: Builder, y: Value): Value {
  return b.shuffle(y, y, lanes(32, [0, 1, 0, 1]));
}

/** Single to double: exact, whatever MXCSR says, but for NaNs and denormals. `lowest`: one lane, not two. */
export function widenFast(b: Builder, y: Value, lowest: boolean, slowly: () => void): void {
  // Singles that count.
  const source = lowest ? y : lowerTwice(b, y);
  const kind = lowest ? 'ss' : 'ps';
  const result = b.vector('f64x2_promote_low_f32x4', y);
  attempt(
    b,
    kind,
    [source],
    () => everywhere(b, kind, isOrdinary(b, kind, source, true)),
    () => b.write128(0, lowest ? merge(b, 'sd', b.read128(0, true), result) : result, true),
    slowly,
  );
}

/** Double to single. */
export function narrowFast(b: Builder, y: Value, lowest: boolean, slowly: () => void): void {
  const kind = lowest ? 'ss' : 'ps';
  const wide = lowest ? 'sd' : 'pd';
  const result = b.vector('f32x4_demote_f64x2_zero', y);
  const holds = (): Value => {
    const back = b.vector('f64x2_promote_low_f32x4', result);
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
    return b.and(b.and(isModeOrdinary(b), fine), known);
  };
  attempt(
    b,
    kind,
    // A normal single has been a normal double.
    [lowest ? result : lowerTwice(b, result)],
    holds,
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
  const holds = (): Value => {
    // Large ones may saturate on the way back: those count as inexact.
    const exact = b.vector('i32x4_eq', b.vector('i32x4_trunc_sat_f32x4_s', result), y);
    const small = b.vector('i32x4_gt_s', splat(b, 1 << 24), b.vector('i32x4_abs', y));
    const known = b.or(
      b.and(b.state('mxcsr'), b.const(PRECISION_FLAG)),
      everywhere(b, kind, b.vector('v128_and', exact, small)),
    );
    return b.and(isModeOrdinary(b), b.ne(known, b.const(0)));
  };
  attempt(
    b,
    kind,
    [],
    holds,
    () => b.write128(0, lowest ? merge(b, 'ss', b.read128(0, true), result) : result, true),
    slowly,
  );
}

function splat(b: Builder, value: number): Value {
  return b.vector('i32x4_splat', b.const(value));
}

const INTEGER_LANES = { ss: 1, sd: 1, pd: 2, ps: 4 } as const;

/**
 * Floats to integers of 32 bits, rounded to nearest or truncated, if they fit and need no flag that is not set. There
 * are zeros above two integers.
 */
export function toIntegersFast(
  b: Builder,
  kind: SseKind,
  truncate: boolean,
  y: Value,
  write: (integers: Value) => void,
  slowly: () => void,
): void {
  const double = kind === 'sd' || kind === 'pd';
  const whole = truncate ? y : b.vector(double ? 'f64x2_nearest' : 'f32x4_nearest', y);
  const integers = b.vector(double ? 'i32x4_trunc_sat_f64x2_s_zero' : 'i32x4_trunc_sat_f32x4_s', whole);
  // The ends of the range saturate, and NaNs become 0: not here.
  const ends = b.vector(
    'v128_or',
    b.vector('i32x4_eq', integers, splat(b, -(2 ** 31))),
    b.vector('i32x4_eq', integers, splat(b, 2 ** 31 - 1)),
  );
  let counting = zeroVector(b);
  for (let lane = 0; lane < INTEGER_LANES[kind]; lane++) counting = b.withLane(counting, 32, lane, b.const(-1));
  const doubts = b.vector('v128_and', ends, counting);
  const holds = (): Value => {
    const back = b.vector(double ? 'f64x2_convert_low_i32x4_s' : 'f32x4_convert_i32x4_s', integers);
    const exact = everywhere(b, kind, b.vector(lanesOf(kind).equal, back, y));
    const settled = b.eq(b.and(b.state('mxcsr'), b.const(SETTLED)), b.const(SETTLED));
    const known = b.or(exact, truncate ? settled : b.and(settled, isModeOrdinary(b)));
    const inside = b.isZero(b.vector('v128_any_true', doubts));
    return b.and(b.and(inside, everywhere(b, kind, isOrdinary(b, kind, y))), known);
  };
  attempt(b, kind, [y], holds, () => write(integers), slowly, { doubts });
}
