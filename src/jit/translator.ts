import { SHORTCUTS } from '../cpu/interpreter/shortcuts.js';
import { STRING_RUNS } from '../cpu/interpreter/string-runs.js';
import { KEY_USER, type Translator, type TranslatorHost } from '../cpu/translator.js';
import { REGION_EXITS, REGION_KEYS, REGION_LEAVES, REGION_NUMBERS, REGION_SLOTS } from '../memory/layout.js';
import { CodeMemory } from './code-memory.js';
import { Hubs, MOST_JUMPS } from './hubs.js';
import { JumpProfiles, hubKey, jumpKey } from './jump-profiles.js';
import { LeaveCounts } from './leave-counts.js';
import { LeaveReasons } from './leave-reasons.js';
import { LocalMaker, type Made, type Maker } from './maker.js';
import { exportName, type MadeRegion, type MakerSetup, readReport } from './module-maker.js';
import type { FlushReason, RegionEnd, TranslatorObserver } from './observer.js';
import { Overlaps, findContained } from './overlaps.js';
import { PageLists } from './page-lists.js';
import { type CodeBytes, Region, locateBytes, splitAtPages } from './region.js';
import { HUB, RequestWriter } from './requests.js';
import { Rewrites } from './rewrites.js';
import { LARGEST_HUB, type ScanLimits, Scanner } from './scanner.js';
import { LEAVE } from './steps.js';
import { emptyCounts, type TranslatorCounts, type TranslatorStatistics } from './statistics.js';
import { WarmUp } from './warm-up.js';

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
  /** Hot code may have to become hot again (`WarmUp`, `Overlaps`, `Rewrites`); the threshold is more than 1 then. */
  sparing: boolean;
  /** Instructions that have to be made before making them is as quick as it becomes (`WarmUp`). */
  warmUp: number;
  /** Bytes of memory that compiled code may take (`CodeMemory`); with more, what is not in use is given up. */
  memoryBytes: number;
  /** Infinities, NaNs and denormals are nothing special in any region, not only where they turn up all the time. */
  anyNumbers: boolean;
  /** Milliseconds since some time, for statistics. */
  now: () => number;
  observer?: TranslatorObserver;
  /** What makes the modules; else it is `local`, in this thread. */
  maker?: (setup: MakerSetup, local: () => Maker) => Maker;
}

export const DEFAULT_OPTIONS: Readonly<TranslatorOptions> = {
  // By then interpreting has cost more than making WebAssembly will, some 7 µs a guest instruction when warm.
  threshold: 3_000,
  // Fewer, and boots take longer; more, and so does what comes after them.
  warmUp: 6_000,
  batch: 32,
  synchronous: true,
  instructions: 400,
  onlyWhatRan: true,
  sparing: true,
  anyNumbers: false,
  memoryBytes: 96 << 20,
  now: () => 0,
};

/** Regions at one linear address; several when it has led to different code. */
interface Slot {
  readonly number: number;
  readonly linear: number;
  readonly regions: Region[];
  /** The one in the table. */
  active: Region | undefined;
}

/** Times that a region is left for accesses before something is done about it. */
const MOST_LEAVES = 2000;
/** The same for numbers, which keep the interpreter busy. */
const MOST_LEAVES_FOR_NUMBERS = 500;

/**
 * Times that a region is left for code that it lacks before it is made anew: so many, and so many for each of its
 * instructions; twice as many each time. Making an instruction anew costs as much as some hundred ways out.
 */
const FEW_EXITS = 10_000;
const EXITS_PER_INSTRUCTION = 100;
const MOST_GROWTHS = 4;
/** In `REGION_EXITS`: there is nothing to be gained, or it is in the making. */
const NEVER = -(2 ** 31);

/** Instructions of a region with a hub. */
const HUB_INSTRUCTIONS = 3000;

/** Turns between two looks at what could be made better. */
const TURNS_TO_IMPROVE = 16;
/** Turns that hot code waits for more of its kind, to be compiled with, at most. */
const MOST_TURNS_TO_WAIT = 128;
/** Runs of a block behind those that have made it hot, at which it can no longer wait. */
const URGENT = 3_000;

