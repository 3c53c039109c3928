import { TRANSLATED } from '../memory/layout.js';
import type { LeaveReasons } from './leave-reasons.js';

/** How often regions have been left, and for which instructions of those that they leave to the interpreter. */
export class LeaveCounts {
  constructor(
    private readonly i32: Int32Array,
    private readonly reasons: LeaveReasons,
  ) {}

  /** How often regions were left for a reason. */
  count(reason: number): number {
    return this.i32[(TRANSLATED.exits >> 2) + reason]!;
  }

  /** By name, those that happened, the most frequent first. */
  byName(): Record<string, number> {
    const entries = [...this.reasons.names()].map(([name, reason]) => [name, this.count(reason)] as const);
    return Object.fromEntries(entries.filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]));
  }
}
