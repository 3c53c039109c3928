/**
 * FYL2X and FYL2XP1 in double-double: log2 m = log2(m c) − log2 c, where c = k/128 is near 1/m, so that m c = 1 + r
 * with |r| < 2^−7.4, and log2 c comes from a table.
 *
 * Error: ln(1 + r) = r (1 − r/2 + r²/3 − …) is cut off below 2^−95; the terms from r⁶/7 on are below 2^−47, so
 * float64 makes an error below 2^−97. m c − 1 is exact but for 2^−105 where c ≠ 1. Each of the dozen operations adds
 * less than 2^−101. Sums with the table and the exponent are at least a third of their larger operand: c = 1 wherever
 * the logarithm is near zero. So the result is off by less than 2^−90.
 */

import { DoubleDouble, doubleDoubles, polynomial } from './double-double.js';
import type { FpuEnvironment } from './environment.js';
import { isNormal, loadMantissa, powerOfTwo, roundFast } from './fast-rounding.js';
import { fixedArtanh, fixedDivide, fixedLog2E, fixedMultiply, fixedOne } from './fixed-point.js';
import { exponentBias, type Float80 } from './float80.js';

const steps = 128;
const firstStep = 90;
const lastStep = 182;
/** −log2(k/128) at index k − 90. */
const logarithms = doubleDoubles(lastStep - firstStep + 1, (index) => {
  const k = BigInt(index + firstStep);
  const ratio = fixedDivide(k - 128n, k + 128n);
  return -(fixedMultiply(fixedArtanh(ratio), fixedLog2E) << 1n);
});
const log2E = doubleDoubles(1, () => fixedLog2E);
/** ±1/(k + 1) */
const coefficients = doubleDoubles(13, (k) => (k % 2 === 0 ? fixedOne : -fixedOne) / BigInt(k + 1));

/** y × log2 x for normal x > 0 and y, unless the rounding is uncertain. */
export function fastLogarithm(env: FpuEnvironment, x: Float80, y: Float80): Float80 | undefined {
  if (x.sign === 1 || !isNormal(x) || !isNormal(y)) return undefined;
  const mantissa = loadMantissa(new DoubleDouble(), x, 1);
  let power = x.exponent - exponentBias;
  if (mantissa.high > Math.SQRT2) {
    mantissa.scale(0.5);
    power++;
  }
  return timesLogarithm(env, y, logarithmOf(mantissa).add(power, 0));
}

/** y × log2(x + 1) for normal x and y with 2^−60 ≤ |x| and 0.71 < x + 1 < 1.41, unless the rounding is uncertain. */
export function fastLogarithmPlusOne(env: FpuEnvironment, x: Float80, y: Float80): Float80 | undefined {
  const power = x.exponent - exponentBias;
  if (power < -60 || power > -2 || !isNormal(x) || !isNormal(y)) return undefined;
  const argument = loadMantissa(new DoubleDouble(), x, x.sign === 0 ? powerOfTwo(power) : -powerOfTwo(power));
  const { high, low } = argument;
  if (Math.abs(high) < 1 / 512) return timesLogarithm(env, y, logarithmNearOne(argument));
  if (high < -0.29 || high > 0.41) return undefined;
  // Exact: the sum has no more than 73 bits.
  const sum = argument.setSum(1, high);
  return timesLogarithm(env, y, logarithmOf(sum.setSum(sum.high, sum.low + low)));
}

function timesLogarithm(env: FpuEnvironment, y: Float80, logarithm: DoubleDouble): Float80 | undefined {
  const factor = loadMantissa(new DoubleDouble(), y, 1);
  logarithm.multiply(factor.high, factor.low);
  return roundFast(env, y.sign, logarithm, y.exponent - exponentBias);
}

/** log2 m for 0.707 < m < 1.415. */
function logarithmOf(m: DoubleDouble): DoubleDouble {
  const { high, low } = m;
  const k = Math.round(steps / high);
  const c = k / steps;
  m.setProduct(high, c);
  // The product is near 1, so the difference is exact.
  m.setSum(m.high - 1, m.low + low * c);
  const result = logarithmNearOne(m);
  return k === steps ? result : result.add(logarithms[2 * (k - firstStep)]!, logarithms[2 * (k - firstStep) + 1]!);
}

/** log2(1 + r) for |r| < 2^−7.4. */
function logarithmNearOne(r: DoubleDouble): DoubleDouble {
  const result = new DoubleDouble();
  polynomial(result, coefficients, 6, r.high, r.low);
  return result.multiply(r.high, r.low).multiply(log2E[0]!, log2E[1]!);
}