/** Slots that one region may need, at least. */
const SLOTS_TO_SPARE = 4096;

/** Different code at one linear address that is remembered. */
const MOST_VERSIONS = 4;

/**
 * Finds hot code, makes regions of it and keeps them as long as they are true.
 *
 * Invariants
 * - A region may be entered only while `REGION_KEYS` of its slot is `STATE.codeKey`; it becomes so in `find` and in
 *   `interpreter/recall.ts`, when all its pages are mapped as they were. Flushing the TLB changes the key, so it is
 *   looked at anew.
 * - Every page with a byte of a living region is watched; a write to one of its bytes kills it before the guest can
 *   run on. No region is on the wasm stack then, for regions never call out.
 */
export class RegionTranslator implements Translator {
  readonly table: WebAssembly.Table;
  threshold: number;
  private readonly host: TranslatorHost;
  private readonly options: TranslatorOptions;
  private readonly limits: ScanLimits;
  /** By linear address, as i32: supervisor's and user's. */
  private readonly slots: readonly Map<number, Slot>[] = [new Map(), new Map()];
  private readonly byNumber: (Slot | undefined)[] = [undefined];
  /** Guest page → living regions with bytes on it. */
  private readonly pages = new Map<number, Set<Region>>();
  private readonly maker: Maker;
  private readonly requests: RequestWriter;
  private readonly overlaps: Overlaps;
  private readonly rewrites: Rewrites;
  private readonly warmUp: WarmUp;
  private turns = 0;
  /** Turns since something was requested last. */
  private turnsWaited = 0;
  /** Regions of the request that is being written. */
  private requested: Region[] = [];
  /** Addresses where nothing can be translated, until code changes there. */
  private readonly hopeless = new Set<number>();
  /** Addresses whose regions are made without groups of accesses. */
  private readonly narrow = new Set<number>();
  /** Addresses whose regions take any number for granted. */
  private readonly anyNumbers = new Set<number>();
  private readonly profiles: JumpProfiles;
  private readonly pageLists: PageLists;
  /** Jump (`jumpKey`) → address (`addressKey`) of the region that was made last with it. */
  private readonly jumpsIn = new Map<number, number>();
  private readonly hubs = new Hubs();
  private readonly regionsOn = (page: number): Iterable<Region> => this.pages.get(page) ?? [];
  private readonly i32: Int32Array;
  private readonly leaveCounts: LeaveCounts;
  private counts: TranslatorCounts = emptyCounts();
  private liveBytes = 0;
  private readonly memory: CodeMemory;
  /** `Region.used` has been taken from all, to see who gets it back. */
  private findingUsed = false;
  /** Milliseconds of the guest's time that translating has taken so far. */
  private takenMs = 0;

  constructor(host: TranslatorHost, options: TranslatorOptions) {
    this.host = host;
    this.options = options;
    this.threshold = options.threshold;
    this.memory = new CodeMemory(options.memoryBytes);
    this.requests = new RequestWriter(new Scanner(host));
    this.overlaps = new Overlaps(host);
    this.rewrites = new Rewrites(host.memory.codeWrites);
    this.warmUp = new WarmUp(options.warmUp);
    const setup = { helperNumbers: host.helperNumbers };
    const local = (): Maker => new LocalMaker(setup, host.forms, options.synchronous, options.now);
    this.maker = options.maker?.(setup, local) ?? local();
    this.limits = { instructions: options.instructions, onlyWhatRan: options.onlyWhatRan };
    this.table = new WebAssembly.Table({ element: 'anyfunc', initial: 1024, maximum: REGION_SLOTS });
    this.i32 = host.memory.i32;
    this.leaveCounts = new LeaveCounts(this.i32, new LeaveReasons(host.forms.encodings));
    this.profiles = new JumpProfiles(this.i32);
    this.pageLists = new PageLists(this.i32);
  }

