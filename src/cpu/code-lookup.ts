import { CODE_PAGE, type GuestMemory } from '../memory/guest-memory.js';
import { CS, KEYS, REGION_KEYS, REGION_SLOTS, SEGMENT, STATE } from '../memory/layout.js';
import type { Tlb } from '../memory/tlb.js';
import { ACCESS_FETCH } from './board.js';
import { type Block, CodeCache, NO_BLOCK } from './code-cache.js';
import { CodeEpochs } from './code-epochs.js';
import { Decoder } from './decoder.js';
import { GP, GuestFault } from './faults.js';
import type { Forms } from './interpreter/forms.js';
import { JumpCache } from './jump-cache.js';
import type { SlowAccess } from './linear-access.js';
import type { CpuState } from './state.js';
import { KEY_USER, TRANSLATED_MODE, type Translator, type TranslatorHost } from './translator.js';

/** Without a translator nothing becomes hot. */
const NEVER_HOT = 1;

/** What `CodeLookup` does for a `TranslatorHost`. */
type TranslatorService = Pick<
  TranslatorHost,
  | 'mappedPage'
  | 'fetchablePage'
  | 'hasRun'
  | 'watchCode'
  | 'unwatchPage'
  | 'runsSinceHot'
  | 'regionChanged'
  | 'regionsChanged'
>;

/**
 * Where code is: decoded blocks and translated regions for linear addresses, and how long that holds.
 *
 * Invariant: what carries the present epoch has come from pages that the TLB has, with their mark, and that are mapped
 * as they were; so the TLB knows when an epoch has to end.
 */
export class CodeLookup {
  translator: Translator | undefined;
  /** How often writes have ended regions. */
  regionsLost = 0;
  private readonly memory: GuestMemory;
  private readonly state: CpuState;
  private readonly tlb: Tlb;
  private readonly access: SlowAccess;
  private readonly blocks: CodeCache;
  private readonly jumps: JumpCache;
  private readonly epochs: CodeEpochs;
  private readonly i32: Int32Array;
  /** Linear address of the block that `shorten` has made. */
  private shortened = 0;
  /** Guest-physical address of the page behind that of `state.eip`. */
  private readonly nextPage: () => number;

  /** `onEpoch`: `codeKey` has to be made anew. */
  constructor(
    memory: GuestMemory,
    state: CpuState,
    tlb: Tlb,
    access: SlowAccess,
    forms: Forms,
    private readonly onEpoch: () => void,
  ) {
    this.memory = memory;
    this.state = state;
    this.tlb = tlb;
    this.access = access;
    this.i32 = memory.i32;
    this.epochs = new CodeEpochs(memory);
    this.blocks = new CodeCache(memory, tlb, forms, new Decoder(forms));
    this.jumps = new JumpCache(memory);
    this.blocks.onFlush = () => this.forgetAll();
    tlb.onFull = () => this.endEpochs();
    memory.onCodeWrite = (gpa, length) => this.codeWritten(gpa, length);
    this.nextPage = () => {
      const linear = ((this.linearEip() & ~0xfff) + 0x1000) >>> 0;
      const gpa = this.locateCode(linear);
      this.noteCode(linear);
      return gpa;
    };
  }

  /** `codeKey` without the mode. */
  key(user: boolean): number {
    return this.i32[(user ? KEYS.user : KEYS.supervisor) >> 2]!;
  }

  /** For a translator of this code. */
  serve(): TranslatorService {
    const { tlb, memory } = this;
    const mapped = (linear: number, user: boolean, gpa: number): number => {
      if (gpa >= 0) tlb.noteCode(linear, user);
      return gpa;
    };
    return {
      mappedPage: (linear, user) => mapped(linear, user, tlb.pageOf(linear, user)),
      fetchablePage: (linear, user) => mapped(linear, user, this.access.findCode(linear & ~0xfff, user)),
      hasRun: (gpa, mode) => this.blocks.has(gpa, mode),
      watchCode: (start, end) => {
        const protectedAlready = memory.codePages[start >>> 12] !== 0;
        memory.watchCode(start, end, CODE_PAGE.translated);
        if (!protectedAlready) tlb.protectCode(start >>> 12);
      },
      unwatchPage: (page) => memory.unwatchCode(page, CODE_PAGE.translated),
      runsSinceHot: (linear) => this.jumps.runsSinceHot(linear),
      regionChanged: (linear) => this.jumps.forget(linear),
      regionsChanged: () => this.forgetAll(),
    };
  }

  // --- how long it holds ----------------------------------------------------------------------

  /** The TLB has forgotten pages that code has come from for these: bits of `TLB_PAGE`. */
  pagesForgotten(code: number): void {
    // The TLB is not filled then, and knows of no pages.
    if (this.access.checkAlignment) this.endEpochs();
    else if (this.epochs.end(code)) this.epochEnded();
  }

