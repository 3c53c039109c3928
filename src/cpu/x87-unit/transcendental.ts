/**
 * F2XM1, FYL2X, FYL2XP1 and FPATAN in double-double, where the operands are common ones and the rounding is certain.
 * `trigonometric.ts` has the others.
 */

import { fixedLn2, fixedLog2E, fixedOne, fixedPi } from '../../fpu/index.js';
import { F64 } from '../../wasm/code.js';
import { BIAS } from '../../isa/x87-stack.js';
import type { Local, Operand, RoutineBuilder } from '../../wasm/routine.js';
import { type DoubleDouble, DoubleDoubleBuilder, doubleDouble } from './double-double.js';
import { exponentOf, isNormal, signOf } from './rounding.js';
import { type Demand, loadMantissa, powerOfTwo, roundTested, signFactor } from './rounding-test.js';
import { ANGLE_STEPS, EXPONENTIAL_STEPS, FIRST_LOGARITHM, LOGARITHM_STEPS, tableOffset } from './tables.js';

/** Significand, and exponent with flags. */
type Value = readonly [Local, Local];

function coefficients(count: number, fixed: (index: number) => bigint): (readonly [number, number])[] {
  return Array.from({ length: count }, (_, index) => doubleDouble(fixed(index)));
}

/** 1/(k + 1)! */
const EXPONENTIAL = coefficients(12, (k) => {
  let value = fixedOne;
  for (let n = 2; n <= k + 1; n++) value /= BigInt(n);
  return value;
});

/**
 * 2^a − 1 for 2^−60 ≤ |a| < 1: with k/32 near a, t = (a − k/32) ln 2 and T = 2^(k/32) − 1 from a table it is
 * (e^t − 1) + T (e^t − 1) + T.
 *
 * Error: e^t − 1 = t (1 + t/2 + t²/6 + …) with |t| < 2^−6.5 is cut off below 2^−100; the terms from t⁵/720 on are
 * below 2^−42, so float64 makes an error below 2^−93. Each of the ten other operations adds less than 2^−101.
 * The sum with T is at least a quarter of T, so this stays below 2^−90.
 */
export function exponentialMinusOne(r: RoutineBuilder, demand: Demand, m: Operand, e: Operand): Value {
  const d = new DoubleDoubleBuilder(r);
  const power = r.sub(exponentOf(r, e), BIAS);
  demand(r.ltU(r.add(power, 60), 60));
  demand(r.ltS(m, 0n));
  const a = loadMantissa(r, d, m, r.mulReal(signFactor(r, e), powerOfTwo(r, power)));
  const k = r.nearestReal(r.mulReal(a.high, r.real(EXPONENTIAL_STEPS)));
  // Exact, because the two are within a factor of two unless k is 0.
  const near = d.sum(r.subReal(a.high, r.mulReal(k, r.real(1 / EXPONENTIAL_STEPS))), a.low);
  const t = d.multiply(near, d.constant(doubleDouble(fixedLn2)));
  const grown = d.multiply(d.polynomial(EXPONENTIAL, 5, t), t);
  const index = r.add(r.toNarrow(r.integerFromS(k)), EXPONENTIAL_STEPS);
  const step = d.fromTable(tableOffset('powers'), index);
  return roundTested(r, demand, 0, d.add(d.add(grown, d.multiply(grown, step)), step), 0);
}

/** ±1/(k + 1) */
const LOGARITHM = coefficients(13, (k) => (k % 2 === 0 ? fixedOne : -fixedOne) / BigInt(k + 1));

/**
 * y × log2 x for normal x > 0 and y: log2 m = log2(m c) − log2 c, where c = k/128 is near 1/m, so that m c = 1 + t
 * with |t| < 2^−7.4, and log2 c comes from a table.
 *
 * Error: ln(1 + t) = t (1 − t/2 + t²/3 − …) is cut off below 2^−95; the terms from t⁶/7 on are below 2^−47, so
 * float64 makes an error below 2^−97. m c − 1 is exact but for 2^−105 where c ≠ 1. Each of the dozen operations adds
 * less than 2^−101. Sums with the table and the exponent are at least a third of their larger operand: c = 1 wherever
 * the logarithm is near zero. So the result is off by less than 2^−90.
 */
export function logarithm(
  r: RoutineBuilder,
  demand: Demand,
  mx: Operand,
  ex: Operand,
  my: Operand,
  ey: Operand,
): Value {
  const d = new DoubleDoubleBuilder(r);
  // A sign makes the exponent too large to be normal.
  demand(isNormal(r, mx, ex));
  demand(isNormal(r, my, exponentOf(r, ey)));
  const mantissa = loadMantissa(r, d, mx, r.real(1));
  const large = r.ltReal(r.real(Math.SQRT2), mantissa.high);
  const near = d.scale(mantissa, r.select(large, r.real(0.5), r.real(1)));
  const power = r.realFromS(r.sub(r.toWide(r.add(ex, large)), BigInt(BIAS)));
  const found = d.add(logarithmOf(r, d, near), { high: power, low: r.real(0) });
  return timesLogarithm(r, d, demand, my, ey, found);
}

