import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GP, GuestFault, NP, SS_FAULT } from '../../src/cpu/faults.js';
import { checkSegmentAccess, loadSegment } from '../../src/cpu/segmentation.js';
import { DS, ES, FS, GS, LDTR, SS, STATE } from '../../src/memory/layout.js';
import { assertFault, CODE, DATA, FakeCpu, FREE, KERNEL_DATA, LDT, level, TSS32, USER_DATA } from './fake-cpu.js';

test('a data segment loads base, scaled limit and rights, and becomes accessed in its table', () => {
  const cpu = new FakeCpu();
  cpu.describe(FREE, DATA | level(3), { base: 0x1234_5678, limit: 0x12345, flags: 0xc });
  loadSegment(cpu, FS, FREE | 3);
  const expected = { selector: FREE | 3, base: 0x1234_5678, limit: 0x1234_5fff, access: 0xc0_f300 };
  assert.deepEqual(cpu.state.segment(FS), expected);
  assert.equal(cpu.rights(FREE), DATA | level(3) | 1);
  // Only the first four decide how code is decoded.
  assert.deepEqual(cpu.calls, []);
  loadSegment(cpu, DS, FREE | 3);
  assert.deepEqual(cpu.calls, ['segments']);
  cpu.describe(FREE, DATA, { limit: 0xfffff, flags: 0 });
  loadSegment(cpu, GS, FREE);
  assert.equal(cpu.state.segment(GS).limit, 0xf_ffff);
});

test('an accessed descriptor is not written again', () => {
  const cpu = new FakeCpu();
  cpu.describe(FREE, DATA | 1);
  cpu.readOnlyPages.add(1);
  loadSegment(cpu, DS, FREE);
  cpu.describe(FREE, DATA);
  assert.throws(() => loadSegment(cpu, ES, FREE), { vector: 14, errorCode: 3, address: 0x1045 });
  assert.equal(cpu.state.selector(ES), KERNEL_DATA);
});

test('null selectors load into data registers only and stop access', () => {
  const cpu = new FakeCpu();
  for (const selector of [0, 1, 2, 3]) {
    loadSegment(cpu, ES, selector);
    assert.deepEqual(cpu.state.segment(ES), { selector, base: 0, limit: 0, access: 0 });
    assertFault(cpu, GP, 0, () => checkSegmentAccess(cpu, ES, 0, 1, false));
    assertFault(cpu, GP, 0, () => loadSegment(cpu, SS, selector));
  }
});

test('data segments: table limit, type, privilege, presence', () => {
  const cpu = new FakeCpu();
  assertFault(cpu, GP, 0x400, () => loadSegment(cpu, DS, 0x402));
  assertFault(cpu, GP, 0x44, () => loadSegment(cpu, DS, 0x47)); // no LDT
  cpu.describe(FREE, TSS32);
  assertFault(cpu, GP, FREE, () => loadSegment(cpu, DS, FREE));
  cpu.describe(FREE, 0x98); // execute-only
  assertFault(cpu, GP, FREE, () => loadSegment(cpu, DS, FREE));
  cpu.describe(FREE, DATA & ~0x80);
  assertFault(cpu, NP, FREE, () => loadSegment(cpu, DS, FREE));
  cpu.describe(FREE, DATA);
  assertFault(cpu, GP, FREE, () => loadSegment(cpu, DS, FREE | 1)); // RPL 1, DPL 0
  cpu.enterLevel(3);
  assertFault(cpu, GP, FREE, () => loadSegment(cpu, DS, FREE));
  cpu.describe(FREE, 0x9e); // conforming code: any level may read it
  loadSegment(cpu, DS, FREE | 3);
});

test('at level 1 selectors with RPL 0 reach segments of DPL 1', () => {
  const cpu = new FakeCpu();
  cpu.state.cpl = 1;
  cpu.describe(FREE, DATA | level(1));
  loadSegment(cpu, DS, FREE);
  assertFault(cpu, GP, FREE, () => loadSegment(cpu, SS, FREE));
  loadSegment(cpu, SS, FREE | 1);
});

test('the stack segment needs writable data at exactly the current level', () => {
  const cpu = new FakeCpu();
  cpu.describe(FREE, 0x90); // read-only
  assertFault(cpu, GP, FREE, () => loadSegment(cpu, SS, FREE));
  cpu.describe(FREE, CODE);
  assertFault(cpu, GP, FREE, () => loadSegment(cpu, SS, FREE));
  cpu.describe(FREE, DATA | level(3));
  assertFault(cpu, GP, FREE, () => loadSegment(cpu, SS, FREE));
  cpu.describe(FREE, DATA & ~0x80);
  assertFault(cpu, SS_FAULT, FREE, () => loadSegment(cpu, SS, FREE));
  assert.equal(cpu.interruptShadow, false);
  cpu.describe(FREE, DATA);
  loadSegment(cpu, SS, FREE);
  assert.equal(cpu.interruptShadow, true);
});

