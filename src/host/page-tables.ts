/*H:600
 * The guest's page tables.
 *
 * The original Host could not let the processor use the guest's page tables: they hold "physical" addresses that
 * only the guest believes in. So it kept shadow tables, and the guest told it about every change. We have it easier.
 * The processor's TLB is filled by walking the guest's own tables, so a hypercall about page tables only has to say
 * which translations to forget. What remains of the original's work are its rules: entries with unknown bits or
 * frames outside the guest's memory are fatal, directory entries are never marked "accessed", and a guest sees
 * three kinds of address space in its life.
 *
 * 1. Until LGUEST_INIT we do not know who the guest is: addresses are physical, and PAGE_OFFSET is an alias of 0.
 * 2. Kernels up to 3.0 then find real tables, made by us, in their memory (initial-tables.ts). Kernels from 3.1 on
 *    stay with physical addresses.
 * 3. From the first NEW_PGTABLE on the guest's own tables count, for ever.
 */

import type { GuestMemory } from '../memory/guest-memory.js';
import { HOST_CALLS, HOST_TRAPS, RAM_BASE } from '../memory/layout.js';
import {
  ACCESS_WRITE,
  PageWalker,
  PAGING,
  PTE,
  type Walk,
  type WalkerState,
  type WalkRules,
} from '../memory/page-walk.js';
import { isPaeDirectory } from './generation.js';
import type { GuestProcessor } from './guest-processor.js';
import { FATAL, hex, killGuest } from './kill.js';

/** PAGE_OFFSET of kernels that were not configured otherwise. */
export const DEFAULT_PAGE_OFFSET = 0xc000_0000;

export interface PageTablesState {
  readonly walker: WalkerState;
  readonly kernelAddress: number;
  readonly aliasAt: number;
  readonly pae: boolean | null;
  readonly stackTop: number;
  readonly stackPages: number;
}

export class PageTables {
  private readonly memory: GuestMemory;
  private readonly cpu: GuestProcessor;
  private readonly walker: PageWalker;
  /** Where RAM appears a second time before LGUEST_INIT; −1: nowhere. */
  private aliasAt = -1;
  /** Three levels? Undefined until NEW_PGTABLE in guests that make their own first tables. */
  pae: boolean | undefined;

  constructor(memory: GuestMemory, cpu: GuestProcessor) {
    this.memory = memory;
    this.cpu = cpu;
    const rules: WalkRules = {
      strict: true,
      accessedInDirectories: false,
      flatUser: false,
      refuse: (level) =>
        killGuest(
          level === 'entry'
            ? FATAL.pageTableEntry
            : level === 'middle'
              ? FATAL.pageMiddleDirectoryEntry
              : FATAL.pageDirectoryEntry,
        ),
      flat: (linear) => this.translateFlat(linear),
    };
    this.walker = new PageWalker(memory, rules);
    this.walker.noExecute = true;
    this.kernelAddress = DEFAULT_PAGE_OFFSET;
  }

  /**
   * PAGE_OFFSET as LGUEST_INIT told; linear addresses below are the user part. From there on all address spaces are
   * alike, or the guest tells us: the processor may keep those translations when it goes from one to another, as if
   * they were marked global.
   */
  get kernelAddress(): number {
    return this.walker.globalFrom;
  }
  set kernelAddress(linear: number) {
    this.walker.globalFrom = linear;
  }

  /** The first address space: physical, with RAM again at `aliasAt` (−1: not). `limit`: bytes the guest may touch. */
  start(limit: number, aliasAt: number): void {
    this.walker.frameLimit = limit >>> 12;
    this.walker.mode = PAGING.flat;
    this.aliasAt = aliasAt;
    this.cpu.flushTlb();
  }

  /** The stack of SET_STACK, whose pages stay usable without faults: linear address behind it. */
  private get stackTop(): number {
    return this.memory.u32[HOST_TRAPS.stackPointer >> 2]!;
  }
  private set stackTop(linear: number) {
    this.memory.u32[HOST_TRAPS.stackPointer >> 2] = linear;
  }
  private get stackPages(): number {
    return this.memory.u32[HOST_CALLS.stackPages >> 2]!;
  }
  private set stackPages(pages: number) {
    this.memory.u32[HOST_CALLS.stackPages >> 2] = pages;
  }

  /** Translates for the processor. */
  walk(linear: number, access: number): Walk {
    return this.walker.walk(linear, access);
  }

  /** Guest-physical address of `linear` without touching rights or accessed bits; −1 if no page is there. */
  locate(linear: number): number {
    return this.walker.locate(linear);
  }

  /** Guest-physical address of the top-level table, or −1 while there is none. */
  get root(): number {
    return this.walker.mode === PAGING.flat ? -1 : this.walker.root;
  }

  /** LGUEST_INIT of guests without first tables: addresses stay physical, the alias goes. */
  enterLinearMode(): void {
    this.aliasAt = -1;
    this.cpu.flushTlb();
  }

