/*L:170
 * Running in turns
 *
 * JavaScript has one thread, and the guest must not keep it: keys could not arrive and Ctrl-C would do nothing. So the
 * guest runs in turns of about two milliseconds, and the event loop gets its chance in between. When the guest has
 * nothing to do it says so, with the hypercall HALT; then nobody runs at all until its timer or a key wakes it, and
 * the computer stays cool.
 */
import { LONGEST_WAIT_MS, type Platform } from '../platform/platform.js';
import type { MachineClock } from './clock.js';

/** How a turn of the machine went (LguestHost.run): budget spent, asleep, or dead. */
export type TurnResult = 'running' | 'idle' | 'stopped';

/** What the loop needs of a machine. */
export interface Runnable {
  /** Runs at most `maxInstructions` guest instructions. */
  run(maxInstructions: number): TurnResult;
  /** When the next timer fires, in the clock's time; undefined or Infinity: none runs. */
  wakeAtNs(): number | undefined;
  /** Instructions retired since the start, over all restarts. */
  retired(): number;
}

export interface RunLimits {
  /** Instructions over all restarts; exact. */
  maxInstructions?: number | undefined;
  /** Real seconds, whatever clock the guest has. */
  maxSeconds?: number | undefined;
}

/** Why the loop returned. 'stopped': ask the machine; 'asked': `stop` was called. */
export type LoopResult = 'stopped' | 'asked' | 'instruction-limit' | 'time-limit' | 'asleep';

/** Longest time the event loop has to wait for its turn: key presses and timers are never later than this. */
const TURN_NS = 2_000_000;
/** First guess at how many instructions fit into a turn; it adapts within a few turns. */
const FIRST_BUDGET = 50_000;
const SMALLEST_BUDGET = 1_000;
const LARGEST_BUDGET = 20_000_000;
/** With a virtual clock turns end at multiples of this, whatever the speed, so that every run is cut alike. */
const VIRTUAL_TURN = 50_000;

/**
 * Lets the machine run in turns of about 2 ms and the event loop in between; sleeps while the guest does.
 *
 * One `run` at a time. Nothing here changes what the guest computes: with a virtual clock the places where turns end
 * depend on instruction counts alone.
 */
export class RunLoop {
  private readonly platform: Platform;
  private readonly clock: MachineClock;
  private readonly limits: RunLimits;
  /** Real time of the start, for `maxSeconds`. */
  private readonly startNs: number;
  /** Real time spent in the machine so far, nanoseconds. */
  runNs = 0;
  private budget = FIRST_BUDGET;
  /** Instructions per nanosecond, of the last full turns. */
  private speed = 0.05;
  private stopAsked = false;
  private paused = false;
  /** Ends the present wait. */
  private wakeUp: (() => void) | undefined;
  /** A wake came while nobody waited. */
  private woken = false;
  /** Whether input or a device may still wake a sleeping guest that has no timer. */
  canBeWoken: () => boolean = () => true;
  /** A promise while somebody downstream cannot take more output; the machine waits for it. */
  blocked: () => Promise<void> | undefined = () => undefined;
  /** Called before the loop sleeps or yields: whatever was collected can go out now. */
  beforePause: () => void = () => {};

  constructor(platform: Platform, clock: MachineClock, limits: RunLimits = {}) {
    this.platform = platform;
    this.clock = clock;
    this.limits = limits;
    this.startNs = platform.monotonicNs();
  }

  /** Something happened that a sleeping guest may want to know. */
  wake(): void {
    this.woken = true;
    this.wakeUp?.();
  }

  /** Makes `run` return 'asked' at the next turn. */
  stop(): void {
    this.stopAsked = true;
    this.wake();
  }

  /** Forgets a `stop` that was only meant to get `run` to return. */
  takeBackStop(): void {
    this.stopAsked = false;
  }

