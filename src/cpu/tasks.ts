import { CS, LDTR, SS, STATE, TR } from '../memory/layout.js';
import type { CpuContext } from './context.js';
import {
  type Descriptor,
  descriptorLevel,
  isCode,
  isConformingCode,
  isNullSelector,
  isPresent,
  markAccessed,
  markTaskBusy,
  readDescriptor,
  SYSTEM_TYPE,
  segmentFromDescriptor,
  selectorError,
  systemType,
} from './descriptors.js';
import { DB, GP, GuestFault, NP, TS } from './faults.js';
import { tablesAreInHost } from './inner-stack.js';
import { readLdt } from './segment-queries.js';
import { checkDataSegment, checkEip, checkStackSegment, nullSegment, virtual8086Segment } from './segmentation.js';
import { CR0, FLAG, type Segment } from './state.js';

/**
 * Task switches by hardware (SDM vol. 3, chapter 7): JMP or CALL to a TSS or task gate, a task gate in the IDT
 * (Linux: double fault), IRET with NT.
 *
 * Invariant: everything that can fault in the old task is checked or probed before the first change. From the
 * commit on, faults belong to the new task: `cpu.instructionEip` is its EIP.
 */
export type TaskSwitchCause = 'jump' | 'call' | 'interrupt' | 'return';

/** Where a TSS keeps what (SDM vol. 3, figures 7-2 and 7-10); offsets in bytes. */
interface TaskLayout {
  readonly wordBytes: 2 | 4;
  /** The TSS descriptor's limit must be at least this. */
  readonly minimumLimit: number;
  /** −1: a 16-bit task has no CR3 of its own. */
  readonly cr3: number;
  readonly eip: number;
  readonly eflags: number;
  /** EAX ECX EDX EBX ESP EBP ESI EDI, a word each. */
  readonly registers: number;
  /** ES CS SS DS (FS GS), a word each. */
  readonly segments: number;
  readonly segmentCount: number;
  readonly ldt: number;
  /** Bit 0: raise #DB on entry. −1: not there. */
  readonly trap: number;
}
const TASK32: TaskLayout = {
  wordBytes: 4,
  minimumLimit: 0x67,
  cr3: 0x1c,
  eip: 0x20,
  eflags: 0x24,
  registers: 0x28,
  segments: 0x48,
  segmentCount: 6,
  ldt: 0x60,
  trap: 0x64,
};
const TASK16: TaskLayout = {
  wordBytes: 2,
  minimumLimit: 0x2b,
  cr3: -1,
  eip: 0x0e,
  eflags: 0x10,
  registers: 0x12,
  segments: 0x22,
  segmentCount: 4,
  ldt: 0x2a,
  trap: -1,
};
function layoutOf(access: number): TaskLayout {
  const type = systemType(access);
  return type === SYSTEM_TYPE.tss32 || type === SYSTEM_TYPE.tss32Busy ? TASK32 : TASK16;
}

/** CPU state as a TSS holds it. */
interface TaskImage {
  readonly cr3: number;
  readonly eip: number;
  readonly eflags: number;
  readonly registers: readonly number[];
  /** ES CS SS DS FS GS; FS and GS null in a 16-bit task. */
  readonly selectors: readonly number[];
  readonly ldt: number;
  readonly trap: boolean;
}

/** DR6.BT, and the bits of DR7 that are local to a task. */
const DR6_TASK = 1 << 15;
const DR7_LOCAL = 0x155;

/** Checks the TSS that is to be entered. Returning tasks are busy, and their faults are #TS. */
function readTaskDescriptor(cpu: CpuContext, selector: number, cause: TaskSwitchCause, ext: number): Descriptor {
  const vector = cause === 'return' ? TS : GP;
  const code = selectorError(selector) | ext;
  if (isNullSelector(selector) || selector & 4 || tablesAreInHost(cpu)) throw new GuestFault(vector, code);
  const descriptor = readDescriptor(cpu, selector, vector, ext);
  const type = systemType(descriptor.high);
  const busy = type === SYSTEM_TYPE.tss16Busy || type === SYSTEM_TYPE.tss32Busy;
  const available = type === SYSTEM_TYPE.tss16 || type === SYSTEM_TYPE.tss32;
  if (cause === 'return' ? !busy : !available) throw new GuestFault(vector, code);
  if (!isPresent(descriptor.high)) throw new GuestFault(NP, code);
  const task = segmentFromDescriptor(selector, descriptor);
  if (task.limit < layoutOf(task.access).minimumLimit) throw new GuestFault(TS, code);
  return descriptor;
}

