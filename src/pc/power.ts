/**
 * How a guest restarts or ends its machine. There is no ACPI here, which costs a kernel a good part of its boot: a
 * kernel that cannot switch the power off stops its processor instead, and one that is stopped with interrupts off is
 * off for good (board.ts). For restarts there are the keyboard controller (port 0x64, command 0xFE: a pulse on the
 * reset line) and the reset register of newer chip sets (port 0xCF9, bit 2); a triple fault is the third way.
 *
 * Optional, for test kernels: a port that ends the machine with a status, like qemu's isa-debug-exit.
 */
import type { PortDevice, PortSpace } from './ports.js';

const KEYBOARD_DATA = 0x60;
const KEYBOARD_COMMAND = 0x64;
const RESET_CONTROL = 0xcf9;
const PULSE_RESET = 0xfe;
const RESET_NOW = 4;
/** Output full for ever, input never: kernels take it for a controller that is not there, and none waits for it. */
const KEYBOARD_ABSENT = 0xfd;

export interface PowerOptions {
  /** The guest asks for a restart. Must not return. */
  restart(): never;
  /** The guest has written `value` to the debug-exit port. Must not return. */
  debugExit(value: number): never;
  /** Where the debug-exit port is; undefined: there is none. */
  readonly debugExitPort: number | undefined;
}

export class Power implements PortDevice {
  private readonly options: PowerOptions;

  constructor(ports: PortSpace, options: PowerOptions) {
    this.options = options;
    ports.add(KEYBOARD_DATA, 1, this);
    ports.add(KEYBOARD_COMMAND, 1, this);
    ports.add(RESET_CONTROL, 1, this);
    if (options.debugExitPort !== undefined) ports.add(options.debugExitPort, 1, this, true);
  }

  readPort(port: number): number {
    if (port === KEYBOARD_COMMAND) return KEYBOARD_ABSENT;
    return port === KEYBOARD_DATA ? 0xff : 0;
  }

  writePort(port: number, _size: number, value: number): void {
    if (port === this.options.debugExitPort) this.options.debugExit(value);
    if (port === KEYBOARD_COMMAND && value === PULSE_RESET) this.options.restart();
    if (port === RESET_CONTROL && (value & RESET_NOW) !== 0) this.options.restart();
  }
}
