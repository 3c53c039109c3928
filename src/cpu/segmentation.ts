import { CS, FS, GS, SS, STATE } from '../memory/layout.js';
import type { CpuContext, Helper } from './context.js';
import {
  DESCRIPTOR,
  descriptorLevel,
  isConformingCode,
  isData,
  isNullSelector,
  isPresent,
  isReadable,
  isWritableData,
  markAccessed,
  readDescriptor,
  segmentFromDescriptor,
  selectorError,
} from './descriptors.js';
import { GP, GuestFault, NP, SS_FAULT } from './faults.js';
import { CR0, FLAG, type Segment } from './state.js';

/** Loading of segment registers and checks of what lies behind them (SDM vol. 2 MOV, vol. 3 chapter 5). */

/** Access of every segment in virtual-8086 mode: present, DPL 3, writable accessed data. */
const VIRTUAL_8086_ACCESS = 0xf300;

/** Protected mode proper: neither real-address nor virtual-8086 mode. */
export function inProtectedMode(cpu: CpuContext): boolean {
  return (cpu.state.get(STATE.cr0) & CR0.PE) !== 0 && !inVirtual8086(cpu);
}
export function inVirtual8086(cpu: CpuContext): boolean {
  return (cpu.state.get(STATE.eflags) & FLAG.VM) !== 0;
}

/** A segment of virtual-8086 mode: 64 KiB at selector × 16. */
export function virtual8086Segment(selector: number): Segment {
  return { selector, base: selector << 4, limit: 0xffff, access: VIRTUAL_8086_ACCESS };
}

/** The segment a load of `selector` gives where there are no descriptors; real mode keeps limit and access. */
export function flatModeSegment(cpu: CpuContext, index: number, selector: number): Segment {
  if (inVirtual8086(cpu)) return virtual8086Segment(selector);
  return { ...cpu.state.segment(index), selector, base: selector << 4 };
}

/** What a null selector loads: nothing may be accessed through it. */
export function nullSegment(selector = 0): Segment {
  return { selector, base: 0, limit: 0, access: 0 };
}

/**
 * Checks a stack segment for privilege `level` and marks it accessed. Wrong ones raise `vector` with the
 * selector, absent ones #SS (SDM vol. 2 MOV, IRET; vol. 3, 6.12.1.2). A null selector is the caller's case.
 */
export function checkStackSegment(cpu: CpuContext, selector: number, level: number, vector = GP, ext = 0): Segment {
  const code = selectorError(selector) | ext;
  const descriptor = readDescriptor(cpu, selector, vector, ext);
  const { high } = descriptor;
  if ((selector & 3) !== level || !isWritableData(high) || descriptorLevel(high) !== level) {
    throw new GuestFault(vector, code);
  }
  if (!isPresent(high)) throw new GuestFault(SS_FAULT, code);
  markAccessed(cpu, descriptor);
  return segmentFromDescriptor(selector, descriptor);
}

/** Checks a segment for DS, ES, FS or GS at privilege `level` and marks it accessed; null is allowed. */
export function checkDataSegment(cpu: CpuContext, selector: number, level: number, vector = GP, ext = 0): Segment {
  if (isNullSelector(selector)) return nullSegment(selector);
  const code = selectorError(selector) | ext;
  const descriptor = readDescriptor(cpu, selector, vector, ext);
  const { high } = descriptor;
  if (!isReadable(high)) throw new GuestFault(vector, code);
  if (!isConformingCode(high) && descriptorLevel(high) < Math.max(level, selector & 3)) {
    throw new GuestFault(vector, code);
  }
  if (!isPresent(high)) throw new GuestFault(NP, code);
  markAccessed(cpu, descriptor);
  return segmentFromDescriptor(selector, descriptor);
}

/** MOV/POP/LxS to ES, SS, DS, FS or GS in any mode. */
export function loadSegment(cpu: CpuContext, index: number, selector: number): void {
  selector &= 0xffff;
  const { state } = cpu;
  let segment: Segment;
  if (!inProtectedMode(cpu)) segment = flatModeSegment(cpu, index, selector);
  else if (index !== SS) segment = checkDataSegment(cpu, selector, state.cpl);
  else if (isNullSelector(selector)) throw new GuestFault(GP, 0);
  else segment = checkStackSegment(cpu, selector, state.cpl);
  state.setSegment(index, segment);
  if (index === SS) cpu.stackSegmentLoaded();
  if (index !== FS && index !== GS) cpu.segmentsChanged();
}

/** Whether all of `[offset, offset+size)` is inside the segment (SDM vol. 3, 5.3). Offset unsigned. */
export function isInsideSegment(segment: Segment, offset: number, size: number): boolean {
  const last = offset + size - 1;
  const expandDown = isData(segment.access) && (segment.access & DESCRIPTOR.conformingOrDown) !== 0;
  if (!expandDown) return last <= segment.limit;
  return offset > segment.limit && last <= (segment.access & DESCRIPTOR.big ? 0xffff_ffff : 0xffff);
}

/** Linear address of `offset` in segment register `index`; #GP(0) or #SS(0) if it may not be accessed so. */
export function checkSegmentAccess(
  cpu: CpuContext,
  index: number,
  offset: number,
  size: number,
  write: boolean,
): number {
  offset >>>= 0;
  const segment = cpu.state.segment(index);
  const typeMatters = (cpu.state.get(STATE.cr0) & CR0.PE) !== 0;
  const allowed = write ? isWritableData(segment.access) : isReadable(segment.access);
  if ((typeMatters && !allowed) || !isInsideSegment(segment, offset, size)) {
    throw new GuestFault(index === SS ? SS_FAULT : GP, 0);
  }
  return (segment.base + offset) >>> 0;
}

/** Takes away what a less privileged level must not keep: after a return outward (SDM vol. 2 RET, IRET). */
export function dropPrivilegedSegments(cpu: CpuContext, level: number, indices: readonly number[]): void {
  for (const index of indices) {
    const { access } = cpu.state.segment(index);
    if (access === 0 || isConformingCode(access)) continue;
    if (descriptorLevel(access) < level) cpu.state.setSegment(index, nullSegment());
  }
}

/** EIP must be inside the code segment it is about to point into. */
export function checkEip(segment: Segment, eip: number, ext = 0): void {
  if (eip > segment.limit) throw new GuestFault(GP, ext);
}

/** Makes `segment:eip` the place of execution at privilege `level`. */
export function setCodeSegment(cpu: CpuContext, segment: Segment, eip: number, level: number): void {
  const { state } = cpu;
  state.setSegment(CS, segment);
  state.eip = eip;
  if (state.cpl !== level) state.cpl = level;
  cpu.segmentsChanged();
}

export const segmentHelpers = {
  /** (segment register, selector) */
  loadSegment,
  /** (segment register, offset, bytes + 0x100 for a write) → linear address */
  checkSegment: (cpu, index, offset, kind) =>
    checkSegmentAccess(cpu, index, offset, kind & ~0x100, (kind & 0x100) !== 0),
} as const satisfies Record<string, Helper>;
