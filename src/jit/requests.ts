import type { HandlerForm } from '../cpu/interpreter/forms.js';
import { DEEPEST_INLINED, LARGEST_INLINED } from './inlining.js';
import { type CodeBytes, locateBytes, type RegionTraits } from './region.js';
import { beginsBlock, hubTargets, readScan, type Scan } from './scan.js';
import { type Found, type ScanLimits, ScannedBytes, type Scanner } from './scanner.js';
import { WordReader, WordWriter } from './words.js';

/**
 * What the maker of modules is told: everything that making a region needs to know of the guest, in words, so that it
 * can be made in another thread.
 *
 * Words of a request: number of regions; of each
 * - slot, bits (1: ring 3, 2: narrow, 4: any numbers), most instructions to be inlined;
 * - the scan of its code (`scan.ts`); number of small functions, and their scans;
 * - slots: number, and of each linear address and slot;
 * - profiles: number, and of each address of the jump (or `HUB`) and offset.
 */

/** A region to be, as the maker of modules sees it. */
export interface RequestedRegion {
  /** The region's own slot. */
  readonly slot: number;
  /** Ring 3. */
  readonly user: boolean;
  /** Every access gets a check of its own. */
  readonly narrow: boolean;
  /** Infinities, NaNs and denormals are nothing special. */
  readonly anyNumbers: boolean;
  /** Instructions of inlined functions, at most. */
  readonly room: number;
  readonly code: Scan;
  /** Small functions that it calls, or those call, by address. */
  readonly callees: ReadonlyMap<number, Scan>;
  /** By linear address: of its entries, and of regions that it may call. */
  readonly slots: ReadonlyMap<number, number>;
  /** Offsets of profiles, by address of the computed jump or `HUB`. */
  readonly profiles: ReadonlyMap<number, number>;
}

/** Stands for the region's hub where others have the address of a jump, which is longer than one byte. */
export const HUB = 0xffff_ffff;

const BITS = { user: 1, narrow: 2, anyNumbers: 4 } as const;

/** What is allocated for a region before it is made. */
export interface Allocator {
  /** Slot of the region at a linear address, made now or ever. */
  slotOf(linear: number): number;
  /** Offset of the profile of a computed jump, or of the region's hub. */
  profileOf(jump: number): number;
}

/** Of a region that has been requested. */
export interface Requested {
  /** Linear addresses of its entries, the one that was asked for first. */
  readonly entries: readonly number[];
  /** All bytes that have been read for it. */
  readonly code: CodeBytes;
  /** Instructions of its own code. */
  readonly scanned: number;
}

/** Reads the guest's code and writes requests. */
export class RequestWriter {
  private readonly words = new WordWriter();
  /** Of each region in the request so far where its words end. */
  private ends: number[] = [];

  constructor(private readonly scanner: Scanner) {}

  /** In the request so far. */
  get regions(): number {
    return this.ends.length;
  }

  /** Adds a region; undefined if there are not more instructions of its own than `known`. */
  add(
    entry: number,
    user: boolean,
    { narrow, anyNumbers }: RegionTraits,
    limits: ScanLimits,
    allocator: Allocator,
    known = 0,
  ): Requested | undefined {
    const { words, scanner } = this;
    const start = words.length;
    const bytes = new ScannedBytes();
    words.push(allocator.slotOf(entry));
    words.push((user ? BITS.user : 0) | (narrow ? BITS.narrow : 0) | (anyNumbers ? BITS.anyNumbers : 0));
    words.push(limits.instructions >> 1);
    const found = scanner.scan(entry, user, limits, bytes, words);
    if (!found || found.instructions.size <= known) {
      words.truncate(start);
      return undefined;
    }
    const targets = hubTargets(found);
    const entries = [entry, ...(targets ?? []).filter((address) => address !== entry)];
    const callable = this.addCallees(found, user, limits, bytes);
    const slots = new Set([...entries, ...callable]);
    words.push(slots.size);
    for (const linear of slots) {
      words.push(linear);
      words.push(allocator.slotOf(linear));
    }
    const profiles = targets ? [HUB] : jumpsOut(found);
    words.push(profiles.length);
    for (const jump of profiles) {
      words.push(jump);
      words.push(allocator.profileOf(jump));
    }
    this.ends.push(words.length);
    return { entries, code: locateBytes(bytes.runs, bytes.pages), scanned: found.instructions.size };
  }

