/**
 * The CMOS real-time clock at ports 0x70 and 0x71 (Motorola MC146818A data sheet), with the 114 bytes of memory behind
 * it. The time is the machine's wall clock plus what the guest has set it forward or back. Alarm, periodic and update
 * interrupts come as interrupt 8.
 */
import type { PortDevice, PortSpace } from './ports.js';

const INDEX_PORT = 0x70;

/** Registers; the alarm of seconds, minutes and hours is at the odd number behind each. */
const REGISTER = {
  ...{ seconds: 0, minutes: 2, hours: 4, weekDay: 6, day: 7, month: 8, year: 9 },
  ...{ a: 10, b: 11, c: 12, d: 13, century: 0x32 },
} as const;
/** Register A: 32,768 Hz divider running, periodic rate 1024 Hz. */
const REGISTER_A = 0x26;
/** Register B. */
const SET = 0x80;
const PERIODIC = 0x40;
const ALARM = 0x20;
const UPDATE = 0x10;
const BINARY = 0x04;
const HOURS_24 = 0x02;
/** Register C: an enabled interrupt of registers B's kinds happened. */
const INTERRUPT = 0x80;
/** Register D: the battery is good. */
const BATTERY = 0x80;
/** An alarm register with both upper bits set matches everything. */
const ANY = 0xc0;

export interface RealTimeClockState {
  readonly index: number;
  readonly memory: Uint8Array;
  readonly offsetSeconds: number;
  readonly frozenSeconds: number;
  readonly lastNs: number;
}

export interface RealTimeClockOptions {
  nowNs(): number;
  /** Seconds since 1970, nanoseconds. */
  wallClock(): readonly [number, number];
  setLine(high: boolean): void;
}

export class RealTimeClock implements PortDevice {
  private readonly options: RealTimeClockOptions;
  private index = 0;
  private memory = new Uint8Array(128);
  /** What the guest's idea of the time is ahead of the world's. */
  private offsetSeconds = 0;
  /** While SET is on: the time that stands still. */
  private frozenSeconds = 0;
  /** When events were last looked for. */
  private lastNs: number;

  constructor(ports: PortSpace, options: RealTimeClockOptions) {
    this.options = options;
    this.lastNs = options.nowNs();
    this.memory[REGISTER.a] = REGISTER_A;
    this.memory[REGISTER.b] = HOURS_24;
    this.memory[REGISTER.d] = BATTERY;
    ports.add(INDEX_PORT, 2, this);
  }

  /** When an enabled interrupt may be due; Infinity if none is enabled. */
  nextInterruptNs(): number {
    const enabled = this.memory[REGISTER.b]!;
    if ((enabled & SET) !== 0 || (this.memory[REGISTER.c]! & INTERRUPT) !== 0) return Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    if ((enabled & (ALARM | UPDATE)) !== 0) {
      // A second begins with the wall clock's.
      next = this.lastNs + (1e9 - this.nanosecondsAt(this.lastNs));
    }
    if ((enabled & PERIODIC) !== 0 && this.periodNs > 0) {
      next = Math.min(next, (Math.floor(this.lastNs / this.periodNs) + 1) * this.periodNs);
    }
    return next;
  }

  /** Raises what has become due. */
  update(nowNs: number): void {
    if (this.nextInterruptNs() > nowNs) return;
    const enabled = this.memory[REGISTER.b]!;
    let happened = 0;
    const { periodNs } = this;
    if (periodNs > 0 && Math.floor(nowNs / periodNs) > Math.floor(this.lastNs / periodNs)) happened |= PERIODIC;
    if (nowNs - this.lastNs >= 1e9 - this.nanosecondsAt(this.lastNs)) {
      happened |= UPDATE;
      if (this.alarmMatches()) happened |= ALARM;
    }
    this.lastNs = nowNs;
    this.memory[REGISTER.c]! |= happened;
    if ((happened & enabled) !== 0) {
      this.memory[REGISTER.c]! |= INTERRUPT;
      this.options.setLine(true);
    }
  }

  readPort(port: number): number {
    if (port === INDEX_PORT) return 0xff;
    const { index, memory } = this;
    if (index === REGISTER.c) {
      const flags = memory[index]!;
      memory[index] = 0;
      this.lastNs = this.options.nowNs();
      this.options.setLine(false);
      return flags;
    }
    const field = this.field(index, this.seconds());
    return field === undefined ? memory[index]! : this.encode(field, index);
  }

  writePort(port: number, _size: number, value: number): void {
    if (port === INDEX_PORT) {
      this.index = value & 0x7f;
      return;
    }
    const { index, memory } = this;
    if (index === REGISTER.c || index === REGISTER.d) return;
    if (index === REGISTER.a) memory[index] = value & 0x7f;
    else if (index === REGISTER.b) this.writeControl(value);
    else if (this.field(index, 0) !== undefined) this.setTime(index, value);
    else memory[index] = value;
  }

  private get periodNs(): number {
    const rate = this.memory[REGISTER.a]! & 15;
    if (rate === 0) return 0;
    // Rates 1 and 2 are those of 8 and 9.
    return (1e9 / 32_768) * 2 ** ((rate < 3 ? rate + 7 : rate) - 1);
  }

