import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuidHelpers, LGUEST_MODEL, PC_MODEL, type ProcessorModel, readCpuid } from '../../src/cpu/cpuid.js';
import { EAX, EBX, ECX, EDX } from '../../src/cpu/state.js';
import { FakeCpu } from './fake-cpu.js';

const characters = (...words: number[]): string => Buffer.from(new Uint32Array(words).buffer).toString('latin1');

/** EBX, EDX and ECX of leaf 0. */
function vendorOf(model: ProcessorModel): string {
  const [, ebx, ecx, edx] = readCpuid(model, 0);
  return characters(ebx, edx, ecx);
}

test('on the lguest board the vendor is nobody a kernel has special code for', () => {
  const cpu = new FakeCpu();
  cpu.state.registers[EAX] = 0;
  cpuidHelpers.cpuid(cpu);
  const { registers } = cpu.state;
  assert.equal(characters(registers[EBX]!, registers[EDX]!, registers[ECX]!), 'LguestScript');
  assert.equal(registers[EAX], 4);
  assert.equal(vendorOf(LGUEST_MODEL), 'LguestScript');
});

test('on the pc board it is one in whose processors C libraries look for SSE', () => {
  assert.equal(vendorOf(PC_MODEL), 'GenuineIntel');
  const [signature] = readCpuid(PC_MODEL, 1);
  assert.equal((signature >> 8) & 15, 6);
  // Nothing with model-specific registers that the board does not have: machine checks, memory types.
  const [, , , edx] = readCpuid(PC_MODEL, 1);
  assert.equal(edx & ((1 << 7) | (1 << 12) | (1 << 14)), 0);
});

test('features: an i686 with PAE and SSSE3, and nothing that is missing', () => {
  const [signature, , ecx, edx] = readCpuid(LGUEST_MODEL, 1);
  assert.equal((signature >> 8) & 15, 6);
  assert.equal(ecx, 0x201);
  const has = (bit: number): boolean => ((edx >>> bit) & 1) === 1;
  const there = [0, 3, 4, 6, 8, 13, 15, 19, 23, 24, 25, 26];
  for (let bit = 0; bit < 32; bit++) assert.equal(has(bit), there.includes(bit), `bit ${bit}`);
  assert.equal(readCpuid(PC_MODEL, 1)[3] & ~edx, (1 << 5) | (1 << 11));
});

test('leaves out of range repeat the last basic one; the brand is a string', () => {
  assert.deepEqual(readCpuid(LGUEST_MODEL, 0x4000_0000), readCpuid(LGUEST_MODEL, 4));
  assert.deepEqual(readCpuid(LGUEST_MODEL, -1), readCpuid(LGUEST_MODEL, 4));
  assert.deepEqual(readCpuid(LGUEST_MODEL, 0x8000_0005), [0, 0, 0, 0]);
  assert.equal(readCpuid(LGUEST_MODEL, 0x8000_0000)[0], 0x8000_0008);
  assert.equal(readCpuid(LGUEST_MODEL, 0x8000_0001)[3], 1 << 20);
  const brand = [2, 3, 4].map((n) => characters(...readCpuid(LGUEST_MODEL, 0x8000_0000 + n))).join('');
  assert.match(brand, /^Virtual i686 in TypeScript \(lguest\)\0+$/);
  assert.equal(brand.length, 48);
});