  find(linear: number, key: number): number {
    const slot = this.slots[Number((key & KEY_USER) !== 0)]!.get(linear | 0);
    if (!slot) return 0;
    const region = slot.regions.find((candidate) => candidate.codes && this.isMapped(candidate));
    const code = region?.codes?.get(slot.number);
    if (!region || !code) return 0;
    if (slot.active !== region) {
      slot.active = region;
      this.table.set(slot.number, code);
      this.pageLists.assign(slot.number, region);
    }
    this.i32[(REGION_KEYS >> 2) + slot.number] = key;
    region.used = true;
    return slot.number;
  }

  hot(linear: number, key: number): number {
    const address = addressKey(linear, key);
    if (this.hopeless.has(address)) return 0;
    const found = this.find(linear, key);
    if (found !== 0) return found;
    // In the making?
    if (this.slotOf(address)?.regions.some((region) => this.isMapped(region))) return 0;
    if (this.options.sparing && (this.maker.isBehind || this.mustWait(linear, address))) {
      this.host.regionChanged(linear);
      return 0;
    }
    this.request(address);
    if (this.requested.length < this.options.batch) return 0;
    this.translateWaiting();
    return this.find(linear, key);
  }

  /** Whether what has just become hot had better become so again, before it is translated. */
  private mustWait(linear: number, address: number): boolean {
    if (this.warmUp.mustWait(address, this.counts.instructions)) return true;
    const user = (address & 1) !== 0;
    const page = this.host.fetchablePage(linear, user);
    if (page >= 0 && this.rewrites.mustWait(page + (linear & 0xfff))) return true;
    return this.overlaps.mustWait(linear, user, this.regionsOn);
  }

  /** Has made what has been requested, however little it is, and looks for what could be made better. */
  translateWaiting(): void {
    this.improve();
    this.makeRequested();
  }

  /** To be called between turns of the guest. Has made what has been requested if it is time for that. */
  betweenTurns(): void {
    if (++this.turns % TURNS_TO_IMPROVE === 0) this.improve();
    if (this.requested.length > 0 && this.isUrgent() && this.maker.idle) this.makeRequested();
  }

  /**
   * Every module takes some 25 KB, however small it is, so what has been requested waits for more of its kind; but not
   * if the interpreter is busy with it.
   */
  private isUrgent(): boolean {
    if (++this.turnsWaited >= MOST_TURNS_TO_WAIT) return true;
    // Where there is a region already, it is known to be a bad one.
    const busy = ({ slot, entry }: Region): boolean =>
      this.byNumber[slot]!.active !== undefined || this.host.runsSinceHot(entry) >= URGENT;
    return this.requested.some(busy);
  }

  private improve(): void {
    this.narrowGroups();
    this.admitAnyNumbers();
    this.followJumps();
    this.growRegions();
  }

  private makeRequested(): void {
    this.turnsWaited = 0;
    if (this.requested.length === 0) return;
    const start = this.options.now();
    const { requested } = this;
    this.requested = [];
    if (this.options.sparing) this.dropContained(requested);
    const request = this.requests.take((region) => !requested[region]!.dead);
    const regions = requested.filter((region) => !region.dead);
    if (regions.length === 0) return;
    this.maker.make(request, (made) => this.receive(regions, made));
    this.takenMs += this.options.now() - start;
  }

  /** Regions whose code is in others of the same request are not made yet. */
  private dropContained(requested: readonly Region[]): void {
    const asked = requested.filter((region) => !isImproved(region) && region.growths === 0 && region.entries === 1);
    for (const region of findContained(asked, requested)) {
      this.kill(region);
      this.host.regionChanged(region.entry);
    }
  }

