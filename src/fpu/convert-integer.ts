/**
 * Between two's complement integers and registers (FILD, FIST, FISTTP;
 * Intel SDM vol. 1, 4.2.1 and 8.5.1.2) and rounding to an integer in a
 * register (FRNDINT).
 */

import { type FpuEnvironment, invalidOperation, precisionLoss, type Rounding } from './environment.js';
import {
  effectiveExponent,
  exponentBias,
  type Float80,
  isFinite80,
  isInfinity,
  isZero,
  makeFloat80,
  positiveZero,
  zero,
} from './float80.js';
import { settleOperand, stopsAtDenormal } from './operands.js';
import { bitLength, shiftRightRounded } from './round.js';

export type IntegerWidth = 16 | 32 | 64;

/** FILD and the operands of FIADD and friends. Exact for every 64-bit integer. */
export function fromInteger(value: bigint): Float80 {
  if (value === 0n) return positiveZero;
  const sign = value < 0n ? 1 : 0;
  const magnitude = sign === 1 ? -value : value;
  const length = bitLength(magnitude);
  return makeFloat80(sign, exponentBias + length - 1, magnitude << BigInt(64 - length));
}

/** The same for the 16-bit and 32-bit integers of FILD, FIADD and so on. */
export function fromNumber(value: number): Float80 {
  return fromInteger(BigInt(value));
}

/**
 * FIST (with the rounding of the control word) and FISTTP (`roundTowardZero`).
 * Anything that does not fit is an invalid operation, whose masked response is
 * the integer indefinite, the most negative integer.
 */
export function toInteger(
  env: FpuEnvironment,
  value: Float80,
  width: IntegerWidth,
  rounding: Rounding = env.rounding,
): bigint {
  const limit = 1n << BigInt(width - 1);
  const magnitude = roundedMagnitude(env, value, rounding);
  if (magnitude === undefined || magnitude > limit || (magnitude === limit && value.sign === 0)) {
    env.stop(invalidOperation);
    return -limit;
  }
  if (env.inexact) env.raise(precisionLoss);
  env.setC1(env.incremented);
  return value.sign === 1 ? -magnitude : magnitude;
}

/** |value| rounded to an integer below 2^64, or undefined if there is none. Raises nothing. */
export function roundedMagnitude(env: FpuEnvironment, value: Float80, rounding: Rounding): bigint | undefined {
  if (!isFinite80(value) || value.exponent > exponentBias + 63) return undefined;
  const shift = exponentBias + 63 - effectiveExponent(value);
  // However small, what is below a quarter only counts as not zero.
  if (shift > 66) return shiftRightRounded(env, rounding, value.sign, value.significand === 0n ? 0n : 1n, 2);
  return shiftRightRounded(env, rounding, value.sign, value.significand, shift);
}

/** FRNDINT. */
export function roundToInteger(env: FpuEnvironment, value: Float80): Float80 {
  const settled = settleOperand(env, value);
  if (settled !== undefined) return settled;
  if (isInfinity(value) || isZero(value)) return value;
  if (stopsAtDenormal(env, value)) return value;
  if (value.exponent >= exponentBias + 63) return value;
  const magnitude = roundedMagnitude(env, value, env.rounding) as bigint;
  if (env.inexact) env.raise(precisionLoss);
  env.setC1(env.incremented);
  if (magnitude === 0n) return zero(value.sign);
  const length = bitLength(magnitude);
  return makeFloat80(value.sign, exponentBias + length - 1, magnitude << BigInt(64 - length));
}
