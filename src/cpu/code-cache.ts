import { CODE_PAGE, type GuestMemory } from '../memory/guest-memory.js';
import { ARENA, ARENA_BYTES, RAM_BASE, RECORD_BYTES } from '../memory/layout.js';
import type { Tlb } from '../memory/tlb.js';
import { DECODE, type Decoder, MAX_INSTRUCTION_BYTES, MODE } from './decoder.js';
import type { Forms } from './interpreter/forms.js';
import { RECORD } from './interpreter/record.js';

/** A decoded run of instructions. */
export interface Block {
  /** Linear-memory address of the first record. */
  readonly record: number;
  /** Instructions in it. */
  readonly count: number;
  /** Guest-physical addresses `[start, end)`, all on the page of `start` … */
  readonly start: number;
  readonly end: number;
  /** … but for one that straddles: then the page its tail was read from, else −1. */
  readonly secondPage: number;
}

const MAX_BLOCK_INSTRUCTIONS = 64;
/** Where the short block lives: the last records of the arena. */
const SHORT_BLOCK = ARENA + ARENA_BYTES - (MAX_BLOCK_INSTRUCTIONS + 2) * RECORD_BYTES;
/** Pages are watched in pieces of 64 bytes. */
const CHUNK_SHIFT = 6;

/** Why no block could be made. */
export const NO_BLOCK = { tooLong: -1, fetchFault: -2 } as const;

interface CodePage {
  readonly blocks: Set<Block>;
  /** Bit n: some block covers bytes 64n … 64n+63 (two words of 32 bits). */
  readonly chunks: Uint32Array;
}

/**
 * Decoded code by guest-physical address and decoding mode.
 *
 * Invariants
 * - Every page with a block is in `memory.codePages` and in no TLB write table.
 * - A block that is written to never runs again: its records become handler 0, which goes back to
 *   `CodeCache.find` at the same address, and the owner is told through `onInvalidate`.
 */
export class CodeCache {
  private readonly memory: GuestMemory;
  private readonly tlb: Tlb;
  private readonly forms: Forms;
  private readonly decoder: Decoder;
  private readonly blocks = new Map<number, Block>();
  private readonly pages = new Map<number, CodePage>();
  private arenaAt = ARENA;
  private readonly window = new Uint8Array(2 * MAX_INSTRUCTION_BYTES);
  private shortBlock: Block | undefined;
  /** Blocks have died: jump-cache entries may point at them. */
  onInvalidate: () => void = () => {};

  constructor(memory: GuestMemory, tlb: Tlb, forms: Forms, decoder: Decoder) {
    this.memory = memory;
    this.tlb = tlb;
    this.forms = forms;
    this.decoder = decoder;
  }

  /**
   * The block at guest-physical `gpa`, decoded now if need be; or a `NO_BLOCK` number.
   * `nextPage` gives the guest-physical address of the linear page behind, or throws its page fault.
   * `limit` is how many bytes may be fetched before the code segment ends.
   */
  find(gpa: number, mode: number, limit: number, nextPage: () => number): Block | number {
    const key = gpa * 16 + mode;
    const found = this.blocks.get(key);
    if (found && (found.secondPage < 0 || found.secondPage === nextPage())) return found;
    if (found) this.discard(found);
    if (this.arenaAt + (MAX_BLOCK_INSTRUCTIONS + 2) * RECORD_BYTES > SHORT_BLOCK) this.flush();
    const block = this.decodeBlock(gpa, mode, limit, nextPage, mode & MODE.single ? 1 : MAX_BLOCK_INSTRUCTIONS);
    if (typeof block === 'object') {
      this.blocks.set(key, block);
      this.watch(block);
    }
    return block;
  }

