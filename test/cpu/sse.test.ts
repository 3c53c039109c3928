import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXIT } from '../../src/cpu/exit.js';
import { GP, MF, NM, PF, SS_FAULT, UD, XM } from '../../src/cpu/faults.js';
import type { Processor } from '../../src/cpu/processor.js';
import { CR0, CR4 } from '../../src/cpu/state.js';
import { DS, SS, STATE } from '../../src/memory/layout.js';
import { createMachine } from './machine-code.js';

/** What the recorded answers cannot show: control registers, page borders, segments. */

const MEMORY_BYTES = 1 << 20;

function machine(cr4 = CR4.OSFXSR | CR4.OSXMMEXCPT): Processor {
  const cpu = createMachine([], { memoryBytes: MEMORY_BYTES });
  cpu.state.set(STATE.cr4, cr4);
  cpu.fpuStateChanged();
  return cpu;
}
/** Runs `code` (EDI = 0x3000 unless told) up to the VMCALL behind it. */
function run(cpu: Processor, code: readonly number[], edi = 0x3000): number {
  cpu.memory.writeBytes(0x1000, Uint8Array.from([...code, 0x0f, 0x01, 0xc1]));
  cpu.state.eip = 0x1000;
  cpu.state.registers[7] = edi;
  return cpu.run(1000);
}
function assertTrap(cpu: Processor, vector: number, code: readonly number[], edi = 0x3000): void {
  assert.equal(run(cpu, code, edi), EXIT.trap);
  assert.deepEqual([cpu.exit.vector, cpu.state.eip], [vector, 0x1000]);
}
function assertRuns(cpu: Processor, code: readonly number[], edi = 0x3000): void {
  assert.equal(run(cpu, code, edi), EXIT.hypercall, `vector ${cpu.exit.vector}`);
}
const setXmm = (cpu: Processor, index: number, bytes: readonly number[]): void =>
  cpu.memory.u8.set(bytes, STATE.xmm + 16 * index);
const xmm = (cpu: Processor, index: number): number[] => [
  ...cpu.memory.u8.slice(STATE.xmm + 16 * index, STATE.xmm + 16 * index + 16),
];

const ADDPS = [0x0f, 0x58, 0xc1]; // addps xmm0,xmm1
const MOVAPS_LOAD = [0x0f, 0x28, 0x07]; // movaps xmm0,[edi]
const MOVUPS_LOAD = [0x0f, 0x10, 0x07];
const MOVUPS_STORE = [0x0f, 0x11, 0x07];
const CVTPI2PS = [0x0f, 0x2a, 0xc1]; // cvtpi2ps xmm0,mm1
const PADDQ_MMX = [0x0f, 0xd4, 0xc1];
const MOVNTI = [0x0f, 0xc3, 0x07];
const DIVPS = [0x0f, 0x5e, 0xc1];

test('without CR4.OSFXSR there is no SSE, but for what uses MMX registers or none', () => {
  const cpu = machine(0);
  for (const code of [ADDPS, MOVAPS_LOAD, [0x0f, 0xae, 0x17], CVTPI2PS, [0x66, 0x0f, 0xef, 0xc0]])
    assertTrap(cpu, UD, code);
  for (const code of [
    PADDQ_MMX,
    MOVNTI,
    [0x0f, 0xae, 0xe8],
    [0x0f, 0xae, 0xf0],
    [0x0f, 0xae, 0xf8],
    [0x0f, 0xae, 0x3f],
  ])
    assertRuns(cpu, code);
});

test('MOV CR4 switches SSE on and off', () => {
  const cpu = machine(0);
  assertTrap(cpu, UD, ADDPS);
  cpu.state.registers[0] = CR4.OSFXSR;
  assertRuns(cpu, [0x0f, 0x22, 0xe0, ...ADDPS]);
  cpu.state.registers[0] = 0;
  assert.equal(run(cpu, [0x0f, 0x22, 0xe0, ...ADDPS]), EXIT.trap);
  assert.deepEqual([cpu.exit.vector, cpu.state.eip], [UD, 0x1003]);
});

test('CR0.TS raises #NM and CR0.EM #UD, which comes first', () => {
  const cpu = machine();
  const set = (bits: number): void => {
    cpu.state.set(STATE.cr0, CR0.PE | bits);
    cpu.fpuStateChanged();
  };
  set(CR0.TS);
  for (const code of [ADDPS, CVTPI2PS, PADDQ_MMX]) assertTrap(cpu, NM, code);
  set(CR0.TS | CR0.EM);
  for (const code of [ADDPS, CVTPI2PS, PADDQ_MMX]) assertTrap(cpu, UD, code);
  assertRuns(cpu, MOVNTI);
});

test('a pending x87 exception concerns only instructions with MMX registers', () => {
  const cpu = machine();
  cpu.memory.write16(0x3000, 0x37b);
  assertRuns(cpu, [0xdb, 0xe3, 0xd9, 0x2f, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9]); // 1/0
  assertRuns(cpu, ADDPS);
  assertTrap(cpu, MF, CVTPI2PS);
  assertTrap(cpu, MF, PADDQ_MMX);
});