function readImage(cpu: CpuContext, task: Segment): TaskImage {
  const layout = layoutOf(task.access);
  const read16 = (at: number): number => cpu.access.read16((task.base + at) >>> 0, true);
  const read32 = (at: number): number => cpu.access.read32((task.base + at) >>> 0, true);
  const word = layout.wordBytes === 4 ? read32 : read16;
  const words = (at: number, count: number, read: (at: number) => number): number[] =>
    Array.from({ length: count }, (_, n) => read(at + n * layout.wordBytes));
  const selectors = words(layout.segments, layout.segmentCount, read16);
  return {
    cr3: layout.cr3 < 0 ? cpu.state.get(STATE.cr3) : read32(layout.cr3),
    eip: word(layout.eip),
    eflags: word(layout.eflags),
    registers: words(layout.registers, 8, word),
    selectors: [...selectors, 0, 0].slice(0, 6),
    ldt: read16(layout.ldt),
    trap: layout.trap >= 0 && (read16(layout.trap) & 1) !== 0,
  };
}

/** Faults now if `saveImage` could not write. */
function probeImage(cpu: CpuContext, task: Segment): void {
  const layout = layoutOf(task.access);
  if (task.access === 0 || task.limit < layout.minimumLimit) throw new GuestFault(TS, selectorError(task.selector));
  const end = layout.segments + layout.segmentCount * layout.wordBytes;
  cpu.access.probeWrite((task.base + layout.eip) >>> 0, end - layout.eip, true);
}

/** Writes what changes while a task runs; CR3, LDT and inner stacks are left alone. */
function saveImage(cpu: CpuContext, task: Segment, eflags: number): void {
  const { state, access } = cpu;
  const layout = layoutOf(task.access);
  const write = (at: number, value: number): void => {
    if (layout.wordBytes === 4) access.write32((task.base + at) >>> 0, value, true);
    else access.write16((task.base + at) >>> 0, value & 0xffff, true);
  };
  write(layout.eip, state.eip);
  write(layout.eflags, eflags);
  for (let n = 0; n < 8; n++) write(layout.registers + n * layout.wordBytes, state.registers[n]!);
  for (let n = 0; n < layout.segmentCount; n++) {
    // Only the selector's half word is defined in a 32-bit TSS, too.
    access.write16((task.base + layout.segments + n * layout.wordBytes) >>> 0, state.selector(n), true);
  }
}

/**
 * Leaves the current task for the one whose TSS `selector` names. Returns the word size of the new task, which
 * an error code is pushed with. `ext`: EXT bit of error codes.
 */
export function switchTask(cpu: CpuContext, selector: number, cause: TaskSwitchCause, ext = 0): 2 | 4 {
  const { state, access } = cpu;
  const descriptor = readTaskDescriptor(cpu, selector, cause, ext);
  const nested = cause === 'call' || cause === 'interrupt';
  const oldTask = state.segment(TR);
  const newTask = segmentFromDescriptor(selector, descriptor);
  const image = readImage(cpu, newTask);
  probeImage(cpu, oldTask);
  if (nested) access.probeWrite(newTask.base, 2, true);
  access.probeWrite((descriptor.linear + 5) >>> 0, 1, true);
  if (!nested) markTaskBusy(cpu, oldTask.selector, false);

  const { eflags } = state;
  saveImage(cpu, oldTask, cause === 'return' ? eflags & ~FLAG.NT : eflags);
  if (nested) access.write16(newTask.base, oldTask.selector, true);
  if (cause !== 'return') markTaskBusy(cpu, selector, true);
  state.setSegment(TR, { ...newTask, access: newTask.access | 0x200 });
  enterImage(cpu, nested ? { ...image, eflags: image.eflags | FLAG.NT } : image);
  loadTaskSegments(cpu, image, ext);
  if (image.trap) {
    state.set(STATE.debug + 6 * 4, state.get(STATE.debug + 6 * 4) | DR6_TASK);
    throw new GuestFault(DB);
  }
  return layoutOf(newTask.access).wordBytes;
}