  /**
   * At most `most` instructions from `gpa` on as a block that is valid until the next call or flush, or undefined if
   * not even the first is on this page. Part of a block that `find` has found.
   */
  findShort(gpa: number, mode: number, limit: number, most: number): Block | undefined {
    const { arenaAt } = this;
    this.arenaAt = SHORT_BLOCK;
    const block = this.decodeBlock(gpa, mode, limit, undefined, Math.min(most, MAX_BLOCK_INSTRUCTIONS));
    this.arenaAt = arenaAt;
    this.shortBlock = typeof block === 'object' ? block : undefined;
    return this.shortBlock;
  }

  /** Whether a block begins at `gpa`: code there has run lately. */
  has(gpa: number, mode: number): boolean {
    return this.blocks.has(gpa * 16 + mode);
  }

  /** Forgets every block. Only between blocks. */
  flush(): void {
    for (const page of this.pages.keys()) this.memory.codePages[page]! &= ~CODE_PAGE.decoded;
    this.blocks.clear();
    this.pages.clear();
    this.arenaAt = ARENA;
    this.onInvalidate();
  }

  /** Guest memory `[gpa, gpa+length)` has changed. */
  invalidate(gpa: number, length: number): void {
    let died = false;
    const short = this.shortBlock;
    if (short && short.start < gpa + length && short.end > gpa) {
      this.empty(short);
      this.shortBlock = undefined;
      died = true;
    }
    for (let page = gpa >>> 12; page <= (gpa + length - 1) >>> 12; page++) {
      const code = this.pages.get(page);
      if (!code) continue;
      const from = Math.max(gpa, page * 4096) & 0xfff;
      const to = Math.min(gpa + length - 1, page * 4096 + 4095) & 0xfff;
      if (!overlapsChunks(code.chunks, from, to)) continue;
      for (const block of code.blocks) {
        const onSecond = block.secondPage === page * 4096;
        const start = onSecond ? page * 4096 : block.start;
        const end = onSecond ? page * 4096 + MAX_INSTRUCTION_BYTES : block.end;
        if (start < gpa + length && end > gpa) {
          this.discard(block);
          died = true;
        }
      }
    }
    if (died) this.onInvalidate();
  }

  /** Without `nextPage` an instruction that straddles is `tooLong`. */
  private decodeBlock(
    gpa: number,
    mode: number,
    limit: number,
    nextPage: (() => number) | undefined,
    most: number,
  ): Block | number {
    const { decoder, memory } = this;
    const inPage = Math.min(0x1000 - (gpa & 0xfff), limit);
    const bytes = memory.u8;
    const base = RAM_BASE + gpa;
    const first = this.arenaAt;
    let count = 0;
    let offset = 0;
    while (count < most && offset < inPage) {
      const outcome = decoder.decode(bytes, base + offset, base + inPage, mode);
      if (outcome !== DECODE.ok) {
        if (count > 0) break;
        if (outcome === DECODE.tooLong || limit === inPage || !nextPage) return NO_BLOCK.tooLong;
        return this.decodeStraddling(gpa, mode, limit, nextPage);
      }
      this.writeRecord(first + count * RECORD_BYTES, offset);
      offset += decoder.decoded.length;
      count++;
      if (this.forms.list[decoder.decoded.form]!.row.ends) break;
    }
    return this.finishBlock(first, count, gpa, gpa + offset, offset, -1);
  }

  /** One instruction whose tail is on the next page. */
  private decodeStraddling(gpa: number, mode: number, limit: number, nextPage: () => number): Block | number {
    const second = nextPage();
    const { window, memory } = this;
    const inPage = 0x1000 - (gpa & 0xfff);
    window.set(memory.u8.subarray(RAM_BASE + gpa, RAM_BASE + gpa + inPage));
    window.set(memory.u8.subarray(RAM_BASE + second, RAM_BASE + second + MAX_INSTRUCTION_BYTES), inPage);
    const outcome = this.decoder.decode(window, 0, Math.min(inPage + MAX_INSTRUCTION_BYTES, limit), mode);
    if (outcome !== DECODE.ok) return NO_BLOCK.tooLong;
    const first = this.arenaAt;
    this.writeRecord(first, 0);
    return this.finishBlock(first, 1, gpa, gpa + inPage, this.decoder.decoded.length, second);
  }

