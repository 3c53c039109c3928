/**
 * Between the 32-bit and 64-bit formats of memory and registers
 * (FLD, FST m32fp and m64fp; Intel SDM vol. 1, 4.2.2, 8.5.4–8.5.6).
 */

import {
  denormalOperand,
  type FpuEnvironment,
  invalidOperation,
  overflow,
  precisionLoss,
  underflow,
} from './environment.js';
import {
  defaultNaN,
  effectiveExponent,
  exponentBias,
  type Float80,
  integerBit,
  isInfinity,
  isZero,
  makeFloat80,
  maximumExponent,
  zero,
} from './float80.js';
import { isNaN80, isSignalingNaN, isUnsupported, quieten } from './operands.js';
import { bitLength, overflowsToInfinity, shiftRightRounded } from './round.js';

interface NarrowFormat {
  readonly bits: number;
  /** Significand bits with the implied integer bit. */
  readonly precision: number;
  readonly bias: number;
  readonly maximumExponent: number;
}

const single: NarrowFormat = { bits: 32, precision: 24, bias: 127, maximumExponent: 0xff };
const double: NarrowFormat = { bits: 64, precision: 53, bias: 1023, maximumExponent: 0x7ff };

/**
 * The operand of an arithmetic instruction from the bits of a 32-bit float.
 * Exact: NaNs stay signaling; a denormal is noted for the operation's DE.
 */
export function operandFromFloat32(env: FpuEnvironment, bits: number): Float80 {
  return widen(env, single, BigInt(bits >>> 0));
}

/** The same from the bits of a 64-bit float. */
export function operandFromFloat64(env: FpuEnvironment, bits: bigint): Float80 {
  return widen(env, double, bits);
}

/** FLD m32fp. */
export function loadFloat32(env: FpuEnvironment, bits: number): Float80 {
  return load(env, operandFromFloat32(env, bits));
}

/** FLD m64fp. */
export function loadFloat64(env: FpuEnvironment, bits: bigint): Float80 {
  return load(env, operandFromFloat64(env, bits));
}

function load(env: FpuEnvironment, value: Float80): Float80 {
  // Even unmasked, DE does not keep a load from loading: the value is exact.
  if (env.memoryOperandDenormal) env.raise(denormalOperand);
  if (!isSignalingNaN(value)) return value;
  env.stop(invalidOperation);
  return quieten(value);
}

function widen(env: FpuEnvironment, format: NarrowFormat, bits: bigint): Float80 {
  const fractionBits = BigInt(format.precision - 1);
  const sign = Number(bits >> BigInt(format.bits - 1));
  const exponent = Number(bits >> fractionBits) & format.maximumExponent;
  const fraction = bits & ((1n << fractionBits) - 1n);
  const significand = fraction << (63n - fractionBits);
  if (exponent === format.maximumExponent) return makeFloat80(sign, maximumExponent, integerBit | significand);
  if (exponent !== 0) return makeFloat80(sign, exponent + exponentBias - format.bias, integerBit | significand);
  if (fraction === 0n) return zero(sign);
  env.memoryOperandDenormal = true;
  const shift = 64 - bitLength(significand);
  return makeFloat80(sign, 1 - shift + exponentBias - format.bias, significand << BigInt(shift));
}

/** FST m32fp: the 32 bits to store. */
export function toFloat32(env: FpuEnvironment, value: Float80): number {
  return Number(narrow(env, single, value));
}

/** FST m64fp: the 64 bits to store. */
export function toFloat64(env: FpuEnvironment, value: Float80): bigint {
  return narrow(env, double, value);
}

function pack(format: NarrowFormat, sign: number, exponent: number, fraction: bigint): bigint {
  return (BigInt(sign * (format.maximumExponent + 1) + exponent) << BigInt(format.precision - 1)) + fraction;
}

function narrow(env: FpuEnvironment, format: NarrowFormat, value: Float80): bigint {
  if (isUnsupported(value)) {
    env.stop(invalidOperation);
    return narrowNaN(format, defaultNaN);
  }
  if (isNaN80(value)) {
    if (isSignalingNaN(value)) env.stop(invalidOperation);
    return narrowNaN(format, quieten(value));
  }
  if (isInfinity(value)) return pack(format, value.sign, format.maximumExponent, 0n);
  if (isZero(value)) return pack(format, value.sign, 0, 0n);
  return narrowNumber(env, format, value);
}

function narrowNaN(format: NarrowFormat, value: Float80): bigint {
  const fraction = (value.significand & (integerBit - 1n)) >> BigInt(64 - format.precision);
  return pack(format, value.sign, format.maximumExponent, fraction);
}

/**
 * A store raises no DE. Unlike in registers, an unmasked overflow or underflow
 * stores nothing at all.
 */
function narrowNumber(env: FpuEnvironment, format: NarrowFormat, value: Float80): bigint {
  const { sign, significand } = value;
  const lead = 64 - bitLength(significand);
  let exponent = effectiveExponent(value) - lead - exponentBias + format.bias;
  const tinyShift = 1 - exponent;
  let rounded = shiftRightRounded(env, env.rounding, sign, significand, 64 - lead - format.precision);
  if (rounded >> BigInt(format.precision) !== 0n) {
    rounded >>= 1n;
    exponent++;
  }
  if (exponent >= format.maximumExponent) return narrowOverflow(env, format, sign);
  if (exponent <= 0) {
    if (!env.isMasked(underflow)) {
      env.stop(underflow);
      return 0n;
    }
    rounded = shiftRightRounded(env, env.rounding, sign, significand, 64 - lead - format.precision + tinyShift);
    if (env.inexact) env.raise(underflow);
    exponent = 1;
  }
  if (env.inexact) env.raise(precisionLoss);
  env.setC1(env.incremented);
  // The integer bit, where there is one, adds the one that is missing in the exponent.
  return pack(format, sign, exponent - 1, rounded);
}

function narrowOverflow(env: FpuEnvironment, format: NarrowFormat, sign: number): bigint {
  if (!env.isMasked(overflow)) {
    env.stop(overflow);
    return 0n;
  }
  env.raise(overflow | precisionLoss);
  const away = overflowsToInfinity(env.rounding, sign);
  env.setC1(away);
  return pack(format, sign, format.maximumExponent, away ? 0n : -1n);
}
