import type { Platform, WallClock } from '../platform/platform.js';

/**
 * The machine's idea of time. The Host asks it (`nowNs`, `wallClock`); the run loop asks how long it may run.
 * Time never goes back, also not over `load`.
 */
export interface MachineClock {
  readonly kind: 'real' | 'virtual';
  /** Nanoseconds since the machine was started. */
  nowNs(): number;
  /**
   * The same for a guest that asks all the time, as Linux does at each switch from task to task: it may be wrong by a
   * little, but not go back.
   */
  roughNs(): number;
  wallClock(): WallClock;
  /** Instructions that fit before `deadlineNs`, or undefined when only trying can tell (real time). */
  instructionsUntil(deadlineNs: number): number | undefined;
  /** Idle until `deadlineNs`: virtual time jumps there and the result is true; real time has to be waited for. */
  skipTo(deadlineNs: number): boolean;
  save(): ClockState;
  load(state: ClockState): void;
}

export interface ClockState {
  version: 1;
  nowNs: number;
}

/**
 * Real time: instructions that may go by between two looks at the platform's clock, which costs as much as some hundred
 * of them. In between each takes a nanosecond.
 */
const ROUGH_INSTRUCTIONS = 2000;

/** Time as the world has it. */
export class RealClock implements MachineClock {
  readonly kind = 'real';
  private readonly platform: Platform;
  private originNs: number;
  /** Instructions retired since the start; NaN: nobody knows. */
  private readonly retired: () => number;
  /** When somebody last looked, and instructions retired then. */
  private lookedNs = 0;
  private lookedAt = Number.NaN;
  /** The last answer of `roughNs`. */
  private toldNs = 0;

  constructor(platform: Platform, retired: () => number = () => Number.NaN) {
    this.platform = platform;
    this.retired = retired;
    this.originNs = platform.monotonicNs();
  }
  nowNs(): number {
    this.lookedAt = this.retired();
    this.lookedNs = this.platform.monotonicNs() - this.originNs;
    return this.lookedNs;
  }
  roughNs(): number {
    const since = this.retired() - this.lookedAt;
    const near = since >= 0 && since < ROUGH_INSTRUCTIONS;
    this.toldNs = Math.max(this.toldNs, near ? this.lookedNs + since : this.nowNs());
    return this.toldNs;
  }
  wallClock(): WallClock {
    return this.platform.wallClock();
  }
  instructionsUntil(): undefined {
    return undefined;
  }
  skipTo(): boolean {
    return false;
  }
  save(): ClockState {
    return { version: 1, nowNs: Math.max(this.nowNs(), this.toldNs) };
  }
  /** The time that passed between save and load did not happen for the guest's timers. */
  load(state: ClockState): void {
    this.originNs = this.platform.monotonicNs() - state.nowNs;
    this.lookedAt = Number.NaN;
    this.toldNs = state.nowNs;
  }
}

/** Virtual nanoseconds one instruction takes: a processor of 1 GHz that retires one per cycle. */
export const VIRTUAL_NS_PER_INSTRUCTION = 1;

/** When virtual time begins, seconds since 1970: in the evening of 2007-10-09, when Linux 2.6.23, the first with lguest, came out. */
export const VIRTUAL_EPOCH_SECONDS = 1_191_961_898;

/**
 * Time made of instructions: two runs with the same inputs see the same time at every instruction. A sleeping guest
 * does not wait: time jumps to its next timer.
 */
export class VirtualClock implements MachineClock {
  readonly kind = 'virtual';
  /** Instructions retired since the start of the machine, over all restarts. */
  private readonly retired: () => number;
  private skippedNs = 0;

  constructor(retired: () => number) {
    this.retired = retired;
  }
  nowNs(): number {
    return this.retired() * VIRTUAL_NS_PER_INSTRUCTION + this.skippedNs;
  }
  roughNs(): number {
    return this.nowNs();
  }
  wallClock(): WallClock {
    const now = this.nowNs();
    const seconds = Math.floor(now / 1e9);
    return [VIRTUAL_EPOCH_SECONDS + seconds, Math.floor(now - seconds * 1e9)];
  }
  instructionsUntil(deadlineNs: number): number {
    return Math.max(1, Math.ceil((deadlineNs - this.nowNs()) / VIRTUAL_NS_PER_INSTRUCTION));
  }
  skipTo(deadlineNs: number): boolean {
    this.skippedNs += Math.max(0, deadlineNs - this.nowNs());
    return true;
  }
  save(): ClockState {
    return { version: 1, nowNs: this.nowNs() };
  }
  load(state: ClockState): void {
    this.skippedNs = state.nowNs - this.retired() * VIRTUAL_NS_PER_INSTRUCTION;
  }
}
