import { CODE_PAGE, type GuestMemory } from '../memory/guest-memory.js';
import { ARENA, ARENA_BYTES, RAM_BASE, RECORD_BYTES } from '../memory/layout.js';
import type { Tlb } from '../memory/tlb.js';
import { DECODE, type Decoder, MAX_INSTRUCTION_BYTES, MODE } from './decoder.js';
import type { Forms } from './interpreter/forms.js';
import { BLOCK_PAGE, RECORD } from './interpreter/record.js';

/** A decoded run of instructions. */
export class Block {
  /** Behind it in its list of the hash table. */
  next: Block | undefined;

  constructor(
    /** Linear-memory address of the first record. */
    readonly record: number,
    /** Instructions in it. */
    readonly count: number,
    /** Guest-physical addresses `[start, end)`, all on the page of `start` … */
    readonly start: number,
    readonly end: number,
    /** … but for one that straddles: then the page its tail was read from, else −1. */
    readonly secondPage: number,
    /** Decoding mode. */
    readonly mode: number,
  ) {}
}

const MAX_BLOCK_INSTRUCTIONS = 64;
const RECORD_WORDS = RECORD_BYTES / 4;
/** Where the short block lives: the last records of the arena. */
const SHORT_BLOCK = ARENA + ARENA_BYTES - (MAX_BLOCK_INSTRUCTIONS + 2) * RECORD_BYTES;
/** Lists of the hash table: a power of two, about as many as a busy guest has blocks. */
const LISTS = 1 << 16;

/** Why no block could be made. */
export const NO_BLOCK = { tooLong: -1, fetchFault: -2 } as const;

/**
 * Decoded code by guest-physical address and decoding mode.
 *
 * Invariants
 * - Every page with a block is in `memory.codePages` and in no TLB write table.
 * - A block that is written to never runs again: its records become handler 0, which asks for a block at the same
 *   address. Only when all blocks are forgotten, and their records used anew, does the owner hear of it (`onFlush`).
 */
