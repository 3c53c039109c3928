import { CS, DS, ES, GS, SEGMENT, SS, STATE, TR } from '../memory/layout.js';
import type { CpuContext } from './context.js';
import { descriptorLevel, isConformingCode, isNullSelector } from './descriptors.js';
import { CR0, type CpuState, ESP, FLAG } from './state.js';

/**
 * The usual way into a kernel and back, quickly: from ring 3 or 0 to ring 0 and back (and back from ring 1, where the
 * kernels of the lguest board are), through 32-bit gates, all segments flat, everything that is read and written in the TLB. Each function says whether that was the case; if not
 * it has changed nothing, and interrupt-delivery.ts, interrupt-return.ts and segmentation.ts, which know the whole of
 * the architecture, do it.
 */

/** Low word of a flat descriptor; high word with level 0, apart from AVL: present, accessed, G, D/B. */
const FLAT_LOW = 0x0000_ffff;
const FLAT_CODE = 0x00cf_9b00;
const FLAT_DATA = 0x00cf_9300;
const NOT_AVAILABLE_BIT = ~0x10_0000;

const INTERRUPT_GATE = 0x8e00;
const TRAP_GATE = 0x8f00;
const GATE_KIND = 0x9f00;

/** TSS of 32 bits, busy or not (types 9 and 11), present. */
const TASK_KIND = 0x9d00;
const TASK = 0x8900;

const IRET_FLAGS = 0x3f_7fd5 & ~(FLAG.VM | FLAG.RF);
/** Those that IRET changes at rings above 0, with IOPL 0. */
const OUTER_IRET_FLAGS = IRET_FLAGS & ~(FLAG.IF | FLAG.IOPL | FLAG.VIF | FLAG.VIP);

/** `Segment.access` of the flat segment that `selector` names, if its descriptor is `kind` at `level`; else 0. */
function flatAccess(cpu: CpuContext, selector: number, kind: number, level: number): number {
  const { state, access } = cpu;
  if (selector & 4 || isNullSelector(selector)) return 0;
  const offset = selector & 0xfff8;
  if (offset + 7 > state.get(STATE.gdtLimit)) return 0;
  const at =
    state.get(STATE.gdtInHost) !== 0
      ? STATE.hostGdt + offset
      : access.hostAddress((state.get(STATE.gdtBase) + offset) >>> 0, 8, false);
  if (at < 0) return 0;
  const { view } = cpu.memory;
  const low = view.getUint32(at, true);
  const high = view.getUint32(at + 4, true);
  return low === FLAT_LOW && (high & NOT_AVAILABLE_BIT) === (kind | (level << 13)) ? high & 0x00f0_ff00 : 0;
}

function isFlatStack(state: CpuState): boolean {
  const at = STATE.segments + SS * SEGMENT.stride;
  return (
    state.get(STATE.segmentFlat + 4 * SS) === 1 &&
    state.get(at + SEGMENT.base) === 0 &&
    (state.get(at + SEGMENT.access) & 0x40_0000) !== 0
  );
}

/** Protected mode without virtual-8086 mode. */
function isUsual(state: CpuState): boolean {
  return (state.get(STATE.cr0) & CR0.PE) !== 0 && (state.get(STATE.eflags) & FLAG.VM) === 0;
}