test('unmasked exceptions: #XM, or #UD without CR4.OSXMMEXCPT; flags stay, the destination too', () => {
  const ones = new Array<number[]>(4).fill([0, 0, 0x80, 0x3f]).flat();
  for (const [cr4, vector] of [
    [CR4.OSFXSR | CR4.OSXMMEXCPT, XM],
    [CR4.OSFXSR, UD],
  ] as const) {
    const cpu = machine(cr4);
    cpu.state.set(STATE.mxcsr, 0x1d80); // ZE unmasked
    setXmm(cpu, 0, ones);
    setXmm(cpu, 1, new Array<number>(16).fill(0));
    assertTrap(cpu, vector, DIVPS);
    assert.equal(cpu.state.get(STATE.mxcsr), 0x1d84);
    assert.deepEqual(xmm(cpu, 0), ones);
  }
});

test('operands over a page border: all or nothing', () => {
  const cpu = machine();
  const bytes = Array.from({ length: 16 }, (_, i) => i + 1);
  setXmm(cpu, 0, bytes);
  assertRuns(cpu, MOVUPS_STORE, 0x3ff5);
  assert.deepEqual([...cpu.memory.bytes(0x3ff5, 16)], bytes);
  setXmm(cpu, 0, new Array<number>(16).fill(0));
  assertRuns(cpu, MOVUPS_LOAD, 0x3ff5);
  assert.deepEqual(xmm(cpu, 0), bytes);
  cpu.memory.fill(MEMORY_BYTES - 16, 16, 0);
  for (const code of [MOVUPS_STORE, MOVUPS_LOAD]) {
    assertTrap(cpu, PF, code, MEMORY_BYTES - 5);
    assert.equal(cpu.exit.cr2, MEMORY_BYTES);
  }
  assert.deepEqual(xmm(cpu, 0), bytes);
  assert.deepEqual([...cpu.memory.bytes(MEMORY_BYTES - 16, 16)], new Array<number>(16).fill(0));
});

test('a masked store that faults has stored nothing', () => {
  const cpu = machine();
  setXmm(cpu, 0, new Array<number>(16).fill(0x55));
  setXmm(cpu, 1, new Array<number>(16).fill(0x80));
  cpu.memory.fill(MEMORY_BYTES - 16, 16, 0);
  assertTrap(cpu, PF, [0x66, 0x0f, 0xf7, 0xc1], MEMORY_BYTES - 5);
  assert.deepEqual([...cpu.memory.bytes(MEMORY_BYTES - 16, 16)], new Array<number>(16).fill(0));
});

test('stores reach code that has run', () => {
  const cpu = machine();
  assertRuns(cpu, [0xb0, 1]); // mov al,1
  setXmm(cpu, 0, [0xb0, 2, 0x0f, 0x01, 0xc1]);
  assertRuns(cpu, [...MOVUPS_STORE, 0xeb, 0x0b], 0x1010); // over to 0x1010
  assert.equal(cpu.state.registers[0]! & 0xff, 2);
});

test('segments: limit, type, base; misalignment is of the linear address', () => {
  const cpu = machine();
  cpu.state.setSegment(DS, { selector: 0x10, base: 0x10, limit: 0x300f, access: 0x40_9100 });
  cpu.segmentsChanged();
  cpu.memory.write32(0x3010, 0x1234_5678);
  assertRuns(cpu, MOVAPS_LOAD);
  assert.deepEqual(xmm(cpu, 0).slice(0, 4), [0x78, 0x56, 0x34, 0x12]);
  assertTrap(cpu, GP, MOVUPS_LOAD, 0x3001); // limit
  assertTrap(cpu, GP, MOVUPS_STORE); // read-only
  cpu.state.setSegment(SS, { selector: 0x10, base: 8, limit: 0xffff, access: 0x40_9300 });
  cpu.segmentsChanged();
  assertTrap(cpu, GP, [0x36, ...MOVAPS_LOAD], 0x3000);
  assertRuns(cpu, [0x36, ...MOVAPS_LOAD], 0x3008);
  assertTrap(cpu, SS_FAULT, [0x36, ...MOVUPS_LOAD], 0xfff1);
});

test('16-bit addresses wrap; MASKMOVDQU uses DI then', () => {
  const cpu = machine();
  setXmm(
    cpu,
    0,
    Array.from({ length: 16 }, (_, i) => i),
  );
  setXmm(cpu, 1, [...new Array<number>(15).fill(0), 0x80]);
  assertRuns(cpu, [0x67, 0x66, 0x0f, 0xf7, 0xc1], 0xabcd_4000);
  assert.equal(cpu.memory.read8(0x400f), 15);
});

test('LOCK and unknown prefixes are undefined opcodes', () => {
  const cpu = machine();
  assertTrap(cpu, UD, [0xf0, ...MOVUPS_STORE]);
  assertTrap(cpu, UD, [0xf3, 0x0f, 0x54, 0xc1]); // ANDPS has no scalar form
  assertTrap(cpu, UD, [0x66, 0x0f, 0x77]); // nor EMMS one of SSE
  assertTrap(cpu, UD, [0x66, 0x0f, 0x12, 0xc0]); // MOVLPD wants memory
});

test('F3 and F2 win over 66', () => {
  const cpu = machine();
  setXmm(cpu, 0, new Array<number>(16).fill(0));
  setXmm(cpu, 1, new Array<number>(16).fill(0xff));
  assertRuns(cpu, [0xf3, 0x66, 0x0f, 0x10, 0xc1]); // movss
  assert.deepEqual(xmm(cpu, 0).slice(0, 5), [0xff, 0xff, 0xff, 0xff, 0]);
});
