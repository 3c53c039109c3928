/** Runs the oracle's questions on our processor. */

import type { Board, Walk } from '../../src/cpu/board.js';
import { ACCESS_FETCH, ACCESS_USER, ACCESS_WRITE } from '../../src/cpu/board.js';
import { EXIT, Processor } from '../../src/cpu/processor.js';
import { GuestMemory } from '../../src/memory/guest-memory.js';
import { LDTR, RAM_BASE, STATE } from '../../src/memory/layout.js';
import {
  type Answer,
  CODE_HIGH,
  CODE_LOW,
  createBaseline,
  DATA_HIGH,
  DATA_LOW,
  GDT,
  GDT_LIMIT,
  indexOf,
  LDT,
  MODES,
  PAGE,
  type Question,
  READ_ONLY,
  type TestSegment,
  type UnitAnswer,
  type UnitState,
  WINDOW,
} from './layout.js';

/** Guest-physical homes of the linear pages. */
const GPA_CODE_LOW = 0;
const GPA_CODE_HIGH = PAGE;
const GPA_DATA = 2 * PAGE;
const GPA_GDT = 8 * PAGE;
const GPA_LDT = 9 * PAGE;
/** Descriptor tables lie where ring 3 cannot look. */
const LINEAR_GDT = 0xc000_0000;
const LINEAR_LDT = LINEAR_GDT + PAGE;
const MEMORY_BYTES = 0x1_0000;
const PAGES: ReadonlyMap<number, number> = new Map([
  [CODE_LOW, GPA_CODE_LOW],
  [CODE_HIGH, GPA_CODE_HIGH],
  [DATA_LOW, GPA_DATA],
  [DATA_LOW + PAGE, GPA_DATA + PAGE],
  [DATA_HIGH, GPA_DATA + WINDOW],
  [DATA_HIGH + PAGE, GPA_DATA + WINDOW + PAGE],
  [READ_ONLY, GPA_DATA + 2 * WINDOW],
  [LINEAR_GDT, GPA_GDT],
  [LINEAR_LDT, GPA_LDT],
]);
/** Budget of a test: enough for its one instruction, many turns of a repeated one and the INT3 behind it. */
const BUDGET = 64;

/** Descriptor bit G. */
const GRANULAR = 0x80_0000;

class OracleBoard implements Board {
  private readonly result: Walk = {
    fault: -1,
    pageGpa: 0,
    userWritable: true,
    supervisorWritable: true,
    userReadable: true,
    executable: true,
    global: false,
  };
  walk(linear: number, access: number): Walk {
    const page = (linear & ~0xfff) >>> 0;
    const gpa = PAGES.get(page);
    const { result } = this;
    const writable = page !== READ_ONLY;
    const executable = page === CODE_LOW || page === CODE_HIGH;
    result.pageGpa = gpa ?? 0;
    const forUser = page < LINEAR_GDT;
    result.userWritable = writable && forUser;
    result.userReadable = forUser;
    result.supervisorWritable = writable;
    result.executable = executable;
    const allowed = (access & ACCESS_WRITE ? writable : true) && (access & ACCESS_FETCH ? executable : true);
    if (gpa === undefined || (!forUser && access & ACCESS_USER)) result.fault = access | ACCESS_USER;
    else result.fault = allowed ? -1 : access | ACCESS_USER | 1;
    return result;
  }
  portRead(): number {
    return -1;
  }
  portWrite(): void {}
  mmioRead(): number {
    return -1;
  }
  mmioWrite(): void {}
  readTimestamp(): readonly [number, number] {
    return [0, 0];
  }
  readMsr(): undefined {
    return undefined;
  }
  writeMsr(): boolean {
    return false;
  }
  controlRegisterWritten(): void {}
}

/** Our processor as an oracle. */
export class Replay {
  readonly cpu: Processor;
  private readonly memory: GuestMemory;
  /** The data windows as they are before a question patches them, and as the last answer left them. */
  private readonly baseline = createBaseline();
  private readonly expected: Uint8Array;
  private readonly data: Uint8Array;
  private mode = -1;
  private lastCode: Uint8Array = new Uint8Array(0);
  private lastCodeAddress = 0;

  constructor() {
    this.memory = new GuestMemory(MEMORY_BYTES);
    this.cpu = new Processor(this.memory, new OracleBoard());
    this.memory.u8.fill(0xcc, RAM_BASE, RAM_BASE + 2 * PAGE);
    this.data = this.memory.u8.subarray(RAM_BASE + GPA_DATA, RAM_BASE + GPA_DATA + 2 * WINDOW);
    this.memory.u8.set(this.baseline, RAM_BASE + GPA_DATA);
    this.expected = this.baseline.slice(0, 2 * WINDOW);
    const { state } = this.cpu;
    state.cpl = 3;
    // Protected mode with paging, write protection and alignment checks, as under Linux.
    state.set(STATE.cr0, 0x8005_0033);
    state.set(STATE.gdtBase, LINEAR_GDT);
    state.set(STATE.gdtLimit, GDT_LIMIT);
    for (const segment of GDT) this.writeDescriptor(GPA_GDT, segment);
    for (const segment of LDT) this.writeDescriptor(GPA_LDT, segment);
    state.setSegment(LDTR, { selector: 0x50, base: LINEAR_LDT, limit: LDT.length * 8 - 1, access: 0x8200 });
  }

