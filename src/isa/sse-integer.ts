import type { Builder, Row, Value } from './builder.js';
import { SSE, binary128, constantLanes, lanes, zeroVector } from './sse-rows.js';
import type { VectorOperation } from './vector.js';

/** Integers in XMM registers: the 66 forms of MMX, and what SSE2 adds (SDM vol. 1, 11.4.2 to 11.4.4). */

/** [name, opcode behind 66 0F, operation on lanes]; MMX has the same behind 0F. */
// biome-ignore format: table
export const LANEWISE: readonly (readonly [string, string, VectorOperation])[] = [
  ['paddb', 'FC', 'i8x16_add'], ['paddw', 'FD', 'i16x8_add'], ['paddd', 'FE', 'i32x4_add'], ['paddq', 'D4', 'i64x2_add'],
  ['psubb', 'F8', 'i8x16_sub'], ['psubw', 'F9', 'i16x8_sub'], ['psubd', 'FA', 'i32x4_sub'], ['psubq', 'FB', 'i64x2_sub'],
  ['paddsb', 'EC', 'i8x16_add_sat_s'], ['paddsw', 'ED', 'i16x8_add_sat_s'],
  ['paddusb', 'DC', 'i8x16_add_sat_u'], ['paddusw', 'DD', 'i16x8_add_sat_u'],
  ['psubsb', 'E8', 'i8x16_sub_sat_s'], ['psubsw', 'E9', 'i16x8_sub_sat_s'],
  ['psubusb', 'D8', 'i8x16_sub_sat_u'], ['psubusw', 'D9', 'i16x8_sub_sat_u'],
  ['pmullw', 'D5', 'i16x8_mul'], ['pmaddwd', 'F5', 'i32x4_dot_i16x8_s'],
  ['pavgb', 'E0', 'i8x16_avgr_u'], ['pavgw', 'E3', 'i16x8_avgr_u'],
  ['pminub', 'DA', 'i8x16_min_u'], ['pmaxub', 'DE', 'i8x16_max_u'],
  ['pminsw', 'EA', 'i16x8_min_s'], ['pmaxsw', 'EE', 'i16x8_max_s'],
  ['pand', 'DB', 'v128_and'], ['por', 'EB', 'v128_or'], ['pxor', 'EF', 'v128_xor'],
  ['pcmpeqb', '74', 'i8x16_eq'], ['pcmpeqw', '75', 'i16x8_eq'], ['pcmpeqd', '76', 'i32x4_eq'],
  ['pcmpgtb', '64', 'i8x16_gt_s'], ['pcmpgtw', '65', 'i16x8_gt_s'], ['pcmpgtd', '66', 'i32x4_gt_s'],
];

/** The same: lanes of both operands at half the width. */
// biome-ignore format: table
export const NARROWING: readonly (readonly [string, string, VectorOperation])[] = [
  ['packsswb', '63', 'i8x16_narrow_i16x8_s'], ['packuswb', '67', 'i8x16_narrow_i16x8_u'],
  ['packssdw', '6B', 'i16x8_narrow_i32x4_s'],
];

/** The upper words of products of 16 bits. */
export function multiplyHigh(b: Builder, x: Value, y: Value, signed: boolean): Value {
  const low = b.vector(signed ? 'i32x4_extmul_low_i16x8_s' : 'i32x4_extmul_low_i16x8_u', x, y);
  const high = b.vector(signed ? 'i32x4_extmul_high_i16x8_s' : 'i32x4_extmul_high_i16x8_u', x, y);
  return b.shuffle(low, high, lanes(16, [1, 3, 5, 7, 9, 11, 13, 15]));
}

/** PMULUDQ: products of the even lanes of 32 bits. */
export function multiplyEven(b: Builder, x: Value, y: Value): Value {
  const even = (value: Value): Value => b.shuffle(value, value, lanes(32, [0, 2, 0, 2]));
  return b.vector('i64x2_extmul_low_i32x4_u', even(x), even(y));
}

/** PSADBW: in each half the sum of eight absolute differences. */
export function sumDifferences(b: Builder, x: Value, y: Value): Value {
  const differences = b.vector('i8x16_sub', b.vector('i8x16_max_u', x, y), b.vector('i8x16_min_u', x, y));
  const pairs = b.vector('i16x8_extadd_pairwise_i8x16_u', differences);
  const fours = b.vector('i32x4_extadd_pairwise_i16x8_u', pairs);
  const eights = b.vector('i64x2_add', fours, b.vector('i64x2_shr_u', fours, b.const(32)));
  return b.vector('v128_and', eights, constantLanes(b, 64, 0xffff_ffffn));
}

export type Shift = 'left' | 'right' | 'arithmetic';

