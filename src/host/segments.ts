/*H:700
 * Segments.
 *
 * The guest's kernel believes that it runs at ring 0 and writes its descriptors accordingly, but it runs at ring 1.
 * So the Host keeps the global descriptor table where the guest cannot reach it, takes each entry by hypercall, and
 * turns privilege level 0 into 1 on the way. Four entries are the Host's own business (its segments, its task state
 * segments) and are dropped silently.
 */

import {
  type Descriptor,
  descriptorLevel,
  FLAT,
  isCode,
  isConformingCode,
  isNullSelector,
  isPresent,
  isReadable,
  isWritableData,
  segmentFromDescriptor,
} from '../cpu/descriptors.js';
import { GUEST_LEVEL, TLS_ENTRIES, TLS_ENTRY } from '../cpu/lguest-interface.js';
import type { Segment } from '../cpu/state.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { CS, DS, ES, FS, GS, SS, STATE } from '../memory/layout.js';
import type { GuestProcessor } from './guest-processor.js';
import { killForTrap, killGuest } from './kill.js';

export const GDT_ENTRIES = 32;

const KERNEL_CS_ENTRY = 12;
const KERNEL_DS_ENTRY = 13;
/** The selectors the kernel's code and data have at ring 1. */
export const KERNEL_CS = (KERNEL_CS_ENTRY << 3) | 1;
export const KERNEL_DS = (KERNEL_DS_ENTRY << 3) | 1;

const LEVEL_BITS = GUEST_LEVEL << 13;

/** The original's name for "the Host could not load the guest's own segments". */
const SEGMENT_TRAP = 256;

/** Two segments and two task state segments of the original's Host. */
function isIgnored(entry: number): boolean {
  return entry === 10 || entry === 11 || entry === 16 || entry === 31;
}

/** A segment, and the words of the descriptor that it was made from. */
interface KnownSegment {
  readonly low: number;
  readonly high: number;
  readonly segment: Segment;
}

export class Segments {
  private readonly cpu: GuestProcessor;
  private readonly memory: GuestMemory;
  /** What traps loaded last; from one to the next it hardly ever changes. */
  private lastCode: KnownSegment | undefined;
  private lastStack: KnownSegment | undefined;

  constructor(cpu: GuestProcessor, memory: GuestMemory) {
    this.cpu = cpu;
    this.memory = memory;
  }

  /** The state of segment registers and table at the first instruction (lguest-abi.md §2.4). */
  start(): void {
    const { state } = this.cpu;
    state.set(STATE.gdtInHost, 1);
    state.set(STATE.gdtLimit, GDT_ENTRIES * 8 - 1);
    for (let entry = 0; entry < GDT_ENTRIES; entry++) this.store(entry, 0, 0);
    this.store(KERNEL_CS_ENTRY, FLAT.low, FLAT.codeHigh | LEVEL_BITS);
    this.store(KERNEL_DS_ENTRY, FLAT.low, FLAT.dataHigh | LEVEL_BITS);
    state.setSegment(CS, segmentFromDescriptor(KERNEL_CS, this.descriptor(KERNEL_CS)));
    const data = segmentFromDescriptor(KERNEL_DS, this.descriptor(KERNEL_DS));
    for (const register of [DS, ES, SS]) state.setSegment(register, data);
    for (const register of [FS, GS]) state.setSegment(register, { selector: 0, base: 0, limit: 0, access: 0 });
    state.cpl = GUEST_LEVEL;
    this.cpu.segmentsChanged();
  }

  /** LOAD_GDT_ENTRY. */
  loadEntry(entry: number, low: number, high: number): void {
    if (entry >= GDT_ENTRIES) killGuest(`too many gdt entries ${entry}`);
    if (isIgnored(entry)) return;
    this.storeFixed(entry, low, high);
    this.refresh(entry, entry);
  }

  /** LOAD_TLS: three descriptors at `gpa`. */
  loadTls(gpa: number): void {
    this.storeTable(gpa, TLS_ENTRY, TLS_ENTRIES);
  }

  /** LOAD_GDT (up to 2.6.29): `entries` descriptors at `gpa`, from entry 0 on. */
  loadTable(gpa: number, entries: number): void {
    if (entries > GDT_ENTRIES) killGuest(`too many gdt entries ${entries}`);
    this.storeTable(gpa, 0, entries);
  }

