/*D:100
 * Devices
 *
 * A real PC has chips with registers; imitating them is slow and dull. lguest's guests have virtio devices
 * instead: the guest's driver knows that it talks to software, so the two share queues of memory buffers and
 * one kick each way. That is all this interface says. How the guest finds a device, starts and resets it is the
 * transport's business (the descriptor page of lguest-transport.ts, or PCI), and a device never learns which
 * transport carries it.
 *
 * To add a device: one file with one class of this interface, one option row in the Launcher, one test.
 */
import type { Virtqueue } from './queue.js';

/** What the transport gives its device. */
export interface DevicePort {
  readonly queues: readonly Virtqueue[];
  /** Bits of `features` the guest has accepted until now. */
  acceptedFeatures(): bigint;
  warn(text: string): void;
  /** Ends the guest: for requests that no driver makes. */
  fatal(text: string): never;
}

export interface VirtioDevice {
  /** virtio device id: 1 net, 2 block, 3 console, 4 entropy, 9 9P … (1…255). */
  readonly type: number;
  /** For messages and traces. */
  readonly name: string;
  readonly queueCount: number;
  /** Offered feature bits. A device offers only what it implements. */
  readonly features: bigint;
  /** Initial device configuration as the guest sees it; its length is fixed. */
  readonly config: Uint8Array;
  /** Called once, before the guest runs. */
  attach(port: DevicePort): void;
  /**
   * The guest has kicked queue `index`. What the guest spins for must be done on return; the rest may be
   * completed later. May be called before the driver said that it is ready, and with nothing in the queue.
   */
  queueNotified(index: number): void;
  /** Back to the state after `attach`; the queues are empty already. */
  reset(): void;
  /** Everything but queues and guest memory, as a structured-cloneable value. */
  save(): unknown;
  load(state: unknown): void;
}
