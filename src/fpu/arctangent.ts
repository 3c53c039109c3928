/** FPATAN (Intel SDM vol. 2, FPATAN table). */

import type { FpuEnvironment } from './environment.js';
import { fixedArctan, fixedPi, fractionBits, roundFixed } from './fixed-point.js';
import { effectiveExponent, exponentBias, type Float80, isInfinity, isZero, zero } from './float80.js';
import { settleOperands, stopsAtDenormal } from './operands.js';
import { leadingExponent, roundResult } from './round.js';

/** The angle of the point (x, y), where x is ST(0) and y is ST(1). */
export function arctangent(env: FpuEnvironment, x: Float80, y: Float80): Float80 {
  const settled = settleOperands(env, x, y);
  if (settled !== undefined) return settled;
  if (stopsAtDenormal(env, x, y)) return y;
  const behind = x.sign === 1;
  if (isInfinity(y)) {
    if (!isInfinity(x)) return roundFixed(env, y.sign, fixedPi >> 1n);
    return roundFixed(env, y.sign, behind ? (fixedPi * 3n) >> 2n : fixedPi >> 2n);
  }
  if (isZero(y) || isInfinity(x)) return behind ? roundFixed(env, y.sign, fixedPi) : zero(y.sign);
  if (isZero(x)) return roundFixed(env, y.sign, fixedPi >> 1n);
  return angle(env, x, y, behind);
}

function angle(env: FpuEnvironment, x: Float80, y: Float80, behind: boolean): Float80 {
  const distance = leadingExponent(y) - leadingExponent(x);
  // Behind, this is π less nothing that counts.
  if (distance < -130 && behind) return roundFixed(env, y.sign, fixedPi);
  if (distance < -80 && !behind) return slopeOnly(env, x, y);
  if (distance > 130) return roundFixed(env, y.sign, (fixedPi >> 1n) + (behind ? 1n : -1n));
  // Both to the same scale; the larger has at least 64 bits.
  const shift = effectiveExponent(y) - effectiveExponent(x);
  const height = shift > 0 ? y.significand << BigInt(shift) : y.significand;
  const width = shift < 0 ? x.significand << BigInt(-shift) : x.significand;
  const steep = height > width;
  const ratio = ((steep ? width : height) << BigInt(fractionBits)) / (steep ? height : width);
  const flat = fixedArctan(ratio);
  const first = steep ? (fixedPi >> 1n) - flat : flat;
  return roundFixed(env, y.sign, behind ? fixedPi - first : first);
}

/** The quotient with 130 bits; the angle is a crumb less, which shows only if the quotient is exact. */
function slopeOnly(env: FpuEnvironment, x: Float80, y: Float80): Float80 {
  const dividend = y.significand << 194n;
  const quotient = dividend / x.significand;
  const crumb = quotient * x.significand === dividend ? -1n : 1n;
  const exponent = effectiveExponent(y) - effectiveExponent(x) + exponentBias + 63 - 195;
  return roundResult(env, y.sign, exponent, (quotient << 1n) + crumb, 64);
}
