import assert from 'node:assert/strict';
import { test } from 'node:test';
import { farTransferHelpers } from '../../src/cpu/far-transfers.js';
import { GP, NP, SS_FAULT, TS } from '../../src/cpu/faults.js';
import { ESP } from '../../src/cpu/state.js';
import { CS, DS, ES, FS, GS, SS, STATE, TR } from '../../src/memory/layout.js';
import {
  assertFault,
  CALL_GATE16,
  CALL_GATE32,
  CODE,
  DATA,
  FakeCpu,
  FREE,
  KERNEL_CODE,
  KERNEL_DATA,
  level,
  STACK0,
  STACK3,
  TASK,
  TASK_SELECTOR,
  USER_CODE,
  USER_DATA,
} from './fake-cpu.js';

const { farJump, farCall, farReturn } = farTransferHelpers;
const GATE = FREE;
const TARGET = FREE + 8;

test('jump within a level loads CS with the CPL as RPL', () => {
  const cpu = new FakeCpu();
  farJump(cpu, KERNEL_CODE, 0x1234_5678, 32);
  assert.equal(cpu.state.eip, 0x1234_5678);
  farJump(cpu, KERNEL_CODE, 0x1234_5678, 16);
  assert.equal(cpu.state.eip, 0x5678);
  cpu.enterLevel(3);
  cpu.describe(TARGET, CODE | level(3), { limit: 0xfff, flags: 4 });
  farJump(cpu, TARGET, 0xfff, 32);
  assert.deepEqual([cpu.state.selector(CS), cpu.state.eip, cpu.state.cpl], [TARGET | 3, 0xfff, 3]);
  assertFault(cpu, GP, 0, () => farJump(cpu, TARGET, 0x1000, 32));
});

test('jump targets: null, beyond the table, not code, privilege, presence', () => {
  const cpu = new FakeCpu();
  assertFault(cpu, GP, 0, () => farJump(cpu, 3, 0, 32));
  assertFault(cpu, GP, 0x1000, () => farJump(cpu, 0x1000, 0, 32));
  assertFault(cpu, GP, KERNEL_DATA, () => farJump(cpu, KERNEL_DATA, 0, 32));
  assertFault(cpu, GP, KERNEL_CODE, () => farJump(cpu, KERNEL_CODE | 1, 0, 32)); // RPL > CPL
  assertFault(cpu, GP, USER_CODE & ~3, () => farJump(cpu, USER_CODE & ~3, 0, 32)); // DPL > CPL
  cpu.describe(TARGET, CODE & ~0x80);
  assertFault(cpu, NP, TARGET, () => farJump(cpu, TARGET, 0, 32));
  cpu.enterLevel(3);
  assertFault(cpu, GP, KERNEL_CODE, () => farJump(cpu, KERNEL_CODE, 0, 32));
  cpu.describe(TARGET, 0x9e); // conforming, DPL 0: runs at the caller's level
  farJump(cpu, TARGET, 4, 32);
  assert.deepEqual([cpu.state.selector(CS), cpu.state.cpl], [TARGET | 3, 3]);
});

test('call pushes CS and the next EIP', () => {
  const cpu = new FakeCpu();
  const before = cpu.state.registers[ESP]!;
  farCall(cpu, KERNEL_CODE, 0x500, 32);
  assert.deepEqual(cpu.top(2), [0x105, KERNEL_CODE]);
  assert.equal(cpu.state.registers[ESP], before - 8);
  farReturn(cpu, 12, 32);
  assert.deepEqual([cpu.state.eip, cpu.state.registers[ESP]], [0x105, before + 12]);
  farCall(cpu, KERNEL_CODE, 0x500, 16);
  assert.deepEqual(cpu.top(1), [(KERNEL_CODE << 16) | 0x105]);
  farReturn(cpu, 0, 16);
  assert.equal(cpu.state.registers[ESP], before + 12);
});

