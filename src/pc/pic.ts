/**
 * Two 8259A interrupt controllers: the master at port 0x20 takes interrupts 0 to 7, the slave at 0xA0 takes 8 to 15
 * and hangs on the master's input 2 (Intel 8259A data sheet; edge/level registers 0x4D0, 0x4D1: PIIX4, 4.2.5).
 *
 * Not here because nothing on this board needs it: polling, rotating priorities, cascades other than this one, and
 * the 8080 mode of old.
 */
import type { PortDevice, PortSpace } from './ports.js';

const MASTER = 0x20;
const SLAVE = 0xa0;
const EDGE_LEVEL = 0x4d0;
/** The master's input that the slave drives. */
const CASCADE = 2;

/** First command word (ICW1), and which of the others follow it. */
const ICW1 = 0x10;
const ICW1_NEEDS_ICW4 = 1;
const ICW1_SINGLE = 2;
/** OCW2: what to do at the end of an interrupt. */
const END_OF_INTERRUPT = 0x20;
const SPECIFIC = 0x40;
/** OCW3: which register reads return, special mask mode. */
const OCW3 = 0x08;

export interface ControllerState {
  readonly request: number;
  readonly service: number;
  readonly mask: number;
  readonly lines: number;
  readonly level: number;
  readonly base: number;
  readonly step: number;
  readonly needsIcw4: boolean;
  readonly autoEnd: boolean;
  readonly readsService: boolean;
  readonly specialMask: boolean;
}

/** One 8259A. Bits are inputs. */
class Controller {
  private request = 0;
  private service = 0;
  private mask = 0xff;
  private lines = 0;
  /** Inputs that interrupt as long as their line is high; the others at its rise. */
  level = 0;
  private base = 0;
  /** Which initialisation word comes next: 0 none, 2 to 4. */
  private step = 0;
  private needsIcw4 = false;
  private autoEnd = false;
  private readsService = false;
  private specialMask = false;

  setLine(input: number, high: boolean): void {
    const bit = 1 << input;
    if (high) {
      if ((this.lines & bit) === 0 || (this.level & bit) !== 0) this.request |= bit;
      this.lines |= bit;
    } else {
      this.lines &= ~bit;
      // An edge stays remembered, so that short pulses count.
      if ((this.level & bit) !== 0) this.request &= ~bit;
    }
  }

  /** An input that is requested exactly as long as `high`, whatever it is set to: what the other controller drives. */
  follow(input: number, high: boolean): void {
    const bit = 1 << input;
    this.request = high ? this.request | bit : this.request & ~bit;
  }

  isMasked(input: number): boolean {
    return (this.mask & (1 << input)) !== 0;
  }

  /** The input to be served next, or −1. 0 is the most urgent, and one in service holds back all that are less so. */
  next(): number {
    const waiting = this.request & ~this.mask;
    if (waiting === 0) return -1;
    for (let input = 0; input < 8; input++) {
      const bit = 1 << input;
      if ((this.service & bit) !== 0 && !(this.specialMask && (this.mask & bit) !== 0)) return -1;
      if ((waiting & bit) !== 0) return input;
    }
    return -1;
  }

  /** Takes an input into service; returns its vector. */
  take(input: number): number {
    const bit = 1 << input;
    if ((this.level & bit) === 0) this.request &= ~bit;
    if (!this.autoEnd) this.service |= bit;
    return this.base + input;
  }

  /** The vector that stands for "it went away again". */
  get spuriousVector(): number {
    return this.base + 7;
  }

  read(isData: boolean): number {
    if (isData) return this.mask;
    return this.readsService ? this.service : this.request;
  }

  write(isData: boolean, value: number): void {
    if (isData) this.writeData(value);
    else if ((value & ICW1) !== 0) this.initialise(value);
    else if ((value & OCW3) !== 0) {
      if ((value & 2) !== 0) this.readsService = (value & 1) !== 0;
      if ((value & 0x40) !== 0) this.specialMask = (value & 0x20) !== 0;
    } else if ((value & END_OF_INTERRUPT) !== 0) {
      this.service &= (value & SPECIFIC) !== 0 ? ~(1 << (value & 7)) : this.service - 1;
    }
  }

