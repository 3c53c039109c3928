import type { Block } from './blocks.js';
import type { Scan } from './scan.js';

/** Scanned code as part of a region: the region's own, or that of a function inlined at one call. */
export interface CodeContext {
  readonly scan: Scan;
  /** Undefined: the region's own code. */
  readonly caller: CodeContext | undefined;
  /** Where the function returns to. */
  readonly returnEip: number;
  /** Calls around it. */
  readonly depth: number;
  /** By address. */
  readonly blocks: Map<number, Block>;
}

/** Instructions of a function that is inlined, at most. */
export const LARGEST_INLINED = 32;
/** Functions are inlined into functions that are inlined, so deep. */
export const DEEPEST_INLINED = 3;
/** A function is inlined into itself so often. */
const MOST_RECURSIONS = 2;

/**
 * Decides which calls are inlined. The function's instructions stay what they were: the return address is pushed, and
 * compared when it has been popped.
 */
export class Inliner {
  /** `room`: instructions of all inlined functions, at most. `scans`: small functions by their entries. */
  constructor(
    private room: number,
    private readonly scans: ReadonlyMap<number, Scan>,
  ) {}

  static root(scan: Scan): CodeContext {
    return { scan, caller: undefined, returnEip: 0, depth: 0, blocks: new Map() };
  }

  /** The function at `entry`, as part of the region; undefined: it is to be called. */
  enter(entry: number, caller: CodeContext, returnEip: number): CodeContext | undefined {
    if (caller.depth === DEEPEST_INLINED || this.room <= 0) return undefined;
    let around = 0;
    for (let at: CodeContext | undefined = caller; at; at = at.caller) if (at.scan.entry === entry) around++;
    if (around > MOST_RECURSIONS) return undefined;
    const scan = this.scans.get(entry);
    if (!scan || scan.instructions.size > this.room) return undefined;
    this.room -= scan.instructions.size;
    return { scan, caller, returnEip, depth: caller.depth + 1, blocks: new Map() };
  }
}