  /** Walks tables at `root` from now on. */
  enterTables(root: number, pae: boolean): void {
    this.pae = pae;
    this.walker.mode = pae ? PAGING.pae : PAGING.twoLevel;
    this.walker.root = root;
    this.cpu.flushTlb();
  }

  /*H:620
   * The hypercalls about page tables.
   *
   * NEW_PGTABLE is a load of CR3. A guest with 3.1 or later that was physical until now shows us here whether its
   * tables have two levels or three. On every later switch only the user part changes, as long as the kernel's part
   * of both directories says the same, which in Linux it nearly always does; comparing them costs less than
   * filling the kernel's translations again.
   */
  newPageTable(root: number): void {
    const { walker } = this;
    if (walker.mode === PAGING.flat) {
      this.pae ??= isPaeDirectory(this.memory, root, this.kernelAddress);
      this.enterTables(root, this.pae);
      return;
    }
    // No two-level directory begins in mid-page: detection at LGUEST_INIT was wrong.
    if (walker.mode === PAGING.twoLevel && (root & 0xfff) !== 0 && (root & 31) === 0) {
      this.enterTables(root, true);
      return;
    }
    const sameKernel = this.haveSameKernelPart(walker.root, root);
    walker.root = root;
    if (sameKernel) this.cpu.addressSpaceChanged();
    else this.cpu.flushTlb();
  }

  /** FLUSH_TLB: 0 forgets the user part, anything else everything. */
  flush(everything: boolean): void {
    if (!everything) {
      this.cpu.addressSpaceChanged();
      return;
    }
    this.cpu.flushTlb();
    this.pinStack(false);
  }

  /**
   * SET_PTE: the guest has changed, or is about to use, the entry for `linear` in the tables at `root`. Never a
   * store: the guest has written the entry itself. A value of 0 means "forget", not "is now 0" (§6.3).
   */
  setPte(root: number, linear: number): void {
    // User translations of tables that are not in use were forgotten when they were left.
    if (linear >= this.kernelAddress || root === this.walker.root) this.cpu.flushTlbPage(linear);
  }

  /** SET_PGD (SET_PMD before 2.6.31): entry `index` of the top-level table at `root` has changed. */
  setDirectoryEntry(root: number, index: number): void {
    const entryShift = this.pae === true ? 30 : 22;
    if (index >= 2 ** (32 - entryShift)) return;
    if (index >= this.kernelAddress >>> entryShift) this.cpu.flushTlb();
    else if (root === this.walker.root) this.cpu.addressSpaceChanged();
  }

  /** SET_STACK: pages `(top − pages·4096, top]` must be there and writable, now. */
  setStack(top: number, pages: number): void {
    this.stackTop = top;
    this.stackPages = pages;
    this.pinStack(true);
  }
  /*:*/

  save(): PageTablesState {
    const { kernelAddress, aliasAt, stackTop, stackPages } = this;
    return { walker: this.walker.save(), kernelAddress, aliasAt, pae: this.pae ?? null, stackTop, stackPages };
  }

  load(state: PageTablesState): void {
    this.walker.load(state.walker);
    this.kernelAddress = state.kernelAddress;
    this.aliasAt = state.aliasAt;
    this.pae = state.pae ?? undefined;
    this.stackTop = state.stackTop;
    this.stackPages = state.stackPages;
    this.cpu.flushTlb();
  }

  /** Touches the stack pages as a write would, so that they are accessed and dirty. */
  private pinStack(mustExist: boolean): void {
    for (let page = 0; page < this.stackPages; page++) {
      // The given address is the first behind the stack.
      const linear = (this.stackTop - 1 - page * 4096) >>> 0;
      const missing = this.walker.walk(linear, ACCESS_WRITE).fault !== -1;
      if (missing && mustExist) killGuest(`bad stack page ${hex(linear)}`);
    }
  }

  private translateFlat(linear: number): number {
    const limit = this.walker.frameLimit * 4096;
    if (linear < limit) return linear;
    if (this.aliasAt >= 0) {
      const behind = linear - this.aliasAt;
      if (behind >= 0 && behind < limit) return behind;
    }
    return killGuest(FATAL.pageTableEntry);
  }

  /** Whether two top-level tables agree on everything from `kernelAddress` up, A and D bits aside. */
  private haveSameKernelPart(one: number, other: number): boolean {
    if (one === other) return true;
    const pae = this.walker.mode === PAGING.pae;
    const first = pae ? (this.kernelAddress >>> 30) * 8 : (this.kernelAddress >>> 22) * 4;
    const end = pae ? 32 : 4096;
    const { memory } = this;
    if (!memory.contains(one, end) || !memory.contains(other, end) || (one | other) & 3) return false;
    const { i32 } = memory;
    const [here, there] = [(RAM_BASE + one) >> 2, (RAM_BASE + other) >> 2];
    for (let word = first >> 2; word < end >> 2; word++) {
      const difference = i32[here + word]! ^ i32[there + word]!;
      if ((difference & ~(PTE.accessed | PTE.dirty)) !== 0) return false;
    }
    return true;
  }
}
