/**
 * The double extended-precision format of the x87 (Intel SDM vol. 1, 4.2.2 and 8.2).
 *
 * 80 bits in memory: a 64-bit significand whose integer bit is explicit, then
 * 16 bits of sign and biased exponent. Values are immutable; every bit pattern
 * has exactly one `Float80`, so loading and storing never changes a bit.
 */

export interface Float80 {
  /** 0 or 1. */
  readonly sign: number;
  /** Biased by 16383, 0 … 0x7fff. */
  readonly exponent: number;
  /** 64 bits, the integer bit is bit 63. */
  readonly significand: bigint;
}

export const exponentBias = 16383;
export const maximumExponent = 0x7fff;
export const integerBit = 1n << 63n;
export const quietBit = 1n << 62n;

/**
 * What an operation has to know about an operand. `unsupported` are the
 * encodings the 8087 and 80287 had and later processors reject: pseudo-NaN,
 * pseudo-infinity and unnormal. A pseudo-denormal counts as `denormal`.
 */
export type Float80Class = 'zero' | 'denormal' | 'normal' | 'infinity' | 'quietNaN' | 'signalingNaN' | 'unsupported';

export function makeFloat80(sign: number, exponent: number, significand: bigint): Float80 {
  return { sign, exponent, significand };
}

/** From the memory image: the low 64 bits and the high 16 bits. */
export function unpackFloat80(low: bigint, high: number): Float80 {
  return { sign: (high >>> 15) & 1, exponent: high & 0x7fff, significand: low };
}

/** The high 16 bits of the memory image; the low 64 are the significand itself. */
export function signAndExponent(value: Float80): number {
  return (value.sign << 15) | value.exponent;
}

export function readFloat80(view: DataView, offset: number): Float80 {
  return unpackFloat80(view.getBigUint64(offset, true), view.getUint16(offset + 8, true));
}

export function writeFloat80(view: DataView, offset: number, value: Float80): void {
  view.setBigUint64(offset, value.significand, true);
  view.setUint16(offset + 8, signAndExponent(value), true);
}

export const positiveZero: Float80 = makeFloat80(0, 0, 0n);
export const negativeZero: Float80 = makeFloat80(1, 0, 0n);
export const one: Float80 = makeFloat80(0, exponentBias, integerBit);
export const negativeOne: Float80 = makeFloat80(1, exponentBias, integerBit);
/** The answer to a masked invalid operation ("real indefinite"). */
export const defaultNaN: Float80 = makeFloat80(1, maximumExponent, integerBit | quietBit);

export function zero(sign: number): Float80 {
  return sign === 0 ? positiveZero : negativeZero;
}

export function infinity(sign: number): Float80 {
  return makeFloat80(sign, maximumExponent, integerBit);
}

export function classify(value: Float80): Float80Class {
  const { exponent, significand } = value;
  if (exponent === 0) return significand === 0n ? 'zero' : 'denormal';
  if (significand < integerBit) return 'unsupported';
  if (exponent !== maximumExponent) return 'normal';
  if (significand === integerBit) return 'infinity';
  return (significand & quietBit) === 0n ? 'signalingNaN' : 'quietNaN';
}

export function isZero(value: Float80): boolean {
  return value.exponent === 0 && value.significand === 0n;
}

export function isDenormal(value: Float80): boolean {
  return value.exponent === 0 && value.significand !== 0n;
}

export function isInfinity(value: Float80): boolean {
  return value.exponent === maximumExponent && value.significand === integerBit;
}

/** True for zero, denormal and normal values, which is what arithmetic proper works on. */
export function isFinite80(value: Float80): boolean {
  return value.exponent === 0 || (value.exponent !== maximumExponent && value.significand >= integerBit);
}

/** The exponent a finite value really has: denormals share that of the smallest normal. */
export function effectiveExponent(value: Float80): number {
  return value.exponent === 0 ? 1 : value.exponent;
}

/** FABS. Never raises an exception, whatever the operand. */
export function absolute(value: Float80): Float80 {
  return value.sign === 0 ? value : makeFloat80(0, value.exponent, value.significand);
}

/** FCHS. Never raises an exception, whatever the operand. */
export function negate(value: Float80): Float80 {
  return makeFloat80(value.sign ^ 1, value.exponent, value.significand);
}
