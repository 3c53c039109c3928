import { GuestAddressError, type GuestMemory } from './guest-memory.js';
import { RAM_BASE, WALKER } from './layout.js';

/**
 * The one page walker: paging off, 32-bit two-level tables with 4 MiB pages, and PAE with 2 MiB pages
 * (Intel SDM vol. 3, chapter 4). Both boards use it; what differs between them is `WalkRules`.
 *
 * Invariants
 * - Nothing is allocated by a walk: `walk` fills and returns one object that is reused.
 * - A walk that ends in a fault changes nothing in memory. One that succeeds sets A, and D on a write.
 * - Entries are read from guest memory each time; caching is the business of the processor's TLB.
 * - Settings are in linear memory (`WALKER`): the usual cases of a walk are done by the interpreter's module, too
 *   (`cpu/interpreter/tlb-fill.ts`), for which this is the specification. So there is one walker for a memory.
 */

/** Access kinds of a walk, placed as in the page-fault error code: write, user, instruction fetch. */
export const ACCESS_READ = 0;
export const ACCESS_WRITE = 2;
export const ACCESS_USER = 4;
export const ACCESS_FETCH = 16;

/** Result of a page walk; one object is reused, read it at once. */
export interface Walk {
  /** Page-fault error code (SDM vol. 3, 4.7), or −1 when the access is allowed. */
  fault: number;
  /** Guest-physical address of the page's first byte (4 KiB granularity even inside large pages). */
  pageGpa: number;
  /** May the page be written from now on without another walk (writable and already dirty)? At user and at supervisor level. */
  userWritable: boolean;
  supervisorWritable: boolean;
  /** May user-level code read it? (Supervisor always may.) */
  userReadable: boolean;
  /** May code be fetched from it, by whoever may read it? */
  executable: boolean;
  /** Stays in the TLB when CR3 is loaded: the G bit, with CR4.PGE. */
  global: boolean;
}

/** Bits of a page-table or directory entry. */
export const PTE = {
  present: 0x01,
  writable: 0x02,
  user: 0x04,
  accessed: 0x20,
  dirty: 0x40,
  large: 0x80,
  global: 0x100,
} as const;

/** How linear addresses become physical ones. */
export const PAGING = {
  /** No tables: `WalkRules.flat` says where a page lies. */
  flat: 0,
  /** 1024 directory words, 1024 table words, 4 MiB pages if `largePages`. */
  twoLevel: 1,
  /** 4 + 512 + 512 double words, 2 MiB pages if `largePages`. */
  pae: 2,
} as const;

/** Bit 3 of the page-fault error code: a reserved bit was set in an entry. */
const RESERVED_BIT_FAULT = 8;
/** 4 MiB pages without PSE-36: address bits 13–21 must be zero. */
const RESERVED_4M = 0x003f_e000;
/** 2 MiB pages: address bits 13–20 must be zero. */
const RESERVED_2M = 0x001f_e000;

/** What a board adds to, or takes from, the architecture. */
export interface WalkRules {
  /** Do directory entries get their accessed bit set? Hardware: yes. lguest's Host never does (lguest-abi §6.2). */
  readonly accessedInDirectories: boolean;
  /**
   * Strict: entries may hold only the bits of lguest-abi §6.2 and frames below the walker's `frameLimit`; all else,
   * and a table outside memory, ends the guest through `refuse` or `GuestAddressError`.
   * Not strict: reserved bits fault as the SDM says, and a table outside memory reads as "not present".
   */
  readonly strict: boolean;
  /** Strict: an entry of this level broke the rules. Never returns. */
  refuse(level: 'directory' | 'middle' | 'entry'): never;
  /** `PAGING.flat`: guest-physical address of the page at `linear` (page-aligned, unsigned), −1 if there is none. May throw. */
  flat(linear: number): number;
  /** `PAGING.flat`: may user level use the pages? */
  readonly flatUser: boolean;
}

/** Settings of a walker: what CR0, CR3, CR4 and EFER say on hardware. */
export interface WalkerState {
  mode: number;
  root: number;
  writeProtect: boolean;
  noExecute: boolean;
  largePages: boolean;
  globalPages: boolean;
}

/** `globalFrom`: beyond all addresses. */
const NEVER_GLOBAL = 0x1_0000_0000;

export class PageWalker {
  private readonly result: Walk = {
    fault: -1,
    pageGpa: 0,
    userWritable: false,
    supervisorWritable: false,
    userReadable: false,
    executable: false,
    global: false,
  };
  /** Bits of an entry's high word that are reserved, NX aside: beyond 36 physical address bits. */
  private readonly reservedHigh = 0x7fff_fff0;

