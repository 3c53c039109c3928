import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from '../../src/cpu/exit.js';
import { GP } from '../../src/cpu/faults.js';
import { flagTransferHelpers } from '../../src/cpu/flag-transfers.js';
import { virtual8086Segment } from '../../src/cpu/segmentation.js';
import { FLAG } from '../../src/cpu/state.js';
import { CS, DS, ES, SS } from '../../src/memory/layout.js';
import { assertFault, FakeCpu } from './fake-cpu.js';
import { createMachine } from './machine-code.js';

const { writeFlags, sti, checkVirtual8086Level } = flagTransferHelpers;
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

/** What EFLAGS are behind `code`, or the fault. */
function run(code: readonly number[], ring: number, eflags: number): string {
  const cpu = createMachine([...code, NOP], { ring });
  cpu.state.eflags = eflags;
  if (eflags & FLAG.VM) {
    for (const index of [CS, SS, DS, ES]) cpu.state.setSegment(index, virtual8086Segment(0x100));
    cpu.state.eip = 0;
    cpu.state.registers[4] = 0x100;
  }
  cpu.segmentsChanged();
  const reason = cpu.run(code.length);
  return reason === EXIT.trap ? `fault ${cpu.exit.vector}` : hex(cpu.state.eflags);
}

const [PUSHF, POPF, CLI, STI, NOP] = [0x9c, 0x9d, 0xfa, 0xfb, 0x90];

test('PUSHF hides VM and RF', () => {
  const cpu = createMachine([PUSHF]);
  cpu.state.eflags = FLAG.RF | FLAG.ID | 0x3247;
  cpu.run(1);
  assert.equal(cpu.access.read32(cpu.state.registers[4]!), FLAG.ID | 0x3247);
});

test('CLI and STI need CPL ≤ IOPL', () => {
  assert.equal(run([CLI], 0, 0x202), '2');
  assert.equal(run([STI], 0, 2), '202');
  assert.equal(run([CLI], 1, 0x202), 'fault 13');
  assert.equal(run([STI], 1, 2), 'fault 13');
  assert.equal(run([STI], 3, 0x3002), '3202');
  assert.equal(run([CLI], 3, 0x3202), '3002');
});

test('the helper of STI casts a shadow when it enables', () => {
  const cpu = new FakeCpu();
  sti(cpu);
  assert.deepEqual([cpu.state.eflags, cpu.interruptShadow], [0x202, true]);
  cpu.interruptShadow = false;
  sti(cpu);
  assert.equal(cpu.interruptShadow, false);
  cpu.state.eflags = 2;
  cpu.state.cpl = 1;
  assertFault(cpu, GP, 0, () => sti(cpu));
  cpu.state.eflags = 0x3002;
  cpu.state.cpl = 3;
  sti(cpu);
  assert.equal(cpu.state.eflags, 0x3202);
});

test('virtual-8086 mode: PUSHF, POPF, INT n, CLI and STI need IOPL 3', () => {
  for (const opcode of [PUSHF, POPF, CLI, STI]) {
    assert.equal(run([opcode], 3, FLAG.VM | 0x2002), 'fault 13');
  }
  assert.equal(run([PUSHF, STI, POPF], 3, FLAG.VM | 0x3046), hex(FLAG.VM | 0x3046));
  assert.equal(run([CLI], 3, FLAG.VM | 0x3202), hex(FLAG.VM | 0x3002));
  const cpu = new FakeCpu();
  cpu.enterVirtual8086(2);
  for (const refused of [sti, checkVirtual8086Level]) assertFault(cpu, GP, 0, () => refused(cpu));
  assertFault(cpu, GP, 0, () => writeFlags(cpu, 0, 16));
  cpu.enterVirtual8086(3);
  checkVirtual8086Level(cpu);
  writeFlags(cpu, 0x47, 16);
  assert.equal(cpu.state.eflags, FLAG.VM | 0x3047);
});
