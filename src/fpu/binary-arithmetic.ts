/** Arithmetic of SSE on float32 and float64, exact and then rounded once (Intel SDM vol. 1, 4.8.3, 4.9, 11.5.2). */

import {
  type BinaryFormat,
  type BinaryOperand,
  decodeBinary,
  isNaNOperand,
  signedInfinity,
  signedZero,
} from './binary-float.js';
import { roundBinary } from './binary-round.js';
import { denormalOperand, invalidOperation, zeroDivide } from './environment.js';
import type { SseEnvironment } from './mxcsr.js';
import { bitLength } from './round.js';

/** Two operands to one result, all bit patterns. */
export type BinaryOperation = (env: SseEnvironment, format: BinaryFormat, a: bigint, b: bigint) => bigint;

function decode(env: SseEnvironment, format: BinaryFormat, bits: bigint): BinaryOperand {
  return decodeBinary(format, bits, env.denormalsAreZero);
}

function invalid(env: SseEnvironment, format: BinaryFormat): bigint {
  env.before |= invalidOperation;
  return format.defaultNaN;
}

/** The result with a NaN among the operands: the first of them, quieted (SDM vol. 1, table 4-7, for SSE). */
function propagateNaN(env: SseEnvironment, format: BinaryFormat, a: BinaryOperand, b: BinaryOperand): bigint {
  if (a.class === 'signalingNaN' || b.class === 'signalingNaN') env.before |= invalidOperation;
  return (isNaNOperand(a) ? a.bits : b.bits) | format.quietBit;
}

function noteDenormals(env: SseEnvironment, ...operands: readonly BinaryOperand[]): void {
  if (operands.some((operand) => operand.denormal)) env.before |= denormalOperand;
}

/** An operation that meets no NaN. */
function withoutNaN(
  compute: (env: SseEnvironment, format: BinaryFormat, a: BinaryOperand, b: BinaryOperand) => bigint,
): BinaryOperation {
  return (env, format, aBits, bBits) => {
    const a = decode(env, format, aBits);
    const b = decode(env, format, bBits);
    if (isNaNOperand(a) || isNaNOperand(b)) return propagateNaN(env, format, a, b);
    return compute(env, format, a, b);
  };
}

/** Farther than this below the other, a term only decides whether the sum is exact and how it rounds. */
const FAR = 128;

/** The operands, one that is far smaller replaced by a tiny one of its sign. */
function bringNear(a: BinaryOperand, b: BinaryOperand): readonly [BinaryOperand, BinaryOperand] {
  if (a.class === 'zero' || b.class === 'zero') return [a, b];
  const tiny = (of: BinaryOperand, other: BinaryOperand): BinaryOperand => ({
    ...of,
    significand: 1n,
    exponent: other.exponent - FAR,
  });
  if (a.exponent > b.exponent + FAR) return [a, tiny(b, a)];
  if (b.exponent > a.exponent + FAR) return [tiny(a, b), b];
  return [a, b];
}

function sum(env: SseEnvironment, format: BinaryFormat, a: BinaryOperand, b: BinaryOperand): bigint {
  if (a.class === 'infinity' && b.class === 'infinity' && a.sign !== b.sign) return invalid(env, format);
  noteDenormals(env, a, b);
  if (a.class === 'infinity') return signedInfinity(format, a.sign);
  if (b.class === 'infinity') return signedInfinity(format, b.sign);
  const [x, y] = bringNear(a, b);
  const exponent = Math.min(x.class === 'zero' ? y.exponent : x.exponent, y.class === 'zero' ? x.exponent : y.exponent);
  const term = (value: BinaryOperand): bigint => {
    const magnitude = value.class === 'zero' ? 0n : value.significand << BigInt(value.exponent - exponent);
    return value.sign ? -magnitude : magnitude;
  };
  const total = term(x) + term(y);
  if (total === 0n) {
    // Zeros of one sign keep it; a sum that cancels is +0, or -0 toward minus infinity.
    const sign = a.class === 'zero' && b.class === 'zero' && a.sign === b.sign ? a.sign : env.rounding === 1 ? 1 : 0;
    return signedZero(format, sign);
  }
  return roundBinary(env, format, total < 0n ? 1 : 0, exponent, total < 0n ? -total : total);
}

export const addBinary: BinaryOperation = withoutNaN(sum);

export const subtractBinary: BinaryOperation = withoutNaN((env, format, a, b) =>
  sum(env, format, a, { ...b, sign: 1 - b.sign }),
);