test('a call that cannot push changes nothing', () => {
  const cpu = new FakeCpu();
  cpu.state.registers[ESP] = 0x9004;
  cpu.readOnlyPages.add(8);
  assert.throws(() => farCall(cpu, KERNEL_CODE, 0x500, 32), { vector: 14, errorCode: 3 });
  assert.equal(cpu.memory.read32(0x9000), 0);
  cpu.state.setSegment(SS, { selector: KERNEL_DATA, base: 0, limit: 0x8fff, access: 0x40_9300 });
  cpu.state.registers[ESP] = 0x9006;
  assertFault(cpu, SS_FAULT, 0, () => farCall(cpu, KERNEL_CODE, 0x500, 32));
});

test('a 16-bit stack wraps and keeps the upper half of ESP', () => {
  const cpu = new FakeCpu();
  cpu.state.setSegment(SS, { selector: KERNEL_DATA, base: 0x2_0000, limit: 0xffff, access: 0x9300 });
  cpu.state.registers[ESP] = 0xabcd_0002;
  farCall(cpu, KERNEL_CODE, 0x500, 16);
  assert.equal(cpu.state.registers[ESP], 0xabcd_fffe);
  assert.equal(cpu.memory.read16(0x2_0000), KERNEL_CODE);
  assert.equal(cpu.memory.read16(0x2_fffe), 0x105);
  farReturn(cpu, 0, 16);
  assert.equal(cpu.state.registers[ESP], 0xabcd_0002);
});

test('a call gate inward changes stacks and copies parameters', () => {
  const cpu = new FakeCpu();
  cpu.describeGate(GATE, CALL_GATE32 | level(3), KERNEL_CODE, 0x1234_5678, 2);
  cpu.enterLevel(3);
  cpu.push(0x22, 0x11);
  farCall(cpu, GATE | 3, 0xffff_ffff, 32);
  assert.deepEqual(cpu.top(6), [0x105, USER_CODE, 0x11, 0x22, STACK3 - 8, USER_DATA]);
  const { state } = cpu;
  assert.deepEqual([state.cpl, state.selector(CS), state.selector(SS)], [0, KERNEL_CODE, KERNEL_DATA]);
  assert.deepEqual([state.eip, state.registers[ESP]], [0x1234_5678, STACK0 - 24]);
  // And back, releasing the parameters on both stacks; data segments of level 0 do not survive.
  state.setSegment(FS, state.segment(SS));
  farReturn(cpu, 8, 32);
  assert.deepEqual([state.cpl, state.eip, state.selector(CS)], [3, 0x105, USER_CODE]);
  assert.deepEqual([state.selector(SS), state.registers[ESP]], [USER_DATA, STACK3]);
  assert.deepEqual([state.selector(FS), state.segment(FS).access], [0, 0]);
  assert.deepEqual(
    [DS, ES, GS].map((index) => state.selector(index)),
    [USER_DATA, USER_DATA, USER_DATA],
  );
});

test('a 16-bit call gate pushes words and uses a 16-bit offset', () => {
  const cpu = new FakeCpu();
  cpu.describeGate(GATE, CALL_GATE16 | level(3), KERNEL_CODE, 0x1234_5678, 1);
  cpu.enterLevel(3);
  cpu.push(0xbbbb_aaaa);
  farCall(cpu, GATE | 3, 0, 32);
  assert.equal(cpu.state.eip, 0x5678);
  const word = (n: number): number => cpu.memory.read16(cpu.state.registers[ESP]! + 2 * n);
  assert.deepEqual([0, 1, 2, 3, 4].map(word), [0x105, USER_CODE, 0xaaaa, STACK3 - 4, USER_DATA]);
});