  private readonly words: Uint32Array;

  constructor(
    private readonly memory: GuestMemory,
    readonly rules: WalkRules,
  ) {
    this.words = memory.u32;
    this.words[WALKER.strict >> 2] = Number(rules.strict);
    this.words[WALKER.accessedInDirectories >> 2] = Number(rules.accessedInDirectories);
    this.mode = PAGING.flat;
    this.root = 0;
    this.writeProtect = true;
    this.noExecute = false;
    this.largePages = false;
    this.globalPages = false;
    this.frameLimit = memory.size >>> 12;
    this.globalFrom = NEVER_GLOBAL;
  }

  /** One of `PAGING`. */
  get mode(): number {
    return this.words[WALKER.mode >> 2]!;
  }
  set mode(mode: number) {
    this.words[WALKER.mode >> 2] = mode;
  }
  /** Guest-physical address of the top-level table, bytes. */
  get root(): number {
    return this.words[WALKER.root >> 2]!;
  }
  set root(root: number) {
    this.words[WALKER.root >> 2] = root;
  }
  /** CR0.WP: supervisor writes honour read-only pages. */
  get writeProtect(): boolean {
    return this.words[WALKER.writeProtect >> 2] !== 0;
  }
  set writeProtect(on: boolean) {
    this.words[WALKER.writeProtect >> 2] = Number(on);
  }
  /** EFER.NXE; counts in PAE mode only. */
  get noExecute(): boolean {
    return this.words[WALKER.noExecute >> 2] !== 0;
  }
  set noExecute(on: boolean) {
    this.words[WALKER.noExecute >> 2] = Number(on);
  }
  /** CR4.PSE. (PAE always has its 2 MiB pages.) Ignored when strict. */
  get largePages(): boolean {
    return this.words[WALKER.largePages >> 2] !== 0;
  }
  set largePages(on: boolean) {
    this.words[WALKER.largePages >> 2] = Number(on);
  }
  /** CR4.PGE. */
  get globalPages(): boolean {
    return this.words[WALKER.globalPages >> 2] !== 0;
  }
  set globalPages(on: boolean) {
    this.words[WALKER.globalPages >> 2] = Number(on);
  }
  /** First frame number that may not be mapped. Only looked at when strict. At most what guest memory has. */
  get frameLimit(): number {
    return this.words[WALKER.frameLimit >> 2]!;
  }
  set frameLimit(frames: number) {
    this.words[WALKER.frameLimit >> 2] = frames;
  }
  /** Linear addresses from here on are alike in all address spaces, whatever their entries say. Not 0. */
  get globalFrom(): number {
    return this.words[WALKER.globalBehind >> 2]! + 1;
  }
  set globalFrom(linear: number) {
    this.words[WALKER.globalBehind >> 2] = linear - 1;
  }

  /** Translates the page of `linear` for `access` (a sum of ACCESS_*); sets A and D. */
  walk(linear: number, access: number): Walk {
    if (this.mode === PAGING.twoLevel) return this.walkTwoLevel(linear, access);
    if (this.mode === PAGING.pae) return this.walkPae(linear, access);
    return this.walkFlat(linear, access);
  }

  /**
   * Where `linear` lies in guest-physical memory, or −1 if no page is there. Looks at nothing but the present
   * bits and frames, sets nothing: how the Host and debuggers peek.
   */
  locate(linear: number): number {
    const offset = linear & 0xfff;
    if (this.mode === PAGING.flat) {
      const page = this.rules.flat((linear & ~0xfff) >>> 0);
      return page < 0 ? -1 : page + offset;
    }
    if (this.mode === PAGING.twoLevel) {
      const pde = this.entry(this.root + (linear >>> 22) * 4, 4);
      if ((pde & PTE.present) === 0) return -1;
      if ((pde & PTE.large) !== 0 && this.largePages) return ((pde & 0xffc0_0000) >>> 0) + (linear & 0x3f_ffff);
      const pte = this.entry(frame(pde) + ((linear >>> 10) & 0xffc), 4);
      return (pte & PTE.present) === 0 ? -1 : frame(pte) + offset;
    }
    const pdpte = this.entry(this.root + (linear >>> 30) * 8, 8);
    if ((pdpte & PTE.present) === 0) return -1;
    const pdeAt = frame(pdpte) + ((linear >>> 18) & 0xff8);
    const pde = this.entry(pdeAt, 8);
    if ((pde & PTE.present) === 0) return -1;
    if ((pde & PTE.large) !== 0 && !this.rules.strict) {
      return ((pde & 0xffe0_0000) >>> 0) + (this.entry(pdeAt + 4, 4) & 0xf) * 0x1_0000_0000 + (linear & 0x1f_ffff);
    }
    const pteAt = frame(pde) + ((linear >>> 9) & 0xff8);
    const pte = this.entry(pteAt, 8);
    if ((pte & PTE.present) === 0) return -1;
    return frame(pte) + (this.entry(pteAt + 4, 4) & 0x7fff_ffff) * 0x1_0000_0000 + offset;
  }

