/**
 * The 8254 interval timer at ports 0x40 to 0x43 and the system control port 0x61 (Intel 8254 data sheet).
 *
 * Channel 0 is interrupt 0, channel 2 the speaker, whose tone nobody hears but whose count kernels measure time with.
 * Nothing counts here: a channel remembers when it was started, and what it would read now is worked out when
 * somebody asks. Time is the machine's, in nanoseconds.
 */
import type { PortDevice, PortSpace } from './ports.js';

/** Ticks per second. */
export const PIT_HZ = 1_193_182;
const FIRST_PORT = 0x40;
const CONTROL_PORT = 0x43;
const SYSTEM_CONTROL_PORT = 0x61;
/** How a channel's 16 bits pass through its 8-bit port. */
const ACCESS = { latch: 0, low: 1, high: 2, lowThenHigh: 3 } as const;
const READ_BACK = 3;
/** Port 0x61: gate of channel 2, speaker on, a bit that toggles every 15 µs (memory refresh), output of channel 2. */
const GATE2 = 1;
const SPEAKER = 2;
const REFRESH = 0x10;
const OUTPUT2 = 0x20;
const REFRESH_NS = 15_085;

export interface ChannelState {
  readonly mode: number;
  readonly access: number;
  readonly bcd: boolean;
  readonly reload: number;
  readonly startNs: number;
  readonly gate: boolean;
  readonly armed: boolean;
  readonly writeLow: number;
  readonly writesHigh: boolean;
  readonly readsHigh: boolean;
  readonly latched: number;
  readonly latchedStatus: number;
  readonly firedNs: number;
}

/** Nanoseconds that `ticks` take, rounded up: then they have passed. */
function ticksToNs(ticks: number): number {
  return Math.ceil((ticks * 1e9) / PIT_HZ);
}

class Channel {
  private mode = 0;
  private access: number = ACCESS.lowThenHigh;
  private bcd = false;
  /** 1…65536. */
  private reload = 0x1_0000;
  private startNs = 0;
  gate = true;
  /** A count has been written since the mode was set. */
  private armed = false;
  private writeLow = 0;
  private writesHigh = false;
  private readsHigh = false;
  /** −1: not latched. */
  private latched = -1;
  private latchedStatus = -1;
  /** When the last interrupt was due; events up to here have been reported. */
  private firedNs = 0;

  get periodic(): boolean {
    return this.mode === 2 || this.mode === 3;
  }

  private ticks(nowNs: number): number {
    return Math.max(0, Math.floor(((nowNs - this.startNs) * PIT_HZ) / 1e9));
  }

  output(nowNs: number): boolean {
    if (!this.armed) return this.mode !== 0;
    const ticks = this.ticks(nowNs);
    switch (this.mode) {
      case 0:
      case 1:
        return ticks >= this.reload;
      case 2:
        return ticks % this.reload !== this.reload - 1;
      case 3:
        return ticks % this.reload < this.reload / 2;
      default:
        return ticks !== this.reload;
    }
  }

  /** When the output rises next after what was reported last; Infinity if never. */
  nextRiseNs(): number {
    if (!this.armed) return Number.POSITIVE_INFINITY;
    const first = this.startNs + ticksToNs(this.reload);
    if (first > this.firedNs) return first;
    if (!this.periodic) return Number.POSITIVE_INFINITY;
    const periods = Math.floor(((this.firedNs - this.startNs) * PIT_HZ) / 1e9 / this.reload) + 1;
    return this.startNs + ticksToNs(periods * this.reload);
  }

  /** Whether the output has risen since the last call. However often it did, it is one event: an edge is an edge. */
  takeRise(nowNs: number): boolean {
    const next = this.nextRiseNs();
    if (next > nowNs) return false;
    this.firedNs = next;
    if (this.periodic && this.nextRiseNs() <= nowNs) {
      const periods = Math.floor(((nowNs - this.startNs) * PIT_HZ) / 1e9 / this.reload);
      this.firedNs = Math.max(next, this.startNs + ticksToNs(periods * this.reload));
    }
    return true;
  }

  setMode(control: number): void {
    this.access = (control >> 4) & 3;
    const mode = (control >> 1) & 7;
    this.mode = mode > 5 ? mode - 4 : mode;
    this.bcd = (control & 1) !== 0;
    this.armed = false;
    this.writesHigh = false;
    this.readsHigh = false;
    this.latched = -1;
    this.latchedStatus = -1;
  }

  latchCount(nowNs: number): void {
    if (this.latched < 0) this.latched = this.count(nowNs);
  }
  latchStatus(nowNs: number): void {
    if (this.latchedStatus >= 0) return;
    const output = this.output(nowNs) ? 0x80 : 0;
    const empty = this.armed ? 0 : 0x40;
    this.latchedStatus = output | empty | (this.access << 4) | (this.mode << 1) | (this.bcd ? 1 : 0);
  }

  setGate(high: boolean, nowNs: number): void {
    const rises = high && !this.gate;
    this.gate = high;
    // Modes 1, 2, 3 and 5 begin anew at a rising gate; 0 and 4 would stop while it is low, which nobody uses.
    if (rises && this.mode !== 0 && this.mode !== 4) this.start(nowNs);
  }