  answer(question: Question): Answer {
    const { cpu } = this;
    const { state } = cpu;
    this.setSegments(question.mode);
    this.setCode(question);
    for (const patch of question.patches) {
      const at = indexOf(patch.address);
      this.data.set(patch.bytes, at);
      this.expected.set(patch.bytes, at);
    }
    state.registers.set(question.registers);
    state.eip = question.eip;
    state.eflags = question.eflags | 0x202;
    if (question.unit) this.setUnit(question.unit);
    let reason = cpu.run(BUDGET);
    for (let i = 0; reason === EXIT.budget && i < 64; i++) reason = cpu.run(BUDGET);
    const { exit } = cpu;
    const completed = reason === EXIT.trap && exit.vector === 3 && exit.kind === 'software';
    const answer: Answer = {
      vector: reason === EXIT.trap ? exit.vector : 255,
      errorCode: reason === EXIT.trap ? exit.errorCode : 0,
      cr2: reason === EXIT.trap && exit.vector === 14 ? exit.cr2 >>> 0 : 0,
      eip: completed ? exit.instructionEip : state.eip,
      eflags: state.eflags,
      registers: state.registers.slice(),
      selectors: Uint16Array.from({ length: 6 }, (_, i) => state.selector(i)),
      unit: question.unit ? this.unit() : undefined,
      ...this.takeChanges(),
    };
    for (const patch of question.patches) this.restore(indexOf(patch.address), patch.bytes.length);
    return answer;
  }

  private setSegments(mode: number): void {
    const { state } = this.cpu;
    const segments = MODES[mode]!;
    if (mode === this.mode && segments.every(({ selector }, i) => state.selector(i) === selector)) return;
    this.mode = mode;
    segments.forEach((segment, i) => {
      state.setSegment(i, segment);
    });
    this.cpu.segmentsChanged();
  }

  private writeDescriptor(table: number, { selector, base, limit, access }: TestSegment): void {
    const scaled = access & GRANULAR ? limit >>> 12 : limit;
    const high = (base & 0xff00_0000) | ((base >>> 16) & 0xff) | (scaled & 0xf_0000) | access;
    this.memory.write32(table + (selector & ~7), ((base << 16) | (scaled & 0xffff)) >>> 0);
    this.memory.write32(table + (selector & ~7) + 4, high >>> 0);
  }

  /** Puts the instruction in place unless it is there already: decoded code is kept for many operands. */
  private setCode(question: Question): void {
    const same = this.lastCodeAddress === question.codeAddress && Buffer.compare(this.lastCode, question.code) === 0;
    if (same) return;
    if (this.lastCode.length > 0) this.writeCode(this.lastCodeAddress, new Uint8Array(this.lastCode.length).fill(0xcc));
    this.writeCode(question.codeAddress, question.code);
    this.lastCode = question.code;
    this.lastCodeAddress = question.codeAddress;
  }

  private writeCode(linear: number, bytes: Uint8Array): void {
    const gpa = linear < CODE_HIGH ? GPA_CODE_LOW + linear - CODE_LOW : GPA_CODE_HIGH + linear - CODE_HIGH;
    this.memory.writeBytes(gpa, bytes);
  }

  private takeChanges(): { start: number; changed: Uint8Array } {
    const { data, expected } = this;
    if (Buffer.compare(data, expected) === 0) return { start: 0, changed: new Uint8Array(0) };
    let start = 0;
    while (data[start] === expected[start]) start++;
    let end = data.length;
    while (data[end - 1] === expected[end - 1]) end--;
    const changed = data.slice(start, end);
    this.restore(start, end - start);
    return { start, changed };
  }

  private restore(start: number, length: number): void {
    const original = this.baseline.subarray(start, start + length);
    this.data.set(original, start);
    this.expected.set(original, start);
  }

  private setUnit(unit: UnitState): void {
    const { state } = this.cpu;
    let tags = 0;
    for (let physical = 0; physical < 8; physical++) {
      if ((unit.tags & (1 << physical)) === 0) tags |= 3 << (2 * physical);
      const at = STATE.fpuRegisters + 16 * physical;
      this.memory.view.setBigUint64(at, unit.registers[physical]!, true);
      this.memory.view.setUint16(at + 8, 0x3fff, true);
    }
    state.set(STATE.fpuControl, 0x37f);
    state.set(STATE.fpuStatus, 0);
    state.set(STATE.fpuTop, unit.top);
    state.set(STATE.fpuTag, tags);
    this.cpu.fpuStateChanged();
  }

  private unit(): UnitAnswer {
    const { state } = this.cpu;
    const registers = new Uint8Array(80);
    let tags = 0;
    const tagWord = state.get(STATE.fpuTag);
    for (let physical = 0; physical < 8; physical++) {
      if (((tagWord >> (2 * physical)) & 3) !== 3) tags |= 1 << physical;
      const at = STATE.fpuRegisters + 16 * physical;
      registers.set(this.memory.u8.subarray(at, at + 10), 10 * physical);
    }
    return { top: state.get(STATE.fpuTop), tags, registers };
  }
}
