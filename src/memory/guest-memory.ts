import {
  CODE_PAGES,
  CODE_PIECE_SHIFT,
  CODE_PIECES,
  CODE_WRITES,
  MOST_CODE_WRITES,
  MOST_GUEST_BYTES,
  RAM_BASE,
} from './layout.js';

/** Guest data named an address outside guest-physical memory. The board turns it into a kill. */
export class GuestAddressError extends Error {
  constructor(
    readonly access: 'read' | 'write',
    /** Guest-physical address, bytes. */
    readonly gpa: number,
    readonly length: number,
  ) {
    super(`bad ${access} address 0x${gpa.toString(16)} len ${length}`);
  }
}

/** Bits of `GuestMemory.codePages`: who has read code from the page. */
export const CODE_PAGE = { decoded: 1, translated: 2 } as const;
/** Of `GuestMemory.codePieces` for one page. */
const PIECES_BYTES = 0x1000 >>> (CODE_PIECE_SHIFT + 3);

/**
 * The one linear memory and, in it, guest-physical memory: `[0, size)`.
 *
 * Invariant: whoever writes guest memory from outside translated or interpreted code (Host, devices,
 * loader) does so through `write*`/`fill`/`writable`, so that decoded code on the page is forgotten.
 */
export class GuestMemory {
  readonly memory: WebAssembly.Memory;
  /** Views of the whole linear memory (never detached: the memory is created at its final size). */
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly view: DataView;
  /** Bytes of guest-physical memory, a multiple of 4096: RAM and, behind it, device pages. */
  readonly size: number;
  /** One byte per guest page: `CODE_PAGE` bits, non-zero where decoded or translated code came from. */
  readonly codePages: Uint8Array;
  /** By guest page: `CODE_WRITES`. */
  readonly codeWrites: Uint8Array;
  /** `CODE_PIECES`. */
  private readonly codePieces: Uint8Array;
  /** Called after a write from outside that may have changed code: `[gpa, gpa+length)`. Set by the processor. */
  onCodeWrite: (gpa: number, length: number) => void = () => {};

  constructor(sizeBytes: number) {
    if (sizeBytes > MOST_GUEST_BYTES) throw new RangeError(`${sizeBytes} bytes of guest memory are too many`);
    this.size = sizeBytes;
    const pages = Math.ceil((RAM_BASE + sizeBytes) / 0x1_0000);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const buffer = this.memory.buffer;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.view = new DataView(buffer);
    this.codePages = new Uint8Array(buffer, CODE_PAGES, sizeBytes >>> 12);
    this.codeWrites = new Uint8Array(buffer, CODE_WRITES, sizeBytes >>> 12);
    this.codePieces = new Uint8Array(buffer, CODE_PIECES, sizeBytes >>> (CODE_PIECE_SHIFT + 3));
  }

  /** Whether `[gpa, gpa+length)` lies in guest memory; gpa is unsigned. */
  contains(gpa: number, length: number): boolean {
    return gpa >= 0 && length >= 0 && gpa + length <= this.size;
  }

  read8(gpa: number): number {
    this.check('read', gpa, 1);
    return this.u8[RAM_BASE + gpa]!;
  }
  read16(gpa: number): number {
    this.check('read', gpa, 2);
    return this.view.getUint16(RAM_BASE + gpa, true);
  }
  /** Unsigned. */
  read32(gpa: number): number {
    this.check('read', gpa, 4);
    return this.view.getUint32(RAM_BASE + gpa, true);
  }
  read64(gpa: number): bigint {
    this.check('read', gpa, 8);
    return this.view.getBigUint64(RAM_BASE + gpa, true);
  }
  write8(gpa: number, value: number): void {
    this.check('write', gpa, 1);
    this.u8[RAM_BASE + gpa] = value;
    this.touched(gpa, 1);
  }
  write16(gpa: number, value: number): void {
    this.check('write', gpa, 2);
    this.view.setUint16(RAM_BASE + gpa, value, true);
    this.touched(gpa, 2);
  }
  write32(gpa: number, value: number): void {
    this.check('write', gpa, 4);
    this.view.setUint32(RAM_BASE + gpa, value, true);
    this.touched(gpa, 4);
  }
  write64(gpa: number, value: bigint): void {
    this.check('write', gpa, 8);
    this.view.setBigUint64(RAM_BASE + gpa, value, true);
    this.touched(gpa, 8);
  }

  /** A live view for reading; do not write through it. */
  bytes(gpa: number, length: number): Uint8Array {
    this.check('read', gpa, length);
    return this.u8.subarray(RAM_BASE + gpa, RAM_BASE + gpa + length);
  }
  /** A live view for writing at once, before the guest runs again. */
  writable(gpa: number, length: number): Uint8Array {
    this.check('write', gpa, length);
    this.touched(gpa, length);
    return this.u8.subarray(RAM_BASE + gpa, RAM_BASE + gpa + length);
  }
  writeBytes(gpa: number, data: Uint8Array): void {
    this.writable(gpa, data.length).set(data);
  }
  fill(gpa: number, length: number, value: number): void {
    this.writable(gpa, length).fill(value);
  }

  private check(access: 'read' | 'write', gpa: number, length: number): void {
    if (!this.contains(gpa, length)) throw new GuestAddressError(access, gpa, length);
  }

  private touched(gpa: number, length: number): void {
    if (length === 0) return;
    const last = gpa + length - 1;
    let changed = false;
    for (let page = gpa >>> 12; page <= last >>> 12; page++) {
      if (this.codePages[page] === 0) continue;
      if (this.codeWrites[page]! < MOST_CODE_WRITES) this.codeWrites[page]!++;
      changed ||= this.mayHoldCode(Math.max(gpa, page * 4096), Math.min(last, page * 4096 + 4095));
    }
    if (changed) this.onCodeWrite(gpa, length);
  }

  /** Whether decoded or translated code may have come from a byte of `[first, last]`. */
  private mayHoldCode(first: number, last: number): boolean {
    for (let piece = first >>> CODE_PIECE_SHIFT; piece <= last >>> CODE_PIECE_SHIFT; piece++)
      if (this.codePieces[piece >>> 3]! & (1 << (piece & 7))) return true;
    return false;
  }

  /** Code has been read from `[start, end)`, all on one page, by one of `CODE_PAGE`. */
  watchCode(start: number, end: number, reader: number): void {
    this.codePages[start >>> 12]! |= reader;
    for (let piece = start >>> CODE_PIECE_SHIFT; piece <= (end - 1) >>> CODE_PIECE_SHIFT; piece++)
      this.codePieces[piece >>> 3]! |= 1 << (piece & 7);
  }

  /** This reader has forgotten all code of a page. */
  unwatchCode(page: number, reader: number): void {
    this.codePages[page]! &= ~reader;
    if (this.codePages[page] === 0) this.codePieces.fill(0, page * PIECES_BYTES, (page + 1) * PIECES_BYTES);
  }
}
