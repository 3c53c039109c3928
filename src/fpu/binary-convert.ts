/** Conversions of SSE (Intel SDM vol. 1, 4.9.1, 11.5.2; vol. 2, CVTxx). */

import { type BinaryFormat, decodeBinary, isNaNOperand, signedInfinity, signedZero } from './binary-float.js';
import { roundBinary, shiftAndRound } from './binary-round.js';
import { denormalOperand, invalidOperation, precisionLoss, roundTowardZero } from './environment.js';
import type { SseEnvironment } from './mxcsr.js';

/** float32 to float64 or back. */
export function convertFormat(env: SseEnvironment, from: BinaryFormat, to: BinaryFormat, bits: bigint): bigint {
  const x = decodeBinary(from, bits, env.denormalsAreZero);
  if (isNaNOperand(x)) {
    if (x.class === 'signalingNaN') env.before |= invalidOperation;
    // The payload keeps its upper bits.
    const fraction = bits & ((1n << BigInt(from.fractionBits)) - 1n);
    const by = BigInt(to.fractionBits - from.fractionBits);
    return signedInfinity(to, x.sign) | to.quietBit | (by > 0n ? fraction << by : fraction >> -by);
  }
  if (x.class === 'infinity') return signedInfinity(to, x.sign);
  if (x.class === 'zero') return signedZero(to, x.sign);
  if (x.denormal) env.before |= denormalOperand;
  return roundBinary(env, to, x.sign, x.exponent, x.significand);
}

const INDEFINITE = -0x8000_0000;

/** To a signed 32-bit integer; what does not fit, NaNs included, is the integer indefinite. */
export function convertToInteger(env: SseEnvironment, from: BinaryFormat, bits: bigint, truncate: boolean): number {
  const x = decodeBinary(from, bits, env.denormalsAreZero);
  if (x.class === 'zero') return 0;
  // 2^64 and more is no integer worth computing.
  if (x.class !== 'finite' || x.exponent > 64) {
    env.before |= invalidOperation;
    return INDEFINITE;
  }
  const rounded = shiftAndRound(truncate ? roundTowardZero : env.rounding, x.sign, x.significand, -x.exponent);
  const value = x.sign ? -rounded.value : rounded.value;
  if (value < -0x8000_0000n || value > 0x7fff_ffffn) {
    env.before |= invalidOperation;
    return INDEFINITE;
  }
  if (rounded.inexact) env.after |= precisionLoss;
  return Number(value);
}

export function convertFromInteger(env: SseEnvironment, to: BinaryFormat, value: number): bigint {
  if (value === 0) return 0n;
  return roundBinary(env, to, value < 0 ? 1 : 0, 0, BigInt(Math.abs(value)));
}
