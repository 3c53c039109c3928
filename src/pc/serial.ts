/**
 * A 16550A serial port at 0x3F8, interrupt 4: the guest's console and early console (National PC16550D data sheet).
 *
 * The line behind it is infinitely fast: the transmitter is always empty, so a driver that waits for it never waits,
 * and one that asks for an interrupt when it is empty gets that at once. Output is collected and handed out in pieces
 * (`flush`), because one call per character would cost more than everything else. Input waits here until the guest
 * has read what is in its register.
 */
import type { PortDevice, PortSpace } from './ports.js';

export const SERIAL_PORT = 0x3f8;
export const SERIAL_IRQ = 4;

/** Registers, as offsets; with DLAB the first two are the baud rate divisor. */
const REGISTER = { data: 0, enable: 1, identify: 2, lineControl: 3, modemControl: 4, lineStatus: 5, modemStatus: 6 };
const SCRATCH = 7;
/** Interrupt enable and, by priority, what the identification register says. */
const ENABLE = { received: 1, empty: 2, line: 4, modem: 8 } as const;
const IDENTIFY = { none: 1, empty: 2, received: 4, timeout: 12 } as const;
const FIFO_ENABLED = 0xc0;
const DLAB = 0x80;
const LOOP = 0x10;
const LINE_STATUS = { received: 0x01, overrun: 0x02, transmitterEmpty: 0x60 } as const;
/** Modem status of a line with somebody at the other end: carrier, data set ready, clear to send. */
const MODEM_READY = 0xb0;
/** Bytes collected before they are handed out anyway. */
const OUTPUT_BYTES = 4096;
const INPUT_BYTES = 0x1_0000;

export interface SerialPortOptions {
  /** Takes the guest's output, in order; the array is the sink's own. */
  output(bytes: Uint8Array): void;
  /** The input had no room and now has some again. */
  inputWanted(): void;
  setLine(high: boolean): void;
}

export interface SerialPortState {
  readonly registers: readonly number[];
  readonly emptyPending: boolean;
  readonly input: Uint8Array;
}

export class SerialPort implements PortDevice {
  private readonly options: SerialPortOptions;
  private enable = 0;
  private fifo = 0;
  private lineControl = 3;
  private modemControl = 0;
  private scratch = 0;
  /** 1 stands for 115,200 bits a second; it changes nothing. */
  private divisor = 1;
  /** The transmitter has become empty since the guest was last told. */
  private emptyPending = false;
  private input = new Uint8Array(0);
  private refused = false;
  private readonly pending = new Uint8Array(OUTPUT_BYTES);
  private pendingBytes = 0;

  constructor(ports: PortSpace, options: SerialPortOptions) {
    this.options = options;
    ports.add(SERIAL_PORT, 8, this);
  }

  /** Hands out what was collected. */
  flush(): void {
    if (this.pendingBytes === 0) return;
    const bytes = this.pending.slice(0, this.pendingBytes);
    this.pendingBytes = 0;
    this.options.output(bytes);
  }

