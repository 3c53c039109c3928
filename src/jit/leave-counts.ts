import { TRANSLATED } from '../memory/layout.js';
import { LEAVE } from './steps.js';

/** Behind the counts of `LEAVE`: one for each instruction that regions have been left for, by name. */
const FIRST_NAME = Object.keys(LEAVE).length;

/** Where `TRANSLATED.exits` ends. */
const LAST_NAME = (TRANSLATED.end - TRANSLATED.exits) / 4 - 1;

/** Which instructions regions leave to the interpreter, and how often. */
export class LeaveCounts {
  private readonly reasons = new Map<string, number>();

  constructor(private readonly i32: Int32Array) {}

  /** The reason of leaves for instruction `name`: a number behind those of `LEAVE`. */
  reasonOf(name: string): number {
    let reason = this.reasons.get(name);
    if (reason === undefined) {
      reason = Math.min(FIRST_NAME + this.reasons.size, LAST_NAME);
      this.reasons.set(name, reason);
    }
    return reason;
  }

  /** How often regions were left for a reason of `LEAVE`. */
  count(reason: number): number {
    return this.i32[(TRANSLATED.exits >> 2) + reason]!;
  }

  /** By name, those that happened, the most frequent first. */
  byName(): Record<string, number> {
    const entries = [...this.reasons].map(([name, reason]) => [name, this.count(reason)] as const);
    return Object.fromEntries(entries.filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]));
  }
}