  private writeRecord(at: number, start: number): void {
    const d = this.decoder.decoded;
    const { view } = this.memory;
    view.setUint16(at + RECORD.handler, this.forms.list[d.form]!.handler, true);
    view.setUint16(at + RECORD.start, start, true);
    view.setUint16(at + RECORD.next, start + d.length, true);
    view.setUint16(at + RECORD.reg, d.reg, true);
    view.setUint16(at + RECORD.rm, d.rm, true);
    view.setUint16(at + RECORD.base, d.base, true);
    view.setUint16(at + RECORD.index, d.index, true);
    view.setUint8(at + RECORD.scale, d.scale);
    view.setUint8(at + RECORD.segment, d.segment);
    view.setInt32(at + RECORD.addressMask, d.addressMask, true);
    view.setInt32(at + RECORD.displacement, d.displacement, true);
    view.setInt32(at + RECORD.immediate, d.immediate, true);
    view.setUint16(at + RECORD.form, d.form, true);
  }

  /** Adds the record that leaves the block and numbers the others. */
  private finishBlock(
    first: number,
    count: number,
    start: number,
    end: number,
    length: number,
    secondPage: number,
  ): Block {
    const { view } = this.memory;
    for (let i = 0; i < count; i++) view.setUint16(first + i * RECORD_BYTES + RECORD.remaining, count - i, true);
    const last = first + count * RECORD_BYTES;
    view.setUint16(last + RECORD.handler, 0, true);
    view.setUint16(last + RECORD.start, length, true);
    view.setUint16(last + RECORD.next, length, true);
    view.setUint16(last + RECORD.remaining, 0, true);
    this.arenaAt = last + RECORD_BYTES;
    return { record: first, count, start, end, secondPage };
  }

  private watch(block: Block): void {
    this.watchPage(block.start >>> 12, block, block.start & 0xfff, (block.end - 1) & 0xfff);
    if (block.secondPage >= 0) this.watchPage(block.secondPage >>> 12, block, 0, MAX_INSTRUCTION_BYTES);
  }

  private watchPage(page: number, block: Block, from: number, to: number): void {
    let code = this.pages.get(page);
    if (!code) {
      code = { blocks: new Set(), chunks: new Uint32Array(2) };
      this.pages.set(page, code);
      this.memory.codePages[page]! |= CODE_PAGE.decoded;
      this.tlb.protectCode(page);
    }
    code.blocks.add(block);
    for (let chunk = from >> CHUNK_SHIFT; chunk <= to >> CHUNK_SHIFT; chunk++)
      code.chunks[chunk >> 5]! |= 1 << (chunk & 31);
  }

  /** Makes a block lead nowhere and forgets it. Its page stays watched while other blocks are on it. */
  private discard(block: Block): void {
    this.empty(block);
    for (let mode = 0; mode < 16; mode++) {
      if (this.blocks.get(block.start * 16 + mode) === block) this.blocks.delete(block.start * 16 + mode);
    }
    this.unwatch(block.start >>> 12, block);
    if (block.secondPage >= 0) this.unwatch(block.secondPage >>> 12, block);
  }

  private empty(block: Block): void {
    const { view } = this.memory;
    for (let i = 0; i < block.count; i++) view.setUint16(block.record + i * RECORD_BYTES + RECORD.handler, 0, true);
  }

  private unwatch(page: number, block: Block): void {
    const code = this.pages.get(page);
    if (!code) return;
    code.blocks.delete(block);
    if (code.blocks.size === 0) {
      this.pages.delete(page);
      this.memory.codePages[page]! &= ~CODE_PAGE.decoded;
    }
  }
}

function overlapsChunks(chunks: Uint32Array, from: number, to: number): boolean {
  for (let chunk = from >> CHUNK_SHIFT; chunk <= to >> CHUNK_SHIFT; chunk++) {
    if (chunks[chunk >> 5]! & (1 << (chunk & 31))) return true;
  }
  return false;
}
