import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EventKind, deliverInterrupt } from '../../src/cpu/interrupt-delivery.js';
import { interruptReturnHelpers } from '../../src/cpu/interrupt-return.js';
import { ESP, FLAG } from '../../src/cpu/state.js';
import { CS, DS, ES, FS, GS, SS, STATE, TR } from '../../src/memory/layout.js';
import {
  CODE,
  FakeCpu,
  FREE,
  INTERRUPT_GATE16,
  INTERRUPT_GATE32,
  KERNEL_CODE,
  KERNEL_DATA,
  level,
  STACK0,
  STACK3,
  TASK,
  TASK_GATE,
  TASK_SELECTOR,
  TRAP_GATE32,
  TSS32,
  USER_CODE,
  USER_DATA,
} from './fake-cpu.js';

/** Every vector has a handler at 0x1_0000 + 16 × vector. */
function machine(): FakeCpu {
  const cpu = new FakeCpu();
  for (let vector = 0; vector < 0x80; vector++) {
    cpu.describeInterrupt(vector, INTERRUPT_GATE32 | level(3), KERNEL_CODE, 0x1_0000 + 16 * vector);
  }
  cpu.state.eflags = 0x246;
  return cpu;
}
const handlerOf = (vector: number): number => 0x1_0000 + 16 * vector;
function deliver(cpu: FakeCpu, vector: number, error: number | undefined, kind: EventKind): number[] {
  assert.equal(deliverInterrupt(cpu, vector, error, kind), 'delivered');
  return cpu.top(6);
}

test('an external interrupt at level 0: three words, IF off behind an interrupt gate', () => {
  const cpu = machine();
  assert.deepEqual(deliver(cpu, 0x20, undefined, 'external').slice(0, 3), [0x105, KERNEL_CODE, 0x246]);
  assert.deepEqual([cpu.state.eip, cpu.state.eflags], [handlerOf(0x20), 0x46]);
  assert.equal(cpu.state.registers[ESP], STACK0 - 0x100 - 12);
});

test('a trap gate leaves IF alone, both clear TF and NT', () => {
  const cpu = machine();
  cpu.describeInterrupt(0x21, TRAP_GATE32, KERNEL_CODE, 0x500);
  cpu.state.eflags = 0x246 | FLAG.TF | FLAG.NT | FLAG.AC;
  deliver(cpu, 0x21, undefined, 'external');
  assert.equal(cpu.state.eflags, 0x246 | FLAG.AC);
});

test('a fault at level 3: inner stack, error code, RF in the image', () => {
  const cpu = machine();
  cpu.enterLevel(3);
  const frame = deliver(cpu, 14, 6, 'fault');
  assert.deepEqual(frame, [6, 0x105, USER_CODE, 0x246 | FLAG.RF, STACK3, USER_DATA]);
  assert.deepEqual([cpu.state.cpl, cpu.state.selector(CS), cpu.state.selector(SS)], [0, KERNEL_CODE, KERNEL_DATA]);
  assert.equal(cpu.state.registers[ESP], STACK0 - 24);
  assert.equal(cpu.state.selector(DS), USER_DATA, 'data segments stay');
  cpu.state.registers[ESP]! += 4;
  interruptReturnHelpers.interruptReturn(cpu, 32);
  assert.deepEqual([cpu.state.cpl, cpu.state.eip, cpu.state.registers[ESP]], [3, 0x105, STACK3]);
  assert.equal(cpu.state.eflags, 0x246);
});

test('a software interrupt needs the DPL of its gate; the fault restarts the INT', () => {
  const cpu = machine();
  cpu.describeInterrupt(0x40, INTERRUPT_GATE32, KERNEL_CODE, 0x500);
  cpu.enterLevel(3);
  const frame = deliver(cpu, 0x40, undefined, 'software');
  assert.equal(cpu.state.eip, handlerOf(13));
  assert.deepEqual(frame.slice(0, 3), [0x40 * 8 + 2, 0x100, USER_CODE]);
  const allowed = machine();
  allowed.enterLevel(3);
  assert.deepEqual(deliver(allowed, 0x41, undefined, 'software').slice(0, 3), [0x105, USER_CODE, 0x246]);
  const external = machine();
  external.describeInterrupt(0x40, INTERRUPT_GATE32, KERNEL_CODE, 0x500);
  external.enterLevel(3);
  deliver(external, 0x40, undefined, 'external');
  assert.equal(external.state.eip, 0x500);
});

