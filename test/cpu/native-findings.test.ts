import assert from 'node:assert/strict';
import test from 'node:test';
import { SS } from '../../src/memory/layout.js';
import { createMachine } from './machine-code.js';

/** Mistakes that comparing with real processors (tools/native-oracle) brought to light, one test each. */

test('ENTER with a 16-bit stack and 32-bit operands leaves all of ESP in EBP', () => {
  // enter 2,0
  const cpu = createMachine([0xc8, 2, 0, 0]);
  const stack = cpu.state.segment(SS);
  cpu.state.setSegment(SS, { ...stack, limit: 0xffff, access: stack.access & ~0x40_0000 });
  cpu.segmentsChanged();
  cpu.state.registers[4] = 0x5678_9000;
  cpu.state.registers[5] = 0x1111_2222;
  cpu.run(1);
  assert.equal(cpu.state.registers[5], 0x5678_8ffc);
  assert.equal(cpu.state.registers[4], 0x5678_8ffa);
});
