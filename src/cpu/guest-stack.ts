import { SS } from '../memory/layout.js';
import type { CpuContext } from './context.js';
import { DESCRIPTOR } from './descriptors.js';
import { GuestFault, SS_FAULT } from './faults.js';
import { isInsideSegment } from './segmentation.js';
import { ESP, type Segment } from './state.js';

/**
 * A stack that a transfer builds or takes apart before it is the current one: nothing but memory changes until
 * the caller stores `pointer`. Limits are checked, so are page rights; the pointer wraps at 16 bits if SS.B = 0.
 */
export class GuestStack {
  /** All 32 bits of ESP; those above 15 stay as they are on a 16-bit stack. */
  pointer: number;
  readonly segment: Segment;
  private readonly cpu: CpuContext;
  private readonly mask: number;
  private readonly supervisor: boolean;
  private readonly errorCode: number;

  /**
   * `level`: privilege whose stack it is; 0–2 are reached with supervisor rights.
   * `errorCode`: of the #SS when the limit is exceeded.
   */
  constructor(cpu: CpuContext, segment: Segment, pointer: number, level: number, errorCode = 0) {
    this.cpu = cpu;
    this.segment = segment;
    this.pointer = pointer;
    this.mask = segment.access & DESCRIPTOR.big ? 0xffff_ffff : 0xffff;
    this.supervisor = level !== 3;
    this.errorCode = errorCode;
  }

  /** The stack in use. */
  static current(cpu: CpuContext): GuestStack {
    const { state } = cpu;
    return new GuestStack(cpu, state.segment(SS), state.registers[ESP]!, state.cpl);
  }

  /** Makes sure that `count` words of `size` bytes can be pushed: #SS or #PF now or never. */
  reserve(count: number, size: number): void {
    for (let n = 1; n <= count; n++) {
      this.cpu.access.probeWrite(this.locate(this.pointer - n * size, size), size, this.supervisor);
    }
  }

  /** Size 2 or 4 bytes. Call `reserve` first. */
  push(value: number, size: number): void {
    this.pointer = this.moved(-size);
    const linear = this.locate(this.pointer, size);
    if (size === 4) this.cpu.access.write32(linear, value, this.supervisor);
    else this.cpu.access.write16(linear, value & 0xffff, this.supervisor);
  }

  /** Unsigned value of 2 or 4 bytes. */
  pop(size: number): number {
    const linear = this.locate(this.pointer, size);
    const { access } = this.cpu;
    const value = size === 4 ? access.read32(linear, this.supervisor) : access.read16(linear, this.supervisor);
    this.pointer = this.moved(size);
    return value;
  }

  /** Moves over `bytes` without looking at them. */
  skip(bytes: number): void {
    this.pointer = this.moved(bytes);
  }

  /** Loads ESP, or only SP on a 16-bit stack. */
  setPointer(value: number): void {
    this.pointer = ((this.pointer & ~this.mask) | (value & this.mask)) >>> 0;
  }

  private moved(bytes: number): number {
    return ((this.pointer & ~this.mask) | ((this.pointer + bytes) & this.mask)) >>> 0;
  }

  private locate(pointer: number, size: number): number {
    const offset = (pointer & this.mask) >>> 0;
    if (!isInsideSegment(this.segment, offset, size)) throw new GuestFault(SS_FAULT, this.errorCode);
    return (this.segment.base + offset) >>> 0;
  }
}