test('a 16-bit gate pushes words', () => {
  const cpu = machine();
  cpu.describeInterrupt(0x20, INTERRUPT_GATE16, KERNEL_CODE, 0x9_8765);
  deliver(cpu, 0x20, undefined, 'external');
  assert.equal(cpu.state.eip, 0x8765);
  const at = cpu.state.registers[ESP]!;
  assert.deepEqual(
    [0, 2, 4].map((n) => cpu.memory.read16(at + n)),
    [0x105, KERNEL_CODE, 0x246],
  );
});

test('bad gates: error codes say IDT, and EXT for what the program did not ask for', () => {
  const codeFor = (kind: EventKind, rights: number, selector = KERNEL_CODE): number[] => {
    const cpu = machine();
    cpu.describeInterrupt(0x30, rights, selector, 0);
    const frame = deliver(cpu, 0x30, undefined, kind);
    return [(cpu.state.eip - 0x1_0000) / 16, frame[0]!];
  };
  const entry = 0x30 * 8 + 2;
  assert.deepEqual(codeFor('external', INTERRUPT_GATE32 & ~0x80), [11, entry + 1]);
  assert.deepEqual(codeFor('software', INTERRUPT_GATE32 & ~0x80), [11, entry]);
  assert.deepEqual(codeFor('external', TSS32), [13, entry + 1]);
  assert.deepEqual(codeFor('software', 0x8c), [13, entry]);
  assert.deepEqual(codeFor('external', INTERRUPT_GATE32, 0), [13, 1]);
  assert.deepEqual(codeFor('software', INTERRUPT_GATE32, 0x1008), [13, 0x1008]);
  assert.deepEqual(codeFor('external', INTERRUPT_GATE32, KERNEL_DATA), [13, KERNEL_DATA | 1]);
  assert.deepEqual(codeFor('external', INTERRUPT_GATE32, USER_CODE), [13, (USER_CODE & ~3) | 1]);
  const beyond = machine();
  beyond.state.set(STATE.idtLimit, 0x14 * 8 - 1);
  assert.equal(deliver(beyond, 0x14, undefined, 'external')[0], 0x14 * 8 + 3);
});

test('a conforming handler runs at the interrupted level', () => {
  const cpu = machine();
  cpu.describe(FREE, 0x9e);
  cpu.describeInterrupt(0x20, INTERRUPT_GATE32, FREE, 0x500);
  cpu.enterLevel(3);
  deliver(cpu, 0x20, undefined, 'external');
  assert.deepEqual([cpu.state.cpl, cpu.state.selector(CS), cpu.state.registers[ESP]], [3, FREE | 3, STACK3 - 12]);
});

test('two contributory faults make a double fault with code 0', () => {
  const cpu = machine();
  cpu.describeInterrupt(13, INTERRUPT_GATE32 & ~0x80, KERNEL_CODE, 0);
  const frame = deliver(cpu, 13, 0x1234, 'fault');
  assert.deepEqual([cpu.state.eip, frame[0], frame[1]], [handlerOf(8), 0, 0x105]);
});

test('a page fault on the way of a page fault is a double fault, on the way of #GP it is not', () => {
  const cpu = machine();
  cpu.state.registers[ESP] = 0x9004;
  cpu.describe(FREE, CODE);
  cpu.absentPages.add(8);
  cpu.enterLevel(3);
  cpu.memory.write32(TASK + 4, 0x9004);
  // The inner stack is absent: #PF → #PF → #DF → #PF → triple fault.
  assert.equal(deliverInterrupt(cpu, 14, 4, 'fault'), 'shutdown');
  const gp = machine();
  gp.describe(KERNEL_CODE, CODE | 1);
  gp.describeInterrupt(13, INTERRUPT_GATE32, FREE, 0x500);
  gp.describe(FREE, CODE);
  gp.readOnlyPages.add(1); // the accessed bit of the handler's segment cannot be set
  const frame = deliver(gp, 13, 0, 'fault');
  assert.deepEqual([gp.state.eip, frame[0]], [handlerOf(14), 3]);
  assert.equal(gp.state.get(STATE.cr2), 0x1045);
});

