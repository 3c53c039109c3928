/** The protocol between arithmetic and the instruction layer. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fpu from '../../src/fpu/index.js';

const two = fpu.fromNumber(2);
const three = fpu.fromNumber(3);
const largest = fpu.makeFloat80(0, 0x7ffe, (1n << 64n) - 1n);
const smallest = fpu.makeFloat80(0, 1, fpu.integerBit);
const signaling = fpu.makeFloat80(0, 0x7fff, fpu.integerBit | 1n);

function environment(control = fpu.initialControlWord): fpu.FpuEnvironment {
  const env = new fpu.FpuEnvironment();
  env.control = control;
  return env;
}

describe('exceptions', () => {
  test('are sticky; C1 is not', () => {
    const env = environment();
    fpu.divide(env, two, three);
    assert.equal(env.status, fpu.precisionLoss | fpu.conditionC1);
    env.begin();
    fpu.add(env, two, three);
    assert.equal(env.status, fpu.precisionLoss);
  });

  test('before the result suppress it when unmasked', () => {
    const unmasked: readonly [number, (env: fpu.FpuEnvironment) => unknown][] = [
      [fpu.invalidOperation, (env) => fpu.squareRoot(env, fpu.negate(two))],
      [fpu.denormalOperand, (env) => fpu.add(env, two, fpu.makeFloat80(0, 0, 1n))],
      [fpu.zeroDivide, (env) => fpu.divide(env, two, fpu.negativeZero)],
    ];
    for (const [exception, run] of unmasked) {
      const env = environment(0x0340 | (0x3f & ~exception));
      env.begin();
      run(env);
      assert.ok(env.suppressed);
      assert.equal(env.status, exception);
      assert.equal(env.statusWord(5), 0x8080 | (5 << 11) | exception);
      env.begin();
      assert.ok(!env.suppressed, 'the next instruction starts afresh');
    }
  });

  test('unmasked overflow and underflow of a register result adjust the exponent by 24576', () => {
    const env = environment(0x0340);
    assert.equal(fpu.multiply(env, largest, two).exponent, 0x7fff - 24576);
    assert.equal(fpu.divide(env, smallest, two).exponent, 24576);
    assert.equal(env.status & (fpu.overflow | fpu.underflow), fpu.overflow | fpu.underflow);
    assert.ok(!env.suppressed);
  });

  test('unmasked overflow of a store suppresses it', () => {
    const env = environment(0x0340);
    fpu.toFloat64(env, largest);
    assert.ok(env.suppressed);
    assert.equal(env.status, fpu.overflow);
  });

  test('a denormal narrower operand raises DE although it is normal in a register', () => {
    const env = environment();
    env.begin();
    fpu.add(env, two, fpu.operandFromFloat32(env, 1));
    assert.equal(env.status & fpu.denormalOperand, fpu.denormalOperand);
  });

  test('stack faults set IE, SF and C1 = overflow', () => {
    const env = environment();
    assert.ok(!env.stackFault(true));
    assert.equal(env.status, fpu.invalidOperation | fpu.stackFault | fpu.conditionC1);
    assert.ok(environment(0x037e).stackFault(false));
  });
});

describe('values', () => {
  test('every bit pattern survives memory', () => {
    const view = new DataView(new ArrayBuffer(10));
    for (const value of [two, largest, signaling, fpu.defaultNaN, fpu.makeFloat80(1, 0x3fff, 5n)]) {
      fpu.writeFloat80(view, 0, value);
      assert.deepEqual(fpu.readFloat80(view, 0), value);
    }
  });

  test('are told apart', () => {
    const classes: readonly [fpu.Float80, fpu.Float80Class][] = [
      [fpu.negativeZero, 'zero'],
      [fpu.makeFloat80(0, 0, 1n), 'denormal'],
      [fpu.makeFloat80(0, 0, fpu.integerBit), 'denormal'],
      [two, 'normal'],
      [fpu.infinity(1), 'infinity'],
      [fpu.defaultNaN, 'quietNaN'],
      [signaling, 'signalingNaN'],
      [fpu.makeFloat80(0, 0x7fff, 0n), 'unsupported'],
      [fpu.makeFloat80(0, 1, 1n), 'unsupported'],
    ];
    for (const [value, expected] of classes) assert.equal(fpu.classify(value), expected);
  });

  test('of NaNs the quiet one, else the one with the larger significand is kept', () => {
    const quiet = fpu.makeFloat80(1, 0x7fff, fpu.integerBit | fpu.quietBit | 7n);
    const env = environment();
    assert.deepEqual(fpu.add(env, signaling, quiet), quiet);
    assert.deepEqual(fpu.add(env, quiet, fpu.defaultNaN), quiet);
    assert.deepEqual(fpu.add(env, signaling, two), fpu.quieten(signaling));
    assert.equal(env.status, fpu.invalidOperation);
  });
});
