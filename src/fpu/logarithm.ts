/** FYL2X and FYL2XP1 (Intel SDM vol. 2, tables of FYL2X and FYL2XP1). */

import { type FpuEnvironment, precisionLoss, underflow, zeroDivide } from './environment.js';
import {
  fixedArtanh,
  fixedDivide,
  fixedLog2E,
  fixedMultiply,
  fixedOne,
  fractionBits,
  isTiny,
  roundFixed,
  toFixed,
} from './fixed-point.js';
import {
  effectiveExponent,
  exponentBias,
  type Float80,
  infinity,
  isDenormal,
  isInfinity,
  isZero,
  zero,
} from './float80.js';
import { invalid, settleOperands, stopsAtDenormal } from './operands.js';
import { bitLength, leadingExponent, roundResult } from './round.js';

/** √2 in fixed point, roughly: above it the logarithm is taken from the next power of two. */
const squareRootOfTwo = 0xb504f333f9de6484n << BigInt(fractionBits - 63);

/** From here on adding one is below the precision of fixed point. */
const hugeExponent = exponentBias + fractionBits;

function isPowerOfTwo(value: bigint): boolean {
  return (value & (value - 1n)) === 0n;
}

/** FYL2X: y × log2 x, where x is ST(0) and y is ST(1). */
export function logarithm(env: FpuEnvironment, x: Float80, y: Float80): Float80 {
  const settled = settleOperands(env, x, y);
  if (settled !== undefined) return settled;
  if (isZero(x)) {
    if (isZero(y)) return invalid(env);
    if (!isInfinity(y)) env.stop(zeroDivide);
    return infinity(y.sign ^ 1);
  }
  if (x.sign === 1) return invalid(env);
  const exponent = leadingExponent(x);
  const isOne = exponent === exponentBias && isPowerOfTwo(x.significand);
  if (isInfinity(y) ? isOne : isInfinity(x) && isZero(y)) return invalid(env);
  if (stopsAtDenormal(env, x, y)) return y;
  const sign = y.sign ^ (exponent < exponentBias ? 1 : 0);
  if (isInfinity(x) || isInfinity(y)) return infinity(sign);
  if (isOne || isZero(y)) return zero(sign);
  const power = exponent - exponentBias;
  if (isPowerOfTwo(x.significand)) return timesPower(env, y, sign, power);
  return timesLogarithm(env, y, fixedLogarithm(x.significand, power));
}

/** The logarithm of a power of two is exact, but the processor reports a loss of precision all the same. */
function timesPower(env: FpuEnvironment, y: Float80, sign: number, power: number): Float80 {
  const result = roundResult(env, sign, effectiveExponent(y), BigInt(Math.abs(power)) * y.significand, 64);
  env.raise(isDenormal(result) ? underflow | precisionLoss : precisionLoss);
  return result;
}

function timesLogarithm(env: FpuEnvironment, y: Float80, logarithm: bigint): Float80 {
  const scale = effectiveExponent(y) - exponentBias - 63;
  const sign = logarithm < 0n ? y.sign ^ 1 : y.sign;
  return roundFixed(env, sign, (logarithm < 0n ? -logarithm : logarithm) * y.significand, scale);
}

/** log2 of the digits read as m between 1 and 2 and multiplied by 2^power: power + 2 artanh((m − 1) ÷ (m + 1)) × log2 e. */
function fixedLogarithm(digits: bigint, power: number): bigint {
  const shift = fractionBits + 1 - bitLength(digits);
  let mantissa = shift >= 0 ? digits << BigInt(shift) : digits >> BigInt(-shift);
  if (mantissa > squareRootOfTwo) {
    power++;
    mantissa >>= 1n;
  }
  const artanh = fixedArtanh(fixedDivide(mantissa - fixedOne, mantissa + fixedOne));
  return (BigInt(power) << BigInt(fractionBits)) + (fixedMultiply(artanh, fixedLog2E) << 1n);
}

/**
 * FYL2XP1: y × log2(x + 1), where x is ST(0) and y is ST(1). The manual
 * promises a result for −(1 − √½) ≤ x ≤ √2 − 1; like processors do, this
 * computes it for every x above −1 and returns the operand below.
 */
export function logarithmPlusOne(env: FpuEnvironment, x: Float80, y: Float80): Float80 {
  const settled = settleOperands(env, x, y);
  if (settled !== undefined) return settled;
  if (isInfinity(x) && (x.sign === 1 || isZero(y))) return invalid(env);
  if (isInfinity(y) && isZero(x)) return invalid(env);
  if (stopsAtDenormal(env, x, y)) return y;
  const sign = x.sign ^ y.sign;
  if (isInfinity(x) || isInfinity(y)) return infinity(sign);
  if (isZero(x) || isZero(y)) return zero(sign);
  if (isTiny(x)) {
    const scale = effectiveExponent(x) + effectiveExponent(y) - 2 * (exponentBias + 63);
    return roundFixed(env, sign, x.significand * y.significand * fixedLog2E, scale);
  }
  if (x.sign === 1 && x.exponent >= exponentBias) {
    env.raise(precisionLoss);
    return x;
  }
  // The one way for 1 + x to be a power of two in range and exact is from below one.
  if (x.sign === 1 && isPowerOfTwo(fixedOne - toFixed(x))) {
    return timesPower(env, y, sign, fractionBits + 1 - bitLength(fixedOne - toFixed(x)));
  }
  return timesLogarithm(env, y, fixedLogarithmPlusOne(x));
}

function fixedLogarithmPlusOne(x: Float80): bigint {
  if (x.exponent >= hugeExponent) return fixedLogarithm(x.significand, x.exponent - exponentBias);
  const magnitude = toFixed(x);
  const t = x.sign === 0 ? magnitude : -magnitude;
  // Near zero directly, for the sake of relative precision.
  if (x.exponent < exponentBias - 2) {
    return fixedMultiply(fixedArtanh(fixedDivide(t, t + (fixedOne << 1n))), fixedLog2E) << 1n;
  }
  const sum = fixedOne + t;
  return fixedLogarithm(sum, bitLength(sum) - 1 - fractionBits);
}
