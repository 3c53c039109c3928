/**
 * The way between register values and double-doubles for the fast paths of the
 * transcendental instructions, with the rounding test of A. Ziv ("Fast
 * evaluation of elementary mathematical functions with correctly rounded last
 * bit", 1991): where the error could change the result or C1, there is no
 * result, and the exact path decides.
 */

import type { DoubleDouble } from './double-double.js';
import { type FpuEnvironment, precisionLoss } from './environment.js';
import { exponentBias, type Float80, integerBit, makeFloat80, maximumExponent } from './float80.js';

/** Results of fast paths are off by less than this, relative to themselves. */
export const fastErrorBits = 88;

/**
 * The test wants more distance, in units of the last place: 2^-20, while an error of 2^−88 of a significand below
 * 2^64 is 2^−24, and its own arithmetic loses 2^−42.
 */
const margin = 2 ** -20;

const two32 = 2 ** 32;
const largestPower = 160;
const powersOfTwo = Float64Array.from({ length: 2 * largestPower + 1 }, (_, index) => 2 ** (index - largestPower));

/** 2^power for −160 ≤ power ≤ 160. */
export function powerOfTwo(power: number): number {
  return powersOfTwo[power + largestPower]!;
}

/** Neither zero nor denormal, infinite, a NaN or unsupported. */
export function isNormal(value: Float80): boolean {
  return value.exponent !== 0 && value.exponent !== maximumExponent && value.significand >= integerBit;
}

/** Sets `mantissa` to the significand read as a number between 1 and 2, times `scale`, a power of two; exactly. */
export function loadMantissa(mantissa: DoubleDouble, value: Float80, scale: number): DoubleDouble {
  const high = Number(BigInt.asUintN(64, value.significand >> 32n)) * two32;
  const low = Number(BigInt.asUintN(32, value.significand));
  return mantissa.setSum(high, low).scale(scale * 2 ** -63);
}

/** The register value of ±value × 2^exponent with its flags, or undefined if that is uncertain or not normal. */
export function roundFast(
  env: FpuEnvironment,
  sign: number,
  value: DoubleDouble,
  exponent: number,
): Float80 | undefined {
  const negative = value.high < 0;
  const magnitude = negative ? -value.high : value.high;
  if (!(magnitude > 2 ** -150 && magnitude < 2 ** 150)) return undefined;
  const low = negative ? -value.low : value.low;
  // The logarithm may be rounded to the next integer; or `low` takes the number below its power of two.
  let leading = Math.floor(Math.log2(magnitude));
  if (powerOfTwo(leading) > magnitude || (powerOfTwo(leading) === magnitude && low < 0)) leading--;
  const scale = powerOfTwo(-leading);
  const scaled = magnitude * scale * 2 ** 31;
  let top = Math.floor(scaled);
  const units = low * scale * 2 ** 63;
  const whole = Math.floor(units);
  const fraction = units - whole;
  if (fraction < margin || fraction > 1 - margin || Math.abs(fraction - 0.5) < margin) return undefined;
  const resultSign = negative ? sign ^ 1 : sign;
  const away = roundsAway(env.rounding, resultSign, fraction);
  let bottom = (scaled - top) * two32 + whole + (away ? 1 : 0);
  if (bottom < 0) {
    bottom += two32;
    top--;
  } else if (bottom >= two32) {
    bottom -= two32;
    top++;
  }
  const biased = exponentBias + exponent + leading;
  // A carry out of bit 63 is rare enough for the exact path.
  if (top >= two32 || biased < 1 || biased >= maximumExponent) return undefined;
  env.raise(precisionLoss);
  env.setC1(away);
  return makeFloat80(resultSign, biased, (BigInt(top) << 32n) | BigInt(bottom));
}

function roundsAway(rounding: number, sign: number, fraction: number): boolean {
  if (rounding === 0) return fraction > 0.5;
  return rounding === (sign === 1 ? 1 : 2);
}