  /** All mappings may be different now. */
  endEpochs(): void {
    this.epochs.end(-1);
    this.epochEnded();
  }

  private epochEnded(): void {
    if (this.epochs.isSpent) {
      this.epochs.startAnew();
      this.jumps.clear();
      this.i32.fill(0, REGION_KEYS >> 2, (REGION_KEYS >> 2) + REGION_SLOTS);
    }
    this.onEpoch();
  }

  /** Records or slots are about to be used anew. */
  private forgetAll(): void {
    this.jumps.clear();
    this.endEpochs();
  }

  /** Everything in the state may be different now. */
  flush(): void {
    this.translator?.flush();
    this.blocks.flush();
  }

  private codeWritten(gpa: number, length: number): void {
    this.blocks.invalidate(gpa, length);
    if (this.translator?.invalidate(gpa, length)) this.regionsLost++;
  }

  // --- looking up -----------------------------------------------------------------------------

  private linearEip(): number {
    return (this.state.eip + this.state.get(STATE.segments + SEGMENT.stride * CS + SEGMENT.base)) >>> 0;
  }

  private get user(): boolean {
    return this.state.cpl === 3;
  }

  /** Guest-physical address of code at `linear`; walks only if the TLB does not know. Throws #PF. */
  private locateCode(linear: number): number {
    const known = this.tlb.locateCode(linear, this.user);
    return known >= 0 ? known : this.access.translate(linear, ACCESS_FETCH, false);
  }

  /** `locateCode` has found the page, and code from it is about to be used. */
  private noteCode(linear: number): void {
    this.tlb.noteCode(linear, this.user);
  }

  private limit(): number {
    return this.state.get(STATE.segments + SEGMENT.stride * CS + SEGMENT.limit) - this.state.eip + 1;
  }

  /** The block at `state.eip`, and the region there if there is one, go into the jump cache. Throws `GuestFault`. */
  find(): void {
    const { i32, jumps, translator } = this;
    const linear = this.linearEip();
    const mode = i32[STATE.codeKey >> 2]! & (KEY_USER - 1);
    const limit = this.limit();
    if (limit <= 0) throw new GuestFault(GP, 0);
    const gpa = this.locateCode(linear);
    if (gpa >= this.memory.size) throw new GuestFault(GP, 0);
    const block = this.blocks.find(gpa, mode, limit, this.nextPage);
    if (block === NO_BLOCK.tooLong) throw new GuestFault(GP, 0);
    const { record, count } = block as Block;
    // Only now: making room for the block may have begun a new epoch.
    const key = i32[STATE.codeKey >> 2]!;
    this.noteCode(linear);
    const entry = jumps.entryOf(linear);
    const heat = jumps.claim(entry, linear, translator ? translator.threshold : NEVER_HOT);
    const slot = translator && (key & (KEY_USER - 1)) === TRANSLATED_MODE ? translator.find(linear, key) : 0;
    jumps.set(entry, linear, key, record, count, heat);
    if (slot !== 0) jumps.setRegion(entry, slot);
  }

  /** The block at `state.eip`, which the jump cache has, ran often. */
  hot(): void {
    const { translator, i32, jumps } = this;
    const key = i32[STATE.codeKey >> 2]!;
    if (!translator || (key & (KEY_USER - 1)) !== TRANSLATED_MODE) return;
    const linear = this.linearEip();
    const slot = translator.hot(linear, key);
    const entry = jumps.entryOf(linear);
    // `hot` may have made new pages watched, which voids nothing; or have flushed, which voids the entry.
    if (slot !== 0 && jumps.has(entry, linear, i32[STATE.codeKey >> 2]!)) jumps.setRegion(entry, slot);
  }

  /** Forgets how often each block has run: what runs seldom is not hot, however long it goes on. */
  forgetHeat(): void {
    if (this.translator) this.jumps.coolDown(this.translator.threshold);
  }

  /**
   * The jump cache leads to a block of at most `most` instructions at `state.eip` for the next call of the
   * interpreter, until `unshorten`. False if the address is not in the jump cache, or it cannot be done.
   */
  shorten(most: number): boolean {
    const { i32, jumps } = this;
    const linear = this.linearEip();
    const key = i32[STATE.codeKey >> 2]!;
    const entry = jumps.entryOf(linear);
    if (!jumps.has(entry, linear, key)) return false;
    const page = this.tlb.pageOf(linear, this.user);
    if (page < 0) return false;
    const block = this.blocks.findShort(page + (linear & 0xfff), key & (KEY_USER - 1), this.limit(), most);
    if (!block) return false;
    const heat = jumps.claim(entry, linear, this.translator ? this.translator.threshold : NEVER_HOT);
    jumps.set(entry, linear, key, block.record, block.count, heat);
    this.shortened = linear;
    return true;
  }
  unshorten(): void {
    this.jumps.forget(this.shortened);
  }
}
