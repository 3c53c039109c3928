import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from '../../src/cpu/exit.js';
import { GP, MF, NM, PF, UD } from '../../src/cpu/faults.js';
import type { Processor } from '../../src/cpu/processor.js';
import { CR0 } from '../../src/cpu/state.js';
import { DS, SS, STATE } from '../../src/memory/layout.js';
import { createMachine } from './machine-code.js';

/** Runs `code` (EDI = 0x3000) as far as it goes; instructions are counted generously. */
function run(cpu: Processor, ...code: number[]): number {
  cpu.memory.writeBytes(0x1000, Uint8Array.from([...code, 0x0f, 0x01, 0xc1]));
  cpu.state.eip = 0x1000;
  cpu.state.registers[7] = 0x3000;
  return cpu.run(1000);
}
function machine(): Processor {
  const cpu = createMachine([]);
  assert.equal(run(cpu, 0xdb, 0xe3), EXIT.hypercall);
  return cpu;
}
function assertTrap(cpu: Processor, vector: number, eip: number, ...code: number[]): void {
  assert.equal(run(cpu, ...code), EXIT.trap);
  assert.deepEqual([cpu.exit.vector, cpu.exit.errorCode, cpu.state.eip], [vector, 0, eip]);
}
const float64 = (value: number): number[] => [...new Uint8Array(new Float64Array([value]).buffer)];

test('FNINIT empties the stack and masks everything', () => {
  const { state } = machine();
  const fields = [STATE.fpuControl, STATE.fpuStatus, STATE.fpuTop, STATE.fpuTag];
  assert.deepEqual(
    fields.map((field) => state.get(field)),
    [0x37f, 0, 0, 0xffff],
  );
});

test('a sum of doubles', () => {
  const cpu = machine();
  cpu.memory.writeBytes(0x3000, Uint8Array.from([...float64(1.5), ...float64(2.25)]));
  // fld qword [edi]; fadd qword [edi+8]; fstp qword [edi+16]
  assert.equal(run(cpu, 0xdd, 0x07, 0xdc, 0x47, 8, 0xdd, 0x5f, 16), EXIT.hypercall);
  assert.deepEqual([...cpu.memory.bytes(0x3010, 8)], float64(3.75));
  assert.equal(cpu.state.get(STATE.fpuTag), 0xffff);
});

test('CR0.TS and EM: #NM for the unit, for FWAIT only with MP; #UD for MMX with EM', () => {
  const cpu = machine();
  const set = (bits: number): void => {
    cpu.state.set(STATE.cr0, CR0.PE | bits);
    cpu.fpuStateChanged();
  };
  set(CR0.TS);
  assertTrap(cpu, NM, 0x1000, 0xd9, 0xe8);
  assertTrap(cpu, NM, 0x1000, 0xdb, 0xe3);
  assertTrap(cpu, NM, 0x1000, 0x0f, 0xae, 0x07);
  assertTrap(cpu, NM, 0x1000, 0x0f, 0x77);
  assert.equal(run(cpu, 0x9b), EXIT.hypercall);
  set(CR0.TS | CR0.MP);
  assertTrap(cpu, NM, 0x1001, 0x90, 0x9b);
  set(CR0.MP);
  assert.equal(run(cpu, 0x9b), EXIT.hypercall);
  set(CR0.EM);
  assertTrap(cpu, NM, 0x1000, 0xd9, 0xe8);
  assertTrap(cpu, UD, 0x1000, 0x0f, 0x77);
});

test('an unmasked exception is reported by the next waiting instruction', () => {
  const cpu = machine();
  cpu.memory.write16(0x3000, 0x37b);
  // fldcw [edi]; fld1; fldz; fdivp: nothing happens yet
  assert.equal(run(cpu, 0xd9, 0x2f, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9), EXIT.hypercall);
  assert.equal(cpu.state.get(STATE.fpuStatus) & 0xff, 0x84);
  assert.equal(cpu.state.get(STATE.fpuOpcode), 0x6f9);
  assert.equal(cpu.state.get(STATE.fpuIp), 0x1006);
  assert.equal(cpu.state.get(STATE.fpuTag), 0x0fff, 'no pop: the instruction had no result');
  assertTrap(cpu, MF, 0x1001, 0x90, 0xd9, 0xe8);
  assertTrap(cpu, MF, 0x1000, 0x9b);
  assertTrap(cpu, MF, 0x1000, 0x0f, 0x77);
  // fnstsw ax and fnclex do not wait.
  assert.equal(run(cpu, 0xdf, 0xe0, 0xdb, 0xe2, 0x9b), EXIT.hypercall);
  assert.equal(cpu.state.registers[0]! & 0xffff, 0xb084);
  assert.equal(cpu.state.get(STATE.fpuUnavailable), 0);
});

