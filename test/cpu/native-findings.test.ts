import assert from 'node:assert/strict';
import test from 'node:test';
import { EXIT } from '../../src/cpu/exit.js';
import { UD } from '../../src/cpu/faults.js';
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

test('moves of control registers do not look at the mod field', () => {
  // mov eax,cr0 with mod 0: no memory operand
  const cpu = createMachine([0x0f, 0x20, 0x00]);
  assert.equal(cpu.run(1), EXIT.budget);
  assert.equal(cpu.state.eip, 0x1003);
  assert.equal(cpu.state.registers[0]! & 1, 1);
});

test('control registers that do not exist are undefined opcodes, in ring 3 too', () => {
  for (const ring of [0, 3])
    for (const modrm of [0xc8, 0xe8, 0xf0, 0xf8]) {
      const cpu = createMachine([0x0f, 0x20, modrm], { ring });
      assert.equal(cpu.run(1), EXIT.trap);
      assert.equal(cpu.exit.vector, UD);
    }
});

test('FXSAVE and FXRSTOR take no prefix', () => {
  for (const prefix of [0x66, 0xf2, 0xf3])
    for (const modrm of [0x00, 0x08]) {
      const cpu = createMachine([prefix, 0x0f, 0xae, modrm]);
      assert.equal(cpu.run(1), EXIT.trap);
      assert.equal(cpu.exit.vector, UD);
    }
});
