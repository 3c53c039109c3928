import assert from 'node:assert/strict';
import test from 'node:test';
import type { Processor } from '../../src/cpu/processor.js';
import { FLAG, type Segment } from '../../src/cpu/state.js';
import { CS, DS, ES, FS, GS, SS, STATE } from '../../src/memory/layout.js';
import { createMachine } from './machine-code.js';

/**
 * Shortcuts of the interpreter against the helpers: the same instruction once with the pages that it reads in the TLB,
 * and once without, when the helper does it.
 */

const CODE = 0x1000;
const GDT = 0x8000;
const STACK = 0x9000;
const GDT_BYTES = 32 * 8;

const flat = (selector: number, access: number): Segment => ({ selector, base: 0, limit: 0xffff_ffff, access });

/** High and low words of descriptors, level 0. */
const DESCRIPTORS: readonly (readonly [high: number, low: number])[] = [
  [0x00cf_9b00, 0xffff], // flat code
  [0x00cf_9300, 0xffff], // flat data
  [0x00df_9300, 0xffff], // with AVL
  [0x00cf_9200, 0xffff], // not accessed
  [0x00cf_9100, 0xffff], // read-only
  [0x00cf_9700, 0xffff], // expand-down
  [0x00cf_1300, 0xffff], // absent
  [0x12cf_9334, 0x5678_ffff], // with a base
  [0x004f_9300, 0xffff], // by bytes
  [0x00c0_9300, 0x0010], // short
  [0x00cf_9f00, 0xffff], // conforming code
  [0x0000_8900, 0x0067], // a task
  [0x008f_9300, 0xffff], // of 16 bits
];

function fillTable(cpu: Processor): void {
  for (let n = 1; n < 32; n++) {
    const [high, low] = DESCRIPTORS[(n - 1) % DESCRIPTORS.length]!;
    const level = n > 2 * DESCRIPTORS.length ? 1 : n > DESCRIPTORS.length ? 3 : 0;
    cpu.memory.write32(GDT + 8 * n, low);
    cpu.memory.write32(GDT + 8 * n + 4, high | (level << 13));
  }
  cpu.state.set(STATE.gdtBase, GDT);
  cpu.state.set(STATE.gdtLimit, GDT_BYTES - 1);
}

const cpu = createMachine([]);

/** What the instruction has done. */
function run(code: readonly number[], ring: number, warm: boolean, prepare: (cpu: Processor) => void): unknown {
  cpu.reset();
  for (const index of [ES, SS, DS, FS, GS]) cpu.state.setSegment(index, flat(0x10 | ring, 0xc0_9300 | (ring << 13)));
  cpu.state.setSegment(CS, flat(8 | ring, 0xc0_9b00 | (ring << 13)));
  cpu.state.cpl = ring;
  cpu.state.set(STATE.cr0, 1);
  cpu.state.eip = CODE;
  cpu.memory.writeBytes(CODE, Uint8Array.of(...code, 0xcc));
  fillTable(cpu);
  prepare(cpu);
  cpu.segmentsChanged();
  cpu.flushTlb();
  if (warm) for (const page of [GDT, STACK, CODE]) cpu.access.read8(page, true);
  const reason = cpu.run(1);
  const { vector, errorCode } = cpu.exit;
  const { state } = cpu;
  return {
    outcome: reason === 0 ? 'done' : [reason, vector, errorCode],
    eip: state.eip,
    cpl: state.cpl,
    eflags: state.eflags,
    registers: [...state.registers],
    segments: [ES, CS, SS, DS, FS, GS].map((n) => [state.segment(n), state.get(STATE.segmentFlat + 4 * n)]),
    tables: [STATE.tlbRead, STATE.tlbWrite].map((field) => state.get(field)),
    mode: state.get(STATE.codeKey) & 31,
    memory: [...cpu.memory.bytes(GDT, GDT_BYTES)],
  };
}

