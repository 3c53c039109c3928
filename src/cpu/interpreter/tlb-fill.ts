import {
  CODE_PAGES,
  RAM_BASE,
  STATE,
  TLB_BYTE,
  TLB_INVALID,
  TLB_LIST_ENTRIES,
  TLB_LISTS,
  TLB_PAGE,
  TLB_PAGES,
  TLB_READ_SUPERVISOR,
  TLB_READ_USER,
  TLB_WRITE_SUPERVISOR,
  TLB_WRITE_USER,
  WALKER,
  WRITE_MAPPINGS,
} from '../../memory/layout.js';
import { ACCESS_FETCH, ACCESS_USER, ACCESS_WRITE, PAGING, PTE } from '../../memory/page-walk.js';
import { MANY_MAPPINGS, NO_MAPPING } from '../../memory/write-mappings.js';
import { Code, I32 } from '../../wasm/code.js';
import type { ModuleBuilder } from '../../wasm/module.js';
import { type Local, type Operand, RoutineBuilder } from '../../wasm/routine.js';
import { FLAG } from '../state.js';

/** What the function answers, if not with the error code of a page fault. */
export const FILL = { done: -1, unusual: -2 } as const;

/** As an access: a read by a supervisor that nobody makes. What would set bits in an entry is unusual then. */
export const FILL_MARKED = 32;

/** Address bits of an entry that names a page or a table. */
const FRAME = ~0xfff;

/** Large pages: address bits that have to be zero, and those of the page. */
const LARGE = {
  twoLevel: { reserved: 0x003f_e000, frame: 0xffc0_0000 | 0, offset: 0x3f_f000 },
  pae: { reserved: 0x001f_e000, frame: 0xffe0_0000 | 0, offset: 0x1f_f000 },
} as const;

/**
 * Adds the function (linear address, access) → `FILL` or an error code: the usual cases of `PageWalker.walk`, which says
 * what is right, and `Tlb.fill`. The access is a sum of `ACCESS_*`, whoever runs now. Usual is what is about pages and
 * tables in guest memory, sets no bits in a table that code has come from, and in which a strict walker finds nothing
 * odd. In all other cases nothing is in the TLB that was not there; accessed bits may be set that will have to be.
 */
export function addTlbFill(module: ModuleBuilder): number {
  const code = new Code();
  const r = new RoutineBuilder(code, [I32, I32]);
  const [linear, access] = r.parameters as [Local, Local];
  const mode = r.load(I32, WALKER.mode);
  r.returnIf(r.isZero(mode), FILL.unusual);
  // Who is checked for alignment has no TLB.
  r.returnIf(r.and(r.load(I32, STATE.eflags), FLAG.AC), FILL.unusual);
  const walk = new UsualWalk(r, linear, access);
  r.when(
    r.eq(mode, PAGING.twoLevel),
    () => walk.twoLevel(),
    () => walk.pae(),
  );
  walk.fill();
  r.push(FILL.done);
  return module.addFunction([I32, I32], [I32], r.localRuns(), code.bytes());
}

/** Emits the walk. Its result is in variables. */
class UsualWalk {
  private readonly strict: Local;
  private readonly frames: Local;
  /** Guest-physical address of the page. */
  private readonly page: Local;
  /** AND of the entries of all levels, OR of their high words, the entry that maps the page and where it is. */
  private readonly flags: Local;
  private readonly high: Local;
  private readonly last: Local;
  private readonly lastAt: Local;

  constructor(
    private readonly r: RoutineBuilder,
    private readonly linear: Local,
    private readonly access: Local,
  ) {
    this.strict = r.load(I32, WALKER.strict);
    this.frames = r.load(I32, WALKER.frameLimit);
    this.page = r.variable(I32);
    this.flags = r.variable(I32);
    this.high = r.variable(I32);
    this.last = r.variable(I32);
    this.lastAt = r.variable(I32);
  }

  twoLevel(): void {
    const { r, linear } = this;
    const missing = r.and(this.access, ACCESS_WRITE | ACCESS_USER);
    const directoryAt = r.add(this.root(), r.and(r.shrU(linear, 20), 0xffc));
    const directory = this.entry(directoryAt, missing);
    r.assign(this.high, 0);
    this.refuse(r.and(this.strict, r.ne(r.and(directory, 0xf98), 0)));
    const large = r.and(r.isZero(this.strict), r.load(I32, WALKER.largePages));
    r.when(
      r.and(large, r.ne(r.and(directory, PTE.large), 0)),
      () => this.mapLarge(directoryAt, directory, LARGE.twoLevel, missing),
      () => {
        const at = r.add(r.and(directory, FRAME), r.and(r.shrU(linear, 10), 0xffc));
        const entry = this.entry(at, missing);
        this.mapSmall(directoryAt, directory, at, entry, missing);
      },
    );
  }

