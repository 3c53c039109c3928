/*D:130
 * The console
 *
 * The simplest device there is: bytes come out of one queue and go into another. Output is passed on before the
 * guest's next instruction, because its driver spins until it has its buffer back, perhaps with interrupts off.
 * Input waits here until the guest has posted a buffer for it; when nobody reads, we say so, and whoever types
 * or pastes has to wait.
 */
import type { DevicePort, VirtioDevice } from './device.js';
import type { Virtqueue } from './queue.js';

const INPUT = 0;
const OUTPUT = 1;
/** Most bytes one kick may print: what a sink must be able to take in one go. Linux prints less than a page. */
const MAXIMUM_OUTPUT_PER_KICK = 0x100_0000;
const DEFAULT_BACKLOG = 0x1_0000;

export interface ConsoleOptions {
  /** Takes the guest's output, at once and in order; the array is the sink's own. */
  output(bytes: Uint8Array): void;
  /** The backlog was full and now has room again: send more. */
  inputWanted?(): void;
  /** Capacity of the backlog in bytes. */
  backlogBytes?: number;
}

export interface ConsoleState {
  version: 1;
  /** Input the guest has not taken yet. */
  backlog: Uint8Array;
}

export class ConsoleDevice implements VirtioDevice {
  readonly type = 3;
  readonly name = 'console';
  readonly queueCount = 2;
  readonly features = 0n;
  readonly config = new Uint8Array(0);
  private readonly options: ConsoleOptions;
  private readonly capacity: number;
  private port: DevicePort | undefined;
  private backlog = new Uint8Array(0);
  /** `sendInput` has refused bytes since the backlog last had room. */
  private refused = false;

  constructor(options: ConsoleOptions) {
    this.options = options;
    this.capacity = options.backlogBytes ?? DEFAULT_BACKLOG;
  }

  attach(port: DevicePort): void {
    this.port = port;
  }

  /** Bytes `sendInput` would take now, at least. */
  get inputRoom(): number {
    return this.capacity - this.backlog.length;
  }

  /**
   * Offers input; returns how many bytes were taken. For the rest, wait for `inputWanted`. A guest with a broken
   * input queue dies here, outside its run: this throws what the transport's `fatal` throws.
   */
  sendInput(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.inputRoom);
    if (taken < bytes.length) this.refused = true;
    if (taken > 0) {
      const joined = new Uint8Array(this.backlog.length + taken);
      joined.set(this.backlog);
      joined.set(bytes.subarray(0, taken), this.backlog.length);
      this.backlog = joined;
      this.deliverInput();
    }
    return taken;
  }

  queueNotified(index: number): void {
    if (index === OUTPUT) this.takeOutput();
    else if (index === INPUT) this.deliverInput();
  }

  /** What was typed stays: it is meant for whichever driver comes next. */
  reset(): void {}

  save(): ConsoleState {
    return { version: 1, backlog: this.backlog.slice() };
  }

  load(state: unknown): void {
    this.backlog = (state as ConsoleState).backlog.slice();
    this.refused = false;
  }

  private takeOutput(): void {
    const { port, queue } = this.openQueue(OUTPUT);
    let left = MAXIMUM_OUTPUT_PER_KICK;
    let served = false;
    for (const chain of queue.pending()) {
      if (chain.writable.length > 0) port.fatal('Input buffers in console output queue?');
      left -= chain.readableBytes;
      if (left < 0) port.fatal('Console output is larger than 16 MB at once');
      if (chain.readableBytes > 0) this.options.output(chain.read());
      queue.complete(chain, 0);
      served = true;
    }
    if (served) queue.notifyGuest();
  }

  private deliverInput(): void {
    if (this.backlog.length === 0) return;
    const { port, queue } = this.openQueue(INPUT);
    let served = false;
    for (const chain of queue.pending()) {
      if (chain.readable.length > 0) port.fatal('Output buffers in console in queue?');
      const written = chain.write(this.backlog);
      this.backlog = this.backlog.slice(written);
      queue.complete(chain, written);
      served = true;
      if (this.backlog.length === 0) break;
    }
    if (served) queue.notifyGuest();
    if (this.refused && this.backlog.length <= this.capacity / 2) {
      this.refused = false;
      this.options.inputWanted?.();
    }
  }

  private openQueue(index: number): { port: DevicePort; queue: Virtqueue } {
    const port = this.port;
    const queue = port?.queues[index];
    if (port === undefined || queue === undefined) throw new Error('console is not attached to a transport');
    return { port, queue };
  }
}
