import type { Builder, Size, Value } from './builder.js';

/**
 * The six arithmetic flags, kept as two words from which each is cheap to extract:
 *
 * - `flagsResult`: the last result, sign-extended to 32 bits. ZF = (result == 0).
 * - `flagsAux`: bit 31 CF; bit 30 CF^OF, so OF = bit 31 ^ bit 30; bit 3 AF;
 *   bits 8–15 are XORed with the result's low byte before its parity is PF; bit 0 is XORed with the
 *   result's sign to give SF.
 *
 * An instruction that computes both words and whose successor overwrites them costs a translator
 * nothing: they are pure values that die.
 */
const CF_BIT = 0x8000_0000 | 0;
const AUX_KEEP = 0xc000_0008 | 0;

/** Bits of FLAGS that `packFlags` and `unpackFlags` exchange. */
export const ARITHMETIC_MASK = 0x8d5;

export function signExtend(b: Builder, size: Size, value: Value): Value {
  return size === 8 ? b.signExtend8(value) : size === 16 ? b.signExtend16(value) : value;
}

/** The mask of `size` low bits. */
export function maskOf(size: Size): number {
  return size === 32 ? -1 : (1 << size) - 1;
}

export function truncate(b: Builder, size: Size, value: Value): Value {
  return size === 32 ? value : b.and(value, b.const(maskOf(size)));
}

function setFromCarries(b: Builder, size: Size, result: Value, carries: Value): void {
  b.setState('flagsResult', signExtend(b, size, result));
  if (size === 32) {
    b.setState('flagsAux', b.and(carries, b.const(AUX_KEEP)));
  } else {
    const top = b.and(b.shl(carries, b.const(32 - size)), b.const(0xc000_0000 | 0));
    b.setState('flagsAux', b.or(top, b.and(carries, b.const(8))));
  }
}

/** Flags of `result = x + y`, or `x + y + CF` with `carried`; operands zero-extended. */
export function setAdd(b: Builder, size: Size, x: Value, y: Value, result: Value, carried = false): void {
  setFromCarries(b, size, result, addCarries(b, x, y, result));
  if (!carried) b.flagsFrom?.('add', size, x, y, result);
}

/** Flags of `result = x − y`, or `x − y − CF` with `carried`. */
export function setSub(b: Builder, size: Size, x: Value, y: Value, result: Value, carried = false): void {
  setFromCarries(b, size, result, subBorrows(b, x, y, result));
  if (!carried) b.flagsFrom?.('sub', size, x, y, result);
}

/** Carry out of every bit position of an addition. */
function addCarries(b: Builder, x: Value, y: Value, result: Value): Value {
  return b.or(b.and(x, y), b.and(b.or(x, y), b.not(result)));
}

/** Borrow into every bit position of a subtraction, shifted the same way. */
function subBorrows(b: Builder, x: Value, y: Value, result: Value): Value {
  const notX = b.not(x);
  return b.or(b.and(notX, y), b.and(b.or(notX, y), result));
}

/** INC and DEC: as addition or subtraction of 1, with CF preserved. */
export function setIncDec(b: Builder, size: Size, x: Value, result: Value, decrement: boolean): void {
  const one = b.const(1);
  const carries = decrement ? subBorrows(b, x, one, result) : addCarries(b, x, one, result);
  const top = size === 32 ? carries : b.shl(carries, b.const(32 - size));
  const overflow = b.and(b.xor(top, b.shl(top, b.const(1))), b.const(CF_BIT));
  const carry = b.and(b.state('flagsAux'), b.const(CF_BIT));
  const bit30 = b.shrU(b.xor(carry, overflow), b.const(1));
  b.setState('flagsAux', b.or(b.or(carry, bit30), b.and(carries, b.const(8))));
  b.setState('flagsResult', signExtend(b, size, result));
}

/** AND, OR, XOR, TEST: CF = OF = 0 (AF undefined, here 0). */
export function setLogic(b: Builder, size: Size, result: Value): void {
  b.setState('flagsResult', signExtend(b, size, result));
  b.setState('flagsAux', b.const(0));
  b.flagsFrom?.('logic', size, result, result, result);
}

