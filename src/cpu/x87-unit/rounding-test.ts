/**
 * The way between register values and double-doubles for the transcendental functions, with the rounding test of
 * A. Ziv ("Fast evaluation of elementary mathematical functions with correctly rounded last bit", 1991): where the
 * error could change the result or C1, the exact arithmetic decides.
 */

import { BIAS } from '../../isa/x87-stack.js';
import type { Local, Operand, RoutineBuilder } from '../../wasm/routine.js';
import type { DoubleDouble, DoubleDoubleBuilder } from './double-double.js';
import { C1_BIT, INTEGER_BIT, PRECISION_FLAG, isExponentNormal, roundingControl } from './rounding.js';

/** What is demanded does not hold: the operation has to be done exactly. */
export type Demand = (condition: Operand) => void;

/**
 * The test wants more distance, in units of the last place: 2^−20, while results are off by less than 2^−88 of
 * themselves, of a significand below 2^64 that is 2^−24, and its own arithmetic loses 2^−42.
 */
const MARGIN = 2 ** -20;
const DOUBLE_BIAS = 1023;
/** Bits of a significand that do not fit a float64. */
const LOWEST = 0x7ffn;

/** 2^power, as an i32 for which that is a normal float64. */
export function powerOfTwo(r: RoutineBuilder, power: Operand): Local {
  return r.realFromBits(r.shl(r.toWide(r.add(power, DOUBLE_BIAS)), 52n));
}

/** A normal significand read as a number between 1 and 2, times a power of two or its negative; exactly. */
export function loadMantissa(r: RoutineBuilder, d: DoubleDoubleBuilder, m: Operand, scale: Operand): DoubleDouble {
  const low = r.and(m, LOWEST);
  const sum = d.sum(r.realFromU(r.sub(m, low)), r.realFromU(low));
  return d.scale(sum, r.mulReal(scale, r.real(2 ** -63)));
}

/** ±1 by the sign of a register value. */
export function signFactor(r: RoutineBuilder, e: Operand): Local {
  return r.select(r.and(e, 0x8000), r.real(-1), r.real(1));
}

/** ±value × 2^exponent as a register value with flags; `sign` is in place. */
export function roundTested(
  r: RoutineBuilder,
  demand: Demand,
  sign: Operand,
  value: DoubleDouble,
  exponent: Operand,
): readonly [Local, Local] {
  const bits = r.bitsOfReal(value.high);
  const signBit = r.and(bits, INTEGER_BIT);
  const power = r.sub(r.and(r.toNarrow(r.shrU(bits, 52n)), 0x7ff), DOUBLE_BIAS);
  demand(r.ltU(r.add(power, 150), 301));
  // Of the magnitude.
  const low = r.realFromBits(r.xor(r.bitsOfReal(value.low), signBit));
  const fraction = r.and(bits, (1n << 52n) - 1n);
  // It takes the number below its power of two.
  const below = r.and(r.isZero(fraction), r.ltReal(low, r.real(0)));
  const leading = r.sub(power, below);
  const units = r.mulReal(low, powerOfTwo(r, r.sub(63, leading)));
  const whole = r.floorReal(units);
  const rest = r.subReal(units, whole);
  const fromHalf = r.subReal(rest, r.real(0.5));
  demand(r.ltReal(r.real(MARGIN), rest));
  demand(r.ltReal(rest, r.real(1 - MARGIN)));
  demand(r.ltReal(r.real(MARGIN ** 2), r.mulReal(fromHalf, fromHalf)));
  const upper = r.shl(r.shl(r.or(fraction, 1n << 52n), 11n), r.toWide(below));
  const resultSign = r.xor(sign, r.shl(r.toNarrow(r.shrU(signBit, 63n)), 15));
  const rounding = roundingControl(r);
  const directed = r.eq(rounding, r.select(resultSign, 1, 2));
  const away = r.select(rounding, directed, r.ltReal(r.real(0.5), rest));
  const m = r.add(r.add(upper, r.integerFromS(whole)), r.toWide(away));
  // A carry out of bit 63 is rare.
  demand(r.ltS(m, 0n));
  const x = r.add(r.add(exponent, BIAS), leading);
  demand(isExponentNormal(r, x));
  return [m, r.or(r.or(x, resultSign), r.or(PRECISION_FLAG, r.shl(away, C1_BIT)))];
}
