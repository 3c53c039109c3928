/** FSCALE and FXTRACT (Intel SDM vol. 2, FSCALE and FXTRACT). */

import { type FpuEnvironment, roundTowardZero, zeroDivide } from './environment.js';
import {
  effectiveExponent,
  exponentBias,
  type Float80,
  infinity,
  isInfinity,
  isZero,
  makeFloat80,
  zero,
} from './float80.js';
import { roundedMagnitude, fromInteger } from './convert-integer.js';
import { invalid, settleOperand, settleOperands, stopsAtDenormal } from './operands.js';
import { bitLength, roundResult } from './round.js';

/** Beyond this every scale factor has the same effect. */
const scaleLimit = 0x10000n;

/** FSCALE: a × 2^b with b truncated to an integer. */
export function scale(env: FpuEnvironment, a: Float80, b: Float80): Float80 {
  const settled = settleOperands(env, a, b);
  if (settled !== undefined) return settled;
  if (isInfinity(b)) {
    if (b.sign === 0 ? isZero(a) : isInfinity(a)) return invalid(env);
    if (stopsAtDenormal(env, a)) return a;
    return b.sign === 0 ? infinity(a.sign) : zero(a.sign);
  }
  if (stopsAtDenormal(env, a, b)) return a;
  if (isInfinity(a) || isZero(a)) return a;
  const magnitude = roundedMagnitude(env, b, roundTowardZero) ?? scaleLimit;
  const distance = Number(magnitude < scaleLimit ? magnitude : scaleLimit);
  const exponent = effectiveExponent(a) + (b.sign === 1 ? -distance : distance);
  return roundResult(env, a.sign, exponent, a.significand, 64);
}

export interface Extracted {
  /** The unbiased exponent as a number: what ST(0) is replaced by. */
  readonly exponent: Float80;
  /** The significand with exponent zero: what is pushed. */
  readonly significand: Float80;
}

/** FXTRACT. */
export function extract(env: FpuEnvironment, a: Float80): Extracted {
  const settled = settleOperand(env, a);
  if (settled !== undefined) return { exponent: settled, significand: settled };
  if (isInfinity(a)) return { exponent: infinity(0), significand: a };
  if (isZero(a)) {
    env.stop(zeroDivide);
    return { exponent: infinity(1), significand: a };
  }
  stopsAtDenormal(env, a);
  const shift = 64 - bitLength(a.significand);
  return {
    exponent: fromInteger(BigInt(effectiveExponent(a) - shift - exponentBias)),
    significand: makeFloat80(a.sign, exponentBias, a.significand << BigInt(shift)),
  };
}