  pae(): void {
    const { r, linear } = this;
    const noExecute = r.load(I32, WALKER.noExecute);
    const kinds = r.select(noExecute, ACCESS_WRITE | ACCESS_USER | ACCESS_FETCH, ACCESS_WRITE | ACCESS_USER);
    const missing = r.and(this.access, kinds);
    const topAt = r.add(this.root(), r.and(r.shrU(linear, 27), 0x18));
    const top = this.entry(topAt, missing);
    const topOdd = r.or(r.and(top, 0xffe), this.highWord(topAt));
    this.refuse(r.and(this.strict, r.ne(topOdd, 0)));
    const directoryAt = r.add(r.and(top, FRAME), r.and(r.shrU(linear, 18), 0xff8));
    const directory = this.entry(directoryAt, missing);
    const directoryHigh = this.highWord(directoryAt);
    const odd = r.or(r.and(directory, 0xf98), directoryHigh);
    this.refuse(r.and(this.strict, r.ne(odd, 0)));
    this.demandHigh(directoryHigh, noExecute);
    r.assign(this.high, directoryHigh);
    r.when(
      r.and(directory, PTE.large),
      () => this.mapLarge(directoryAt, directory, LARGE.pae, missing),
      () => {
        const at = r.add(r.and(directory, FRAME), r.and(r.shrU(linear, 9), 0xff8));
        const entry = this.entry(at, missing);
        const entryHigh = this.highWord(at);
        this.demandHigh(entryHigh, noExecute);
        r.assign(this.high, r.or(this.high, entryHigh));
        this.mapSmall(directoryAt, directory, at, entry, missing);
      },
    );
  }

  private refuse(condition: Operand): void {
    this.r.returnIf(condition, FILL.unusual);
  }

  /** Of the top-level table. An odd one could have entries on two pages. */
  private root(): Local {
    const { r } = this;
    const root = r.load(I32, WALKER.root);
    this.refuse(r.and(root, 0x1f));
    this.demandFrame(root);
    return root;
  }

  /** The low word of an entry; one that is not present is a fault with this code. */
  private entry(at: Local, missing: Local): Local {
    const { r } = this;
    this.demandFrame(at);
    const entry = r.loadAt(at, RAM_BASE);
    r.returnIf(r.isZero(r.and(entry, PTE.present)), missing);
    return entry;
  }
  private highWord(at: Local): Local {
    return this.r.loadAt(at, RAM_BASE + 4);
  }
  /** No address beyond 4 GB, no reserved bit. */
  private demandHigh(high: Local, noExecute: Local): void {
    const { r } = this;
    this.refuse(r.and(high, r.select(noExecute, 0x7fff_ffff, -1)));
  }

  private mapLarge(
    at: Local,
    entry: Local,
    { reserved, frame, offset }: { reserved: number; frame: number; offset: number },
    missing: Local,
  ): void {
    const { r } = this;
    this.refuse(r.and(entry, reserved));
    this.demandRights(entry, missing);
    r.assign(this.page, r.or(r.and(entry, frame), r.and(this.linear, offset)));
    this.demandFrame(this.page);
    this.finish(entry, entry, at);
  }

  private mapSmall(directoryAt: Local, directory: Local, at: Local, entry: Local, missing: Local): void {
    const { r } = this;
    const flags = r.and(directory, entry);
    this.demandRights(flags, missing);
    this.refuse(r.and(this.strict, r.ne(r.and(entry, PTE.large), 0)));
    r.assign(this.page, r.and(entry, FRAME));
    this.demandFrame(this.page);
    const unmarked = r.isZero(r.and(directory, PTE.accessed));
    r.when(r.and(r.load(I32, WALKER.accessedInDirectories), unmarked), () => {
      this.demandNoCode(directoryAt);
      r.storeAt(directoryAt, r.or(directory, PTE.accessed), RAM_BASE);
    });
    this.finish(flags, entry, at);
  }

  /** `PageWalker.allowed` and `forbidsFetch`. */
  private demandRights(flags: Local, missing: Local): void {
    const { r, access } = this;
    const fault = r.or(missing, PTE.present);
    const writing = r.and(access, ACCESS_WRITE);
    const readOnly = r.isZero(r.and(flags, PTE.writable));
    r.when(
      r.and(access, ACCESS_USER),
      () => {
        r.returnIf(r.isZero(r.and(flags, PTE.user)), fault);
        r.returnIf(r.and(r.ne(writing, 0), readOnly), fault);
      },
      () => r.returnIf(r.and(r.and(r.ne(writing, 0), readOnly), r.load(I32, WALKER.writeProtect)), fault),
    );
    // The sign is the NX bit; it is reserved, and not set, where it means nothing.
    r.returnIf(r.and(r.ltS(this.high, 0), r.ne(r.and(access, ACCESS_FETCH), 0)), fault);
  }