export class CodeCache {
  private readonly memory: GuestMemory;
  private readonly tlb: Tlb;
  private readonly forms: Forms;
  private readonly decoder: Decoder;
  /** By address and mode: a hash table, since a `Map` with keys beyond 2^30 costs several times as much. */
  private readonly lists = new Array<Block | undefined>(LISTS).fill(undefined);
  /** Guest page → blocks on it, in no order. */
  private readonly pages = new Map<number, Block[]>();
  private arenaAt = ARENA;
  private readonly window = new Uint8Array(2 * MAX_INSTRUCTION_BYTES);
  private shortBlock: Block | undefined;
  /** All blocks have died: jump-cache entries may point at them. */
  onFlush: () => void = () => {};

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
    const found = this.known(gpa, mode);
    if (found && (found.secondPage < 0 || found.secondPage === nextPage())) return found;
    if (found) this.discard(found);
    if (this.arenaAt + (MAX_BLOCK_INSTRUCTIONS + 2) * RECORD_BYTES > SHORT_BLOCK) this.flush();
    const block = this.decodeBlock(gpa, mode, limit, nextPage, mode & MODE.single ? 1 : MAX_BLOCK_INSTRUCTIONS);
    if (typeof block === 'object') {
      const list = listOf(gpa, mode);
      block.next = this.lists[list];
      this.lists[list] = block;
      this.watch(block);
    }
    return block;
  }

  private known(gpa: number, mode: number): Block | undefined {
    let block = this.lists[listOf(gpa, mode)];
    while (block && (block.start !== gpa || block.mode !== mode)) block = block.next;
    return block;
  }

  /**
   * At most `most` instructions from `gpa` on as a block that is valid until the next call or flush, or undefined if
   * not even the first is on this page, or no block that `find` has found begins there: the short one is part of it, so
   * that writes to it are noticed.
   */
  findShort(gpa: number, mode: number, limit: number, most: number): Block | undefined {
    if (!this.known(gpa, mode)) return undefined;
    const { arenaAt } = this;
    this.arenaAt = SHORT_BLOCK;
    const block = this.decodeBlock(gpa, mode, limit, undefined, Math.min(most, MAX_BLOCK_INSTRUCTIONS));
    this.arenaAt = arenaAt;
    this.shortBlock = typeof block === 'object' ? block : undefined;
    return this.shortBlock;
  }

  /** Whether a block begins at `gpa`: code there has run lately. */
  has(gpa: number, mode: number): boolean {
    return this.known(gpa, mode) !== undefined;
  }

  /** Forgets every block. Only between blocks. */
  flush(): void {
    for (const page of this.pages.keys()) this.memory.unwatchCode(page, CODE_PAGE.decoded);
    this.lists.fill(undefined);
    this.pages.clear();
    this.arenaAt = ARENA;
    this.onFlush();
  }

  /** Guest memory `[gpa, gpa+length)` has changed. */
  invalidate(gpa: number, length: number): void {
    const short = this.shortBlock;
    if (short && short.start < gpa + length && short.end > gpa) {
      this.empty(short);
      this.shortBlock = undefined;
    }
    for (let page = gpa >>> 12; page <= (gpa + length - 1) >>> 12; page++) {
      const blocks = this.pages.get(page);
      if (!blocks) continue;
      // `discard` puts the last one where the one that goes was.
      for (let i = blocks.length - 1; i >= 0; i--) {
        const block = blocks[i]!;
        const onSecond = block.secondPage === page * 4096;
        const start = onSecond ? page * 4096 : block.start;
        const end = onSecond ? page * 4096 + MAX_INSTRUCTION_BYTES : block.end;
        if (start < gpa + length && end > gpa) this.discard(block);
      }
    }
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
    return this.finishBlock(first, count, gpa, gpa + offset, offset, -1, mode);
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
    return this.finishBlock(first, 1, gpa, gpa + inPage, this.decoder.decoded.length, second, mode);
  }

  /** Writes all of the record but `remaining`, by words (`RECORD`). */
  private writeRecord(at: number, start: number): void {
    const d = this.decoder.decoded;
    const { i32 } = this.memory;
    const word = at >> 2;
    i32[word] = this.forms.list[d.form]!.handler | (start << 16);
    i32[word + 1] = (start + d.length) | (d.reg << 16);
    i32[word + 2] = d.rm | (d.base << 16);
    i32[word + 3] = d.index | (d.scale << 16) | (d.segment << 24);
    i32[word + 4] = d.addressMask;
    i32[word + 5] = d.displacement;
    i32[word + 6] = d.immediate;
    i32[word + 7] = d.form << 16;
  }

  /** Adds the record that leaves the block and numbers the others. */
  private finishBlock(
    first: number,
    count: number,
    start: number,
    end: number,
    length: number,
    secondPage: number,
    mode: number,
  ): Block {
    const { i32 } = this.memory;
    for (let i = 0; i < count; i++) i32[(first + i * RECORD_BYTES + RECORD.remaining) >> 2]! |= count - i;
    const last = first + count * RECORD_BYTES;
    this.join(first, last);
    // Handler 0.
    i32[last >> 2] = length << 16;
    i32[(last >> 2) + 1] = length;
    i32[(last + BLOCK_PAGE) >> 2] = secondPage < 0 ? RAM_BASE + (start & ~0xfff) : 0;
    i32[(last >> 2) + 7] = 0;
    this.arenaAt = last + RECORD_BYTES;
    return new Block(first, count, start, end, secondPage, mode);
  }

  /**
   * Gives records the handlers that suit what stands before them. Where two instructions have a handler together, the
   * first one's record gets it; the second one's stays as it is.
   */
  private join(first: number, last: number): void {
    const { memory, forms } = this;
    const { i32 } = memory;
    let carried = -1;
    for (let at = first >> 2; at < last >> 2; at += RECORD_WORDS) {
      const handler = i32[at]! & 0xffff;
      const reg = i32[at + 1]! >>> 16;
      const rm = i32[at + 2]! & 0xffff;
      const suited = forms.handlerAfter(handler, carried, rm, reg, i32[at + 2]! >>> 16);
      carried = forms.carriedFrom(handler, rm, reg);
      i32[at] = (i32[at]! & ~0xffff) | suited;
    }
    for (let at = first >> 2; at + RECORD_WORDS < last >> 2; at += RECORD_WORDS) {
      const pair = this.pairAt(at);
      if (pair === 0) continue;
      i32[at] = (i32[at]! & ~0xffff) | pair;
      at += RECORD_WORDS;
    }
  }

  /** Rather a pair of which the first is given nothing than no pair. */
  private pairAt(at: number): number {
    const { forms, memory } = this;
    const { i32 } = memory;
    const first = i32[at]! & 0xffff;
    const second = i32[at + RECORD_WORDS]! & 0xffff;
    const alone = (word: number): number => forms.list[i32[word + 7]! >>> 16]!.handler;
    return (
      forms.pairOf(first, second) ||
      forms.pairOf(alone(at), second) ||
      forms.pairOf(alone(at), alone(at + RECORD_WORDS))
    );
  }

  private watch(block: Block): void {
    const { start, end, secondPage } = block;
    this.watchBytes(block, start, end);
    if (secondPage >= 0) this.watchBytes(block, secondPage, secondPage + MAX_INSTRUCTION_BYTES);
  }

  private watchBytes(block: Block, start: number, end: number): void {
    const page = start >>> 12;
    this.memory.watchCode(start, end, CODE_PAGE.decoded);
    const blocks = this.pages.get(page);
    if (blocks) blocks.push(block);
    else {
      this.pages.set(page, [block]);
      this.tlb.protectCode(page);
    }
  }

  /** Makes a block lead nowhere and forgets it. Its page stays watched while other blocks are on it. */
  private discard(block: Block): void {
    this.empty(block);
    const list = listOf(block.start, block.mode);
    if (this.lists[list] === block) this.lists[list] = block.next;
    else {
      let before = this.lists[list]!;
      while (before.next !== block) before = before.next!;
      before.next = block.next;
    }
    this.unwatch(block.start >>> 12, block);
    if (block.secondPage >= 0) this.unwatch(block.secondPage >>> 12, block);
  }

  private empty(block: Block): void {
    const { i32 } = this.memory;
    for (let i = 0; i < block.count; i++) i32[(block.record + i * RECORD_BYTES) >> 2]! &= ~0xffff;
  }

  private unwatch(page: number, block: Block): void {
    const blocks = this.pages.get(page);
    if (!blocks) return;
    const last = blocks.pop()!;
    if (last !== block) blocks[blocks.indexOf(block)] = last;
    if (blocks.length === 0) {
      this.pages.delete(page);
      this.memory.unwatchCode(page, CODE_PAGE.decoded);
    }
  }
}

function listOf(gpa: number, mode: number): number {
  return (gpa ^ (gpa >>> 14) ^ (mode << 12)) & (LISTS - 1);
}
