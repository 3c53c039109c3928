import type { Encoding } from '../isa/encoding.js';
import { LEAVE } from './steps.js';

/** Why regions are left, as numbers: those of `LEAVE`, and behind them one for each name of an instruction. */
export class LeaveReasons {
  private readonly reasons = new Map<string, number>();

  constructor(encodings: readonly Encoding[]) {
    for (const { row } of encodings)
      if (!this.reasons.has(row.name)) this.reasons.set(row.name, Object.keys(LEAVE).length + this.reasons.size);
  }

  /** The reason of leaves for instruction `name`. */
  reasonOf(name: string): number {
    return this.reasons.get(name)!;
  }

  /** Names and reasons of all instructions. */
  names(): Iterable<[name: string, reason: number]> {
    return this.reasons;
  }
}
