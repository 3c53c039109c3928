/**
 * Packed decimal integers (FBLD, FBSTP; Intel SDM vol. 1, 4.7): 18 digits in
 * nine bytes, the sign in bit 7 of the tenth.
 */

import { type FpuEnvironment, invalidOperation, precisionLoss } from './environment.js';
import { type Float80, makeFloat80 } from './float80.js';
import { fromInteger, roundedMagnitude } from './convert-integer.js';

/** The ten bytes in memory: the low 64 bits and the high 16. */
export interface PackedDecimal {
  readonly low: bigint;
  readonly high: number;
}

const limit = 10n ** 18n;
/** The masked response of FBSTP to an invalid operation. */
const decimalIndefinite: PackedDecimal = { low: 0xc000_0000_0000_0000n, high: 0xffff };

/** FBLD. Digits above nine, undefined by the manual, count with their value. */
export function fromPackedDecimal(low: bigint, high: number): Float80 {
  let magnitude = 0n;
  for (let digit = (BigInt(high & 0xff) << 64n) | low, weight = 1n; digit !== 0n; digit >>= 4n, weight *= 10n)
    magnitude += (digit & 15n) * weight;
  const { exponent, significand } = fromInteger(magnitude);
  return makeFloat80((high >>> 15) & 1, exponent, significand);
}

/** FBSTP, without the pop. */
export function toPackedDecimal(env: FpuEnvironment, value: Float80): PackedDecimal {
  const magnitude = roundedMagnitude(env, value, env.rounding);
  if (magnitude === undefined || magnitude >= limit) {
    env.stop(invalidOperation);
    return decimalIndefinite;
  }
  if (env.inexact) env.raise(precisionLoss);
  env.setC1(env.incremented);
  const digits = BigInt(`0x${magnitude}`);
  return { low: BigInt.asUintN(64, digits), high: Number(digits >> 64n) | (value.sign << 15) };
}
