import type { GuestMemory } from '../memory/guest-memory.js';
import {
  CS,
  SEGMENT,
  STATE,
  STATE_BYTES,
  TLB_READ_SUPERVISOR,
  TLB_READ_USER,
  TLB_WRITE_SUPERVISOR,
  TLB_WRITE_USER,
} from '../memory/layout.js';

/** EFLAGS bits (SDM vol. 1, 3.4.3). */
export const FLAG = {
  CF: 1 << 0,
  PF: 1 << 2,
  AF: 1 << 4,
  ZF: 1 << 6,
  SF: 1 << 7,
  TF: 1 << 8,
  IF: 1 << 9,
  DF: 1 << 10,
  OF: 1 << 11,
  IOPL: 3 << 12,
  NT: 1 << 14,
  RF: 1 << 16,
  VM: 1 << 17,
  AC: 1 << 18,
  VIF: 1 << 19,
  VIP: 1 << 20,
  ID: 1 << 21,
} as const;

export const ARITHMETIC_FLAGS = FLAG.CF | FLAG.PF | FLAG.AF | FLAG.ZF | FLAG.SF | FLAG.OF;

/** Control register bits. */
export const CR0 = {
  PE: 1,
  MP: 2,
  EM: 4,
  TS: 8,
  ET: 16,
  NE: 32,
  WP: 1 << 16,
  AM: 1 << 18,
  NW: 1 << 29,
  CD: 1 << 30,
  PG: 1 << 31,
} as const;
export const CR4 = {
  VME: 1,
  PVI: 2,
  TSD: 4,
  DE: 8,
  PSE: 16,
  PAE: 32,
  MCE: 64,
  PGE: 128,
  PCE: 256,
  OSFXSR: 512,
  OSXMMEXCPT: 1024,
} as const;

/** Register numbers in encoding order. */
export const EAX = 0;
export const ECX = 1;
export const EDX = 2;
export const EBX = 3;
export const ESP = 4;
export const EBP = 5;
export const ESI = 6;
export const EDI = 7;

/** The hidden and visible part of a segment register. */
export interface Segment {
  selector: number;
  /** Unsigned linear address. */
  base: number;
  /** Unsigned, bytes. */
  limit: number;
  /** See `SEGMENT.access`. */
  access: number;
}

/** Whether no offset can fault: present, readable (and writable unless CS), expand-up, limit 4 GiB. */
function isFlat(index: number, segment: Segment): boolean {
  if (segment.limit !== 0xffff_ffff || (segment.access & 0x9000) !== 0x9000) return false;
  const type = (segment.access >> 8) & 15;
  if (type & 8) return index === CS && (type & 2) !== 0;
  return (type & 4) === 0 && (type & 2) !== 0;
}

/**
 * The architectural state as TypeScript sees it: accessors on the state page of the linear memory.
 * There is no other copy. Values are unsigned 32-bit unless said otherwise.
 */
export class CpuState {
  /** `registers[EAX]` … unsigned. */
  readonly registers: Uint32Array;
  private readonly u32: Uint32Array;
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;

  constructor(readonly memory: GuestMemory) {
    const buffer = memory.memory.buffer;
    this.registers = new Uint32Array(buffer, STATE.registers, 8);
    this.u32 = new Uint32Array(buffer, 0, STATE_BYTES / 4);
    this.i32 = new Int32Array(buffer, 0, STATE_BYTES / 4);
    this.f64 = new Float64Array(buffer, 0, STATE_BYTES / 8);
    this.i32[STATE.direction >> 2] = 1;
    this.i32[STATE.eflags >> 2] = 2;
    this.eflags = 2;
    this.cpl = 0;
  }

  /** Any field of `STATE`, unsigned. */
  get(offset: number): number {
    return this.u32[offset >> 2]!;
  }
  set(offset: number, value: number): void {
    this.u32[offset >> 2] = value;
  }

  get eip(): number {
    return this.u32[STATE.eip >> 2]!;
  }
  set eip(value: number) {
    this.u32[STATE.eip >> 2] = value;
  }