/** Loads all registers but the hidden parts of segments, which stay unusable until they are checked. */
function enterImage(cpu: CpuContext, image: TaskImage): void {
  const { state } = cpu;
  state.set(STATE.cr0, state.get(STATE.cr0) | CR0.TS);
  if (image.cr3 !== state.get(STATE.cr3)) {
    state.set(STATE.cr3, image.cr3);
    if (state.get(STATE.cr0) & CR0.PG) {
      cpu.addressSpaceChanged();
      cpu.board.controlRegisterWritten(3);
    }
  }
  state.set(STATE.debug + 7 * 4, state.get(STATE.debug + 7 * 4) & ~DR7_LOCAL);
  image.registers.forEach((value, n) => {
    state.registers[n] = value;
  });
  state.eflags = image.eflags;
  state.eip = image.eip;
  cpu.instructionEip = image.eip;
  const virtual8086 = (image.eflags & FLAG.VM) !== 0;
  state.cpl = virtual8086 ? 3 : image.selectors[CS]! & 3;
  image.selectors.forEach((selector, index) => {
    state.setSegment(index, virtual8086 ? virtual8086Segment(selector) : nullSegment(selector));
  });
  state.setSegment(LDTR, nullSegment(image.ldt));
  cpu.segmentsChanged();
  cpu.fpuStateChanged();
}

/** Checks and loads LDTR and segments of the new task, in its own context (SDM vol. 3, table 7-1). */
function loadTaskSegments(cpu: CpuContext, image: TaskImage, ext: number): void {
  const { state } = cpu;
  const { cpl } = state;
  if (!isNullSelector(image.ldt)) state.setSegment(LDTR, readLdt(cpu, image.ldt, TS, ext));
  if (image.eflags & FLAG.VM) {
    checkEip(state.segment(CS), image.eip, ext);
    return;
  }
  const code = readTaskCode(cpu, image.selectors[CS]!, ext);
  state.setSegment(CS, code);
  cpu.segmentsChanged();
  const stack = image.selectors[SS]!;
  if (isNullSelector(stack)) throw new GuestFault(TS, ext);
  state.setSegment(SS, checkStackSegment(cpu, stack, cpl, TS, ext));
  image.selectors.forEach((selector, index) => {
    if (index !== CS && index !== SS) state.setSegment(index, checkDataSegment(cpu, selector, cpl, TS, ext));
  });
  cpu.segmentsChanged();
  checkEip(code, image.eip, ext);
}

function readTaskCode(cpu: CpuContext, selector: number, ext: number): Segment {
  const error = selectorError(selector) | ext;
  if (isNullSelector(selector)) throw new GuestFault(TS, ext);
  const descriptor = readDescriptor(cpu, selector, TS, ext);
  const level = descriptorLevel(descriptor.high);
  const rpl = selector & 3;
  const allowed = isConformingCode(descriptor.high) ? level <= rpl : level === rpl;
  if (!isCode(descriptor.high) || !allowed) throw new GuestFault(TS, error);
  if (!isPresent(descriptor.high)) throw new GuestFault(NP, error);
  markAccessed(cpu, descriptor);
  return segmentFromDescriptor(selector, descriptor);
}

/** IRET with NT set: back to the task whose TSS is linked from the current one. */
export function returnToPreviousTask(cpu: CpuContext): void {
  const task = cpu.state.segment(TR);
  if (task.access === 0) throw new GuestFault(TS, selectorError(task.selector));
  switchTask(cpu, cpu.access.read16(task.base, true), 'return');
}
