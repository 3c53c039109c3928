/** With 53-bit precision the x87 computes what JavaScript computes, within the range where neither is denormal. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fpu from '../../src/fpu/index.js';
import { Dice } from '../../tools/x87-oracle/questions.js';

const doublePrecision = 0x027f;
const view = new DataView(new ArrayBuffer(8));

function bitsOf(value: number): bigint {
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

function numberOf(bits: bigint): number {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

/** A double between 2^−100 and 2^100, often with few significant bits. */
function rollDouble(dice: Dice): number {
  const digits = dice.below(3) === 0 ? dice.below(1000) + 1 : dice.word() * 2 ** 20 + dice.below(2 ** 20) + 1;
  return (dice.below(2) === 0 ? digits : -digits) * 2 ** (dice.below(150) - 100);
}

const binary: readonly [string, typeof fpu.add, (a: number, b: number) => number][] = [
  ['add', fpu.add, (a, b) => a + b],
  ['subtract', fpu.subtract, (a, b) => a - b],
  ['multiply', fpu.multiply, (a, b) => a * b],
  ['divide', fpu.divide, (a, b) => a / b],
];

describe('53-bit precision agrees with JavaScript', () => {
  const env = new fpu.FpuEnvironment();
  env.control = doublePrecision;
  for (const [name, compute, expected] of binary) {
    test(name, () => {
      const dice = new Dice(17);
      for (let i = 0; i < 20000; i++) {
        const a = rollDouble(dice);
        const b = i % 5 === 0 ? -a * (1 + 2 ** -52 * dice.below(3)) : rollDouble(dice);
        env.begin();
        const result = compute(env, fpu.loadFloat64(env, bitsOf(a)), fpu.loadFloat64(env, bitsOf(b)));
        assert.equal(numberOf(fpu.toFloat64(env, result)), expected(a, b), `${a} ${name} ${b}`);
      }
    });
  }

  test('square root', () => {
    const dice = new Dice(18);
    for (let i = 0; i < 20000; i++) {
      const a = Math.abs(rollDouble(dice));
      env.begin();
      const root = fpu.squareRoot(env, fpu.loadFloat64(env, bitsOf(a)));
      assert.equal(numberOf(fpu.toFloat64(env, root)), Math.sqrt(a));
    }
  });

  test('comparison', () => {
    const dice = new Dice(19);
    for (let i = 0; i < 5000; i++) {
      const a = rollDouble(dice);
      const b = dice.below(4) === 0 ? a : rollDouble(dice);
      env.begin();
      const relation = fpu.compare(env, fpu.loadFloat64(env, bitsOf(a)), fpu.loadFloat64(env, bitsOf(b)), false);
      assert.equal(relation, a < b ? 'less' : a > b ? 'greater' : 'equal');
    }
  });

  test('every kind of double survives loading and storing', () => {
    const dice = new Dice(20);
    for (let i = 0; i < 20000; i++) {
      const bits = dice.long() >> BigInt(dice.below(2) * dice.below(64));
      env.begin();
      const back = fpu.toFloat64(env, fpu.loadFloat64(env, bits));
      const signaling = Number.isNaN(numberOf(bits)) && (bits & (1n << 51n)) === 0n;
      assert.equal(back, signaling ? bits | (1n << 51n) : bits);
    }
  });

  test('storing as a 32-bit float rounds like Math.fround', () => {
    const dice = new Dice(21);
    for (let i = 0; i < 20000; i++) {
      const value = rollDouble(dice) * 2 ** (dice.below(120) - 80);
      env.begin();
      const stored = fpu.toFloat32(env, fpu.loadFloat64(env, bitsOf(value)));
      view.setFloat32(0, value);
      assert.equal(stored, view.getUint32(0));
    }
  });

  test('storing as an integer rounds half to even, and truncates on request', () => {
    const cases: readonly [number, number, number][] = [
      [2.5, 2, 2],
      [3.5, 4, 3],
      [-2.5, -2, -2],
      [-3.75, -4, -3],
      [0.25, 0, 0],
      [32767.25, 32767, 32767],
    ];
    for (const [value, nearest, truncated] of cases) {
      const operand = fpu.loadFloat64(env, bitsOf(value));
      assert.equal(fpu.toInteger(env, operand, 16), BigInt(nearest));
      assert.equal(fpu.toInteger(env, operand, 64, fpu.roundTowardZero), BigInt(truncated));
    }
  });
});
