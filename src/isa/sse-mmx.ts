import type { Builder, Row, Value } from './builder.js';
import { MMX_ROW, binary64, inVector, useMmxRegisters } from './mmx.js';
import { multiplyEven, multiplyHigh, sumDifferences } from './sse-integer.js';
import { shuffleWords } from './sse-shuffles.js';

/**
 * What SSE and SSE2 added to MMX registers (SDM vol. 1, 10.4.4 and 11.4.2), but for what both have for every lane
 * (`LANEWISE`).
 */

/** The bits of word `place` (0…3) in 64 bits, as a shift count. */
function shiftOf(b: Builder, place: Value): Value {
  return b.toWideU(b.shl(b.and(place, b.const(3)), b.const(4)));
}

export const SSE_MMX: readonly Row[] = [
  binary64('pmulhuw', 'E4', (b, x, y) => multiplyHigh(b, x, y, false)),
  binary64('pmuludq', 'F4', multiplyEven),
  binary64('psadbw', 'F6', sumDifferences),
  {
    ...MMX_ROW,
    name: 'pshufw',
    encodings: ['0F 70 /r Pq,Qq,Ib'],
    access: 'w,r,r',
    semantics(b) {
      const y = b.read64(1);
      const words = shuffleWords(b, inVector(b, y), b.read(2), false);
      useMmxRegisters(b);
      b.write64(0, b.lane(words, 64, 0));
    },
  },
  {
    ...MMX_ROW,
    name: 'pinsrw',
    encodings: ['0F C4 /r Pq,Rd,Ib', '0F C4 /r Pq,Mw,Ib'],
    access: 'rw,r,r',
    semantics(b) {
      const word = b.toWideU(b.and(b.read(1), b.const(0xffff)));
      const shift = shiftOf(b, b.read(2));
      const kept = b.not(b.shl(b.const64(0xffffn), shift));
      useMmxRegisters(b);
      b.write64(0, b.or(b.and(b.read64(0), kept), b.shl(word, shift)));
    },
  },
  {
    ...MMX_ROW,
    name: 'pextrw',
    encodings: ['0F C5 /r Gd,Nq,Ib'],
    access: 'w,r,r',
    semantics(b) {
      useMmxRegisters(b);
      b.write(0, b.and(b.toNarrow(b.shrU(b.read64(1), shiftOf(b, b.read(2)))), b.const(0xffff)));
    },
  },
  {
    ...MMX_ROW,
    name: 'pmovmskb',
    encodings: ['0F D7 /r Gd,Nq'],
    access: 'w,r',
    semantics(b) {
      useMmxRegisters(b);
      b.write(0, b.vector('i8x16_bitmask', inVector(b, b.read64(1))));
    },
  },
  {
    ...MMX_ROW,
    name: 'movntq',
    encodings: ['0F E7 /r Mq,Pq'],
    access: 'w,r',
    semantics(b) {
      b.write64(0, b.read64(1));
      useMmxRegisters(b);
    },
  },
  {
    ...MMX_ROW,
    unit: 'sse-mmx',
    name: 'movdq2q',
    encodings: ['F2 0F D6 /r Pq,Uq'],
    access: 'w,r',
    semantics(b) {
      useMmxRegisters(b);
      b.write64(0, b.read64(1));
    },
  },
  {
    ...MMX_ROW,
    unit: 'sse-mmx',
    name: 'movq2dq',
    encodings: ['F3 0F D6 /r Vx,Nq'],
    access: 'w,r',
    semantics(b) {
      useMmxRegisters(b);
      b.write128(0, inVector(b, b.read64(1)), true);
    },
  },
];