test('a 16-bit TSS names inner stacks by words', () => {
  const cpu = new FakeCpu();
  cpu.state.setSegment(TR, { selector: TASK_SELECTOR, base: TASK, limit: 0x2b, access: 0x8300 });
  cpu.memory.write16(TASK + 2, 0x5000);
  cpu.memory.write16(TASK + 4, KERNEL_DATA);
  cpu.describeGate(GATE, CALL_GATE32 | level(3), KERNEL_CODE, 0x100);
  cpu.enterLevel(3);
  farCall(cpu, GATE | 3, 0, 32);
  assert.equal(cpu.state.registers[ESP], 0x5000 - 16);
});

test('gates: privilege, presence and target', () => {
  const cpu = new FakeCpu();
  cpu.enterLevel(3);
  cpu.describeGate(GATE, CALL_GATE32, KERNEL_CODE, 0);
  assertFault(cpu, GP, GATE, () => farCall(cpu, GATE, 0, 32)); // gate DPL 0
  cpu.describeGate(GATE, (CALL_GATE32 & ~0x80) | level(3), KERNEL_CODE, 0);
  assertFault(cpu, NP, GATE, () => farCall(cpu, GATE, 0, 32));
  cpu.describeGate(GATE, CALL_GATE32 | level(3), 0, 0);
  assertFault(cpu, GP, 0, () => farCall(cpu, GATE, 0, 32));
  cpu.describeGate(GATE, CALL_GATE32 | level(3), KERNEL_DATA, 0);
  assertFault(cpu, GP, KERNEL_DATA, () => farCall(cpu, GATE, 0, 32));
  cpu.describe(TARGET, CODE & ~0x80);
  cpu.describeGate(GATE, CALL_GATE32 | level(3), TARGET, 0);
  assertFault(cpu, NP, TARGET, () => farCall(cpu, GATE, 0, 32));
  // A jump may not go inward, but a conforming or equally privileged target is fine.
  cpu.describeGate(GATE, CALL_GATE32 | level(3), KERNEL_CODE, 0);
  assertFault(cpu, GP, KERNEL_CODE, () => farJump(cpu, GATE, 0, 32));
  cpu.describeGate(GATE, CALL_GATE32 | level(3), USER_CODE, 0x77);
  farJump(cpu, GATE, 0, 32);
  assert.deepEqual([cpu.state.eip, cpu.state.registers[ESP]], [0x77, STACK3]);
});

test('the inner stack is checked with #TS, its room with #SS', () => {
  const cpu = new FakeCpu();
  cpu.enterLevel(3);
  cpu.describeGate(GATE, CALL_GATE32 | level(3), KERNEL_CODE, 0);
  const setStack = (selector: number): void => cpu.memory.write32(TASK + 8, selector);
  const call = (): unknown => farCall(cpu, GATE, 0, 32);
  setStack(0);
  assertFault(cpu, TS, 0, call);
  setStack(0x1000);
  assertFault(cpu, TS, 0x1000, call);
  setStack(USER_DATA);
  assertFault(cpu, TS, USER_DATA & ~3, call);
  setStack(TARGET);
  cpu.describe(TARGET, DATA & ~0x80);
  assertFault(cpu, SS_FAULT, TARGET, call);
  cpu.describe(TARGET, DATA, { limit: STACK0 - 5, flags: 4 });
  assertFault(cpu, SS_FAULT, TARGET, call);
  cpu.state.setSegment(TR, { selector: TASK_SELECTOR, base: TASK, limit: 8, access: 0x8b00 });
  assertFault(cpu, TS, TASK_SELECTOR, call);
  cpu.state.setSegment(TR, { selector: 0, base: 0, limit: 0, access: 0 });
  assertFault(cpu, TS, 0, call);
});

test('user level reaches the inner stack and tables although their pages are supervisor pages', () => {
  const cpu = new FakeCpu();
  cpu.describeGate(GATE, CALL_GATE32 | level(3), KERNEL_CODE, 0x40);
  cpu.enterLevel(3);
  for (const page of [1, 2, 3, 5, 6]) cpu.supervisorPages.add(page);
  farCall(cpu, GATE, 0, 32);
  assert.equal(cpu.state.cpl, 0);
});