test('no IDT at all is a triple fault, and nothing has changed', () => {
  const cpu = machine();
  cpu.state.set(STATE.idtLimit, 0);
  const before = cpu.picture();
  assert.equal(deliverInterrupt(cpu, 3, undefined, 'trap'), 'shutdown');
  assert.deepEqual(cpu.picture(), before);
});

test('the double fault may have a task of its own', () => {
  const cpu = machine();
  const other = 0x4000;
  cpu.describe(FREE, TSS32, { base: other, limit: 0x67, flags: 0 });
  cpu.describeInterrupt(8, TASK_GATE, FREE, 0);
  for (const [offset, value] of [
    [0x20, 0x7777],
    [0x24, 2],
    [0x38, 0x7000],
    [0x48, KERNEL_DATA],
    [0x4c, KERNEL_CODE],
    [0x50, KERNEL_DATA],
    [0x54, KERNEL_DATA],
  ] as const) {
    cpu.memory.write32(other + offset, value);
  }
  cpu.absentPages.add(5);
  cpu.state.registers[ESP] = 0x5800; // the kernel's own stack is gone
  const frame = deliver(cpu, 14, 2, 'fault');
  assert.deepEqual([cpu.state.eip, cpu.state.registers[ESP], frame[0]], [0x7777, 0x6ffc, 0]);
  assert.equal(cpu.state.selector(TR), FREE);
  assert.equal(cpu.memory.read16(other), TASK_SELECTOR);
  assert.deepEqual([cpu.memory.read32(TASK + 0x20), cpu.memory.read32(TASK + 0x38)], [0x105, 0x5800]);
});

test('out of virtual-8086 mode: all segments are pushed and cleared', () => {
  const cpu = machine();
  cpu.enterVirtual8086(0);
  deliver(cpu, 13, 0, 'fault');
  assert.deepEqual(cpu.top(10), [0, 0x105, 0x200, 0x3_0202, 0x100, 0x300, 0x400, 0x500, 0x600, 0x700]);
  assert.deepEqual([cpu.state.cpl, cpu.state.eflags], [0, 2]);
  assert.deepEqual(
    [ES, DS, FS, GS].map((index) => cpu.state.segment(index).access),
    [0, 0, 0, 0],
  );
});

test('INT n in virtual-8086 mode needs IOPL 3, INT3 does not', () => {
  const cpu = machine();
  cpu.enterVirtual8086(0);
  cpu.memory.write16(0x2103, 0x21cd);
  deliver(cpu, 0x21, undefined, 'software');
  assert.deepEqual([cpu.state.eip, cpu.top(2)], [handlerOf(13), [0, 0x100]]);
  cpu.enterVirtual8086(0);
  cpu.memory.write16(0x2103, 0xcc90);
  deliver(cpu, 3, undefined, 'software');
  assert.equal(cpu.state.eip, handlerOf(3));
});

test('real mode goes through the vector table', () => {
  const cpu = machine();
  cpu.state.set(STATE.cr0, 0x10);
  cpu.state.set(STATE.idtBase, 0);
  cpu.state.set(STATE.idtLimit, 0x3ff);
  cpu.memory.write32(0x21 * 4, 0x1234_5678);
  deliver(cpu, 0x21, undefined, 'software');
  assert.deepEqual([cpu.state.eip, cpu.state.segment(CS).base, cpu.state.eflags], [0x5678, 0x12340, 0x46]);
  const at = cpu.state.registers[ESP]!;
  assert.deepEqual(
    [0, 2, 4].map((n) => cpu.memory.read16(at + n)),
    [0x105, KERNEL_CODE, 0x246],
  );
});
