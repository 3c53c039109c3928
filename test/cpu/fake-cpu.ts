import assert from 'node:assert/strict';
import type { LinearAccess } from '../../src/cpu/access.js';
import type { Board } from '../../src/cpu/board.js';
import type { CpuContext } from '../../src/cpu/context.js';
import { LGUEST_MODEL } from '../../src/cpu/cpuid.js';
import type { Exit } from '../../src/cpu/exit.js';
import { GuestFault, PF } from '../../src/cpu/faults.js';
import { CR0, CpuState } from '../../src/cpu/state.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { CS, DS, ES, FS, GS, RAM_BASE, SS, STATE, TR } from '../../src/memory/layout.js';

/** Access bytes of descriptors: P, DPL, S, type. */
export const CODE = 0x9a;
export const DATA = 0x92;
export const TSS32 = 0x89;
export const TSS16 = 0x81;
export const LDT = 0x82;
export const CALL_GATE32 = 0x8c;
export const CALL_GATE16 = 0x84;
export const TASK_GATE = 0x85;
export const INTERRUPT_GATE32 = 0x8e;
export const TRAP_GATE32 = 0x8f;
export const INTERRUPT_GATE16 = 0x86;
export const level = (n: number): number => n << 5;

/** Where the fake machine keeps its tables (linear = physical). */
export const GDT = 0x1000;
export const IDT = 0x2000;
export const TASK = 0x3000;
export const STACK0 = 0x6000;
export const STACK3 = 0x8000;

/** Selectors of the fake machine's GDT. */
export const KERNEL_CODE = 0x08;
export const KERNEL_DATA = 0x10;
export const USER_CODE = 0x1b;
export const USER_DATA = 0x23;
export const TASK_SELECTOR = 0x28;
/** First free GDT selector for tests. */
export const FREE = 0x40;

/**
 * A processor for helpers without decoder and paging: 1 MiB of flat memory in which single pages can be made
 * unreadable or read-only. Starts at level 0 in protected mode with flat segments and a busy 32-bit TSS.
 */
export class FakeCpu implements CpuContext {
  readonly memory = new GuestMemory(0x10_0000);
  readonly state = new CpuState(this.memory);
  readonly exit: Exit = {
    reason: 0,
    vector: 0,
    errorCode: 0,
    kind: 'fault',
    cr2: 0,
    instructionEip: 0,
    instructionLength: 0,
  };
  readonly model = LGUEST_MODEL;
  instructionEip = 0x100;
  interruptShadow = false;
  interruptRequested = false;
  /** Names of the notifications received. */
  readonly calls: string[] = [];
  /** Page numbers that fault on any access, or on writes. */
  readonly absentPages = new Set<number>();
  readonly readOnlyPages = new Set<number>();
  /** Page numbers level 3 may not touch. */
  readonly supervisorPages = new Set<number>();
  readonly access: LinearAccess;
  readonly board: Board;

  constructor() {
    const { memory } = this;
    this.access = {
      hostAddress: () => -1,
      read8: (l, s) => memory.read8(this.check(l, 1, false, s)),
      read16: (l, s) => memory.read16(this.check(l, 2, false, s)),
      read32: (l, s) => memory.read32(this.check(l, 4, false, s)),
      write8: (l, v, s) => memory.write8(this.check(l, 1, true, s), v),
      write16: (l, v, s) => memory.write16(this.check(l, 2, true, s), v),
      write32: (l, v, s) => memory.write32(this.check(l, 4, true, s), v),
      probeWrite: (l, n, s) => void this.check(l, n, true, s),
      probeRead: (l, n, s) => void this.check(l, n, false, s),
    };
    const msrs = new Map<number, readonly [number, number]>([[0x1b, [0xfee0_0900, 0]]]);
    this.board = {
      walk: () => assert.fail('no paging here'),
      portRead: () => 0,
      portWrite: () => {},
      mmioRead: () => 0,
      mmioWrite: () => {},
      readTimestamp: () => [0x1234_5678, 9],
      readMsr: (index) => msrs.get(index),
      writeMsr: (index, low, high) => msrs.has(index) && msrs.set(index, [low, high]) !== undefined,
      controlRegisterWritten: (index) => void this.calls.push(`cr${index}`),
    };
    this.setUp();
  }

  stackSegmentLoaded(): void {
    this.interruptShadow = true;
  }
  segmentsChanged(): void {
    this.calls.push('segments');
  }
  pagingChanged(): void {
    this.calls.push('paging');
  }
  addressSpaceChanged(): void {
    this.calls.push('address space');
  }
  requestStop(): void {
    this.calls.push('stop');
  }
  flushTlb(): void {
    this.calls.push('flush');
  }
  flushTlbPage(linear: number): void {
    this.calls.push(`flush ${linear}`);
  }
  fpuStateChanged(): void {
    this.calls.push('fpu');
  }
  reportTrap(): void {
    this.calls.push('trap');
  }
  leave(reason: number): void {
    this.calls.push(`leave ${reason}`);
  }

  private check(linear: number, length: number, write: boolean, supervisor = false): number {
    linear >>>= 0;
    const user = !supervisor && this.state.cpl === 3;
    for (let page = linear >>> 12; page <= (linear + length - 1) >>> 12; page++) {
      const absent = this.absentPages.has(page) || page >= 0x100;
      const denied = (write && this.readOnlyPages.has(page)) || (user && this.supervisorPages.has(page));
      if (absent || denied) {
        const error = (absent ? 0 : 1) | (write ? 2 : 0) | (user ? 4 : 0);
        throw new GuestFault(PF, error, Math.max(linear, page << 12));
      }
    }
    return linear;
  }