/** SF, ZF, PF from the result, CF and OF given as 0 or 1, AF 0: shifts and multiplications. */
export function setResult(b: Builder, size: Size, result: Value, cf: Value, of: Value): void {
  b.setState('flagsResult', signExtend(b, size, result));
  b.setState('flagsAux', b.or(b.shl(cf, b.const(31)), b.shl(b.xor(cf, of), b.const(30))));
}

/** CF and OF given as 0 or 1, the other four untouched: rotates. */
export function setCarryOverflow(b: Builder, cf: Value, of: Value): void {
  const rest = b.and(b.state('flagsAux'), b.const(0x3fff_ffff));
  b.setState('flagsAux', b.or(rest, b.or(b.shl(cf, b.const(31)), b.shl(b.xor(cf, of), b.const(30)))));
}

/** CF given as 0 or 1, the other five untouched. */
export function setCarry(b: Builder, cf: Value): void {
  setCarryOverflow(b, cf, overflow(b));
}

export function carry(b: Builder): Value {
  return b.shortCondition?.(2) ?? b.shrU(b.state('flagsAux'), b.const(31));
}

export function overflow(b: Builder): Value {
  const aux = b.state('flagsAux');
  return b.shrU(b.xor(aux, b.shl(aux, b.const(1))), b.const(31));
}

export function zero(b: Builder): Value {
  return b.isZero(b.state('flagsResult'));
}

export function sign(b: Builder): Value {
  return b.xor(b.shrU(b.state('flagsResult'), b.const(31)), b.and(b.state('flagsAux'), b.const(1)));
}

export function adjust(b: Builder): Value {
  return b.and(b.shrU(b.state('flagsAux'), b.const(3)), b.const(1));
}

export function parity(b: Builder): Value {
  const low = b.xor(b.state('flagsResult'), b.shrU(b.state('flagsAux'), b.const(8)));
  return b.and(b.not(b.popcnt(b.and(low, b.const(0xff)))), b.const(1));
}

/** Condition `cc` (0…15, SDM vol. 1 appendix B) as 0 or 1. */
export function condition(b: Builder, cc: number): Value {
  const short = b.shortCondition?.(cc);
  if (short) return short;
  let value: Value;
  switch (cc >> 1) {
    case 0:
      value = overflow(b);
      break;
    case 1:
      value = carry(b);
      break;
    case 2:
      value = zero(b);
      break;
    case 3:
      value = b.or(carry(b), zero(b));
      break;
    case 4:
      value = sign(b);
      break;
    case 5:
      value = parity(b);
      break;
    case 6:
      value = b.xor(sign(b), overflow(b));
      break;
    default:
      value = b.or(zero(b), b.xor(sign(b), overflow(b)));
  }
  return cc & 1 ? b.isZero(value) : value;
}

/** The six flags in their EFLAGS positions. */
export function packFlags(b: Builder): Value {
  const at = (value: Value, bit: number): Value => b.shl(value, b.const(bit));
  const low = b.or(b.or(carry(b), at(parity(b), 2)), b.or(at(adjust(b), 4), at(zero(b), 6)));
  return b.or(low, b.or(at(sign(b), 7), at(overflow(b), 11)));
}

/** Sets all six flags from a word with EFLAGS layout. */
export function unpackFlags(b: Builder, flags: Value): void {
  const bit = (n: number): Value => b.and(b.shrU(flags, b.const(n)), b.const(1));
  // A zero result has even parity; 0x100 is non-zero with the same low byte and sign.
  b.setState('flagsResult', b.shl(b.isZero(bit(6)), b.const(8)));
  const cf = bit(0);
  const top = b.or(b.shl(cf, b.const(31)), b.shl(b.xor(cf, bit(11)), b.const(30)));
  const oddParity = b.shl(b.isZero(bit(2)), b.const(8));
  b.setState('flagsAux', b.or(b.or(top, b.shl(bit(4), b.const(3))), b.or(oddParity, bit(7))));
}

/** ZF given as 0 or 1, the other five untouched. */
export function setZero(b: Builder, zf: Value): void {
  const rest = b.and(packFlags(b), b.const(ARITHMETIC_MASK & ~0x40));
  unpackFlags(b, b.or(rest, b.shl(zf, b.const(6))));
}
