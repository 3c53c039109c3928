import type { GuestMemory } from '../memory/guest-memory.js';
import { RAM_BASE, STATE } from '../memory/layout.js';
import type { Tlb } from '../memory/tlb.js';
import type { LinearAccess } from './access.js';
import { ACCESS_FETCH, ACCESS_READ, ACCESS_USER, ACCESS_WRITE, type Board } from './board.js';
import { AC, GuestFault, PF } from './faults.js';

/**
 * Linear memory for everything that is not the fast path: page walks on TLB misses, accesses that cross
 * pages, pages with code, memory-mapped devices. Faults are thrown before anything changes.
 */
export class SlowAccess implements LinearAccess {
  private readonly memory: GuestMemory;
  private readonly tlb: Tlb;
  private readonly board: Board;
  private readonly cplWord: Uint32Array;
  /** Misaligned user accesses fault: CR0.AM, EFLAGS.AC, ring 3. */
  checkAlignment = false;

  constructor(memory: GuestMemory, tlb: Tlb, board: Board) {
    this.memory = memory;
    this.tlb = tlb;
    this.board = board;
    this.cplWord = new Uint32Array(memory.memory.buffer, STATE.cpl, 1);
  }

  /** Guest-physical address of a linear one; fills the TLB. Throws #PF. */
  translate(linear: number, access: number, supervisor: boolean): number {
    const user = !supervisor && this.cplWord[0] === 3;
    // That a page may be read says nothing of whether code may be fetched from it.
    if (access !== ACCESS_FETCH) {
      const known = this.tlb.locate(linear, access === ACCESS_WRITE, user);
      if (known >= 0) return known;
    }
    const walk = this.board.walk(linear >>> 0, user ? access | ACCESS_USER : access);
    if (walk.fault >= 0) throw new GuestFault(PF, walk.fault, linear >>> 0);
    if (!this.checkAlignment) this.tlb.fill(linear, walk);
    return walk.pageGpa + (linear & 0xfff);
  }

  /** Guest-physical address of the page of `linear`, if code may be fetched from there, and the TLB has it then; else −1. */
  findCode(linear: number, user: boolean): number {
    const known = this.tlb.locateCode(linear, user);
    if (known >= 0 || this.checkAlignment) return known;
    const walk = this.board.walk(linear >>> 0, user ? ACCESS_FETCH | ACCESS_USER : ACCESS_FETCH);
    if (walk.fault >= 0) return -1;
    this.tlb.fill(linear, walk);
    return this.tlb.locateCode(linear, user);
  }

  read(linear: number, bytes: number, supervisor = false): number {
    if (this.checkAlignment && !supervisor && (linear & (bytes - 1)) !== 0) throw new GuestFault(AC, 0);
    if ((linear & 0xfff) > 0x1000 - bytes) return this.readAcross(linear, bytes, supervisor);
    return this.readPhysical(this.translate(linear, ACCESS_READ, supervisor), bytes);
  }

  /** As `read`, for a place that will be written: faults as a write does. */
  readForWrite(linear: number, bytes: number): number {
    if (this.checkAlignment && (linear & (bytes - 1)) !== 0) throw new GuestFault(AC, 0);
    this.probeWrite(linear, bytes);
    return this.read(linear, bytes);
  }

  write(linear: number, value: number, bytes: number, supervisor = false): void {
    if (this.checkAlignment && !supervisor && (linear & (bytes - 1)) !== 0) throw new GuestFault(AC, 0);
    if ((linear & 0xfff) > 0x1000 - bytes) {
      this.writeAcross(linear, value, bytes, supervisor);
      return;
    }
    this.writePhysical(this.translate(linear, ACCESS_WRITE, supervisor), value, bytes);
  }

