import type { Builder, Row, Size, Value } from './builder.js';
import * as flags from './flags.js';

/** Shifts and rotates (SDM vol. 2: RCL/RCR/ROL/ROR, SAL/SAR/SHL/SHR, SHLD, SHRD). */

function encodings(digit: number): string[] {
  return [
    `C0 /${digit} Eb,Ib`,
    `C1 /${digit} Ev,Ib`,
    `D0 /${digit} Eb,1`,
    `D1 /${digit} Ev,1`,
    `D2 /${digit} Eb,CL`,
    `D3 /${digit} Ev,CL`,
  ];
}

/** Reads operand 0 (for writing) and the count modulo 32. */
function counted(b: Builder, countOperand: number): { x: Value; count: Value } {
  return { x: b.read(0), count: b.and(b.read(countOperand), b.const(31)) };
}

/** A count of 0 leaves the flags alone. (The result is what the operand was, without a question.) */
function unlessZero(b: Builder, count: Value, apply: () => void): void {
  b.when(b.ne(count, b.const(0)), apply);
}

function topBit(b: Builder, size: Size, value: Value): Value {
  return b.and(b.shrU(value, b.const(size - 1)), b.const(1));
}

function shiftLeft(b: Builder): void {
  const size = b.form.size;
  const { x, count } = counted(b, 1);
  const result = flags.truncate(b, size, b.shl(x, count));
  b.write(0, result);
  unlessZero(b, count, () => {
    const cf = topBit(b, size, b.shl(x, b.sub(count, b.const(1))));
    flags.setResult(b, size, result, cf, b.xor(cf, topBit(b, size, result)));
  });
}

function shiftRight(signed: boolean): (b: Builder) => void {
  return (b) => {
    const size = b.form.size;
    const { x, count } = counted(b, 1);
    const source = signed ? flags.signExtend(b, size, x) : x;
    const shift = (by: Value): Value => (signed ? b.shrS(source, by) : b.shrU(source, by));
    const result = flags.truncate(b, size, shift(count));
    b.write(0, result);
    unlessZero(b, count, () => {
      const before = shift(b.sub(count, b.const(1)));
      const cf = b.and(before, b.const(1));
      // OF is defined for a count of 1 only: SHR gives the operand's top bit, SAR 0. For other counts
      // processors give the top bit of the value before the last step, which is the same formula.
      const of = signed ? b.const(0) : topBit(b, size, before);
      flags.setResult(b, size, result, cf, of);
    });
  };
}

/** ROL and ROR of `size` bits by a count already taken modulo 32. */
function rotate(left: boolean): (b: Builder) => void {
  return (b) => {
    const size = b.form.size;
    const { x, count } = counted(b, 1);
    const result = rotateLeft(b, size, x, left ? count : b.sub(b.const(0), count));
    b.write(0, result);
    unlessZero(b, count, () => {
      const low = b.and(result, b.const(1));
      const top = topBit(b, size, result);
      if (left) flags.setCarryOverflow(b, low, b.xor(low, top));
      else flags.setCarryOverflow(b, top, b.xor(top, b.and(b.shrU(result, b.const(size - 2)), b.const(1))));
    });
  };
}

function rotateLeft(b: Builder, size: Size, x: Value, count: Value): Value {
  if (size === 32) return b.rotl(x, count);
  // Copies of x fill 32 bits, so that a 32-bit rotate is a rotate of each copy.
  let filled = b.or(x, b.shl(x, b.const(size)));
  if (size === 8) filled = b.or(filled, b.shl(filled, b.const(16)));
  return flags.truncate(b, size, b.rotl(filled, count));
}

/** RCL and RCR: a rotate of size + 1 bits through CF, done in an i64. */
function rotateCarry(left: boolean): (b: Builder) => void {
  return (b) => {
    const size = b.form.size;
    const { x, count: count5 } = counted(b, 1);
    unlessZero(b, count5, () => {
      const width = size + 1;
      // Counts are modulo 32 first; 8- and 16-bit forms then modulo 9 and 17.
      const count = size === 32 ? count5 : b.remU(count5, b.const(width));
      unlessZero(b, count, () => {
        const whole = b.or(b.toWideU(x), b.shl(b.toWideU(flags.carry(b)), b.const64(BigInt(size))));
        const by = b.toWideU(count);
        const back = b.sub(b.const64(BigInt(width)), by);
        const rotated = left
          ? b.or(b.shl(whole, by), b.shrU(whole, back))
          : b.or(b.shrU(whole, by), b.shl(whole, back));
        const result = flags.truncate(b, size, b.toNarrow(rotated));
        const cf = b.and(b.toNarrow(b.shrU(rotated, b.const64(BigInt(size)))), b.const(1));
        b.write(0, result);
        const top = topBit(b, size, result);
        const of = left ? b.xor(cf, top) : b.xor(top, b.and(b.shrU(result, b.const(size - 2)), b.const(1)));
        flags.setCarryOverflow(b, cf, of);
      });
    });
  };
}

