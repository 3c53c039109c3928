import type { Builder, Row, Value } from './builder.js';
import { SSE } from './sse-rows.js';

/** Shuffles by an immediate: two bits of it choose the source of a lane (one bit for SHUFPD). */

const ZERO_BYTES = 0x8080_8080;
/** Byte numbers of lane 0. */
const LANE32 = 0x0302_0100;
const LANE16 = 0x0100;

/** Two bits of the immediate, from bit 2n. */
function field(b: Builder, immediate: Value, n: number): Value {
  return b.and(b.shrU(immediate, b.const(2 * n)), b.const(3));
}

/** Byte numbers for a swizzle that takes 32-bit lanes: `fields[i]` for lane i, none where it is undefined. */
function indices32(b: Builder, fields: readonly (Value | undefined)[]): Value {
  let indices = b.vectorConst(0n, 0n);
  fields.forEach((value, i) => {
    const word = value ? b.add(b.mul(value, b.const(0x0404_0404)), b.const(LANE32)) : b.const(ZERO_BYTES);
    indices = b.withLane(indices, 32, i, word);
  });
  return indices;
}

function shuffle32(b: Builder, y: Value, immediate: Value): Value {
  const fields = [0, 1, 2, 3].map((n) => field(b, immediate, n));
  return b.vector('i8x16_swizzle', y, indices32(b, fields));
}

/** PSHUFLW and PSHUFHW: the words of one half, the other as it is. */
export function shuffleWords(b: Builder, y: Value, immediate: Value, upper: boolean): Value {
  let indices = b.vectorConst(0x0706_0504_0302_0100n, 0x0f0e_0d0c_0b0a_0908n);
  const first = upper ? 4 : 0;
  for (let n = 0; n < 4; n++) {
    const word = b.add(b.mul(field(b, immediate, n), b.const(0x0202)), b.const(LANE16 + first * 0x0202));
    indices = b.withLane(indices, 16, first + n, word);
  }
  return b.vector('i8x16_swizzle', y, indices);
}

/** SHUFPS: the lower half from the first operand, the upper from the second. */
function shuffleTwo32(b: Builder, x: Value, y: Value, immediate: Value): Value {
  const [a, c, d, e] = [0, 1, 2, 3].map((n) => field(b, immediate, n)) as [Value, Value, Value, Value];
  const low = b.vector('i8x16_swizzle', x, indices32(b, [a, c, undefined, undefined]));
  const high = b.vector('i8x16_swizzle', y, indices32(b, [undefined, undefined, d, e]));
  return b.vector('v128_or', low, high);
}

function shuffleTwo64(b: Builder, x: Value, y: Value, immediate: Value): Value {
  const choose = (from: Value, bit: number): Value =>
    b.select(b.and(immediate, b.const(bit)), b.lane(from, 64, 1), b.lane(from, 64, 0));
  return b.withLane(b.vector('i64x2_splat', choose(x, 1)), 64, 1, choose(y, 2));
}

type OneSource = (b: Builder, y: Value, immediate: Value) => Value;
type TwoSources = (b: Builder, x: Value, y: Value, immediate: Value) => Value;

function ofOne(name: string, encoding: string, apply: OneSource): Row {
  return {
    ...SSE,
    name,
    encodings: [`${encoding} /r Vx,Wx,Ib`],
    access: 'w,r,r',
    semantics: (b) => b.write128(0, apply(b, b.read128(1, true), b.read(2)), true),
  };
}

function ofTwo(name: string, encoding: string, apply: TwoSources): Row {
  return {
    ...SSE,
    name,
    encodings: [`${encoding} /r Vx,Wx,Ib`],
    access: 'rw,r,r',
    semantics(b) {
      const y = b.read128(1, true);
      b.write128(0, apply(b, b.read128(0, true), y, b.read(2)), true);
    },
  };
}

export const SSE_SHUFFLES: readonly Row[] = [
  ofOne('pshufd', '66 0F 70', shuffle32),
  ofOne('pshuflw', 'F2 0F 70', (b, y, immediate) => shuffleWords(b, y, immediate, false)),
  ofOne('pshufhw', 'F3 0F 70', (b, y, immediate) => shuffleWords(b, y, immediate, true)),
  ofTwo('shufps', 'NP 0F C6', shuffleTwo32),
  ofTwo('shufpd', '66 0F C6', shuffleTwo64),
  {
    ...SSE,
    name: 'pinsrw',
    encodings: ['66 0F C4 /r Vx,Rd,Ib', '66 0F C4 /r Vx,Mw,Ib'],
    access: 'rw,r,r',
    semantics(b) {
      const word = b.read(1);
      const old = b.read128(0, true);
      const place = b.and(b.read(2), b.const(7));
      // The lane is not known here: compare the numbers of all lanes with it.
      const at = b.vector('i16x8_eq', wordNumbers(b), splat16(b, place));
      b.write128(0, b.vector('v128_bitselect', splat16(b, word), old, at), true);
    },
  },
  {
    ...SSE,
    name: 'pextrw',
    encodings: ['66 0F C5 /r Gd,Ux,Ib'],
    access: 'w,r,r',
    semantics(b) {
      const place = b.and(b.read(2), b.const(7));
      const index = b.add(b.mul(place, b.const(0x0202)), b.const(LANE16));
      const moved = b.vector('i8x16_swizzle', b.read128(1, true), b.vector('i32x4_splat', index));
      b.write(0, b.lane(moved, 16, 0));
    },
  },
];

/** A word in all eight lanes. */
function splat16(b: Builder, word: Value): Value {
  const low = b.and(word, b.const(0xffff));
  return b.vector('i32x4_splat', b.or(low, b.shl(low, b.const(16))));
}

/** Every lane holds its number. */
function wordNumbers(b: Builder): Value {
  return b.vectorConst(0x0003_0002_0001_0000n, 0x0007_0006_0005_0004n);
}
