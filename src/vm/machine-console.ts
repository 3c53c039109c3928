/** The console of a machine, whichever kind it is: what the `VirtualMachine` wants of it. */

import { ConsoleDevice, type ConsoleOptions } from '../virtio/console.js';
import type { TerminalSize } from '../virtio/console-ports.js';
import type { VirtioDevice } from '../virtio/device.js';
import { GuestConsole, type GuestConsoleOptions } from './guest-console.js';

/**
 * Each function throws what the transport's `fatal` throws if the guest's queues are broken. Those with input return
 * how many bytes were taken, the others 0.
 */
export interface MachineConsole {
  device: VirtioDevice;
  input(bytes: Uint8Array): number;
  stdin?(bytes: Uint8Array): number;
  endStdin?(): number;
  resize?(size: TerminalSize): number;
}

/** A stream each way, which is all that most guests need. */
export function plainConsole(options: ConsoleOptions): MachineConsole {
  const device = new ConsoleDevice(options);
  return { device, input: (bytes) => device.sendInput(bytes) };
}

/** The console of a guest with a task. */
export function guestConsole(options: GuestConsoleOptions): MachineConsole {
  const device = new GuestConsole(options);
  return {
    device,
    input: (bytes) => device.sendConsoleInput(bytes),
    stdin: (bytes) => device.sendStdin(bytes),
    endStdin() {
      device.endStdin();
      return 0;
    },
    resize(size) {
      device.resize(size);
      return 0;
    },
  };
}
