import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuidHelpers, LGUEST_MODEL, PC_MODEL, readCpuid } from '../../src/cpu/cpuid.js';
import { EAX, EBX, ECX, EDX } from '../../src/cpu/state.js';
import { FakeCpu } from './fake-cpu.js';

const characters = (...words: number[]): string => Buffer.from(new Uint32Array(words).buffer).toString('latin1');

test('the vendor is nobody a kernel has special code for', () => {
  const cpu = new FakeCpu();
  cpu.state.registers[EAX] = 0;
  cpuidHelpers.cpuid(cpu);
  const { registers } = cpu.state;
  assert.equal(characters(registers[EBX]!, registers[EDX]!, registers[ECX]!), 'LguestScript');
  assert.equal(registers[EAX], 4);
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
