/**
 * Double-double arithmetic: a number is the unevaluated sum of two float64,
 * `high` and `low`, where |low| is at most half a unit in the last place of
 * `high`: 106 bits or so (T. J. Dekker, "A floating-point technique for
 * extending the available precision", 1971).
 *
 * Errors, as long as nothing overflows or underflows: a product or quotient is
 * off by less than 2^−101 of itself, a sum by less than 2^−103 of the larger
 * operand, a sum of two float64 by nothing.
 */

import { fractionBits } from './fixed-point.js';

/** 2^27 + 1 splits a float64 into halves of 26 bits, whose products are exact. */
const splitter = 134217729;

/** a + b − sum exactly, where `sum` is a + b rounded. */
function sumError(a: number, b: number, sum: number): number {
  const fromB = sum - a;
  return a - (sum - fromB) + (b - fromB);
}

/** a × b − product exactly, where `product` is a × b rounded. */
function productError(a: number, b: number, product: number): number {
  const bigA = splitter * a;
  const highA = bigA - (bigA - a);
  const lowA = a - highA;
  const bigB = splitter * b;
  const highB = bigB - (bigB - b);
  const lowB = b - highB;
  return highA * highB - product + highA * lowB + lowA * highB + lowA * lowB;
}

/** An accumulator: operations change it and return it. */
export class DoubleDouble {
  high = 0;
  low = 0;

  set(high: number, low: number): this {
    this.high = high;
    this.low = low;
    return this;
  }

  /** Sets it to a + b for any a and b. */
  setSum(a: number, b: number): this {
    const sum = a + b;
    this.low = sumError(a, b, sum);
    this.high = sum;
    return this;
  }

  /** Sets it to a × b. */
  setProduct(a: number, b: number): this {
    const product = a * b;
    this.low = productError(a, b, product);
    this.high = product;
    return this;
  }

  add(high: number, low: number): this {
    const sum = this.high + high;
    return this.normalize(sum, sumError(this.high, high, sum) + (this.low + low));
  }

  multiply(high: number, low: number): this {
    const product = this.high * high;
    return this.normalize(product, productError(this.high, high, product) + (this.high * low + this.low * high));
  }

  divide(high: number, low: number): this {
    const quotient = this.high / high;
    const product = quotient * high;
    const rest = this.high - product - productError(quotient, high, product) + (this.low - quotient * low);
    return this.normalize(quotient, rest / high);
  }

  /** Times a power of two. */
  scale(power: number): this {
    this.high *= power;
    this.low *= power;
    return this;
  }

  /** Sets it to high + low, of which `high` is by far the larger. */
  private normalize(high: number, low: number): this {
    const sum = high + low;
    this.low = low - (sum - high);
    this.high = sum;
    return this;
  }
}

/** A list of constants: `high` of number n at 2n, `low` at 2n + 1. */
export type DoubleDoubles = Float64Array;

/** The nearest double-doubles of fixed-point numbers (see `fixed-point.ts`). */
export function doubleDoubles(count: number, fixed: (index: number) => bigint): DoubleDoubles {
  const unit = 2 ** -fractionBits;
  const list = new Float64Array(2 * count);
  for (let index = 0; index < count; index++) {
    const value = fixed(index);
    const high = Number(value);
    list[2 * index] = high * unit;
    list[2 * index + 1] = Number(value - BigInt(high)) * unit;
  }
  return list;
}

/**
 * Sets `sum` to c0 + c1·x + c2·x² + …, where x is small: the coefficients from `exact` on are few bits of the
 * result, so float64 does for them.
 */
export function polynomial(sum: DoubleDouble, list: DoubleDoubles, exact: number, high: number, low: number): void {
  let tail = 0;
  let index = list.length - 2;
  for (; index >= 2 * exact; index -= 2) tail = tail * high + list[index]!;
  sum.set(tail, 0);
  for (; index >= 0; index -= 2) sum.multiply(high, low).add(list[index]!, list[index + 1]!);
}
