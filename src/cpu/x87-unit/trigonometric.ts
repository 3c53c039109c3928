/**
 * FSIN, FCOS, FSINCOS and FPTAN in double-double, where 2^−45 ≤ |a| < 2^19 and the rounding is certain. The angle is
 * reduced exactly by multiples of half the processor's π, then, with s = k/32 near it and t the rest, |t| ≤ 1/64:
 *
 *   sin(s + t) = sin s + (cos s sin t − sin s (1 − cos t)),  cos(s + t) = cos s − (sin s sin t + cos s (1 − cos t))
 *
 * Error: sin t = t (1 − t²/6 + …) is cut off below 2^−104, 1 − cos t = t² (1/2 − t²/24 + …) below 2^−99; the terms
 * from t⁶ on are below 2^−45, so float64 makes an error below 2^−97. Each of the dozen other operations adds less than
 * 2^−101 of its result, and a sum with sin s or cos s is at least half of that; where k = 0 the sine is sin t itself.
 * So results are off by less than 2^−92, a tangent by less than 2^−90.
 */

import { fixedOne } from '../../fpu/index.js';
import { BIAS } from '../../isa/x87-stack.js';
import type { Local, Operand, RoutineBuilder } from '../../wasm/routine.js';
import { type DoubleDouble, DoubleDoubleBuilder, doubleDouble } from './double-double.js';
import { exponentOf, signOf } from './rounding.js';
import { type Demand, loadMantissa, powerOfTwo, roundTested, signFactor } from './rounding-test.js';
import { ANGLE_STEPS, tableOffset } from './tables.js';

/** Half of the processor's π, 3.243F6A8885A308D3 (hexadecimal), in two pieces of 33 bits. */
const HALF_PI_HIGH = 0x1921fb544 * 2 ** -32;
const HALF_PI_LOW = 0x85a308d3 * 2 ** -65;

/**
 * A little less than π/4. Nearer to it the number of right angles to take off is not certain in float64, and since
 * the processor's π is not π, one more or less shows in the result.
 */
const LARGEST_ANGLE = 0.785398;

/** ±1/(2k + 1)! and ±1/(2k + 2)! */
const SINE = Array.from({ length: 6 }, (_, k) => inverseFactorial(2 * k + 1, k));
const COSINE = Array.from({ length: 6 }, (_, k) => inverseFactorial(2 * k + 2, k));

function inverseFactorial(n: number, k: number): readonly [number, number] {
  let value = k % 2 === 0 ? fixedOne : -fixedOne;
  for (let factor = 2; factor <= n; factor++) value /= BigInt(factor);
  return doubleDouble(value);
}

/** Sine and cosine of the magnitude of an angle. */
interface Circle {
  readonly sine: DoubleDouble;
  readonly cosine: DoubleDouble;
  /** Right angles that were taken off, modulo 4. */
  readonly quadrant: Local;
  /** Of the angle that is left, in place of a register value's sign. */
  readonly sign: Local;
}

export class Trigonometric {
  private readonly d: DoubleDoubleBuilder;

  constructor(
    private readonly r: RoutineBuilder,
    private readonly demand: Demand,
  ) {
    this.d = new DoubleDoubleBuilder(r);
  }

  sine(m: Operand, e: Operand): readonly [Local, Local] {
    return this.round(this.circular(this.circle(m, e), 0));
  }
  cosine(m: Operand, e: Operand): readonly [Local, Local] {
    return this.round(this.circular(this.circle(m, e), 1));
  }
  both(m: Operand, e: Operand): { sine: readonly [Local, Local]; cosine: readonly [Local, Local] } {
    const circle = this.circle(m, e);
    return { sine: this.round(this.circular(circle, 0)), cosine: this.round(this.circular(circle, 1)) };
  }
  tangent(m: Operand, e: Operand): readonly [Local, Local] {
    const circle = this.circle(m, e);
    return this.round(this.d.divide(this.circular(circle, 0), this.circular(circle, 1)));
  }

  private round(value: DoubleDouble): readonly [Local, Local] {
    return roundTested(this.r, this.demand, 0, value, 0);
  }

  private circle(m: Operand, e: Operand): Circle {
    const { r, d, demand } = this;
    const power = r.sub(exponentOf(r, e), BIAS);
    demand(r.ltU(r.add(power, 45), 45 + 19));
    demand(r.ltS(m, 0n));
    const { high, low } = loadMantissa(r, d, m, powerOfTwo(r, power));
    const count = r.nearestReal(r.mulReal(high, r.real(2 / Math.PI)));
    // All terms are multiples of the last place of the operand or of 2^−65, below which the rest, less than 1, has
    // nothing. The products are of less than 53 bits.
    const first = d.sum(
      r.subReal(high, r.mulReal(count, r.real(HALF_PI_HIGH))),
      r.mulReal(count, r.real(-HALF_PI_LOW)),
    );
    const second = d.sum(first.high, low);
    const angle = d.sum(second.high, r.addReal(second.low, first.low));
    const magnitude = d.scale(angle, r.select(r.ltReal(angle.high, r.real(0)), r.real(-1), r.real(1)));
    demand(r.ltReal(magnitude.high, r.real(LARGEST_ANGLE)));
    const negative = r.shl(r.ltReal(angle.high, r.real(0)), 15);
    const taken = r.toNarrow(r.integerFromS(r.mulReal(count, signFactor(r, e))));
    return { ...this.ofMagnitude(magnitude), quadrant: r.and(taken, 3), sign: r.xor(negative, signOf(r, e)) };
  }

  /** Of an angle between 0 and π/4. */
  private ofMagnitude(angle: DoubleDouble): { sine: DoubleDouble; cosine: DoubleDouble } {
    const { r, d } = this;
    const k = r.nearestReal(r.mulReal(angle.high, r.real(ANGLE_STEPS)));
    const t = d.sum(r.subReal(angle.high, r.mulReal(k, r.real(1 / ANGLE_STEPS))), angle.low);
    const square = d.multiply(t, t);
    const sineOfRest = d.multiply(d.polynomial(SINE, 3, square), t);
    const cosineLessOne = d.multiply(d.polynomial(COSINE, 2, square), d.scale(square, r.real(-1)));
    const index = r.toNarrow(r.integerFromS(k));
    const sine = d.fromTable(tableOffset('sines'), index);
    const cosine = d.fromTable(tableOffset('cosines'), index);
    const minus = d.scale(sineOfRest, r.real(-1));
    return {
      sine: d.add(d.add(d.multiply(cosineLessOne, sine), d.multiply(sineOfRest, cosine)), sine),
      cosine: d.add(d.add(d.multiply(cosineLessOne, cosine), d.multiply(minus, sine)), cosine),
    };
  }

  /** sin(angle + (quadrant + further) × π/2). */
  private circular({ sine, cosine, quadrant, sign }: Circle, further: number): DoubleDouble {
    const { r, d } = this;
    const turns = r.add(quadrant, further);
    const wantsCosine = r.and(turns, 1);
    // Only the sine has the angle's sign.
    const negative = r.xor(r.select(wantsCosine, 0, sign), r.shl(r.and(turns, 2), 14));
    return d.scale(d.select(wantsCosine, cosine, sine), r.select(negative, r.real(-1), r.real(1)));
  }
}
