import type { GuestMemory } from './guest-memory.js';
import {
  RAM_BASE,
  TLB_BYTE,
  TLB_INVALID,
  TLB_LIST_ENTRIES,
  TLB_LISTS,
  TLB_PAGE,
  TLB_PAGES,
  TLB_READ_SUPERVISOR,
  TLB_READ_USER,
  TLB_TABLE_BYTES,
  TLB_WRITE_SUPERVISOR,
  TLB_WRITE_USER,
} from './layout.js';
import type { Walk } from './page-walk.js';
import { WriteMappings } from './write-mappings.js';

const PAGES = TLB_TABLE_BYTES / 4;
const CODE = TLB_PAGE.supervisorCode | TLB_PAGE.userCode;

/**
 * The software TLB: four flat tables in linear memory (read and write, supervisor and user), and what else is known of
 * each page. Whatever forgets pages returns for whom code has come from one of them: bits of `TLB_PAGE`.
 *
 * Invariants
 * - An entry is host address − linear address − `TLB_BYTE` of a page, or `TLB_INVALID`; the memory begins with those.
 * - Whatever is in any table is in `READ_SUPERVISOR` too: it marks which pages are filled.
 * - Pages that decoded code came from are in no write table; that is how self-modifying code is noticed.
 * - All of it is in linear memory: the interpreter's module fills it, too (`cpu/interpreter/tlb-fill.ts`).
 */
export class Tlb {
  private readonly readSupervisor: Int32Array;
  private readonly readUser: Int32Array;
  private readonly writeSupervisor: Int32Array;
  private readonly writeUser: Int32Array;
  /** Pages entered, global ones apart; a page may be listed twice, and stay listed after it was dropped. */
  private readonly local: PageList;
  private readonly global: PageList;
  private readonly writeMappings: WriteMappings;
  private readonly codePages: Uint8Array;
  /** By linear page: bits of `TLB_PAGE`. */
  private readonly marks: Uint8Array;
  private readonly size: number;
  /** The TLB was full, and has forgotten everything by itself. */
  onFull: () => void = () => {};

  constructor(memory: GuestMemory) {
    const table = (offset: number): Int32Array => new Int32Array(memory.memory.buffer, offset, PAGES);
    this.readSupervisor = table(TLB_READ_SUPERVISOR);
    this.readUser = table(TLB_READ_USER);
    this.writeSupervisor = table(TLB_WRITE_SUPERVISOR);
    this.writeUser = table(TLB_WRITE_USER);
    this.marks = memory.u8.subarray(TLB_PAGES, TLB_PAGES + PAGES);
    this.local = new PageList(memory, TLB_LISTS.local);
    this.global = new PageList(memory, TLB_LISTS.global);
    this.writeMappings = new WriteMappings(memory);
    this.codePages = memory.codePages;
    this.size = memory.size;
  }

  /** Enters the result of a successful walk for the page of `linear`. Pages outside guest memory are not entered. */
  fill(linear: number, walk: Walk): void {
    const gpa = walk.pageGpa;
    if (gpa >= this.size) return;
    const page = linear >>> 12;
    const entry = entryOf(page, gpa);
    if (this.readSupervisor[page] === TLB_INVALID) this.remember(page, walk.global);
    const rights = (walk.global ? TLB_PAGE.global : 0) | (walk.executable ? 0 : TLB_PAGE.noExecute);
    this.marks[page] = (this.marks[page]! & CODE) | rights;
    this.readSupervisor[page] = entry;
    this.readUser[page] = walk.userReadable ? entry : TLB_INVALID;
    const writable = this.codePages[gpa >>> 12] === 0;
    if (writable && (walk.supervisorWritable || walk.userWritable)) this.writeMappings.add(gpa >>> 12, page);
    this.writeSupervisor[page] = writable && walk.supervisorWritable ? entry : TLB_INVALID;
    this.writeUser[page] = writable && walk.userWritable ? entry : TLB_INVALID;
  }

  /** Code for ring 3, or for others, comes from the page of `linear`. */
  noteCode(linear: number, user: boolean): void {
    this.marks[linear >>> 12]! |= user ? TLB_PAGE.userCode : TLB_PAGE.supervisorCode;
  }

  /** Forgets everything. */
  flush(): number {
    const code = this.dropListed(this.local) | this.dropListed(this.global);
    this.writeMappings.clear();
    return code;
  }

