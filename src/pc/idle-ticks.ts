/**
 * Letting an idle guest sleep longer than it asks for.
 *
 * A kernel without tickless idle sets its timer for the next tick even when there is nothing to do, 250 times a second,
 * and looking at nothing that often costs a few per cent of a real processor. Kernels that program the timer for one
 * event at a time make up for ticks that come late. So once a guest has done nothing for a while but wake up, count a
 * tick and go back to sleep, its next tick may be late by `LATE_NS`. Whatever is no tick (a sleep of a program that
 * ends, a device, a key) is never late, and ends this.
 */

/** Wakes without any work before it begins. */
const PURE_TICKS = 15;
/** A tick of Linux 6.1 takes some 4000 instructions; now and then its own housekeeping adds up to 20,000. */
const TICK_INSTRUCTIONS = 40_000;
/** What a tick may be late, nanoseconds: nine ticks of a kernel with HZ=250. Waking costs Node as much as the guest. */
const LATE_NS = 36_000_000;
/** Distance of two ticks: HZ between 100 and 300. */
const SHORTEST_PERIOD_NS = 3_300_000;
const LONGEST_PERIOD_NS = 10_100_000;
/** What a tick may be off, as a part of the period: the time between reading the clock and setting the timer. */
const TOLERANCE = 0.1;

export class IdleTicks {
  private pureTicks = 0;
  private periodNs = 0;
  /** Instructions retired when the guest last went to sleep, and what its timer was set for then. */
  private retired = 0;
  private timerNs = 0;

  /**
   * The guest goes to sleep with its timer set for `timerNs`. `disturbed`: something other than the timer has happened
   * since it did so last.
   */
  sleep(retired: number, timerNs: number, disturbed: boolean): void {
    if (timerNs === this.timerNs && retired === this.retired) return;
    const apartNs = timerNs - this.timerNs;
    const worked = disturbed || retired - this.retired > TICK_INSTRUCTIONS;
    const periods = apartNs / this.periodNs;
    if (worked || !isNearInteger(periods)) {
      this.pureTicks = 0;
      this.periodNs = apartNs >= SHORTEST_PERIOD_NS && apartNs <= LONGEST_PERIOD_NS ? apartNs : 0;
    } else this.pureTicks++;
    this.retired = retired;
    this.timerNs = timerNs;
  }

  /** When to wake a guest that sleeps and whose timer is set for `timerNs`. */
  wakeAtNs(timerNs: number): number {
    return this.pureTicks >= PURE_TICKS && timerNs === this.timerNs ? timerNs + LATE_NS : timerNs;
  }
}

/** 1, 2, 3 …, nearly; what is no number is not. */
function isNearInteger(value: number): boolean {
  const nearest = Math.round(value);
  return nearest >= 1 && Math.abs(value - nearest) <= TOLERANCE && Number.isFinite(value);
}