/** `errorCode` undefined: none. `fault`: RF is set in the frame. `software`: the gate's level counts. */
export function enterFlatHandler(
  cpu: CpuContext,
  vector: number,
  errorCode: number | undefined,
  fault: boolean,
  software: boolean,
): boolean {
  const { state, access } = cpu;
  const { view } = cpu.memory;
  const { cpl } = state;
  if (!isUsual(state) || (cpl !== 0 && cpl !== 3) || vector * 8 + 7 > state.get(STATE.idtLimit)) return false;
  const gate = access.hostAddress((state.get(STATE.idtBase) + vector * 8) >>> 0, 8, false);
  if (gate < 0) return false;
  const low = view.getUint32(gate, true);
  const high = view.getUint32(gate + 4, true);
  const kind = high & GATE_KIND;
  if (kind !== INTERRUPT_GATE && kind !== TRAP_GATE) return false;
  if (software && descriptorLevel(high) < cpl) return false;
  const selector = low >>> 16;
  const code = flatAccess(cpu, selector, FLAT_CODE, 0);
  if (code === 0) return false;

  const inward = cpl !== 0;
  let pointer = state.registers[ESP]!;
  let stackSelector = 0;
  let stack = 0;
  if (inward) {
    const task = STATE.segments + TR * SEGMENT.stride;
    if ((state.get(task + SEGMENT.access) & TASK_KIND) !== TASK || state.get(task + SEGMENT.limit) < 9) return false;
    const at = access.hostAddress((state.get(task + SEGMENT.base) + 4) >>> 0, 6, false);
    if (at < 0) return false;
    pointer = view.getUint32(at, true);
    stackSelector = view.getUint16(at + 4, true);
    if (stackSelector & 3) return false;
    stack = flatAccess(cpu, stackSelector, FLAT_DATA, 0);
    if (stack === 0) return false;
  } else if (!isFlatStack(state)) return false;
  const bytes = (inward ? 20 : 12) + (errorCode === undefined ? 0 : 4);
  const bottom = (pointer - bytes) >>> 0;
  let at = access.hostAddress(bottom, bytes, true);
  if (at < 0) return false;

  if (errorCode !== undefined) {
    view.setUint32(at, errorCode, true);
    at += 4;
  }
  const { eflags } = state;
  view.setUint32(at, state.eip, true);
  view.setUint32(at + 4, state.selector(CS), true);
  view.setUint32(at + 8, fault ? eflags | FLAG.RF : eflags, true);
  if (inward) {
    view.setUint32(at + 12, state.registers[ESP]!, true);
    view.setUint32(at + 16, state.selector(SS), true);
    state.setFlatSegment(SS, stackSelector, stack);
  }
  state.registers[ESP] = bottom;
  const cleared = FLAG.TF | FLAG.NT | FLAG.RF | (kind === INTERRUPT_GATE ? FLAG.IF : 0);
  state.set(STATE.eflags, state.get(STATE.eflags) & ~cleared);
  state.setFlatSegment(CS, selector & ~3, code);
  state.eip = ((high & 0xffff_0000) | (low & 0xffff)) >>> 0;
  if (inward) state.cpl = 0;
  cpu.segmentsChanged();
  return true;
}

/** IRET of 32 bits from a kernel's ring, 0 or (on the lguest board) 1. Afterwards the caller looks at interrupts. */
export function returnFlat(cpu: CpuContext): boolean {
  const { state, access } = cpu;
  const { view } = cpu.memory;
  const { cpl } = state;
  const before = state.get(STATE.eflags);
  if (cpl > 1 || !isUsual(state) || before & FLAG.NT || !isFlatStack(state)) return false;
  if (cpl > 0 && before & FLAG.IOPL) return false;
  const pointer = state.registers[ESP]!;
  const at = access.hostAddress(pointer, 12, false);
  if (at < 0) return false;
  const selector = view.getUint16(at + 4, true);
  const flags = view.getUint32(at + 8, true);
  const level = selector & 3;
  if (flags & FLAG.VM || (level !== cpl && level !== 3)) return false;
  const code = flatAccess(cpu, selector, FLAT_CODE, level);
  if (code === 0) return false;
  const eip = view.getUint32(at, true);
  if (level === cpl) state.registers[ESP] = pointer + 12;
  else {
    const outer = access.hostAddress((pointer + 12) >>> 0, 8, false);
    if (outer < 0) return false;
    const stackSelector = view.getUint16(outer + 4, true);
    if ((stackSelector & 3) !== 3) return false;
    const stack = flatAccess(cpu, stackSelector, FLAT_DATA, 3);
    if (stack === 0) return false;
    state.registers[ESP] = view.getUint32(outer, true);
    state.setFlatSegment(SS, stackSelector, stack);
    state.cpl = 3;
    for (let index = ES; index <= GS; index++) if (index !== CS && index !== SS) dropPrivileged(state, index);
  }
  state.setFlatSegment(CS, selector, code);
  state.eip = eip;
  const changeable = cpl === 0 ? IRET_FLAGS : OUTER_IRET_FLAGS;
  state.eflags = (before & ~changeable & ~FLAG.RF) | (flags & changeable);
  cpu.segmentsChanged();
  return true;
}

/** See `dropPrivilegedSegments`, for level 3. */
function dropPrivileged(state: CpuState, index: number): void {
  const access = state.get(STATE.segments + index * SEGMENT.stride + SEGMENT.access);
  if (access !== 0 && !isConformingCode(access) && descriptorLevel(access) < 3) {
    state.setSegment(index, { selector: 0, base: 0, limit: 0, access: 0 });
  }
}

/** Loads ES, DS, FS or GS with a flat data segment of level 3, which every level may do. */
export function loadFlatSegment(cpu: CpuContext, index: number, selector: number): boolean {
  const { state } = cpu;
  if (index === SS || !isUsual(state)) return false;
  const access = flatAccess(cpu, selector, FLAT_DATA, 3);
  if (access === 0) return false;
  state.setFlatSegment(index, selector, access);
  if (index === DS || index === ES) cpu.segmentsChanged();
  return true;
}
