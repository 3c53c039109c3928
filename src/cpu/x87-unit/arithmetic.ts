import { BIAS } from '../../isa/x87-stack.js';
import { I32, I64 } from '../../wasm/code.js';
import type { Local, Operand, RoutineBuilder } from '../../wasm/routine.js';
import {
  INTEGER_BIT,
  exponentOf,
  isExponentNormal,
  isNormal,
  isZero,
  round,
  roundingControl,
  signOf,
} from './rounding.js';

/**
 * FADD, FSUB, FMUL, FDIV and FSQRT of normal numbers and zeros, in every mode of the control word, with all
 * exceptions masked. Whatever else there is goes to `exactly`, which is `src/fpu`.
 */

/** Has the operation done by `src/fpu`; the result goes into the variables. */
export type Exactly = () => void;

interface Result {
  readonly m: Local;
  readonly e: Local;
}

export function resultVariables(r: RoutineBuilder): Result {
  return { m: r.variable(I64), e: r.variable(I32) };
}

/** The rounded value becomes the result, or the operation is done exactly: it overflows or is tiny. */
function conclude(
  r: RoutineBuilder,
  result: Result,
  high: Operand,
  low: Operand,
  x: Operand,
  sign: Operand,
  exactly: Exactly,
): void {
  const rounded = round(r, high, low, x, sign);
  r.when(
    isExponentNormal(r, rounded.x),
    () => {
      r.assign(result.m, rounded.m);
      r.assign(result.e, r.or(r.or(rounded.x, sign), rounded.flags));
    },
    exactly,
  );
}

function setZero(r: RoutineBuilder, result: Result, sign: Operand): void {
  r.assign(result.m, 0n);
  r.assign(result.e, sign);
}

/** The zero that equal magnitudes of different signs leave. */
function setCancelled(r: RoutineBuilder, result: Result): void {
  setZero(r, result, r.shl(r.eq(roundingControl(r), 1), 15));
}

/** a + b; for a − b the sign of b is changed, but for `exactly`. */
export function sum(
  r: RoutineBuilder,
  ma: Operand,
  ea: Operand,
  mb: Operand,
  eb: Operand,
  result: Result,
  exactly: Exactly,
): void {
  const xa = exponentOf(r, ea);
  const xb = exponentOf(r, eb);
  const swap = r.or(r.ltU(xa, xb), r.and(r.eq(xa, xb), r.ltU(ma, mb)));
  const large = r.select(swap, mb, ma);
  const small = r.select(swap, ma, mb);
  const x = r.select(swap, xb, xa);
  const xSmall = r.select(swap, xa, xb);
  const sign = signOf(r, r.select(swap, eb, ea));
  const smallFits = r.or(r.and(r.ltS(small, 0n), r.ne(xSmall, 0)), isZero(r, small, xSmall));
  r.when(
    r.and(isNormal(r, large, x), smallFits),
    () => {
      const { high, low } = shiftRight(r, small, r.sub(x, xSmall));
      const aligned = addAligned(r, large, high, low, x, sign, ea, eb);
      const { upper, lower, exponent } = aligned;
      r.when(
        r.ltS(upper, 0n),
        () => conclude(r, result, upper, lower, exponent, aligned.sign, exactly),
        // Hardly ever is it but for the last bits that they cancel.
        () => r.when(r.isZero(lower), () => setCancelled(r, result), exactly),
      );
    },
    () => {
      r.when(
        r.isZero(r.or(r.or(ma, mb), r.toWide(r.or(xa, xb)))),
        () => {
          // Zeros of one sign keep it.
          r.when(
            r.isZero(r.and(r.xor(ea, eb), 0x8000)),
            () => setZero(r, result, sign),
            () => setCancelled(r, result),
          );
        },
        exactly,
      );
    },
  );
}