  /** Forgets all but global pages: a load of CR3. */
  flushLocal(): number {
    return this.dropListed(this.local);
  }

  private dropListed(list: PageList): number {
    let code = 0;
    const { count, pages } = list;
    for (let i = 0; i < count; i++) code |= this.drop(pages[i]!);
    list.count = 0;
    return code;
  }

  flushPage(linear: number): number {
    return this.drop(linear >>> 12);
  }

  /** Address in linear memory of `bytes` at `linear`, if they are on a page that may be accessed so; else −1. */
  hostAddress(linear: number, bytes: number, write: boolean, user: boolean): number {
    const table = write ? (user ? this.writeUser : this.writeSupervisor) : user ? this.readUser : this.readSupervisor;
    const entry = table[linear >>> 12]!;
    if (entry === TLB_INVALID || (linear & 0xfff) > 0x1000 - bytes) return -1;
    return (entry + linear + TLB_BYTE) >>> 0;
  }

  /** Guest-physical address of the page of `linear` if it may be read without a walk, else −1. */
  pageOf(linear: number, user: boolean): number {
    const page = linear >>> 12;
    const entry = (user ? this.readUser : this.readSupervisor)[page]!;
    return entry === TLB_INVALID ? -1 : (entry + page * 4096 + TLB_BYTE - RAM_BASE) >>> 0;
  }

  /** Guest-physical address of `linear` if it may be read, or written, without a walk; else −1. */
  locate(linear: number, writing: boolean, user: boolean): number {
    const table = writing ? (user ? this.writeUser : this.writeSupervisor) : user ? this.readUser : this.readSupervisor;
    const entry = table[linear >>> 12]!;
    return entry === TLB_INVALID ? -1 : (entry + linear + TLB_BYTE - RAM_BASE) >>> 0;
  }

  /** Guest-physical address of `linear` if code may be fetched from there without a walk; else −1. */
  locateCode(linear: number, user: boolean): number {
    return this.marks[linear >>> 12]! & TLB_PAGE.noExecute ? -1 : this.locate(linear, false, user);
  }

  /** Takes guest page `gpaPage` out of the write tables: code is about to be decoded from it. */
  protectCode(gpaPage: number): void {
    const gpa = gpaPage * 4096;
    if (this.writeMappings.take(gpaPage, (page) => this.protectPage(page, gpa))) return;
    for (const list of [this.local, this.global])
      for (let i = 0; i < list.count; i++) this.protectPage(list.pages[i]!, gpa);
  }

  /** Takes linear page number `page` out of the write tables if it leads to the guest page at `gpa`. */
  private protectPage(page: number, gpa: number): void {
    const entry = entryOf(page, gpa);
    if (this.writeSupervisor[page] === entry) this.writeSupervisor[page] = TLB_INVALID;
    if (this.writeUser[page] === entry) this.writeUser[page] = TLB_INVALID;
  }

  private drop(page: number): number {
    this.readSupervisor[page] = TLB_INVALID;
    this.readUser[page] = TLB_INVALID;
    this.writeSupervisor[page] = TLB_INVALID;
    this.writeUser[page] = TLB_INVALID;
    const code = this.marks[page]! & CODE;
    this.marks[page] = 0;
    return code;
  }

  private remember(page: number, global: boolean): void {
    const list = global ? this.global : this.local;
    if (list.count >= TLB_LIST_ENTRIES) {
      this.flush();
      this.onFull();
    }
    list.add(page);
  }
}

/** Of linear page number `page`, which leads to the guest page at `gpa`. */
function entryOf(page: number, gpa: number): number {
  return (RAM_BASE + gpa - page * 4096 - TLB_BYTE) | 0;
}

/** A list of page numbers in linear memory, behind their number. */
class PageList {
  readonly pages: Int32Array;
  private readonly counts: Int32Array;

  constructor(memory: GuestMemory, offset: number) {
    this.counts = new Int32Array(memory.memory.buffer, offset, 1);
    this.pages = new Int32Array(memory.memory.buffer, offset + 4, TLB_LIST_ENTRIES);
  }

  get count(): number {
    return this.counts[0]!;
  }
  set count(count: number) {
    this.counts[0] = count;
  }

  add(page: number): void {
    const { count } = this;
    this.pages[count] = page;
    this.count = count + 1;
  }
}
