import { KEY_USER, type Translator, type TranslatorHost } from '../cpu/translator.js';
import { REGION_KEYS, REGION_LEAVES, REGION_SLOTS } from '../memory/layout.js';
import { I32 } from '../wasm/code.js';
import { ModuleBuilder } from '../wasm/module.js';
import { SMALLEST_SPAN } from './block-builder.js';
import { LeaveCounts } from './leave-counts.js';
import type { FlushReason, RegionEnd, TranslatorObserver } from './observer.js';
import { RegionEmitter } from './region-emitter.js';
import { Region, draftRegion } from './region.js';
import { type ScanLimits, Scanner } from './scanner.js';
import { LEAVE } from './steps.js';
import { emptyCounts, type TranslatorCounts, type TranslatorStatistics } from './statistics.js';

export interface TranslatorOptions {
  /** Executions of a block by the interpreter before it is translated. */
  threshold: number;
  /** Regions that are compiled together. */
  batch: number;
  /** Compile where the region is wanted; else when the event loop has its turn. */
  synchronous: boolean;
  /** Guest instructions of a region, at most. */
  instructions: number;
  /** Leave out branches that have not been taken so far. */
  onlyWhatRan: boolean;
  /** Bytes of modules; with more all regions are forgotten. */
  memoryBytes: number;
  /** Milliseconds since some time, for statistics. */
  now: () => number;
  observer?: TranslatorObserver;
}

export const DEFAULT_OPTIONS: Readonly<TranslatorOptions> = {
  // By then interpreting has cost about what translating will: 20 µs a guest instruction in all, on Node 20.
  threshold: 10_000,
  batch: 32,
  synchronous: true,
  instructions: 400,
  onlyWhatRan: true,
  memoryBytes: 64 << 20,
  now: () => 0,
};

/** Regions at one linear address; several when it has led to different code. */
interface Slot {
  readonly number: number;
  readonly regions: Region[];
  /** The one in the table. */
  active: Region | undefined;
}

/** Times that a region is left for accesses before something is done about it. */
const MOST_LEAVES = 2000;

/** Different code at one linear address that is remembered. */
const MOST_VERSIONS = 4;

/**
 * Finds hot code, makes regions of it and keeps them as long as they are true.
 *
 * Invariants
 * - A region may be entered only while `REGION_KEYS` of its slot is `STATE.codeKey`; it becomes so in `find`, which
 *   has seen that all its pages are mapped as they were. Flushing the TLB changes the key, so it is looked at anew.
 * - Every page with a byte of a living region is watched; a write to one of its bytes kills it before the guest can
 *   run on. No region is on the wasm stack then, for regions never call out.
 */
export class RegionTranslator implements Translator {
  readonly table: WebAssembly.Table;
  readonly threshold: number;
  private readonly host: TranslatorHost;
  private readonly options: TranslatorOptions;
  private readonly scanner: Scanner;
  private readonly limits: ScanLimits;
  /** By linear address, as i32: supervisor's and user's. */
  private readonly slots: readonly Map<number, Slot>[] = [new Map(), new Map()];
  private readonly byNumber: (Slot | undefined)[] = [undefined];
  /** Guest page → living regions with bytes on it. */
  private readonly pages = new Map<number, Set<Region>>();
  /** Hot addresses that wait for others to be compiled with. */
  private waiting = new Set<number>();
  /** Addresses where nothing can be translated, until code changes there. */
  private readonly hopeless = new Set<number>();
  /** Addresses whose regions are made without groups of accesses. */
  private readonly narrow = new Set<number>();
  private readonly i32: Int32Array;
  private readonly leaveCounts: LeaveCounts;
  private counts: TranslatorCounts = emptyCounts();
  private liveBytes = 0;
  /** Milliseconds of the guest's time that translating has taken so far. */
  private takenMs = 0;

  constructor(host: TranslatorHost, options: TranslatorOptions) {
    this.host = host;
    this.options = options;
    this.threshold = options.threshold;
    this.scanner = new Scanner(host);
    this.limits = { instructions: options.instructions, onlyWhatRan: options.onlyWhatRan };
    this.table = new WebAssembly.Table({ element: 'anyfunc', initial: 1024, maximum: REGION_SLOTS });
    this.i32 = host.memory.i32;
    this.leaveCounts = new LeaveCounts(this.i32);
  }

  find(linear: number, key: number): number {
    const slot = this.slots[Number((key & KEY_USER) !== 0)]!.get(linear | 0);
    if (!slot) return 0;
    const region = slot.regions.find((candidate) => this.isMapped(candidate));
    if (!region?.code) return 0;
    if (slot.active !== region) {
      slot.active = region;
      this.table.set(slot.number, region.code);
    }
    this.i32[(REGION_KEYS >> 2) + slot.number] = key;
    return slot.number;
  }

