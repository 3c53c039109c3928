import { BIAS } from '../../isa/x87-stack.js';
import type { Local, Operand, RoutineBuilder } from '../../wasm/routine.js';
import { addAligned, productOf } from './arithmetic.js';
import { isLess } from './conversions.js';
import { C1_BIT, FLAGS_SHIFT, INTEGER_BIT, exponentOf, isExponentNormal, signOf } from './rounding.js';
import type { Demand } from './rounding-test.js';

/*
 * The usual cases of some routines, for code inside regions: operands and result are normal numbers, rounding is to
 * nearest at full precision, and PE is set already. If what is demanded does not hold the routine has to be called.
 *
 * `trust` is negative if the mode is as it has to be, and all values in question are to be trusted: so one test does for
 * all operands.
 */

const C1_PLACE = C1_BIT - FLAGS_SHIFT;

/**
 * Negative if a value is a normal number or has no integer bit, which is looked at anyway: no NaN, no infinity, no
 * pseudo-denormal number.
 */
export function trustworthy(r: RoutineBuilder, m: Operand, e: Operand): Local {
  const excess = r.sub(r.toWide(r.sub(exponentOf(r, e), 1)), 0x7ffen);
  return r.or(excess, r.xor(m, -1n));
}

/** Significand, sign and exponent, and flags of a normalized number. */
function round(
  r: RoutineBuilder,
  demand: Demand,
  high: Operand,
  low: Operand,
  x: Operand,
  sign: Operand,
): readonly Operand[] {
  demand(isExponentNormal(r, x));
  const up = goesUp(r, high, low);
  const m = r.add(high, r.toWide(up));
  // Carried into the next power of two it is zero.
  demand(r.ltS(m, 0n));
  return [m, r.or(x, sign), r.shl(up, C1_PLACE)];
}

/** Whether `low` is more than half of the lowest bit of `high`; or just half, and that bit is set. */
function goesUp(r: RoutineBuilder, high: Operand, low: Operand): Local {
  return r.ltU(r.sub(INTEGER_BIT, r.and(high, 1n)), low);
}

export function usualProduct(
  r: RoutineBuilder,
  demand: Demand,
  trust: Operand,
  ma: Operand,
  ea: Operand,
  mb: Operand,
  eb: Operand,
): readonly Operand[] {
  demand(r.ltS(r.and(r.and(ma, mb), trust), 0n));
  const { upper, lower, x } = productOf(r, ma, exponentOf(r, ea), mb, exponentOf(r, eb));
  return round(r, demand, upper, lower, x, signOf(r, r.xor(ea, eb)));
}

/** a + b; the sign of b has been changed for a − b. */
export function usualSum(
  r: RoutineBuilder,
  demand: Demand,
  trust: Operand,
  ma: Operand,
  ea: Operand,
  mb: Operand,
  eb: Operand,
): readonly Operand[] {
  demand(r.ltS(r.and(r.and(ma, mb), trust), 0n));
  const xa = exponentOf(r, ea);
  const xb = exponentOf(r, eb);
  const distance = r.sub(xa, xb);
  const swap = r.ltS(distance, 0);
  const large = r.select(swap, mb, ma);
  const small = r.select(swap, ma, mb);
  const x = r.select(swap, xb, xa);
  const far = r.select(swap, r.sub(0, distance), distance);
  demand(r.ltU(far, 64));
  const count = r.toWide(far);
  const high = r.shrU(small, count);
  const low = r.shl(r.shl(small, 1n), r.xor(count, 63n));
  const { upper, lower, exponent, sign } = addAligned(
    r,
    large,
    high,
    low,
    x,
    signOf(r, r.select(swap, eb, ea)),
    ea,
    eb,
  );
  // What cancelled more than 63 bits has no integer bit now.
  return round(r, demand, upper, lower, exponent, sign);
}

/** FST m64: bits and flags. */
export function usualToDouble(
  r: RoutineBuilder,
  demand: Demand,
  trust: Operand,
  m: Operand,
  e: Operand,
): readonly Operand[] {
  demand(r.ltS(r.and(m, trust), 0n));
  const exponent = r.sub(exponentOf(r, e), BIAS - 1023 + 1);
  demand(r.ltU(exponent, 2045));
  const kept = r.shrU(m, 11n);
  const up = goesUp(r, kept, r.shl(m, 53n));
  // The integer bit adds the one that is missing in the exponent.
  const bits = r.add(r.shl(r.toWide(exponent), 52n), r.add(kept, r.toWide(up)));
  return [r.or(bits, r.shl(r.toWide(signOf(r, e)), 48n)), r.shl(up, C1_PLACE)];
}

/** FCOM and relatives: condition codes. */
export function usualRelation(
  r: RoutineBuilder,
  demand: Demand,
  trust: Operand,
  ma: Operand,
  ea: Operand,
  mb: Operand,
  eb: Operand,
): readonly Operand[] {
  demand(r.ltS(r.and(r.and(ma, mb), trust), 0n));
  const equal = r.and(r.eq(ea, eb), r.eq(ma, mb));
  return [r.select(equal, 0x4000, r.shl(isLess(r, ma, ea, mb, eb), 8))];
}

/** Formats of memory: bits of the fraction, largest normal exponent, which is twice the bias. */
const NARROW = { single: { fraction: 23, largest: 254 }, double: { fraction: 52, largest: 2046 } } as const;

/** A single (i32) or double (i64) as a register value if `isNormal`. `isNotZero` and `sign` are for all others. */
export function fromNarrow(
  r: RoutineBuilder,
  format: keyof typeof NARROW,
  bits: Operand,
): {
  value: { significand: Local; exponent: Local };
  isNormal: Local;
  isNotZero(): Local;
  sign(): Local;
} {
  const { fraction, largest } = NARROW[format];
  const double = format === 'double';
  const wide = double ? bits : r.toWide(bits);
  const upper = double ? r.toNarrow(r.shrU(bits, 48n)) : r.shrU(bits, 16);
  const sign = r.and(upper, 0x8000);
  const x = r.and(r.shrU(upper, fraction & 15), largest + 1);
  return {
    value: {
      significand: r.or(r.shl(wide, BigInt(63 - fraction)), INTEGER_BIT),
      exponent: r.or(r.add(x, BIAS - largest / 2), sign),
    },
    isNormal: r.ltU(r.sub(x, 1), largest),
    isNotZero: () => r.ne(r.shl(bits, double ? 1n : 1), double ? 0n : 0),
    sign: () => sign,
  };
}
