/**
 * Double-double arithmetic for routines: a number is the unevaluated sum of two float64, `high` and `low`, where |low|
 * is at most half a unit in the last place of `high`: 106 bits or so (T. J. Dekker, "A floating-point technique for
 * extending the available precision", 1971).
 *
 * Errors, as long as nothing overflows or underflows: a product or quotient is off by less than 2^−101 of itself, a
 * sum by less than 2^−103 of the larger operand, a sum of two float64 by nothing.
 */

import { fractionBits } from '../../fpu/index.js';
import type { Local, Operand, RoutineBuilder } from '../../wasm/routine.js';

export interface DoubleDouble {
  readonly high: Local;
  readonly low: Local;
}

/** 2^27 + 1 splits a float64 into halves of 26 bits, whose products are exact. */
const SPLITTER = 134217729;

export class DoubleDoubleBuilder {
  constructor(private readonly r: RoutineBuilder) {}

  /** a + b − sum exactly, where `sum` is a + b rounded. */
  private sumError(a: Operand, b: Operand, sum: Operand): Local {
    const { r } = this;
    const fromB = r.subReal(sum, a);
    return r.addReal(r.subReal(a, r.subReal(sum, fromB)), r.subReal(b, fromB));
  }

  private split(a: Operand): DoubleDouble {
    const { r } = this;
    const big = r.mulReal(r.real(SPLITTER), a);
    const high = r.subReal(big, r.subReal(big, a));
    return { high, low: r.subReal(a, high) };
  }

  /** a × b − product exactly, where `product` is a × b rounded. */
  private productError(a: Operand, b: Operand, product: Operand): Local {
    return this.errorOfHalves(this.split(a), this.split(b), product);
  }

  private errorOfHalves(x: DoubleDouble, y: DoubleDouble, product: Operand): Local {
    const { r } = this;
    const most = r.addReal(r.subReal(r.mulReal(x.high, y.high), product), r.mulReal(x.high, y.low));
    return r.addReal(r.addReal(most, r.mulReal(x.low, y.high)), r.mulReal(x.low, y.low));
  }

  /** high + low, of which `high` is by far the larger. */
  private normalize(high: Operand, low: Operand): DoubleDouble {
    const { r } = this;
    const sum = r.addReal(high, low);
    return { high: sum, low: r.subReal(low, r.subReal(sum, high)) };
  }

  /** The sum of any two float64. */
  sum(a: Operand, b: Operand): DoubleDouble {
    const sum = this.r.addReal(a, b);
    return { high: sum, low: this.sumError(a, b, sum) };
  }

  /** The product of two float64. */
  product(a: Operand, b: Operand): DoubleDouble {
    const product = this.r.mulReal(a, b);
    return { high: product, low: this.productError(a, b, product) };
  }

  add(x: DoubleDouble, y: DoubleDouble): DoubleDouble {
    const { r } = this;
    const sum = r.addReal(x.high, y.high);
    return this.normalize(sum, r.addReal(this.sumError(x.high, y.high, sum), r.addReal(x.low, y.low)));
  }

  multiply(x: DoubleDouble, y: DoubleDouble): DoubleDouble {
    const { r } = this;
    const product = r.mulReal(x.high, y.high);
    const crossed = r.addReal(r.mulReal(x.high, y.low), r.mulReal(x.low, y.high));
    return this.normalize(product, r.addReal(this.productError(x.high, y.high, product), crossed));
  }

  divide(x: DoubleDouble, y: DoubleDouble): DoubleDouble {
    const { r } = this;
    const quotient = r.divReal(x.high, y.high);
    const product = r.mulReal(quotient, y.high);
    const missing = r.subReal(r.subReal(x.high, product), this.productError(quotient, y.high, product));
    const rest = r.addReal(missing, r.subReal(x.low, r.mulReal(quotient, y.low)));
    return this.normalize(quotient, r.divReal(rest, y.high));
  }

  /** Times a power of two or its negative. */
  scale({ high, low }: DoubleDouble, power: Operand): DoubleDouble {
    const { r } = this;
    return { high: r.mulReal(high, power), low: r.mulReal(low, power) };
  }

  select(condition: Operand, whenTrue: DoubleDouble, whenFalse: DoubleDouble): DoubleDouble {
    const { r } = this;
    return {
      high: r.select(condition, whenTrue.high, whenFalse.high),
      low: r.select(condition, whenTrue.low, whenFalse.low),
    };
  }

  constant([high, low]: readonly [number, number]): DoubleDouble {
    return { high: this.r.real(high), low: this.r.real(low) };
  }

  /** Number `index` of the table at `offset`. */
  fromTable(offset: number, index: Operand): DoubleDouble {
    const { r } = this;
    const address = r.shl(index, 4);
    return { high: r.loadReal(address, offset), low: r.loadReal(address, offset + 8) };
  }

  /**
   * c0 + c1·x + c2·x² + …, where x is small: the coefficients from `exact` on are few bits of the result, so float64
   * does for them.
   *
   * |ck+1·x| is less than |ck|, so that half of a sum's operations suffice; and what is not normalized in between does
   * not have to be waited for: the upper parts go ahead. A step is off by less than 2^−103 of its product.
   */
  polynomial(coefficients: readonly (readonly [number, number])[], exact: number, x: DoubleDouble): DoubleDouble {
    const { r } = this;
    let index = coefficients.length - 1;
    let tail = r.real(coefficients[index]![0]);
    for (index--; index >= exact; index--) tail = r.addReal(r.mulReal(tail, x.high), r.real(coefficients[index]![0]));
    const factor = this.split(x.high);
    let sum: DoubleDouble = { high: tail, low: r.real(0) };
    for (; index >= 0; index--) {
      const coefficient = this.constant(coefficients[index]!);
      const product = r.mulReal(sum.high, x.high);
      const crossed = r.addReal(r.mulReal(sum.high, x.low), r.mulReal(sum.low, x.high));
      const below = r.addReal(this.errorOfHalves(this.split(sum.high), factor, product), crossed);
      const high = r.addReal(coefficient.high, product);
      const lost = r.subReal(product, r.subReal(high, coefficient.high));
      sum = { high, low: r.addReal(lost, r.addReal(below, coefficient.low)) };
    }
    return this.normalize(sum.high, sum.low);
  }
}

/** The nearest double-double of a fixed-point number (`src/fpu/fixed-point.ts`): `high`, `low`. */
export function doubleDouble(fixed: bigint): readonly [number, number] {
  const unit = 2 ** -fractionBits;
  const high = Number(fixed);
  return [high * unit, Number(fixed - BigInt(high)) * unit];
}
