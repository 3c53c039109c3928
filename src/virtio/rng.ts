/*D:150
 * The entropy device
 *
 * One queue of buffers; each comes back full of random bytes. Where they come from is the machine's business: the
 * computer's own source, or a generator with a seed, so that a run can be repeated.
 */
import type { DevicePort, VirtioDevice } from './device.js';

const REQUESTS = 0;
/** Most bytes one kick may ask for: more than any driver does, less than would keep the machine busy. */
const MAXIMUM_BYTES_PER_KICK = 0x10_0000;

export interface RngOptions {
  /** Fresh random bytes. */
  randomBytes(length: number): Uint8Array;
}

export class RngDevice implements VirtioDevice {
  readonly type = 4;
  readonly name = 'rng';
  readonly queueCount = 1;
  readonly features = 0n;
  readonly config = new Uint8Array(0);
  private readonly options: RngOptions;
  private port: DevicePort | undefined;

  constructor(options: RngOptions) {
    this.options = options;
  }

  attach(port: DevicePort): void {
    this.port = port;
  }

  queueNotified(index: number): void {
    const queue = this.port?.queues[REQUESTS];
    if (index !== REQUESTS || queue === undefined) return;
    let left = MAXIMUM_BYTES_PER_KICK;
    let served = false;
    for (const chain of queue.pending()) {
      if (chain.readable.length > 0) this.port!.fatal('Output buffers in rng?');
      const bytes = Math.min(chain.writableBytes, left);
      left -= bytes;
      queue.complete(chain, bytes === 0 ? 0 : chain.write(this.options.randomBytes(bytes)));
      served = true;
    }
    if (served) queue.notifyGuest();
  }

  /** Nothing is kept between requests. */
  reset(): void {}
  save(): undefined {
    return undefined;
  }
  load(): void {}
}
