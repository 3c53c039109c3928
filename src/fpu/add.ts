/** FADD, FSUB, FSUBR and their integer and memory forms (Intel SDM vol. 2, FADD and FSUB tables). */

import { type FpuEnvironment, roundDown } from './environment.js';
import { effectiveExponent, type Float80, infinity, isInfinity, isZero, zero } from './float80.js';
import { invalid, settleOperands, stopsAtDenormal } from './operands.js';
import { roundResult } from './round.js';

/** a + b. */
export function add(env: FpuEnvironment, a: Float80, b: Float80): Float80 {
  return settleOperands(env, a, b) ?? addNumbers(env, a, b, b.sign);
}

/** a − b. FSUBR is this with the operands exchanged. */
export function subtract(env: FpuEnvironment, a: Float80, b: Float80): Float80 {
  return settleOperands(env, a, b) ?? addNumbers(env, a, b, b.sign ^ 1);
}

/** `signB` replaces the sign of b, so that subtraction need not build a negated operand. */
function addNumbers(env: FpuEnvironment, a: Float80, b: Float80, signB: number): Float80 {
  const infiniteA = isInfinity(a);
  const infiniteB = isInfinity(b);
  if (infiniteA && infiniteB && a.sign !== signB) return invalid(env);
  if (stopsAtDenormal(env, a, b)) return a;
  if (infiniteA) return a;
  if (infiniteB) return infinity(signB);
  if (isZero(a) && isZero(b) && a.sign === signB) return zero(signB);
  if (effectiveExponent(a) < effectiveExponent(b)) return addOrdered(env, b, signB, a, a.sign);
  return addOrdered(env, a, a.sign, b, signB);
}

/** The exponent of `large` is at least that of `small`. */
function addOrdered(env: FpuEnvironment, large: Float80, signLarge: number, small: Float80, signSmall: number) {
  const exponentSmall = effectiveExponent(small);
  const distance = effectiveExponent(large) - exponentSmall;
  const same = signLarge === signSmall;
  // Farther apart than this the small operand matters only as a sticky bit.
  if (distance > 67) {
    const crumb = isZero(small) ? 0n : 1n;
    const shifted = large.significand << 3n;
    return roundResult(env, signLarge, effectiveExponent(large) - 3, same ? shifted + crumb : shifted - crumb);
  }
  const shifted = large.significand << BigInt(distance);
  const sum = same ? shifted + small.significand : shifted - small.significand;
  // x − x is +0 except when rounding down.
  if (sum === 0n) return zero(env.rounding === roundDown ? 1 : 0);
  if (sum < 0n) return roundResult(env, signSmall, exponentSmall, -sum);
  return roundResult(env, signLarge, exponentSmall, sum);
}
