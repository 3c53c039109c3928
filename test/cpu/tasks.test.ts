import assert from 'node:assert/strict';
import { test } from 'node:test';
import { farTransferHelpers } from '../../src/cpu/far-transfers.js';
import { DB, GP, GuestFault, NP, TS } from '../../src/cpu/faults.js';
import { interruptReturnHelpers } from '../../src/cpu/interrupt-return.js';
import { CR0, EAX, EDI, ESP, FLAG } from '../../src/cpu/state.js';
import { CS, DS, ES, FS, GS, LDTR, SS, STATE, TR } from '../../src/memory/layout.js';
import {
  assertFault,
  FakeCpu,
  FREE,
  KERNEL_CODE,
  KERNEL_DATA,
  LDT,
  level,
  TASK,
  TASK_GATE,
  TASK_SELECTOR,
  TSS16,
  TSS32,
  USER_CODE,
  USER_DATA,
} from './fake-cpu.js';

const { farJump, farCall } = farTransferHelpers;
const { interruptReturn } = interruptReturnHelpers;
const OTHER = 0x4000;
const OTHER_SELECTOR = FREE;

/** A second task: user level, registers 0x1000 + n. */
function withOtherTask(changes: (cpu: FakeCpu) => void = () => {}): FakeCpu {
  const cpu = new FakeCpu();
  cpu.describe(OTHER_SELECTOR, TSS32, { base: OTHER, limit: 0x67, flags: 0 });
  const words: Record<string, number> = { 28: 0, 32: 0x1234, 36: 0x3202, 96: 0, 100: 0 };
  for (let n = 0; n < 8; n++) words[0x28 + 4 * n] = 0x1000 + n;
  [USER_DATA, USER_CODE, USER_DATA, USER_DATA, 0, USER_DATA].forEach((selector, n) => {
    words[0x48 + 4 * n] = selector;
  });
  for (const [offset, value] of Object.entries(words)) cpu.memory.write32(OTHER + Number(offset), value);
  changes(cpu);
  return cpu;
}

test('a jump to a TSS saves one task and enters the other', () => {
  const cpu = withOtherTask();
  const { state, memory } = cpu;
  state.registers[EAX] = 0xaaaa;
  farJump(cpu, OTHER_SELECTOR, 0, 32);
  assert.deepEqual(
    [...state.registers],
    [0, 1, 2, 3, 4, 5, 6, 7].map((n) => 0x1000 + n),
  );
  assert.deepEqual([state.eip, state.eflags, state.cpl], [0x1234, 0x3202, 3]);
  assert.deepEqual(
    [ES, CS, SS, DS, FS, GS].map((index) => state.selector(index)),
    [USER_DATA, USER_CODE, USER_DATA, USER_DATA, 0, USER_DATA],
  );
  assert.equal(state.segment(CS).limit, 0xffff_ffff);
  assert.deepEqual(state.segment(TR), { selector: OTHER_SELECTOR, base: OTHER, limit: 0x67, access: 0x8b00 });
  assert.ok(state.get(STATE.cr0) & CR0.TS);
  assert.deepEqual([cpu.rights(TASK_SELECTOR), cpu.rights(OTHER_SELECTOR)], [0x89, 0x8b]);
  // The old task: next EIP, flags, registers, segments.
  assert.deepEqual([memory.read32(TASK + 0x20), memory.read32(TASK + 0x28)], [0x105, 0xaaaa]);
  assert.deepEqual([memory.read32(TASK + 0x4c), memory.read32(TASK + 0x54)], [KERNEL_CODE, KERNEL_DATA]);
  assert.equal(memory.read16(OTHER), 0);
});

test('a call nests, IRET with NT comes back', () => {
  const cpu = withOtherTask((c) => c.memory.write32(OTHER + 0x4c, KERNEL_CODE));
  for (const offset of [0x48, 0x50, 0x54, 0x5c]) cpu.memory.write32(OTHER + offset, KERNEL_DATA);
  cpu.describeGate(FREE + 8, TASK_GATE, OTHER_SELECTOR, 0);
  cpu.state.registers[EDI] = 77;
  farCall(cpu, FREE + 8, 0, 32);
  assert.equal(cpu.state.eflags, 0x3202 | FLAG.NT);
  assert.equal(cpu.memory.read16(OTHER), TASK_SELECTOR);
  assert.deepEqual([cpu.rights(TASK_SELECTOR), cpu.rights(OTHER_SELECTOR)], [0x8b, 0x8b]);
  cpu.state.eip = 0x2000;
  interruptReturn(cpu, 32);
  const { state } = cpu;
  assert.deepEqual([state.eip, state.registers[EDI], state.cpl, state.selector(TR)], [0x105, 77, 0, TASK_SELECTOR]);
  assert.deepEqual([cpu.rights(TASK_SELECTOR), cpu.rights(OTHER_SELECTOR)], [0x8b, 0x89]);
  // The nested task will go on behind its IRET, without NT.
  assert.deepEqual([cpu.memory.read32(OTHER + 0x20), cpu.memory.read32(OTHER + 0x24)], [0x2000, 0x3202]);
});

