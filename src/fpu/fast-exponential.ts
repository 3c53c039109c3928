/**
 * F2XM1 in double-double: 2^a − 1 = T + (1 + T) × (2^r − 1), where T = 2^(k/32) − 1 from a table and |r| ≤ 1/64.
 *
 * Error: e^t − 1 = t (1 + t/2 + t²/6 + …) with |t| < 2^−6.5 is cut off below 2^−100; the terms from t⁵/720 on are
 * below 2^−42, so float64 makes an error below 2^−93. Each of the ten other operations adds less than 2^−101.
 * The sum with T is at least a quarter of T, so this stays below 2^−90.
 */

import { DoubleDouble, doubleDoubles, polynomial } from './double-double.js';
import type { FpuEnvironment } from './environment.js';
import { isNormal, loadMantissa, powerOfTwo, roundFast } from './fast-rounding.js';
import { fixedExpMinusOne, fixedLn2, fixedOne } from './fixed-point.js';
import { exponentBias, type Float80 } from './float80.js';

const steps = 32;
/** 2^(k/32) − 1 at index k + 32. */
const powers = doubleDoubles(2 * steps + 1, (index) => fixedExpMinusOne((fixedLn2 * BigInt(index - steps)) / 32n));
const ln2 = doubleDoubles(1, () => fixedLn2);
/** 1/(k + 1)! */
const coefficients = doubleDoubles(12, (k) => {
  let value = fixedOne;
  for (let n = 2; n <= k + 1; n++) value /= BigInt(n);
  return value;
});

/** 2^a − 1 for 2^−60 ≤ |a| < 1, unless the rounding is uncertain. */
export function fastExponentialMinusOne(env: FpuEnvironment, a: Float80): Float80 | undefined {
  if (a.exponent < exponentBias - 60 || a.exponent >= exponentBias || !isNormal(a)) return undefined;
  const scale = powerOfTwo(a.exponent - exponentBias);
  const t = loadMantissa(new DoubleDouble(), a, a.sign === 0 ? scale : -scale);
  const k = Math.round(t.high * steps);
  // Exact, because the two are within a factor of two unless k is 0.
  t.setSum(t.high - k / steps, t.low).multiply(ln2[0]!, ln2[1]!);
  const result = new DoubleDouble();
  polynomial(result, coefficients, 5, t.high, t.low);
  result.multiply(t.high, t.low);
  if (k !== 0) {
    const high = powers[2 * (k + steps)]!;
    const low = powers[2 * (k + steps) + 1]!;
    t.set(result.high, result.low).multiply(high, low);
    result.add(t.high, t.low).add(high, low);
  }
  return roundFast(env, 0, result, 0);
}