  /** Stops running guest code until `resume`, between two turns. */
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
    this.wake();
  }

  async run(machine: Runnable): Promise<LoopResult> {
    let turnStart = this.platform.monotonicNs();
    for (;;) {
      if (this.stopAsked) return 'asked';
      const limit = this.limitReached(machine);
      if (limit !== undefined) return limit;
      const blocked = this.blocked();
      if (this.paused || blocked !== undefined) {
        this.woken = false;
        void blocked?.then(() => this.wake());
        this.beforePause();
        await this.waitForWake(this.millisecondsLeft());
        turnStart = this.platform.monotonicNs();
        continue;
      }

      this.woken = false;
      const before = machine.retired();
      const startNs = this.platform.monotonicNs();
      const result = machine.run(this.chooseBudget(machine));
      const now = this.platform.monotonicNs();
      this.runNs += now - startNs;
      this.adapt(machine.retired() - before, now - startNs);
      if (result === 'stopped') return 'stopped';
      if (result === 'idle') {
        const ended = await this.sleep(machine);
        if (ended !== undefined) return ended;
        turnStart = this.platform.monotonicNs();
      } else if (now - turnStart >= TURN_NS / 2) {
        this.beforePause();
        await this.platform.yieldToEventLoop();
        turnStart = this.platform.monotonicNs();
      }
    }
  }

  /** Until `maxSeconds`, or about for ever. */
  private millisecondsLeft(): number {
    const { maxSeconds } = this.limits;
    if (maxSeconds === undefined) return LONGEST_WAIT_MS;
    return maxSeconds * 1000 - (this.platform.monotonicNs() - this.startNs) / 1e6;
  }

  private limitReached(machine: Runnable): LoopResult | undefined {
    const { maxInstructions, maxSeconds } = this.limits;
    if (maxInstructions !== undefined && machine.retired() >= maxInstructions) return 'instruction-limit';
    if (maxSeconds !== undefined && this.platform.monotonicNs() - this.startNs >= maxSeconds * 1e9) return 'time-limit';
    return undefined;
  }

  /** Instructions for the next turn: about 2 ms, not far beyond the next timer, never beyond the limit. */
  private chooseBudget(machine: Runnable): number {
    const { maxInstructions } = this.limits;
    const retired = machine.retired();
    const wakeAt = machine.wakeAtNs();
    let budget = this.budget;
    if (this.clock.kind === 'virtual') budget = VIRTUAL_TURN - (retired % VIRTUAL_TURN);
    if (wakeAt !== undefined && Number.isFinite(wakeAt) && wakeAt > this.clock.nowNs()) {
      // Real time: a guess from the speed so far. Too short costs another turn, too long a late timer.
      const exact = this.clock.instructionsUntil(wakeAt);
      const guess = Math.ceil((wakeAt - this.clock.nowNs()) * this.speed);
      budget = Math.min(budget, exact ?? Math.max(SMALLEST_BUDGET, guess));
    }
    if (maxInstructions !== undefined) budget = Math.min(budget, maxInstructions - retired);
    return Math.max(1, budget);
  }

  /** Learns from a turn how much fits into the next one. Short turns say more about overheads than about speed. */
  private adapt(instructions: number, elapsedNs: number): void {
    if (instructions < this.budget / 2 || elapsedNs <= 0) return;
    this.speed = instructions / elapsedNs;
    const factor = Math.min(2, Math.max(0.25, TURN_NS / elapsedNs));
    this.budget = Math.min(LARGEST_BUDGET, Math.max(SMALLEST_BUDGET, Math.round(this.budget * factor)));
  }

  /** The guest is asleep: waits for its timer, for input, or for the limit. */
  private async sleep(machine: Runnable): Promise<LoopResult | undefined> {
    this.beforePause();
    if (this.woken || this.stopAsked) return undefined;
    const { maxInstructions, maxSeconds } = this.limits;
    const wakeAt = machine.wakeAtNs();
    const hasTimer = wakeAt !== undefined && Number.isFinite(wakeAt);
    if (hasTimer && this.clock.skipTo(wakeAt)) {
      // Virtual time is there already; still let input in, or a guest that only sleeps would shut it out.
      await this.platform.yieldToEventLoop();
      return undefined;
    }
    if (!hasTimer && !this.canBeWoken() && (maxInstructions !== undefined || maxSeconds !== undefined)) return 'asleep';
    const untilTimer = hasTimer ? (wakeAt - this.clock.nowNs()) / 1e6 : LONGEST_WAIT_MS;
    const milliseconds = Math.min(untilTimer, this.millisecondsLeft());
    // Less than a timer of the event loop can measure.
    if (milliseconds < 0.25) await this.platform.yieldToEventLoop();
    else await this.waitForWake(milliseconds);
    return undefined;
  }

  /** Waits for `wake`, at most so long. The timer also keeps the process alive while nothing else does. */
  private async waitForWake(milliseconds: number): Promise<void> {
    if (this.woken) return;
    await new Promise<void>((resolve) => {
      const cancel = this.platform.callLater(milliseconds, resolve);
      this.wakeUp = () => {
        cancel();
        resolve();
      };
    });
    this.wakeUp = undefined;
  }
}
