import assert from 'node:assert/strict';
import test from 'node:test';
import { DEFAULT_OPTIONS } from '../../src/jit/index.js';
import { HEAT_SHIFT, JUMP_CACHE } from '../../src/memory/layout.js';
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
  /** The last word of some entry, that of a block of seven instructions. */
  const last = new Int32Array(cpu.memory.memory.buffer, JUMP_CACHE + 16 * 5 + 12, 1);
  last[0] = (1 << HEAT_SHIFT) | 7;
  return {
    heat: (): number => {
      assert.equal(last[0]! & 0xff, 7);
      return last[0]! >> HEAT_SHIFT;
    },
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
  assert.equal(heat(), 1, 'too soon to tell');
  turn(300e6, 1e6);
  assert.equal(heat(), DEFAULT_OPTIONS.threshold);
});

test('a busy guest keeps its heat, and so does one whose time is virtual', () => {
  const busy = almostHot(true);
  // However few instructions it gets through: those that the interpreter is slow at want translating most.
  busy.turn(0, 250e6);
  busy.turn(300e6, 2e6);
  assert.equal(busy.heat(), 1);
  const virtual = almostHot(false);
  virtual.turn(300e6, 1e6);
  assert.equal(virtual.heat(), 1);
});
