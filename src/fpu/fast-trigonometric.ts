/**
 * FSIN, FCOS and FPTAN in double-double. The angle is reduced exactly by multiples of half the processor's π, then,
 * with s = k/32 near it and r the rest, |r| ≤ 1/64:
 *
 *   sin(s + r) = sin s + (cos s sin r − sin s (1 − cos r)),  cos(s + r) = cos s − (sin s sin r + cos s (1 − cos r))
 *
 * Error: sin r = r (1 − r²/6 + …) is cut off below 2^−104, 1 − cos r = r² (1/2 − r²/24 + …) below 2^−99; the terms
 * from r⁶ on are below 2^−45, so float64 makes an error below 2^−97. Each of the dozen other operations adds less than
 * 2^−101 of its result, and a sum with sin s or cos s is at least half of that; where k = 0 the sine is sin r itself.
 * So results are off by less than 2^−92, a tangent by less than 2^−90.
 */

import { DoubleDouble, doubleDoubles, polynomial } from './double-double.js';
import type { FpuEnvironment } from './environment.js';
import { isNormal, loadMantissa, powerOfTwo, roundFast } from './fast-rounding.js';
import { fixedCosine, fixedOne, fixedSine } from './fixed-point.js';
import { exponentBias, type Float80 } from './float80.js';

const steps = 32;
/** sin(k/32), cos(k/32) up to π/4. */
const sines = doubleDoubles(27, (k) => fixedSine((fixedOne * BigInt(k)) / 32n));
const cosines = doubleDoubles(27, (k) => fixedCosine((fixedOne * BigInt(k)) / 32n));

/** Half of the processor's π, 3.243F6A8885A308D3 (hexadecimal), in two pieces of 33 bits. */
const halfPiHigh = 0x1921fb544 * 2 ** -32;
const halfPiLow = 0x85a308d3 * 2 ** -65;

/** ±1/(2k + 1)! */
const sineCoefficients = doubleDoubles(6, (k) => inverseFactorial(2 * k + 1, k));
/** ±1/(2k + 2)! */
const cosineCoefficients = doubleDoubles(6, (k) => inverseFactorial(2 * k + 2, k));

function inverseFactorial(n: number, k: number): bigint {
  let value = k % 2 === 0 ? fixedOne : -fixedOne;
  for (let factor = 2; factor <= n; factor++) value /= BigInt(factor);
  return value;
}

/** Whether the fast paths are for this angle: 2^−45 ≤ |a| < 2^19. */
function isCommon(a: Float80): boolean {
  return a.exponent >= exponentBias - 45 && a.exponent < exponentBias + 19 && isNormal(a);
}

/**
 * A little less than π/4. Nearer to it the number of right angles to take off is not certain in float64, and since
 * the processor's π is not π, one more or less shows in the result.
 */
const largestAngle = 0.785398;

/** Sets `angle` to what is left of `a` without multiples of π/2, and returns how many, modulo 4; −1 if uncertain. */
function reduce(angle: DoubleDouble, a: Float80): number {
  const { high, low } = loadMantissa(angle, a, powerOfTwo(a.exponent - exponentBias));
  const count = Math.round(high * (2 / Math.PI));
  if (count !== 0) {
    // All terms are multiples of the last place of the operand or of 2^−65, below which the rest, less than 1, has
    // nothing. The products are of less than 53 bits.
    angle.setSum(high - count * halfPiHigh, -count * halfPiLow);
    const crumb = angle.low;
    angle.setSum(angle.high, low);
    angle.setSum(angle.high, angle.low + crumb);
  }
  if (Math.abs(angle.high) > largestAngle) return -1;
  if (a.sign === 0) return count & 3;
  angle.scale(-1);
  return -count & 3;
}

/** sin(angle + quadrant × π/2). */
function circular(angle: DoubleDouble, quadrant: number): DoubleDouble {
  // The functions of the magnitude: only the sine has a sign.
  const negative = angle.high < 0;
  const r = new DoubleDouble().set(angle.high, angle.low);
  if (negative) r.scale(-1);
  const k = Math.round(r.high * steps);
  if (k !== 0) r.setSum(r.high - k / steps, r.low);
  const square = new DoubleDouble().set(r.high, r.low).multiply(r.high, r.low);
  const sine = new DoubleDouble();
  polynomial(sine, sineCoefficients, 3, square.high, square.low);
  sine.multiply(r.high, r.low);
  const wantsSine = (quadrant & 1) === 0;
  const result = new DoubleDouble();
  if (wantsSine && k === 0) {
    result.set(sine.high, sine.low);
  } else {
    const one = wantsSine ? sines : cosines;
    const other = wantsSine ? cosines : sines;
    polynomial(result, cosineCoefficients, 2, square.high, square.low);
    result.multiply(-square.high, -square.low).multiply(one[2 * k]!, one[2 * k + 1]!);
    sine.multiply(other[2 * k]!, other[2 * k + 1]!);
    if (!wantsSine) sine.scale(-1);
    result.add(sine.high, sine.low).add(one[2 * k]!, one[2 * k + 1]!);
  }
  return (wantsSine && negative) !== ((quadrant & 2) !== 0) ? result.scale(-1) : result;
}

/** sin a of common angles, unless the rounding is uncertain. */
export function fastSine(env: FpuEnvironment, a: Float80): Float80 | undefined {
  if (!isCommon(a)) return undefined;
  const angle = new DoubleDouble();
  const quadrant = reduce(angle, a);
  return quadrant < 0 ? undefined : roundFast(env, 0, circular(angle, quadrant), 0);
}

/** cos a likewise. */
export function fastCosine(env: FpuEnvironment, a: Float80): Float80 | undefined {
  if (!isCommon(a)) return undefined;
  const angle = new DoubleDouble();
  const quadrant = reduce(angle, a);
  return quadrant < 0 ? undefined : roundFast(env, 0, circular(angle, quadrant + 1), 0);
}

/** tan a likewise. */
export function fastTangent(env: FpuEnvironment, a: Float80): Float80 | undefined {
  if (!isCommon(a)) return undefined;
  const angle = new DoubleDouble();
  const quadrant = reduce(angle, a);
  if (quadrant < 0) return undefined;
  const cosine = circular(angle, quadrant + 1);
  const result = circular(angle, quadrant).divide(cosine.high, cosine.low);
  return roundFast(env, 0, result, 0);
}
