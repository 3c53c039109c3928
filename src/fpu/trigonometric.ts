/**
 * FSIN, FCOS, FSINCOS and FPTAN (Intel SDM vol. 1, 8.3.8–8.3.10; vol. 2).
 *
 * Arguments are reduced with the 66-bit π of the processor, after which the
 * functions of the reduced argument are rounded correctly. From 2^63 on C2 is
 * set and the operand stays as it is.
 */

import type { FpuEnvironment } from './environment.js';
import {
  fixedCosine,
  fixedDivide,
  fixedSine,
  fractionBits,
  isSmall,
  roundFixed,
  roundNear,
  toFixed,
} from './fixed-point.js';
import { exponentBias, type Float80, isInfinity, isZero, maximumExponent, one } from './float80.js';
import { invalid, settleOperand, stopsAtDenormal } from './operands.js';

/** Half of the processor's π, 3.243F6A8885A308D3 (hexadecimal), in fixed point. */
const halfPi = 0x3243f6a8885a308d3n << BigInt(fractionBits - 65);

interface Reduced {
  /** Fixed point, between −π/4 and π/4. */
  readonly angle: bigint;
  /** The number of right angles taken off, modulo 4. */
  readonly quadrant: number;
}

function reduce(value: Float80): Reduced {
  const magnitude = toFixed(value);
  const count = (magnitude + (halfPi >> 1n)) / halfPi;
  const angle = magnitude - count * halfPi;
  const quadrant = Number(count & 3n);
  return value.sign === 0 ? { angle, quadrant } : { angle: -angle, quadrant: -quadrant & 3 };
}

/**
 * What all four have in common: the result if it needs no computing, else
 * undefined. Beyond the range C2 is set and the operand is the result.
 */
function settleAngle(env: FpuEnvironment, a: Float80): Float80 | undefined {
  env.setC2(false);
  const settled = settleOperand(env, a);
  if (settled !== undefined) return settled;
  if (isInfinity(a)) return invalid(env);
  if (a.exponent >= exponentBias + 63) {
    env.setC2(true);
    return a;
  }
  return stopsAtDenormal(env, a) ? a : undefined;
}

/** FSIN. */
export function sine(env: FpuEnvironment, a: Float80): Float80 {
  return settleAngle(env, a) ?? computeSine(env, a);
}

/** FCOS. */
export function cosine(env: FpuEnvironment, a: Float80): Float80 {
  return settleAngle(env, a) ?? computeCosine(env, a);
}

export interface SineAndCosine {
  /** Replaces ST(0). */
  readonly sine: Float80;
  /** Is pushed, unless C2 is set. */
  readonly cosine: Float80;
}

/** FSINCOS. */
export function sineAndCosine(env: FpuEnvironment, a: Float80): SineAndCosine {
  const settled = settleAngle(env, a);
  if (settled !== undefined) return { sine: settled, cosine: settled };
  // In this order, because C1 tells how the sine was rounded.
  const cos = computeCosine(env, a);
  return { sine: computeSine(env, a), cosine: cos };
}

/** FPTAN without the 1 it pushes (see `tangentPush`) unless C2 is set. */
export function tangent(env: FpuEnvironment, a: Float80): Float80 {
  const settled = settleAngle(env, a);
  if (settled !== undefined) return settled;
  if (isZero(a)) return a;
  if (isSmall(a)) return roundNear(env, a, true);
  const { angle, quadrant } = reduce(a);
  const sin = fixedSine(angle);
  const cos = fixedCosine(angle);
  return roundSigned(env, (quadrant & 1) === 0 ? fixedDivide(sin, cos) : -fixedDivide(cos, sin));
}

/** What FPTAN pushes after a result: 1, or the NaN again. */
export function tangentPush(result: Float80): Float80 {
  return result.exponent === maximumExponent ? result : one;
}

function computeSine(env: FpuEnvironment, a: Float80): Float80 {
  if (isZero(a)) return a;
  if (isSmall(a)) return roundNear(env, a, false);
  const { angle, quadrant } = reduce(a);
  return roundSigned(env, circular(angle, quadrant));
}

function computeCosine(env: FpuEnvironment, a: Float80): Float80 {
  if (isZero(a)) return one;
  if (isSmall(a)) return roundNear(env, one, false);
  const { angle, quadrant } = reduce(a);
  return roundSigned(env, circular(angle, quadrant + 1));
}

/** sin(angle + quadrant × π/2). */
function circular(angle: bigint, quadrant: number): bigint {
  const magnitude = (quadrant & 1) === 0 ? fixedSine(angle) : fixedCosine(angle);
  return (quadrant & 2) === 0 ? magnitude : -magnitude;
}

function roundSigned(env: FpuEnvironment, value: bigint): Float80 {
  return value < 0n ? roundFixed(env, 1, -value) : roundFixed(env, 0, value);
}
