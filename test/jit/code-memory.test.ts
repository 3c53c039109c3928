import assert from 'node:assert/strict';
import test from 'node:test';
import { createMachine } from '../cpu/machine-code.js';
import { AT_ONCE, attachTranslator } from './attach.js';

/** `dec ecx; jnz` to itself; HLT. */
const COUNT_DOWN = [0x49, 0x75, 0xfd, 0xf4];
const FIRST = 0x1000;
const STEP = 0x100;

test('when there is too much code, what has not run lately is given up', () => {
  const code = new Array<number>(0x4000).fill(0x90);
  for (let at = 0; at < code.length; at += STEP) code.splice(at, COUNT_DOWN.length, ...COUNT_DOWN);
  const cpu = createMachine(code, { at: FIRST });
  const made: number[] = [];
  const ended: number[] = [];
  const translator = attachTranslator(cpu, {
    ...AT_ONCE,
    memoryBytes: 400_000,
    observer: {
      regionMade: ({ entry }) => made.push(entry),
      regionEnded: ({ entry }, why) => {
        assert.equal(why, 'cold');
        ended.push(entry);
      },
      regionRefused: () => {},
      moduleCompiled: () => {},
      flushed: () => assert.fail('not all of it'),
    },
  });
  const run = (eip: number): void => {
    cpu.state.eip = eip;
    cpu.state.registers[1] = 100;
    cpu.run(200);
    assert.equal(cpu.state.registers[1], 0);
  };
  for (let loop = 0; loop < code.length / STEP; loop++) {
    run(FIRST + loop * STEP);
    // This one is in use all the time.
    run(FIRST);
  }
  const { regions, cold, flushes, memory } = translator.statistics();
  assert.ok(memory <= 400_000, `${memory} bytes`);
  assert.ok(regions > 5, `${regions} regions`);
  assert.equal(flushes, 0);
  assert.equal(cold, ended.length);
  assert.ok(ended.length >= 40, `${ended.length} given up`);
  assert.ok(!ended.includes(FIRST));
  // What was given up may come back.
  run(ended[0]!);
  run(ended[0]!);
  assert.equal(made.filter((entry) => entry === ended[0]).length, 2);
});
