import type { Platform, WallClock } from '../platform/platform.js';

/**
 * The machine's idea of time. The Host asks it (`nowNs`, `wallClock`); the run loop asks how long it may run.
 * Time never goes back, also not over `load`.
 */
export interface MachineClock {
  readonly kind: 'real' | 'virtual';
  /** Nanoseconds since the machine was started. */
  nowNs(): number;
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

/** Time as the world has it. */
export class RealClock implements MachineClock {
  readonly kind = 'real';
  private readonly platform: Platform;
  private originNs: number;

  constructor(platform: Platform) {
    this.platform = platform;
    this.originNs = platform.monotonicNs();
  }
  nowNs(): number {
    return this.platform.monotonicNs() - this.originNs;
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
    return { version: 1, nowNs: this.nowNs() };
  }
  /** The time that passed between save and load did not happen for the guest's timers. */
  load(state: ClockState): void {
    this.originNs = this.platform.monotonicNs() - state.nowNs;
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