/** `m` shifted right by `distance` ≥ 0 into 128 bits, the lowest of which may stand for more below it. */
function shiftRight(r: RoutineBuilder, m: Operand, distance: Operand): { high: Local; low: Local } {
  const high = r.variable(I64);
  const low = r.variable(I64);
  const count = r.toWide(distance);
  r.when(
    r.ltU(distance, 64),
    () => {
      r.assign(high, r.shrU(m, count));
      r.assign(low, r.shl(r.shl(m, 1n), r.sub(63n, count)));
    },
    () => {
      r.assign(high, 0n);
      // By 64 nothing is lost, by 65 one bit; from 66 on it is too little to know more about.
      const more = r.sub(count, 64n);
      const near = r.or(r.shrU(m, more), r.and(m, more));
      r.assign(low, r.select(r.ltU(distance, 66), near, r.toWide(r.ne(m, 0n))));
    },
  );
  return { high, low };
}

/**
 * `large` and (`high`, `low`) with the signs of two numbers, normalized; `sign` is that of `large`. If they cancel but
 * for `lower` or altogether, there is no integer bit.
 */
export function addAligned(
  r: RoutineBuilder,
  large: Operand,
  high: Operand,
  low: Operand,
  x: Operand,
  sign: Operand,
  ea: Operand,
  eb: Operand,
): { upper: Local; lower: Local; exponent: Local; sign: Local } {
  const result = {
    upper: r.variableLike(large),
    lower: r.variableLike(large),
    exponent: r.variableLike(x),
    sign: r.variableLike(x),
  };
  r.assign(result.sign, sign);
  r.when(
    signOf(r, r.xor(ea, eb)),
    () => {
      // Only with equal exponents, where nothing is lost, may it be the smaller one.
      const less = r.ltU(large, high);
      const rest = r.sub(r.sub(large, high), r.toWide(r.ne(low, 0n)));
      const magnitude = r.select(less, r.sub(0n, rest), rest);
      const negated = r.sub(0n, low);
      const zeros = r.clz(magnitude);
      r.assign(result.upper, r.or(r.shl(magnitude, zeros), r.shrU(r.shrU(negated, 1n), r.xor(zeros, 63n))));
      r.assign(result.lower, r.shl(negated, zeros));
      r.assign(result.exponent, r.sub(x, r.toNarrow(zeros)));
      r.assign(result.sign, r.xor(result.sign, r.shl(less, 15)));
    },
    () => {
      const total = r.add(large, high);
      const carried = r.ltU(total, large);
      const lost = r.or(r.or(r.shrU(low, 1n), r.and(low, 1n)), r.shl(total, 63n));
      r.assign(result.lower, r.select(carried, lost, low));
      r.assign(result.upper, r.select(carried, r.or(r.shrU(total, 1n), INTEGER_BIT), total));
      r.assign(result.exponent, r.add(x, carried));
    },
  );
  return result;
}

/** All 128 bits of a × b. */
function multiplyWide(r: RoutineBuilder, a: Operand, b: Operand): { high: Local; low: Local } {
  const [a0, a1] = [r.and(a, 0xffff_ffffn), r.shrU(a, 32n)];
  const [b0, b1] = [r.and(b, 0xffff_ffffn), r.shrU(b, 32n)];
  const low = r.mul(a0, b0);
  const middle = r.add(r.mul(a1, b0), r.shrU(low, 32n));
  const second = r.add(r.mul(a0, b1), r.and(middle, 0xffff_ffffn));
  const high = r.add(r.add(r.mul(a1, b1), r.shrU(middle, 32n)), r.shrU(second, 32n));
  return { high, low: r.mul(a, b) };
}

/** The product of normal numbers, normalized. */
export function productOf(
  r: RoutineBuilder,
  ma: Operand,
  xa: Operand,
  mb: Operand,
  xb: Operand,
): { upper: Local; lower: Local; x: Local } {
  const { high, low } = multiplyWide(r, ma, mb);
  const long = r.toNarrow(r.shrU(high, 63n));
  return {
    upper: r.select(r.ltS(high, 0n), high, r.or(r.shl(high, 1n), r.shrU(low, 63n))),
    lower: r.select(r.ltS(high, 0n), low, r.shl(low, 1n)),
    x: r.add(r.sub(r.add(xa, xb), BIAS), long),
  };
}