test('a 16-bit task has 16-bit registers and neither FS nor GS', () => {
  const cpu = new FakeCpu();
  cpu.describe(OTHER_SELECTOR, TSS16, { base: OTHER, limit: 0x2b, flags: 0 });
  cpu.memory.write16(OTHER + 0x0e, 0x4321);
  cpu.memory.write16(OTHER + 0x10, 0x202);
  for (let n = 0; n < 8; n++) cpu.memory.write16(OTHER + 0x12 + 2 * n, 0x200 + n);
  [KERNEL_DATA, KERNEL_CODE, KERNEL_DATA, KERNEL_DATA].forEach((selector, n) => {
    cpu.memory.write16(OTHER + 0x22 + 2 * n, selector);
  });
  farJump(cpu, OTHER_SELECTOR, 0, 32);
  assert.deepEqual([cpu.state.eip, cpu.state.registers[ESP], cpu.state.selector(FS)], [0x4321, 0x204, 0]);
  farJump(cpu, TASK_SELECTOR, 0, 32);
  assert.equal(cpu.state.eip, 0x105);
  assert.equal(cpu.memory.read16(OTHER + 0x0e), 0x4321);
});

test('CR3, LDTR and debug state change with the task', () => {
  const cpu = withOtherTask((c) => {
    c.memory.write32(OTHER + 0x1c, 0x9000);
    c.describe(FREE + 8, LDT, { base: 0x5000, limit: 15, flags: 0 });
    c.memory.write16(OTHER + 0x60, FREE + 8);
  });
  cpu.state.set(STATE.debug + 28, 0x5ff);
  farJump(cpu, OTHER_SELECTOR, 0, 32);
  assert.equal(cpu.state.get(STATE.cr3), 0x9000);
  assert.equal(cpu.state.segment(LDTR).base, 0x5000);
  assert.equal(cpu.state.get(STATE.debug + 28), 0x4aa);
  assert.ok(!cpu.calls.includes('paging'), 'paging is off');
});

test('what is wrong before the switch is a fault of the old task', () => {
  const cpu = withOtherTask();
  const jump = (): unknown => farJump(cpu, OTHER_SELECTOR, 0, 32);
  cpu.describe(OTHER_SELECTOR, TSS32, { base: OTHER, limit: 0x66, flags: 0 });
  assertFault(cpu, TS, OTHER_SELECTOR, jump);
  cpu.describe(OTHER_SELECTOR, TSS32 & ~0x80, { base: OTHER, limit: 0x67, flags: 0 });
  assertFault(cpu, NP, OTHER_SELECTOR, jump);
  cpu.describe(OTHER_SELECTOR, TSS32 | 2, { base: OTHER, limit: 0x67, flags: 0 });
  assertFault(cpu, GP, OTHER_SELECTOR, jump); // busy
  cpu.describe(OTHER_SELECTOR, TSS32, { base: OTHER, limit: 0x67, flags: 0 });
  cpu.describeGate(FREE + 8, TASK_GATE, OTHER_SELECTOR | 4, 0);
  assertFault(cpu, GP, OTHER_SELECTOR | 4, () => farJump(cpu, FREE + 8, 0, 32)); // in the LDT
  cpu.readOnlyPages.add(TASK >> 12);
  assert.throws(jump, { vector: 14, errorCode: 3 });
  cpu.readOnlyPages.clear();
  cpu.absentPages.add(OTHER >> 12);
  assert.throws(jump, { vector: 14, errorCode: 0 });
  cpu.enterLevel(3);
  assertFault(cpu, GP, OTHER_SELECTOR, jump);
});

test('what is wrong behind it is a fault of the new task', () => {
  const bad = (offset: number, selector: number): { fault: GuestFault; cpu: FakeCpu } => {
    const cpu = withOtherTask((c) => c.memory.write16(OTHER + offset, selector));
    let caught: unknown;
    try {
      farJump(cpu, OTHER_SELECTOR, 0, 32);
    } catch (fault) {
      caught = fault;
    }
    assert.ok(caught instanceof GuestFault);
    assert.deepEqual([cpu.state.selector(TR), cpu.instructionEip, cpu.state.eip], [OTHER_SELECTOR, 0x1234, 0x1234]);
    return { fault: caught, cpu };
  };
  assert.deepEqual([bad(0x4c, USER_DATA).fault.vector, bad(0x4c, USER_DATA).fault.errorCode], [TS, USER_DATA & ~3]);
  assert.deepEqual([bad(0x50, KERNEL_DATA).fault.vector, bad(0x50, 0).fault.errorCode], [TS, 0]);
  assert.deepEqual([bad(0x54, KERNEL_DATA).fault.vector, bad(0x60, KERNEL_DATA).fault.vector], [TS, TS]);
  // What could not be loaded is unusable.
  assert.equal(bad(0x54, KERNEL_DATA).cpu.state.segment(DS).access, 0);
});

test('the T bit raises #DB in the new task', () => {
  const cpu = withOtherTask((c) => c.memory.write16(OTHER + 0x64, 1));
  assert.throws(() => farJump(cpu, OTHER_SELECTOR, 0, 32), { vector: DB });
  assert.equal(cpu.state.get(STATE.debug + 24), 0x8000);
  assert.equal(cpu.state.segment(CS).access, 0xc0_fb00);
});

test('a task may run in virtual-8086 mode', () => {
  const cpu = withOtherTask((c) => c.memory.write32(OTHER + 0x24, FLAG.VM | 0x202));
  farJump(cpu, OTHER_SELECTOR, 0, 32);
  assert.deepEqual([cpu.state.cpl, cpu.state.segment(DS).base], [3, USER_DATA << 4]);
});

test('with descriptors in the Host there are no tasks', () => {
  const cpu = new FakeCpu();
  cpu.state.set(STATE.gdtInHost, 1);
  cpu.state.set(STATE.hostGdt + 8 * 8, ((OTHER & 0xffff) << 16) | 0x67);
  cpu.state.set(STATE.hostGdt + 8 * 8 + 4, (TSS32 | level(1)) << 8);
  cpu.state.cpl = 1;
  assertFault(cpu, GP, 0x40, () => farJump(cpu, 0x40, 0, 32));
});
