import { LDTR, STATE } from '../memory/layout.js';
import type { CpuContext } from './context.js';
import { GP, GuestFault } from './faults.js';
import type { Segment } from './state.js';

/**
 * Segment descriptors: where they are and what their bits say (SDM vol. 3, 3.4.5 and 3.5).
 *
 * High word: base 31–24 (bits 24–31), G 23, D/B 22, limit 19–16 (bits 16–19), P 15, DPL 13–14, S 12, type 8–11,
 * base 23–16 (bits 0–7). Low word: base 15–0 (bits 16–31), limit 15–0. Tests on the high word work equally on
 * the `access` of a loaded segment.
 */
export interface Descriptor {
  readonly low: number;
  readonly high: number;
  /** Linear address of the descriptor, or −1 for one of `STATE.hostGdt`. */
  readonly linear: number;
}

/** Bits of the high word and of `Segment.access`. */
export const DESCRIPTOR = {
  accessed: 1 << 8,
  /** Code: readable; data: writable. */
  readableOrWritable: 1 << 9,
  /** Code: conforming; data: expand-down. */
  conformingOrDown: 1 << 10,
  code: 1 << 11,
  /** Code or data, not system. */
  ordinary: 1 << 12,
  present: 1 << 15,
  /** D (code) or B (stack, expand-down): 32 bits. */
  big: 1 << 22,
  granular: 1 << 23,
  /** What `Segment.access` keeps. */
  accessMask: 0x00f0_ff00,
} as const;

/** Types of system descriptors (SDM vol. 3, table 3-2). */
export const SYSTEM_TYPE = {
  tss16: 1,
  ldt: 2,
  tss16Busy: 3,
  callGate16: 4,
  taskGate: 5,
  interruptGate16: 6,
  trapGate16: 7,
  tss32: 9,
  tss32Busy: 11,
  callGate32: 12,
  interruptGate32: 14,
  trapGate32: 15,
} as const;

/** Host GDT: 32 descriptors. */
export const HOST_GDT_BYTES = 32 * 8;

/** Flat segments of 32 bits at level 0, present and accessed. */
export const FLAT = {
  low: 0x0000_ffff,
  codeHigh: 0x00cf_9b00,
  dataHigh: 0x00cf_9300,
  /** `Segment.access` of those that are loaded without a descriptor: the limit is no part of it. */
  codeAccess: 0x00c0_9b00,
  dataAccess: 0x00c0_9300,
} as const;
/** All of a high word but AVL. */
export const NOT_AVAILABLE_BIT = ~0x10_0000;

/** A selector without its RPL: the form error codes have. */
export function selectorError(selector: number): number {
  return selector & 0xfffc;
}
export function isNullSelector(selector: number): boolean {
  return (selector & 0xfffc) === 0;
}
export function isPresent(high: number): boolean {
  return (high & DESCRIPTOR.present) !== 0;
}
export function isOrdinary(high: number): boolean {
  return (high & DESCRIPTOR.ordinary) !== 0;
}
export function isCode(high: number): boolean {
  return (high & 0x1800) === 0x1800;
}
export function isData(high: number): boolean {
  return (high & 0x1800) === 0x1000;
}
export function isConformingCode(high: number): boolean {
  return (high & 0x1c00) === 0x1c00;
}
/** Data may always be read, code only with its R bit. */
export function isReadable(high: number): boolean {
  return isData(high) || (high & 0x1a00) === 0x1a00;
}
export function isWritableData(high: number): boolean {
  return (high & 0x1a00) === 0x1200;
}
export function descriptorLevel(high: number): number {
  return (high >>> 13) & 3;
}
/** Type of a system descriptor, one of `SYSTEM_TYPE`; −1 for code and data. */
export function systemType(high: number): number {
  return isOrdinary(high) ? -1 : (high >>> 8) & 15;
}

/** Unsigned. */
export function descriptorBase(descriptor: Descriptor): number {
  return ((descriptor.high & 0xff00_0000) | ((descriptor.high & 0xff) << 16) | (descriptor.low >>> 16)) >>> 0;
}
/** Highest offset in bytes, scaled by G; unsigned. */
export function descriptorLimit(descriptor: Descriptor): number {
  const limit = (descriptor.high & 0xf_0000) | (descriptor.low & 0xffff);
  return descriptor.high & DESCRIPTOR.granular ? ((limit << 12) | 0xfff) >>> 0 : limit;
}

/** The register that results from loading `descriptor`; code and data come out accessed. */
export function segmentFromDescriptor(selector: number, descriptor: Descriptor): Segment {
  const accessed = isOrdinary(descriptor.high) ? DESCRIPTOR.accessed : 0;
  return {
    selector,
    base: descriptorBase(descriptor),
    limit: descriptorLimit(descriptor),
    access: (descriptor.high & DESCRIPTOR.accessMask) | accessed,
  };
}

/** The descriptor `selector` names, or undefined beyond the table's limit. Null is not special here. May #PF. */
export function findDescriptor(cpu: CpuContext, selector: number): Descriptor | undefined {
  const { state } = cpu;
  const offset = selector & 0xfff8;
  let base: number;
  let limit: number;
  if (selector & 4) {
    const ldt = state.segment(LDTR);
    if (ldt.access === 0) return undefined;
    base = ldt.base;
    limit = ldt.limit;
  } else if (state.get(STATE.gdtInHost) !== 0) {
    if (offset + 8 > HOST_GDT_BYTES) return undefined;
    return { low: state.get(STATE.hostGdt + offset), high: state.get(STATE.hostGdt + offset + 4), linear: -1 };
  } else {
    base = state.get(STATE.gdtBase);
    limit = state.get(STATE.gdtLimit);
  }
  if (offset + 7 > limit) return undefined;
  const linear = (base + offset) >>> 0;
  const low = cpu.access.read32(linear, true);
  return { low, high: cpu.access.read32((linear + 4) >>> 0, true), linear };
}

/** As `findDescriptor`, but what is not in the table raises `vector` with the selector; `ext` is the EXT bit. */
export function readDescriptor(cpu: CpuContext, selector: number, vector = GP, ext = 0): Descriptor {
  const descriptor = findDescriptor(cpu, selector);
  if (descriptor === undefined) throw new GuestFault(vector, selectorError(selector) | ext);
  return descriptor;
}

/** Sets the accessed bit of a code or data descriptor in its table if it is clear. May #PF. */
export function markAccessed(cpu: CpuContext, descriptor: Descriptor): void {
  if (descriptor.linear < 0 || !isOrdinary(descriptor.high) || descriptor.high & DESCRIPTOR.accessed) return;
  cpu.access.write8((descriptor.linear + 5) >>> 0, ((descriptor.high >>> 8) & 0xff) | 1, true);
}

/** Sets or clears the busy bit (type bit 1) of the TSS descriptor in its table. May #PF. */
export function markTaskBusy(cpu: CpuContext, selector: number, busy: boolean): void {
  const descriptor = readDescriptor(cpu, selector);
  if (descriptor.linear < 0) return;
  const rights = (descriptor.high >>> 8) & 0xff;
  cpu.access.write8((descriptor.linear + 5) >>> 0, busy ? rights | 2 : rights & ~2, true);
}

/** Types of the 32-bit gates to handlers. */
export const INTERRUPT_GATE = 0xe;
export const TRAP_GATE = 0xf;