  read(nowNs: number): number {
    if (this.latchedStatus >= 0) {
      const status = this.latchedStatus;
      this.latchedStatus = -1;
      return status;
    }
    const value = this.latched >= 0 ? this.latched : this.count(nowNs);
    const high = this.access === ACCESS.high || (this.access === ACCESS.lowThenHigh && this.readsHigh);
    if (this.access === ACCESS.lowThenHigh) this.readsHigh = !this.readsHigh;
    if (!this.readsHigh) this.latched = -1;
    return high ? value >> 8 : value & 0xff;
  }

  write(value: number, nowNs: number): void {
    if (this.access === ACCESS.lowThenHigh && !this.writesHigh) {
      this.writeLow = value;
      this.writesHigh = true;
      return;
    }
    const wide = this.access === ACCESS.lowThenHigh ? this.writeLow | (value << 8) : value;
    const count = this.access === ACCESS.high ? value << 8 : wide;
    this.writesHigh = false;
    this.reload = (this.bcd ? fromBcd(count) : count) || (this.bcd ? 10_000 : 0x1_0000);
    // A mode 2 of one tick would never be done; the data sheet forbids it.
    if (this.periodic && this.reload < 2) this.reload = 2;
    this.start(nowNs);
  }

  private start(nowNs: number): void {
    this.armed = true;
    this.startNs = nowNs;
    this.firedNs = nowNs;
  }

  private count(nowNs: number): number {
    const ticks = this.ticks(nowNs);
    let count = this.reload;
    if (this.armed) {
      if (this.mode === 3) count = this.reload - ((2 * ticks) % this.reload);
      else if (this.mode === 2) count = this.reload - (ticks % this.reload);
      else count = this.reload - ticks;
    }
    if (this.bcd) return toBcd(((count % 10_000) + 10_000) % 10_000);
    return count & 0xffff;
  }

  save(): ChannelState {
    const { mode, access, bcd, reload, startNs, gate, armed, writeLow, writesHigh, readsHigh } = this;
    const { latched, latchedStatus, firedNs } = this;
    const first = { mode, access, bcd, reload, startNs, gate, armed, writeLow, writesHigh, readsHigh };
    return { ...first, latched, latchedStatus, firedNs };
  }
  load(state: ChannelState): void {
    Object.assign(this, state);
  }
}

/** Four decimal digits in four nibbles. */
function fromBcd(value: number): number {
  return (value & 15) + 10 * ((value >> 4) & 15) + 100 * ((value >> 8) & 15) + 1000 * ((value >> 12) & 15);
}
function toBcd(value: number): number {
  const digit = (divisor: number): number => Math.floor(value / divisor) % 10;
  return digit(1) | (digit(10) << 4) | (digit(100) << 8) | (digit(1000) << 12);
}

export interface IntervalTimerState {
  readonly channels: readonly ChannelState[];
  readonly speaker: number;
}

export class IntervalTimer implements PortDevice {
  private readonly channels = [new Channel(), new Channel(), new Channel()] as const;
  private readonly nowNs: () => number;
  /** Bits 0 and 1 of port 0x61 as written. */
  private speaker = 0;

  constructor(ports: PortSpace, nowNs: () => number) {
    this.nowNs = nowNs;
    this.channels[2].gate = false;
    ports.add(FIRST_PORT, 4, this);
    ports.add(SYSTEM_CONTROL_PORT, 1, this);
  }

  /** Channel 0 is set for one event at a time, not for one after the other. */
  get isOneShot(): boolean {
    return !this.channels[0].periodic;
  }
  /** When channel 0 interrupts next; Infinity if it does not. */
  nextInterruptNs(): number {
    return this.channels[0].nextRiseNs();
  }
  /** Whether channel 0 has interrupted since the last call. */
  takeInterrupt(nowNs: number): boolean {
    return this.channels[0].takeRise(nowNs);
  }

  readPort(port: number): number {
    const now = this.nowNs();
    if (port === SYSTEM_CONTROL_PORT) {
      const refresh = Math.floor(now / REFRESH_NS) & 1 ? REFRESH : 0;
      return this.speaker | refresh | (this.channels[2].output(now) ? OUTPUT2 : 0);
    }
    // The control port cannot be read.
    return port === CONTROL_PORT ? 0xff : this.channels[port - FIRST_PORT]!.read(now);
  }

  writePort(port: number, _size: number, value: number): void {
    const now = this.nowNs();
    if (port === SYSTEM_CONTROL_PORT) {
      this.speaker = value & (GATE2 | SPEAKER);
      this.channels[2].setGate((value & GATE2) !== 0, now);
    } else if (port === CONTROL_PORT) this.control(value, now);
    else this.channels[port - FIRST_PORT]!.write(value, now);
  }

  private control(value: number, now: number): void {
    const which = value >> 6;
    if (which === READ_BACK) {
      this.channels.forEach((channel, index) => {
        if ((value & (2 << index)) === 0) return;
        if ((value & 0x20) === 0) channel.latchCount(now);
        if ((value & 0x10) === 0) channel.latchStatus(now);
      });
    } else if (((value >> 4) & 3) === ACCESS.latch) this.channels[which]!.latchCount(now);
    else this.channels[which]!.setMode(value);
  }

  save(): IntervalTimerState {
    return { channels: this.channels.map((channel) => channel.save()), speaker: this.speaker };
  }
  load(state: IntervalTimerState): void {
    this.channels.forEach((channel, index) => {
      channel.load(state.channels[index]!);
    });
    this.speaker = state.speaker;
  }
}