  /** Tables elsewhere have no entries; device memory is not for the TLB. */
  private demandFrame(gpa: Local): void {
    const { r } = this;
    this.refuse(r.isZero(r.ltU(r.shrU(gpa, 12), this.frames)));
  }
  /** Whoever writes into pages with code has more to do. */
  private demandNoCode(at: Local): void {
    const { r } = this;
    this.refuse(r.loadByteAt(r.shrU(at, 12), CODE_PAGES));
  }
  private finish(flags: Local, last: Local, lastAt: Local): void {
    const { r } = this;
    r.assign(this.flags, flags);
    r.assign(this.last, last);
    r.assign(this.lastAt, lastAt);
  }

  /** Sets A and D, and puts the page into the TLB. */
  fill(): void {
    const { r } = this;
    const writing = r.and(this.access, ACCESS_WRITE);
    const wanted = r.or(this.last, r.select(writing, PTE.accessed | PTE.dirty, PTE.accessed));
    r.when(r.ne(wanted, this.last), () => {
      this.refuse(r.and(this.access, FILL_MARKED));
      this.demandNoCode(this.lastAt);
    });
    const number = r.shrU(this.linear, 12);
    const at = r.shl(number, 2);
    const marked = r.and(r.load(I32, WALKER.globalPages), r.ne(r.and(this.last, PTE.global), 0));
    const global = r.or(marked, r.ltU(r.load(I32, WALKER.globalBehind), this.linear));
    r.when(r.eq(r.loadAt(at, TLB_READ_SUPERVISOR), TLB_INVALID), () => {
      const list = r.select(global, TLB_LISTS.global, TLB_LISTS.local);
      const count = r.loadAt(list, 0);
      this.refuse(r.isZero(r.ltU(count, TLB_LIST_ENTRIES)));
      r.storeAt(r.add(list, r.shl(count, 2)), number, 4);
      r.storeAt(list, r.add(count, 1), 0);
    });
    r.when(r.ne(wanted, this.last), () => r.storeAt(this.lastAt, wanted, RAM_BASE));
    const kept = r.and(r.loadByteAt(number, TLB_PAGES), TLB_PAGE.supervisorCode | TLB_PAGE.userCode);
    const noExecute = r.select(r.ltS(this.high, 0), TLB_PAGE.noExecute, 0);
    r.storeByteAt(number, r.or(r.or(kept, noExecute), r.select(global, TLB_PAGE.global, 0)), TLB_PAGES);

    const entry = r.sub(r.add(this.page, RAM_BASE - TLB_BYTE), r.shl(number, 12));
    const user = r.ne(r.and(this.flags, PTE.user), 0);
    const guestPage = r.shrU(this.page, 12);
    const dirty = r.ne(r.and(wanted, PTE.dirty), 0);
    const mayWrite = r.and(dirty, r.isZero(r.loadByteAt(guestPage, CODE_PAGES)));
    const writable = r.ne(r.and(this.flags, PTE.writable), 0);
    const byUser = r.and(mayWrite, r.and(user, writable));
    const bySupervisor = r.and(mayWrite, r.or(writable, r.isZero(r.load(I32, WALKER.writeProtect))));
    r.storeAt(at, entry, TLB_READ_SUPERVISOR);
    r.storeAt(at, r.select(user, entry, TLB_INVALID), TLB_READ_USER);
    r.storeAt(at, r.select(bySupervisor, entry, TLB_INVALID), TLB_WRITE_SUPERVISOR);
    r.storeAt(at, r.select(byUser, entry, TLB_INVALID), TLB_WRITE_USER);
    r.when(bySupervisor, () => this.noteMapping(r.shl(guestPage, 3), r.add(number, 1)));
  }

  /** `WriteMappings.add`. */
  private noteMapping(at: Local, mapping: Local): void {
    const { r } = this;
    const one = r.loadAt(at, WRITE_MAPPINGS);
    const other = r.loadAt(at, WRITE_MAPPINGS + 4);
    const known = r.or(r.eq(one, mapping), r.or(r.eq(other, mapping), r.eq(other, MANY_MAPPINGS)));
    r.when(r.isZero(known), () =>
      r.when(
        r.eq(one, NO_MAPPING),
        () => r.storeAt(at, mapping, WRITE_MAPPINGS),
        () => r.storeAt(at, r.select(r.eq(other, NO_MAPPING), mapping, MANY_MAPPINGS), WRITE_MAPPINGS + 4),
      ),
    );
  }
}
