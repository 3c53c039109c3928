import type { Builder, Row, Value } from './builder.js';

/**
 * MMX (SDM vol. 1, chapter 9). The registers are the significands of the x87 registers by physical number;
 * every instruction but EMMS makes TOP 0 and all tags valid, and `write64` sets sign and exponent to ones.
 *
 * Elements are worked on one by one in i32 where they saturate, compare or multiply, and all at once in an
 * i64 otherwise.
 */

type Width = 8 | 16 | 32;

/** The lower and the upper half of a register. */
interface Halves {
  readonly low: Value;
  readonly high: Value;
}

function halves(b: Builder, x: Value): Halves {
  return { low: b.toNarrow(x), high: b.toNarrow(b.shrU(x, b.const64(32n))) };
}

/** Elements from the lowest on, sign- or zero-extended. */
function split(b: Builder, x: Value, width: Width, signed: boolean): Value[] {
  const { low, high } = halves(b, x);
  if (width === 32) return [low, high];
  return [low, high].flatMap((word) =>
    Array.from({ length: 32 / width }, (_, i) => {
      const shift = i * width;
      if (signed) return b.shrS(b.shl(word, b.const(32 - width - shift)), b.const(32 - width));
      return b.and(b.shrU(word, b.const(shift)), b.const((1 << width) - 1));
    }),
  );
}

/** The low `width` bits of each element. */
function join(b: Builder, elements: readonly Value[], width: Width): Value {
  const count = elements.length / 2;
  const word = (from: number): Value => {
    let result: Value | undefined;
    for (let i = 0; i < count; i++) {
      const element = elements[from + i]!;
      const bits = width === 32 ? element : b.and(element, b.const((1 << width) - 1));
      const placed = i === 0 ? bits : b.shl(bits, b.const(i * width));
      result = result ? b.or(result, placed) : placed;
    }
    return result!;
  };
  return b.or(b.toWideU(word(0)), b.shl(b.toWideU(word(count)), b.const64(32n)));
}

/** Applies `apply` to each pair of elements. */
function each(
  b: Builder,
  x: Value,
  y: Value,
  width: Width,
  signed: boolean,
  apply: (x: Value, y: Value) => Value,
): Value {
  const second = split(b, y, width, signed);
  return join(
    b,
    split(b, x, width, signed).map((element, i) => apply(element, second[i]!)),
    width,
  );
}

/** Limits a signed i32 to [least, most]. */
function clamp(b: Builder, value: Value, least: number, most: number): Value {
  const notBelow = b.select(b.ltS(value, b.const(least)), b.const(least), value);
  return b.select(b.ltS(b.const(most), notBelow), b.const(most), notBelow);
}

function saturate(b: Builder, value: Value, width: Width, signed: boolean): Value {
  return signed ? clamp(b, value, -(2 ** (width - 1)), 2 ** (width - 1) - 1) : clamp(b, value, 0, 2 ** width - 1);
}

/** `pattern` in every element of `width` bits. */
function repeated(width: Width, pattern: bigint): bigint {
  let value = 0n;
  for (let at = 0; at < 64; at += width) value |= pattern << BigInt(at);
  return BigInt.asIntN(64, value);
}

/** Element-wise sum or difference modulo 2^width: top bits are kept out of the carries and put back. */
function wrapping(width: Width, subtract: boolean): (b: Builder, x: Value, y: Value) => Value {
  const top = repeated(width, 1n << BigInt(width - 1));
  return (b, x, y) => {
    const tops = b.const64(top);
    const rest = b.const64(~top);
    if (!subtract) {
      const sum = b.add(b.and(x, rest), b.and(y, rest));
      return b.xor(sum, b.and(b.xor(x, y), tops));
    }
    const difference = b.sub(b.or(x, tops), b.and(y, rest));
    return b.xor(difference, b.and(b.xor(b.xor(x, y), tops), tops));
  };
}

/** TOP 0, no register empty. After everything that can fault. */
export function useMmxRegisters(b: Builder): void {
  b.setState('fpuTop', b.const(0));
  b.setState('fpuTag', b.const(0));
}

