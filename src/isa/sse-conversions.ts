import type { Builder, Row, Value } from './builder.js';
import { useMmxRegisters } from './mmx.js';
import { readSource } from './sse-arithmetic.js';
import { integersToDoubles, integersToSinglesFast, narrowFast, toIntegersFast, widenFast } from './sse-convert-fast.js';
import { merge } from './sse-fast.js';
import { SSE, zeroVector } from './sse-rows.js';

/** CVTxx: between single, double and integers, in XMM, MMX and general registers. */

const SINGLE = 0;
const DOUBLE = 1;
type Format = typeof SINGLE | typeof DOUBLE;

/** Between single and double: `count` elements; what is above them becomes 0 in packed forms and stays in scalar ones. */
function betweenFormats(name: string, encoding: string, to: Format, count: 1 | 2): Row {
  const sourceBits = (count * (to === DOUBLE ? 32 : 64)) as 32 | 64 | 128;
  return {
    ...SSE,
    name,
    encodings: [encoding],
    access: 'rw,r',
    semantics(b) {
      const y = readSource(b, 1, sourceBits);
      const convert = to === DOUBLE ? widenFast : narrowFast;
      convert(b, y, count === 1, () => {
        b.passVector(y);
        b.helper('sseConvertFormat', b.const(to), b.number(0), b.const(count));
        if (count === 2 && to === SINGLE) clearUpper(b);
      });
    },
  };
}

function clearUpper(b: Builder): void {
  b.write128(0, b.withLane(b.read128(0, true), 64, 1, b.const64(0n)), true);
}

function fromIntegers(name: string, encoding: string, to: Format, count: 2 | 4): Row {
  return {
    ...SSE,
    name,
    encodings: [encoding],
    access: 'w,r',
    semantics(b) {
      const y = readSource(b, 1, (32 * count) as 64 | 128);
      if (to === DOUBLE) b.write128(0, integersToDoubles(b, y), true);
      else
        integersToSinglesFast(b, y, false, () => {
          b.passVector(y);
          b.helper('sseConvertFromIntegers', b.const(to), b.number(0), b.const(count));
        });
    },
  };
}

function toIntegers(name: string, encoding: string, from: Format, truncate: boolean, count: 2 | 4): Row {
  return {
    ...SSE,
    name,
    encodings: [encoding],
    access: 'w,r',
    semantics(b) {
      const y = b.read128(1, true);
      const slowly = (): void => {
        b.passVector(y);
        b.helper('sseConvertToIntegers', b.const((truncate ? 2 : 0) + from), b.number(0), b.const(count));
        if (count === 2) clearUpper(b);
      };
      toIntegersFast(
        b,
        from === DOUBLE ? 'pd' : 'ps',
        truncate,
        y,
        (integers) => b.write128(0, integers, true),
        slowly,
      );
    },
  };
}

function low64(b: Builder, value: Value): Value {
  return b.withLane(zeroVector(b), 64, 0, value);
}

/** Two integers of an MMX register or memory. */
function fromMmx(name: string, encoding: string, to: Format): Row {
  return {
    ...SSE,
    unit: 'sse-mmx',
    name,
    encodings: [encoding],
    access: 'rw,r',
    semantics(b) {
      b.passVector(low64(b, b.read64(1)));
      if (!b.form.isMemory(1)) useMmxRegisters(b);
      b.helper('sseConvertFromIntegers', b.const(to), b.number(0), b.const(2));
    },
  };
}

function toMmx(name: string, encoding: string, from: Format, truncate: boolean): Row {
  return {
    ...SSE,
    unit: 'sse-mmx',
    name,
    encodings: [encoding],
    access: 'w,r',
    semantics(b) {
      b.passVector(readSource(b, 1, from === DOUBLE ? 128 : 64));
      useMmxRegisters(b);
      b.helper('sseConvertToMmx', b.const((truncate ? 2 : 0) + from), b.number(0));
    },
  };
}