  /** Offers input; returns how many bytes were taken. For the rest, wait for `inputWanted`. */
  sendInput(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, INPUT_BYTES - this.input.length);
    if (taken < bytes.length) this.refused = true;
    if (taken > 0) {
      const joined = new Uint8Array(this.input.length + taken);
      joined.set(this.input);
      joined.set(bytes.subarray(0, taken), this.input.length);
      this.input = joined;
      this.update();
    }
    return taken;
  }

  readPort(port: number): number {
    switch (port - SERIAL_PORT) {
      case REGISTER.data:
        return (this.lineControl & DLAB) !== 0 ? this.divisor & 0xff : this.receive();
      case REGISTER.enable:
        return (this.lineControl & DLAB) !== 0 ? this.divisor >> 8 : this.enable;
      case REGISTER.identify:
        return this.identify();
      case REGISTER.lineControl:
        return this.lineControl;
      case REGISTER.modemControl:
        return this.modemControl;
      case REGISTER.lineStatus:
        return LINE_STATUS.transmitterEmpty | (this.input.length > 0 ? LINE_STATUS.received : 0);
      case REGISTER.modemStatus:
        return this.modemStatus();
      case SCRATCH:
        return this.scratch;
      default:
        return 0xff;
    }
  }

  writePort(port: number, _size: number, value: number): void {
    switch (port - SERIAL_PORT) {
      case REGISTER.data:
        if ((this.lineControl & DLAB) !== 0) this.divisor = (this.divisor & 0xff00) | value;
        else this.transmit(value);
        break;
      case REGISTER.enable:
        if ((this.lineControl & DLAB) !== 0) {
          this.divisor = (this.divisor & 0xff) | (value << 8);
          break;
        }
        // Switched on while empty: an interrupt at once, which Linux tests for.
        if ((value & ENABLE.empty) !== 0 && (this.enable & ENABLE.empty) === 0) this.emptyPending = true;
        this.enable = value & 15;
        this.update();
        break;
      case REGISTER.identify:
        // A reset of the receiver is not obeyed: what was typed ahead is not to be lost when a driver opens the port.
        this.fifo = value & 1;
        break;
      case REGISTER.lineControl:
        this.lineControl = value;
        break;
      case REGISTER.modemControl:
        this.modemControl = value & 0x1f;
        this.update();
        break;
      case SCRATCH:
        this.scratch = value;
        break;
      default:
    }
  }

  private transmit(value: number): void {
    if ((this.modemControl & LOOP) !== 0) {
      this.input = Uint8Array.from([...this.input, value]).slice(-16);
    } else {
      this.pending[this.pendingBytes++] = value;
      if (this.pendingBytes === OUTPUT_BYTES) this.flush();
    }
    if ((this.enable & ENABLE.empty) !== 0) this.emptyPending = true;
    this.update();
  }

  private receive(): number {
    const { input } = this;
    if (input.length === 0) return 0;
    this.input = input.subarray(1);
    if (this.refused && this.input.length <= INPUT_BYTES / 2) {
      this.refused = false;
      this.options.inputWanted();
    }
    this.update();
    return input[0]!;
  }

  /** Reading it acknowledges "empty". */
  private identify(): number {
    const fifo = this.fifo !== 0 ? FIFO_ENABLED : 0;
    if (this.input.length > 0 && (this.enable & ENABLE.received) !== 0) return fifo | IDENTIFY.received;
    if (this.emptyPending && (this.enable & ENABLE.empty) !== 0) {
      this.emptyPending = false;
      this.update();
      return fifo | IDENTIFY.empty;
    }
    return fifo | IDENTIFY.none;
  }

  /** In loop mode the outputs DTR, RTS, OUT1, OUT2 come back as DSR, CTS, RI, DCD. */
  private modemStatus(): number {
    const control = this.modemControl;
    if ((control & LOOP) === 0) return MODEM_READY;
    return ((control & 1) << 5) | ((control & 2) << 3) | ((control & 4) << 4) | ((control & 8) << 4);
  }

  private update(): void {
    const received = this.input.length > 0 && (this.enable & ENABLE.received) !== 0;
    const empty = this.emptyPending && (this.enable & ENABLE.empty) !== 0;
    this.options.setLine(received || empty);
  }

  save(): SerialPortState {
    const { enable, fifo, lineControl, modemControl, scratch, divisor, emptyPending } = this;
    this.flush();
    return {
      registers: [enable, fifo, lineControl, modemControl, scratch, divisor],
      emptyPending,
      input: this.input.slice(),
    };
  }
  load(state: SerialPortState): void {
    const [enable, fifo, lineControl, modemControl, scratch, divisor] = state.registers;
    Object.assign(this, { enable, fifo, lineControl, modemControl, scratch, divisor });
    this.emptyPending = state.emptyPending;
    this.input = state.input.slice();
    this.refused = false;
    this.pendingBytes = 0;
  }
}
