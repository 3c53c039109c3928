/** The fast paths of the transcendental instructions give what the exact ones give, flags included. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fpu from '../../src/fpu/index.js';

type Compute = (env: fpu.FpuEnvironment, a: fpu.Float80, b: fpu.Float80) => unknown;

interface Pair {
  readonly name: string;
  readonly fast: Compute;
  readonly exact: Compute;
  /** Unbiased exponents of the common range of the first operand. */
  readonly range: readonly [number, number];
}

const pairs: readonly Pair[] = [
  { name: 'F2XM1', fast: fpu.exponentialMinusOne, exact: fpu.exactExponentialMinusOne, range: [-20, -1] },
  { name: 'FYL2X', fast: fpu.logarithm, exact: fpu.exactLogarithm, range: [-40, 40] },
  { name: 'FYL2XP1', fast: fpu.logarithmPlusOne, exact: fpu.exactLogarithmPlusOne, range: [-20, -1] },
  { name: 'FPATAN', fast: fpu.arctangent, exact: fpu.exactArctangent, range: [-10, 10] },
  { name: 'FSIN', fast: fpu.sine, exact: fpu.exactSine, range: [-12, 22] },
  { name: 'FCOS', fast: fpu.cosine, exact: fpu.exactCosine, range: [-12, 22] },
  { name: 'FPTAN', fast: fpu.tangent, exact: fpu.exactTangent, range: [-12, 22] },
  { name: 'FSINCOS', fast: fpu.sineAndCosine, exact: exactSineAndCosine, range: [-12, 22] },
];

function exactSineAndCosine(env: fpu.FpuEnvironment, a: fpu.Float80): fpu.SineAndCosine {
  const cosine = fpu.exactCosine(env, a);
  return { cosine, sine: fpu.exactSine(env, a) };
}

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

function run(compute: Compute, control: number, a: fpu.Float80, b: fpu.Float80) {
  const env = new fpu.FpuEnvironment();
  env.control = control;
  env.status = fpu.conditionC1 | fpu.conditionC2;
  env.begin();
  const result = compute(env, a, b);
  return { result, status: env.status, suppressed: env.suppressed };
}

describe('fast paths are exact', () => {
  for (const { name, fast, exact, range } of pairs) {
    test(name, () => {
      const next = generator(0x1234567);
      for (let n = 0; n < 6000; n++) {
        const a = operand(next, n % 8 === 0 ? [-100, 70] : range);
        const b = operand(next, n % 3 === 0 ? [0, 0] : [-30, 30]);
        const control = (next() & 0x0f3f) | (n % 2 === 0 ? 0x3f : 0);
        assert.deepEqual(
          run(fast, control, a, b),
          run(exact, control, a, b),
          `${show(a)}, ${show(b)}, ${control.toString(16)}`,
        );
      }
    });
  }
});

function show({ sign, exponent, significand: digits }: fpu.Float80): string {
  return `${sign === 1 ? '-' : ''}${digits.toString(16)}:${exponent.toString(16)}`;
}