function compare(what: string, code: readonly number[], ring: number, prepare: (cpu: Processor) => void): void {
  assert.deepEqual(run(code, ring, true, prepare), run(code, ring, false, prepare), what);
}

test('loads of segment registers', () => {
  for (const ring of [0, 1, 3])
    for (const segment of [ES, SS, DS, FS, GS])
      for (let selector = 0; selector < 0x110; selector += selector % 8 === 4 ? 4 : 1) {
        compare(`${segment} ← ${selector.toString(16)} at ${ring}`, [0x8e, 0xc0 | (segment << 3)], ring, (cpu) => {
          cpu.state.registers[0] = selector;
        });
      }
});

test('loads of segment registers from the descriptors that the Host keeps', () => {
  for (let selector = 0; selector < 0x110; selector += 3)
    compare(`fs ← ${selector.toString(16)}`, [0x8e, 0xe0], 1, (cpu) => {
      cpu.state.registers[0] = selector;
      cpu.state.set(STATE.gdtInHost, 1);
      cpu.memory.u8.set(cpu.memory.bytes(GDT, GDT_BYTES), STATE.hostGdt);
    });
});

test('and from a table too short for them, or none', () => {
  for (const limit of [0, 7, 0x16, 0x17, 0x1f])
    compare(`limit ${limit}`, [0x8e, 0xe0], 0, (cpu) => {
      cpu.state.registers[0] = 0x10;
      cpu.state.set(STATE.gdtLimit, limit);
    });
});

const FLAGS = [
  ...[0, 2, 0x202, 0x246, 0xad7, 0x8d5, 0x3202, FLAG.DF, FLAG.TF, FLAG.AC, FLAG.NT],
  ...[FLAG.RF, FLAG.ID, FLAG.VIF, 0x3f_7fd5 & ~FLAG.VM & ~FLAG.TF],
];

test('IRET', () => {
  const selectors = [0, 8, 11, 0x10, 0x70, 0x73, 0x7b, 0x7c, 0xd9, 0xdb];
  for (const ring of [0, 1, 3])
    for (const code of selectors)
      for (const stack of [0x10, 0x7b, 0xe1])
        for (const [n, flags] of FLAGS.entries())
          compare(
            `${code.toString(16)} ${stack.toString(16)} ${flags.toString(16)} at ${ring}`,
            [0xcf],
            ring,
            (cpu) => {
              const { state, memory } = cpu;
              state.registers[4] = STACK;
              for (const [i, word] of [0x1234, code, flags, 0x5678, stack].entries())
                memory.write32(STACK + 4 * i, word);
              state.eflags = [2, 0x202, 0x8d7, 2 | FLAG.NT][n % 4]!;
              if (n % 3 === 0) state.setSegment(FS, { selector: 0x10, base: 0, limit: 5, access: 0x9300 });
              if (n % 5 === 4) state.setSegment(DS, { ...state.segment(DS), access: 0xc0_f300 });
              if (n % 2)
                for (const i of [ES, DS, FS, GS]) state.setSegment(i, { ...state.segment(i), access: 0xc0_f300 });
            },
          );
});

test('SYSENTER and SYSEXIT', () => {
  for (const ring of [0, 3])
    for (const instruction of [0x34, 0x35])
      for (const selector of [0, 3, 0x8, 0x63, 0x1_0060])
        for (const flags of [2, 0x202, 0x246 | FLAG.RF, 2 | FLAG.NT, 2 | FLAG.AC])
          compare(`${instruction} ${selector} ${flags} at ${ring}`, [0x0f, instruction], ring, (cpu) => {
            const { state } = cpu;
            state.set(STATE.sysenterCs, selector);
            state.set(STATE.sysenterEsp, 0x3000);
            state.set(STATE.sysenterEip, 0x4000);
            state.registers[1] = 0x5000;
            state.registers[2] = 0x6000;
            state.eflags = flags;
            if (selector === 0x63) state.setSegment(ES, { ...state.segment(ES), limit: 9 });
          });
});
