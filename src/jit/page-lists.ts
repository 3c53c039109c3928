import { REGION_LISTS, REGION_PAGES, REGION_PAGES_BYTES, RAM_BASE } from '../memory/layout.js';
import type { Region } from './region.js';

/**
 * The pages of regions, where the interpreter can see whether they are mapped as they were (`interpreter/recall.ts`).
 * A list is its own length in bytes, then for each page its linear number and where it is in linear memory, u32 each.
 */
export class PageLists {
  private lists = new WeakMap<Region, number>();
  private next = REGION_PAGES;

  constructor(private readonly i32: Int32Array) {}

  /** The region in the table at this slot; undefined: none. */
  assign(slot: number, region: Region | undefined): void {
    this.i32[(REGION_LISTS >> 2) + slot] = region ? this.listOf(region) : 0;
  }

  /** Offset in linear memory, or 0 if there is no room: then the translator has to be asked each time. */
  private listOf(region: Region): number {
    const known = this.lists.get(region);
    if (known !== undefined) return known;
    const { pages } = region.code;
    const bytes = 4 + 8 * pages.size;
    if (this.next + bytes > REGION_PAGES + REGION_PAGES_BYTES) return 0;
    const at = this.next;
    this.next += bytes;
    let word = at >> 2;
    this.i32[word++] = bytes;
    for (const [page, gpa] of pages) {
      this.i32[word++] = page;
      this.i32[word++] = RAM_BASE + gpa;
    }
    this.lists.set(region, at);
    return at;
  }

  /** No slot has a region any more. */
  clear(): void {
    this.lists = new WeakMap();
    this.next = REGION_PAGES;
  }
}
