/** FDIV, FDIVR and their integer and memory forms (Intel SDM vol. 2, FDIV table). */

import { type FpuEnvironment, zeroDivide } from './environment.js';
import { effectiveExponent, exponentBias, type Float80, infinity, isInfinity, isZero, zero } from './float80.js';
import { invalid, settleOperands, stopsAtDenormal } from './operands.js';
import { roundResult } from './round.js';

/** Enough that the quotient of the smallest by the largest significand has 66 bits. */
const quotientShift = 130;

/** a ÷ b. FDIVR is this with the operands exchanged. */
export function divide(env: FpuEnvironment, a: Float80, b: Float80): Float80 {
  const settled = settleOperands(env, a, b);
  if (settled !== undefined) return settled;
  const sign = a.sign ^ b.sign;
  if ((isInfinity(a) && isInfinity(b)) || (isZero(a) && isZero(b))) return invalid(env);
  if (isZero(b) && !isInfinity(a)) {
    env.stop(zeroDivide);
    return infinity(sign);
  }
  if (stopsAtDenormal(env, a, b)) return a;
  if (isInfinity(a)) return infinity(sign);
  if (isZero(a) || isInfinity(b)) return zero(sign);
  const dividend = a.significand << BigInt(quotientShift);
  const quotient = dividend / b.significand;
  const sticky = quotient * b.significand === dividend ? 0n : 1n;
  const exponent = effectiveExponent(a) - effectiveExponent(b) + exponentBias + 63 - quotientShift;
  return roundResult(env, sign, exponent, quotient | sticky);
}