  /**
   * Adds a region at the address to the request: from now on it is in the making. Not if it would have no more code
   * than `growing`.
   */
  private request(address: number, growing?: Region): Region | undefined {
    const start = this.options.now();
    if (this.byNumber.length > REGION_SLOTS - SLOTS_TO_SPARE) this.forgetAll();
    const entry = Math.floor(address / 2);
    const user = (address & 1) !== 0;
    const traits = {
      narrow: this.narrow.has(address),
      anyNumbers: this.options.anyNumbers || this.anyNumbers.has(address),
    };
    const slotOf = (linear: number): number => this.slotAt(linear * 2 + Number(user)).number;
    const profileOf = (jump: number): number => this.profileOf(jump, address);
    const allocator = { slotOf, profileOf };
    const requested = this.requests.add(entry, user, traits, this.limitsAt(address), allocator, growing?.scanned);
    let region: Region | undefined;
    if (requested) {
      const slots = requested.entries.map(slotOf);
      const growths = growing ? growing.growths + 1 : 0;
      region = new Region(slots, entry, user, traits, requested.code, requested.scanned, growths);
      this.adopt(region);
      this.requested.push(region);
    } else if (!growing) this.refuse(address);
    this.takenMs += this.options.now() - start;
    return region;
  }

  private refuse(address: number): void {
    this.hopeless.add(address);
    this.options.observer?.regionRefused(Math.floor(address / 2), (address & 1) !== 0);
  }

  /** Takes over what was requested; regions that have died in the meantime are not wanted any more. */
  private receive(regions: readonly Region[], made: Made | undefined): void {
    if (!made) {
      for (const region of regions) if (!region.dead) this.kill(region);
      return;
    }
    const start = this.options.now();
    const { module, emitMs } = made;
    const exports = module && regions.some((region) => !region.dead) ? this.instantiate(module) : {};
    const moduleNumber = this.overlaps.countModule();
    let number = 0;
    for (const each of readReport(made.report, regions.length)) {
      const region = regions[number]!;
      if (!region.dead) {
        region.module = moduleNumber;
        if (each) this.complete(region, each, number, exports);
        else {
          this.kill(region);
          this.refuse(addressOf(region));
        }
      }
      number++;
    }
    const compileMs = made.compileMs + this.options.now() - start;
    this.counts.emitMs += emitMs;
    this.counts.compileMs += compileMs;
    if (!module) return;
    this.counts.modules++;
    this.options.observer?.moduleCompiled({ regions: regions.length, bytes: made.bytes, emitMs, compileMs });
    this.memory.add(
      moduleNumber,
      made.bytes,
      regions.filter((region) => !region.dead),
    );
    if (this.memory.tooMuch) this.giveUpCold();
    else if (!this.findingUsed && this.memory.nearlyTooMuch) this.findUsed();
  }

  /** There is too much code: gives up what is not in use, and goes on to look what is. */
  private giveUpCold(): void {
    for (const region of this.memory.chooseCold()) {
      this.end(region, 'cold');
      this.counts.cold++;
    }
    this.findingUsed = false;
  }

  /** From now on regions have to be looked up once more: that tells which are in use. */
  private findUsed(): void {
    this.findingUsed = true;
    for (const slot of this.byNumber) {
      if (!slot?.active) continue;
      slot.active.used = false;
      this.i32[(REGION_KEYS >> 2) + slot.number] = 0;
      this.host.regionChanged(slot.linear);
    }
  }

  private instantiate(module: WebAssembly.Module): WebAssembly.Exports {
    const { host } = this;
    return new WebAssembly.Instance(module, {
      m: {
        m: host.memory.memory,
        t: this.table,
        h: host.callHelper,
        ...Object.fromEntries([...STRING_RUNS, ...SHORTCUTS].map((name) => [name, host.interpreterFunction(name)])),
      },
      x: host.x87Routines,
    }).exports;
  }

  /** The region, number `number` of its request, may be entered from now on; in place of others with the same code. */
  private complete(region: Region, made: MadeRegion, number: number, exports: WebAssembly.Exports): void {
    this.setCode(region, locateBytes(made.pieces, region.code.pages));
    region.bytes = made.bytes;
    this.i32[(REGION_EXITS >> 2) + region.slot] = 0;
    region.instructions = made.instructions;
    for (const each of region.slots) {
      const { regions } = this.byNumber[each]!;
      // A hub is worth more than what has been made of a part of it while not all of its pages were mapped.
      const superseded = (one: Region): boolean =>
        one !== region && one.agrees(region) && (one.entries === 1 || region.entries > 1);
      for (const other of regions.filter(superseded))
        this.end(other, region.traits.narrow && !other.traits.narrow ? 'narrowed' : 'replaced');
    }
    const codeAt = (slot: number) => exports[exportName(number, slot)] as (depth: number) => number;
    region.codes = new Map(region.slots.map((slot) => [slot, codeAt(slot)]));
    this.liveBytes += region.bytes;
    this.counts.translated++;
    this.counts.instructions += region.instructions;
    this.options.observer?.regionMade(region);
    for (const slot of region.slots) this.host.regionChanged(this.byNumber[slot]!.linear);
  }

