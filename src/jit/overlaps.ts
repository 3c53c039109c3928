import type { TranslatorHost } from '../cpu/translator.js';
import type { Region } from './region.js';

/** Blocks that are remembered: the guest can make any number of them hot. */
const MOST_KNOWN = 1 << 16;

/**
 * Which hot blocks are to wait because they are in the middle of a region. The blocks of a loop become hot together,
 * and a region for each of them would contain the others: most code would be translated many times. But a block that
 * goes on becoming hot although such a region may be entered is run from elsewhere, and gets a region of its own.
 */
export class Overlaps {
  /** Guest-physical address of a block → how many modules there were when it last became hot. */
  private readonly lastHot = new Map<number, number>();
  private modules = 0;

  constructor(private readonly host: TranslatorHost) {}

  /** Regions are completed. Returns the number of their module. */
  countModule(): number {
    return ++this.modules;
  }

  /** The block at `linear` is hot: whether it is to wait. `regionsOn` has the regions on a guest page. */
  mustWait(linear: number, user: boolean, regionsOn: (page: number) => Iterable<Region>): boolean {
    const page = this.host.mappedPage(linear, user);
    if (page < 0) return false;
    const gpa = page + (linear & 0xfff);
    const last = this.lastHot.get(gpa) ?? 0;
    for (const region of regionsOn(gpa >>> 12)) {
      if (region.user !== user || region.module < last || !region.covers(gpa, gpa + 1)) continue;
      if (this.lastHot.size >= MOST_KNOWN) this.lastHot.clear();
      this.lastHot.set(gpa, this.modules + 1);
      return true;
    }
    return false;
  }

  clear(): void {
    this.lastHot.clear();
  }
}

/**
 * Which of the `candidates` begin inside of one of `regions`. Functions and loops begin with their lowest addresses, as
 * a rule, so of two that contain each other it is the higher one.
 */
export function findContained(candidates: readonly Region[], regions: readonly Region[]): Region[] {
  const contained = new Set<Region>();
  for (const region of [...candidates].sort((a, b) => a.entry - b.entry)) {
    const gpa = region.code.pages.get(region.entry >>> 12)! + (region.entry & 0xfff);
    const contains = (other: Region): boolean =>
      other !== region && other.user === region.user && !contained.has(other) && other.covers(gpa, gpa + 1);
    if (regions.some(contains)) contained.add(region);
  }
  return [...contained];
}
