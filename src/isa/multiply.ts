import type { Builder, Row, Size, Value } from './builder.js';
import * as flags from './flags.js';

/** MUL, IMUL, DIV, IDIV. */

const MULTIPLY_FLAGS = { writes: 'OC', undefined: 'SZAP' };
const DIVIDE_FLAGS = { undefined: 'OSZAPC' };
const DIVIDE_ERROR = 0;

/** The full product of two operands of `size` bits; i64 when size is 32. */
function product(b: Builder, size: Size, x: Value, y: Value, signed: boolean): { low: Value; high: Value } {
  if (size === 32) {
    const wide = signed ? b.mul(b.toWideS(x), b.toWideS(y)) : b.mul(b.toWideU(x), b.toWideU(y));
    return { low: b.toNarrow(wide), high: b.toNarrow(b.shrU(wide, b.const64(32n))) };
  }
  const full = signed ? b.mul(flags.signExtend(b, size, x), flags.signExtend(b, size, y)) : b.mul(x, y);
  return {
    low: flags.truncate(b, size, full),
    high: flags.truncate(b, size, b.shrU(full, b.const(size))),
  };
}

/** CF = OF = "the upper half says more than the lower". SF, ZF, PF follow the lower half, as processors do. */
function setProductFlags(b: Builder, size: Size, low: Value, high: Value, signed: boolean): void {
  const expected = signed ? flags.truncate(b, size, b.shrS(flags.signExtend(b, size, low), b.const(31))) : b.const(0);
  const overflow = b.ne(high, expected);
  flags.setResult(b, size, low, overflow, overflow);
}

/** One-operand multiplication: rDX:rAX (or AX) = rAX × operand. */
function multiplyAccumulator(signed: boolean): (b: Builder) => void {
  return (b) => {
    const size = b.form.size;
    const { low, high } = product(b, size, b.register(0, size), b.read(0), signed);
    if (size === 8) b.setRegister(0, 16, b.or(low, b.shl(high, b.const(8))));
    else {
      b.setRegister(0, size, low);
      b.setRegister(2, size, high);
    }
    setProductFlags(b, size, low, high, signed);
  };
}

/** Signed multiplication into a register, keeping the lower half. */
function multiplyInto(b: Builder, x: Value, y: Value): void {
  const size = b.form.size;
  const { low, high } = product(b, size, x, y, true);
  b.write(0, low);
  setProductFlags(b, size, low, high, true);
}

function divide(signed: boolean): (b: Builder) => void {
  return (b) => {
    const size = b.form.size;
    const divisor = b.read(0);
    if (size !== 32) {
      failIf(b, b.isZero(divisor));
      divideNarrow(b, size, divisor, signed);
      return;
    }
    const low = b.register(0, 32);
    const high = b.register(2, 32);
    const { quotient, remainder } = b.isExtension?.(high, low, signed)
      ? divide32(b, low, divisor, signed)
      : signed
        ? divide64Signed(b, high, low, divisor)
        : divide64(b, high, low, divisor);
    b.setRegister(0, 32, quotient);
    b.setRegister(2, 32, remainder);
  };
}

interface Divided {
  readonly quotient: Value;
  readonly remainder: Value;
}

function failIf(b: Builder, condition: Value): void {
  b.when(condition, () => b.fault(DIVIDE_ERROR));
}

/** EDX says no more than EAX does. */
function divide32(b: Builder, dividend: Value, divisor: Value, signed: boolean): Divided {
  failIf(b, b.isZero(divisor));
  if (signed) failIf(b, b.and(b.eq(dividend, b.const(0x8000_0000 | 0)), b.eq(divisor, b.const(-1))));
  const quotient = signed ? b.divS(dividend, divisor) : b.divU(dividend, divisor);
  return { quotient, remainder: b.sub(dividend, b.mul(quotient, divisor)) };
}