  get cpl(): number {
    return this.u32[STATE.cpl >> 2]!;
  }
  /** Also selects the TLB tables: rings 0, 1 and 2 are supervisor (SDM vol. 3, 4.6). */
  set cpl(value: number) {
    this.u32[STATE.cpl >> 2] = value;
    this.u32[STATE.tlbRead >> 2] = value === 3 ? TLB_READ_USER : TLB_READ_SUPERVISOR;
    this.u32[STATE.tlbWrite >> 2] = value === 3 ? TLB_WRITE_USER : TLB_WRITE_SUPERVISOR;
  }

  /** EFLAGS with the arithmetic flags worked out from the lazy words (layout: isa/flags.ts). */
  get eflags(): number {
    const result = this.i32[STATE.flagsResult >> 2]!;
    const aux = this.i32[STATE.flagsAux >> 2]!;
    let parity = (result ^ (aux >> 8)) & 0xff;
    parity ^= parity >> 4;
    return (
      this.i32[STATE.eflags >> 2]! |
      (aux >>> 31) |
      (((0x9669 >> (parity & 15)) & 1) << 2) |
      ((aux & 8) << 1) |
      (result === 0 ? FLAG.ZF : 0) |
      (((result >>> 31) ^ (aux & 1)) << 7) |
      (((aux ^ (aux << 1)) >>> 31) << 11)
    );
  }
  /** Stores every bit as given (no privilege rules here) and the lazy words that stand for it. */
  set eflags(value: number) {
    this.i32[STATE.eflags >> 2] = (value & ~ARITHMETIC_FLAGS & 0x003f7fd7) | 2;
    this.i32[STATE.direction >> 2] = value & FLAG.DF ? -1 : 1;
    const zero = (value & FLAG.ZF) !== 0;
    // result 0 has even parity and sign 0; 0x100 is non-zero with the same low byte and sign.
    this.i32[STATE.flagsResult >> 2] = zero ? 0 : 0x100;
    const cf = value & 1;
    const of = (value >> 11) & 1;
    this.i32[STATE.flagsAux >> 2] =
      (cf << 31) | ((cf ^ of) << 30) | ((value & FLAG.AF) >> 1) | (value & FLAG.PF ? 0 : 0x100) | ((value >> 7) & 1);
  }

  /** Instructions retired since reset. */
  get retired(): number {
    return this.f64[STATE.retired >> 3]!;
  }
  set retired(value: number) {
    this.f64[STATE.retired >> 3] = value;
  }

  /** `retired` when the board last delivered a trap between two instructions. */
  get trappedAt(): number {
    return this.f64[STATE.trappedAt >> 3]!;
  }
  set trappedAt(value: number) {
    this.f64[STATE.trappedAt >> 3] = value;
  }

  /** A copy of segment register `index` (ES CS SS DS FS GS LDTR TR). */
  segment(index: number): Segment {
    const at = (STATE.segments + index * SEGMENT.stride) >> 2;
    const u32 = this.u32;
    return { base: u32[at]!, limit: u32[at + 1]!, access: u32[at + 2]!, selector: u32[at + 3]! };
  }
  /** Stores all parts; privilege rules are `segmentation.ts`'s. Call `Processor.segmentsChanged()` afterwards. */
  setSegment(index: number, segment: Segment): void {
    const at = (STATE.segments + index * SEGMENT.stride) >> 2;
    const u32 = this.u32;
    u32[at] = segment.base;
    u32[at + 1] = segment.limit;
    u32[at + 2] = segment.access;
    u32[at + 3] = segment.selector;
    u32[(STATE.segmentFlat >> 2) + index] = isFlat(index, segment) ? 1 : 0;
  }
  /** The same for a segment from 0 to 4 GiB that may be accessed everywhere. */
  setFlatSegment(index: number, selector: number, access: number): void {
    const at = (STATE.segments + index * SEGMENT.stride) >> 2;
    const u32 = this.u32;
    u32[at] = 0;
    u32[at + 1] = 0xffff_ffff;
    u32[at + 2] = access;
    u32[at + 3] = selector;
    u32[(STATE.segmentFlat >> 2) + index] = 1;
  }
  selector(index: number): number {
    return this.u32[(STATE.segments + index * SEGMENT.stride + SEGMENT.selector) >> 2]!;
  }
  /** CS.D: default operand and address size is 32 bits. */
  get codeIs32(): boolean {
    return (this.u32[(STATE.segments + CS * SEGMENT.stride + SEGMENT.access) >> 2]! & 0x40_0000) !== 0;
  }
}
