import type { Builder, Row, Value } from './builder.js';
import { useMmxRegisters } from './mmx.js';
import { binary128, constantLanes, lanes, SSE, zeroVector } from './sse-rows.js';
import type { VectorOperation } from './vector.js';

/** SSSE3 (SDM vol. 1, chapter 12.6): everything on XMM registers, and on MMX registers as lower halves of vectors. */

/** `bytes` is how many of the operands count: 8 or 16. */
type Operation = (b: Builder, x: Value, y: Value, bytes: 8 | 16) => Value;

function low(b: Builder, value: Value): Value {
  return b.withLane(zeroVector(b), 64, 0, value);
}

function both(name: string, opcode: string, apply: Operation): Row[] {
  return [
    binary128(name, `66 0F38 ${opcode}`, (b, x, y) => apply(b, x, y, 16)),
    {
      unit: 'mmx',
      compact: true,
      name,
      encodings: [`NP 0F38 ${opcode} /r Pq,Qq`],
      semantics(b) {
        const y = low(b, b.read64(1));
        useMmxRegisters(b);
        b.write64(0, b.lane(apply(b, low(b, b.read64(0)), y, 8), 64, 0));
      },
    },
  ];
}

/** Bytes of x by the numbers in y; a negative number gives 0. */
const shuffleBytes: Operation = (b, x, y, bytes) =>
  b.vector('i8x16_swizzle', x, b.vector('v128_and', y, constantLanes(b, 8, bytes === 16 ? 0x8fn : 0x87n)));

/** Lanes of even and of odd number of both operands, x first. */
function pairs(b: Builder, x: Value, y: Value, width: 16 | 32, bytes: 8 | 16): readonly [Value, Value] {
  const count = (8 * bytes) / width;
  const numbers = (odd: number): number[] => {
    // Of lower halves: y lies in the middle of what both make together.
    const second = 128 / width;
    const list = Array.from({ length: count }, (_, i) => (i < count / 2 ? 2 * i : second + 2 * i - count) + odd);
    return lanes(width, bytes === 16 ? list : [...list, ...list]);
  };
  return [b.shuffle(x, y, numbers(0)), b.shuffle(x, y, numbers(1))];
}

function horizontal(width: 16 | 32, operation: VectorOperation): Operation {
  return (b, x, y, bytes) => b.vector(operation, ...pairs(b, x, y, width, bytes));
}

/** Unsigned bytes times signed ones; sums of two neighbours, saturated. */
const multiplyAddBytes: Operation = (b, x, y) => {
  const lower = b.vector('i16x8_mul', b.vector('i16x8_extend_low_i8x16_u', x), b.vector('i16x8_extend_low_i8x16_s', y));
  const upper = b.vector(
    'i16x8_mul',
    b.vector('i16x8_extend_high_i8x16_u', x),
    b.vector('i16x8_extend_high_i8x16_s', y),
  );
  return b.vector('i16x8_add_sat_s', ...pairs(b, lower, upper, 16, 16));
};

const LANES_OF = {
  8: { subtract: 'i8x16_sub', greater: 'i8x16_gt_s', equal: 'i8x16_eq' },
  16: { subtract: 'i16x8_sub', greater: 'i16x8_gt_s', equal: 'i16x8_eq' },
  32: { subtract: 'i32x4_sub', greater: 'i32x4_gt_s', equal: 'i32x4_eq' },
} as const;

/** x, −x or 0 by the sign of y. */
function sign(width: 8 | 16 | 32): Operation {
  const { subtract, greater, equal } = LANES_OF[width];
  return (b, x, y) => {
    const negative = b.vector(greater, zeroVector(b), y);
    const signed = b.vector(subtract, b.vector('v128_xor', x, negative), negative);
    return b.vector('v128_andnot', signed, b.vector(equal, y, zeroVector(b)));
  };
}

/** Products rounded to their upper 16 bits; −1 × −1 wraps to −1 instead of saturating. */
const multiplyRounded: Operation = (b, x, y) => {
  const least = constantLanes(b, 16, 0x8000n);
  const wraps = b.vector('v128_and', b.vector('i16x8_eq', x, least), b.vector('i16x8_eq', y, least));
  return b.vector('v128_xor', b.vector('i16x8_q15mulr_sat_s', x, y), wraps);
};

/** Bytes of x and, below it, y, from byte number `from` on. */
function align(b: Builder, x: Value, y: Value, from: Value): Value {
  const most = b.select(b.ltU(b.const(32), from), b.const(32), from);
  const numbers = b.vectorConst(0x0706_0504_0302_0100n, 0x0f0e_0d0c_0b0a_0908n);
  const indices = b.vector('i8x16_add', numbers, b.vector('i32x4_splat', b.mul(most, b.const(0x0101_0101))));
  const above = b.vector('i8x16_sub', indices, constantLanes(b, 8, 16n));
  return b.vector('v128_or', b.vector('i8x16_swizzle', y, indices), b.vector('i8x16_swizzle', x, above));
}

export const SSSE3: readonly Row[] = [
  ...both('pshufb', '00', shuffleBytes),
  ...both('phaddw', '01', horizontal(16, 'i16x8_add')),
  ...both('phaddd', '02', horizontal(32, 'i32x4_add')),
  ...both('phaddsw', '03', horizontal(16, 'i16x8_add_sat_s')),
  ...both('pmaddubsw', '04', multiplyAddBytes),
  ...both('phsubw', '05', horizontal(16, 'i16x8_sub')),
  ...both('phsubd', '06', horizontal(32, 'i32x4_sub')),
  ...both('phsubsw', '07', horizontal(16, 'i16x8_sub_sat_s')),
  ...both('psignb', '08', sign(8)),
  ...both('psignw', '09', sign(16)),
  ...both('psignd', '0A', sign(32)),
  ...both('pmulhrsw', '0B', multiplyRounded),
  ...both('pabsb', '1C', (b, _, y) => b.vector('i8x16_abs', y)),
  ...both('pabsw', '1D', (b, _, y) => b.vector('i16x8_abs', y)),
  ...both('pabsd', '1E', (b, _, y) => b.vector('i32x4_abs', y)),
  {
    ...SSE,
    name: 'palignr',
    encodings: ['66 0F3A 0F /r Vx,Wx,Ib'],
    access: 'rw,r,r',
    semantics(b) {
      const y = b.read128(1, true);
      b.write128(0, align(b, b.read128(0, true), y, b.read(2)), true);
    },
  },
  {
    unit: 'mmx',
    compact: true,
    name: 'palignr',
    encodings: ['NP 0F3A 0F /r Pq,Qq,Ib'],
    access: 'rw,r,r',
    semantics(b) {
      const y = b.read64(1);
      useMmxRegisters(b);
      const together = b.withLane(low(b, y), 64, 1, b.read64(0));
      b.write64(0, b.lane(align(b, zeroVector(b), together, b.read(2)), 64, 0));
    },
  },
];