  /** There are too many slots. */
  private forgetAll(): void {
    this.counts.flushes++;
    this.flush('slots');
    this.host.regionsChanged();
  }

  /**
   * Regions that are left for accesses all the time have groups that straddle pages, as the frames of a function may:
   * they are made anew with a check for every access.
   */
  private narrowGroups(): void {
    this.counts.narrowed += this.makeAnew(this.busyRegions(REGION_LEAVES, MOST_LEAVES), REGION_LEAVES, this.narrow);
  }

  /** Regions that are left for numbers all the time. */
  private admitAnyNumbers(): void {
    const busy = this.busyRegions(REGION_NUMBERS, MOST_LEAVES_FOR_NUMBERS);
    this.makeAnew(busy, REGION_NUMBERS, this.anyNumbers);
  }

  /** Makes those of the regions anew whose addresses were not in `set`; how many? `counts`: what has been counted. */
  private makeAnew(regions: readonly Region[], counts: number, set: Set<number>): number {
    let made = 0;
    for (const region of regions) {
      this.i32[(counts >> 2) + region.slot] = 0;
      const address = addressOf(region);
      if (set.has(address)) continue;
      set.add(address);
      this.request(address);
      made++;
    }
    return made;
  }

  /**
   * Code that had not run when a region was made is not in it. Where regions are left for such code all the time, as
   * for the outer loop around the one that was hot first, they are made anew.
   */
  private growRegions(): void {
    const { i32 } = this;
    const counts = REGION_EXITS >> 2;
    const made: Region[] = [];
    const busy = this.busyRegions(REGION_EXITS, FEW_EXITS).sort(
      (a, b) => i32[counts + b.slot]! - i32[counts + a.slot]!,
    );
    for (const region of busy) {
      const { growths, slot, instructions } = region;
      if (this.byNumber[slot]!.regions.some(({ codes }) => !codes)) continue;
      if (i32[counts + slot]! < (FEW_EXITS + EXITS_PER_INSTRUCTION * instructions) << growths) continue;
      // Those that had a part of the same loop each will hardly be entered any more.
      const superfluous = made.some((other) => other.covers(region.entryGpa, region.entryGpa + 1));
      i32[counts + slot] = superfluous ? 0 : NEVER;
      if (superfluous || growths === MOST_GROWTHS) continue;
      const grown = this.request(addressOf(region), region);
      if (grown) made.push(grown);
    }
  }

  /** Regions that run now and whose word in the table at `counts` has come to `least`. */
  private busyRegions(counts: number, least: number): Region[] {
    const { i32 } = this;
    const busy: Region[] = [];
    for (let slot = 1, at = (counts >> 2) + 1; slot < this.byNumber.length; slot++, at++) {
      if (i32[at]! < least) continue;
      const region = this.byNumber[slot]!.active;
      // Code can only be read while it is mapped.
      if (region && region.slot === slot && this.isMapped(region)) busy.push(region);
    }
    return busy;
  }

  private limitsAt(address: number): ScanLimits {
    if (!this.hubs.has(address)) return this.limits;
    const entry = Math.floor(address / 2);
    const user = (address & 1) !== 0;
    const other = this.hubNear(entry, user);
    if (other && addressOf(other) !== address) return this.limits;
    return {
      ...this.limits,
      instructions: Math.max(HUB_INSTRUCTIONS, this.limits.instructions),
      hub: {
        entries: [...this.hubs.targets(address), ...this.profiles.targets(hubKey(entry, user))],
        targets: (jump) => this.profiles.targets(jumpKey(jump, user)),
      },
    };
  }

