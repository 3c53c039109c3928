/**
 * Fixed-point arithmetic for the transcendental instructions.
 *
 * A fixed-point number is a bigint that counts units of 2^−320. With arguments
 * of at least 2^−130 (smaller ones need no series) this leaves about 190 bits
 * after the leading one, so rounding to 64 bits is correct unless a result lies
 * within 2^−120 of a rounding boundary, which no 64-bit argument is known to.
 */

import type { FpuEnvironment } from './environment.js';
import { effectiveExponent, exponentBias, type Float80 } from './float80.js';
import { leadingExponent, roundResult } from './round.js';

export const fractionBits = 320;
const fraction = BigInt(fractionBits);
export const fixedOne = 1n << fraction;

/** π, ln 2 and log2 e, truncated. */
export const fixedPi = 0x3243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89452821e638d01377n;
export const fixedLn2 = 0xb17217f7d1cf79abc9e3b39803f2f6af40f343267298b62d8a0d175b8baafa2be7b876206debac98n;
export const fixedLog2E = 0x171547652b82fe1777d0ffda0d23a7d11d6aef551bad2b4b1164a2cd9a342648fbc3887eeaa2ed9acn;

/**
 * Whether a finite nonzero operand is below 2^−70. There sin x and tan x
 * differ from x by less than rounding to nearest sees, but do differ.
 */
export function isSmall(value: Float80): boolean {
  return leadingExponent(value) < exponentBias - 70;
}

/** Whether it is below 2^−130, where two terms of any series are one term rounded. */
export function isTiny(value: Float80): boolean {
  return leadingExponent(value) < exponentBias - 130;
}

export function fixedMultiply(a: bigint, b: bigint): bigint {
  return (a * b) >> fraction;
}

export function fixedDivide(a: bigint, b: bigint): bigint {
  return (a << fraction) / b;
}

/** The magnitude of a value that is not tiny. */
export function toFixed(value: Float80): bigint {
  const shift = effectiveExponent(value) - exponentBias - 63 + fractionBits;
  return shift >= 0 ? value.significand << BigInt(shift) : value.significand >> BigInt(-shift);
}

/** Rounds ±magnitude (irrational, hence never exact) × 2^scale to a register value with 64 bits. */
export function roundFixed(env: FpuEnvironment, sign: number, magnitude: bigint, scale = 0): Float80 {
  return roundResult(env, sign, exponentBias + 63 - fractionBits + scale, magnitude | 1n, 64);
}

/**
 * Rounds an operand times (1 ± ε), the result of every odd function near zero:
 * `grows` tells whether the true result is beyond the operand.
 */
export function roundNear(env: FpuEnvironment, value: Float80, grows: boolean): Float80 {
  const crumb = grows ? 1n : -1n;
  return roundResult(env, value.sign, effectiveExponent(value) - 70, (value.significand << 70n) + crumb, 64);
}

/** e^t − 1. */
export function fixedExpMinusOne(t: bigint): bigint {
  let sum = 0n;
  let term = t;
  for (let k = 2n; term > 1n || term < -1n; k++) {
    sum += term;
    term = fixedMultiply(term, t) / k;
  }
  return sum;
}

/** artanh z for |z| well below 1. */
export function fixedArtanh(z: bigint): bigint {
  return oddSeries(z, fixedMultiply(z, z));
}

/** arctan z for 0 ≤ z ≤ 1. */
export function fixedArctan(z: bigint): bigint {
  // Halving the angle three times brings z below 0.1.
  let halved = z;
  for (let i = 0; i < 3; i++) {
    const hypotenuse = fixedSquareRoot(fixedOne + fixedMultiply(halved, halved));
    halved = fixedDivide(halved, fixedOne + hypotenuse);
  }
  return oddSeries(halved, -fixedMultiply(halved, halved)) << 3n;
}

/** z + z·s/3 + z·s²/5 + … */
function oddSeries(z: bigint, s: bigint): bigint {
  let sum = 0n;
  let power = z;
  for (let k = 1n; power > 1n || power < -1n; k += 2n) {
    sum += power / k;
    power = fixedMultiply(power, s);
  }
  return sum;
}

/** sin r for |r| ≤ 1. */
export function fixedSine(r: bigint): bigint {
  return factorialSeries(r, fixedMultiply(r, r), 1n);
}

/** cos r for |r| ≤ 1. */
export function fixedCosine(r: bigint): bigint {
  return factorialSeries(fixedOne, fixedMultiply(r, r), 0n);
}

/** first · (1 − s/((n+1)(n+2)) + s²/((n+1)(n+2)(n+3)(n+4)) − …) */
function factorialSeries(first: bigint, s: bigint, n: bigint): bigint {
  let sum = 0n;
  let term = first;
  for (let k = n + 1n; term > 1n || term < -1n; k += 2n) {
    sum += term;
    term = -fixedMultiply(term, s) / (k * (k + 1n));
  }
  return sum;
}

/** √v for 1 ≤ v ≤ 2 by Newton's iteration, started from a double. */
function fixedSquareRoot(v: bigint): bigint {
  let root = BigInt(Math.floor(Math.sqrt(Number(v >> (fraction - 60n)) / 2 ** 60) * 2 ** 52)) << (fraction - 52n);
  for (let i = 0; i < 3; i++) root = (root + fixedDivide(v, root)) >> 1n;
  return root;
}