/** Zero where an operand is a zero and the other finite; else the operation is done exactly. */
function zeroOr(
  r: RoutineBuilder,
  ma: Operand,
  xa: Operand,
  mb: Operand,
  xb: Operand,
  sign: Operand,
  result: Result,
  exactly: Exactly,
): void {
  const zeroA = isZero(r, ma, xa);
  const zeroB = isZero(r, mb, xb);
  const fine = r.or(r.and(zeroA, r.or(zeroB, isNormal(r, mb, xb))), r.and(zeroB, isNormal(r, ma, xa)));
  r.when(fine, () => setZero(r, result, sign), exactly);
}

export function product(
  r: RoutineBuilder,
  ma: Operand,
  ea: Operand,
  mb: Operand,
  eb: Operand,
  result: Result,
  exactly: Exactly,
): void {
  const xa = exponentOf(r, ea);
  const xb = exponentOf(r, eb);
  const sign = signOf(r, r.xor(ea, eb));
  r.when(
    r.and(r.ltS(r.and(ma, mb), 0n), r.and(isExponentNormal(r, xa), isExponentNormal(r, xb))),
    () => {
      const { upper, lower, x } = productOf(r, ma, xa, mb, xb);
      conclude(r, result, upper, lower, x, sign, exactly);
    },
    () => zeroOr(r, ma, xa, mb, xb, sign, result, exactly),
  );
}

/**
 * One digit of base 2^32 of a quotient (Knuth, The Art of Computer Programming, 4.3.1, algorithm D): `rest` is less
 * than the divisor, whose halves are `upper` and `lower`; `next` is the dividend's next digit.
 */
function quotientDigit(r: RoutineBuilder, rest: Operand, next: Operand, upper: Operand, lower: Operand): Local {
  const digit = r.variable(I64);
  const over = r.variable(I64);
  r.assign(digit, r.divU(rest, upper));
  r.assign(over, r.sub(rest, r.mul(digit, upper)));
  const correct = (): void => {
    const much = r.ltU(r.or(r.shl(over, 32n), next), r.mul(digit, lower));
    r.when(r.or(r.ne(r.shrU(digit, 32n), 0n), much), () => {
      r.assign(digit, r.sub(digit, 1n));
      r.assign(over, r.add(over, upper));
      r.when(r.isZero(r.shrU(over, 32n)), () => {
        const still = r.ltU(r.or(r.shl(over, 32n), next), r.mul(digit, lower));
        r.assign(digit, r.sub(digit, r.toWide(r.or(r.ne(r.shrU(digit, 32n), 0n), still))));
      });
    });
  };
  correct();
  return digit;
}

/** What is below a result whose remainder is zero, less than half, or more; an exact half there is not. */
function remainderBits(r: RoutineBuilder, isNothing: Operand, isMore: Operand): Local {
  return r.select(isNothing, 0n, r.select(isMore, INTEGER_BIT | 1n, 1n));
}

export function quotient(
  r: RoutineBuilder,
  ma: Operand,
  ea: Operand,
  mb: Operand,
  eb: Operand,
  result: Result,
  exactly: Exactly,
): void {
  const xa = exponentOf(r, ea);
  const xb = exponentOf(r, eb);
  const sign = signOf(r, r.xor(ea, eb));
  r.when(
    r.and(r.ltS(r.and(ma, mb), 0n), r.and(isExponentNormal(r, xa), isExponentNormal(r, xb))),
    () => {
      // 128 bits by 64, so that the quotient has 64.
      const less = r.ltU(ma, mb);
      const high = r.select(less, ma, r.shrU(ma, 1n));
      const low = r.select(less, 0n, r.shl(ma, 63n));
      const [upper, lower] = [r.shrU(mb, 32n), r.and(mb, 0xffff_ffffn)];
      const [next, last] = [r.shrU(low, 32n), r.and(low, 0xffff_ffffn)];
      const first = quotientDigit(r, high, next, upper, lower);
      const rest = r.sub(r.or(r.shl(high, 32n), next), r.mul(first, mb));
      const second = quotientDigit(r, rest, last, upper, lower);
      const remainder = r.sub(r.or(r.shl(rest, 32n), last), r.mul(second, mb));
      const below = remainderBits(r, r.isZero(remainder), r.ltU(r.sub(mb, remainder), remainder));
      const x = r.sub(r.add(r.sub(xa, xb), BIAS), less);
      conclude(r, result, r.add(r.shl(first, 32n), second), below, x, sign, exactly);
    },
    () => r.when(r.and(isZero(r, ma, xa), isNormal(r, mb, xb)), () => setZero(r, result, sign), exactly),
  );
}

