/** FSQRT (Intel SDM vol. 2, FSQRT table). */

import type { FpuEnvironment } from './environment.js';
import { effectiveExponent, exponentBias, type Float80, isInfinity, isZero } from './float80.js';
import { invalid, settleOperand, stopsAtDenormal } from './operands.js';
import { bitLength, roundResult } from './round.js';

export function squareRoot(env: FpuEnvironment, a: Float80): Float80 {
  const settled = settleOperand(env, a);
  if (settled !== undefined) return settled;
  if (isZero(a)) return a;
  if (a.sign === 1) return invalid(env);
  if (stopsAtDenormal(env, a)) return a;
  if (isInfinity(a)) return a;
  // a = radicand × 2^(power − shift), the exponent even; 133 bits of radicand make 66 of root.
  const power = effectiveExponent(a) - exponentBias - 63;
  const shift = 132 + (power & 1);
  const radicand = a.significand << BigInt(shift);
  const root = integerSquareRoot(radicand);
  const sticky = root * root === radicand ? 0n : 1n;
  return roundResult(env, 0, (power - shift) / 2 + exponentBias + 63, root | sticky);
}

/** ⌊√n⌋ by Newton's iteration from above. */
export function integerSquareRoot(n: bigint): bigint {
  const length = bitLength(n);
  // The root of the leading bits is right to about 50 bits; two more make it an upper bound.
  const scale = Math.max(0, (length >> 1) - 50);
  let root = (BigInt(Math.floor(Math.sqrt(Number(n >> BigInt(2 * scale))))) + 2n) << BigInt(scale);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