test('return: code segment checks', () => {
  const cpu = new FakeCpu();
  const returnTo = (eip: number, selector: number) => (): void => {
    cpu.state.registers[ESP] = STACK0 - 0x100;
    cpu.push(selector, eip);
    farReturn(cpu, 0, 32);
  };
  const refused = (vector: number, error: number, selector: number, eip = 0): void => {
    cpu.state.registers[ESP] = STACK0 - 0x100;
    cpu.push(selector, eip);
    assertFault(cpu, vector, error, () => farReturn(cpu, 0, 32));
  };
  refused(GP, 0, 0);
  refused(GP, 0x1000, 0x1000);
  refused(GP, KERNEL_DATA, KERNEL_DATA);
  refused(GP, USER_CODE & ~3, USER_CODE & ~3); // DPL 3, RPL 0
  cpu.describe(TARGET, CODE & ~0x80);
  refused(NP, TARGET, TARGET);
  cpu.describe(TARGET, CODE, { limit: 0xff, flags: 4 });
  refused(GP, 0, TARGET, 0x100);
  cpu.describe(TARGET, 0x9e | level(3)); // conforming above the RPL
  refused(GP, TARGET, TARGET);
  returnTo(0x42, KERNEL_CODE)();
  assert.equal(cpu.state.eip, 0x42);
  cpu.enterLevel(3);
  cpu.state.registers[ESP] = STACK3;
  cpu.push(KERNEL_CODE, 0);
  assertFault(cpu, GP, KERNEL_CODE, () => farReturn(cpu, 0, 32)); // inward
});

test('return outward: stack segment checks', () => {
  const cpu = new FakeCpu();
  const refused = (vector: number, error: number, stack: number): void => {
    cpu.state.registers[ESP] = STACK0 - 0x100;
    cpu.push(stack, 0x7777, USER_CODE, 0);
    assertFault(cpu, vector, error, () => farReturn(cpu, 0, 32));
  };
  refused(GP, 0, 3);
  refused(GP, 0x1000, 0x1003);
  refused(GP, KERNEL_DATA, KERNEL_DATA);
  refused(GP, USER_CODE & ~3, USER_CODE);
  cpu.describe(TARGET, (DATA & ~0x80) | level(3));
  refused(SS_FAULT, TARGET, TARGET | 3);
});

test('a return to a 16-bit stack loads only SP', () => {
  const cpu = new FakeCpu();
  cpu.describe(TARGET, DATA | level(3), { base: 0, limit: 0xffff, flags: 0 });
  cpu.push(TARGET | 3, 0x1111_2222, USER_CODE, 0x10);
  const upper = cpu.state.registers[ESP]! & 0xffff_0000;
  farReturn(cpu, 0, 32);
  assert.equal(cpu.state.registers[ESP], upper | 0x2222);
});

test('real and virtual-8086 mode transfers', () => {
  const cpu = new FakeCpu();
  cpu.enterVirtual8086(0);
  farCall(cpu, 0x1111, 0x2222, 16);
  assert.deepEqual([cpu.state.segment(CS).base, cpu.state.eip, cpu.state.cpl], [0x11110, 0x2222, 3]);
  assert.equal(cpu.memory.read32(0x30fc), (0x200 << 16) | 0x105);
  farReturn(cpu, 0, 16);
  assert.deepEqual([cpu.state.selector(CS), cpu.state.eip], [0x200, 0x105]);
  assertFault(cpu, GP, 0, () => farJump(cpu, 0x1111, 0x1_0000, 32));
  const real = new FakeCpu();
  real.state.set(STATE.cr0, 0x10);
  farJump(real, 0x20, 0x30, 16);
  assert.deepEqual([real.state.segment(CS).base, real.state.eip], [0x200, 0x30]);
});