/** SHLD and SHRD. For 16-bit operands and counts above 16 the result is undefined; we do as Intel's processors do. */
function doubleShift(left: boolean): (b: Builder) => void {
  return (b) => {
    const size = b.form.size;
    const { x, count } = counted(b, 2);
    const filler = b.read(1);
    const { result, cf } =
      size === 32 ? doubleShift32(b, left, x, filler, count) : doubleShift16(b, left, x, filler, count);
    b.write(0, result);
    unlessZero(b, count, () => {
      const of = b.xor(topBit(b, size, result), topBit(b, size, x));
      flags.setResult(b, size, result, cf, of);
    });
  };
}

interface Shifted {
  readonly result: Value;
  /** Of any value if the count is 0. */
  readonly cf: Value;
}

function doubleShift32(b: Builder, left: boolean, x: Value, filler: Value, count: Value): Shifted {
  // In two steps, since none of the filler's 32 bits are to come in for a count of 0.
  const back = b.xor(count, b.const(31));
  const one = b.const(1);
  if (left) {
    const result = b.or(b.shl(x, count), b.shrU(b.shrU(filler, one), back));
    return { result, cf: b.and(b.shrU(x, b.sub(b.const(32), count)), one) };
  }
  const result = b.or(b.shrU(x, count), b.shl(b.shl(filler, one), back));
  return { result, cf: b.and(b.shrU(x, b.sub(count, one)), one) };
}

/** x:filler:x (left) or x:filler:x (right) in 48 bits, shifted in one piece. */
function doubleShift16(b: Builder, left: boolean, x: Value, filler: Value, count: Value): Shifted {
  const wide = (value: Value, at: bigint): Value => b.shl(b.toWideU(value), b.const64(at));
  const whole = b.or(b.or(wide(x, 32n), wide(filler, 16n)), b.toWideU(x));
  const by = b.toWideU(count);
  const shifted = left ? b.shrU(b.shl(whole, by), b.const64(31n)) : b.shrU(b.shl(whole, b.const64(1n)), by);
  // One extra bit is kept below (right) or above (left) the result: it is CF.
  const extra = left ? b.shrU(shifted, b.const64(17n)) : shifted;
  return {
    result: flags.truncate(b, 16, b.toNarrow(b.shrU(shifted, b.const64(1n)))),
    cf: b.and(b.toNarrow(extra), b.const(1)),
  };
}

const SHIFT = { writes: 'OSZPC', undefined: 'A' };
const ROTATE = { writes: 'OC' };

export const SHIFTS: readonly Row[] = [
  { name: 'rol', encodings: encodings(0), access: 'rw,r', flags: ROTATE, hot: true, semantics: rotate(true) },
  { name: 'ror', encodings: encodings(1), access: 'rw,r', flags: ROTATE, hot: true, semantics: rotate(false) },
  {
    name: 'rcl',
    encodings: encodings(2),
    access: 'rw,r',
    flags: { reads: 'C', writes: 'OC' },
    semantics: rotateCarry(true),
  },
  {
    name: 'rcr',
    encodings: encodings(3),
    access: 'rw,r',
    flags: { reads: 'C', writes: 'OC' },
    semantics: rotateCarry(false),
  },
  {
    name: 'shl',
    encodings: [...encodings(4), ...encodings(6)],
    access: 'rw,r',
    flags: SHIFT,
    hot: true,
    semantics: shiftLeft,
  },
  { name: 'shr', encodings: encodings(5), access: 'rw,r', flags: SHIFT, hot: true, semantics: shiftRight(false) },
  { name: 'sar', encodings: encodings(7), access: 'rw,r', flags: SHIFT, hot: true, semantics: shiftRight(true) },
  {
    name: 'shld',
    encodings: ['0F A4 /r Ev,Gv,Ib', '0F A5 /r Ev,Gv,CL'],
    access: 'rw,r,r',
    flags: SHIFT,
    semantics: doubleShift(true),
  },
  {
    name: 'shrd',
    encodings: ['0F AC /r Ev,Gv,Ib', '0F AD /r Ev,Gv,CL'],
    access: 'rw,r,r',
    flags: SHIFT,
    semantics: doubleShift(false),
  },
];