  /** Adds the functions that may be inlined, and returns where those and the region's own code may call. */
  private addCallees(root: Found, user: boolean, limits: ScanLimits, bytes: ScannedBytes): Set<number> {
    const { words, scanner } = this;
    const small = { ...limits, instructions: LARGEST_INLINED + 1 };
    const callable = new Set(root.calls);
    const countAt = words.length;
    words.push(0);
    let count = 0;
    let instructions = 0;
    // A region with a hub is large enough.
    let level: Iterable<number> = limits.hub ? [] : root.calls;
    for (let depth = 1; depth <= DEEPEST_INLINED; depth++) {
      const next = new Set<number>();
      for (const entry of level) {
        // Twice what there is room for: who comes first is known when blocks are made.
        if (instructions > limits.instructions) break;
        if (limits.onlyWhatRan && !scanner.hasRun(entry, user)) continue;
        const start = words.length;
        const own = new ScannedBytes();
        const found = scanner.scan(entry, user, small, own, words);
        if (!found || found.instructions.size > LARGEST_INLINED) {
          words.truncate(start);
          continue;
        }
        count++;
        instructions += found.instructions.size;
        for (const [page, gpa] of own.pages) bytes.pages.set(page, gpa);
        bytes.runs.push(...own.runs);
        for (const target of callsOf(found)) {
          if (!callable.has(target)) next.add(target);
          callable.add(target);
        }
      }
      level = next;
    }
    words.set(countAt, count);
    return callable;
  }

  /** The request so far, with those of its regions that are still `wanted`; begins another one. */
  take(wanted: (region: number) => boolean = () => true): Int32Array<ArrayBuffer> {
    const { words, ends } = this;
    const all = words.take();
    this.ends = [];
    words.push(0);
    let regions = 0;
    for (const [region, end] of ends.entries()) {
      if (!wanted(region)) continue;
      regions++;
      for (let at = ends[region - 1] ?? 0; at < end; at++) words.push(all[at]!);
    }
    words.set(0, regions);
    return words.take();
  }
}

/** Where an inlined function may call: a jump out of it does. */
function callsOf(found: Found): number[] {
  return [...found.calls, ...[...found.jumps].filter((target) => !beginsBlock(found, target))];
}

/** Computed jumps that leave the region. */
function jumpsOut(found: Found): number[] {
  const leaves = (targets: readonly number[]): boolean =>
    targets.filter((target) => beginsBlock(found, target)).length < 2;
  return [...found.tables].filter(([, targets]) => leaves(targets)).map(([jump]) => jump);
}

/** Reads a request. */
export function* readRequest(words: Int32Array, forms: readonly HandlerForm[]): Generator<RequestedRegion> {
  const reader = new WordReader(words);
  for (let left = reader.unsigned(); left > 0; left--) {
    const slot = reader.unsigned();
    const bits = reader.unsigned();
    const room = reader.unsigned();
    const code = readScan(reader, forms);
    const callees = new Map<number, Scan>();
    for (let count = reader.unsigned(); count > 0; count--) {
      const scan = readScan(reader, forms);
      callees.set(scan.entry, scan);
    }
    const slots = readPairs(reader);
    const profiles = readPairs(reader);
    const user = (bits & BITS.user) !== 0;
    const narrow = (bits & BITS.narrow) !== 0;
    const anyNumbers = (bits & BITS.anyNumbers) !== 0;
    yield { slot, user, narrow, anyNumbers, room, code, callees, slots, profiles };
  }
}

function readPairs(reader: WordReader): Map<number, number> {
  const pairs = new Map<number, number>();
  for (let left = reader.unsigned(); left > 0; left--) pairs.set(reader.unsigned(), reader.unsigned());
  return pairs;
}
