/** Guest-physical bytes `[start, end)`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Bytes of code that a region is made from. */
export interface CodeBytes {
  /** Linear page number → guest-physical address of the page. */
  readonly pages: ReadonlyMap<number, number>;
  readonly ranges: readonly ByteRange[];
}

/** Consecutive bytes at a linear address. */
interface Run {
  readonly eip: number;
  readonly length: number;
}

/** Splits runs at page borders and finds where they are in guest memory. */
export function locateBytes(runs: Iterable<Run>, mapped: ReadonlyMap<number, number>): CodeBytes {
  const pages = new Map<number, number>();
  const ranges: ByteRange[] = [];
  for (const { eip, length } of runs) {
    let linear = eip;
    let left = length;
    while (left > 0) {
      const page = linear >>> 12;
      const gpa = mapped.get(page)!;
      const offset = linear & 0xfff;
      const part = Math.min(left, 0x1000 - offset);
      pages.set(page, gpa);
      ranges.push({ start: gpa + offset, end: gpa + offset + part });
      linear = (linear + part) >>> 0;
      left -= part;
    }
  }
  return { pages, ranges: mergeRanges(ranges) };
}

/** The same bytes in as few ranges as possible: every write to their pages is compared with them. */
function mergeRanges(ranges: readonly ByteRange[]): ByteRange[] {
  const merged: ByteRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = merged[merged.length - 1];
    if (last && range.start <= last.end)
      merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
    else merged.push(range);
  }
  return merged;
}

/** The same bytes in ranges that are on one page each. */
export function* splitAtPages(ranges: readonly ByteRange[]): Generator<ByteRange> {
  for (const range of ranges) {
    let { start } = range;
    for (let page = (start & ~0xfff) + 0x1000; page < range.end; page += 0x1000) {
      yield { start, end: page };
      start = page;
    }
    yield { start, end: range.end };
  }
}

/** What a region is made for, in the light of why others before it were left. */
export interface RegionTraits {
  /** Every access has a check of its own. */
  readonly narrow: boolean;
  /** Infinities, NaNs and denormals are nothing special. */
  readonly anyNumbers: boolean;
}

/**
 * Translated code, with one entry but for hubs, and what it is made from. It may be entered while every page it was
 * made from is still mapped where it was and no byte of it has been written.
 */
export class Region {
  /** By slot; undefined while it is in the making. */
  codes: ReadonlyMap<number, (depth: number) => number> | undefined;
  /** A byte has changed: not to be entered any more, or not to be completed. */
  dead = false;
  /** It has been looked up lately. */
  used = true;
  /** Number of its module; infinite while it is in the making. */
  module = Number.POSITIVE_INFINITY;
  /** That of `entry`. */
  readonly slot: number;
  instructions = 0;
  /** Bytes of its WebAssembly function. */
  bytes = 0;

  constructor(
    /** Where its entries are in the table, that of `entry` first. */
    readonly slots: readonly number[],
    /** Linear address of the entry. */
    readonly entry: number,
    readonly user: boolean,
    readonly traits: RegionTraits,
    /** In the making: all bytes that have been read for it. */
    public code: CodeBytes,
    /** Instructions of its own code, as far as it had run; without inlined functions. */
    readonly scanned: number,
    /** How often a region at this entry had been made anew because it was left for code that it lacked. */
    readonly growths: number,
  ) {
    this.slot = slots[0]!;
  }

  get entries(): number {
    return this.slots.length;
  }

  get entryGpa(): number {
    return this.code.pages.get(this.entry >>> 12)! + (this.entry & 0xfff);
  }

  /** Whether it was read where the other one was, as far as both have read the same pages. */
  agrees(other: Region): boolean {
    for (const [page, gpa] of this.code.pages) if ((other.code.pages.get(page) ?? gpa) !== gpa) return false;
    return true;
  }

  /** Whether a byte of `[start, end)` belongs to it. */
  covers(start: number, end: number): boolean {
    return this.code.ranges.some((range) => range.start < end && range.end > start);
  }
}