function fromGeneral(name: string, encoding: string, to: Format): Row {
  return {
    ...SSE,
    name,
    encodings: [encoding],
    access: 'rw,r',
    semantics(b) {
      const y = b.withLane(zeroVector(b), 32, 0, b.read(1));
      if (to === DOUBLE) b.write128(0, merge(b, 'sd', b.read128(0, true), integersToDoubles(b, y)), true);
      else
        integersToSinglesFast(b, y, true, () => {
          b.passVector(y);
          b.helper('sseConvertFromIntegers', b.const(to), b.number(0), b.const(1));
        });
    },
  };
}

function toGeneral(name: string, encoding: string, from: Format, truncate: boolean): Row {
  return {
    ...SSE,
    name,
    encodings: [encoding],
    access: 'w,r',
    semantics(b) {
      const y = readSource(b, 1, from === DOUBLE ? 64 : 32);
      const slowly = (): void => {
        b.passVector(y);
        b.write(0, b.helper('sseConvertToInteger', b.const((truncate ? 2 : 0) + from)));
      };
      const kind = from === DOUBLE ? 'sd' : 'ss';
      toIntegersFast(b, kind, truncate, y, (integers) => b.write(0, b.lane(integers, 32, 0)), slowly);
    },
  };
}

export const SSE_CONVERSIONS: readonly Row[] = [
  betweenFormats('cvtps2pd', 'NP 0F 5A /r Vx,Wq', DOUBLE, 2),
  betweenFormats('cvtpd2ps', '66 0F 5A /r Vx,Wx', SINGLE, 2),
  betweenFormats('cvtss2sd', 'F3 0F 5A /r Vx,Wd', DOUBLE, 1),
  betweenFormats('cvtsd2ss', 'F2 0F 5A /r Vx,Wq', SINGLE, 1),
  fromIntegers('cvtdq2ps', 'NP 0F 5B /r Vx,Wx', SINGLE, 4),
  fromIntegers('cvtdq2pd', 'F3 0F E6 /r Vx,Wq', DOUBLE, 2),
  toIntegers('cvtps2dq', '66 0F 5B /r Vx,Wx', SINGLE, false, 4),
  toIntegers('cvttps2dq', 'F3 0F 5B /r Vx,Wx', SINGLE, true, 4),
  toIntegers('cvtpd2dq', 'F2 0F E6 /r Vx,Wx', DOUBLE, false, 2),
  toIntegers('cvttpd2dq', '66 0F E6 /r Vx,Wx', DOUBLE, true, 2),
  fromMmx('cvtpi2ps', 'NP 0F 2A /r Vx,Qq', SINGLE),
  fromMmx('cvtpi2pd', '66 0F 2A /r Vx,Qq', DOUBLE),
  toMmx('cvttps2pi', 'NP 0F 2C /r Pq,Wq', SINGLE, true),
  toMmx('cvttpd2pi', '66 0F 2C /r Pq,Wx', DOUBLE, true),
  toMmx('cvtps2pi', 'NP 0F 2D /r Pq,Wq', SINGLE, false),
  toMmx('cvtpd2pi', '66 0F 2D /r Pq,Wx', DOUBLE, false),
  fromGeneral('cvtsi2ss', 'F3 0F 2A /r Vx,Ed', SINGLE),
  fromGeneral('cvtsi2sd', 'F2 0F 2A /r Vx,Ed', DOUBLE),
  toGeneral('cvttss2si', 'F3 0F 2C /r Gd,Wd', SINGLE, true),
  toGeneral('cvttsd2si', 'F2 0F 2C /r Gd,Wq', DOUBLE, true),
  toGeneral('cvtss2si', 'F3 0F 2D /r Gd,Wd', SINGLE, false),
  toGeneral('cvtsd2si', 'F2 0F 2D /r Gd,Wq', DOUBLE, false),
];