  /** Offset of the profile of a jump, or `HUB`, in the region at `address`. */
  private profileOf(jump: number, address: number): number {
    const user = (address & 1) !== 0;
    const key = jump === HUB ? hubKey(Math.floor(address / 2), user) : jumpKey(jump, user);
    this.jumpsIn.set(key, address);
    return this.profiles.open(key);
  }

  /**
   * Computed jumps that leave regions all the time, as those of an interpreter in the guest do: a region is made in
   * which all of them meet in a hub, with what they lead to. Whatever they lead to is an entry of it. There is one for
   * all jumps of a neighbourhood, so that they do not tear an interpreter apart; it is made anew while it has room.
   */
  private followJumps(): void {
    for (const { key, jumps } of this.profiles.takeBusy(MOST_JUMPS)) {
      const address = this.jumpsIn.get(key);
      const region = address === undefined ? undefined : this.slotOf(address)?.active;
      if (!region || !this.isMapped(region)) continue;
      const hub = this.hubNear(region.entry, region.user);
      if (hub && (!hub.codes || !this.isMapped(hub) || hub.scanned >= HUB_INSTRUCTIONS)) continue;
      const known = new Set(hub?.slots.map((slot) => this.byNumber[slot]!.linear));
      const targets = this.profiles
        .targets(key)
        .filter((linear) => Math.abs(linear - region.entry) <= LARGEST_HUB && !known.has(linear));
      if (targets.length < (hub ? 1 : 2)) continue;
      const home = addressOf(hub ?? region);
      if (!this.hubs.miss(home, [...known, ...targets], jumps)) continue;
      this.request(home);
    }
  }

  /** The region with a hub, there or in the making, in which computed jumps of code at `linear` could meet. */
  private hubNear(linear: number, user: boolean): Region | undefined {
    for (const address of this.hubs.addresses()) {
      if ((address & 1) !== Number(user) || Math.abs(Math.floor(address / 2) - linear) > LARGEST_HUB) continue;
      const isThere = ({ entries, entry, entryGpa }: Region): boolean =>
        entries > 1 && this.host.fetchablePage(entry, user) === (entryGpa & ~0xfff);
      const hub = this.slotOf(address)?.regions.find(isThere);
      if (hub) return hub;
    }
    return undefined;
  }

  invalidate(gpa: number, length: number): boolean {
    let lost = false;
    const end = gpa + length;
    for (let page = gpa >>> 12; page <= (end - 1) >>> 12; page++) {
      for (const region of this.pages.get(page) ?? []) {
        if (!region.covers(gpa, end)) continue;
        lost ||= region.codes !== undefined;
        if (region.codes) this.counts.invalidated++;
        this.rewrites.note(region.entryGpa);
        this.end(region, 'overwritten');
      }
      if (this.hopeless.size > 0 && lost) this.hopeless.clear();
    }
    return lost;
  }