test('LDT descriptors are found through LDTR', () => {
  const cpu = new FakeCpu();
  cpu.describe(FREE, LDT, { base: 0x4000, limit: 15 });
  cpu.state.setSegment(LDTR, { selector: FREE, base: 0x4000, limit: 15, access: 0x8200 });
  cpu.memory.write32(0x4008, 0x0010_ffff);
  cpu.memory.write32(0x400c, 0x0040_f200);
  loadSegment(cpu, GS, 0xf);
  assert.equal(cpu.state.segment(GS).base, 0x10);
  assertFault(cpu, GP, 0x14, () => loadSegment(cpu, GS, 0x17));
});

test('with the table in the Host, guest memory is not looked at', () => {
  const cpu = new FakeCpu();
  cpu.state.set(STATE.gdtInHost, 1);
  cpu.absentPages.add(1);
  cpu.state.set(STATE.hostGdt + 13 * 8, 0x0000_ffff);
  cpu.state.set(STATE.hostGdt + 13 * 8 + 4, 0x00cf_b300);
  cpu.state.cpl = 1;
  loadSegment(cpu, DS, 13 * 8);
  assert.deepEqual(cpu.state.segment(DS), { selector: 0x68, base: 0, limit: 0xffff_ffff, access: 0xc0_b300 });
  assertFault(cpu, GP, 0x100, () => loadSegment(cpu, DS, 0x100));
});

test('real and virtual-8086 mode: base is selector times 16', () => {
  const cpu = new FakeCpu();
  cpu.state.set(STATE.cr0, 0x10);
  loadSegment(cpu, DS, 0x1234);
  assert.deepEqual(cpu.state.segment(DS), { selector: 0x1234, base: 0x12340, limit: 0xffff_ffff, access: 0xc0_9300 });
  cpu.state.set(STATE.cr0, 0x11);
  cpu.enterVirtual8086(0);
  loadSegment(cpu, SS, 0xffff);
  assert.deepEqual(cpu.state.segment(SS), { selector: 0xffff, base: 0xffff0, limit: 0xffff, access: 0xf300 });
});

test('accesses are checked against limit and type, in both growing directions', () => {
  const cpu = new FakeCpu();
  const allowed = (index: number, offset: number, size: number, write: boolean): boolean => {
    try {
      checkSegmentAccess(cpu, index, offset, size, write);
      return true;
    } catch (fault) {
      assert.ok(fault instanceof GuestFault && fault.errorCode === 0);
      assert.equal(fault.vector, index === SS ? SS_FAULT : GP);
      return false;
    }
  };
  for (const index of [SS, DS]) {
    cpu.state.setSegment(index, { selector: 0, base: 0x5000, limit: 0xfff, access: 0x9300 });
    assert.equal(checkSegmentAccess(cpu, index, 0xffc, 4, true), 0x5ffc);
    assert.equal(allowed(index, 0xffd, 4, true), false);
    assert.equal(allowed(index, 0xffff_ffff, 2, true), false);
    // Expand-down, 64 KiB and 4 GiB.
    cpu.state.setSegment(index, { selector: 0, base: 0x5000, limit: 0xfff, access: 0x9700 });
    assert.deepEqual([allowed(index, 0xfff, 1, true), allowed(index, 0x1000, 1, true)], [false, true]);
    assert.deepEqual([allowed(index, 0xfffe, 2, true), allowed(index, 0xffff, 2, true)], [true, false]);
    cpu.state.setSegment(index, { selector: 0, base: 0x5000, limit: 0xfff, access: 0x40_9700 });
    assert.deepEqual([allowed(index, -4, 4, true), allowed(index, -3, 4, true)], [true, false]);
  }
  cpu.state.setSegment(DS, { selector: 0, base: 0, limit: 0xfff, access: 0x9100 });
  assert.deepEqual([allowed(DS, 0, 4, false), allowed(DS, 0, 4, true)], [true, false]);
  cpu.state.setSegment(DS, { selector: 0, base: 0, limit: 0xfff, access: 0x9b00 });
  assert.deepEqual([allowed(DS, 0, 4, false), allowed(DS, 0, 4, true)], [true, false]);
  cpu.state.setSegment(DS, { selector: 0, base: 0, limit: 0xfff, access: 0x9900 });
  assert.deepEqual([allowed(DS, 0, 4, false), allowed(DS, 0, 4, true)], [false, false]);
});

test('a user selector is readable at every level', () => {
  const cpu = new FakeCpu();
  loadSegment(cpu, DS, USER_DATA);
  assert.equal(cpu.state.selector(DS), USER_DATA);
});