test('unmasking a flag that is set makes it pending, masking takes it back', () => {
  const cpu = machine();
  cpu.memory.write16(0x3000, 0x37e);
  cpu.memory.write16(0x3002, 0x37f);
  assert.equal(run(cpu, 0xd9, 0xc1, 0xd9, 0x2f, 0xdb, 0xe4), EXIT.hypercall); // fld st1 (empty)
  assert.equal(cpu.state.get(STATE.fpuStatus), 0xc1);
  assertTrap(cpu, MF, 0x1000, 0xd9, 0x6f, 2);
  assert.equal(run(cpu, 0xd9, 0x77, 0x40, 0x9b), EXIT.hypercall); // fnstenv masks all
  assert.equal(cpu.state.get(STATE.fpuStatus), 0x41);
});

test('a page fault leaves the unit alone', () => {
  const cpu = machine();
  assert.equal(run(cpu, 0xd9, 0xe8), EXIT.hypercall);
  const before = cpu.save().state.slice(0x160, 0x1c0);
  for (const code of [
    [0xdd, 0x05], // fld m64
    [0xdd, 0x1d], // fstp m64
    [0xdb, 0x3d], // fstp m80
    [0xdd, 0x35], // fnsave
    [0xdd, 0x25], // frstor
    [0xdc, 0x05], // fadd m64
    [0xdf, 0x35], // fbstp
  ]) {
    // The operand straddles the end of memory.
    const address = cpu.memory.size - 4;
    const bytes = [address & 0xff, (address >> 8) & 0xff, (address >> 16) & 0xff, address >> 24];
    assert.equal(run(cpu, ...code, ...bytes), EXIT.trap);
    assert.deepEqual([cpu.exit.vector, cpu.exit.cr2], [PF, cpu.memory.size]);
    assert.deepEqual(cpu.save().state.slice(0x160, 0x1c0), before);
    assert.equal(cpu.memory.read32(address), 0);
  }
});

test('operands are checked against their segment', () => {
  const cpu = machine();
  cpu.state.setSegment(DS, { selector: 0x10, base: 0, limit: 0x3007, access: 0x40_9300 });
  cpu.segmentsChanged();
  assert.equal(run(cpu, 0xdd, 0x07), EXIT.hypercall); // fld qword [edi]
  assertTrap(cpu, GP, 0x1000, 0xdb, 0x2f); // fld tbyte [edi]
  cpu.state.setSegment(DS, { selector: 0x10, base: 0, limit: 0x31fe, access: 0x40_9300 });
  cpu.segmentsChanged();
  assertTrap(cpu, GP, 0x1000, 0x0f, 0xae, 0x07);
});

test('FXSAVE and FXRSTOR keep everything, and want 16-byte alignment', () => {
  const cpu = machine();
  assert.equal(run(cpu, 0xd9, 0xeb, 0xd9, 0xe8, 0xd9, 0xf6, 0xdf, 0xc2), EXIT.hypercall); // fldpi fld1 fdecstp …
  for (let n = 0; n < 32; n++) cpu.state.set(STATE.xmm + 4 * n, 0x1111_0000 + n);
  const saved = cpu.save().state.slice(0x160, 0x2c0);
  cpu.memory.fill(0x3000, 512, 0xaa);
  assert.equal(run(cpu, 0x0f, 0xae, 0x07), EXIT.hypercall);
  const image = cpu.memory.bytes(0x3000, 512).slice();
  const view = new DataView(image.buffer);
  assert.equal(view.getUint16(0, true), 0x37f);
  assert.equal(view.getUint32(24, true), 0x1f80);
  assert.equal(view.getUint32(28, true), 0xffff);
  assert.equal(view.getUint32(160, true), 0x1111_0000);
  assert.deepEqual([image[287], image[288], image[511]], [0x11, 0xaa, 0xaa]);
  const top = cpu.state.get(STATE.fpuTop);
  const pi = [...cpu.memory.u8.subarray(STATE.fpuRegisters + 16 * 7, STATE.fpuRegisters + 16 * 7 + 10)];
  assert.deepEqual([...image.subarray(32 + 16 * ((7 - top) & 7), 42 + 16 * ((7 - top) & 7))], pi);
  assert.equal(run(cpu, 0xdb, 0xe3, 0xd9, 0xee), EXIT.hypercall);
  cpu.memory.u8.fill(0, STATE.xmm, STATE.xmm + 128);
  assert.equal(run(cpu, 0x0f, 0xae, 0x0f), EXIT.hypercall);
  assert.deepEqual(cpu.save().state.slice(0x160, 0x2c0), saved);
  // Across a page border, as well.
  assert.equal(run(cpu, 0x0f, 0xae, 0x87, 0x80, 0x0f, 0, 0), EXIT.hypercall);
  assert.deepEqual(cpu.memory.bytes(0x3f80, 288), image.subarray(0, 288));
  assert.equal(run(cpu, 0xdb, 0xe3), EXIT.hypercall);
  cpu.memory.u8.fill(0, STATE.xmm, STATE.xmm + 128);
  assert.equal(run(cpu, 0x0f, 0xae, 0x8f, 0x80, 0x0f, 0, 0), EXIT.hypercall);
  assert.deepEqual(cpu.save().state.slice(0x160, 0x2c0), saved);
  assertTrap(cpu, GP, 0x1000, 0x0f, 0xae, 0x47, 8);
  cpu.memory.write32(0x3018, 0x1_0000); // a reserved bit of MXCSR
  assertTrap(cpu, GP, 0x1000, 0x0f, 0xae, 0x0f);
});

