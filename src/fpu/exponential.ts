/** F2XM1 (Intel SDM vol. 2, F2XM1). */

import { type FpuEnvironment, precisionLoss } from './environment.js';
import { fixedExpMinusOne, fixedLn2, fixedMultiply, isTiny, roundFixed, toFixed } from './fixed-point.js';
import {
  effectiveExponent,
  exponentBias,
  type Float80,
  integerBit,
  isInfinity,
  isZero,
  makeFloat80,
  negativeOne,
} from './float80.js';
import { settleOperand, stopsAtDenormal } from './operands.js';

const negativeHalf = makeFloat80(1, exponentBias - 1, integerBit);

/** 2^a − 1 for −1 ≤ a ≤ 1. */
export function exponentialMinusOne(env: FpuEnvironment, a: Float80): Float80 {
  const settled = settleOperand(env, a);
  if (settled !== undefined) return settled;
  if (isInfinity(a)) return a.sign === 0 ? a : negativeOne;
  if (isZero(a)) return a;
  if (stopsAtDenormal(env, a)) return a;
  if (a.exponent >= exponentBias) {
    // Exact or not, the processor reports a loss of precision.
    env.raise(precisionLoss);
    // 2^−1 − 1 is exact, and so is 2^1 − 1, the operand. What is beyond comes back as it is:
    // undefined by the manual, done by processors.
    return a.sign === 1 && a.exponent === exponentBias && a.significand === integerBit ? negativeHalf : a;
  }
  if (isTiny(a)) {
    const scale = effectiveExponent(a) - exponentBias - 63;
    return roundFixed(env, a.sign, a.significand * fixedLn2, scale);
  }
  const t = fixedMultiply(toFixed(a), fixedLn2);
  const result = fixedExpMinusOne(a.sign === 0 ? t : -t);
  return roundFixed(env, a.sign, result < 0n ? -result : result);
}
