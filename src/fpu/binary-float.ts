/**
 * float32 and float64 as bit patterns in bigints (Intel SDM vol. 1, 4.2.2). What SSE computes exactly and then rounds
 * is ±significand × 2^exponent.
 */

export interface BinaryFormat {
  readonly bits: 32 | 64;
  readonly fractionBits: number;
  readonly bias: number;
  /** The exponent field of infinities and NaNs. */
  readonly maximumExponent: number;
  readonly sign: bigint;
  readonly infinity: bigint;
  readonly quietBit: bigint;
  /** The NaN of invalid operations. */
  readonly defaultNaN: bigint;
}

function makeFormat(bits: 32 | 64, fractionBits: number): BinaryFormat {
  const exponentBits = bits - 1 - fractionBits;
  const maximumExponent = 2 ** exponentBits - 1;
  const sign = 1n << BigInt(bits - 1);
  const infinity = BigInt(maximumExponent) << BigInt(fractionBits);
  const quietBit = 1n << BigInt(fractionBits - 1);
  const bias = maximumExponent >> 1;
  return {
    bits,
    fractionBits,
    bias,
    maximumExponent,
    sign,
    infinity,
    quietBit,
    defaultNaN: sign | infinity | quietBit,
  };
}

export const FLOAT32_FORMAT = makeFormat(32, 23);
export const FLOAT64_FORMAT = makeFormat(64, 52);

export type BinaryClass = 'zero' | 'finite' | 'infinity' | 'quietNaN' | 'signalingNaN';

export interface BinaryOperand {
  readonly bits: bigint;
  readonly class: BinaryClass;
  /** 0 or 1. */
  readonly sign: number;
  readonly significand: bigint;
  /** Of the significand's lowest bit. */
  readonly exponent: number;
  readonly denormal: boolean;
}

/** With `denormalsAreZero`, denormals are zeros of their sign and nobody hears of it. */
export function decodeBinary(format: BinaryFormat, bits: bigint, denormalsAreZero = false): BinaryOperand {
  const sign = bits & format.sign ? 1 : 0;
  const field = Number((bits & format.infinity) >> BigInt(format.fractionBits));
  const fraction = bits & ((1n << BigInt(format.fractionBits)) - 1n);
  const make = (kind: BinaryClass, significand = 0n, exponent = 0, denormal = false): BinaryOperand => ({
    bits,
    class: kind,
    sign,
    significand,
    exponent,
    denormal,
  });
  if (field === format.maximumExponent) {
    if (fraction === 0n) return make('infinity');
    return make(fraction & format.quietBit ? 'quietNaN' : 'signalingNaN');
  }
  const lowest = 1 - format.bias - format.fractionBits;
  if (field > 0) return make('finite', fraction | (1n << BigInt(format.fractionBits)), lowest + field - 1);
  if (fraction === 0n) return make('zero');
  if (denormalsAreZero) return { ...make('zero'), bits: bits & format.sign };
  return make('finite', fraction, lowest, true);
}

export function isNaNOperand(operand: BinaryOperand): boolean {
  return operand.class === 'quietNaN' || operand.class === 'signalingNaN';
}

export function signedZero(format: BinaryFormat, sign: number): bigint {
  return sign ? format.sign : 0n;
}

export function signedInfinity(format: BinaryFormat, sign: number): bigint {
  return format.infinity | signedZero(format, sign);
}
