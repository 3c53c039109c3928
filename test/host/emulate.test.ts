import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emulateInstruction } from '../../src/host/emulate.js';

const REGISTERS = [0x1234_5600, 1, 2, 3, 4, 5, 6, 7];

/** What the instruction of `bytes` does; bytes behind them cannot be read. */
function emulate(...bytes: number[]) {
  return emulateInstruction((offset) => bytes[offset] ?? -1, REGISTERS, 0xffff_0ff0);
}

test('reads give ones of the operand size, writes and cli nothing', () => {
  assert.deepEqual(emulate(0xec), { length: 1, value: 0x1234_56ff });
  assert.deepEqual(emulate(0x66, 0xe5, 0x60), { length: 3, value: 0x1234_ffff });
  assert.deepEqual(emulate(0xed), { length: 1, value: 0xffff_ffff });
  assert.deepEqual(emulate(0x66, 0xec), { length: 2, value: 0x1234_56ff });
  assert.deepEqual(emulate(0xe6, 0x80), { length: 2, value: 0x1234_5600 });
  assert.deepEqual(emulate(0xfa), { length: 1, value: 0x1234_5600 });
});

test('DR6 can be read into any register, other debug registers cannot', () => {
  assert.deepEqual(emulate(0x0f, 0x21, 0xf3), { length: 3, register: 3, value: 0xffff_0ff0 });
  for (const bytes of [
    [0x0f, 0x21, 0xfb],
    [0x0f, 0x23, 0xf3],
    [0x0f, 0x21, 0x33],
    [0x66, 0x0f, 0x21, 0xf3],
  ]) {
    assert.equal(emulate(...bytes), undefined);
  }
});

test('nothing else, and nothing that cannot be fetched', () => {
  for (let opcode = 0; opcode < 256; opcode++) {
    if ([0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef, 0xfa].includes(opcode)) continue;
    assert.equal(emulate(opcode, 0, 0), undefined);
  }
  for (const bytes of [[], [0x66], [0xe4], [0xe7], [0x0f], [0x0f, 0x21], [0x66, 0x66, 0xec]]) {
    assert.equal(emulate(...bytes), undefined);
  }
});