  hot(linear: number, key: number): number {
    const address = addressKey(linear, key);
    if (this.hopeless.has(address)) return 0;
    const found = this.find(linear, key);
    if (found !== 0) return found;
    if (this.slotOf(address)?.regions.some((region) => this.isMapped(region))) return 0;
    this.waiting.add(address);
    if (this.waiting.size < this.options.batch) return 0;
    this.translateWaiting();
    return this.find(linear, key);
  }

  /** Compiles what waits, however little it is. */
  translateWaiting(): void {
    this.narrowGroups();
    if (this.waiting.size === 0) return;
    const start = this.options.now();
    const { memory } = this.host;
    const module = new ModuleBuilder();
    module.importMemory('m', 'm', memory.memory.buffer.byteLength / 0x1_0000);
    module.importTable('m', 't');
    const regionType = module.type([I32], [I32]);
    const callHelper = module.importFunction('m', 'h', new Array<number>(7).fill(I32), [I32]);
    const stringRuns = {
      movs: module.importFunction('m', 'movs', [I32], [I32]),
      stos: module.importFunction('m', 'stos', [I32], [I32]),
    };
    const regions: Region[] = [];
    for (const address of this.waiting) {
      const entry = Math.floor(address / 2);
      const user = (address & 1) !== 0;
      const draft = draftRegion(
        this.scanner,
        entry,
        user,
        this.limits,
        this.leaveCounts,
        this.narrow.has(address) ? SMALLEST_SPAN : undefined,
      );
      if (!draft) {
        this.hopeless.add(address);
        this.options.observer?.regionRefused(entry, user);
        continue;
      }
      const { code, locals } = new RegionEmitter(draft.blocks, {
        user,
        self: module.nextFunction,
        regionType,
        callHelper,
        stringRuns,
        slot: this.slotAt(address).number,
        slotOf: (linear) => this.slotAt(linear * 2 + Number(user)).number,
      }).emit();
      const index = module.addFunction([I32], [I32], locals, code);
      module.exportFunction(String(regions.length), index);
      const slot = this.slotAt(address);
      const region = new Region(slot.number, entry, user, draft.pages, draft.ranges, draft.instructions, code.length);
      this.adopt(slot, region);
      regions.push(region);
    }
    this.waiting.clear();
    if (regions.length === 0) return;
    const bytes = module.build();
    this.counts.modules++;
    const middle = this.options.now();
    const emitMs = middle - start;
    this.counts.emitMs += emitMs;
    const install = (compiled: WebAssembly.Module): void => {
      this.install(compiled, regions);
      const compileMs = this.options.now() - middle;
      this.counts.compileMs += compileMs;
      this.options.observer?.moduleCompiled({ regions: regions.length, bytes: bytes.length, emitMs, compileMs });
    };
    if (this.options.synchronous) install(new WebAssembly.Module(bytes));
    else void WebAssembly.compile(bytes).then(install);
    this.takenMs += this.options.now() - start;
    if (this.liveBytes > this.options.memoryBytes || this.byNumber.length > REGION_SLOTS - 4096) {
      this.counts.flushes++;
      this.flush('memory');
      this.host.regionsChanged();
    }
  }

  /**
   * Regions that are left for accesses all the time have groups that straddle pages, as the frames of a function may:
   * they are made anew with a check for every access.
   */
  private narrowGroups(): void {
    for (const slot of this.byNumber) {
      const region = slot?.active;
      if (!region || this.i32[(REGION_LEAVES >> 2) + region.slot]! < MOST_LEAVES) continue;
      this.i32[(REGION_LEAVES >> 2) + region.slot] = 0;
      const address = region.entry * 2 + Number(region.user);
      if (this.narrow.has(address)) continue;
      this.narrow.add(address);
      this.end(region, 'narrowed');
      this.waiting.add(address);
      this.counts.narrowed++;
    }
  }

  private install(module: WebAssembly.Module, regions: readonly Region[]): void {
    const { host } = this;
    const { exports } = new WebAssembly.Instance(module, {
      m: {
        m: host.memory.memory,
        t: this.table,
        h: host.callHelper,
        movs: host.interpreterFunction('movs'),
        stos: host.interpreterFunction('stos'),
      },
    });
    for (const [i, region] of regions.entries()) {
      if (region.dead) continue;
      region.code = exports[String(i)] as (depth: number) => number;
      this.host.regionChanged(region.entry);
    }
  }

