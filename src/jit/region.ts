import { analyse } from './analysis.js';
import { BlockBuilder } from './block-builder.js';
import { type Block, createBlocks } from './blocks.js';
import { Inliner, LARGEST_INLINED } from './inlining.js';
import type { LeaveCounts } from './leave-counts.js';
import type { Scan, ScanLimits, Scanner } from './scanner.js';

/** Guest-physical bytes `[start, end)`. */
interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Translated code, with one entry but for hubs, and what it was made from. It may be entered while every page it was made from is
 * still mapped where it was and no byte of it has been written.
 */
export class Region {
  /** By slot; set when the module is there. */
  codes: ReadonlyMap<number, (depth: number) => number> | undefined;
  /** That of `entry`. */
  readonly slot: number;
  /** A byte has changed: not to be entered any more. */
  dead = false;

  constructor(
    /** Where its entries are in the table, that of `entry` first. */
    readonly slots: readonly number[],
    /** Linear address of the entry. */
    readonly entry: number,
    readonly user: boolean,
    /** Linear page number → guest-physical address of the page. */
    readonly pages: ReadonlyMap<number, number>,
    readonly ranges: readonly ByteRange[],
    readonly instructions: number,
    /** Bytes of its WebAssembly function. */
    readonly bytes: number,
  ) {
    this.slot = slots[0]!;
  }

  get entries(): number {
    return this.slots.length;
  }

  /** Whether a byte of `[start, end)` belongs to it. */
  covers(start: number, end: number): boolean {
    return this.ranges.some((range) => range.start < end && range.end > start);
  }
}

/** Blocks of a region to be, ready for the emitter. */
export interface Draft {
  readonly blocks: readonly Block[];
  /** Linear addresses at which it may be entered; several only if the first block is a hub. */
  readonly entries: readonly number[];
  readonly pages: ReadonlyMap<number, number>;
  readonly ranges: readonly ByteRange[];
  readonly instructions: number;
}

/** Reads and analyses the code at `entry`; undefined if not even its first instruction can be translated. */
export function draftRegion(
  scanner: Scanner,
  entry: number,
  user: boolean,
  limits: ScanLimits,
  leaveCounts: LeaveCounts,
  largestSpan?: number,
): Draft | undefined {
  const mapped = new Map<number, number>();
  const scan = scanner.scan(entry, user, limits, mapped);
  if (!scan.instructions.has(entry)) return undefined;
  const inliner = new Inliner(limits.instructions >> 1, (address) => {
    if (limits.onlyWhatRan && !scanner.hasRun(address, user)) return undefined;
    return scanSmall(scanner, address, user, limits, mapped);
  });
  const newBuilder = (): BlockBuilder => new BlockBuilder(scanner.host.helperNumber, leaveCounts, largestSpan);
  const found = createBlocks(Inliner.root(scan), inliner, newBuilder);
  const first = found.find((block) => !block.hub)!;
  if (first.instructions === 0) return undefined;
  const blocks = analyse(found[0]!);
  const pages = new Map<number, number>();
  const ranges: ByteRange[] = [];
  let instructions = 0;
  for (const block of blocks) {
    instructions += block.instructions;
    for (const { eip, length } of block.pieces) addRanges(eip, length, mapped, pages, ranges);
  }
  const others = blocks[0]!.hub ? blocks[0]!.edges().map(({ block }) => block!.eip) : [];
  const entries = [entry, ...others.filter((address) => address !== entry)];
  return { blocks, entries, pages, ranges, instructions };
}

/** The function at `entry`, if it is small enough to be inlined. */
function scanSmall(
  scanner: Scanner,
  entry: number,
  user: boolean,
  limits: ScanLimits,
  mapped: Map<number, number>,
): Scan | undefined {
  const scan = scanner.scan(entry, user, { ...limits, instructions: LARGEST_INLINED + 1 }, mapped);
  return scan.instructions.has(entry) && scan.instructions.size <= LARGEST_INLINED ? scan : undefined;
}

/** Splits linear bytes at page borders and finds where they are in guest memory. */
function addRanges(
  linear: number,
  length: number,
  mapped: ReadonlyMap<number, number>,
  pages: Map<number, number>,
  ranges: ByteRange[],
): void {
  while (length > 0) {
    const page = linear >>> 12;
    const gpa = mapped.get(page)!;
    const offset = linear & 0xfff;
    const part = Math.min(length, 0x1000 - offset);
    pages.set(page, gpa);
    ranges.push({ start: gpa + offset, end: gpa + offset + part });
    linear += part;
    length -= part;
  }
}
