/**
 * FPATAN in double-double: with q the smaller of |x| and |y| divided by the larger, arctan q = arctan(k/32) + arctan z,
 * where k/32 is near q and z = (q − k/32) ÷ (1 + q k/32), |z| ≤ 1/64.
 *
 * Error: arctan z = z (1 − z²/3 + z⁴/5 − …) is cut off below 2^−110; the terms from z⁸/9 on are below 2^−51, so float64
 * makes an error below 2^−100. Each of the dozen other operations adds less than 2^−101 of the larger coordinate or of
 * the result, and the result is at least 1/65 unless k = 0, where nothing cancels. So it is off by less than 2^−90.
 */

import { DoubleDouble, doubleDoubles, polynomial } from './double-double.js';
import type { FpuEnvironment } from './environment.js';
import { isNormal, loadMantissa, powerOfTwo, roundFast } from './fast-rounding.js';
import { fixedArctan, fixedOne, fixedPi } from './fixed-point.js';
import type { Float80 } from './float80.js';

const steps = 32;
/** arctan(k/32) */
const angles = doubleDoubles(steps + 1, (k) => fixedArctan((fixedOne * BigInt(k)) / 32n));
const pi = doubleDoubles(1, () => fixedPi);
/** ±1/(2k + 1) */
const coefficients = doubleDoubles(9, (k) => (k % 2 === 0 ? fixedOne : -fixedOne) / BigInt(2 * k + 1));

/** The angle of (x, y), both normal and within 2^60 of each other, unless the rounding is uncertain. */
export function fastArctangent(env: FpuEnvironment, x: Float80, y: Float80): Float80 | undefined {
  const distance = y.exponent - x.exponent;
  if (distance > 60 || distance < -60 || !isNormal(x) || !isNormal(y)) return undefined;
  // Both over the larger one's power of two.
  const width = loadMantissa(new DoubleDouble(), x, distance > 0 ? powerOfTwo(-distance) : 1);
  const height = loadMantissa(new DoubleDouble(), y, distance < 0 ? powerOfTwo(distance) : 1);
  const steep = height.high > width.high;
  const result = steep ? flatAngle(height, width) : flatAngle(width, height);
  if (steep) result.scale(-1).add(pi[0]! / 2, pi[1]! / 2);
  if (x.sign === 1) result.scale(-1).add(pi[0]!, pi[1]!);
  return roundFast(env, y.sign, result, 0);
}

/** arctan(smaller ÷ larger). */
function flatAngle(larger: DoubleDouble, smaller: DoubleDouble): DoubleDouble {
  const k = Math.round((smaller.high / larger.high) * steps);
  const z = new DoubleDouble().set(smaller.high, smaller.low);
  if (k !== 0) {
    const center = k / steps;
    const product = new DoubleDouble().set(larger.high, larger.low).multiply(center, 0);
    z.add(-product.high, -product.low);
    product.set(smaller.high, smaller.low).multiply(center, 0);
    larger.add(product.high, product.low);
  }
  z.divide(larger.high, larger.low);
  const square = new DoubleDouble().set(z.high, z.low).multiply(z.high, z.low);
  const result = new DoubleDouble();
  polynomial(result, coefficients, 4, square.high, square.low);
  result.multiply(z.high, z.low);
  return k === 0 ? result : result.add(angles[2 * k]!, angles[2 * k + 1]!);
}