  private writeControl(value: number): void {
    const { memory } = this;
    const before = memory[REGISTER.b]!;
    if ((value & SET) !== 0 && (before & SET) === 0) this.frozenSeconds = this.seconds();
    memory[REGISTER.b] = value;
    if ((value & SET) === 0 && (before & SET) !== 0) {
      this.offsetSeconds = this.frozenSeconds - this.options.wallClock()[0];
    }
    this.lastNs = this.options.nowNs();
  }

  /** Nanoseconds of the wall clock's second at machine time `ns`. */
  private nanosecondsAt(ns: number): number {
    const now = this.options.nowNs();
    const [, nanoseconds] = this.options.wallClock();
    return (((nanoseconds - (now - ns)) % 1e9) + 1e9) % 1e9;
  }

  /** The clock's time, seconds since 1970. */
  private seconds(): number {
    if ((this.memory[REGISTER.b]! & SET) !== 0) return this.frozenSeconds;
    return this.options.wallClock()[0] + this.offsetSeconds;
  }

  private alarmMatches(): boolean {
    const now = this.seconds();
    return [REGISTER.seconds, REGISTER.minutes, REGISTER.hours].every((index) => {
      const alarm = this.memory[index + 1]!;
      return (alarm & ANY) === ANY || alarm === this.encode(this.field(index, now)!, index);
    });
  }

  /** A field of the time as a number, or undefined if register `index` holds none. */
  private field(index: number, seconds: number): number | undefined {
    const { days, rest } = {
      days: Math.floor(seconds / 86_400),
      rest: seconds - Math.floor(seconds / 86_400) * 86_400,
    };
    switch (index) {
      case REGISTER.seconds:
        return rest % 60;
      case REGISTER.minutes:
        return Math.floor(rest / 60) % 60;
      case REGISTER.hours:
        return Math.floor(rest / 3600);
      case REGISTER.weekDay:
        // 1970-01-01 was a Thursday, Sunday is 1.
        return ((((days + 4) % 7) + 7) % 7) + 1;
      case REGISTER.day:
        return civilDate(days).day;
      case REGISTER.month:
        return civilDate(days).month;
      case REGISTER.year:
        return ((civilDate(days).year % 100) + 100) % 100;
      case REGISTER.century:
        return Math.floor(civilDate(days).year / 100);
      default:
        return undefined;
    }
  }

  private setTime(index: number, value: number): void {
    const before = this.seconds();
    const parts = {
      second: this.field(REGISTER.seconds, before)!,
      minute: this.field(REGISTER.minutes, before)!,
      hour: this.field(REGISTER.hours, before)!,
      ...civilDate(Math.floor(before / 86_400)),
    };
    const number = this.decode(value, index);
    if (index === REGISTER.seconds) parts.second = number;
    else if (index === REGISTER.minutes) parts.minute = number;
    else if (index === REGISTER.hours) parts.hour = number;
    else if (index === REGISTER.day) parts.day = number;
    else if (index === REGISTER.month) parts.month = number;
    else if (index === REGISTER.year) parts.year += number - (((parts.year % 100) + 100) % 100);
    else if (index === REGISTER.century) parts.year = number * 100 + (((parts.year % 100) + 100) % 100);
    const days = daysOfCivil(parts.year, parts.month, parts.day);
    const after = days * 86_400 + parts.hour * 3600 + parts.minute * 60 + parts.second;
    if ((this.memory[REGISTER.b]! & SET) !== 0) this.frozenSeconds = after;
    else this.offsetSeconds += after - before;
  }

  private encode(value: number, index: number): number {
    const control = this.memory[REGISTER.b]!;
    let afternoon = 0;
    if (index === REGISTER.hours && (control & HOURS_24) === 0) {
      afternoon = value >= 12 ? 0x80 : 0;
      value = value % 12 || 12;
    }
    return ((control & BINARY) !== 0 ? value : Math.floor(value / 10) * 16 + (value % 10)) | afternoon;
  }

  private decode(value: number, index: number): number {
    const control = this.memory[REGISTER.b]!;
    const half = index === REGISTER.hours && (control & HOURS_24) === 0;
    const digits = half ? value & 0x7f : value;
    const number = (control & BINARY) !== 0 ? digits : (digits >> 4) * 10 + (digits & 15);
    return half ? (number % 12) + ((value & 0x80) !== 0 ? 12 : 0) : number;
  }

  save(): RealTimeClockState {
    const { index, memory, offsetSeconds, frozenSeconds, lastNs } = this;
    return { index, memory: memory.slice(), offsetSeconds, frozenSeconds, lastNs };
  }
  load(state: RealTimeClockState): void {
    Object.assign(this, state, { memory: state.memory.slice() });
  }
}

/** Days since 1970-01-01 → date, in the proleptic Gregorian calendar: 400 years have 146,097 days. */
export function civilDate(days: number): { year: number; month: number; day: number } {
  // Years that begin in March: leap days come last.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** The inverse; months and days out of range carry over. */
export function daysOfCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
