import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GP, NP, SS_FAULT, TS } from '../../src/cpu/faults.js';
import { interruptReturnHelpers } from '../../src/cpu/interrupt-return.js';
import { ESP, FLAG } from '../../src/cpu/state.js';
import { CS, DS, ES, FS, GS, SS, STATE } from '../../src/memory/layout.js';
import {
  assertFault,
  CODE,
  DATA,
  FakeCpu,
  FREE,
  KERNEL_CODE,
  KERNEL_DATA,
  level,
  STACK0,
  STACK3,
  USER_CODE,
  USER_DATA,
} from './fake-cpu.js';

const { interruptReturn } = interruptReturnHelpers;
const ALL = 0x3f_7fd7;

test('same level: EIP, CS and flags, at level 0 also IF and IOPL', () => {
  const cpu = new FakeCpu();
  cpu.push(0x3246 | FLAG.AC | FLAG.ID, KERNEL_CODE, 0x1234_5678);
  interruptReturn(cpu, 32);
  assert.equal(cpu.state.eip, 0x1234_5678);
  assert.equal(cpu.state.eflags, 0x3246 | FLAG.AC | FLAG.ID);
  assert.equal(cpu.state.registers[ESP], STACK0 - 0x100);
});

test('the 16-bit form leaves the upper half of EFLAGS alone', () => {
  const cpu = new FakeCpu();
  cpu.state.eflags = FLAG.AC | FLAG.ID | 2;
  cpu.push(0x0202, ((KERNEL_CODE << 16) | 0x4321) >>> 0);
  cpu.state.registers[ESP] = cpu.state.registers[ESP]!;
  interruptReturn(cpu, 16);
  assert.deepEqual([cpu.state.eip, cpu.state.eflags], [0x4321, FLAG.AC | FLAG.ID | 0x202]);
});

test('at level 3 IF, IOPL and VM of the image are ignored', () => {
  const cpu = new FakeCpu();
  cpu.enterLevel(3);
  cpu.state.eflags = 0x202;
  cpu.push(ALL & ~(FLAG.IF | FLAG.NT), USER_CODE, 0x10);
  interruptReturn(cpu, 32);
  const expected = (ALL & ~(FLAG.NT | FLAG.IOPL | FLAG.VM | FLAG.VIF | FLAG.VIP | FLAG.RF)) | FLAG.IF;
  assert.equal(cpu.state.eflags.toString(16), expected.toString(16));
  // With IOPL 3 the interrupt flag is the program's.
  cpu.state.eflags = 0x3202;
  cpu.push(2, USER_CODE, 0x10);
  interruptReturn(cpu, 32);
  assert.equal(cpu.state.eflags, 0x3002);
});

test('level 1 to level 3: IF and IOPL stay, as an lguest guest needs it', () => {
  const cpu = new FakeCpu();
  cpu.describe(FREE, CODE | level(1));
  cpu.state.setSegment(CS, { selector: FREE | 1, base: 0, limit: 0xffff_ffff, access: 0xc0_bb00 });
  cpu.state.cpl = 1;
  cpu.state.eflags = 0x202;
  cpu.push(USER_DATA, STACK3, 0x3046, USER_CODE, 0x40);
  interruptReturn(cpu, 32);
  assert.deepEqual([cpu.state.cpl, cpu.state.eip, cpu.state.eflags], [3, 0x40, 0x246]);
  assert.deepEqual([cpu.state.selector(SS), cpu.state.registers[ESP]], [USER_DATA, STACK3]);
});

test('outward: rights are those of the level that is left, privileged segments go', () => {
  const cpu = new FakeCpu();
  cpu.describe(FREE, 0x9e); // conforming code survives
  cpu.state.setSegment(ES, { selector: FREE, base: 0, limit: 0xffff_ffff, access: 0xc0_9f00 });
  cpu.state.setSegment(DS, { selector: USER_DATA, base: 0, limit: 0xffff_ffff, access: 0xc0_f300 });
  cpu.push(USER_DATA, STACK3, 0x3202, USER_CODE, 0x40);
  interruptReturn(cpu, 32);
  assert.equal(cpu.state.eflags, 0x3202);
  const kept = [ES, DS, FS, GS].map((index) => cpu.state.selector(index));
  assert.deepEqual(kept, [FREE, USER_DATA, 0, 0]);
});

