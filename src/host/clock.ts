/*H:800
 * Time.
 *
 * A guest has three ideas of time, and all of them come from here. The wall clock is two words in `lguest_data` that
 * we refresh whenever we get the chance. The time-stamp counter ticks at a rate that we tell the guest at LGUEST_INIT
 * and keep to. And there is one alarm clock: SET_CLOCKEVENT asks for interrupt 0 so and so many nanoseconds from
 * now; a new request replaces the old one, and a request for zero cancels it.
 *
 * Nothing here reads a real clock. Where time comes from is the business of whoever built the machine, so that time
 * may as well be the number of instructions executed.
 */

import { type GuestData, TIME_NANOSECONDS, TIME_SECONDS } from './guest-data.js';

export interface TimeSource {
  /** Monotonic, nanoseconds. */
  nowNs(): number;
  /** The same, cheaper and less exact, for what a guest asks often; it does not go back. */
  roughNs?(): number;
  /** Since 1970: [seconds, nanoseconds]. */
  wallClock(): readonly [number, number];
}

export interface ClockState {
  readonly guestNs: number;
  readonly deadlineNs: number | null;
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Rate of the time-stamp counter unless told otherwise: one tick per nanosecond. */
export const DEFAULT_TSC_KHZ = 1_000_000;

export class Clock {
  private readonly time: TimeSource;
  private readonly data: GuestData;
  /** What the guest is told: 0 means "do not trust the TSC". */
  readonly tscKhz: number;
  /** `time.nowNs()` at guest time 0. */
  private originNs: number;
  /** Guest time of the alarm, nanoseconds; Infinity if none is set. */
  private deadlineNs = Number.POSITIVE_INFINITY;
  /** The wall clock as last shown to the guest: it never goes back. */
  private seconds = 0;
  private nanoseconds = 0;

  constructor(time: TimeSource, data: GuestData, tscKhz: number) {
    this.time = time;
    this.data = data;
    this.tscKhz = tscKhz;
    this.originNs = time.nowNs();
  }

  /** Nanoseconds since the guest was started. */
  guestNs(): number {
    return this.time.nowNs() - this.originNs;
  }

  /** SET_CLOCKEVENT: fire in `deltaNs`, or not at all if that is 0. */
  setAlarm(deltaNs: number): void {
    this.deadlineNs = deltaNs === 0 ? Number.POSITIVE_INFINITY : this.guestNs() + deltaNs;
  }

  /** Whether the alarm has gone off; it does so once. */
  takeAlarm(now?: number): boolean {
    if (this.deadlineNs === Number.POSITIVE_INFINITY || (now ?? this.guestNs()) < this.deadlineNs) return false;
    this.deadlineNs = Number.POSITIVE_INFINITY;
    return true;
  }

  /** When the alarm goes off, in the time source's nanoseconds; Infinity if none is set. */
  wakeAtNs(): number {
    return this.deadlineNs + this.originNs;
  }

  /** Shows the guest the present wall clock. Both words change between two guest instructions. */
  refresh(): void {
    if (!this.data.attached) return;
    const [seconds, nanoseconds] = this.time.wallClock();
    if (seconds > this.seconds || (seconds === this.seconds && nanoseconds > this.nanoseconds)) {
      this.seconds = seconds;
      this.nanoseconds = nanoseconds;
    }
    this.data.write(TIME_SECONDS, this.seconds);
    this.data.write(TIME_NANOSECONDS, this.nanoseconds);
  }

  /** `guestNs` as the guest sees it in its time-stamp counter. */
  roughNs(): number {
    return (this.time.roughNs?.() ?? this.time.nowNs()) - this.originNs;
  }

  /** The time-stamp counter as [low, high]. It ticks even if the guest was told not to trust it. */
  timestamp(now: number = this.roughNs()): readonly [number, number] {
    const ticks = Math.floor((now * (this.tscKhz || DEFAULT_TSC_KHZ)) / 1e6);
    return [ticks >>> 0, Math.floor(ticks / 0x1_0000_0000) >>> 0];
  }

  save(): ClockState {
    const { deadlineNs, seconds, nanoseconds } = this;
    return {
      guestNs: this.guestNs(),
      deadlineNs: deadlineNs === Number.POSITIVE_INFINITY ? null : deadlineNs,
      seconds,
      nanoseconds,
    };
  }

  /** Guest time goes on where it was saved; what passed in between did not happen for TSC and alarm. */
  load(state: ClockState): void {
    this.originNs = this.time.nowNs() - state.guestNs;
    this.deadlineNs = state.deadlineNs ?? Number.POSITIVE_INFINITY;
    this.seconds = state.seconds;
    this.nanoseconds = state.nanoseconds;
  }
}
/*:*/