  private initialise(value: number): void {
    this.request = this.lines & this.level;
    this.service = 0;
    this.mask = 0;
    this.autoEnd = false;
    this.readsService = false;
    this.specialMask = false;
    this.needsIcw4 = (value & ICW1_NEEDS_ICW4) !== 0;
    this.step = 2;
    if ((value & ICW1_SINGLE) !== 0) this.needsIcw4 = false;
  }

  private writeData(value: number): void {
    if (this.step === 2) {
      this.base = value & 0xf8;
      this.step = 3;
    } else if (this.step === 3) {
      this.step = this.needsIcw4 ? 4 : 0;
    } else if (this.step === 4) {
      this.autoEnd = (value & 2) !== 0;
      this.step = 0;
    } else this.mask = value;
  }

  save(): ControllerState {
    const { request, service, mask, lines, level, base, step } = this;
    const { needsIcw4, autoEnd, readsService, specialMask } = this;
    return { request, service, mask, lines, level, base, step, needsIcw4, autoEnd, readsService, specialMask };
  }
  load(state: ControllerState): void {
    Object.assign(this, state);
  }
}

export interface InterruptControllerState {
  readonly master: ControllerState;
  readonly slave: ControllerState;
}

export class InterruptController implements PortDevice {
  private readonly master = new Controller();
  private readonly slave = new Controller();
  /** The wire to the processor: an interrupt waits. */
  output = false;
  /** The line, 0…15, that the last `acknowledge` was about. */
  acknowledged = 0;
  /** Called when `output` may have changed. */
  private readonly onChange: () => void;

  constructor(ports: PortSpace, onChange: () => void) {
    this.onChange = onChange;
    for (const first of [MASTER, SLAVE, EDGE_LEVEL]) ports.add(first, 2, this);
  }

  /** Raises or lowers interrupt line 0…15. */
  setLine(irq: number, high: boolean): void {
    if (irq < 8) this.master.setLine(irq, high);
    else this.slave.setLine(irq - 8, high);
    this.update();
  }

  /** An edge: the line goes up and down again. */
  pulse(irq: number): void {
    this.setLine(irq, true);
    this.setLine(irq, false);
  }

  /** Interrupt `irq` comes from a line that several devices may hold up. */
  setLevelTriggered(irq: number): void {
    if (irq < 8) this.master.level |= 1 << irq;
    else this.slave.level |= 1 << (irq - 8);
  }

  /** Whether nothing that happens on line `irq` can reach the processor. */
  isMasked(irq: number): boolean {
    return irq < 8 ? this.master.isMasked(irq) : this.slave.isMasked(irq - 8) || this.master.isMasked(CASCADE);
  }

  /** The processor asks what the interrupt is: the vector, 0…255. */
  acknowledge(): number {
    const input = this.master.next();
    let vector = this.master.spuriousVector;
    this.acknowledged = input < 0 ? 7 : input;
    if (input >= 0) {
      vector = this.master.take(input);
      if (input === CASCADE) {
        const inner = this.slave.next();
        this.acknowledged = inner < 0 ? 15 : 8 + inner;
        vector = inner >= 0 ? this.slave.take(inner) : this.slave.spuriousVector;
      }
    }
    this.update();
    return vector;
  }

  readPort(port: number): number {
    if (port >= EDGE_LEVEL) return port === EDGE_LEVEL ? this.master.level : this.slave.level;
    return (port < SLAVE ? this.master : this.slave).read((port & 1) !== 0);
  }

  writePort(port: number, _size: number, value: number): void {
    // Timer, keyboard, cascade, clock and coprocessor are edges for ever.
    if (port === EDGE_LEVEL) this.master.level = value & 0xf8;
    else if (port > EDGE_LEVEL) this.slave.level = value & 0xde;
    else (port < SLAVE ? this.master : this.slave).write((port & 1) !== 0, value);
    this.update();
  }

  private update(): void {
    this.master.follow(CASCADE, this.slave.next() >= 0);
    this.output = this.master.next() >= 0;
    this.onChange();
  }

  save(): InterruptControllerState {
    return { master: this.master.save(), slave: this.slave.save() };
  }
  load(state: InterruptControllerState): void {
    this.master.load(state.master);
    this.slave.load(state.slave);
    this.update();
  }
}
