import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MachineRegisters } from '../../src/pc/machine-registers.js';

test('registers that kernels touch without asking are there, and stay what they are', () => {
  const registers = new MachineRegisters({ ticks: () => 0, onChange: () => assert.fail() });
  for (const [index, low] of [
    [0x17, 0],
    [0x8b, 0],
    [0x1a0, 1],
  ] as const) {
    assert.ok(registers.write(index, 0xffff_ffff, 4));
    assert.deepEqual(registers.read(index), [low, 0]);
  }
  assert.equal(registers.read(0x1d9), undefined);
  assert.equal(registers.write(0x1d9, 1, 0), false);
});