  save(): WalkerState {
    const { mode, root, writeProtect, noExecute, largePages, globalPages } = this;
    return { mode, root, writeProtect, noExecute, largePages, globalPages };
  }

  load(state: WalkerState): void {
    this.mode = state.mode;
    this.root = state.root;
    this.writeProtect = state.writeProtect;
    this.noExecute = state.noExecute;
    this.largePages = state.largePages;
    this.globalPages = state.globalPages;
  }

  private walkFlat(linear: number, access: number): Walk {
    const page = this.rules.flat((linear & ~0xfff) >>> 0);
    const user = this.rules.flatUser;
    if (page < 0) return this.deny(access & 6);
    if ((access & ACCESS_USER) !== 0 && !user) return this.deny((access & 6) | 1);
    const walk = this.result;
    walk.fault = -1;
    walk.pageGpa = page;
    walk.supervisorWritable = true;
    walk.userReadable = user;
    walk.userWritable = user;
    walk.executable = true;
    walk.global = linear >>> 0 >= this.globalFrom;
    return walk;
  }

  private walkTwoLevel(linear: number, access: number): Walk {
    const rules = this.rules;
    const pdeAt = this.root + (linear >>> 22) * 4;
    const pde = this.entry(pdeAt, 4);
    if ((pde & PTE.present) === 0) return this.deny(access & 6);
    if (rules.strict) {
      if ((pde & 0xf98) !== 0 || pde >>> 12 >= this.frameLimit) rules.refuse('directory');
    } else if ((pde & PTE.large) !== 0 && this.largePages) {
      if ((pde & RESERVED_4M) !== 0) return this.deny((access & 6) | 1 | RESERVED_BIT_FAULT);
      if (!this.allowed(access, pde)) return this.deny((access & 6) | 1);
      const dirtied = this.setAccessed(pdeAt, pde, access);
      return this.grant(linear, ((pde & 0xffc0_0000) >>> 0) + (linear & 0x3f_f000), pde, dirtied, pde, 0);
    }
    const pteAt = frame(pde) + ((linear >>> 10) & 0xffc);
    const pte = this.entry(pteAt, 4);
    if ((pte & PTE.present) === 0) return this.deny(access & 6);
    const flags = pde & pte;
    if (!this.allowed(access, flags)) return this.deny((access & 6) | 1);
    if (rules.strict && ((pte & PTE.large) !== 0 || pte >>> 12 >= this.frameLimit)) rules.refuse('entry');
    if (rules.accessedInDirectories && (pde & PTE.accessed) === 0) this.memory.write32(pdeAt, pde | PTE.accessed);
    const dirtied = this.setAccessed(pteAt, pte, access);
    return this.grant(linear, frame(pte), flags, dirtied, pte, 0);
  }