test('outward: faults with their error codes, and nothing changes', () => {
  const cpu = new FakeCpu();
  const refused = (vector: number, error: number, code: number, stack: number, eip = 0): void => {
    cpu.state.registers[ESP] = STACK0 - 0x100;
    cpu.push(stack, STACK3, 0x202, code, eip);
    assertFault(cpu, vector, error, () => interruptReturn(cpu, 32));
  };
  refused(GP, 0, 0, USER_DATA);
  refused(GP, 0x1000, 0x1003, USER_DATA);
  refused(GP, KERNEL_CODE, KERNEL_CODE | 3, USER_DATA);
  refused(GP, KERNEL_DATA, KERNEL_DATA, USER_DATA);
  refused(GP, 0, USER_CODE, 0);
  refused(GP, KERNEL_DATA, USER_CODE, KERNEL_DATA);
  cpu.describe(FREE, (DATA & ~0x80) | level(3));
  refused(SS_FAULT, FREE, USER_CODE, FREE | 3);
  cpu.describe(FREE, (CODE & ~0x80) | level(3));
  refused(NP, FREE, FREE | 3, USER_DATA);
  cpu.describe(FREE, CODE | level(3), { limit: 0xff, flags: 4 });
  refused(GP, 0, FREE | 3, USER_DATA, 0x100);
});

test('a stack that ends in the middle of the frame', () => {
  const cpu = new FakeCpu();
  cpu.push(USER_DATA, STACK3, 0x202, USER_CODE, 0x10);
  const limit = cpu.state.registers[ESP]! + 15;
  cpu.state.setSegment(SS, { selector: KERNEL_DATA, base: 0, limit, access: 0x40_9300 });
  assertFault(cpu, SS_FAULT, 0, () => interruptReturn(cpu, 32));
  const paged = new FakeCpu();
  paged.state.registers[ESP] = 0x5008 - 4;
  paged.push(0x202, KERNEL_CODE);
  paged.absentPages.add(5);
  paged.state.registers[ESP] = 0x4ffc;
  assert.throws(() => interruptReturn(paged, 32), { vector: 14, errorCode: 0, address: 0x5000 });
});

test('level 0 into virtual-8086 mode', () => {
  const cpu = new FakeCpu();
  cpu.push(0x700, 0x600, 0x500, 0x400, 0x300, 0xffe, FLAG.VM | 0x3202, 0x200, 0x10);
  interruptReturn(cpu, 32);
  const { state } = cpu;
  assert.deepEqual([state.cpl, state.eip, state.registers[ESP], state.eflags], [3, 0x10, 0xffe, FLAG.VM | 0x3202]);
  assert.deepEqual(
    [ES, CS, SS, DS, FS, GS].map((index) => state.selector(index)),
    [0x400, 0x200, 0x300, 0x500, 0x600, 0x700],
  );
  assert.deepEqual(state.segment(GS), { selector: 0x700, base: 0x7000, limit: 0xffff, access: 0xf300 });
});

test('in virtual-8086 mode IRET needs IOPL 3 and cannot change it', () => {
  const cpu = new FakeCpu();
  cpu.enterVirtual8086(0);
  assertFault(cpu, GP, 0, () => interruptReturn(cpu, 16));
  cpu.enterVirtual8086(3);
  cpu.state.registers[ESP] = 0x100 - 6;
  [0x50, 0x222, 0x46].forEach((word, n) => {
    cpu.memory.write16(0x30fa + 2 * n, word);
  });
  interruptReturn(cpu, 16);
  assert.deepEqual([cpu.state.eip, cpu.state.segment(CS).base, cpu.state.registers[ESP]], [0x50, 0x2220, 0x100]);
  assert.equal(cpu.state.eflags, FLAG.VM | 0x3046);
});

test('real mode may set IOPL and IF', () => {
  const cpu = new FakeCpu();
  cpu.state.set(STATE.cr0, 0x10);
  cpu.push(0x3202, (0x300 << 16) | 0x77);
  interruptReturn(cpu, 16);
  assert.deepEqual([cpu.state.eip, cpu.state.segment(CS).base, cpu.state.eflags], [0x77, 0x3000, 0x3202]);
});

test('NT without a task to return to is #TS', () => {
  const cpu = new FakeCpu();
  cpu.state.eflags = FLAG.NT | 2;
  assertFault(cpu, TS, 0, () => interruptReturn(cpu, 32));
});