  /** The kernel's code segment, as every trap and interrupt loads it. */
  kernelCode(): Segment {
    const descriptor = this.descriptor(KERNEL_CS);
    const { low, high } = descriptor;
    const known = this.lastCode;
    if (known?.low === low && known.high === high) return known.segment;
    const levelFits = isConformingCode(high)
      ? descriptorLevel(high) <= GUEST_LEVEL
      : descriptorLevel(high) === GUEST_LEVEL;
    if (!isCode(high) || !isPresent(high) || !levelFits) this.unloadable();
    const segment = segmentFromDescriptor(KERNEL_CS, descriptor);
    this.lastCode = { low, high, segment };
    return segment;
  }

  /** The ring-1 stack segment `selector` of SET_STACK, as a trap from ring 3 loads it. */
  kernelStack(selector: number): Segment {
    const descriptor = this.descriptor(selector);
    const { low, high } = descriptor;
    const known = this.lastStack;
    if (known?.low === low && known.high === high && known.segment.selector === selector) return known.segment;
    if (!isStackOf(high, GUEST_LEVEL)) this.unloadable();
    const segment = segmentFromDescriptor(selector, descriptor);
    this.lastStack = { low, high, segment };
    return segment;
  }

  /** Entry of `selector`; an empty one for selectors outside the table, as the LDT always is. */
  private descriptor(selector: number): Descriptor {
    const { state } = this.cpu;
    if (selector > 0xffff || (selector & 4) !== 0 || selector >>> 3 >= GDT_ENTRIES) {
      return { low: 0, high: 0, linear: -1 };
    }
    const at = STATE.hostGdt + (selector & 0xfff8);
    return { low: state.get(at), high: state.get(at + 4), linear: -1 };
  }

  private storeTable(gpa: number, first: number, entries: number): void {
    const { memory } = this;
    // A table that is not there kills before anything is stored.
    memory.bytes(gpa, entries * 8);
    for (let i = 0; i < entries; i++) {
      if (isIgnored(first + i)) continue;
      this.storeFixed(first + i, memory.read32(gpa + i * 8), memory.read32(gpa + i * 8 + 4));
    }
    this.refresh(first, first + entries - 1);
  }

  /** Level 0 becomes 1, even in an empty entry, and the accessed bit is on: the table may be read-only for hardware. */
  private storeFixed(entry: number, low: number, high: number): void {
    if ((high & 0x6000) === 0) high |= LEVEL_BITS;
    this.store(entry, low, high | 0x100);
  }

  private store(entry: number, low: number, high: number): void {
    this.cpu.state.set(STATE.hostGdt + entry * 8, low);
    this.cpu.state.set(STATE.hostGdt + entry * 8 + 4, high);
  }

  /**
   * Reloads segment registers that refer to entries `[first, last]`: the original's Host returns to the guest with
   * fresh loads of all of them. A data segment that became unusable is then empty; code and stack must stay usable.
   */
  private refresh(first: number, last: number): void {
    const { state } = this.cpu;
    let changed = false;
    for (const register of [ES, CS, SS, DS, FS, GS]) {
      const selector = state.selector(register);
      const entry = selector >>> 3;
      if (isNullSelector(selector) || (selector & 4) !== 0 || entry < first || entry > last) continue;
      const descriptor = this.descriptor(selector);
      let segment = segmentFromDescriptor(selector, descriptor);
      const { high } = descriptor;
      if (register === CS) {
        const level = descriptorLevel(high);
        const levelFits = isConformingCode(high) ? level <= state.cpl : level === state.cpl;
        if (!isCode(high) || !isPresent(high) || !levelFits) this.unloadable();
      } else if (register === SS) {
        if (!isStackOf(high, state.cpl)) this.unloadable();
      } else {
        const levelFits = isConformingCode(high) || descriptorLevel(high) >= Math.max(state.cpl, selector & 3);
        if (!isReadable(high) || !isPresent(high) || !levelFits) segment = { selector, base: 0, limit: 0, access: 0 };
      }
      state.setSegment(register, segment);
      changed = true;
    }
    if (changed) this.cpu.segmentsChanged();
  }

  private unloadable(): never {
    return killForTrap(SEGMENT_TRAP, this.cpu.state.eip, 0);
  }
}

/** Whether a descriptor's high word is a stack for ring `level`. */
function isStackOf(high: number, level: number): boolean {
  return isWritableData(high) && isPresent(high) && descriptorLevel(high) === level;
}
/*:*/