  private walkPae(linear: number, access: number): Walk {
    const rules = this.rules;
    const code = access & (this.noExecute ? 0x16 : 6);
    // The PDPTE carries no rights and is never marked accessed (SDM vol. 3, 4.4.1).
    const pdpteAt = this.root + (linear >>> 30) * 8;
    const pdpte = this.entry(pdpteAt, 8);
    if ((pdpte & PTE.present) === 0) return this.deny(code);
    if (rules.strict) {
      const high = this.entry(pdpteAt + 4, 4);
      if ((pdpte & 0xffe) !== 0 || high !== 0 || pdpte >>> 12 >= this.frameLimit) rules.refuse('directory');
    }
    const pdeAt = frame(pdpte) + ((linear >>> 18) & 0xff8);
    const pde = this.entry(pdeAt, 8);
    if ((pde & PTE.present) === 0) return this.deny(code);
    const pdeHigh = this.entry(pdeAt + 4, 4);
    if (rules.strict) {
      if ((pde & 0xf98) !== 0 || pdeHigh !== 0 || pde >>> 12 >= this.frameLimit) rules.refuse('middle');
    } else {
      if (this.reserved(pdeHigh)) return this.deny(code | 1 | RESERVED_BIT_FAULT);
      if ((pde & PTE.large) !== 0) {
        if ((pde & RESERVED_2M) !== 0) return this.deny(code | 1 | RESERVED_BIT_FAULT);
        if (!this.allowed(access, pde) || this.forbidsFetch(access, pdeHigh)) return this.deny(code | 1);
        const dirtied = this.setAccessed(pdeAt, pde, access);
        const page = ((pde & 0xffe0_0000) >>> 0) + (linear & 0x1f_f000) + (pdeHigh & 0xf) * 0x1_0000_0000;
        return this.grant(linear, page, pde, dirtied, pde, pdeHigh);
      }
    }
    const pteAt = frame(pde) + ((linear >>> 9) & 0xff8);
    const pte = this.entry(pteAt, 8);
    if ((pte & PTE.present) === 0) return this.deny(code);
    const pteHigh = this.entry(pteAt + 4, 4);
    if (!rules.strict && this.reserved(pteHigh)) return this.deny(code | 1 | RESERVED_BIT_FAULT);
    const flags = pde & pte;
    if (!this.allowed(access, flags) || this.forbidsFetch(access, pdeHigh | pteHigh)) return this.deny(code | 1);
    if (rules.strict) {
      const beyond = (pteHigh & 0x7fff_ffff) !== 0 || pte >>> 12 >= this.frameLimit;
      if ((pte & PTE.large) !== 0 || beyond) rules.refuse('entry');
    }
    if (rules.accessedInDirectories && (pde & PTE.accessed) === 0) this.memory.write32(pdeAt, pde | PTE.accessed);
    const dirtied = this.setAccessed(pteAt, pte, access);
    const page = frame(pte) + (rules.strict ? 0 : (pteHigh & 0xf) * 0x1_0000_0000);
    return this.grant(linear, page, flags, dirtied, pte, pdeHigh | pteHigh);
  }

  /** Low word of the table entry at `gpa`; `size` is the entry's size for the error text. */
  private entry(gpa: number, size: number): number {
    if (!this.memory.contains(gpa, size)) {
      if (this.rules.strict) throw new GuestAddressError('read', gpa, size);
      return 0;
    }
    return this.memory.view.getInt32(RAM_BASE + gpa, true);
  }

  /** The rights in `flags` (AND of all levels) against `access`; rings 0 to 2 are supervisor (SDM vol. 3, 4.6). */
  private allowed(access: number, flags: number): boolean {
    if ((access & ACCESS_USER) !== 0) {
      if ((flags & PTE.user) === 0) return false;
      return (access & ACCESS_WRITE) === 0 || (flags & PTE.writable) !== 0;
    }
    return (access & ACCESS_WRITE) === 0 || (flags & PTE.writable) !== 0 || !this.writeProtect;
  }

  private forbidsFetch(access: number, high: number): boolean {
    return this.noExecute && (access & ACCESS_FETCH) !== 0 && high < 0;
  }

  private reserved(high: number): boolean {
    return (high & this.reservedHigh) !== 0 || (high < 0 && !this.noExecute);
  }

  /** Sets A, and D for a write, in the entry that maps the page. Returns whether D is set now. */
  private setAccessed(entryAt: number, entry: number, access: number): boolean {
    const wanted = (access & ACCESS_WRITE) !== 0 ? entry | PTE.accessed | PTE.dirty : entry | PTE.accessed;
    if (wanted !== entry) this.memory.write32(entryAt, wanted);
    return (wanted & PTE.dirty) !== 0;
  }

  private deny(code: number): Walk {
    this.result.fault = code;
    return this.result;
  }

  /** `flags`: AND of all levels; `last`: the entry that maps the page; `high`: OR of the high words. */
  private grant(linear: number, pageGpa: number, flags: number, dirty: boolean, last: number, high: number): Walk {
    const walk = this.result;
    const user = (flags & PTE.user) !== 0;
    const writable = (flags & PTE.writable) !== 0;
    walk.fault = -1;
    walk.pageGpa = pageGpa;
    walk.userReadable = user;
    walk.executable = !this.noExecute || high >= 0;
    walk.userWritable = user && writable && dirty;
    walk.supervisorWritable = dirty && (writable || !this.writeProtect);
    walk.global = (this.globalPages && (last & PTE.global) !== 0) || linear >>> 0 >= this.globalFrom;
    return walk;
  }
}

/** Guest-physical address of the frame an entry's low word names, unsigned. */
function frame(entry: number): number {
  return (entry & 0xffff_f000) >>> 0;
}