  flush(why: FlushReason = 'state'): void {
    const { liveBytes } = this;
    const regions = this.madeRegions();
    for (const region of this.allRegions()) this.kill(region);
    if (regions > 0) this.options.observer?.flushed(regions, liveBytes, why);
    for (const slots of this.slots) slots.clear();
    this.byNumber.length = 1;
    this.requests.take();
    this.requested = [];
    this.findingUsed = false;
    this.overlaps.clear();
    this.rewrites.clear();
    this.hopeless.clear();
    this.narrow.clear();
    this.anyNumbers.clear();
    this.profiles.clear();
    this.pageLists.clear();
    this.jumpsIn.clear();
    this.hubs.clear();
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
    const { leaveCounts } = this;
    const count = (reason: keyof typeof LEAVE): number => leaveCounts.count(LEAVE[reason]);
    const instructions = leaveCounts.byName();
    const instruction = Object.values(instructions).reduce((sum, n) => sum + n, 0);
    return {
      ...this.counts,
      regions: this.madeRegions(),
      bytes: this.liveBytes,
      memory: this.memory.bytes,
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

  private allRegions(): Set<Region> {
    const regions = new Set<Region>();
    for (const slots of this.slots)
      for (const slot of slots.values()) for (const each of slot.regions) regions.add(each);
    return regions;
  }

  /** Those that are not in the making. */
  private madeRegions(): number {
    let count = 0;
    for (const region of this.allRegions()) if (region.codes) count++;
    return count;
  }

  private slotOf(address: number): Slot | undefined {
    return this.slots[address & 1]!.get(Math.floor(address / 2) | 0);
  }

  private slotAt(address: number): Slot {
    let slot = this.slotOf(address);
    if (slot) return slot;
    slot = { number: this.byNumber.length, linear: Math.floor(address / 2), regions: [], active: undefined };
    this.byNumber.push(slot);
    this.slots[address & 1]!.set(Math.floor(address / 2) | 0, slot);
    if (slot.number >= this.table.length) this.table.grow(1024);
    this.i32[(REGION_KEYS >> 2) + slot.number] = 0;
    this.pageLists.assign(slot.number, undefined);
    this.i32[(REGION_LEAVES >> 2) + slot.number] = 0;
    this.i32[(REGION_NUMBERS >> 2) + slot.number] = 0;
    this.i32[(REGION_EXITS >> 2) + slot.number] = 0;
    return slot;
  }

  private isMapped({ code, user }: Region): boolean {
    for (const [page, gpa] of code.pages) if (this.host.fetchablePage(page * 4096, user) !== gpa) return false;
    return true;
  }

  private adopt(region: Region): void {
    for (const number of region.slots) {
      const { regions } = this.byNumber[number]!;
      if (regions.length === MOST_VERSIONS) this.end(regions[0]!, 'replaced');
      regions.push(region);
    }
    this.watch(region);
  }

  /** The region has been made from fewer bytes than were read for it. */
  private setCode(region: Region, code: CodeBytes): void {
    const kept = new Set(code.pages.values());
    for (const gpa of region.code.pages.values()) if (!kept.has(gpa)) this.unwatch(region, gpa);
    region.code = code;
  }

  private watch(region: Region): void {
    const { pages, ranges } = region.code;
    for (const gpa of pages.values()) {
      const regions = this.pages.get(gpa >>> 12);
      if (regions) regions.add(region);
      else this.pages.set(gpa >>> 12, new Set([region]));
    }
    for (const { start, end } of splitAtPages(ranges)) this.host.watchCode(start, end);
  }

  private unwatch(region: Region, gpa: number): void {
    const regions = this.pages.get(gpa >>> 12);
    if (!regions?.delete(region) || regions.size > 0) return;
    this.pages.delete(gpa >>> 12);
    this.host.unwatchPage(gpa >>> 12);
  }

  private end(region: Region, why: RegionEnd): void {
    const made = region.codes !== undefined;
    this.kill(region);
    if (made) this.options.observer?.regionEnded(region, why);
  }

  private kill(region: Region): void {
    const made = region.codes !== undefined;
    region.dead = true;
    region.codes = undefined;
    this.liveBytes -= region.bytes;
    this.memory.remove(region);
    for (const number of region.slots) {
      const slot = this.byNumber[number]!;
      slot.regions.splice(slot.regions.indexOf(region), 1);
      if (slot.active === region) {
        slot.active = undefined;
        this.table.set(number, null);
        this.i32[(REGION_KEYS >> 2) + number] = 0;
        this.pageLists.assign(number, undefined);
      } else if (made) continue;
      // What was in the making has to become hot again.
      this.host.regionChanged(slot.linear);
    }
    for (const gpa of region.code.pages.values()) this.unwatch(region, gpa);
  }
}

/** Whether it was made in place of one that was left all the time. */
function isImproved({ traits }: Region): boolean {
  return traits.narrow || traits.anyNumbers;
}

/** The address of a region's entry, as `addressKey` makes it. */
function addressOf({ entry, user }: Region): number {
  return entry * 2 + Number(user);
}

/** Linear address and ring as one number. */
function addressKey(linear: number, key: number): number {
  return (linear >>> 0) * 2 + (key & KEY_USER ? 1 : 0);
}