test('FNSAVE and FRSTOR in both sizes, with real-mode pointers in virtual-8086 mode', () => {
  const cpu = machine();
  assert.equal(run(cpu, 0xd9, 0xeb, 0xd9, 0xe8), EXIT.hypercall);
  cpu.state.set(STATE.fpuOpcode, 0x123);
  cpu.state.set(STATE.fpuIp, 0x1_2345);
  cpu.state.set(STATE.fpuDp, 0xa_bcde);
  const saved = cpu.save().state.slice(0x160, 0x240);
  for (const prefix of [[], [0x66]]) {
    assert.equal(run(cpu, ...prefix, 0xdd, 0x37), EXIT.hypercall);
    const words = Array.from({ length: 7 }, (_, n) =>
      prefix.length ? cpu.memory.read16(0x3000 + 2 * n) : cpu.memory.read32(0x3000 + 4 * n),
    );
    const expected = prefix.length
      ? [0x37f, 0x3000, 0x0fff, 0x2345, 8, 0xbcde, 0]
      : [0xffff_037f, 0xffff_3000, 0xffff_0fff, 0x1_2345, 0x0123_0008, 0xa_bcde, 0xffff_0000];
    assert.deepEqual(words, expected);
    assert.equal(cpu.state.get(STATE.fpuTag), 0xffff, 'FNSAVE initialises');
    assert.equal(run(cpu, ...prefix, 0xdd, 0x27), EXIT.hypercall);
    if (!prefix.length) assert.deepEqual(cpu.save().state.slice(0x160, 0x240), saved);
  }
  cpu.state.set(STATE.fpuOpcode, 0x123);
  cpu.state.set(STATE.fpuIp, 0x1_2345);
  cpu.state.set(STATE.fpuDp, 0xa_bcde);
  cpu.state.set(STATE.cr0, 0);
  cpu.segmentsChanged();
  assert.equal(run(cpu, 0x66, 0xd9, 0x37), EXIT.hypercall); // 16-bit FNSTENV in real mode
  const words = Array.from({ length: 7 }, (_, n) => cpu.memory.read16(0x3000 + 2 * n));
  assert.deepEqual(words.slice(3), [0x2345, 0x1123, 0xbcde, 0xa000]);
});

test('FCOMI sets flags and FCMOV obeys them', () => {
  const cpu = machine();
  assert.equal(run(cpu, 0xd9, 0xe8, 0xd9, 0xee, 0xdb, 0xf1, 0xda, 0xc1, 0xdf, 0xe9), EXIT.hypercall); // fld1 fldz fcomi fcmovb fucomip
  assert.equal(cpu.state.eflags & 0x8d5, 0x40, 'after FCMOVB both are 1');
  assert.equal(cpu.state.get(STATE.fpuTop), 7);
});

test('x87 and MMX share registers: EMMS empties them', () => {
  const cpu = machine();
  cpu.memory.writeBytes(0x3000, Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]));
  assert.equal(run(cpu, 0x0f, 0x6f, 0x1f), EXIT.hypercall); // movq mm3, [edi]
  assert.deepEqual([cpu.state.get(STATE.fpuTop), cpu.state.get(STATE.fpuTag)], [0, 0]);
  assert.equal(run(cpu, 0xdd, 0x77, 0x40), EXIT.hypercall);
  // ST(3) has an exponent of ones: a NaN to FSAVE.
  assert.equal(cpu.memory.read16(0x3048) & 0xc0, 0x80);
  assert.deepEqual([...cpu.memory.bytes(0x305c + 30, 10)], [1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xff]);
  assert.equal(run(cpu, 0x0f, 0x6f, 0x1f, 0x0f, 0x77), EXIT.hypercall);
  assert.equal(cpu.state.get(STATE.fpuTag), 0xffff);
});

test('a fault in the stack segment is #SS', () => {
  const cpu = machine();
  cpu.state.setSegment(SS, { selector: 0x10, base: 0, limit: 0x3003, access: 0x40_9300 });
  cpu.segmentsChanged();
  cpu.state.registers[5] = 0x3000;
  assertTrap(cpu, 12, 0x1000, 0xdd, 0x45, 0x00); // fld qword [ebp]
});

test('opcodes that mean nothing raise #UD', () => {
  const cpu = machine();
  for (const code of [
    [0xd9, 0xd1],
    [0xd9, 0x0f],
    [0xd9, 0xef],
    [0xda, 0xe0],
    [0xdb, 0xe5],
    [0xdb, 0x27],
    [0xdd, 0x2f],
    [0xde, 0xd8],
    [0xdf, 0xf8],
    [0x0f, 0xae, 0x17],
  ]) {
    assertTrap(cpu, UD, 0x1000, ...code);
  }
});