  private readAcross(linear: number, bytes: number, supervisor: boolean): number {
    const first = this.translate(linear, ACCESS_READ, supervisor);
    const inFirst = 0x1000 - (linear & 0xfff);
    const second = this.translate(linear + inFirst, ACCESS_READ, supervisor);
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) {
      value = (value << 8) | this.readPhysical(i < inFirst ? first + i : second + i - inFirst, 1);
    }
    return value;
  }

  private writeAcross(linear: number, value: number, bytes: number, supervisor: boolean): void {
    const inFirst = 0x1000 - (linear & 0xfff);
    const first = this.translate(linear, ACCESS_WRITE, supervisor);
    const second = this.translate(linear + inFirst, ACCESS_WRITE, supervisor);
    for (let i = 0; i < bytes; i++) {
      this.writePhysical(i < inFirst ? first + i : second + i - inFirst, value >>> (8 * i), 1);
    }
  }

  private readPhysical(gpa: number, bytes: number): number {
    if (gpa + bytes > this.memory.size) return this.board.mmioRead(gpa, bytes);
    const { view, u8 } = this.memory;
    const at = RAM_BASE + gpa;
    return bytes === 4 ? view.getInt32(at, true) : bytes === 1 ? u8[at]! : view.getUint16(at, true);
  }

  private writePhysical(gpa: number, value: number, bytes: number): void {
    if (gpa + bytes > this.memory.size) this.board.mmioWrite(gpa, bytes, value);
    else if (bytes === 4) this.memory.write32(gpa, value);
    else if (bytes === 1) this.memory.write8(gpa, value);
    else this.memory.write16(gpa, value);
  }

  hostAddress(linear: number, bytes: number, write: boolean): number {
    return this.tlb.hostAddress(linear, bytes, write, false);
  }

  // What helpers call: mostly, the TLB has the page.

  private find(linear: number, bytes: number, write: boolean, supervisor: boolean): number {
    return this.tlb.hostAddress(linear, bytes, write, !supervisor && this.cplWord[0] === 3);
  }

  read8(linear: number, supervisor = false): number {
    const at = this.find(linear, 1, false, supervisor);
    return at < 0 ? this.read(linear, 1, supervisor) : this.memory.u8[at]!;
  }
  read16(linear: number, supervisor = false): number {
    const at = this.find(linear, 2, false, supervisor);
    return at < 0 ? this.read(linear, 2, supervisor) : this.memory.view.getUint16(at, true);
  }
  read32(linear: number, supervisor = false): number {
    const at = this.find(linear, 4, false, supervisor);
    return at < 0 ? this.read(linear, 4, supervisor) >>> 0 : this.memory.view.getUint32(at, true);
  }
  write8(linear: number, value: number, supervisor = false): void {
    const at = this.find(linear, 1, true, supervisor);
    if (at < 0) this.write(linear, value, 1, supervisor);
    else this.memory.u8[at] = value;
  }
  write16(linear: number, value: number, supervisor = false): void {
    const at = this.find(linear, 2, true, supervisor);
    if (at < 0) this.write(linear, value, 2, supervisor);
    else this.memory.view.setUint16(at, value, true);
  }
  write32(linear: number, value: number, supervisor = false): void {
    const at = this.find(linear, 4, true, supervisor);
    if (at < 0) this.write(linear, value, 4, supervisor);
    else this.memory.view.setUint32(at, value, true);
  }
  probeWrite(linear: number, length: number, supervisor = false): void {
    if (this.find(linear, length, true, supervisor) < 0) this.probe(linear, length, ACCESS_WRITE, supervisor);
  }
  probeRead(linear: number, length: number, supervisor = false): void {
    if (this.find(linear, length, false, supervisor) < 0) this.probe(linear, length, ACCESS_READ, supervisor);
  }

  private probe(linear: number, length: number, access: number, supervisor: boolean): void {
    this.translate(linear, access, supervisor);
    for (let offset = 0x1000 - (linear & 0xfff); offset < length; offset += 0x1000)
      this.translate(linear + offset, access, supervisor);
  }
}
