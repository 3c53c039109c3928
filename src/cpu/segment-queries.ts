import { LDTR, TR } from '../memory/layout.js';
import type { CpuContext, Helper } from './context.js';
import {
  descriptorLevel,
  descriptorLimit,
  findDescriptor,
  isConformingCode,
  isNullSelector,
  isOrdinary,
  isPresent,
  isReadable,
  isWritableData,
  markTaskBusy,
  readDescriptor,
  SYSTEM_TYPE,
  segmentFromDescriptor,
  selectorError,
  systemType,
} from './descriptors.js';
import { GP, GuestFault, NP, UD } from './faults.js';
import { inProtectedMode, nullSegment } from './segmentation.js';
import { FLAG } from './state.js';

/** Instructions that ask about selectors, and LDTR and TR (SDM vol. 2 LAR, LSL, VERR, ARPL, LLDT, LTR). */

const { tss16, ldt, tss16Busy, callGate16, taskGate, tss32, tss32Busy, callGate32 } = SYSTEM_TYPE;
/** System types LAR and LSL accept (SDM vol. 2, tables 3-53 and 3-54). */
const LAR_TYPES: readonly number[] = [tss16, ldt, tss16Busy, callGate16, taskGate, tss32, tss32Busy, callGate32];
const LSL_TYPES: readonly number[] = [tss16, ldt, tss16Busy, tss32, tss32Busy];

/** LAR's result: type, S, DPL, P, limit 16–19 (documented as undefined, there in every processor), AVL, D, G. */
const LAR_MASK = 0x00ff_ff00;

function requireProtectedMode(cpu: CpuContext): void {
  if (!inProtectedMode(cpu)) throw new GuestFault(UD);
}
export function requireLevel0(cpu: CpuContext): void {
  if (cpu.state.cpl !== 0) throw new GuestFault(GP, 0);
}
function requireProtectedLevel0(cpu: CpuContext): void {
  requireProtectedMode(cpu);
  requireLevel0(cpu);
}
function setZero(cpu: CpuContext, zero: boolean): void {
  const { eflags } = cpu.state;
  cpu.state.eflags = zero ? eflags | FLAG.ZF : eflags & ~FLAG.ZF;
}

/** The descriptor, if the program may know of it: conforming code always, all else by CPL and RPL. */
function findVisibleDescriptor(cpu: CpuContext, selector: number) {
  if (isNullSelector(selector)) return undefined;
  const descriptor = findDescriptor(cpu, selector);
  if (descriptor === undefined || isConformingCode(descriptor.high)) return descriptor;
  return descriptorLevel(descriptor.high) < Math.max(cpu.state.cpl, selector & 3) ? undefined : descriptor;
}

/** Shared by LAR and LSL: `value` of the descriptor and ZF = 1, or `unchanged` and ZF = 0. */
function query(
  cpu: CpuContext,
  selector: number,
  unchanged: number,
  systemTypes: readonly number[],
  value: (descriptor: { low: number; high: number; linear: number }) => number,
): number {
  requireProtectedMode(cpu);
  const descriptor = findVisibleDescriptor(cpu, selector & 0xffff);
  const valid =
    descriptor !== undefined && (isOrdinary(descriptor.high) || systemTypes.includes(systemType(descriptor.high)));
  setZero(cpu, valid);
  return valid ? value(descriptor) | 0 : unchanged;
}

function verify(cpu: CpuContext, selector: number, test: (high: number) => boolean): void {
  requireProtectedMode(cpu);
  const descriptor = findVisibleDescriptor(cpu, selector & 0xffff);
  setZero(cpu, descriptor !== undefined && test(descriptor.high));
}

/** ARPL: raises the RPL of `target` to that of `source`; ZF tells whether it did. */
function adjustRpl(cpu: CpuContext, target: number, source: number): number {
  requireProtectedMode(cpu);
  const raise = (target & 3) < (source & 3);
  setZero(cpu, raise);
  return raise ? (target & ~3) | (source & 3) : target;
}

function loadLdt(cpu: CpuContext, selector: number): void {
  selector &= 0xffff;
  requireProtectedLevel0(cpu);
  if (isNullSelector(selector)) {
    cpu.state.setSegment(LDTR, nullSegment(selector));
    return;
  }
  cpu.state.setSegment(LDTR, readLdt(cpu, selector, GP));
}

/** Checks an LDT selector; also used by task switches, where errors are #TS. */
export function readLdt(cpu: CpuContext, selector: number, vector: number, ext = 0) {
  const code = selectorError(selector) | ext;
  if (selector & 4) throw new GuestFault(vector, code);
  const descriptor = readDescriptor(cpu, selector, vector, ext);
  if (systemType(descriptor.high) !== ldt) throw new GuestFault(vector, code);
  if (!isPresent(descriptor.high)) throw new GuestFault(vector === GP ? NP : vector, code);
  return segmentFromDescriptor(selector, descriptor);
}

function loadTask(cpu: CpuContext, selector: number): void {
  selector &= 0xffff;
  requireProtectedLevel0(cpu);
  if (isNullSelector(selector)) throw new GuestFault(GP, 0);
  const code = selectorError(selector);
  if (selector & 4) throw new GuestFault(GP, code);
  const descriptor = readDescriptor(cpu, selector);
  const type = systemType(descriptor.high);
  if (type !== tss16 && type !== tss32) throw new GuestFault(GP, code);
  if (!isPresent(descriptor.high)) throw new GuestFault(NP, code);
  markTaskBusy(cpu, selector, true);
  const segment = segmentFromDescriptor(selector, descriptor);
  segment.access |= 0x200;
  cpu.state.setSegment(TR, segment);
}

/** SLDT and STR are not privileged, but not there outside protected mode. */
function storeSelector(cpu: CpuContext, index: number): number {
  requireProtectedMode(cpu);
  return cpu.state.selector(index);
}

export const segmentQueryHelpers = {
  /** (selector, old destination) → new destination; sets ZF */
  lar: (cpu, selector, old) => query(cpu, selector, old, LAR_TYPES, (d) => d.high & LAR_MASK),
  /** (selector, old destination) → new destination; sets ZF */
  lsl: (cpu, selector, old) => query(cpu, selector, old, LSL_TYPES, descriptorLimit),
  /** (selector); sets ZF */
  verr: (cpu, selector) => verify(cpu, selector, isReadable),
  /** (selector); sets ZF */
  verw: (cpu, selector) => verify(cpu, selector, isWritableData),
  /** (target, source) → new target; sets ZF */
  arpl: adjustRpl,
  /** What instructions check before they look at their operands */
  requireLevel0,
  requireProtectedLevel0,
  /** (selector) */
  lldt: loadLdt,
  /** (selector) */
  ltr: loadTask,
  /** → selector of LDTR */
  sldt: (cpu) => storeSelector(cpu, LDTR),
  /** → selector of TR */
  str: (cpu) => storeSelector(cpu, TR),
} as const satisfies Record<string, Helper>;