/** `(high, low)` − square of `root`, 128 bits with sign. */
function lessSquare(r: RoutineBuilder, high: Operand, low: Operand, root: Operand): { high: Local; low: Local } {
  const square = multiplyWide(r, root, root);
  const borrow = r.toWide(r.ltU(low, square.low));
  return { high: r.sub(r.sub(high, square.high), borrow), low: r.sub(low, square.low) };
}

export function root(r: RoutineBuilder, m: Operand, e: Operand, result: Result, exactly: Exactly): void {
  // A sign makes the exponent too large to be normal.
  r.when(
    isNormal(r, m, e),
    () => {
      // The root of m × 2^63 or 2^64, whose exponent is even, has 64 bits.
      const odd = r.isZero(r.and(e, 1));
      const high = r.select(odd, m, r.shrU(m, 1n));
      const low = r.select(odd, 0n, r.shl(m, 63n));
      // Nearly: 50 bits are right, and it is not too large by more than a few units.
      const near = r.integerFromU(r.mulReal(r.sqrtReal(r.realFromU(r.shrU(high, 12n))), r.real(2 ** 38)));
      const gap = lessSquare(r, high, low, near);
      const gapReal = r.addReal(r.mulReal(r.realFromS(gap.high), r.real(2 ** 64)), r.realFromU(gap.low));
      const step = r.integerFromS(r.divReal(gapReal, r.mulReal(r.realFromU(near), r.real(2))));
      const s = r.variable(I64);
      const restHigh = r.variable(I64);
      const restLow = r.variable(I64);
      r.assign(s, r.add(near, step));
      const rest = lessSquare(r, high, low, s);
      r.assign(restHigh, rest.high);
      r.assign(restLow, rest.low);
      r.when(
        r.ltS(restHigh, 0n),
        () => {
          // (s − 1)² is s² − 2(s − 1) − 1.
          r.assign(s, r.sub(s, 1n));
          const more = r.or(r.shl(s, 1n), 1n);
          const total = r.add(restLow, more);
          const carry = r.toWide(r.ltU(total, more));
          r.assign(restHigh, r.add(r.add(restHigh, r.shrU(s, 63n)), carry));
          r.assign(restLow, total);
        },
        () => {
          const twice = r.shl(s, 1n);
          const twiceHigh = r.shrU(s, 63n);
          const tooSmall = r.or(r.ltU(twiceHigh, restHigh), r.and(r.eq(twiceHigh, restHigh), r.ltU(twice, restLow)));
          r.when(tooSmall, () => {
            const less = r.or(twice, 1n);
            const borrow = r.toWide(r.ltU(restLow, less));
            r.assign(restHigh, r.sub(r.sub(restHigh, twiceHigh), borrow));
            r.assign(restLow, r.sub(restLow, less));
            r.assign(s, r.add(s, 1n));
          });
        },
      );
      // (s + 1/2)² is s² + s + 1/4.
      const more = r.or(r.ne(restHigh, 0n), r.ltU(s, restLow));
      const below = remainderBits(r, r.isZero(r.or(restHigh, restLow)), more);
      conclude(r, result, s, below, r.shrU(r.add(e, BIAS), 1), 0, exactly);
    },
    () => r.when(isZero(r, m, e), () => setZero(r, result, 0), exactly),
  );
}