  invalidate(gpa: number, length: number): boolean {
    let lost = false;
    const end = gpa + length;
    for (let page = gpa >>> 12; page <= (end - 1) >>> 12; page++) {
      for (const region of this.pages.get(page) ?? []) {
        if (!region.covers(gpa, end)) continue;
        this.end(region, 'overwritten');
        this.counts.invalidated++;
        lost = true;
      }
      if (this.hopeless.size > 0 && lost) this.hopeless.clear();
    }
    return lost;
  }

  flush(why: FlushReason = 'state'): void {
    const { liveBytes } = this;
    let regions = 0;
    for (const slot of this.allSlots()) {
      regions += slot.regions.length;
      for (const region of [...slot.regions]) this.kill(region);
    }
    if (regions > 0) this.options.observer?.flushed(regions, liveBytes, why);
    for (const slots of this.slots) slots.clear();
    this.byNumber.length = 1;
    this.waiting.clear();
    this.hopeless.clear();
  }

  /** Forgets all regions, between turns. */
  drop(): void {
    this.flush('dropped');
    this.host.regionsChanged();
  }

  /** Milliseconds in which the guest could not run because of translating, so far. */
  get guestMilliseconds(): number {
    return this.takenMs;
  }

  /** How often regions have been left because the budget was spent. */
  get budgetLeaves(): number {
    return this.leaveCounts.count(LEAVE.budget);
  }

  statistics(): TranslatorStatistics {
    let regions = 0;
    for (const slot of this.allSlots()) regions += slot.regions.length;
    const { leaveCounts } = this;
    const count = (reason: keyof typeof LEAVE): number => leaveCounts.count(LEAVE[reason]);
    const instructions = leaveCounts.byName();
    const instruction = Object.values(instructions).reduce((sum, n) => sum + n, 0);
    return {
      ...this.counts,
      regions,
      bytes: this.liveBytes,
      leaves: {
        read: count('read'),
        write: count('write'),
        instruction,
        budget: count('budget'),
        fault: count('fault'),
        numbers: count('numbers'),
      },
      leftFor: instructions,
    };
  }

  // --- regions and slots ----------------------------------------------------------------------

  private *allSlots(): Iterable<Slot> {
    for (const slots of this.slots) yield* slots.values();
  }

  private slotOf(address: number): Slot | undefined {
    return this.slots[address & 1]!.get(Math.floor(address / 2) | 0);
  }

  private slotAt(address: number): Slot {
    let slot = this.slotOf(address);
    if (slot) return slot;
    slot = { number: this.byNumber.length, regions: [], active: undefined };
    this.byNumber.push(slot);
    this.slots[address & 1]!.set(Math.floor(address / 2) | 0, slot);
    if (slot.number >= this.table.length) this.table.grow(1024);
    this.i32[(REGION_KEYS >> 2) + slot.number] = 0;
    this.i32[(REGION_LEAVES >> 2) + slot.number] = 0;
    return slot;
  }

  private isMapped(region: Region): boolean {
    for (const [page, gpa] of region.pages) {
      if (this.host.mappedPage(page * 4096, region.user) !== gpa) return false;
    }
    return true;
  }

  private adopt(slot: Slot, region: Region): void {
    if (slot.regions.length === MOST_VERSIONS) this.end(slot.regions[0]!, 'replaced');
    slot.regions.push(region);
    this.liveBytes += region.bytes;
    this.counts.translated++;
    this.counts.instructions += region.instructions;
    this.options.observer?.regionMade(region);
    for (const gpa of region.pages.values()) {
      let regions = this.pages.get(gpa >>> 12);
      if (!regions) {
        regions = new Set();
        this.pages.set(gpa >>> 12, regions);
        this.host.watchPage(gpa >>> 12);
      }
      regions.add(region);
    }
  }

  private end(region: Region, why: RegionEnd): void {
    this.kill(region);
    this.options.observer?.regionEnded(region, why);
  }

  private kill(region: Region): void {
    const slot = this.byNumber[region.slot]!;
    region.dead = true;
    region.code = undefined;
    this.liveBytes -= region.bytes;
    slot.regions.splice(slot.regions.indexOf(region), 1);
    if (slot.active === region) {
      slot.active = undefined;
      this.table.set(slot.number, null);
      this.i32[(REGION_KEYS >> 2) + slot.number] = 0;
      this.host.regionChanged(region.entry);
    }
    for (const gpa of region.pages.values()) {
      const regions = this.pages.get(gpa >>> 12);
      if (!regions?.delete(region) || regions.size > 0) continue;
      this.pages.delete(gpa >>> 12);
      this.host.unwatchPage(gpa >>> 12);
    }
  }
}

/** Linear address and ring as one number. */
function addressKey(linear: number, key: number): number {
  return (linear >>> 0) * 2 + (key & KEY_USER ? 1 : 0);
}
