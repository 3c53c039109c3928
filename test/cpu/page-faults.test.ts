import assert from 'node:assert/strict';
import test from 'node:test';
import { PF } from '../../src/cpu/faults.js';
import { deliverInterrupt } from '../../src/cpu/interrupt-delivery.js';
import { Processor } from '../../src/cpu/processor.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { CS, DIRECT_TRAPS, DS, ES, FS, GS, SS, STATE, TR, TRAP_COUNTS } from '../../src/memory/layout.js';
import { PagedBoard } from './paged-board.js';

/**
 * Page faults that the processor delivers by itself, against those that the board delivers: a handler notes what it
 * sees, and mends the page.
 */

const PAGES = 64;
const [GDT, IDT, TSS, HANDLER, CODE, DIRECTORY, TABLE] = [0x1000, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000, 0x7000];
const STACK_TOP = 0xa000;
const NOTES = 0xb000;
const USER_STACK_TOP = 0x2_0000;
/** A page and the next are missing until the handler has been there. */
const MISSING = 0x3_0000;
/** May be read, not written. */
const READ_ONLY = 0x3_2000;

const word = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];

class FaultingBoard extends PagedBoard {
  readonly cpu: Processor;

  constructor(memory = new GuestMemory(PAGES * 4096)) {
    super(memory, DIRECTORY);
    this.cpu = new Processor(memory, this);
  }
  trap(): boolean {
    const { cpu } = this;
    const { vector, errorCode, kind, cr2 } = cpu.exit;
    if (vector === PF) cpu.state.set(STATE.cr2, cr2);
    cpu.memory.i32[(TRAP_COUNTS >> 2) + vector]! += 1;
    deliverInterrupt(cpu, vector, kind === 'software' ? undefined : errorCode, kind);
    return true;
  }
}

const directBoard = new FaultingBoard();
directBoard.cpu.memory.u32[DIRECT_TRAPS >> 2] = 1;
const plainBoard = new FaultingBoard();
plainBoard.cpu.enterHandler = () => false;

function run(code: readonly number[], ring: number, direct: boolean, budget: number, gate: number): unknown {
  const { cpu } = direct ? directBoard : plainBoard;
  const { memory, state } = cpu;
  memory.fill(0, PAGES * 4096, 0);
  memory.i32[(TRAP_COUNTS >> 2) + PF] = 0;
  cpu.reset();
  for (const [n, high] of [0, 0xcf_9b00, 0xcf_9300, 0xcf_fb00, 0xcf_f300].entries()) {
    memory.write32(GDT + 8 * n, n === 0 ? 0 : 0xffff);
    memory.write32(GDT + 8 * n + 4, high);
  }
  for (const vector of [PF, 0x80]) {
    memory.write32(IDT + 8 * vector, (8 << 16) | HANDLER);
    memory.write32(IDT + 8 * vector + 4, gate);
  }
  memory.write32(TSS + 4, STACK_TOP);
  memory.write32(TSS + 8, 0x10);
  memory.write32(DIRECTORY, TABLE | 7);
  for (let page = 0; page < PAGES; page++) {
    // The first block of the handler may be looked for though no instruction is left to run.
    const present = page === HANDLER >>> 12 ? 0x27 : 7;
    const missing = page >= MISSING >>> 12 && page < (MISSING >>> 12) + 2;
    memory.write32(TABLE + 4 * page, (page << 12) | (missing ? 6 : page === READ_ONLY >>> 12 ? 5 : present));
  }
  // push eax; mov eax, cr2; mov [NOTES], eax; shr eax, 12; or dword [eax*4 + TABLE], 3; mov eax, cr2; invlpg [eax]
  const mend = [0x50, 0x0f, 0x20, 0xd0, 0xa3, ...word(NOTES), 0xc1, 0xe8, 12, 0x83, 0x0c, 0x85, ...word(TABLE), 3];
  // inc dword [NOTES + 4]; pop eax; add esp, 4; iret
  const leave = [0xff, 0x05, ...word(NOTES + 4), 0x58, 0x83, 0xc4, 4, 0xcf];
  memory.writeBytes(HANDLER, Uint8Array.from([...mend, 0x0f, 0x20, 0xd0, 0x0f, 0x01, 0x38, ...leave]));
  memory.writeBytes(CODE, Uint8Array.from([...code, 0x90, 0x90, 0xeb, 0xfe]));
  const flat = (selector: number, access: number) => ({ selector, base: 0, limit: 0xffff_ffff, access });
  const user = ring === 3;
  for (const index of [ES, SS, DS, FS, GS])
    state.setSegment(index, user ? flat(0x23, 0xc0_f300) : flat(0x10, 0xc0_9300));
  state.setSegment(CS, user ? flat(0x1b, 0xc0_fb00) : flat(8, 0xc0_9b00));
  state.setSegment(TR, { base: TSS, limit: 0x67, selector: 0x28, access: 0x8b00 });
  state.set(STATE.cr0, 0x8001_0001);
  state.set(STATE.cr4, 0x600);
  state.set(STATE.gdtBase, GDT);
  state.set(STATE.gdtLimit, 39);
  state.set(STATE.idtBase, IDT);
  state.set(STATE.idtLimit, 0x7ff);
  state.cpl = ring;
  state.eip = CODE;
  state.eflags = 0xad7 & ~0x400;
  state.registers.set([1, 2, 3, MISSING, USER_STACK_TOP, MISSING + 0x1000, READ_ONLY, 8]);
  cpu.segmentsChanged();
  cpu.fpuStateChanged();
  cpu.flushTlb();
  for (const page of [GDT, IDT, TSS]) cpu.access.read8(page, true);
  cpu.access.write8(STACK_TOP - 4, 0, true);
  cpu.run(budget);
  const fields = [STATE.cr2, STATE.budget, STATE.shadowBudget].map((field) => state.get(field));
  return {
    fields,
    ...{ eip: state.eip, cpl: state.cpl, eflags: state.eflags, retired: state.retired, trappedAt: state.trappedAt },
    registers: [...state.registers],
    segments: [ES, CS, SS, DS, FS, GS].map((n) => state.segment(n)),
    xmm: [...memory.u8.subarray(STATE.xmm, STATE.xmm + 128)],
    faults: memory.i32[(TRAP_COUNTS >> 2) + PF],
    memory: Buffer.from(memory.bytes(0, PAGES * 4096)).toString('hex'),
  };
}

