import type { Builder, Row, Value } from './builder.js';
import { SSE, binary128, lanes } from './sse-rows.js';

/** Moves between XMM registers, memory and general registers (SDM vol. 1, 10.4.1 and 11.4.1). */

function move128(name: string, encodings: readonly string[], aligned: boolean): Row {
  return { ...SSE, name, encodings, access: 'w,r', semantics: (b) => b.write128(0, b.read128(1, aligned), aligned) };
}

/** The lower 64 bits from memory or register, the upper ones 0. */
function low64(b: Builder, value: Value): Value {
  return b.withLane(b.vectorConst(0n, 0n), 64, 0, value);
}

/** MOVSS and MOVSD: a load clears the rest of the register, a move between registers keeps it. */
function scalarMoves(name: string, prefix: string, size: 'd' | 'q'): Row[] {
  const wide = size === 'q';
  return [
    {
      ...SSE,
      name,
      encodings: [`${prefix} 0F 10 /r Vx,W${size}`],
      access: 'rw,r',
      semantics(b) {
        if (!b.form.isMemory(1)) {
          if (wide) b.write64(0, b.read64(1));
          else b.write(0, b.read(1));
        } else b.write128(0, b.readLowest(1, wide ? 64 : 32), true);
      },
    },
    {
      ...SSE,
      name,
      encodings: [`${prefix} 0F 11 /r W${size},V${size}`],
      access: 'w,r',
      semantics(b) {
        if (wide) b.write64(0, b.read64(1));
        else b.write(0, b.read(1));
      },
    },
  ];
}

/** MOVLPS, MOVLPD and, into the upper half, MOVHPS, MOVHPD: memory to half a register and back. */
function halfMoves(name: string, prefix: string, load: string, store: string, upper: boolean): Row[] {
  return [
    {
      ...SSE,
      name,
      encodings: [`${prefix} 0F ${load} /r Vx,Mq`],
      access: 'rw,r',
      semantics(b) {
        const value = b.read64(1);
        b.write128(0, b.withLane(b.read128(0, true), 64, upper ? 1 : 0, value), true);
      },
    },
    {
      ...SSE,
      name,
      encodings: [`${prefix} 0F ${store} /r Mq,Vx`],
      access: 'w,r',
      semantics: (b) => b.write64(0, b.lane(b.read128(1, true), 64, upper ? 1 : 0)),
    },
  ];
}

/** MOVLHPS and MOVHLPS: half of one register into the other half of another. */
function crossMove(name: string, encoding: string, from: 0 | 1): Row {
  return {
    ...SSE,
    name,
    encodings: [`${encoding} /r Vx,Ux`],
    access: 'rw,r',
    semantics: (b) =>
      b.write128(0, b.withLane(b.read128(0, true), 64, 1 - from, b.lane(b.read128(1, true), 64, from)), true),
  };
}

function signMask(name: string, encoding: string, operation: 'i8x16_bitmask' | 'i32x4_bitmask' | 'i64x2_bitmask'): Row {
  return {
    ...SSE,
    name,
    encodings: [`${encoding} /r Gd,Ux`],
    access: 'w,r',
    semantics: (b) => b.write(0, b.vector(operation, b.read128(1, true))),
  };
}

/** Hints that what is stored will not be needed soon: stores like others. */
function streamingStore(name: string, encoding: string): Row {
  return {
    ...SSE,
    name,
    encodings: [`${encoding} /r Mx,Vx`],
    access: 'w,r',
    semantics: (b) => b.write128(0, b.read128(1, true), true),
  };
}

function unpack(name: string, encoding: string, width: 8 | 16 | 32 | 64, upper: boolean): Row {
  const half = 64 / width;
  const first = upper ? half : 0;
  const numbers = Array.from({ length: half }, (_, i) => [first + i, 2 * half + first + i]).flat();
  return binary128(name, encoding, (b, x, y) => b.shuffle(x, y, lanes(width, numbers)));
}

export const SSE_MOVES: readonly Row[] = [
  move128('movaps', ['NP 0F 28 /r Vx,Wx', 'NP 0F 29 /r Wx,Vx'], true),
  move128('movapd', ['66 0F 28 /r Vx,Wx', '66 0F 29 /r Wx,Vx'], true),
  move128('movups', ['NP 0F 10 /r Vx,Wx', 'NP 0F 11 /r Wx,Vx'], false),
  move128('movupd', ['66 0F 10 /r Vx,Wx', '66 0F 11 /r Wx,Vx'], false),
  move128('movdqa', ['66 0F 6F /r Vx,Wx', '66 0F 7F /r Wx,Vx'], true),
  move128('movdqu', ['F3 0F 6F /r Vx,Wx', 'F3 0F 7F /r Wx,Vx'], false),
  ...scalarMoves('movss', 'F3', 'd'),
  ...scalarMoves('movsd', 'F2', 'q'),
  ...halfMoves('movlps', 'NP', '12', '13', false),
  ...halfMoves('movlpd', '66', '12', '13', false),
  ...halfMoves('movhps', 'NP', '16', '17', true),
  ...halfMoves('movhpd', '66', '16', '17', true),
  crossMove('movhlps', 'NP 0F 12', 1),
  crossMove('movlhps', 'NP 0F 16', 0),
  signMask('movmskps', 'NP 0F 50', 'i32x4_bitmask'),
  signMask('movmskpd', '66 0F 50', 'i64x2_bitmask'),
  signMask('pmovmskb', '66 0F D7', 'i8x16_bitmask'),
  streamingStore('movntps', 'NP 0F 2B'),
  streamingStore('movntpd', '66 0F 2B'),
  streamingStore('movntdq', '66 0F E7'),
  {
    ...SSE,
    name: 'movd',
    encodings: ['66 0F 6E /r Vx,Ed'],
    access: 'w,r',
    semantics: (b) => b.write128(0, b.withLane(b.vectorConst(0n, 0n), 32, 0, b.read(1)), true),
  },
  {
    ...SSE,
    name: 'movd',
    encodings: ['66 0F 7E /r Ed,Vd'],
    access: 'w,r',
    semantics: (b) => b.write(0, b.read(1)),
  },
  {
    ...SSE,
    name: 'movq',
    encodings: ['F3 0F 7E /r Vx,Wq'],
    access: 'w,r',
    semantics: (b) => b.write128(0, b.form.isMemory(1) ? b.readLowest(1, 64) : low64(b, b.read64(1)), true),
  },
  {
    ...SSE,
    name: 'movq',
    encodings: ['66 0F D6 /r Wq,Vq'],
    access: 'w,r',
    semantics(b) {
      const value = b.read64(1);
      if (b.form.isMemory(0)) b.write64(0, value);
      else b.write128(0, low64(b, value), true);
    },
  },
  unpack('unpcklps', 'NP 0F 14', 32, false),
  unpack('unpckhps', 'NP 0F 15', 32, true),
  unpack('unpcklpd', '66 0F 14', 64, false),
  unpack('unpckhpd', '66 0F 15', 64, true),
  unpack('punpcklbw', '66 0F 60', 8, false),
  unpack('punpcklwd', '66 0F 61', 16, false),
  unpack('punpckldq', '66 0F 62', 32, false),
  unpack('punpckhbw', '66 0F 68', 8, true),
  unpack('punpckhwd', '66 0F 69', 16, true),
  unpack('punpckhdq', '66 0F 6A', 32, true),
  unpack('punpcklqdq', '66 0F 6C', 64, false),
  unpack('punpckhqdq', '66 0F 6D', 64, true),
];