/** EDX:EAX by a 32-bit divisor. */
function divide64(b: Builder, high: Value, low: Value, divisor: Value): Divided {
  // The quotient fits just then; and nothing is less than zero.
  failIf(b, b.isZero(b.ltU(high, divisor)));
  const dividend = b.or(b.shl(b.toWideU(high), b.const64(32n)), b.toWideU(low));
  const quotient = b.toNarrow(b.divU(dividend, b.toWideU(divisor)));
  return { quotient, remainder: b.sub(low, b.mul(quotient, divisor)) };
}

function divide64Signed(b: Builder, high: Value, low: Value, divisor: Value): Divided {
  failIf(b, b.isZero(divisor));
  const dividend = b.or(b.shl(b.toWideU(high), b.const64(32n)), b.toWideU(low));
  // The one quotient that i64 cannot hold; it does not fit EAX either.
  const minimum = b.eq(dividend, b.const64(-(2n ** 63n)));
  failIf(b, b.and(minimum, b.eq(divisor, b.const(-1))));
  const whole = b.divS(dividend, b.toWideS(divisor));
  const quotient = b.toNarrow(whole);
  failIf(b, b.ne(whole, b.toWideS(quotient)));
  return { quotient, remainder: b.sub(low, b.mul(quotient, divisor)) };
}

/** DX:AX by 16 bits, or AX by 8 bits. */
function divideNarrow(b: Builder, size: Size, divisor: Value, signed: boolean): void {
  const dividend =
    size === 8
      ? signed
        ? b.signExtend16(b.register(0, 16))
        : b.register(0, 16)
      : b.or(b.shl(b.register(2, 16), b.const(16)), b.register(0, 16));
  const by = signed ? flags.signExtend(b, size, divisor) : divisor;
  if (signed && size === 16) {
    const minimum = b.eq(dividend, b.const(0x8000_0000 | 0));
    failIf(b, b.and(minimum, b.eq(by, b.const(-1))));
  }
  const quotient = signed ? b.divS(dividend, by) : b.divU(dividend, by);
  const low = flags.truncate(b, size, quotient);
  const back = signed ? flags.signExtend(b, size, low) : low;
  failIf(b, b.ne(quotient, back));
  const remainder = flags.truncate(b, size, b.sub(dividend, b.mul(quotient, by)));
  if (size === 8) b.setRegister(0, 16, b.or(low, b.shl(remainder, b.const(8))));
  else {
    b.setRegister(0, 16, low);
    b.setRegister(2, 16, remainder);
  }
}

export const MULTIPLY: readonly Row[] = [
  {
    name: 'mul',
    encodings: ['F6 /4 Eb', 'F7 /4 Ev'],
    access: 'r',
    flags: MULTIPLY_FLAGS,
    hot: true,
    semantics: multiplyAccumulator(false),
  },
  {
    name: 'imul',
    encodings: ['F6 /5 Eb', 'F7 /5 Ev'],
    access: 'r',
    flags: MULTIPLY_FLAGS,
    hot: true,
    semantics: multiplyAccumulator(true),
  },
  {
    name: 'imul',
    encodings: ['0F AF /r Gv,Ev'],
    flags: MULTIPLY_FLAGS,
    hot: true,
    semantics: (b) => multiplyInto(b, b.read(0), b.read(1)),
  },
  {
    name: 'imul',
    encodings: ['69 /r Gv,Ev,Iv', '6B /r Gv,Ev,sIb'],
    access: 'w,r,r',
    flags: MULTIPLY_FLAGS,
    hot: true,
    semantics: (b) => multiplyInto(b, b.read(1), b.read(2)),
  },
  { name: 'div', encodings: ['F6 /6 Eb', 'F7 /6 Ev'], access: 'r', flags: DIVIDE_FLAGS, semantics: divide(false) },
  { name: 'idiv', encodings: ['F6 /7 Eb', 'F7 /7 Ev'], access: 'r', flags: DIVIDE_FLAGS, semantics: divide(true) },
];
