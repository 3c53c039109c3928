/**
 * Correct rounding of the transcendental instructions. The recorded answers
 * allow for the last place, so exact expectations stand here: digits of
 * constants, and neighbours under directed rounding.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fpu from '../../src/fpu/index.js';

const half = fpu.makeFloat80(0, 0x3ffe, fpu.integerBit);

/** The result under each rounding mode 0 … 3. */
function underAllRoundings(compute: (env: fpu.FpuEnvironment) => fpu.Float80): fpu.Float80[] {
  return [0, 1, 2, 3].map((rounding) => {
    const env = new fpu.FpuEnvironment();
    env.control = 0x033f | (rounding << 10);
    return compute(env);
  });
}

function constants(name: fpu.ConstantName): fpu.Float80[] {
  return ([0, 1, 2, 3] as const).map((rounding) => fpu.constant(name, rounding));
}

describe('results that are constants of the processor', () => {
  const ten = fpu.fromNumber(10);
  const table: readonly [fpu.ConstantName, string, (env: fpu.FpuEnvironment) => fpu.Float80][] = [
    ['pi', 'arctan2(0, −1)', (env) => fpu.arctangent(env, fpu.negativeOne, fpu.positiveZero)],
    ['log2Of10', '1 × log2 10', (env) => fpu.logarithm(env, ten, fpu.one)],
  ];
  for (const [name, description, compute] of table) {
    test(`${description} = ${name}`, () => assert.deepEqual(underAllRoundings(compute), constants(name)));
  }

  test('four times arctan 1 is π', () => {
    const quarters = underAllRoundings((env) => fpu.arctangent(env, fpu.one, fpu.one));
    const scaled = quarters.map(({ sign, exponent, significand }) => fpu.makeFloat80(sign, exponent + 2, significand));
    assert.deepEqual(scaled, constants('pi'));
  });
});

describe('near zero', () => {
  const tiny = fpu.makeFloat80(0, 0x3f93, 0xfffff00000000000n);
  const below = fpu.makeFloat80(0, 0x3f93, 0xffffefffffffffffn);
  const above = fpu.makeFloat80(0, 0x3f93, 0xfffff00000000001n);

  test('a sine is a little less than its angle', () => {
    const results = underAllRoundings((env) => fpu.sine(env, tiny));
    assert.deepEqual(results, [tiny, below, tiny, below]);
  });

  test('a tangent is a little more than its angle', () => {
    const results = underAllRoundings((env) => fpu.tangent(env, tiny));
    assert.deepEqual(results, [tiny, tiny, above, tiny]);
  });

  test('an arctangent is a little less than its slope', () => {
    const results = underAllRoundings((env) => fpu.arctangent(env, fpu.one, tiny));
    assert.deepEqual(results, [tiny, below, tiny, below]);
  });

  test('a cosine is a little less than one', () => {
    const belowOne = fpu.makeFloat80(0, 0x3ffe, (1n << 64n) - 1n);
    const results = underAllRoundings((env) => fpu.cosine(env, tiny));
    assert.deepEqual(results, [fpu.one, belowOne, fpu.one, belowOne]);
  });
});

describe('the edges of the domain', () => {
  test('angles are reduced with the 66-bit π of the processor', () => {
    const env = new fpu.FpuEnvironment();
    // The register π exceeds it by exactly 2^−64, in which the sine shows.
    const result = fpu.sine(env, fpu.constant('pi', 0));
    assert.deepEqual(result, fpu.makeFloat80(1, 0x3fff - 64, fpu.integerBit));
  });

  test('an angle of 2^63 or more sets C2 and stays', () => {
    const env = new fpu.FpuEnvironment();
    const large = fpu.makeFloat80(1, 0x3fff + 63, fpu.integerBit);
    env.begin();
    assert.equal(fpu.sine(env, large), large);
    assert.equal(env.status, fpu.conditionC2);
    fpu.cosine(env, fpu.one);
    assert.equal(env.status & fpu.conditionC2, 0);
  });

  test('powers of two are exact in both directions', () => {
    const env = new fpu.FpuEnvironment();
    assert.deepEqual(fpu.exponentialMinusOne(env, fpu.negativeOne), fpu.negate(half));
    assert.deepEqual(fpu.exponentialMinusOne(env, fpu.one), fpu.one);
    assert.deepEqual(fpu.logarithm(env, fpu.fromNumber(1024), fpu.one), fpu.fromNumber(10));
    assert.deepEqual(fpu.logarithm(env, fpu.makeFloat80(0, 0, 1n), fpu.one), fpu.fromNumber(-16445));
    assert.deepEqual(fpu.logarithmPlusOne(env, fpu.negate(half), fpu.one), fpu.negativeOne);
  });
});