const ACCESSES: readonly (readonly [string, readonly number[]])[] = [
  ['mov al, [ebx]', [0x8a, 0x03]],
  ['mov ax, [ebx]', [0x66, 0x8b, 0x03]],
  ['mov eax, [ebx]', [0x8b, 0x03]],
  ['mov [ebx], al', [0x88, 0x03]],
  ['mov [ebx], ax', [0x66, 0x89, 0x03]],
  ['mov [ebx], eax behind other instructions', [0x40, 0x41, 0x89, 0x03, 0x42]],
  ['add [ebx], eax', [0x01, 0x03]],
  ['add byte [ebx], 5', [0x80, 0x03, 5]],
  ['add [esi], eax: read-only', [0x01, 0x06]],
  ['mov [ebp−2], eax: across pages, both missing', [0x89, 0x45, 0xfe]],
  ['push [ebx]', [0xff, 0x33]],
  ['mov esp, ebp; push eax', [0x89, 0xec, 0x50]],
  ['movdqu xmm0, [ebx]', [0xf3, 0x0f, 0x6f, 0x03]],
  ['movdqu [ebx], xmm0', [0xf3, 0x0f, 0x7f, 0x03]],
  ['movq [ebx], xmm0', [0x66, 0x0f, 0xd6, 0x03]],
  ['movdqu [ebp−8], xmm0', [0xf3, 0x0f, 0x7f, 0x45, 0xf8]],
  ['fld qword [ebx]', [0xdd, 0x03]],
  ['mov edi, ebx; rep stosd', [0x89, 0xdf, 0x89, 0xd9, 0xb9, 8, 0, 0, 0, 0xf3, 0xab]],
  ['xchg [ebx], eax', [0x87, 0x03]],
  ['cmpxchg [ebx], ecx', [0x0f, 0xb1, 0x0b]],
];

for (const ring of [0, 3])
  test(`page faults at ring ${ring}: the same, whoever delivers them`, () => {
    for (const gate of [0x8e00, 0x8f00])
      for (const [name, code] of ACCESSES)
        for (const budget of [1, 2, 3, 4, 8, 200])
          assert.deepEqual(
            run(code, ring, true, budget, gate),
            run(code, ring, false, budget, gate),
            `${name}, ${budget}`,
          );
  });

test('a handler that mends nothing is entered again and again, and each counts as an instruction', () => {
  // The handler's page table entry is that of a page that is there; this one has no table.
  const code = [0x8b, 0x05, ...word(0x4000_0000)];
  for (const budget of [1, 2, 30, 31, 32])
    assert.deepEqual(run(code, 3, true, budget, 0x8e00), run(code, 3, false, budget, 0x8e00));
});
