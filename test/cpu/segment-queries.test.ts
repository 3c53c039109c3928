import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Helper } from '../../src/cpu/context.js';
import { GP, NP, UD } from '../../src/cpu/faults.js';
import { segmentQueryHelpers } from '../../src/cpu/segment-queries.js';
import { FLAG } from '../../src/cpu/state.js';
import { LDTR, TR } from '../../src/memory/layout.js';
import {
  assertFault,
  CALL_GATE32,
  CODE,
  DATA,
  FakeCpu,
  FREE,
  INTERRUPT_GATE32,
  LDT,
  level,
  TSS16,
  TSS32,
} from './fake-cpu.js';

const { requireLevel0, ...queries } = segmentQueryHelpers;
const { lar, lsl, verr, verw, arpl, lldt, ltr, sldt, str } = queries;
const zero = (cpu: FakeCpu): boolean => (cpu.state.eflags & FLAG.ZF) !== 0;

test('LAR and LSL give rights and limit of what the program may see', () => {
  const cpu = new FakeCpu();
  cpu.describe(FREE, DATA | level(3), { base: 0x1234_5678, limit: 0x1_0042, flags: 0xc });
  cpu.enterLevel(3);
  assert.equal(lar(cpu, FREE | 3, 7), 0x00c1_f200);
  assert.ok(zero(cpu));
  assert.equal(lsl(cpu, FREE | 3, 7), 0x1004_2fff);
  cpu.describe(FREE, DATA); // DPL 0
  assert.equal(lar(cpu, FREE, 7), 7);
  assert.ok(!zero(cpu));
  assert.equal(lsl(cpu, FREE, 7), 7);
  cpu.describe(FREE, 0x9e); // conforming: visible from everywhere
  assert.equal(lsl(cpu, FREE | 3, 7), -1);
  assert.ok(zero(cpu));
});

test('LAR knows gates, LSL does not, neither knows interrupt gates', () => {
  const cpu = new FakeCpu();
  cpu.describeGate(FREE, CALL_GATE32, 8, 0x12345);
  assert.equal(lar(cpu, FREE, 7), 0x8c00 | (0x1_2345 & 0xff_0000));
  assert.ok(zero(cpu));
  assert.equal(lsl(cpu, FREE, 7), 7);
  assert.ok(!zero(cpu));
  cpu.describeGate(FREE, INTERRUPT_GATE32, 8, 0);
  assert.equal(lar(cpu, FREE, 7), 7);
  cpu.describe(FREE, TSS32, { limit: 0x67, flags: 0 });
  assert.equal(lsl(cpu, FREE, 7), 0x67);
  for (const selector of [0, 3, 0x1000]) {
    assert.equal(lar(cpu, selector, 7), 7);
    assert.ok(!zero(cpu));
  }
});

test('VERR and VERW', () => {
  const cpu = new FakeCpu();
  const both = (rights: number): [boolean, boolean] => {
    cpu.describe(FREE, rights);
    verr(cpu, FREE);
    const readable = zero(cpu);
    verw(cpu, FREE);
    return [readable, zero(cpu)];
  };
  assert.deepEqual(both(DATA), [true, true]);
  assert.deepEqual(both(0x90), [true, false]);
  assert.deepEqual(both(CODE), [true, false]);
  assert.deepEqual(both(0x98), [false, false]);
  assert.deepEqual(both(TSS32), [false, false]);
  cpu.enterLevel(3);
  assert.deepEqual(both(DATA), [false, false]);
  assert.deepEqual(both(0x9e), [true, false]);
});

test('ARPL raises the RPL and says so', () => {
  const cpu = new FakeCpu();
  assert.equal(arpl(cpu, 0x10, 0x1b), 0x13);
  assert.ok(zero(cpu));
  assert.equal(arpl(cpu, 0x13, 0x11), 0x13);
  assert.ok(!zero(cpu));
});

test('LLDT and SLDT', () => {
  const cpu = new FakeCpu();
  cpu.describe(FREE, LDT, { base: 0x4000, limit: 31, flags: 0 });
  lldt(cpu, FREE);
  assert.deepEqual(cpu.state.segment(LDTR), { selector: FREE, base: 0x4000, limit: 31, access: 0x8200 });
  assert.equal(sldt(cpu), FREE);
  assertFault(cpu, GP, FREE | 4, () => lldt(cpu, FREE | 4));
  cpu.describe(FREE, DATA);
  assertFault(cpu, GP, FREE, () => lldt(cpu, FREE));
  cpu.describe(FREE, LDT & ~0x80);
  assertFault(cpu, NP, FREE, () => lldt(cpu, FREE));
  lldt(cpu, 0);
  assert.equal(cpu.state.segment(LDTR).access, 0);
  cpu.enterLevel(3);
  assertFault(cpu, GP, 0, () => lldt(cpu, 0));
});

test('LTR makes the task busy, in memory and in TR', () => {
  const cpu = new FakeCpu();
  cpu.describe(FREE, TSS32, { base: 0x5000, limit: 0x67, flags: 0 });
  ltr(cpu, FREE);
  assert.deepEqual(cpu.state.segment(TR), { selector: FREE, base: 0x5000, limit: 0x67, access: 0x8b00 });
  assert.equal(cpu.rights(FREE), 0x8b);
  assert.equal(str(cpu), FREE);
  assertFault(cpu, GP, FREE, () => ltr(cpu, FREE)); // busy now
  cpu.describe(FREE, TSS16 & ~0x80);
  assertFault(cpu, NP, FREE, () => ltr(cpu, FREE));
  assertFault(cpu, GP, 0, () => ltr(cpu, 3));
  assertFault(cpu, GP, FREE | 4, () => ltr(cpu, FREE | 4));
});

test('outside protected mode these instructions do not exist', () => {
  const cpu = new FakeCpu();
  cpu.enterVirtual8086(3);
  for (const helper of Object.values<Helper>(queries)) assertFault(cpu, UD, 0, () => helper(cpu, FREE, 0, 0));
  // LGDT, LIDT and INVLPG do exist there: what is missing is the right to use them.
  assertFault(cpu, GP, 0, () => requireLevel0(cpu));
});
