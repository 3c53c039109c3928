/*H:210
 * The page both sides write to.
 *
 * Guest and Host share one structure in guest memory, `struct lguest_data`. The guest turns its interrupts off by
 * writing a word there, masks one by setting a bit, reads the time and the address of its last page fault from there,
 * and leaves batches of hypercalls in a ring inside it. Hence most "calls" of an lguest guest cost nothing: they are
 * plain stores, and the Host looks at the result when it has to decide something.
 *
 * The structure changed four times between 2.6.23 and 4.13. A layout is data: a record of offsets.
 */

import { RING_FREE, RING_SLOTS } from '../cpu/lguest-interface.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { HOST_CALLS, HOST_TRAPS, RAM_BASE } from '../memory/layout.js';

export type LayoutName = 'L0' | 'L1' | 'L2' | 'L3' | 'L4';

/** Offsets in bytes; −1 where a generation has no such field. */
export interface GuestDataLayout {
  readonly name: LayoutName;
  /** Bytes of the whole structure. */
  readonly size: number;
  /** Word that tells the guest to ask for interrupts: 0 or 0x200. */
  readonly irqPending: number;
  /** 64 status bytes of the hypercall ring: 0xff free, else ready. */
  readonly ringStatus: number;
  /** 64 ring entries of `ringEntryWords` words each. */
  readonly ringEntries: number;
  readonly ringEntryWords: 4 | 5;
  /** Bytes at the top of the address space that the guest must leave alone. */
  readonly reserveMemory: number;
  readonly tscKhz: number;
  /** Where the Host tells the guest its initial page directory. */
  readonly pageDirectory: number;
  /** First address where no interrupt may come, and the first behind it; L4: the one address, and −1. */
  readonly noInterruptStart: number;
  readonly noInterruptEnd: number;
  /** PAGE_OFFSET of the guest kernel. */
  readonly kernelAddress: number;
  readonly syscallVector: number;
}

/** Fields that never moved. */
export const IRQ_ENABLED = 0;
export const BLOCKED_INTERRUPTS = 4;
export const CR2 = 8;
export const TIME_SECONDS = 12;
export const TIME_NANOSECONDS = 16;

// lguest-abi.md, §3. 'none' is −1.
// biome-ignore format: table
export const LAYOUTS: Readonly<Record<LayoutName, GuestDataLayout>> = {
  L0: { name: 'L0', size: 1128, irqPending: -1, ringStatus: 20, ringEntries: 84, ringEntryWords: 4, reserveMemory: 1108, tscKhz: 1116, pageDirectory: -1,   noInterruptStart: 1120, noInterruptEnd: 1124, kernelAddress: -1,   syscallVector: -1 },
  L1: { name: 'L1', size: 1136, irqPending: -1, ringStatus: 20, ringEntries: 84, ringEntryWords: 4, reserveMemory: 1108, tscKhz: 1112, pageDirectory: 1116, noInterruptStart: 1120, noInterruptEnd: 1124, kernelAddress: 1128, syscallVector: 1132 },
  L2: { name: 'L2', size: 1396, irqPending: 20, ringStatus: 24, ringEntries: 88, ringEntryWords: 5, reserveMemory: 1368, tscKhz: 1372, pageDirectory: 1376, noInterruptStart: 1380, noInterruptEnd: 1384, kernelAddress: 1388, syscallVector: 1392 },
  L3: { name: 'L3', size: 1392, irqPending: 20, ringStatus: 24, ringEntries: 88, ringEntryWords: 5, reserveMemory: 1368, tscKhz: 1372, pageDirectory: -1,   noInterruptStart: 1376, noInterruptEnd: 1380, kernelAddress: 1384, syscallVector: 1388 },
  L4: { name: 'L4', size: 1388, irqPending: 20, ringStatus: 24, ringEntries: 88, ringEntryWords: 5, reserveMemory: 1368, tscKhz: 1372, pageDirectory: -1,   noInterruptStart: 1376, noInterruptEnd: -1,   kernelAddress: 1380, syscallVector: 1384 },
};

/**
 * The guest's `lguest_data`, once LGUEST_INIT has said where it is.
 * Invariant: after `attach`, all of `[gpa, gpa + layout.size)` is guest RAM, so no access here can fail.
 */
export class GuestData {
  private readonly memory: GuestMemory;
  /** Guest-physical address of the structure, −1 before LGUEST_INIT. */
  gpa = -1;
  layout: GuestDataLayout = LAYOUTS.L1;

  constructor(memory: GuestMemory) {
    this.memory = memory;
  }

  /** False until LGUEST_INIT. */
  get attached(): boolean {
    return this.gpa >= 0;
  }

  attach(gpa: number, layout: GuestDataLayout): void {
    this.gpa = gpa;
    this.layout = layout;
    this.tellProcessor();
  }

  /** As before LGUEST_INIT. */
  detach(): void {
    this.gpa = -1;
    this.tellProcessor();
  }

  private tellProcessor(): void {
    const { memory, gpa, layout } = this;
    const { u32 } = memory;
    const place = (offset: number): number => (gpa < 0 ? 0 : RAM_BASE + gpa + offset);
    u32[HOST_TRAPS.interruptFlag >> 2] = place(IRQ_ENABLED);
    u32[HOST_TRAPS.faultAddress >> 2] = place(CR2);
    u32[HOST_CALLS.ringStatus >> 2] = place(layout.ringStatus);
    u32[HOST_CALLS.ringEntries >> 2] = place(layout.ringEntries);
    u32[HOST_CALLS.ringEntryBytes >> 2] = 4 * layout.ringEntryWords;
  }

  read(offset: number): number {
    return this.memory.read32(this.gpa + offset);
  }

  /** Writes a field; offset −1 (a field this layout lacks) is ignored. */
  write(offset: number, value: number): void {
    if (offset >= 0) this.memory.write32(this.gpa + offset, value);
  }

  /** Bit 9 of the virtual flags word alone decides: `lguest_iret` stores whole EFLAGS images here (§5.5). */
  get interruptsEnabled(): boolean {
    return (this.read(IRQ_ENABLED) & 0x200) !== 0;
  }

  get blockedInterrupts(): number {
    return this.read(BLOCKED_INTERRUPTS);
  }

  /** Copies the 64 status bytes of the ring. */
  readRingStatus(into: Uint8Array): void {
    into.set(this.memory.bytes(this.gpa + this.layout.ringStatus, RING_SLOTS));
  }

  freeRingSlot(slot: number): void {
    this.memory.write8(this.gpa + this.layout.ringStatus + slot, RING_FREE);
  }

  /** Word `index` of ring entry `slot`. */
  ringWord(slot: number, index: number): number {
    const { ringEntries, ringEntryWords } = this.layout;
    return this.memory.read32(this.gpa + ringEntries + (slot * ringEntryWords + index) * 4);
  }
}
/*:*/