/** `op mm, mm/m64`. */
function binary(name: string, opcode: string, apply: (b: Builder, x: Value, y: Value) => Value): Row {
  return {
    name,
    encodings: [`0F ${opcode} /r Pq,Qq`],
    unit: 'mmx',
    semantics(b) {
      const y = b.read64(1);
      useMmxRegisters(b);
      b.write64(0, apply(b, b.read64(0), y));
    },
  };
}

function saturating(name: string, opcode: string, width: Width, signed: boolean, subtract: boolean): Row {
  return binary(name, opcode, (b, x, y) =>
    each(b, x, y, width, signed, (p, q) => saturate(b, subtract ? b.sub(p, q) : b.add(p, q), width, signed)),
  );
}

/** All ones where the relation holds. */
function comparing(
  name: string,
  opcode: string,
  width: Width,
  relation: (b: Builder, x: Value, y: Value) => Value,
): Row {
  return binary(name, opcode, (b, x, y) => each(b, x, y, width, true, (p, q) => b.sub(b.const(0), relation(b, p, q))));
}

/** PACKxx: elements of both operands at half the width, saturated. */
function packing(name: string, opcode: string, width: 16 | 32, signed: boolean): Row {
  const narrow = (width / 2) as Width;
  return binary(name, opcode, (b, x, y) => {
    const elements = [...split(b, x, width, true), ...split(b, y, width, true)];
    return join(
      b,
      elements.map((element) => saturate(b, element, narrow, signed)),
      narrow,
    );
  });
}

/** PUNPCKxx: elements of the lower or upper halves of both operands in turn. */
function unpacking(name: string, opcode: string, width: Width, upper: boolean): Row {
  return {
    name,
    // The lower half needs only 32 bits of memory.
    encodings: [`0F ${opcode} /r Pq,${upper ? 'Qq' : 'Qd'}`],
    unit: 'mmx',
    semantics(b) {
      const source = upper ? b.read64(1) : b.toWideU(b.read(1));
      useMmxRegisters(b);
      const half = (elements: Value[]): Value[] => {
        const count = elements.length / 2;
        return upper ? elements.slice(count) : elements.slice(0, count);
      };
      const second = half(split(b, source, width, false));
      const first = half(split(b, b.read64(0), width, false));
      const elements = first.flatMap((element, i) => [element, second[i]!]);
      b.write64(0, join(b, elements, width));
    },
  };
}

type Shift = 'left' | 'right' | 'arithmetic';

function shiftElement(b: Builder, x: Value, count: Value, shift: Shift): Value {
  return shift === 'left' ? b.shl(x, count) : shift === 'right' ? b.shrU(x, count) : b.shrS(x, count);
}

/** Every element by the same count, a 64-bit number: one too large gives 0, or sign bits. */
function shiftBy(b: Builder, x: Value, count: Value, width: Width | 64, shift: Shift): Value {
  const tooLarge = b.ltU(b.const64(BigInt(width - 1)), count);
  if (width === 64) return b.select(tooLarge, b.const64(0n), shiftElement(b, x, count, shift));
  const most = b.const(width - 1);
  const by = b.select(tooLarge, most, b.toNarrow(count));
  const shifted = join(
    b,
    split(b, x, width, shift === 'arithmetic').map((element) => shiftElement(b, element, by, shift)),
    width,
  );
  return shift === 'arithmetic' ? shifted : b.select(tooLarge, b.const64(0n), shifted);
}

/** Shift by a register or memory, and (the second row) by an immediate. */
function shifting(
  name: string,
  opcode: string,
  immediateOpcode: string,
  digit: number,
  width: Width | 64,
  shift: Shift,
): Row[] {
  return [
    binary(name, opcode, (b, x, count) => shiftBy(b, x, count, width, shift)),
    {
      name,
      encodings: [`0F ${immediateOpcode} /${digit} Nq,Ib`],
      unit: 'mmx',
      semantics(b) {
        useMmxRegisters(b);
        b.write64(0, shiftBy(b, b.read64(0), b.toWideU(b.read(1)), width, shift));
      },
    },
  ];
}

function multiply(b: Builder, x: Value, y: Value, upper: boolean): Value {
  return each(b, x, y, 16, true, (p, q) => (upper ? b.shrU(b.mul(p, q), b.const(16)) : b.mul(p, q)));
}