export const multiplyBinary: BinaryOperation = withoutNaN((env, format, a, b) => {
  const sign = a.sign ^ b.sign;
  const classes = [a.class, b.class];
  if (classes.includes('infinity') && classes.includes('zero')) return invalid(env, format);
  noteDenormals(env, a, b);
  if (classes.includes('infinity')) return signedInfinity(format, sign);
  if (classes.includes('zero')) return signedZero(format, sign);
  return roundBinary(env, format, sign, a.exponent + b.exponent, a.significand * b.significand);
});

export const divideBinary: BinaryOperation = withoutNaN((env, format, a, b) => {
  const sign = a.sign ^ b.sign;
  if (a.class === b.class && a.class !== 'finite') return invalid(env, format);
  if (b.class === 'zero' && a.class === 'finite') {
    env.before |= zeroDivide;
    return signedInfinity(format, sign);
  }
  noteDenormals(env, a, b);
  if (a.class === 'infinity' || b.class === 'zero') return signedInfinity(format, sign);
  if (a.class === 'zero' || b.class === 'infinity') return signedZero(format, sign);
  // Three bits more than the format has, and a sticky one.
  const shift = Math.max(0, format.fractionBits + 4 + bitLength(b.significand) - bitLength(a.significand));
  const dividend = a.significand << BigInt(shift);
  const quotient = dividend / b.significand;
  const sticky = quotient * b.significand === dividend ? 0n : 1n;
  return roundBinary(env, format, sign, a.exponent - b.exponent - shift - 1, (quotient << 1n) | sticky);
});

/** MIN and MAX: the second operand if either is a NaN or both are zeros. */
function extreme(choosesFirst: (a: number, b: number) => boolean): BinaryOperation {
  return (env, format, aBits, bBits) => {
    const a = decode(env, format, aBits);
    const b = decode(env, format, bBits);
    if (isNaNOperand(a) || isNaNOperand(b)) {
      env.before |= invalidOperation;
      return b.bits;
    }
    noteDenormals(env, a, b);
    return choosesFirst(orderOf(a), orderOf(b)) ? a.bits : b.bits;
  };
}

/** A number of the same order; exact since float64 holds both formats. */
function orderOf(x: BinaryOperand): number {
  const magnitude =
    x.class === 'zero'
      ? 0
      : x.class === 'infinity'
        ? Number.POSITIVE_INFINITY
        : scale(Number(x.significand), x.exponent);
  return x.sign ? -magnitude : magnitude;
}

/** value × 2^exponent where both steps are exact. */
function scale(value: number, exponent: number): number {
  return exponent < -1000 ? value * 2 ** (exponent + 100) * 2 ** -100 : value * 2 ** exponent;
}

export const minimumBinary: BinaryOperation = extreme((a, b) => a < b);
export const maximumBinary: BinaryOperation = extreme((a, b) => a > b);

/** The root of the second operand. */
export const squareRootBinary: BinaryOperation = (env, format, _, bits) => {
  const x = decode(env, format, bits);
  if (isNaNOperand(x)) return propagateNaN(env, format, x, x);
  if (x.class === 'zero') return x.bits;
  if (x.sign) return invalid(env, format);
  noteDenormals(env, x);
  if (x.class === 'infinity') return x.bits;
  // An even exponent, and twice the bits of the result.
  let shift = Math.max(0, 2 * (format.fractionBits + 4) - bitLength(x.significand));
  if ((x.exponent - shift) & 1) shift++;
  const radicand = x.significand << BigInt(shift);
  const root = integerRoot(radicand);
  const sticky = root * root === radicand ? 0n : 1n;
  return roundBinary(env, format, 0, (x.exponent - shift) / 2 - 1, (root << 1n) | sticky);
};

/** The largest integer whose square is at most `value`. */
function integerRoot(value: bigint): bigint {
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

export type Comparison = 'less' | 'equal' | 'greater' | 'unordered';

/** `signaling`: quiet NaNs are invalid too. */
export function compareBinary(
  env: SseEnvironment,
  format: BinaryFormat,
  aBits: bigint,
  bBits: bigint,
  signaling: boolean,
): Comparison {
  const a = decode(env, format, aBits);
  const b = decode(env, format, bBits);
  if (isNaNOperand(a) || isNaNOperand(b)) {
    if (signaling || a.class === 'signalingNaN' || b.class === 'signalingNaN') env.before |= invalidOperation;
    return 'unordered';
  }
  noteDenormals(env, a, b);
  const [x, y] = [orderOf(a), orderOf(b)];
  return x < y ? 'less' : x > y ? 'greater' : 'equal';
}
