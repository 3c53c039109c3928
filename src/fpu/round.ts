/**
 * From an exact value to a register value: rounding, precision control,
 * overflow and underflow (Intel SDM vol. 1, 4.8.4, 8.1.5.2, 8.5.4–8.5.6).
 *
 * An exact value is ±significand × 2^(exponent − 16383 − 63): `exponent` is the
 * biased exponent the significand would have if its bit 63 were the integer
 * bit. The significand may have any length. Its lowest bit may stand for "and
 * something more" (a sticky bit) provided it lies below the rounding position,
 * for which 66 bits are always enough.
 */

import { type FpuEnvironment, overflow, precisionLoss, type Rounding, underflow } from './environment.js';
import { type Float80, infinity, integerBit, makeFloat80, maximumExponent, zero } from './float80.js';

/** Added to or taken from the exponent of a register result when OE or UE is unmasked. */
export const exponentAdjustment = 24576;

const maximumSignificand = (1n << 64n) - 1n;

/** 2^0 … 2^511, since making a bigint costs more than looking one up. */
const powersOfTwo: readonly bigint[] = Array.from({ length: 512 }, (_, power) => 1n << BigInt(power));

function powerOfTwo(power: number): bigint {
  return powersOfTwo[power] ?? 1n << BigInt(power);
}

/** The number of bits of a positive bigint below 2^1023. */
export function bitLength(value: bigint): number {
  // The logarithm of the nearest double is off by less than one.
  const estimate = Math.floor(Math.log2(Number(value)));
  if (value < powerOfTwo(estimate)) return estimate;
  return value < powerOfTwo(estimate + 1) ? estimate + 1 : estimate + 2;
}

/** The biased exponent a finite nonzero value would have if it were normal; below 1 for denormals. */
export function leadingExponent(value: Float80): number {
  if (value.exponent !== 0) return value.exponent;
  return bitLength(value.significand) - 63;
}

/**
 * significand × 2^−shift as an integer. Leaves in the environment whether bits
 * were lost (`inexact`) and whether the magnitude went up (`incremented`).
 */
export function shiftRightRounded(
  env: FpuEnvironment,
  rounding: Rounding,
  sign: number,
  significand: bigint,
  shift: number,
): bigint {
  env.inexact = false;
  env.incremented = false;
  if (shift <= 0) return significand << BigInt(-shift);
  const kept = significand >> BigInt(shift);
  const lost = BigInt.asUintN(shift, significand);
  if (lost === 0n) return kept;
  env.inexact = true;
  env.incremented = roundsAway(rounding, sign, kept, lost, shift);
  return env.incremented ? kept + 1n : kept;
}

function roundsAway(rounding: Rounding, sign: number, kept: bigint, lost: bigint, shift: number): boolean {
  switch (rounding) {
    case 0: {
      const half = powerOfTwo(shift - 1);
      return lost > half || (lost === half && (kept & 1n) === 1n);
    }
    case 1:
      return sign === 1;
    case 2:
      return sign === 0;
    case 3:
      return false;
  }
}

/** Whether an overflow in this direction gives infinity rather than the largest finite value. */
export function overflowsToInfinity(rounding: Rounding, sign: number): boolean {
  return rounding === 0 || (rounding === 1 && sign === 1) || (rounding === 2 && sign === 0);
}

/** Rounds an exact nonzero value to `precision` bits; sets OE, UE, PE and C1. */
export function roundResult(
  env: FpuEnvironment,
  sign: number,
  exponent: number,
  significand: bigint,
  precision: number = env.precision,
): Float80 {
  const length = bitLength(significand);
  let resultExponent = exponent + length - 64;
  let rounded = shiftRightRounded(env, env.rounding, sign, significand, length - precision);
  if (precision !== 64) rounded <<= BigInt(64 - precision);
  if (rounded > maximumSignificand) {
    rounded >>= 1n;
    resultExponent++;
  }
  // Tininess is judged after rounding with unbounded exponent: this is that result.
  if (resultExponent <= 0) {
    if (env.isMasked(underflow)) return roundDenormal(env, sign, exponent, significand, precision);
    env.raise(underflow);
    resultExponent += exponentAdjustment;
    if (resultExponent <= 0) return beyondAdjustment(env, zero(sign), false);
  } else if (resultExponent >= maximumExponent) {
    if (env.isMasked(overflow)) return roundOverflow(env, sign, precision);
    env.raise(overflow);
    resultExponent -= exponentAdjustment;
    if (resultExponent >= maximumExponent) return beyondAdjustment(env, infinity(sign), true);
  }
  if (env.inexact) env.raise(precisionLoss);
  env.setC1(env.incremented);
  return makeFloat80(sign, resultExponent, rounded);
}

/** Masked underflow: the last place is that of the denormals, whatever precision is left. */
function roundDenormal(
  env: FpuEnvironment,
  sign: number,
  exponent: number,
  significand: bigint,
  precision: number,
): Float80 {
  const spare = 64 - precision;
  const rounded = shiftRightRounded(env, env.rounding, sign, significand, 1 - exponent + spare) << BigInt(spare);
  if (env.inexact) env.raise(underflow | precisionLoss);
  env.setC1(env.incremented);
  if (rounded === 0n) return zero(sign);
  return makeFloat80(sign, rounded < integerBit ? 0 : 1, rounded);
}

function roundOverflow(env: FpuEnvironment, sign: number, precision: number): Float80 {
  env.raise(overflow | precisionLoss);
  const away = overflowsToInfinity(env.rounding, sign);
  env.setC1(away);
  if (away) return infinity(sign);
  return makeFloat80(sign, maximumExponent - 1, maximumSignificand - powerOfTwo(64 - precision) + 1n);
}

/** FSCALE can miss the range so far that no adjustment helps (SDM vol. 1, 8.5.4–8.5.5). */
function beyondAdjustment(env: FpuEnvironment, result: Float80, away: boolean): Float80 {
  env.raise(precisionLoss);
  env.setC1(away);
  return result;
}