export const MMX: readonly Row[] = [
  {
    name: 'movd',
    encodings: ['0F 6E /r Pq,Ed'],
    access: 'w,r',
    unit: 'mmx',
    semantics(b) {
      const value = b.read(1);
      useMmxRegisters(b);
      b.write64(0, b.toWideU(value));
    },
  },
  {
    name: 'movd',
    encodings: ['0F 7E /r Ed,Pq'],
    access: 'w,r',
    unit: 'mmx',
    semantics(b) {
      b.write(0, b.toNarrow(b.read64(1)));
      useMmxRegisters(b);
    },
  },
  {
    name: 'movq',
    encodings: ['0F 6F /r Pq,Qq', '0F 7F /r Qq,Pq'],
    access: 'w,r',
    unit: 'mmx',
    semantics(b) {
      b.write64(0, b.read64(1));
      useMmxRegisters(b);
    },
  },
  {
    name: 'emms',
    encodings: ['0F 77'],
    unit: 'mmx',
    semantics(b) {
      b.setState('fpuTop', b.const(0));
      b.setState('fpuTag', b.const(0xffff));
    },
  },
  binary('paddb', 'FC', wrapping(8, false)),
  binary('paddw', 'FD', wrapping(16, false)),
  binary('paddd', 'FE', wrapping(32, false)),
  binary('psubb', 'F8', wrapping(8, true)),
  binary('psubw', 'F9', wrapping(16, true)),
  binary('psubd', 'FA', wrapping(32, true)),
  saturating('paddsb', 'EC', 8, true, false),
  saturating('paddsw', 'ED', 16, true, false),
  saturating('paddusb', 'DC', 8, false, false),
  saturating('paddusw', 'DD', 16, false, false),
  saturating('psubsb', 'E8', 8, true, true),
  saturating('psubsw', 'E9', 16, true, true),
  saturating('psubusb', 'D8', 8, false, true),
  saturating('psubusw', 'D9', 16, false, true),
  binary('pmullw', 'D5', (b, x, y) => multiply(b, x, y, false)),
  binary('pmulhw', 'E5', (b, x, y) => multiply(b, x, y, true)),
  binary('pmaddwd', 'F5', (b, x, y) => {
    const second = split(b, y, 16, true);
    const products = split(b, x, 16, true).map((element, i) => b.mul(element, second[i]!));
    return join(b, [b.add(products[0]!, products[1]!), b.add(products[2]!, products[3]!)], 32);
  }),
  binary('pand', 'DB', (b, x, y) => b.and(x, y)),
  binary('pandn', 'DF', (b, x, y) => b.and(b.not(x), y)),
  binary('por', 'EB', (b, x, y) => b.or(x, y)),
  binary('pxor', 'EF', (b, x, y) => b.xor(x, y)),
  comparing('pcmpeqb', '74', 8, (b, x, y) => b.eq(x, y)),
  comparing('pcmpeqw', '75', 16, (b, x, y) => b.eq(x, y)),
  comparing('pcmpeqd', '76', 32, (b, x, y) => b.eq(x, y)),
  comparing('pcmpgtb', '64', 8, (b, x, y) => b.ltS(y, x)),
  comparing('pcmpgtw', '65', 16, (b, x, y) => b.ltS(y, x)),
  comparing('pcmpgtd', '66', 32, (b, x, y) => b.ltS(y, x)),
  packing('packsswb', '63', 16, true),
  packing('packssdw', '6B', 32, true),
  packing('packuswb', '67', 16, false),
  unpacking('punpcklbw', '60', 8, false),
  unpacking('punpcklwd', '61', 16, false),
  unpacking('punpckldq', '62', 32, false),
  unpacking('punpckhbw', '68', 8, true),
  unpacking('punpckhwd', '69', 16, true),
  unpacking('punpckhdq', '6A', 32, true),
  ...shifting('psllw', 'F1', '71', 6, 16, 'left'),
  ...shifting('pslld', 'F2', '72', 6, 32, 'left'),
  ...shifting('psllq', 'F3', '73', 6, 64, 'left'),
  ...shifting('psrlw', 'D1', '71', 2, 16, 'right'),
  ...shifting('psrld', 'D2', '72', 2, 32, 'right'),
  ...shifting('psrlq', 'D3', '73', 2, 64, 'right'),
  ...shifting('psraw', 'E1', '71', 4, 16, 'arithmetic'),
  ...shifting('psrad', 'E2', '72', 4, 32, 'arithmetic'),
];
