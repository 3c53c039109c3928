/** From an exact value to float32 or float64 (Intel SDM vol. 1, 4.8.4, 4.9.1.5, 4.9.1.6, 10.2.3.3). */

import { type BinaryFormat, signedInfinity, signedZero } from './binary-float.js';
import { overflow, precisionLoss, type Rounding, underflow } from './environment.js';
import type { SseEnvironment } from './mxcsr.js';
import { bitLength, overflowsToInfinity } from './round.js';

interface Shifted {
  readonly value: bigint;
  readonly inexact: boolean;
}

/** significand × 2^−shift as an integer. */
export function shiftAndRound(rounding: Rounding, sign: number, significand: bigint, shift: number): Shifted {
  if (shift <= 0) return { value: significand << BigInt(-shift), inexact: false };
  const by = BigInt(shift);
  const value = significand >> by;
  const lost = significand - (value << by);
  if (lost === 0n) return { value, inexact: false };
  const half = 1n << (by - 1n);
  const up = rounding === 0 ? lost > half || (lost === half && (value & 1n) === 1n) : rounding === 1 + (sign ? 0 : 1);
  return { value: up ? value + 1n : value, inexact: true };
}

/**
 * Rounds ±significand × 2^exponent, not zero. The lowest bit of the significand may stand for "and something more" if
 * it has at least two bits more than the format. What is returned with an unmasked exception is meaningless.
 */
export function roundBinary(
  env: SseEnvironment,
  format: BinaryFormat,
  sign: number,
  exponent: number,
  significand: bigint,
): bigint {
  const { fractionBits, bias } = format;
  const { rounding } = env;
  const excess = bitLength(significand) - fractionBits - 1;
  let rounded = shiftAndRound(rounding, sign, significand, excess);
  let lowest = exponent + excess;
  if (rounded.value >> BigInt(fractionBits + 1)) {
    rounded = { ...rounded, value: rounded.value >> 1n };
    lowest++;
  }
  const field = lowest + fractionBits + bias;
  // Tininess is judged after rounding with unbounded exponent.
  if (field < 1) {
    if (env.isMasked(underflow) && env.flushToZero) {
      env.after |= underflow | precisionLoss;
      return signedZero(format, sign);
    }
    const denormal = shiftAndRound(rounding, sign, significand, 1 - bias - fractionBits - exponent);
    // Unmasked, the result that a handler would get is the one with unbounded exponent: its exactness is meant.
    if (!env.isMasked(underflow)) env.after |= rounded.inexact ? underflow | precisionLoss : underflow;
    else if (denormal.inexact) env.after |= underflow | precisionLoss;
    // One too large to be a denormal carries into the exponent, as it should.
    return signedZero(format, sign) | denormal.value;
  }
  if (field >= format.maximumExponent) {
    env.after |= overflow;
    if (rounded.inexact || env.isMasked(overflow)) env.after |= precisionLoss;
    const infinity = signedInfinity(format, sign);
    return overflowsToInfinity(rounding, sign) ? infinity : infinity - 1n;
  }
  if (rounded.inexact) env.after |= precisionLoss;
  const fraction = rounded.value & ((1n << BigInt(fractionBits)) - 1n);
  return signedZero(format, sign) | (BigInt(field) << BigInt(fractionBits)) | fraction;
}
