/** FPREM and FPREM1 (Intel SDM vol. 2, FPREM and FPREM1). */

import { conditionC0, conditionC1, conditionC2, conditionC3, type FpuEnvironment } from './environment.js';
import { effectiveExponent, type Float80, isInfinity, isZero, zero } from './float80.js';
import { invalid, settleOperands, stopsAtDenormal } from './operands.js';
import { leadingExponent, roundResult } from './round.js';

/** FPREM: the remainder of a ÷ b with the quotient truncated. */
export function partialRemainder(env: FpuEnvironment, a: Float80, b: Float80): Float80 {
  return remainder(env, a, b, false);
}

/** FPREM1: the remainder of IEEE 754, with the quotient rounded to nearest even. */
export function partialRemainderNearest(env: FpuEnvironment, a: Float80, b: Float80): Float80 {
  return remainder(env, a, b, true);
}

function remainder(env: FpuEnvironment, a: Float80, b: Float80, nearest: boolean): Float80 {
  env.setC2(false);
  const settled = settleOperands(env, a, b);
  if (settled !== undefined) return settled;
  if (isInfinity(a) || isZero(b)) return invalid(env);
  if (stopsAtDenormal(env, a, b)) return a;
  if (isZero(a) || isInfinity(b)) return keep(env, a);
  const distance = leadingExponent(a) - leadingExponent(b);
  if (distance < -1) return keep(env, a);
  return distance < 64 ? finish(env, a, b, nearest) : reducePartially(env, a, b, distance);
}

/** The quotient is zero. A denormal that stays is still a tiny result to an unmasked UE. */
function keep(env: FpuEnvironment, a: Float80): Float80 {
  setQuotient(env, 0n);
  return isZero(a) ? a : roundResult(env, a.sign, effectiveExponent(a), a.significand, 64);
}

/** The quotient is small enough to be formed completely: C2 = 0 and C0 C3 C1 its low three bits. */
function finish(env: FpuEnvironment, a: Float80, b: Float80, nearest: boolean): Float80 {
  const shift = effectiveExponent(a) - effectiveExponent(b);
  const dividend = shift > 0 ? a.significand << BigInt(shift) : a.significand;
  const divisor = shift < 0 ? b.significand << BigInt(-shift) : b.significand;
  let quotient = dividend / divisor;
  let rest = dividend - quotient * divisor;
  if (nearest) {
    const twice = rest << 1n;
    if (twice > divisor || (twice === divisor && (quotient & 1n) === 1n)) {
      quotient++;
      rest -= divisor;
    }
  }
  setQuotient(env, quotient);
  return reduce(env, a, rest, Math.min(effectiveExponent(a), effectiveExponent(b)));
}

/** Takes 32 to 63 bits off the exponent difference; C2 = 1 asks the program to repeat. */
function reducePartially(env: FpuEnvironment, a: Float80, b: Float80, distance: number): Float80 {
  const step = (distance & 31) | 32;
  const shift = effectiveExponent(a) - effectiveExponent(b) - (distance - step);
  const dividend = shift > 0 ? a.significand << BigInt(shift) : a.significand;
  const divisor = shift < 0 ? b.significand << BigInt(-shift) : b.significand;
  const rest = dividend % divisor;
  env.status = (env.status & ~(conditionC0 | conditionC1 | conditionC3)) | conditionC2;
  return reduce(env, a, rest, Math.min(effectiveExponent(a), effectiveExponent(a) - shift));
}

/** The rest at `exponent`, with the sign of the dividend if positive. Exact, so C1 is left to the quotient. */
function reduce(env: FpuEnvironment, dividend: Float80, rest: bigint, exponent: number): Float80 {
  const conditions = env.status & conditionC1;
  if (rest === 0n) return zero(dividend.sign);
  const sign = rest < 0n ? dividend.sign ^ 1 : dividend.sign;
  const result = roundResult(env, sign, exponent, rest < 0n ? -rest : rest, 64);
  env.status |= conditions;
  return result;
}

function setQuotient(env: FpuEnvironment, quotient: bigint): void {
  const low = Number(quotient & 7n);
  env.setConditions((low & 4) !== 0, false, (low & 2) !== 0);
  env.setC1((low & 1) !== 0);
}
