import assert from 'node:assert/strict';
import test from 'node:test';
import { DEFAULT_OPTIONS } from '../../src/jit/index.js';
import { JUMP_CACHE_ENTRIES, JUMP_HEAT } from '../../src/memory/layout.js';
import { Translation } from '../../src/vm/translation.js';
import { createMachine } from '../cpu/machine-code.js';

/** A processor whose blocks are all but hot, and a clock that is set by hand. */
function almostHot(asynchronous: boolean) {
  const cpu = createMachine([0xf4]);
  let now = 0;
  const translation = new Translation(cpu, {
    memoryMegabytes: undefined,
    asynchronous,
    torture: {},
    background: undefined,
    monotonicNs: () => now,
  });
  translation.beforeTurn(0);
  const heat = new Int32Array(cpu.memory.memory.buffer, JUMP_HEAT, JUMP_CACHE_ENTRIES).fill(1);
  return {
    heat,
    /** A turn of so many nanoseconds. */
    turn(atNs: number, lasting: number): void {
      now = atNs;
      translation.beforeTurn(0);
      now += lasting;
      translation.afterTurn();
    },
  };
}

test('what an idle guest does four times a second never becomes hot', () => {
  const { heat, turn } = almostHot(true);
  turn(100e6, 1e6);
  assert.equal(heat[5], 1, 'too soon to tell');
  turn(300e6, 1e6);
  assert.equal(heat[5], DEFAULT_OPTIONS.threshold);
});

test('a busy guest keeps its heat, and so does one whose time is virtual', () => {
  const busy = almostHot(true);
  // However few instructions it gets through: those that the interpreter is slow at want translating most.
  busy.turn(0, 250e6);
  busy.turn(300e6, 2e6);
  assert.equal(busy.heat[5], 1);
  const virtual = almostHot(false);
  virtual.turn(300e6, 1e6);
  assert.equal(virtual.heat[5], 1);
});
