/** FMUL and its integer and memory forms (Intel SDM vol. 2, FMUL table). */

import type { FpuEnvironment } from './environment.js';
import { effectiveExponent, exponentBias, type Float80, infinity, isInfinity, isZero, zero } from './float80.js';
import { invalid, settleOperands, stopsAtDenormal } from './operands.js';
import { roundResult } from './round.js';

/** a × b. */
export function multiply(env: FpuEnvironment, a: Float80, b: Float80): Float80 {
  const settled = settleOperands(env, a, b);
  if (settled !== undefined) return settled;
  const sign = a.sign ^ b.sign;
  const infinite = isInfinity(a) || isInfinity(b);
  const empty = isZero(a) || isZero(b);
  if (infinite && empty) return invalid(env);
  if (stopsAtDenormal(env, a, b)) return a;
  if (infinite) return infinity(sign);
  if (empty) return zero(sign);
  const exponent = effectiveExponent(a) + effectiveExponent(b) - exponentBias - 63;
  return roundResult(env, sign, exponent, a.significand * b.significand);
}
