/** The transcendental functions in WebAssembly give what the exact ones of `src/fpu` give, flags included. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExactly } from '../../src/cpu/x87-unit/exact.js';
import { buildX87Module, EXACT, ROUTINES } from '../../src/cpu/x87-unit/routines.js';
import * as fpu from '../../src/fpu/index.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { STATE, X87_EXCHANGE, X87_TABLES } from '../../src/memory/layout.js';

const CASES = process.env['LGUEST_ALL_VECTORS'] ? 1_000_000 : 6000;

/** Unbiased exponents of the common range of the first operand. */
const RANGES = {
  exponentialMinusOne: [-20, -1],
  logarithm: [-40, 40],
  logarithmPlusOne: [-20, -1],
  arctangent: [-10, 10],
  sine: [-12, 22],
  cosine: [-12, 22],
  tangent: [-12, 22],
  sineAndCosine: [-12, 22],
} as const;
type Name = keyof typeof RANGES;

/** xorshift32, for the same operands every time. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** 66 bits of π/2, as the processor has it: halves of it at all scales are near its multiples. */
const halfPi = 0xc90fdaa22168c234n;

function significand(next: () => number): bigint {
  const random = (BigInt(next()) << 32n) | BigInt(next());
  switch (next() % 6) {
    case 0:
      return fpu.integerBit | BigInt(next() % 3);
    case 1:
      return (1n << 64n) - 1n - BigInt(next() % 3);
    case 2:
      return fpu.integerBit | ((random >> 52n) << 52n);
    case 3: {
      const multiple = halfPi * BigInt(1 + (next() % 1000)) + BigInt(next() % 5);
      const excess = multiple.toString(2).length - 64;
      return multiple >> BigInt(excess);
    }
    default:
      return fpu.integerBit | random;
  }
}

function operand(next: () => number, [low, high]: readonly [number, number]): fpu.Float80 {
  const sign = next() & 1;
  if (next() % 16 === 0) {
    const odd = [0, 0x7fff, next() & 0x7fff, 1][next() & 3]!;
    return fpu.makeFloat80(sign, odd, odd === 0 ? significand(next) >> BigInt(next() % 65) : significand(next));
  }
  return fpu.makeFloat80(sign, 0x3fff + low + (next() % (high - low + 1)), significand(next));
}

const memory = new GuestMemory(0x1000);
const { view } = memory;
const module = new WebAssembly.Module(buildX87Module(memory.memory.buffer.byteLength / 0x1_0000));
const exactly = createExactly(memory);

function secondResult(): string {
  const bits = view.getBigUint64(X87_EXCHANGE.second, true);
  // Flags are above the exponent.
  return `${bits.toString(16)}:${view.getUint16(X87_EXCHANGE.second + 8, true).toString(16)}`;
}

test('tables are made when the first function is computed', () => {
  const other = new GuestMemory(0x1000);
  const { exports } = new WebAssembly.Instance(module, {
    env: { memory: other.memory, exactly: createExactly(other) },
  });
  assert.equal(other.view.getUint32(X87_TABLES.ready, true), 0);
  const sine = exports['sine'] as (m: bigint, e: number) => [bigint, number];
  other.view.setUint32(STATE.fpuControl, 0x37f, true);
  const first = sine(-1n << 63n, 0x3fff);
  assert.equal(other.view.getUint32(X87_TABLES.ready, true), 1);
  assert.deepEqual(sine(-1n << 63n, 0x3fff), first);
});

for (const [name, range] of Object.entries(RANGES) as [Name, readonly [number, number]][]) {
  test(`${name} is exact`, () => {
    let exact = 0;
    const { exports } = new WebAssembly.Instance(module, {
      env: {
        memory: memory.memory,
        exactly: (operation: number) => {
          exact++;
          return exactly(operation);
        },
      },
    });
    const routine = exports[name] as (...operands: (bigint | number)[]) => [bigint, number];
    const next = generator(0x1234567);
    for (let n = 0; n < CASES; n++) {
      const a = operand(next, n % 8 === 0 ? [-100, 70] : range);
      const b = operand(next, n % 3 === 0 ? [0, 0] : [-30, 30]);
      const control = (next() & 0x0f00) | 0x7f;
      view.setUint32(STATE.fpuControl, control, true);
      fpu.writeFloat80(view, X87_EXCHANGE.a, a);
      fpu.writeFloat80(view, X87_EXCHANGE.b, b);
      const flags = exactly(EXACT[name]);
      const wanted = `${view.getBigUint64(X87_EXCHANGE.result, true).toString(16)} ${(flags >>> 0).toString(16)}`;
      const second = secondResult();
      view.setBigUint64(X87_EXCHANGE.second, 0n, true);
      const values = [a, b].slice(0, ROUTINES[name].parameters.length / 2);
      const found = routine(...values.flatMap((value) => [value.significand, fpu.signAndExponent(value)]));
      const text = `${show(a)}, ${show(b)}, ${control.toString(16)}`;
      assert.equal(`${BigInt.asUintN(64, found[0]).toString(16)} ${(found[1] >>> 0).toString(16)}`, wanted, text);
      if (name === 'sineAndCosine') assert.equal(secondResult(), second, text);
    }
    assert.ok(exact < CASES * 0.6, `${exact} of ${CASES} were left to src/fpu`);
  });
}

function show({ sign, exponent, significand: digits }: fpu.Float80): string {
  return `${sign === 1 ? '-' : ''}${digits.toString(16)}:${exponent.toString(16)}`;
}
