import type { Profile } from '../debug/profile.js';
import type { Machine } from './machine.js';
import type { TurnResult } from './run-loop.js';

/** Seconds of running, by what was done. */
export interface TierSeconds {
  /** In translated code. */
  translated: number;
  /** Interpreting, and serving what the guest asked for. */
  interpreted: number;
  /** Translating, while the guest had to wait. */
  translating: number;
}

/** Instructions between two samples of a profile: this many, and up to twice as many again. */
const SHORTEST_INTERVAL = 40_000;

/** A multiplier and an increment that lead through all 32-bit numbers (Numerical Recipes). */
const MULTIPLIER = 1_664_525;
const INCREMENT = 1_013_904_223;

/**
 * Finds out where the time goes, by looking where the guest is when a turn has spent its budget. A turn that ended for
 * another reason, such as sleep, ended where such turns always end: it gives no sample, its time goes to the next one.
 *
 * With a profile, turns are made shorter, by lengths that no loop of the guest has; not where `exact` says that turns
 * must end where they would have.
 */
export class Sampler {
  private readonly nowNs: () => number;
  private readonly profile: Profile | undefined;
  private readonly exact: boolean;
  private readonly ns = { translated: 0, interpreted: 0, translating: 0 };
  /** Time since the last sample, and what that one showed. */
  private waitingNs = 0;
  private lastTier: 'translated' | 'interpreted' = 'interpreted';
  private untilSample = SHORTEST_INTERVAL;
  private random = 1;

  constructor(nowNs: () => number, exact: boolean, profile?: Profile) {
    this.nowNs = nowNs;
    this.exact = exact;
    this.profile = profile;
  }

  /** A turn of `machine` by `run`. */
  run(machine: Machine, maxInstructions: number, run: (maxInstructions: number) => TurnResult): TurnResult {
    const { translation, cpu } = machine;
    const cut = this.profile !== undefined && !this.exact;
    const budget = cut ? Math.min(maxInstructions, this.untilSample) : maxInstructions;
    const retired = machine.retired;
    const leaves = translation?.budgetLeaves ?? 0;
    const translatingMs = translation?.guestMilliseconds ?? 0;
    const start = this.nowNs();
    const result = run(budget);
    const translatingNs = ((translation?.guestMilliseconds ?? 0) - translatingMs) * 1e6;
    this.ns.translating += translatingNs;
    this.waitingNs += Math.max(0, this.nowNs() - start - translatingNs);
    this.untilSample -= machine.retired - retired;
    if (result !== 'running' || (cut && this.untilSample > 0)) return result;
    this.lastTier = (translation?.budgetLeaves ?? 0) !== leaves ? 'translated' : 'interpreted';
    this.ns[this.lastTier] += this.waitingNs;
    const { eip, cpl } = cpu.state;
    this.profile?.add(eip, cpl === 3, this.lastTier === 'translated', this.waitingNs);
    this.waitingNs = 0;
    this.random = (Math.imul(this.random, MULTIPLIER) + INCREMENT) >>> 0;
    this.untilSample = SHORTEST_INTERVAL + Math.floor((this.random / 2 ** 32) * 2 * SHORTEST_INTERVAL);
    return result;
  }

  get tierSeconds(): TierSeconds {
    const ns = { ...this.ns };
    ns[this.lastTier] += this.waitingNs;
    return { translated: ns.translated / 1e9, interpreted: ns.interpreted / 1e9, translating: ns.translating / 1e9 };
  }
}
