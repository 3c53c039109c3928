import assert from 'node:assert/strict';
import test from 'node:test';
import {
  addBinary,
  type BinaryOperation,
  convertToInteger,
  divideBinary,
  FLOAT32_FORMAT,
  FLOAT64_FORMAT,
  minimumBinary,
  multiplyBinary,
  SseEnvironment,
  squareRootBinary,
} from '../../src/fpu/index.js';

/** Arithmetic of SSE by example; answers of a real processor are in test/cpu/sse-recorded.test.ts. */

const MASKED = 0x1f80;
const FLUSH_TO_ZERO = 0x8000;
const DENORMALS_ARE_ZERO = 0x40;
const [IE, DE, ZE, OE, UE, PE] = [1, 2, 4, 8, 16, 32] as const;

const view = new DataView(new ArrayBuffer(8));
function bits64(value: number): bigint {
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}
function bits32(value: number): bigint {
  view.setFloat32(0, value);
  return BigInt(view.getUint32(0));
}
function run64(operation: BinaryOperation, a: number, b: number, mxcsr = MASKED): [number, number] {
  const env = new SseEnvironment(mxcsr);
  view.setBigUint64(0, operation(env, FLOAT64_FORMAT, bits64(a), bits64(b)));
  return [view.getFloat64(0), env.settled & 0x3f];
}
function run32(operation: BinaryOperation, a: number, b: number, mxcsr = MASKED): [number, number] {
  const env = new SseEnvironment(mxcsr);
  view.setUint32(0, Number(operation(env, FLOAT32_FORMAT, bits32(a), bits32(b))));
  return [view.getFloat32(0), env.settled & 0x3f];
}

test('rounded to nearest it is what JavaScript computes', () => {
  const values = [0.1, 1, 3, -7.25, 1e300, 5e-324, 2 ** -1022, Number.MAX_VALUE, 1 + Number.EPSILON, -0];
  for (const a of values)
    for (const b of values) {
      assert.equal(run64(addBinary, a, b)[0], a + b);
      assert.equal(run64(multiplyBinary, a, b)[0], a * b);
      if (b !== 0) assert.equal(run64(divideBinary, a, b)[0], a / b);
      if (b >= 0) assert.equal(run64(squareRootBinary, a, b)[0], Math.sqrt(b));
      const [x, y] = [Math.fround(a), Math.fround(b)];
      if (Number.isFinite(x * y)) assert.equal(run32(multiplyBinary, x, y)[0], Math.fround(x * y));
    }
});

test('directions, and the zero of a difference', () => {
  const third = 1 / 3;
  const [down] = run64(divideBinary, 1, 3, MASKED | 0x2000);
  const [up] = run64(divideBinary, 1, 3, MASKED | 0x4000);
  assert.equal(down, third);
  assert.equal(bits64(up) - bits64(down), 1n);
  assert.equal(run64(divideBinary, -1, 3, MASKED | 0x2000)[0], -up);
  assert.equal(run64(divideBinary, -1, 3, MASKED | 0x6000)[0], -down);
  assert.ok(Object.is(run64(addBinary, 1, -1)[0], 0));
  assert.ok(Object.is(run64(addBinary, 1, -1, MASKED | 0x2000)[0], -0));
  // A term far below only decides the direction.
  assert.equal(run64(addBinary, 1, 5e-324, MASKED | 0x4000)[0], 1 + Number.EPSILON);
});

test('flags', () => {
  assert.equal(run64(addBinary, 1, 2)[1], 0);
  assert.equal(run64(addBinary, 0.1, 0.2)[1], PE);
  assert.equal(run64(divideBinary, 1, 0)[1], ZE);
  assert.equal(run64(divideBinary, 0, 0)[1], IE);
  assert.equal(run64(multiplyBinary, 1e300, 1e300)[1], OE | PE);
  assert.equal(run64(multiplyBinary, 5e-324, 0.5)[1], DE | UE | PE);
  // Tiny but exact: no underflow while it is masked.
  assert.deepEqual(run64(multiplyBinary, 2 ** -1022, 0.5), [2 ** -1023, 0]);
  assert.equal(run64(multiplyBinary, 2 ** -1022, 0.5, MASKED & ~(UE << 7))[1], UE);
  assert.equal(run64(squareRootBinary, 0, -1)[1], IE);
  assert.equal(run64(minimumBinary, Number.NaN, 5)[1], IE);
});

test('flush-to-zero and denormals-are-zero', () => {
  assert.deepEqual(run64(multiplyBinary, 2 ** -1022, 0.5, MASKED | FLUSH_TO_ZERO), [0, UE | PE]);
  assert.deepEqual(run64(addBinary, 5e-324, 0, MASKED | DENORMALS_ARE_ZERO), [0, 0]);
});

test('an unmasked IE, DE or ZE keeps the others from counting', () => {
  // 5e-324 + 0.1 would set PE too.
  assert.equal(run64(addBinary, 5e-324, 0.1, MASKED & ~(DE << 7))[1], DE);
});

test('integers: rounding, truncation, and what does not fit', () => {
  const convert = (value: number, truncate: boolean, mxcsr = MASKED): [number, number] => {
    const env = new SseEnvironment(mxcsr);
    return [convertToInteger(env, FLOAT64_FORMAT, bits64(value), truncate), env.settled & 0x3f];
  };
  assert.deepEqual(convert(2.5, false), [2, PE]);
  assert.deepEqual(convert(2.5, false, MASKED | 0x4000), [3, PE]);
  assert.deepEqual(convert(-2.5, true), [-2, PE]);
  assert.deepEqual(convert(2147483647, false), [2147483647, 0]);
  assert.deepEqual(convert(2147483648, false), [-2147483648, IE]);
  assert.deepEqual(convert(-2147483648.5, true), [-2147483648, PE]);
  assert.deepEqual(convert(Number.NaN, true), [-2147483648, IE]);
});