  private setUp(): void {
    const { state } = this;
    state.set(STATE.cr0, CR0.PE | CR0.ET);
    state.set(STATE.gdtBase, GDT);
    state.set(STATE.gdtLimit, 0x3ff);
    state.set(STATE.idtBase, IDT);
    state.set(STATE.idtLimit, 0x7ff);
    this.describe(KERNEL_CODE, CODE);
    this.describe(KERNEL_DATA, DATA);
    this.describe(USER_CODE, CODE | level(3));
    this.describe(USER_DATA, DATA | level(3));
    this.describe(TASK_SELECTOR, TSS32 | 2, { base: TASK, limit: 0x67, flags: 0 });
    state.setSegment(TR, { selector: TASK_SELECTOR, base: TASK, limit: 0x67, access: 0x8b00 });
    this.memory.write32(TASK + 4, STACK0);
    this.memory.write32(TASK + 8, KERNEL_DATA);
    this.memory.write16(TASK + 0x66, 0x68); // no I/O map
    this.enterLevel(0);
  }

  /** Flat code, data and stack of level 0 or 3; EIP 0x105, ESP in that level's stack. */
  enterLevel(n: 0 | 3): void {
    const { state } = this;
    const code = n === 0 ? KERNEL_CODE : USER_CODE;
    const data = n === 0 ? KERNEL_DATA : USER_DATA;
    const access = (type: number): number => 0xc0_0000 | ((type | 1 | level(n)) << 8);
    state.setSegment(CS, { selector: code, base: 0, limit: 0xffff_ffff, access: access(CODE) });
    for (const index of [ES, SS, DS, FS, GS]) {
      state.setSegment(index, { selector: data, base: 0, limit: 0xffff_ffff, access: access(DATA) });
    }
    state.cpl = n;
    state.registers[4] = n === 0 ? STACK0 - 0x100 : STACK3;
    state.eip = 0x105;
    this.instructionEip = 0x100;
    this.exit.instructionEip = 0x100;
  }

  /** Virtual-8086 mode at CS:IP 0x200:0x105, stack 0x300:0x100. */
  enterVirtual8086(iopl: number): void {
    const { state } = this;
    [0x400, 0x200, 0x300, 0x500, 0x600, 0x700].forEach((selector, index) => {
      state.setSegment(index, { selector, base: selector << 4, limit: 0xffff, access: 0xf300 });
    });
    state.eflags = 0x2_0202 | (iopl << 12);
    state.cpl = 3;
    state.registers[4] = 0x100;
    state.eip = 0x105;
  }

  /** Writes a code, data, TSS or LDT descriptor; `flags`: G, D/B, L, AVL. Flat 4 GiB by default. */
  describe(selector: number, rights: number, at: { base?: number; limit?: number; flags?: number } = {}): void {
    const { base = 0, limit = 0xf_ffff, flags = 0xc } = at;
    const linear = GDT + (selector & 0xfff8);
    this.memory.write32(linear, (((base & 0xffff) << 16) | (limit & 0xffff)) >>> 0);
    const high = (base & 0xff00_0000) | (flags << 20) | (limit & 0xf_0000) | (rights << 8) | ((base >>> 16) & 0xff);
    this.memory.write32(linear + 4, high >>> 0);
  }

  /** Writes a gate at `linear`; `count` is the parameter count of call gates. */
  writeGate(linear: number, rights: number, selector: number, offset: number, count = 0): void {
    this.memory.write32(linear, ((selector << 16) | (offset & 0xffff)) >>> 0);
    this.memory.write32(linear + 4, ((offset & 0xffff_0000) | (rights << 8) | count) >>> 0);
  }
  describeGate(selector: number, rights: number, target: number, offset: number, count = 0): void {
    this.writeGate(GDT + (selector & 0xfff8), rights, target, offset, count);
  }
  describeInterrupt(vector: number, rights: number, target: number, offset: number): void {
    this.writeGate(IDT + vector * 8, rights, target, offset);
  }

  /** Rights byte of a descriptor as it is in memory. */
  rights(selector: number): number {
    return this.memory.read8(GDT + (selector & 0xfff8) + 5);
  }

  /** Pushes words onto the current flat stack, first value deepest. */
  push(...values: number[]): void {
    for (const value of values) {
      this.state.registers[4]! -= 4;
      this.memory.write32(this.state.segment(SS).base + this.state.registers[4]!, value >>> 0);
    }
  }
  /** The topmost words of the stack. */
  top(count: number): number[] {
    const at = this.state.segment(SS).base + this.state.registers[4]!;
    return Array.from({ length: count }, (_, n) => this.memory.read32(at + 4 * n));
  }

  /** State page and memory together: what must not change when an instruction faults. */
  picture(): Uint8Array {
    const used = this.memory.u8;
    const out = new Uint8Array(0x1000 + this.memory.size);
    out.set(used.subarray(0, 0x1000));
    out.set(used.subarray(RAM_BASE, RAM_BASE + this.memory.size), 0x1000);
    return out;
  }
}

/** `action` must raise this exception and leave no trace, apart from accessed bits of descriptors. */
export function assertFault(cpu: FakeCpu, vector: number, errorCode: number, action: () => unknown): void {
  const before = cpu.picture();
  assert.throws(action, (fault) => {
    assert.ok(fault instanceof GuestFault, String(fault));
    assert.deepEqual([fault.vector, fault.errorCode.toString(16)], [vector, errorCode.toString(16)]);
    return true;
  });
  const after = cpu.picture();
  for (let i = 0; i < before.length; i++) {
    if (before[i] === after[i]) continue;
    const inGdt = i >= 0x1000 + GDT && i < 0x1000 + GDT + 0x400 && (i & 7) === 5;
    assert.ok(inGdt && (before[i]! | 1) === after[i], `byte ${i.toString(16)} changed by a faulting instruction`);
  }
}