const SHIFTS: Readonly<Record<16 | 32 | 64, Readonly<Record<Shift, VectorOperation>>>> = {
  16: { left: 'i16x8_shl', right: 'i16x8_shr_u', arithmetic: 'i16x8_shr_s' },
  32: { left: 'i32x4_shl', right: 'i32x4_shr_u', arithmetic: 'i32x4_shr_s' },
  64: { left: 'i64x2_shl', right: 'i64x2_shr_u', arithmetic: 'i64x2_shr_u' },
};

/** Every lane by the same count, a number of 64 bits: one too large gives 0, or sign bits. */
export function shiftBy(b: Builder, x: Value, count: Value, width: 16 | 32 | 64, shift: Shift): Value {
  const tooLarge = b.ltU(b.const64(BigInt(width - 1)), count);
  const by = b.select(tooLarge, b.const(width - 1), b.toNarrow(count));
  const shifted = b.vector(SHIFTS[width][shift], x, by);
  return shift === 'arithmetic' ? shifted : b.select(tooLarge, zeroVector(b), shifted);
}

function shifting(name: string, opcode: string, immediate: string, width: 16 | 32 | 64, shift: Shift): Row[] {
  return [
    binary128(name, `66 0F ${opcode}`, (b, x, y) => shiftBy(b, x, b.lane(y, 64, 0), width, shift)),
    {
      ...SSE,
      name,
      encodings: [`66 0F ${immediate} Ux,Ib`],
      access: 'rw,r',
      semantics: (b) => b.write128(0, shiftBy(b, b.read128(0, true), b.toWideU(b.read(1)), width, shift), true),
    },
  ];
}

/** PSLLDQ and PSRLDQ: all 128 bits by bytes. */
function shiftBytes(name: string, digit: number, left: boolean): Row {
  return {
    ...SSE,
    name,
    encodings: [`66 0F 73 /${digit} Ux,Ib`],
    access: 'rw,r',
    semantics(b) {
      const count = b.read(1);
      const most = b.select(b.ltU(b.const(16), count), b.const(16), count);
      const by = b.vector('i32x4_splat', b.mul(most, b.const(0x0101_0101)));
      const numbers = b.vectorConst(0x0706_0504_0302_0100n, 0x0f0e_0d0c_0b0a_0908n);
      // Byte numbers of 16 and more, negative ones among them, pick zero.
      const indices = b.vector(left ? 'i8x16_sub' : 'i8x16_add', numbers, by);
      b.write128(0, b.vector('i8x16_swizzle', b.read128(0, true), indices), true);
    },
  };
}

function and(b: Builder, x: Value, y: Value): Value {
  return b.vector('v128_and', x, y);
}
function andNot(b: Builder, x: Value, y: Value): Value {
  return b.vector('v128_andnot', y, x);
}
function or(b: Builder, x: Value, y: Value): Value {
  return b.vector('v128_or', x, y);
}
function xor(b: Builder, x: Value, y: Value): Value {
  return b.vector('v128_xor', x, y);
}

export const SSE_INTEGER: readonly Row[] = [
  ...[...LANEWISE, ...NARROWING].map(([name, opcode, operation]) =>
    binary128(name, `66 0F ${opcode}`, (b, x, y) => b.vector(operation, x, y)),
  ),
  binary128('pandn', '66 0F DF', andNot),
  binary128('pmulhw', '66 0F E5', (b, x, y) => multiplyHigh(b, x, y, true)),
  binary128('pmulhuw', '66 0F E4', (b, x, y) => multiplyHigh(b, x, y, false)),
  binary128('pmuludq', '66 0F F4', multiplyEven),
  binary128('psadbw', '66 0F F6', sumDifferences),
  ...shifting('psllw', 'F1', '71 /6', 16, 'left'),
  ...shifting('pslld', 'F2', '72 /6', 32, 'left'),
  ...shifting('psllq', 'F3', '73 /6', 64, 'left'),
  ...shifting('psrlw', 'D1', '71 /2', 16, 'right'),
  ...shifting('psrld', 'D2', '72 /2', 32, 'right'),
  ...shifting('psrlq', 'D3', '73 /2', 64, 'right'),
  ...shifting('psraw', 'E1', '71 /4', 16, 'arithmetic'),
  ...shifting('psrad', 'E2', '72 /4', 32, 'arithmetic'),
  shiftBytes('pslldq', 7, true),
  shiftBytes('psrldq', 3, false),
  // The same on floating-point numbers, of which only the bits matter.
  binary128('andps', 'NP 0F 54', and),
  binary128('andpd', '66 0F 54', and),
  binary128('andnps', 'NP 0F 55', andNot),
  binary128('andnpd', '66 0F 55', andNot),
  binary128('orps', 'NP 0F 56', or),
  binary128('orpd', '66 0F 56', or),
  binary128('xorps', 'NP 0F 57', xor),
  binary128('xorpd', '66 0F 57', xor),
];
