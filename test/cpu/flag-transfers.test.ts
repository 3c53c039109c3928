import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GP } from '../../src/cpu/faults.js';
import { flagTransferHelpers } from '../../src/cpu/flag-transfers.js';
import { FLAG } from '../../src/cpu/state.js';
import { assertFault, FakeCpu } from './fake-cpu.js';

const { readFlags, writeFlags, cli, sti, checkSoftwareInterrupt } = flagTransferHelpers;
const hex = (value: number): string => (value >>> 0).toString(16);

test('POPF changes what level and IOPL allow', () => {
  const all = 0x3f_7fd7;
  const free = 0x24_4dd5; // ID AC NT OF DF TF SF ZF AF PF CF
  const cases = [
    { level: 0, iopl: 0, size: 32, changed: free | FLAG.IF | FLAG.IOPL },
    { level: 0, iopl: 0, size: 16, changed: 0x4dd5 | FLAG.IF | FLAG.IOPL },
    { level: 1, iopl: 0, size: 32, changed: free },
    { level: 1, iopl: 1, size: 32, changed: free | FLAG.IF },
    { level: 3, iopl: 0, size: 32, changed: free },
    { level: 3, iopl: 3, size: 16, changed: 0x4dd5 | FLAG.IF },
  ];
  for (const { level, iopl, size, changed } of cases) {
    const cpu = new FakeCpu();
    cpu.state.cpl = level;
    const before = 2 | (iopl << 12);
    cpu.state.eflags = before;
    writeFlags(cpu, all, size);
    assert.equal(hex(cpu.state.eflags), hex(before | changed), `level ${level}, IOPL ${iopl}, size ${size} up`);
    cpu.state.eflags = (all & ~(FLAG.VM | FLAG.IOPL)) | (iopl << 12);
    const high = cpu.state.eflags;
    writeFlags(cpu, 0, size);
    assert.equal(hex(cpu.state.eflags), hex(high & ~changed & ~FLAG.RF), `level ${level}, IOPL ${iopl} down`);
  }
});

test('PUSHF hides VM and RF', () => {
  const cpu = new FakeCpu();
  cpu.state.eflags = FLAG.RF | FLAG.ID | 0x3247;
  assert.equal(readFlags(cpu), FLAG.ID | 0x3247);
});

test('CLI and STI need CPL ≤ IOPL; STI casts a shadow when it enables', () => {
  const cpu = new FakeCpu();
  sti(cpu);
  assert.deepEqual([cpu.state.eflags, cpu.interruptShadow], [0x202, true]);
  cpu.interruptShadow = false;
  sti(cpu);
  assert.equal(cpu.interruptShadow, false);
  cli(cpu);
  assert.equal(cpu.state.eflags, 2);
  cpu.state.cpl = 1;
  assertFault(cpu, GP, 0, () => cli(cpu));
  assertFault(cpu, GP, 0, () => sti(cpu));
  cpu.state.eflags = 0x3002;
  cpu.state.cpl = 3;
  sti(cpu);
  assert.equal(cpu.state.eflags, 0x3202);
});

test('virtual-8086 mode: PUSHF, POPF, INT n, CLI and STI need IOPL 3', () => {
  const cpu = new FakeCpu();
  cpu.enterVirtual8086(2);
  for (const refused of [readFlags, cli, sti, checkSoftwareInterrupt]) assertFault(cpu, GP, 0, () => refused(cpu));
  assertFault(cpu, GP, 0, () => writeFlags(cpu, 0, 16));
  cpu.enterVirtual8086(3);
  checkSoftwareInterrupt(cpu);
  assert.equal(readFlags(cpu), 0x3202);
  writeFlags(cpu, 0x47, 16);
  assert.equal(cpu.state.eflags, FLAG.VM | 0x3047);
});
