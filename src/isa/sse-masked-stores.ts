import type { Builder, Row, Value } from './builder.js';
import { useMmxRegisters } from './mmx.js';
import { SSE, zeroVector } from './sse-rows.js';

/** MASKMOVQ and MASKMOVDQU: the bytes of the first operand whose mask byte is negative, to DS:EDI. */

const EDI = 7;

/** First makes sure that each of the bytes can be written, then writes. */
function storeMasked(b: Builder, data: Value, mask: Value, count: number): void {
  const size = b.form.addressSize;
  const bits = b.vector('i8x16_bitmask', mask);
  const start = b.register(EDI, size);
  const place = (n: Value): Value => {
    const offset = b.add(start, n);
    return size === 16 ? b.and(offset, b.const(0xffff)) : offset;
  };
  const forEach = (action: (n: Value) => void): void => {
    const n = b.variable(b.const(0));
    b.loop((again) => {
      b.when(b.and(b.shrU(bits, n), b.const(1)), () => action(n));
      b.assign(n, b.add(n, b.const(1)));
      b.when(b.ltU(n, b.const(count)), again);
    });
  };
  forEach((n) => void b.cell('default', place(n), 8));
  forEach((n) => {
    const index = b.vector('i32x4_splat', n);
    b.store('default', place(n), 8, b.lane(b.vector('i8x16_swizzle', data, index), 8, 0));
  });
}

function low(b: Builder, value: Value): Value {
  return b.withLane(zeroVector(b), 64, 0, value);
}

export const SSE_MASKED_STORES: readonly Row[] = [
  {
    ...SSE,
    name: 'maskmovdqu',
    encodings: ['66 0F F7 /r Vx,Ux'],
    access: 'r,r',
    addressSized: true,
    semantics: (b) => storeMasked(b, b.read128(0, true), b.read128(1, true), 16),
  },
  {
    unit: 'mmx',
    compact: true,
    name: 'maskmovq',
    encodings: ['0F F7 /r Pq,Nq'],
    access: 'r,r',
    addressSized: true,
    semantics(b) {
      useMmxRegisters(b);
      storeMasked(b, low(b, b.read64(0)), low(b, b.read64(1)), 8);
    },
  },
];