/** y × log2(x + 1) for normal x and y with 2^−60 ≤ |x| and 0.71 < x + 1 < 1.41. */
export function logarithmPlusOne(
  r: RoutineBuilder,
  demand: Demand,
  mx: Operand,
  ex: Operand,
  my: Operand,
  ey: Operand,
): Value {
  const d = new DoubleDoubleBuilder(r);
  const power = r.sub(exponentOf(r, ex), BIAS);
  demand(r.ltU(r.add(power, 60), 59));
  demand(r.ltS(mx, 0n));
  demand(isNormal(r, my, exponentOf(r, ey)));
  const { high, low } = loadMantissa(r, d, mx, r.mulReal(signFactor(r, ex), powerOfTwo(r, power)));
  demand(r.ltReal(r.real(-0.29), high));
  demand(r.ltReal(high, r.real(0.41)));
  const found = { high: r.variable(F64), low: r.variable(F64) };
  const set = (value: DoubleDouble): void => {
    r.assign(found.high, value.high);
    r.assign(found.low, value.low);
  };
  r.when(
    r.ltReal(r.mulReal(high, high), r.real(2 ** -18)),
    () => set(logarithmNearOne(d, { high, low })),
    () => {
      // Exact: the sum has no more than 73 bits.
      const sum = d.sum(r.real(1), high);
      set(logarithmOf(r, d, d.sum(sum.high, r.addReal(sum.low, low))));
    },
  );
  return timesLogarithm(r, d, demand, my, ey, found);
}

function timesLogarithm(
  r: RoutineBuilder,
  d: DoubleDoubleBuilder,
  demand: Demand,
  my: Operand,
  ey: Operand,
  found: DoubleDouble,
): Value {
  const product = d.multiply(found, loadMantissa(r, d, my, r.real(1)));
  return roundTested(r, demand, signOf(r, ey), product, r.sub(exponentOf(r, ey), BIAS));
}

/** log2 m for 0.707 < m < 1.415. */
function logarithmOf(r: RoutineBuilder, d: DoubleDoubleBuilder, m: DoubleDouble): DoubleDouble {
  const k = r.nearestReal(r.divReal(r.real(LOGARITHM_STEPS), m.high));
  const c = r.mulReal(k, r.real(1 / LOGARITHM_STEPS));
  const product = d.product(m.high, c);
  // The product is near 1, so the difference is exact.
  const rest = d.sum(r.subReal(product.high, r.real(1)), r.addReal(product.low, r.mulReal(m.low, c)));
  const index = r.sub(r.toNarrow(r.integerFromS(k)), FIRST_LOGARITHM);
  return d.add(logarithmNearOne(d, rest), d.fromTable(tableOffset('logarithms'), index));
}

/** log2(1 + t) for |t| < 2^−7.4. */
function logarithmNearOne(d: DoubleDoubleBuilder, t: DoubleDouble): DoubleDouble {
  return d.multiply(d.multiply(d.polynomial(LOGARITHM, 6, t), t), d.constant(doubleDouble(fixedLog2E)));
}

/** ±1/(2k + 1) */
const ARCTANGENT = coefficients(9, (k) => (k % 2 === 0 ? fixedOne : -fixedOne) / BigInt(2 * k + 1));

/**
 * The angle of (x, y), both normal and within 2^60 of each other: with q the smaller of |x| and |y| divided by the
 * larger, arctan q = arctan(k/32) + arctan z, where k/32 is near q and z = (q − k/32) ÷ (1 + q k/32), |z| ≤ 1/64.
 *
 * Error: arctan z = z (1 − z²/3 + z⁴/5 − …) is cut off below 2^−110; the terms from z⁸/9 on are below 2^−51, so float64
 * makes an error below 2^−100. Each of the dozen other operations adds less than 2^−101 of the larger coordinate or of
 * the result, and the result is at least 1/65 unless k = 0, where nothing cancels. So it is off by less than 2^−90.
 */
export function arctangent(
  r: RoutineBuilder,
  demand: Demand,
  mx: Operand,
  ex: Operand,
  my: Operand,
  ey: Operand,
): Value {
  const d = new DoubleDoubleBuilder(r);
  const xx = exponentOf(r, ex);
  const xy = exponentOf(r, ey);
  const distance = r.sub(xy, xx);
  demand(r.ltU(r.add(distance, 60), 121));
  demand(isNormal(r, mx, xx));
  demand(isNormal(r, my, xy));
  // Both over the larger one's power of two.
  const higher = r.ltS(0, distance);
  const width = loadMantissa(r, d, mx, powerOfTwo(r, r.select(higher, r.sub(0, distance), 0)));
  const height = loadMantissa(r, d, my, powerOfTwo(r, r.select(higher, 0, distance)));
  const steep = r.ltReal(width.high, height.high);
  const flat = flatAngle(r, d, d.select(steep, height, width), d.select(steep, width, height));
  // Either stays as it is, or is taken from a multiple of π/2.
  const from = (whole: readonly [number, number], condition: Operand, angle: DoubleDouble): DoubleDouble => {
    const nothing = d.constant([0, 0]);
    const turned = d.scale(angle, r.select(condition, r.real(-1), r.real(1)));
    return d.add(turned, d.select(condition, d.constant(whole), nothing));
  };
  const ahead = from(doubleDouble(fixedPi >> 1n), steep, flat);
  const result = from(doubleDouble(fixedPi), signOf(r, ex), ahead);
  return roundTested(r, demand, signOf(r, ey), result, 0);
}

/** arctan(smaller ÷ larger). */
function flatAngle(
  r: RoutineBuilder,
  d: DoubleDoubleBuilder,
  larger: DoubleDouble,
  smaller: DoubleDouble,
): DoubleDouble {
  const k = r.nearestReal(r.mulReal(r.divReal(smaller.high, larger.high), r.real(ANGLE_STEPS)));
  const center = { high: r.mulReal(k, r.real(1 / ANGLE_STEPS)), low: r.real(0) };
  const minus = d.scale(d.multiply(larger, center), r.real(-1));
  const z = d.divide(d.add(smaller, minus), d.add(larger, d.multiply(smaller, center)));
  const angle = d.multiply(d.polynomial(ARCTANGENT, 4, d.multiply(z, z)), z);
  return d.add(angle, d.fromTable(tableOffset('angles'), r.toNarrow(r.integerFromS(k))));
}
