/**
 * What every arithmetic instruction does before arithmetic: unsupported
 * encodings, NaNs and denormals (Intel SDM vol. 1, 4.8.3.4–4.8.3.5, 8.5.1.2, 8.5.2).
 */

import { denormalOperand, type FpuEnvironment, invalidOperation } from './environment.js';
import {
  classify,
  defaultNaN,
  type Float80,
  integerBit,
  isDenormal,
  isFinite80,
  isInfinity,
  makeFloat80,
  maximumExponent,
  quietBit,
} from './float80.js';

/** A NaN with a proper integer bit, quiet or signaling. */
export function isNaN80(value: Float80): boolean {
  return value.exponent === maximumExponent && value.significand > integerBit;
}

export function isSignalingNaN(value: Float80): boolean {
  return isNaN80(value) && (value.significand & quietBit) === 0n;
}

/** Pseudo-NaN, pseudo-infinity or unnormal. */
export function isUnsupported(value: Float80): boolean {
  return value.exponent !== 0 && value.significand < integerBit;
}

export function quieten(value: Float80): Float80 {
  return makeFloat80(value.sign, value.exponent, value.significand | quietBit);
}

/** The masked response to an invalid operation. */
export function invalid(env: FpuEnvironment): Float80 {
  env.stop(invalidOperation);
  return defaultNaN;
}

/**
 * Raises DE if an operand is denormal. True if the instruction ends here.
 * Comes after the checks for invalid operands and operations: IE goes first.
 */
export function stopsAtDenormal(env: FpuEnvironment, a: Float80, b?: Float80): boolean {
  if (!isDenormal(a) && !(b !== undefined && isDenormal(b)) && !env.memoryOperandDenormal) return false;
  return env.stop(denormalOperand);
}

/** The result of a one-operand instruction for NaNs and unsupported encodings, else undefined. */
export function settleOperand(env: FpuEnvironment, a: Float80): Float80 | undefined {
  if (isFinite80(a) || isInfinity(a)) return undefined;
  if (isUnsupported(a)) return invalid(env);
  if ((a.significand & quietBit) === 0n) env.stop(invalidOperation);
  return quieten(a);
}

/** The result of a two-operand instruction if one is a NaN or unsupported, else undefined. */
export function settleOperands(env: FpuEnvironment, a: Float80, b: Float80): Float80 | undefined {
  if ((isFinite80(a) || isInfinity(a)) && (isFinite80(b) || isInfinity(b))) return undefined;
  if (isUnsupported(a) || isUnsupported(b)) return invalid(env);
  if (isSignalingNaN(a) || isSignalingNaN(b)) env.stop(invalidOperation);
  return chooseNaN(a, b);
}

/**
 * SDM vol. 1, table 4-7: of a signaling and a quiet NaN the quiet one, of two
 * alike the one with the larger significand (of equal ones the positive).
 */
function chooseNaN(a: Float80, b: Float80): Float80 {
  const classA = classify(a);
  const classB = classify(b);
  if (!isNaN80(a)) return quieten(b);
  if (!isNaN80(b)) return quieten(a);
  if (classA !== classB) return classA === 'quietNaN' ? a : b;
  if (a.significand !== b.significand) return quieten(a.significand > b.significand ? a : b);
  return quieten(a.sign === 0 ? a : b);
}
